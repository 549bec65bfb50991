//! A copy of the state that is known to be one.

use std::fs::File;
use std::io;
use std::path::Path;

use super::disk::{Directory, Disk};
use super::error::StoreError;
use super::load::{self, failed, journal_name, snapshot_name};
use super::verify::Verified;
use super::writer::Store;

impl Store {
    /// Copies all that is remembered into a directory that is not there yet, or is empty; and the
    /// files of other rooms `beside` it, those that are there. The lock is held meanwhile, so the
    /// copy is of one moment.
    ///
    /// *Guarantees*: the directory gets its name when the copy is on disk, was read again, and says
    /// the same; whatever happens before leaves none of that name.
    ///
    /// # Errors
    /// When something is there already, when the copy is not what was copied, when a disk refuses.
    pub fn back_up(&self, target: &Path, beside: &[&str]) -> Result<Verified, StoreError> {
        let refused = |doing: &str, source| StoreError::Disk {
            directory: target.to_owned(),
            doing: doing.to_owned(),
            source,
        };
        let is_taken = match std::fs::read_dir(target) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        };
        if is_taken {
            return Err(refused("make the copy", io::ErrorKind::DirectoryNotEmpty.into()));
        }
        let parent = target.parent().filter(|it| !it.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let draft = tempfile::Builder::new().prefix(".stoker-backup-").tempdir_in(parent);
        let draft = draft.map_err(|source| refused("make the copy", source))?;
        let mut copy = Directory::at(draft.path());
        self.copy_to(&mut copy, beside)?;
        let verified = self.compare(&copy, target)?;
        std::fs::rename(draft.path(), target).map_err(|source| refused("name the copy", source))?;
        // Nothing is there any more that could be removed.
        let _ = draft.keep();
        let synced = File::open(parent).and_then(|parent| parent.sync_all());
        synced.map(|()| verified).map_err(|source| refused("name the copy", source))
    }

    fn copy_to(&self, copy: &mut Directory, beside: &[&str]) -> Result<(), StoreError> {
        let own = load::serials(self.disk.as_ref())?;
        let own = own.iter().flat_map(|serial| [snapshot_name(*serial), journal_name(*serial)]);
        for name in own.chain(beside.iter().map(ToString::to_string)) {
            let read = self.disk.read(&name);
            let read = read.map_err(|it| failed(self.disk.as_ref(), format!("read {name}"), it))?;
            let Some(bytes) = read else { continue };
            let arrived = copy.write(&name, &bytes).and_then(|()| copy.read(&name));
            let arrived = arrived.map_err(|it| failed(copy, format!("write {name}"), it))?;
            if arrived.as_ref() != Some(&bytes) {
                let source = io::Error::other("it does not read back as it was written");
                return Err(failed(copy, format!("write {name}"), source));
            }
        }
        copy.sync_names().map_err(|source| failed(copy, "write the names".to_owned(), source))
    }

    /// Reads the copy as whoever restores it will.
    fn compare(&self, copy: &Directory, target: &Path) -> Result<Verified, StoreError> {
        let damaged = |what: &str| StoreError::Damaged {
            directory: target.to_owned(),
            what: what.to_owned(),
        };
        if load::load(copy)?.inventory != *self.inventory() {
            return Err(damaged("the copy does not say what was copied"));
        }
        let verified = super::verify::verify(copy)?;
        match verified.faults.first() {
            Some(fault) => Err(damaged(fault)),
            None => Ok(verified),
        }
    }
}
