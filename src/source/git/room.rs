//! How much room the copy may take: no more than its limit, and never the last of the disk.
//!
//! The state lies on the same disk as a rule, and what it has to remember is worth more than a copy
//! that can be fetched again. So git is ended before the disk is full.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::GitError;
use super::settings::GitSettings;

/// How often the room is looked at while git writes: a fast line brings some ten megabytes meanwhile,
/// a part of what is kept free.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// What git and its helpers call a file that they have not finished.
const UNFINISHED: [&str; 5] = ["tmp_", ".tmp-", "incoming-", "tmp-objdir-", "gc.pid"];

/// The room of one copy.
#[derive(Clone, Debug)]
pub(super) struct Room {
    repository: PathBuf,
    bytes_max: u64,
    free_min: u64,
}

impl Room {
    pub fn of(settings: &GitSettings, repository: &Path) -> Self {
        let GitSettings { copy_bytes_max, free_bytes_min, .. } = settings;
        let repository = repository.to_owned();
        Self { repository, bytes_max: *copy_bytes_max, free_min: *free_bytes_min }
    }

    /// Checks that there is room.
    ///
    /// # Errors
    /// When the copy is too large, or little is left on its disk.
    pub fn check(&self) -> Result<(), GitError> {
        self.check_size()?;
        let Self { repository, bytes_max: _, free_min } = self;
        match free_near(repository) {
            Some(free) if free < *free_min => {
                Err(GitError::NoRoom { path: repository.clone(), free_min: *free_min })
            }
            // Where nobody tells, the disk tells.
            Some(_) | None => Ok(()),
        }
    }

    /// Checks that the copy is within its limit, however much is left on its disk.
    ///
    /// # Errors
    /// When it is too large.
    pub fn check_size(&self) -> Result<(), GitError> {
        let Self { repository, bytes_max, free_min: _ } = self;
        if bytes_of(repository) > *bytes_max {
            return Err(GitError::TooLarge { limit: *bytes_max });
        }
        Ok(())
    }

    /// Whether half of its room is taken by what was fetched before.
    pub fn is_half_taken(&self) -> bool {
        bytes_of(&self.repository) > self.bytes_max / 2
    }

    /// Returns when there is no room any more.
    pub async fn exhausted(&self) -> GitError {
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            if let Err(error) = self.check() {
                return error;
            }
        }
    }

    /// Removes what git had begun to write when it was ended, and the locks it held. Only who holds
    /// the copy's own lock may: then nobody else is at work on it.
    pub fn sweep(&self) {
        sweep(&self.repository, 0);
    }
}

/// How deep git nests its own files: `objects/incoming-…/pack/`, `refs/stoker/`.
const DEPTH_MAX: usize = 4;

fn sweep(directory: &Path, depth: usize) {
    // What cannot be read or removed now is met by git, which says so.
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let is_directory = entry.file_type().is_ok_and(|it| it.is_dir());
        let is_unfinished =
            UNFINISHED.iter().any(|begin| name.starts_with(begin)) || name.ends_with(".lock");
        match (is_unfinished, is_directory) {
            (true, true) => drop(fs::remove_dir_all(path)),
            (true, false) => drop(fs::remove_file(path)),
            (false, true) if depth < DEPTH_MAX => sweep(&path, depth + 1),
            (false, _) => {}
        }
    }
}

/// Returns the bytes of all files beneath a directory.
fn bytes_of(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        // It has gone meanwhile.
        Err(_) => 0,
    });
    sizes.sum()
}

/// Returns what is free on the disk of a path, which need not exist yet.
fn free_near(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|path| path.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
