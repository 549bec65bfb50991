//! One writer for a project: an exclusive lock with the holder's identity in it.
//!
//! The system drops the lock when its holder dies, however it dies, so a lock is never stale. The
//! file stays where it is: removing it would let two writers lock two files of one name.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::disk::{Directory, Disk};
use super::error::StoreError;
use super::simulated::{Simulated, SimulatedLock};

/// The file that is locked.
pub(super) const LOCK: &str = "lock";

/// The longest identity that is read: a command, a process, a host and a time fit many times.
const HOLDER_BYTES_MAX: u64 = 512;

/// The right to write, held as long as this value lives.
#[derive(Debug)]
pub(super) struct StateLock {
    /// Dropping it frees the lock.
    _held: Held,
}

#[derive(Debug)]
enum Held {
    File { _file: Locked },
    Memory { _hold: SimulatedLock },
}

/// A locked file, freed when it is dropped.
///
/// Closing it alone would not do: a program that is started meanwhile (git) has a copy of every open
/// file for the moment before it becomes another one, and the lock would live on with the copy.
#[derive(Debug)]
struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // It fails for no file that is open and locked, and closing it follows.
        let _ = self.0.unlock();
    }
}

impl StateLock {
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
        Ok(Self { _held: Held::File { _file: Locked(file) } })
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

/// Returns who holds the lock, without taking it from anybody: a shared look lasts microseconds.
pub(super) fn holder(directory: &Directory) -> Result<Option<String>, StoreError> {
    let failed = |source| StoreError::Disk {
        directory: directory.place().to_owned(),
        doing: "read the lock".to_owned(),
        source,
    };
    let mut file = match File::open(directory.place().join(LOCK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(failed)?,
    };
    match file.try_lock_shared() {
        // Closing the file ends the look.
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(read_holder(&mut file))),
        Err(TryLockError::Error(source)) => Err(failed(source)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_at_the_lock_learns_who_holds_it_and_takes_it_from_nobody() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::at(place.path());
        assert_eq!(holder(&directory).unwrap(), None);
        let lock = StateLock::take(&directory, "stoker apply (pid 7 on web-1)").unwrap();
        let seen = holder(&directory).unwrap();
        assert_eq!(seen.as_deref(), Some("stoker apply (pid 7 on web-1)"));
        drop(lock);
        assert_eq!(holder(&directory).unwrap(), None);
        StateLock::take(&directory, "two").unwrap();
    }

    #[test]
    fn a_copy_of_the_open_file_in_a_child_does_not_keep_the_lock() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::at(place.path());
        let lock = StateLock::take(&directory, "one").unwrap();
        let Held::File { _file: Locked(file) } = &lock._held else { panic!("it is on a disk") };
        let _copy = file.try_clone().unwrap();
        assert!(matches!(StateLock::take(&directory, "two"), Err(StoreError::Locked { .. })));
        drop(lock);
        StateLock::take(&directory, "two").unwrap();
    }
}
