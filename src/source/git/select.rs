//! Which files of a commit are manifests: the same rules, and the same jail, as for a directory.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;

use super::objects::{EntryKind, TreeEntry, TreeListing};
use crate::source::SourceError;
use crate::source::held::{Astray, SymbolicLinks, follow};
use crate::source::load::{
    BYTES_MAX, DIRECTORY_DEPTH_MAX, ENTRIES_MAX, is_manifest, too_large, too_many_bytes,
};

/// One manifest: how it is called beneath the root, and the file it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub name: String,
    pub entry: TreeEntry,
}

/// What was chosen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FileSelection {
    pub manifests: Vec<Manifest>,
    /// Links that are no manifests by name and lead out of the root. Where they lead to a
    /// directory, its manifests would be missed, so the caller has to look.
    pub outside: Vec<Vec<u8>>,
    /// Submodules: whatever they hold was not read.
    pub submodules: Vec<String>,
}

/// Chooses the manifests beneath a root, in the order in which a directory would be read.
///
/// # Errors
/// When a link leads out of the root or nowhere, or a limit is passed: the commit is refused whole.
pub(super) fn select(
    listing: &TreeListing,
    links: &SymbolicLinks,
    root: &str,
) -> Result<FileSelection, SourceError> {
    let mut walk = Walk::of(listing, links, root);
    walk.directory(b"", b"", 0)?;
    Ok(walk.selection)
}

/// Chooses one file by its name in the root's own directory.
///
/// # Errors
/// When it is a link that leads out of the root or nowhere.
pub(super) fn select_file(
    listing: &TreeListing,
    links: &SymbolicLinks,
    root: &str,
    name: &str,
) -> Result<FileSelection, SourceError> {
    let mut walk = Walk::of(listing, links, root);
    let path = name.as_bytes();
    let real = follow(links, b"", path).map_err(|astray| walk.astray(astray, path))?;
    walk.file(path, real)?;
    Ok(walk.selection)
}

struct Walk<'w> {
    listing: &'w TreeListing,
    links: &'w SymbolicLinks,
    root: &'w str,
    seen: BTreeSet<Vec<u8>>,
    bytes: u64,
    selection: FileSelection,
}

impl<'w> Walk<'w> {
    fn of(listing: &'w TreeListing, links: &'w SymbolicLinks, root: &'w str) -> Self {
        let selection = FileSelection::default();
        Self { listing, links, root, seen: BTreeSet::new(), bytes: 0, selection }
    }

    /// Walks a directory, which is called `shown` and really lies at `real`.
    fn directory(&mut self, shown: &[u8], real: &[u8], depth: usize) -> Result<(), SourceError> {
        if depth > DIRECTORY_DEPTH_MAX {
            return Err(too_large(&self.name(shown), "its depth", DIRECTORY_DEPTH_MAX));
        }
        for name in names_in(self.listing, real) {
            if name.first() == Some(&b'.') {
                continue;
            }
            let path = joined(shown, &name);
            let place = joined(real, &name);
            match self.listing.get(&place).map(|entry| entry.kind) {
                None => self.enter(&path, place, depth)?,
                Some(EntryKind::File) if is_yaml(&name) => self.file(&path, place)?,
                Some(EntryKind::File) => {}
                Some(EntryKind::Submodule) => self.submodule(&path),
                Some(EntryKind::Link) => match follow(self.links, real, &name) {
                    Ok(target) if is_directory(self.listing, &target) => {
                        self.enter(&path, target, depth)?;
                    }
                    Ok(target) if is_yaml(&name) => self.file(&path, target)?,
                    Ok(target) if is_submodule(self.listing, &target) => self.submodule(&path),
                    Err(astray) if is_yaml(&name) => return Err(self.astray(astray, &path)),
                    Err(Astray::Outside) => self.selection.outside.push(place),
                    // Links to what is no manifest are nobody's business.
                    Ok(_) | Err(Astray::Endless) => {}
                },
            }
        }
        Ok(())
    }

    fn enter(&mut self, path: &[u8], real: Vec<u8>, depth: usize) -> Result<(), SourceError> {
        if self.seen.insert(real.clone()) { self.directory(path, &real, depth + 1) } else { Ok(()) }
    }

    fn file(&mut self, path: &[u8], real: Vec<u8>) -> Result<(), SourceError> {
        let Some(entry) = self.listing.get(&real) else {
            return Err(SourceError::Missing { path: self.name(path) });
        };
        if entry.kind == EntryKind::Submodule {
            self.submodule(path);
            return Ok(());
        }
        if !self.seen.insert(real) {
            return Ok(());
        }
        let name = String::from_utf8(path.to_vec()).map_err(|_| SourceError::Unreadable {
            path: self.name(path),
            source: io::Error::new(io::ErrorKind::InvalidData, "its name is not UTF-8"),
        })?;
        self.bytes = self.bytes.saturating_add(entry.size);
        if self.bytes > BYTES_MAX {
            return Err(too_many_bytes(&self.name(path)));
        }
        self.selection.manifests.push(Manifest { name, entry: entry.clone() });
        Ok(())
    }

    fn submodule(&mut self, path: &[u8]) {
        let name = self.name(path);
        self.selection.submodules.push(name);
    }

    fn astray(&self, astray: Astray, path: &[u8]) -> SourceError {
        astray.into_error(self.name(path), self.root)
    }

    fn name(&self, path: &[u8]) -> String {
        let path = joined(self.root.as_bytes(), path);
        if path.is_empty() { ".".to_owned() } else { String::from_utf8_lossy(&path).into_owned() }
    }
}

