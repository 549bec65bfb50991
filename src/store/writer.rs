//! The one writer: remembers an event before it returns, and begins new generations.

use std::collections::BTreeMap;
use std::path::Path;

use super::disk::{Directory, Disk};
use super::error::{StoreError, Warning};
use super::event::JournalEvent;
use super::load::{
    self, JournalEnd, LoadedState, StoredState, failed, journal_name, snapshot_name,
};
use super::lock::{self, StateLock};
use super::text;
use super::verify::{self, Verified};
use crate::model::{Entry, Intent, Inventory, Key, Pin, RemoteId};

/// A journal shorter than this is not worth a new generation: replaying it takes a millisecond.
const JOURNAL_BYTES_MIN: u64 = 64 * 1024;

/// The state of one project, with the right to write it.
///
/// # Guarantees
/// When a call that takes an event returns `Ok`, the event outlives any crash. When it returns an
/// error, the inventory in memory is unchanged, and after a crash the event happened or did not.
///
/// # Assumptions
/// The disk keeps what it said it synced, and nobody else writes into the directory.
pub struct Store {
    pub(super) disk: Box<dyn Disk>,
    inventory: Inventory,
    /// The current generation.
    serial: u64,
    /// The seal the next line continues.
    seal: String,
    /// The length of the journal's proven lines; what is beyond was never acknowledged.
    journal_bytes: u64,
    journal: JournalEnd,
    snapshot_bytes: u64,
    /// A snapshot of the current generation that must be written before anything else.
    unwritten: Option<(String, Inventory)>,
    warning: Option<Warning>,
    /// Last, so that the lock is freed last.
    _lock: Option<StateLock>,
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
        Self::on(Box::new(directory), Some(lock))
    }

    /// Reads the state without the lock, to look at it; a missing directory is an empty inventory.
    ///
    /// # Errors
    /// When nothing can be proven of it, when a newer version wrote it, when the disk refuses.
    pub fn read(directory: &Path) -> Result<StoredState, StoreError> {
        load::read(&Directory::at(directory))
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
        let loaded = load::load(disk.as_ref())?;
        let LoadedState {
            serial,
            inventory,
            seal,
            journal_bytes,
            journal,
            snapshot_bytes,
            unwritten,
            warning,
        } = loaded;
        if let Some(Warning::Incomplete { what }) = warning {
            return Err(StoreError::Damaged { directory: disk.place().to_owned(), what });
        }
        Ok(Self {
            disk,
            inventory,
            serial,
            seal,
            journal_bytes,
            journal,
            snapshot_bytes,
            unwritten,
            warning,
            _lock: lock,
        })
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
        self.mend()?;
        let mut seal = self.seal.clone();
        let mut lines = String::new();
        for event in events {
            let (line, next) = text::line_text(&seal, Some(event));
            lines.push_str(&line);
            seal = next;
        }
        self.append(&lines, seal)?;
        for event in events {
            event.apply(&mut self.inventory);
        }
        Ok(())
    }

    /// Begins a new generation, if the journal has grown long beside its snapshot; to be called at
    /// the end of a run. So the whole is written only when half as much was written in parts.
    ///
    /// # Errors
    /// When the disk refuses. Nothing is lost, and nothing needs to be done about it now.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        let is_worth_it = self.journal_bytes >= JOURNAL_BYTES_MIN.max(self.snapshot_bytes / 2);
        if is_worth_it { self.begin_generation() } else { self.mend() }
    }

    /// Closes the journal and writes the inventory whole.
    ///
    /// Until the new snapshot is certain, the closed journal and the snapshot before it say the
    /// same, so a crash anywhere in between loses nothing.
    pub(super) fn begin_generation(&mut self) -> Result<(), StoreError> {
        self.mend()?;
        let (line, seal) = text::line_text(&self.seal, None);
        self.append(&line, seal)?;
        self.serial += 1;
        self.journal = JournalEnd::NoFile;
        self.journal_bytes = 0;
        self.unwritten = Some((self.seal.clone(), self.inventory.clone()));
        self.mend()?;
        self.remove_old_generations()
    }

    fn append(&mut self, lines: &str, seal: String) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        let name = journal_name(self.serial);
        let is_new = self.journal == JournalEnd::NoFile;
        // In doubt until the disk says otherwise.
        self.journal = JournalEnd::InDoubt;
        self.attempt(format!("append to {name}"), |disk| {
            disk.append(&name, lines.as_bytes())?;
            if is_new { disk.sync_names() } else { Ok(()) }
        })?;
        self.journal = JournalEnd::Clean;
        self.journal_bytes += lines.len() as u64;
        self.seal = seal;
        Ok(())
    }

    /// Brings the files into the form from which one can go on, if something was interrupted.
    fn mend(&mut self) -> Result<(), StoreError> {
        if self.journal == JournalEnd::InDoubt {
            self.mend_journal()?;
        }
        if self.unwritten.is_some() {
            self.write_snapshot()?;
        }
        Ok(())
    }

    /// Cuts off what was never acknowledged, by replacing the file: a crash leaves one or the other.
    fn mend_journal(&mut self) -> Result<(), StoreError> {
        let name = journal_name(self.serial);
        let temporary = format!("{name}.new");
        let length = usize::try_from(self.journal_bytes).unwrap_or(usize::MAX);
        self.attempt(format!("mend {name}"), |disk| {
            let mut bytes = disk.read(&name)?.unwrap_or_default();
            bytes.truncate(length);
            // Only a last line break can be missing or wrong: every byte before it is proven.
            if length > 0 {
                bytes.resize(length, b'\n');
                bytes[length - 1] = b'\n';
            }
            disk.write(&temporary, &bytes)?;
            disk.rename(&temporary, &name)?;
            disk.sync_names()
        })?;
        self.journal = JournalEnd::Clean;
        Ok(())
    }

    /// Writes the snapshot of the current generation, its journal's file first: a snapshot
    /// without a journal is damage.
    fn write_snapshot(&mut self) -> Result<(), StoreError> {
        let Some((follows, inventory)) = &self.unwritten else {
            return Ok(());
        };
        let text = text::snapshot_text(self.serial, follows, inventory);
        let (name, journal) = (snapshot_name(self.serial), journal_name(self.serial));
        let temporary = format!("{name}.new");
        let needs_journal = self.journal == JournalEnd::NoFile;
        self.attempt(format!("write {name}"), |disk| {
            disk.write(&temporary, text.as_bytes())?;
            if needs_journal {
                disk.append(&journal, b"")?;
                disk.sync_names()?;
            }
            disk.rename(&temporary, &name)?;
            disk.sync_names()
        })?;
        self.journal = JournalEnd::Clean;
        self.snapshot_bytes = text.len() as u64;
        self.unwritten = None;
        Ok(())
    }

    /// Keeps the current generation and the one before.
    fn remove_old_generations(&mut self) -> Result<(), StoreError> {
        let old = load::serials(self.disk.as_ref())?
            .into_iter()
            .filter(|serial| serial + 1 < self.serial)
            .collect::<Vec<_>>();
        self.attempt("remove old generations".to_owned(), |disk| {
            for serial in &old {
                disk.remove(&snapshot_name(*serial))?;
                disk.remove(&journal_name(*serial))?;
            }
            // What is known of the disk is certain again before the next write leaves.
            if old.is_empty() { Ok(()) } else { disk.sync_names() }
        })
    }

    fn attempt(
        &mut self,
        doing: String,
        work: impl FnOnce(&mut dyn Disk) -> std::io::Result<()>,
    ) -> Result<(), StoreError> {
        work(self.disk.as_mut()).map_err(|source| failed(self.disk.as_ref(), doing, source))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Store")
            .field("directory", &self.disk.place())
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}
