//! The few things we ask of a directory, so that tests can fail or die at each of them.
//!
//! Names are file names in the state directory, never paths. Content is synced before a call
//! returns; a new, renamed or removed *name* is certain only after [`Disk::sync_names`].

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::owner;

/// The largest file that is read. Ten thousand resources take about ten megabytes.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A directory of small files.
pub(super) trait Disk: Send {
    /// Where it is, for messages.
    fn place(&self) -> &Path;
    /// Returns all names; none when the directory is not there.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Returns a file's content; `None` when there is no such file.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
    /// Writes a whole file and syncs it. On failure its content is anything.
    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Appends to a file, made if missing, and syncs it. On failure its end is anything.
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Gives a file another name, in one step.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file; one that is not there is removed already.
    fn remove(&mut self, name: &str) -> io::Result<()>;
    /// Makes names certain.
    fn sync_names(&mut self) -> io::Result<()>;
}

/// A directory of the machine.
#[derive(Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    /// Names a directory that may not exist.
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Makes the directory, for its owner only (0700), unless it is there.
    pub(super) fn create(&self) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.0)
    }

    /// Opens a file for its owner only (0600), who is the directory's.
    pub(super) fn open(&self, name: &str, options: &mut OpenOptions) -> io::Result<File> {
        std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
        let file = options.open(self.0.join(name))?;
        owner::inherit(&file, &self.0)?;
        Ok(file)
    }
}

impl Disk for Directory {
    fn place(&self) -> &Path {
        &self.0
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        // A name that is no text is none of ours.
        entries
            .filter_map(|entry| match entry {
                Ok(entry) => entry.file_name().into_string().ok().map(Ok),
                Err(error) => Some(Err(error)),
            })
            .collect()
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.0.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("{name} is larger than {FILE_BYTES_MAX} bytes"),
            ));
        }
        Ok(Some(bytes))
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = self.open(name, options.write(true).create(true).truncate(true))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    // Written and synced through one handle: an error of the sync is reported to this one only.
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = self.open(name, options.append(true).create(true))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.0.join(from), self.0.join(to))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        match std::fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    fn sync_names(&mut self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}
