//! A copy of the state that is known to be one: in a directory, or in a log that many machines reach.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use super::disk::{Directory, Disk};
use super::error::StoreError;
use super::generations::Generations;
use super::load::{self, failed};
use super::medium::{MOVED, Medium};
use super::verify::Verified;
use super::writer::{Journal, Store};
use crate::model::Inventory;

/// Small files beside a state, by their names.
pub type FilesBeside = BTreeMap<String, Vec<u8>>;

impl Store {
    /// Copies all that is remembered into a directory that is not there yet, or is empty; and the
    /// files of other rooms `beside` it. The lock is held meanwhile, so the copy is of one moment.
    ///
    /// *Guarantees*: the directory gets its name when the copy is on disk, was read again, and says
    /// the same; whatever happens before leaves none of that name.
    ///
    /// # Errors
    /// When something is there already, when the copy is not what was copied, when a disk refuses.
    pub fn back_up(&self, target: &Path, beside: &FilesBeside) -> Result<Verified, StoreError> {
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

    fn copy_to(&self, copy: &mut Directory, beside: &FilesBeside) -> Result<(), StoreError> {
        let mut files = beside.clone();
        match &self.journal {
            Journal::Files(own) => files.extend(own.copies()?),
            Journal::Shared(_) => {
                let draft = Box::new(Directory::at(copy.place()));
                Generations::write_new(draft, self.inventory())?;
            }
        }
        for (name, bytes) in &files {
            let arrived = copy.write(name, bytes).and_then(|()| copy.read(name));
            let arrived = arrived.map_err(|it| failed(copy, format!("write {name}"), it))?;
            if arrived.as_ref() != Some(bytes) {
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

    /// Moves all that is remembered to a log that holds nothing yet, and the files `beside` it. The
    /// lock is held meanwhile.
    ///
    /// *Guarantees*: the directory says that it was moved, and is refused from then on, once all of it
    /// was read again there and says the same; whatever happens before leaves it as it was.
    ///
    /// # Errors
    /// When something is there already, when what arrived is not what was sent, when either refuses.
    pub fn move_to(
        self,
        target: &Medium,
        holder: &str,
        beside: &FilesBeside,
    ) -> Result<Verified, StoreError> {
        let place = target.place().to_owned();
        let mut there = target.open(holder)?;
        // It was moved before, and nobody has said so in the directory yet.
        let is_there = there.inventory() == self.inventory();
        if *there.inventory() != Inventory::default() && !is_there {
            return Err(StoreError::Occupied { directory: place });
        }
        match &mut there.journal {
            Journal::Shared(log) => log.write_whole(self.inventory())?,
            Journal::Files(_) => return Err(StoreError::Occupied { directory: place }),
        }
        let lost = |what: String| StoreError::Damaged { directory: place.clone(), what };
        for (name, bytes) in beside {
            let arrived = target.replace_file(name, bytes).and_then(|()| target.read_file(name));
            let arrived = arrived.map_err(|error| lost(format!("{name}: {error}")))?;
            if arrived.as_ref() != Some(bytes) {
                return Err(lost(format!("{name} does not read as it was written")));
            }
        }
        if *target.read()?.inventory != *self.inventory() {
            return Err(lost("it does not say what was moved".to_owned()));
        }
        let verified = target.verify()?;
        drop(there);
        if let Journal::Files(mut files) = self.journal {
            let moved = place.to_string_lossy().into_owned();
            files.attempt("say where the state is".to_owned(), |disk| {
                disk.write(MOVED, moved.as_bytes())?;
                disk.sync_names()
            })?;
        }
        Ok(verified)
    }
}
