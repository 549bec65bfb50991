//! The state of a project in a log that many machines reach.
//!
//! ```text
//!  a message of the log   a list of events, which happen together
//!  a snapshot             the inventory whole
//!  registers              the small files beside the state
//! ```
//!
//! The log settles what was not heard, and keeps out a former writer (`shared`). Here an event counts
//! once its message is known to be there, and not before (S3).

use std::io;
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::event::JournalEvent;
use super::load::StoredState;
use super::verify::Verified;
use super::writer::Store;
use crate::model::Inventory;
use crate::shared::{History, LogError, LogWriter, NotSeated, SharedLog, WriteRight};

/// Fewer messages since the last snapshot are read in a moment.
const MESSAGES_MIN: usize = 256;

/// Messages shorter than this, all together, are not worth a snapshot.
const BYTES_MIN: usize = 64 * 1024;

/// The state of a project that many machines reach. Clones share the way to it.
#[derive(Clone, Debug)]
pub struct SharedState {
    log: SharedLog,
    /// Its address, for people.
    place: PathBuf,
}

impl SharedState {
    /// Names it; nothing is asked. `place` is its address.
    #[must_use]
    pub fn new(log: SharedLog, place: &str) -> Self {
        Self { log, place: PathBuf::from(place) }
    }

    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    pub(super) fn open(&self, holder: &str) -> Result<Store, StoreError> {
        let token =
            token().map_err(|error| self.failed(LogError::Unreadable(error.to_string())))?;
        let (writer, history) = self.log.open(&token, holder).map_err(|error| match error {
            NotSeated::Held(holder) => StoreError::Locked { directory: self.place.clone(), holder },
            NotSeated::Failed(error) => self.failed(error),
        })?;
        let (inventory, size) = self.inventory(&history)?;
        let journal = SharedJournal { writer, place: self.place.clone(), size };
        Ok(Store::over(journal, inventory))
    }

    pub(super) fn read(&self) -> Result<StoredState, StoreError> {
        let history = self.log.read().map_err(|error| self.failed(error))?;
        let (inventory, _) = self.inventory(&history)?;
        Ok(StoredState { inventory: inventory.into(), warning: None })
    }

    pub(super) fn holder(&self) -> Result<Option<String>, StoreError> {
        self.log.holder().map_err(|error| self.failed(error))
    }

    /// Reads every record: each one's seal, and what it says.
    pub(super) fn verify(&self) -> Result<Verified, StoreError> {
        let read = self.log.read().map_err(|error| self.failed(error));
        let told = read.and_then(|history| self.inventory(&history).map(|_| history.records));
        match told {
            Ok(records) => Ok(Verified { generations: 1, records, faults: Vec::new() }),
            Err(StoreError::Damaged { what, .. }) => {
                Ok(Verified { generations: 1, records: 0, faults: vec![what] })
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn read_file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.log.register(name).map_err(io::Error::other)
    }

    pub(super) fn replace_file(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.log.replace(name, bytes).map_err(io::Error::other)
    }

    /// Returns what a history says, and how much of it came after the last snapshot.
    fn inventory(&self, history: &History) -> Result<(Inventory, JournalSize), StoreError> {
        let newer = |error: serde_json::Error| StoreError::Newer {
            directory: self.place.clone(),
            what: format!("a record says more than this version knows: {error}"),
        };
        let mut inventory = match &history.snapshot {
            Some(text) => serde_json::from_str(text).map_err(newer)?,
            None => Inventory::default(),
        };
        let snapshot = history.snapshot.as_ref().map_or(0, String::len);
        let mut size = JournalSize { snapshot, ..JournalSize::default() };
        for text in &history.events {
            let events: Vec<JournalEvent> = serde_json::from_str(text).map_err(newer)?;
            events.iter().for_each(|event| event.apply(&mut inventory));
            size.add(text.len());
        }
        // A takeover says nothing, and takes room all the same.
        size.messages = size.messages.max(usize::try_from(history.records).unwrap_or(usize::MAX));
        Ok((inventory, size))
    }

    fn failed(&self, error: LogError) -> StoreError {
        failed(&self.place, error)
    }
}

fn failed(place: &Path, error: LogError) -> StoreError {
    let directory = place.to_owned();
    match error {
        LogError::Damaged(what) => StoreError::Damaged { directory, what },
        LogError::Newer(what) => StoreError::Newer { directory, what },
        source @ (LogError::Deposed { .. }
        | LogError::Unseated
        | LogError::Refused(_)
        | LogError::Unsettled(_)
        | LogError::Unreadable(_)) => StoreError::Shared { directory, source },
    }
}

/// Makes a name for one writer, unlike any other.
fn token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// How much was written since the last snapshot, and how long that is.
#[derive(Clone, Copy, Debug, Default)]
struct JournalSize {
    messages: usize,
    bytes: usize,
    snapshot: usize,
}

impl JournalSize {
    const fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes;
    }

    fn is_worth_a_snapshot(self) -> bool {
        self.messages >= MESSAGES_MIN || self.bytes >= BYTES_MIN.max(self.snapshot / 2)
    }
}

/// The log of a state, with the right to write it.
pub(super) struct SharedJournal {
    writer: LogWriter,
    place: PathBuf,
    size: JournalSize,
}

impl SharedJournal {
    /// Appends events in one message: all of them happen, or none.
    pub fn remember(&mut self, events: &[JournalEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let text = serde_json::to_string(events).expect("an event has only text keys");
        let bytes = text.len();
        self.writer.append(text).map_err(|error| failed(&self.place, error))?;
        self.size.add(bytes);
        Ok(())
    }

    /// Writes the inventory whole, where much was written since.
    pub fn compact(&mut self, inventory: &Inventory) -> Result<(), StoreError> {
        if self.size.is_worth_a_snapshot() { self.write_whole(inventory) } else { Ok(()) }
    }

    /// Writes the inventory whole, and lets go of what was before.
    pub fn write_whole(&mut self, inventory: &Inventory) -> Result<(), StoreError> {
        let text = serde_json::to_string(inventory).expect("an inventory has only text keys");
        let snapshot = text.len();
        self.writer.compact(text).map_err(|error| failed(&self.place, error))?;
        self.size = JournalSize { snapshot, ..JournalSize::default() };
        Ok(())
    }

    pub fn right(&self) -> WriteRight {
        self.writer.right()
    }
}

impl std::fmt::Debug for SharedJournal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SharedJournal").field("place", &self.place).finish_non_exhaustive()
    }
}
