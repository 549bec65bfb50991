//! The one writer: remembers an event before it returns.

use std::collections::BTreeMap;
use std::path::Path;

use super::disk::{Directory, Disk};
use super::error::{StoreError, Warning};
use super::event::JournalEvent;
use super::generations::Generations;
use super::load::{self, StoredState};
use super::lock::{self, StateLock};
use super::medium::MOVED;
use super::shared_state::SharedJournal;
use super::verify::{self, Verified};
use crate::model::{Entry, Intent, Inventory, Key, Pin, RemoteId};
use crate::shared::WriteRight;

/// The state of one project, with the right to write it.
///
/// # Guarantees
/// When a call that takes an event returns `Ok`, the event outlives any crash. When it returns an
/// error, the inventory in memory is unchanged, and after a crash the event happened or did not.
///
/// # Assumptions
/// The disk keeps what it said it synced, and nobody else writes into the directory.
pub struct Store {
    pub(super) journal: Journal,
    inventory: Inventory,
    warning: Option<Warning>,
}

/// Where events are written down.
#[derive(Debug)]
pub(super) enum Journal {
    /// In the files of a directory.
    Files(Box<Generations>),
    /// In a log that many machines reach.
    Shared(Box<SharedJournal>),
}

impl Store {
    /// Takes the lock and reads the state, to write it. `holder` is shown to whoever is refused,
    /// for example `stoker run (pid 4711 on web-1, since 2026-11-24T03:04:05Z)`.
    ///
    /// The directory is made if it is missing, for this user only.
    ///
    /// # Errors
    /// When another writer holds the lock; when the files are damaged so that an intent may be
    /// missing (S3); when a newer version wrote them; when the disk refuses.
    pub fn open(directory: &Path, holder: &str) -> Result<Self, StoreError> {
        let directory = Directory::at(directory);
        let lock = StateLock::take(&directory, holder)?;
        check_not_moved(&directory)?;
        Self::on(Box::new(directory), Some(lock))
    }

    /// Reads the state without the lock, to look at it; a missing directory is an empty inventory.
    ///
    /// # Errors
    /// When nothing can be proven of it, when a newer version wrote it, when the disk refuses.
    pub fn read(directory: &Path) -> Result<StoredState, StoreError> {
        let directory = Directory::at(directory);
        check_not_moved(&directory)?;
        load::read(&directory)
    }

    /// Reads every record without the lock; a missing directory holds none.
    ///
    /// # Errors
    /// When a newer version wrote it, when the disk refuses.
    pub fn verify(directory: &Path) -> Result<Verified, StoreError> {
        verify::verify(&Directory::at(directory))
    }

