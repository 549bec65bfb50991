//! The generations of a directory: an event is appended to the journal and synced, and now and then
//! a new generation begins.

use super::disk::Disk;
use super::error::{StoreError, Warning};
use super::event::JournalEvent;
use super::load::{self, JournalEnd, LoadedState, failed, journal_name, snapshot_name};
use super::lock::StateLock;
use super::text;
use crate::model::Inventory;

/// A journal shorter than this is not worth a new generation: replaying it takes a millisecond.
const JOURNAL_BYTES_MIN: u64 = 64 * 1024;

/// The files of a state, with the right to write them.
pub(super) struct Generations {
    disk: Box<dyn Disk>,
    /// The current generation.
    serial: u64,
    /// The seal the next line continues.
    seal: String,
    /// The length of the journal's proven lines; what is beyond was never acknowledged.
    journal_bytes: u64,
    journal: JournalEnd,
    /// Whether a loss of power leaves what was found here. Whoever wrote it may have failed before it
    /// was synced, and it can be read all the same.
    is_certain: bool,
    snapshot_bytes: u64,
    /// A snapshot of the current generation that must be written before anything else.
    unwritten: Option<(String, Inventory)>,
    /// Last, so that the lock is freed last.
    _lock: Option<StateLock>,
}

/// What a state says when it is opened.
pub(super) type OpenedState = (Inventory, Option<Warning>);

impl Generations {
    /// Opens the state on any disk.
    pub fn open(
        disk: Box<dyn Disk>,
        lock: Option<StateLock>,
    ) -> Result<(Self, OpenedState), StoreError> {
        let LoadedState {
            serial,
            inventory,
            seal,
            journal_bytes,
            journal,
            snapshot_bytes,
            unwritten,
            warning,
        } = load::load(disk.as_ref())?;
        if let Some(Warning::Incomplete { what }) = warning {
            return Err(StoreError::Damaged { directory: disk.place().to_owned(), what });
        }
        let files = Self {
            disk,
            serial,
            seal,
            journal_bytes,
            journal,
            is_certain: false,
            snapshot_bytes,
            unwritten,
            _lock: lock,
        };
        Ok((files, (inventory, warning)))
    }

    /// Begins a state in a directory that holds none, with all that is true.
    pub fn write_new(disk: Box<dyn Disk>, inventory: &Inventory) -> Result<(), StoreError> {
        let seal = text::GENESIS.to_owned();
        let mut files = Self {
            disk,
            serial: 1,
            seal: seal.clone(),
            journal_bytes: 0,
            journal: JournalEnd::NoFile,
            is_certain: true,
            snapshot_bytes: 0,
            unwritten: Some((seal, inventory.clone())),
            _lock: None,
        };
        files.mend()
    }

    /// Returns the files of the generations.
    pub fn copies(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let disk = self.disk.as_ref();
        let mut copies = Vec::new();
        for serial in load::serials(disk)? {
            for name in [snapshot_name(serial), journal_name(serial)] {
                let bytes = disk.read(&name);
                let bytes = bytes.map_err(|it| failed(disk, format!("read {name}"), it))?;
                copies.extend(bytes.map(|bytes| (name, bytes)));
            }
        }
        Ok(copies)
    }

    /// Appends events, and syncs them once.
    pub fn remember(&mut self, events: &[JournalEvent]) -> Result<(), StoreError> {
        self.make_certain()?;
        self.mend()?;
        let mut seal = self.seal.clone();
        let mut lines = String::new();
        for event in events {
            let (line, next) = text::line_text(&seal, Some(event));
            lines.push_str(&line);
            seal = next;
        }
        self.append(&lines, seal)
    }

    /// Begins a new generation where the journal has grown long beside its snapshot.
    pub fn compact(&mut self, inventory: &Inventory) -> Result<(), StoreError> {
        let is_worth_it = self.journal_bytes >= JOURNAL_BYTES_MIN.max(self.snapshot_bytes / 2);
        if is_worth_it { self.begin_generation(inventory) } else { self.mend() }
    }

    /// Closes the journal and writes the inventory whole.
    ///
    /// Until the new snapshot is certain, the closed journal and the snapshot before it say the
    /// same, so a crash anywhere in between loses nothing.
    pub fn begin_generation(&mut self, inventory: &Inventory) -> Result<(), StoreError> {
        self.make_certain()?;
        self.mend()?;
        let (line, seal) = text::line_text(&self.seal, None);
        self.append(&line, seal)?;
        self.serial += 1;
        self.journal = JournalEnd::NoFile;
        self.journal_bytes = 0;
        self.unwritten = Some((self.seal.clone(), inventory.clone()));
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

    /// Syncs what was found, before anything is built on it.
    fn make_certain(&mut self) -> Result<(), StoreError> {
        // A journal that was closed is the last one with events.
        let last = match self.journal {
            JournalEnd::NoFile => self.serial.checked_sub(1),
            JournalEnd::Clean | JournalEnd::InDoubt => Some(self.serial),
        };
        let Some(name) = last.map(journal_name).filter(|_| !self.is_certain) else {
            return Ok(());
        };
        self.attempt(format!("sync {name}"), |disk| {
            disk.append(&name, b"")?;
            disk.sync_names()
        })?;
        self.is_certain = true;
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

    pub fn attempt(
        &mut self,
        doing: String,
        work: impl FnOnce(&mut dyn Disk) -> std::io::Result<()>,
    ) -> Result<(), StoreError> {
        work(self.disk.as_mut()).map_err(|source| failed(self.disk.as_ref(), doing, source))
    }
}

impl std::fmt::Debug for Generations {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Generations")
            .field("directory", &self.disk.place())
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}
