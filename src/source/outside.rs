//! Files outside the manifests' tree, beneath directories that somebody else than a manifest allows.

use std::path::{Path, PathBuf};

use super::SourceError;
use super::jail::{Root, read_regular, shown};
use super::tree::{VALUE_BYTES_MAX, value_too_long};

/// Reads a file beneath one of the directories, for its value.
///
/// *Guarantees*: the path and whatever its links lead to lie beneath the allowed directory that it
/// is named by; a directory that is itself a link was named by who allowed it.
///
/// # Errors
/// When no directory allows it, when links lead out of that directory, when it is no regular file,
/// is longer than 65,535 bytes, or cannot be read.
pub fn read_outside(path: &Path, allowed: &[PathBuf]) -> Result<Vec<u8>, SourceError> {
    // By whole names: `/run/secrets-of-others` is not beneath `/run/secrets`.
    let directory = allowed.iter().find(|directory| path.starts_with(directory));
    let Some(directory) = directory else {
        return Err(SourceError::NotAllowed { path: shown(path) });
    };
    let real = Root::open(directory)?.resolve(path)?;
    // The links were resolved into the directory, so the resolved path is what is opened.
    read_regular(&real, VALUE_BYTES_MAX)?.ok_or_else(|| value_too_long(shown(path)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Reads a path beneath a directory that is allowed, and says what came of it, without the
    /// directory's name.
    fn check(prepare: impl FnOnce(&Path), path: &str) -> String {
        let place = tempfile::tempdir().unwrap();
        let allowed = place.path().join("secrets");
        fs::create_dir_all(allowed.join("sub")).unwrap();
        fs::create_dir(place.path().join("secrets-of-others")).unwrap();
        fs::write(place.path().join("secrets-of-others/key"), "others").unwrap();
        fs::write(allowed.join("sub/key"), "value").unwrap();
        prepare(place.path());
        let said = match read_outside(&place.path().join(path), &[allowed]) {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            Err(error) => error.to_string(),
        };
        said.replace(&place.path().display().to_string(), "")
    }

    #[test]
    fn a_file_beneath_an_allowed_directory_is_read_through_links_within() {
        assert_eq!(check(|_| {}, "secrets/sub/key"), "value");
        // As Kubernetes mounts secrets.
        let mount = |place: &Path| {
            symlink("sub", place.join("secrets/..data")).unwrap();
            symlink("..data/key", place.join("secrets/key")).unwrap();
        };
        assert_eq!(check(mount, "secrets/key"), "value");
    }

    #[test]
    fn a_directory_that_only_begins_alike_is_not_allowed() {
        let said = check(|_| {}, "secrets-of-others/key");
        assert_eq!(said, "read `/secrets-of-others/key`: no setting allows files of its directory");
    }

    #[test]
    fn a_link_that_leads_out_of_the_directory_is_refused() {
        let out = |place: &Path| {
            symlink(place.join("secrets-of-others/key"), place.join("secrets/out")).unwrap();
            symlink("../secrets-of-others", place.join("secrets/dir")).unwrap();
        };
        assert_eq!(check(out, "secrets/out"), "read `/secrets/out`: it leads outside `/secrets`");
        assert_eq!(
            check(out, "secrets/dir/key"),
            "read `/secrets/dir/key`: it leads outside `/secrets`"
        );
        // A manifest has none; who calls this otherwise may.
        let said = check(|_| {}, "secrets/../secrets-of-others/key");
        assert!(said.ends_with("it leads outside `/secrets`"), "{said}");
    }

    #[test]
    fn what_is_too_long_or_no_file_is_refused() {
        let long =
            |place: &Path| fs::write(place.join("secrets/long"), vec![b'x'; 65_536]).unwrap();
        assert!(check(long, "secrets/long").contains("more than the limit of 65535 bytes"));
        assert!(check(|_| {}, "secrets/sub").contains("it is not a regular file"));
        assert!(check(|_| {}, "secrets/none").contains("there is no such file"));
    }
}