/// Returns the names in a directory, sorted as a directory is read.
fn names_in(listing: &TreeListing, directory: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut prefix = directory.to_vec();
    if !prefix.is_empty() {
        prefix.push(b'/');
    }
    let mut names = BTreeSet::new();
    let mut from = prefix.clone();
    while let Some((path, _)) = listing.range(from.clone()..).next() {
        let Some(rest) = path.strip_prefix(prefix.as_slice()) else {
            break;
        };
        let name = rest.split(|byte| *byte == b'/').next().unwrap_or_default();
        names.insert(name.to_vec());
        from = joined(directory, name);
        // The next path that is not this name and not beneath it: what is beneath goes up to the
        // byte after the slash, and a name that is a file ends right here.
        let is_above = rest.len() > name.len();
        from.push(if is_above { b'/' + 1 } else { 0 });
    }
    names
}

/// Whether there is anything beneath a path; git knows no empty directories.
fn is_directory(listing: &TreeListing, path: &[u8]) -> bool {
    if path.is_empty() {
        return true;
    }
    let mut prefix = path.to_vec();
    prefix.push(b'/');
    listing.range(prefix.clone()..).next().is_some_and(|(path, _)| path.starts_with(&prefix))
}

fn is_submodule(listing: &TreeListing, path: &[u8]) -> bool {
    listing.get(path).is_some_and(|entry| entry.kind == EntryKind::Submodule)
}

pub(super) fn joined(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if directory.is_empty() || name.is_empty() { b"" } else { b"/" };
    [directory, slash, name].concat()
}

/// A name that is no UTF-8 ends like no manifest, as in a directory.
fn is_yaml(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| is_manifest(OsStr::new(name)))
}

pub(super) fn too_many_entries(path: &str) -> SourceError {
    too_large(path, "the number of files", ENTRIES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Selects from lines such as `a.yaml`, `dir/b.yaml`, `c.yaml -> ../x`.
    fn check(lines: &[&str]) -> String {
        let mut listing = TreeListing::new();
        let mut links = SymbolicLinks::new();
        for line in lines {
            let (path, kind) = match line.split_once(" -> ") {
                Some((path, target)) => {
                    links.insert(path.into(), target.into());
                    (path, EntryKind::Link)
                }
                None => match line.strip_suffix(" @") {
                    Some(path) => (path, EntryKind::Submodule),
                    None => (*line, EntryKind::File),
                },
            };
            listing.insert(path.into(), TreeEntry { kind, id: path.to_owned(), size: 1_000_000 });
        }
        match select(&listing, &links, "root") {
            Ok(FileSelection { manifests, outside, submodules }) => {
                let mut names: Vec<String> = manifests.into_iter().map(|m| m.name).collect();
                names.extend(outside.iter().map(|p| format!("?{}", String::from_utf8_lossy(p))));
                names.extend(submodules.iter().map(|name| format!("@{name}")));
                names.join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_lies_elsewhere_is_said_wherever_it_is_met() {
        assert_eq!(
            check(&["a.yaml", "b.yaml @", "sub/c @", "d -> sub/c", "e.yaml -> sub/c", ".f @"]),
            "a.yaml @root/b.yaml @root/d @root/e.yaml @root/sub/c"
        );
        assert!(check(&["c @", "d.yaml -> c/d.yaml"]).contains("d.yaml"));
    }

    #[test]
    fn only_manifests_are_chosen_in_the_order_of_a_directory() {
        assert_eq!(
            check(&[
                "b.yaml",
                "a.yml",
                "a/c.yaml",
                "a-b/d.yaml",
                "notes.txt",
                ".x.yaml",
                ".git/x.yaml",
                "stoker.yaml",
                "a/.h/x.yaml",
            ]),
            "a/c.yaml a-b/d.yaml a.yml b.yaml"
        );
    }

    #[test]
    fn links_are_followed_within_the_root_and_each_file_is_read_once() {
        assert_eq!(check(&["..v1/a.yaml", "..data -> ..v1", "a.yaml -> ..data/a.yaml"]), "a.yaml");
        assert_eq!(check(&["a.yaml", "sub/b.yaml", "sub/loop -> ."]), "a.yaml sub/b.yaml");
        assert_eq!(check(&["z/a.yaml", "b -> z", "c -> b"]), "b/a.yaml");
    }

    #[test]
    fn a_link_may_not_leave_the_root() {
        assert!(check(&["a.yaml -> /etc/hostname"]).contains("it leads outside `root`"));
        assert!(check(&["a.yaml -> ../x.yaml"]).contains("it leads outside `root`"));
        assert!(check(&["a.yaml -> nowhere"]).contains("there is no such file"));
        assert!(check(&["a.yaml -> a.yaml"]).contains("number of links"));
        assert_eq!(check(&["b.yaml", "up -> ../.."]), "b.yaml ?up");
    }

    #[test]
    fn limits_are_those_of_a_directory() {
        let many: Vec<String> = (0..11).map(|number| format!("{number}.yaml")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(check(&many).contains("more than the limit of 10 MB"));
        let deep = format!("{}a.yaml", "d/".repeat(65));
        assert!(check(&[&deep]).contains("its depth is more than the limit of 64"));
    }

    #[test]
    fn a_manifest_in_a_directory_with_a_strange_name_is_refused_and_not_left_out() {
        let entry = TreeEntry { kind: EntryKind::File, id: String::new(), size: 1 };
        let at = |path: &[u8]| TreeListing::from([(path.to_vec(), entry.clone())]);
        let error = select(&at(b"\xff/a.yaml"), &SymbolicLinks::new(), "").unwrap_err();
        assert!(error.to_string().contains("its name is not UTF-8"), "{error}");
        let none = select(&at(b"\xff.yaml"), &SymbolicLinks::new(), "").unwrap();
        assert_eq!(none, FileSelection::default());
    }
}
