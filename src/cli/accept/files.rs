//! Writing several files: all of them or none, each whole, and only as they were read.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file to be written.
#[derive(Clone, Debug)]
pub struct PendingFile {
    /// The file, as the user would type it.
    pub path: String,
    /// Where it truly is: no link.
    pub place: PathBuf,
    /// Its text as it was read.
    pub before: String,
    /// The text it gets.
    pub after: String,
}

/// Writes all files, or none.
///
/// # Errors
/// When one of them changed since it was read, or cannot be written: a sentence. Then all of them
/// are as they were, or the sentence names those that are not.
pub fn write(files: &[PendingFile]) -> Result<(), String> {
    let mut drafts = Vec::new();
    for file in files {
        let failed = |error: io::Error| {
            format!("failed to write {}: {error}; nothing was written", file.path)
        };
        if fs::read(&file.place).map_err(failed)? != file.before.as_bytes() {
            return Err(format!(
                "{} changed after it was read; nothing was written, so run the command again",
                file.path
            ));
        }
        drafts.push(draft(&file.place, &file.after).map_err(failed)?);
    }
    for (number, (file, draft)) in files.iter().zip(drafts).enumerate() {
        if let Err(error) = draft.persist(&file.place) {
            let left = restore(&files[..number]);
            let rest = match left.as_slice() {
                [] => "nothing was written".to_owned(),
                left => format!("{} could not be restored", left.join(", ")),
            };
            return Err(format!("failed to write {}: {}; {rest}", file.path, error.error));
        }
    }
    Ok(())
}

/// Writes back what was there, and returns the files in which that failed.
fn restore(files: &[PendingFile]) -> Vec<&str> {
    let back = |file: &PendingFile| {
        draft(&file.place, &file.before)?.persist(&file.place).map_err(|error| error.error)
    };
    files.iter().filter(|file| back(file).is_err()).map(|file| file.path.as_str()).collect()
}

/// Writes the text of a file beside it, with its mode and its owner.
fn draft(place: &Path, text: &str) -> io::Result<NamedTempFile> {
    let metadata = fs::metadata(place)?;
    let mut draft = NamedTempFile::new_in(place.parent().unwrap_or(Path::new(".")))?;
    draft.write_all(text.as_bytes())?;
    draft.as_file().set_permissions(metadata.permissions())?;
    // Only root may give a file away, and to anybody else it stays their own.
    let _ = fchown(draft.as_file(), Some(metadata.uid()), Some(metadata.gid()));
    draft.as_file().sync_all()?;
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn pending(directory: &Path, name: &str) -> PendingFile {
        let place = directory.join(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, "old").unwrap();
        let (before, after) = ("old".to_owned(), "new".to_owned());
        PendingFile { path: name.to_owned(), place, before, after }
    }

    #[test]
    fn files_get_their_text_and_keep_their_mode() {
        let directory = tempfile::tempdir().unwrap();
        let files = [pending(directory.path(), "a"), pending(directory.path(), "b/c")];
        fs::set_permissions(&files[0].place, fs::Permissions::from_mode(0o640)).unwrap();
        write(&files).unwrap();
        for file in &files {
            assert_eq!(fs::read_to_string(&file.place).unwrap(), "new");
        }
        assert_eq!(fs::metadata(&files[0].place).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn when_one_file_cannot_be_written_none_is() {
        let directory = tempfile::tempdir().unwrap();
        let first = pending(directory.path(), "a");
        let changed = PendingFile { before: "older".to_owned(), ..pending(directory.path(), "b") };
        let gone = pending(directory.path(), "c/d");
        fs::remove_dir_all(directory.path().join("c")).unwrap();
        for other in [changed, gone] {
            let error = write(&[first.clone(), other]).unwrap_err();
            assert!(error.contains("nothing was written"), "{error}");
            assert_eq!(fs::read_to_string(&first.place).unwrap(), "old");
        }
    }
}