    /// Returns who may write at the moment, in the holder's own words.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn holder(directory: &Path) -> Result<Option<String>, StoreError> {
        lock::holder(&Directory::at(directory))
    }

    /// Opens the state on any disk.
    pub(super) fn on(disk: Box<dyn Disk>, lock: Option<StateLock>) -> Result<Self, StoreError> {
        let (files, (inventory, warning)) = Generations::open(disk, lock)?;
        Ok(Self { journal: Journal::Files(Box::new(files)), inventory, warning })
    }

    /// Goes on with a log that was taken over.
    pub(super) fn over(journal: SharedJournal, inventory: Inventory) -> Self {
        Self { journal: Journal::Shared(Box::new(journal)), inventory, warning: None }
    }

    /// Returns the inventory with all events so far.
    #[must_use]
    pub const fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// Returns what was wrong with the files, when it could be mended.
    #[must_use]
    pub const fn warning(&self) -> Option<&Warning> {
        self.warning.as_ref()
    }

    /// Remembers that a create is about to be sent. Only after `Ok` may its POST leave (S3).
    ///
    /// # Errors
    /// When the disk refuses: then nothing may be sent.
    pub fn begin_intent(&mut self, key: Key, intent: Intent) -> Result<(), StoreError> {
        self.commit(JournalEvent::Began { key, intent })
    }

    /// Remembers that a create was refused or is known never to have been applied.
    ///
    /// # Errors
    /// When the disk refuses: then the intent stands, and the next run settles it by reading.
    pub fn abandon_intent(&mut self, key: Key) -> Result<(), StoreError> {
        self.commit(JournalEvent::Abandoned { key })
    }

    /// Remembers an object as ours; ends the intent of its key.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn record(&mut self, key: Key, entry: Entry) -> Result<(), StoreError> {
        let entry = Box::new(entry);
        self.commit(JournalEvent::Recorded { key, entry })
    }

    /// Remembers an object under a new key, and forgets the old one, in one event.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn rename(&mut self, from: Key, to: Key, entry: Entry) -> Result<(), StoreError> {
        let entry = Box::new(entry);
        self.commit(JournalEvent::Renamed { from, to, entry })
    }

    /// Remembers resources that have exchanged their names, in one event.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn exchange(&mut self, entries: BTreeMap<Key, Entry>) -> Result<(), StoreError> {
        self.commit(JournalEvent::Exchanged { entries })
    }

    /// Remembers that an object is gone or released.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget(&mut self, key: Key) -> Result<(), StoreError> {
        self.commit(JournalEvent::Forgotten { key })
    }

    /// Remembers that a PATCH is about to be sent that takes effect only with a deploy (A6), and
    /// returns whether that was not remembered before. Only after `Ok` may the PATCH leave.
    ///
    /// # Errors
    /// When the disk refuses: then nothing may be sent.
    pub fn owe_deploy(&mut self, id: &RemoteId) -> Result<bool, StoreError> {
        if self.inventory.deploys_owed.contains(id) {
            return Ok(false);
        }
        self.commit(JournalEvent::DeployOwed { id: id.clone() })?;
        Ok(true)
    }

    /// Remembers that no deploy is owed any more: it was accepted, or its PATCH never happened.
    ///
    /// # Errors
    /// When the disk refuses: then the next run deploys once more.
    pub fn pay_deploy(&mut self, id: &RemoteId) -> Result<(), StoreError> {
        if !self.inventory.deploys_owed.contains(id) {
            return Ok(());
        }
        self.commit(JournalEvent::DeployPaid { id: id.clone() })
    }

    /// Remembers the project every write must match (S5).
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn set_pin(&mut self, pin: Pin) -> Result<(), StoreError> {
        self.commit(JournalEvent::Pinned(pin))
    }

    /// Remembers one event.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn commit(&mut self, event: JournalEvent) -> Result<(), StoreError> {
        self.commit_all(std::slice::from_ref(&event))
    }

    /// Remembers several events with one sync. After a crash within the call a first part of them
    /// may have happened.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn commit_all(&mut self, events: &[JournalEvent]) -> Result<(), StoreError> {
        match &mut self.journal {
            Journal::Files(files) => files.remember(events)?,
            Journal::Shared(log) => log.remember(events)?,
        }
        for event in events {
            event.apply(&mut self.inventory);
        }
        Ok(())
    }

    /// Writes the inventory whole, if the journal has grown long beside it; to be called at the end
    /// of a run. So the whole is written only when half as much was written in parts.
    ///
    /// # Errors
    /// When it cannot be written. Nothing is lost, and nothing needs to be done about it now.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        match &mut self.journal {
            Journal::Files(files) => files.compact(&self.inventory),
            Journal::Shared(log) => log.compact(&self.inventory),
        }
    }

    /// Closes the journal and writes the inventory whole.
    #[cfg(test)]
    pub(super) fn begin_generation(&mut self) -> Result<(), StoreError> {
        match &mut self.journal {
            Journal::Files(files) => files.begin_generation(&self.inventory),
            Journal::Shared(log) => log.write_whole(&self.inventory),
        }
    }

    /// Returns what must hold right before a write leaves (S10); nothing where the lock is this
    /// machine's, which is held as long as the process lives. A seat that many machines reach is
    /// lost by who does not renew it.
    #[must_use]
    pub fn right(&self) -> Option<WriteRight> {
        match &self.journal {
            Journal::Files(_) => None,
            Journal::Shared(log) => Some(log.right()),
        }
    }
}

/// Refuses a directory whose state is elsewhere by now: it would be a second truth.
fn check_not_moved(directory: &Directory) -> Result<(), StoreError> {
    let moved = directory.read(MOVED);
    match moved.map_err(|error| load::failed(directory, format!("read {MOVED}"), error))? {
        None => Ok(()),
        Some(to) => Err(StoreError::Moved {
            directory: directory.place().to_owned(),
            to: String::from_utf8_lossy(&to).trim().to_owned(),
        }),
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").field("journal", &self.journal).finish_non_exhaustive()
    }
}
