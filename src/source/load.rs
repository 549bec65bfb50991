//! Reading: roots in the order given, the files beneath each in sorted order, each file once.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::SourceError;
use super::jail::{Root, read_at_most, read_regular, shown};
use super::submodule::Submodules;
use super::tree::{SourceFile, Surroundings, Tree};

/// The most YAML in all. The largest real stacks are under one megabyte.
pub const BYTES_MAX: u64 = 10_000_000;

/// The most directory entries looked at, so that a wrong path (`/`) ends soon and with a message.
pub(super) const ENTRIES_MAX: usize = 200_000;

/// The deepest directory.
pub(super) const DIRECTORY_DEPTH_MAX: usize = 64;

/// How often a directory that was swapped while it was read is read again.
const ATTEMPTS_MAX: usize = 3;

/// Names of the agent's own settings, which lie beside manifests and are none.
const SETTINGS_NAMES: [&str; 2] = ["stoker.yaml", "stoker.yml"];

/// Reads manifests from files, directories and, for `-`, standard input.
///
/// Beneath a directory only `*.yaml` and `*.yml` are read; hidden entries are left out, and with
/// them `.git` and the far end of Kubernetes' `..data`. A file that can be reached in two ways is
/// read once.
///
/// # Errors
/// When anything cannot be read: an unreadable file is never an empty set (S6). A directory without
/// manifests is no error here; `Tree::is_empty` says so.
pub fn load(paths: &[PathBuf], stdin: Option<&mut dyn Read>) -> Result<Tree, SourceError> {
    Ok(TreeReader::read(paths, stdin)?.into_tree())
}

/// Reads manifests and lays overlays over them, in the order given: files and directories that
/// are read as those of the manifests are.
///
/// # Errors
/// As [`load`]; and when a file is in two layers: laid over itself it would change nothing, and read
/// as a manifest of its own it would be half of one.
pub fn load_layered(
    paths: &[PathBuf],
    overlays: &[PathBuf],
    stdin: Option<&mut dyn Read>,
) -> Result<Tree, SourceError> {
    let base = TreeReader::read(paths, stdin)?;
    let mut seen = base.seen.clone();
    let mut layers = Vec::new();
    for path in overlays {
        let layer = TreeReader::read(std::slice::from_ref(path), None)?;
        if let Some(twice) = layer.seen.intersection(&seen).next() {
            let (path, overlay) = (shown(twice), shown(path));
            return Err(SourceError::InTwoLayers { path, overlay });
        }
        seen.extend(layer.seen.iter().cloned());
        layers.push((shown(path), layer.into_tree()));
    }
    base.into_tree().with_overlays(layers)
}

#[derive(Default)]
struct TreeReader {
    files: Vec<SourceFile>,
    /// Places that hold what nobody here can read.
    unread: Vec<String>,
    submodules: Submodules,
    seen: BTreeSet<PathBuf>,
    bytes: u64,
    entries: usize,
}

impl TreeReader {
    fn read(paths: &[PathBuf], mut stdin: Option<&mut dyn Read>) -> Result<Self, SourceError> {
        let mut reader = Self::default();
        for path in paths {
            if path.as_os_str() == "-" {
                if let Some(input) = stdin.take() {
                    reader.read_stdin(input)?;
                }
            } else {
                reader.read_root(path)?;
            }
        }
        Ok(reader)
    }

    fn into_tree(self) -> Tree {
        Tree::new(self.files).without(self.unread)
    }

    fn read_stdin(&mut self, input: &mut dyn Read) -> Result<(), SourceError> {
        let path = "<stdin>".to_owned();
        let bytes = read_at_most(input, BYTES_MAX - self.bytes, 0)
            .map_err(|error| SourceError::from_io(&path, error))?
            .ok_or_else(|| too_many_bytes(&path))?;
        self.bytes += bytes.len() as u64;
        let surroundings = Surroundings::Nothing;
        self.files.push(SourceFile { name: path.clone(), path, bytes, layer: 0, surroundings });
        Ok(())
    }

    fn read_root(&mut self, path: &Path) -> Result<(), SourceError> {
        let metadata =
            fs::metadata(path).map_err(|error| SourceError::from_io(&shown(path), error))?;
        if metadata.is_dir() {
            return self.read_directory_whole(path);
        }
        let directory = path.parent().unwrap_or(Path::new(""));
        let root = Root::open(directory)?;
        let real =
            fs::canonicalize(path).map_err(|error| SourceError::from_io(&shown(path), error))?;
        self.read_file(&root, path, real)
    }

    /// Reads a directory, again when Kubernetes swapped it meanwhile: half of the old and half of
    /// the new would be a state that nobody wrote.
    fn read_directory_whole(&mut self, path: &Path) -> Result<(), SourceError> {
        let root = Root::open(path)?;
        for _ in 0..ATTEMPTS_MAX {
            let before = fs::read_link(root.real.join("..data")).ok();
            let (count, seen, bytes) = (self.files.len(), self.seen.clone(), self.bytes);
            let unread = self.unread.len();
            let outcome = self.read_directory(&root, path, &root.real, 0);
            if before == fs::read_link(root.real.join("..data")).ok() {
                return outcome;
            }
            self.files.truncate(count);
            self.unread.truncate(unread);
            self.seen = seen;
            self.bytes = bytes;
        }
        Err(SourceError::Moving { path: shown(path) })
    }

