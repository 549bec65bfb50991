//! Where state is kept: a directory of the machine, a log that many machines reach, or a disk in
//! memory that a simulation breaks.

use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Directory, Disk};
use super::load::{self, StateMark, StoredState};
use super::lock::StateLock;
use super::shared_state::SharedState;
use super::simulated::Simulated;
use super::verify::{self, Verified};
use super::{Store, StoreError};

/// The file that says where a state was moved to.
pub(super) const MOVED: &str = "moved-to";

/// Where the state of one project is kept.
#[derive(Clone, Debug)]
pub enum Medium {
    /// A directory of the machine.
    Directory(PathBuf),
    /// A log that many machines reach.
    Shared(SharedState),
    /// A disk in memory.
    Memory(Simulated),
}

impl From<PathBuf> for Medium {
    fn from(path: PathBuf) -> Self {
        Self::Directory(path)
    }
}

impl From<&Path> for Medium {
    fn from(path: &Path) -> Self {
        Self::Directory(path.to_owned())
    }
}

impl Medium {
    /// Takes the lock and reads the state, to write it; see [`Store::open`].
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open(&self, holder: &str) -> Result<Store, StoreError> {
        match self {
            Self::Directory(path) => Store::open(path, holder),
            Self::Shared(shared) => shared.open(holder),
            Self::Memory(disk) => {
                let lock = StateLock::take_in_memory(disk, holder)?;
                Store::on(Box::new(disk.clone()), Some(lock))
            }
        }
    }

    /// Reads the state without the lock; see [`Store::read`].
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read(&self) -> Result<StoredState, StoreError> {
        match self {
            Self::Directory(path) => Store::read(path),
            Self::Shared(shared) => shared.read(),
            Self::Memory(disk) => load::read(disk),
        }
    }

    /// Reads every record without the lock; see [`Store::verify`].
    ///
    /// # Errors
    /// As [`Store::verify`].
    pub fn verify(&self) -> Result<Verified, StoreError> {
        match self {
            Self::Directory(path) => Store::verify(path),
            Self::Shared(shared) => shared.verify(),
            Self::Memory(disk) => verify::verify(disk),
        }
    }

    /// Returns who may write at the moment, in the holder's own words.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn holder(&self) -> Result<Option<String>, StoreError> {
        match self {
            Self::Directory(path) => Store::holder(path),
            Self::Shared(shared) => shared.holder(),
            Self::Memory(disk) => Ok(disk.holder()),
        }
    }

    /// Returns what tells whether the state would read the same; none where nothing does.
    pub(super) fn mark(&self) -> Result<Option<StateMark>, StoreError> {
        match self {
            Self::Directory(path) => load::mark(&Directory::at(path)),
            // Whether it would is known only to who has read it.
            Self::Shared(_) => Ok(None),
            Self::Memory(disk) => load::mark(disk),
        }
    }

    /// Reads another small file beside the state; nothing when it is not there.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn read_file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Directory(path) => Directory::at(path).read(name),
            Self::Shared(shared) => shared.read_file(name),
            Self::Memory(disk) => disk.read(name),
        }
    }

    /// Replaces another small file beside the state, whole or not at all.
    ///
    /// # Errors
    /// When the disk refuses; then the old file stands.
    pub fn replace_file(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Directory(path) => {
                let mut directory = Directory::at(path);
                directory.create()?;
                replace(&mut directory, name, bytes)
            }
            Self::Shared(shared) => shared.replace_file(name, bytes),
            Self::Memory(disk) => replace(&mut disk.clone(), name, bytes),
        }
    }

    /// Returns where it is, for people.
    #[must_use]
    pub fn place(&self) -> &Path {
        match self {
            Self::Directory(path) => path,
            Self::Shared(shared) => shared.place(),
            Self::Memory(disk) => disk.place(),
        }
    }
}

fn replace(disk: &mut dyn Disk, name: &str, bytes: &[u8]) -> io::Result<()> {
    let draft = format!("{name}.new");
    disk.write(&draft, bytes)?;
    disk.rename(&draft, name)?;
    disk.sync_names()
}
