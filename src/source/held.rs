//! The jail without a disk: files of one commit, held in memory, and links that may not leave.

use std::collections::BTreeMap;

use super::SourceError;
use super::tree::value_too_long;

/// How many links one path may lead through; the system's own limit.
const LINKS_MAX: usize = 40;

/// The links beneath a root: from the path of each to what is written in it.
pub(super) type SymbolicLinks = BTreeMap<Vec<u8>, Vec<u8>>;

/// Why a path leads nowhere in the jail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Astray {
    /// It leads out of the root.
    Outside,
    /// Its links go in a circle, or through too many others.
    Endless,
}

/// Follows a path from a directory, both relative to the root, the way a file system does: link by
/// link, so that `..` leaves the directory a link leads to and not the one it lies in.
///
/// Whether something is there is for the caller to look up.
///
/// # Errors
/// When it leaves the root, even if it comes back, or does not end.
pub(super) fn follow(
    links: &SymbolicLinks,
    directory: &[u8],
    path: &[u8],
) -> Result<Vec<u8>, Astray> {
    let mut place: Vec<Vec<u8>> = Vec::new();
    let mut ahead: Vec<Vec<u8>> = names_reversed(path);
    ahead.extend(names_reversed(directory));
    if path.first() == Some(&b'/') {
        return Err(Astray::Outside);
    }
    let mut followed = 0;
    while let Some(name) = ahead.pop() {
        if name == b".." {
            place.pop().ok_or(Astray::Outside)?;
            continue;
        }
        place.push(name);
        let Some(target) = links.get(&place.join(&b'/')) else {
            continue;
        };
        followed += 1;
        if followed > LINKS_MAX {
            return Err(Astray::Endless);
        }
        if target.first() == Some(&b'/') {
            return Err(Astray::Outside);
        }
        place.pop();
        ahead.extend(names_reversed(target));
    }
    Ok(place.join(&b'/'))
}

fn names_reversed(path: &[u8]) -> Vec<Vec<u8>> {
    let names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".");
    let mut names: Vec<Vec<u8>> = names.map(<[u8]>::to_vec).collect();
    names.reverse();
    names
}

/// What is held of a file that a manifest may name.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Held {
    /// All of it.
    Content(Vec<u8>),
    /// Nothing: it is longer than a value may be.
    TooLong,
    /// Nothing: all of them together were more than the limit, which stands here in words.
    TooMany(&'static str),
}

/// Shows no content: these files are named by manifests because their content is secret (S9).
impl std::fmt::Debug for Held {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Content(_) => "Content(…)",
            Self::TooLong => "TooLong",
            Self::TooMany(_) => "TooMany",
        })
    }
}

/// Files of one commit that its manifests may name for values, and the links that lead to them.
#[derive(Debug)]
pub(super) struct HeldFiles {
    /// The root within the repository; empty for all of it.
    pub root: String,
    /// The links beneath it.
    pub links: SymbolicLinks,
    /// The files, by their path beneath the root.
    pub files: BTreeMap<Vec<u8>, Held>,
}

impl HeldFiles {
    /// Reads a file named by a manifest, relative to the manifest's directory.
    pub fn read(&self, manifest: &str, path: &str) -> Result<Vec<u8>, SourceError> {
        let Self { root, links, files } = self;
        let directory = manifest.rsplit_once('/').map_or("", |(directory, _)| directory);
        let beneath = directory.strip_prefix(root.as_str()).unwrap_or(directory);
        let shown = if directory.is_empty() || path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{directory}/{path}")
        };
        let real = match follow(links, beneath.as_bytes(), path.as_bytes()) {
            Ok(real) => real,
            Err(astray) => return Err(astray.into_error(shown, root)),
        };
        match files.get(&real) {
            Some(Held::Content(bytes)) => Ok(bytes.clone()),
            Some(Held::TooLong) => Err(value_too_long(shown)),
            Some(Held::TooMany(limit)) => Err(SourceError::TooLarge {
                path: shown,
                what: "the size of all files for values",
                limit: (*limit).to_owned(),
            }),
            None => Err(SourceError::Missing { path: shown }),
        }
    }
}

impl Astray {
    /// Says it of a path.
    pub fn into_error(self, path: String, root: &str) -> SourceError {
        match self {
            Self::Outside => {
                let root = if root.is_empty() { "." } else { root }.to_owned();
                SourceError::Escapes { path, root }
            }
            Self::Endless => SourceError::TooLarge {
                path,
                what: "the number of links it follows",
                limit: LINKS_MAX.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(links: &[(&str, &str)], directory: &str, path: &str) -> String {
        let links =
            links.iter().map(|(from, to)| (from.as_bytes().to_vec(), to.as_bytes().to_vec()));
        match follow(&links.collect(), directory.as_bytes(), path.as_bytes()) {
            Ok(path) => String::from_utf8(path).unwrap(),
            Err(astray) => format!("{astray:?}"),
        }
    }

    #[test]
    fn a_path_is_followed_as_a_file_system_does() {
        assert_eq!(check(&[], "prod", "secrets/./pem"), "prod/secrets/pem");
        assert_eq!(check(&[], "prod", "../shared/pem"), "shared/pem");
        let links = [("prod/current", "../keys/v2"), ("keys/v2", "v3")];
        assert_eq!(check(&links, "prod", "current/pem"), "keys/v3/pem");
        assert_eq!(check(&links, "prod", "current/../pem"), "keys/pem");
        assert_eq!(check(&links, "prod/current", "pem"), "keys/v3/pem");
    }

    #[test]
    fn a_path_that_leaves_the_root_is_refused_even_if_it_comes_back() {
        assert_eq!(check(&[], "", "../x"), "Outside");
        assert_eq!(check(&[], "prod", "../../root/x"), "Outside");
        assert_eq!(check(&[], "prod", "/etc/hostname"), "Outside");
        assert_eq!(check(&[("a", "/etc/hostname")], "", "a"), "Outside");
        assert_eq!(check(&[("a", "b/../../x")], "", "a"), "Outside");
    }

    #[test]
    fn links_in_a_circle_end() {
        assert_eq!(check(&[("a", "b"), ("b", "a")], "", "a"), "Endless");
        assert_eq!(check(&[("a", "a/a")], "", "a"), "Endless");
    }

    #[test]
    fn the_content_of_held_files_is_not_shown() {
        let held = Held::Content(b"hunter2".to_vec());
        assert_eq!(format!("{held:?}"), "Content(…)");
    }
}