    fn read_directory(
        &mut self,
        root: &Root,
        directory: &Path,
        real_directory: &Path,
        depth: usize,
    ) -> Result<(), SourceError> {
        let name = shown(directory);
        if depth > DIRECTORY_DEPTH_MAX {
            return Err(too_large(&name, "its depth", DIRECTORY_DEPTH_MAX));
        }
        let entries = self.sorted_entries(directory)?;
        if entries.is_empty() && self.submodules.has_unfetched(real_directory) {
            self.unread.push(name.clone());
        }
        for entry in entries {
            if is_hidden(&entry) {
                continue;
            }
            let path = directory.join(&entry);
            let kind = fs::symlink_metadata(&path)
                .map_err(|error| SourceError::from_io(&shown(&path), error))?
                .file_type();
            let is_manifest = is_manifest(&entry);
            // Links to what is no manifest are nobody's business; only directories are followed.
            // What one that leads nowhere led to may have been a directory.
            let target = kind.is_symlink().then(|| fs::metadata(&path));
            if matches!(target, Some(Err(_))) && !is_manifest {
                self.unread.push(shown(&path));
            }
            let leads_to_directory = target.is_some_and(|it| it.is_ok_and(|m| m.is_dir()));
            if kind.is_dir() || leads_to_directory {
                let real = root.resolve(&path)?;
                if self.seen.insert(real.clone()) {
                    self.read_directory(root, &path, &real, depth + 1)?;
                }
            } else if is_manifest {
                // Only a link leads elsewhere: following each path of a thousand costs more than
                // reading them.
                let real = match kind.is_symlink() {
                    true => root.resolve(&path)?,
                    false => real_directory.join(&entry),
                };
                self.read_file(root, &path, real)?;
            }
        }
        Ok(())
    }

