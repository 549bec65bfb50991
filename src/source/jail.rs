//! The jail: a root that links may not leave, and reading that neither hangs nor grows without end.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::SourceError;

/// A directory and the way the user typed it.
#[derive(Clone, Debug)]
pub(super) struct Root {
    /// As typed.
    pub shown: String,
    /// Without links.
    pub real: PathBuf,
}

impl Root {
    /// Opens a directory as a root. The root itself may be a link: the user named it.
    pub fn open(directory: &Path) -> Result<Self, SourceError> {
        let shown = shown(directory);
        let real = fs::canonicalize(if directory.as_os_str().is_empty() {
            Path::new(".")
        } else {
            directory
        })
        .map_err(|error| SourceError::from_io(&shown, error))?;
        Ok(Self { shown, real })
    }

    /// Follows every link of a path and makes sure that it ends beneath the root.
    pub fn resolve(&self, path: &Path) -> Result<PathBuf, SourceError> {
        let shown = shown(path);
        let real = fs::canonicalize(path).map_err(|error| SourceError::from_io(&shown, error))?;
        if real.starts_with(&self.real) {
            Ok(real)
        } else {
            Err(SourceError::Escapes { path: shown, root: self.shown.clone() })
        }
    }
}

/// Reads a regular file of at most `limit` bytes; `None` when it is longer.
///
/// It is looked at before it is opened, because opening a FIFO waits for its other end.
pub(super) fn read_regular(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
    let name = shown(path);
    let unreadable = |error| SourceError::from_io(&name, error);
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(SourceError::NotRegular { path: name });
    }
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(SourceError::NotRegular { path: name });
    }
    read_at_most(file, limit, metadata.len()).map_err(unreadable)
}

/// Reads at most `limit` bytes; `None` when there is more.
pub(super) fn read_at_most(
    reader: impl Read,
    limit: u64,
    expected: u64,
) -> std::io::Result<Option<Vec<u8>>> {
    let capacity = usize::try_from(expected.min(limit)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(capacity);
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// Returns a path as text. A name that is no Unicode is still shown, with marks in it.
pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
