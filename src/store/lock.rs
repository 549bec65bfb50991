//! One writer for a project: an exclusive lock with the holder's identity in it.
//!
//! The system drops the lock when its holder dies, however it dies, so a lock is never stale. The
//! file stays where it is: removing it would let two writers lock two files of one name.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::disk::{Directory, Disk};
use super::error::StoreError;
use super::simulated::{Hold, Simulated};

/// The file that is locked.
pub(super) const LOCK: &str = "lock";

/// The longest identity that is read: a command, a process, a host and a time fit many times.
const HOLDER_BYTES_MAX: u64 = 512;

/// The right to write, held as long as this value lives.
#[derive(Debug)]
pub(super) struct Lock {
    /// Dropping it frees the lock.
    _held: Held,
}

#[derive(Debug)]
enum Held {
    File {
        /// Closing it frees the lock.
        _file: File,
    },
    Memory {
        _hold: Hold,
    },
}

impl Lock {
    /// Takes the lock, without waiting, and writes down who holds it.
    pub(super) fn take(directory: &Directory, holder: &str) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Disk {
            directory: directory.place().to_owned(),
            doing: "lock the state".to_owned(),
            source,
        };
        directory.create().map_err(failed)?;
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = directory.open(LOCK, options).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked {
                    directory: directory.place().to_owned(),
                    holder: read_holder(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        write_holder(&mut file, holder).map_err(failed)?;
        Ok(Self { _held: Held::File { _file: file } })
    }

    /// Takes the lock of a disk in memory.
    pub(super) fn take_in_memory(disk: &Simulated, holder: &str) -> Result<Self, StoreError> {
        match disk.hold(holder) {
            Ok(hold) => Ok(Self { _held: Held::Memory { _hold: hold } }),
            Err(holder) => {
                let directory = disk.place().to_owned();
                Err(StoreError::Locked { directory, holder })
            }
        }
    }
}

fn write_holder(file: &mut File, holder: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(holder.as_bytes())
}

/// Returns who holds it: the one who was refused must learn that much even from a bad file.
fn read_holder(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let outcome = file.take(HOLDER_BYTES_MAX).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    match outcome {
        // Between taking the lock and writing its name down a holder is nameless.
        Ok(0) | Err(_) => "another stoker".to_owned(),
        Ok(_) => text.trim().to_owned(),
    }
}