    fn sorted_entries(&mut self, directory: &Path) -> Result<Vec<std::ffi::OsString>, SourceError> {
        let name = shown(directory);
        let unreadable = |error| SourceError::from_io(&name, error);
        let mut entries = Vec::new();
        for entry in fs::read_dir(directory).map_err(unreadable)? {
            entries.push(entry.map_err(unreadable)?.file_name());
            self.entries += 1;
            if self.entries > ENTRIES_MAX {
                return Err(too_large(&name, "the number of directory entries", ENTRIES_MAX));
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn read_file(&mut self, root: &Root, path: &Path, real: PathBuf) -> Result<(), SourceError> {
        if !self.seen.insert(real) {
            return Ok(());
        }
        let name = shown(path);
        let bytes =
            read_regular(path, BYTES_MAX - self.bytes)?.ok_or_else(|| too_many_bytes(&name))?;
        self.bytes += bytes.len() as u64;
        let relative = path.strip_prefix(&root.shown).map_or_else(|_| name.clone(), shown);
        let surroundings = Surroundings::Directory(root.clone());
        self.files.push(SourceFile { path: name, bytes, name: relative, layer: 0, surroundings });
        Ok(())
    }
}

pub(super) fn too_many_bytes(path: &str) -> SourceError {
    SourceError::TooLarge {
        path: path.to_owned(),
        what: "the size of all manifests",
        limit: "10 MB".to_owned(),
    }
}

pub(super) fn too_large(path: &str, what: &'static str, limit: usize) -> SourceError {
    SourceError::TooLarge { path: path.to_owned(), what, limit: limit.to_string() }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}

pub(super) fn is_manifest(name: &OsStr) -> bool {
    let Some(text) = name.to_str() else {
        return false;
    };
    let is_yaml = Path::new(text)
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    is_yaml && !SETTINGS_NAMES.contains(&text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Builds a directory from lines such as `a.yaml`, `dir/b.yaml`, `c.yaml -> ../x`, reads it,
    /// and returns the files or the error, with the directory's own name written as `ROOT`.
    fn check(entries: &[&str]) -> String {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir(&root).unwrap();
        for entry in entries {
            if let Some((link, target)) = entry.split_once(" -> ") {
                symlink(target, root.join(link)).unwrap();
                continue;
            }
            let path = root.join(entry);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("# {entry}\n")).unwrap();
        }
        let outcome = match load(std::slice::from_ref(&root), None) {
            Ok(tree) => {
                let paths: Vec<&str> = tree.files().iter().map(|file| file.path.as_str()).collect();
                paths.join(" ")
            }
            Err(error) => error.to_string(),
        };
        outcome.replace(root.to_str().unwrap(), "ROOT")
    }

    #[test]
    fn files_are_found_in_sorted_order_and_only_manifests() {
        assert_eq!(
            check(&[
                "b.yaml",
                "a.yml",
                "sub/c.yaml",
                "notes.txt",
                ".hidden.yaml",
                ".git/x.yaml",
                "stoker.yaml"
            ]),
            "ROOT/a.yml ROOT/b.yaml ROOT/sub/c.yaml"
        );
    }

    #[test]
    fn a_file_behind_the_data_swap_of_kubernetes_appears_once() {
        assert_eq!(
            check(&["..2026_01/a.yaml", "..data -> ..2026_01", "a.yaml -> ..data/a.yaml"]),
            "ROOT/a.yaml"
        );
    }

    #[test]
    fn a_link_may_not_leave_the_root_and_loops_end() {
        assert!(check(&["a.yaml -> /etc/hostname"]).contains("it leads outside"));
        assert!(check(&["up -> ../.."]).contains("it leads outside"));
        assert_eq!(
            check(&["a.yaml", "sub/b.yaml", "sub/loop -> ."]),
            "ROOT/a.yaml ROOT/sub/b.yaml"
        );
        assert!(check(&["a.yaml -> nowhere"]).contains("there is no such file"));
    }

    #[test]
    fn a_pipe_is_refused_without_waiting_for_its_other_end() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("a.yaml");
        let _listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
        let error = load(&[directory.path().to_owned()], None).unwrap_err();
        assert!(matches!(error, SourceError::NotRegular { .. }), "{error}");
        let error = load(&[PathBuf::from("/dev/null")], None).unwrap_err();
        assert!(matches!(error, SourceError::NotRegular { .. }), "{error}");
    }

    #[test]
    fn an_empty_directory_is_known_as_empty_and_a_missing_one_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(load(&[directory.path().to_owned()], None).unwrap().is_empty());
        let error = load(&[directory.path().join("gone")], None).unwrap_err();
        assert!(matches!(error, SourceError::Missing { .. }), "{error}");
    }

    /// What an unmounted volume or a checkout without its submodules does not show is not absent.
    #[test]
    fn a_submodule_that_was_not_fetched_and_a_link_that_leads_nowhere_are_said() {
        let top = tempfile::tempdir().unwrap();
        let root = top.path().join("deploy");
        fs::create_dir_all(root.join("vendor")).unwrap();
        fs::create_dir_all(root.join("empty")).unwrap();
        fs::create_dir(top.path().join(".git")).unwrap();
        let list = "[submodule \"x\"]\n\tpath = deploy/vendor\n\turl = u\n";
        fs::write(top.path().join(".gitmodules"), list).unwrap();
        fs::write(root.join("a.yaml"), "").unwrap();
        symlink("/nonexistent/prod", root.join("prod")).unwrap();
        symlink("a.yaml", root.join("notes.txt")).unwrap();
        let unread = |path: &Path| {
            let tree = load(&[path.to_owned()], None).unwrap();
            let unread = tree.unread().iter();
            unread.map(|it| it.replace(&*top.path().to_string_lossy(), "")).collect::<Vec<_>>()
        };
        assert_eq!(unread(&root), ["/deploy/prod", "/deploy/vendor"]);
        assert_eq!(unread(&root.join("vendor")), ["/deploy/vendor"]);
        assert_eq!(unread(&root.join("empty")), [""; 0]);
        fs::write(root.join("vendor/b.yaml"), "").unwrap();
        assert_eq!(unread(&root), ["/deploy/prod"]);
    }

    #[test]
    fn more_than_the_limit_is_refused() {
        let mut input = std::io::repeat(b'#');
        let error = load(&[PathBuf::from("-")], Some(&mut input)).unwrap_err();
        assert!(error.to_string().contains("limit of 10 MB"), "{error}");
    }

    #[test]
    fn the_same_text_has_the_same_digest_wherever_it_lies() {
        let digest = |text: &str| {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join("a.yaml"), text).unwrap();
            let tree = load(&[directory.path().to_owned()], None).unwrap();
            tree.digest().to_owned()
        };
        assert_eq!(digest("a: 1\n"), digest("a: 1\n"));
        assert_ne!(digest("a: 1\n"), digest("a: 2\n"));
    }

    #[test]
    fn a_file_for_a_value_lies_beneath_the_root_and_beside_its_manifest() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir_all(root.join("prod/secrets")).unwrap();
        fs::write(root.join("prod/a.yaml"), "").unwrap();
        fs::write(root.join("prod/secrets/pem"), "PEM").unwrap();
        fs::write(root.join("big"), vec![b'x'; 70_000]).unwrap();
        fs::write(directory.path().join("outside"), "no").unwrap();
        symlink("../../outside", root.join("prod/link")).unwrap();
        let tree = load(std::slice::from_ref(&root), None).unwrap();
        let manifest = &tree.files()[0].path;
        let read = |path: &str| tree.read_beneath(manifest, path);
        assert_eq!(read("secrets/pem").unwrap(), b"PEM");
        assert!(matches!(read("../big"), Err(SourceError::TooLarge { .. })));
        for path in ["../../outside", "link", "/etc/hostname"] {
            assert!(matches!(read(path), Err(SourceError::Escapes { .. })), "{path}");
        }
        assert!(matches!(read("gone"), Err(SourceError::Missing { .. })));
        let stdin = Tree::from_texts([("<stdin>", "")]);
        assert!(matches!(stdin.read_beneath("<stdin>", "x"), Err(SourceError::Rootless { .. })));
    }
}
