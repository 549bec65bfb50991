//! From files to an inventory, and how much it can be trusted.
//!
//! Reading takes no lock and changes nothing. It decides nothing either: what is damaged is
//! reported, and whether one may write on it is the writer's affair.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::disk::Disk;
use super::error::{StoreError, Warning};
use super::text::{self, GENESIS, Unusable};
use crate::model::Inventory;

/// How often a reader without the lock starts again because a writer began a new generation.
pub(super) const ATTEMPTS_MAX: usize = 5;

/// What is remembered, for who only looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredState {
    /// The inventory; empty when there is no state yet.
    pub inventory: Arc<Inventory>,
    /// What was wrong with the files, to be shown.
    pub warning: Option<Warning>,
}

/// All that a writer must know to go on.
#[derive(Debug)]
pub(super) struct LoadedState {
    /// The current generation.
    pub serial: u64,
    /// The inventory with all its events.
    pub inventory: Inventory,
    /// The seal the next line continues.
    pub seal: String,
    /// The length of the journal's proven lines with their line breaks.
    pub journal_bytes: u64,
    /// How the journal's file ends.
    pub journal: JournalEnd,
    /// The length of the snapshot.
    pub snapshot_bytes: u64,
    /// A snapshot of this generation that is still to be written, with the seal it follows.
    pub unwritten: Option<(String, Inventory)>,
    /// What was wrong.
    pub warning: Option<Warning>,
}

/// How a journal's file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JournalEnd {
    /// There is no file.
    NoFile,
    /// With a proven line: the next one can be appended.
    Clean,
    /// With something else, which must go first, or without a line break.
    InDoubt,
}

/// The names of one generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GenerationFiles {
    pub has_snapshot: bool,
    pub has_journal: bool,
}

/// Where a journal starts from.
pub(super) struct Base {
    pub inventory: Inventory,
    pub follows: String,
    pub bytes: u64,
}

/// Where a journal led.
pub(super) struct Replayed {
    pub inventory: Inventory,
    pub seal: String,
    /// How many lines are proven.
    pub records: u64,
    /// The length of the proven lines with their line breaks.
    bytes: u64,
    file_bytes: Option<u64>,
    /// Whether the last line lacks its line break.
    lacks_break: bool,
    pub is_closed: bool,
    pub damage: Option<String>,
}

impl Replayed {
    fn end(&self) -> JournalEnd {
        match self.file_bytes {
            None => JournalEnd::NoFile,
            Some(bytes) if bytes == self.bytes && !self.lacks_break => JournalEnd::Clean,
            Some(_) => JournalEnd::InDoubt,
        }
    }
}

/// Returns the name of a generation's snapshot.
pub(super) fn snapshot_name(serial: u64) -> String {
    format!("inventory-{serial}.json")
}

/// Returns the name of a generation's journal.
pub(super) fn journal_name(serial: u64) -> String {
    format!("journal-{serial}.ndjson")
}

/// Reads the state while somebody may be writing it.
pub(super) fn read(disk: &dyn Disk) -> Result<StoredState, StoreError> {
    let mut newest = newest(disk)?;
    let mut outcome = load(disk);
    for _ in 1..ATTEMPTS_MAX {
        let now = self::newest(disk)?;
        if now == newest {
            break;
        }
        newest = now;
        outcome = load(disk);
    }
    outcome.map(|loaded| StoredState {
        inventory: Arc::new(loaded.inventory),
        warning: loaded.warning,
    })
}

/// What tells whether a whole state would read the same: its generation and the bytes of its files.
pub(super) type StateMark = (u64, [u8; 32]);

/// Returns the mark of the newest generation; none where its snapshot alone does not tell all.
pub(super) fn mark(disk: &dyn Disk) -> Result<Option<StateMark>, StoreError> {
    let Some((serial, files)) = generations(disk)?.pop_last() else {
        return Ok(None);
    };
    if serial > 0 && !files.has_snapshot {
        return Ok(None);
    }
    let mut hash = Sha256::new();
    for name in [snapshot_name(serial), journal_name(serial)] {
        let bytes =
            disk.read(&name).map_err(|source| failed(disk, format!("read {name}"), source))?;
        let length = bytes.as_ref().map_or(u64::MAX, |bytes| bytes.len() as u64);
        hash.update(length.to_le_bytes());
        hash.update(bytes.unwrap_or_default());
    }
    Ok(Some((serial, hash.finalize().into())))
}

/// Reads the newest generation, or what can be proven of it.
pub(super) fn load(disk: &dyn Disk) -> Result<LoadedState, StoreError> {
    let generations = generations(disk)?;
    let (serial, files) = generations
        .last_key_value()
        .map_or((0, GenerationFiles::default()), |(serial, files)| (*serial, *files));
    match base(disk, serial, files.has_snapshot) {
        Ok(base) => go_on(disk, serial, base),
        Err(SnapshotFault::Stop(error)) => Err(error),
        Err(SnapshotFault::Damage(what)) => rebuild(disk, serial, &generations, what),
    }
}

/// Replays the journal of a generation whose beginning is known.
fn go_on(disk: &dyn Disk, serial: u64, base: Base) -> Result<LoadedState, StoreError> {
    let snapshot_bytes = base.bytes;
    let replayed = replay(disk, serial, base)?;
    let warning = replayed.damage.clone().map(|what| Warning::Incomplete { what });
    if replayed.is_closed {
        return Ok(begin(serial + 1, replayed, warning));
    }
    Ok(LoadedState {
        serial,
        journal: replayed.end(),
        inventory: replayed.inventory,
        seal: replayed.seal,
        journal_bytes: replayed.bytes,
        snapshot_bytes,
        unwritten: None,
        warning,
    })
}

/// The generation after a closed journal: the same inventory, no event yet.
fn begin(serial: u64, closed: Replayed, warning: Option<Warning>) -> LoadedState {
    LoadedState {
        serial,
        seal: closed.seal.clone(),
        journal_bytes: 0,
        journal: JournalEnd::NoFile,
        snapshot_bytes: 0,
        unwritten: Some((closed.seal, closed.inventory.clone())),
        inventory: closed.inventory,
        warning,
    }
}

/// Replaces a snapshot that cannot be used by replaying the generation before.
fn rebuild(
    disk: &dyn Disk,
    serial: u64,
    generations: &BTreeMap<u64, GenerationFiles>,
    what: String,
) -> Result<LoadedState, StoreError> {
    let damaged = |what: String| StoreError::Damaged { directory: disk.place().to_owned(), what };
    let files = generations.get(&serial).copied().unwrap_or_default();
    let before = serial.checked_sub(1).ok_or_else(|| damaged(what.clone()))?;
    let had = generations.get(&before).copied().unwrap_or_default();
    if !had.has_journal {
        return Err(damaged(what));
    }
    let base = match base(disk, before, had.has_snapshot) {
        Ok(base) => base,
        Err(SnapshotFault::Stop(error)) => return Err(error),
        Err(SnapshotFault::Damage(_)) => return Err(damaged(what)),
    };
    let replayed = replay(disk, before, base)?;
    if !replayed.is_closed {
        let warning = Some(Warning::Incomplete { what });
        return Ok(begin(serial, replayed, warning));
    }
    // The journal's file is made before the snapshot gets its name, so a snapshot that was never
    // there is an ordinary crash, and a person need not hear of it.
    let warning = files.has_snapshot.then_some(Warning::Rebuilt { what });
    let rebuilt = Base { inventory: replayed.inventory, follows: replayed.seal, bytes: 0 };
    let unwritten = (rebuilt.follows.clone(), rebuilt.inventory.clone());
    let loaded = go_on(disk, serial, rebuilt)?;
    Ok(LoadedState {
        warning: loaded.warning.or(warning),
        unwritten: loaded.unwritten.or(Some(unwritten)),
        ..loaded
    })
}

/// Why a snapshot cannot be used.
pub(super) enum SnapshotFault {
    /// The generation before may help.
    Damage(String),
    /// Nothing helps.
    Stop(StoreError),
}

/// Reads what a generation begins with.
pub(super) fn base(disk: &dyn Disk, serial: u64, is_listed: bool) -> Result<Base, SnapshotFault> {
    if serial == 0 && !is_listed {
        return Ok(Base { inventory: Inventory::default(), follows: GENESIS.to_owned(), bytes: 0 });
    }
    let name = snapshot_name(serial);
    let bytes = disk
        .read(&name)
        .map_err(|source| SnapshotFault::Stop(failed(disk, format!("read {name}"), source)))?
        .ok_or_else(|| SnapshotFault::Damage(format!("{name} is missing")))?;
    match text::parse_snapshot(serial, &bytes) {
        Ok(snapshot) => Ok(Base {
            inventory: snapshot.inventory,
            follows: snapshot.follows,
            bytes: bytes.len() as u64,
        }),
        Err(Unusable::Damaged(what)) => {
            Err(SnapshotFault::Damage(format!("{name} is damaged: {what}")))
        }
        Err(Unusable::Newer(what)) => Err(SnapshotFault::Stop(newer(disk, &name, &what))),
    }
}

/// Applies the events of a journal, as far as they are proven.
pub(super) fn replay(disk: &dyn Disk, serial: u64, base: Base) -> Result<Replayed, StoreError> {
    let name = journal_name(serial);
    let bytes = disk.read(&name).map_err(|source| failed(disk, format!("read {name}"), source))?;
    let mut replayed = Replayed {
        inventory: base.inventory,
        seal: base.follows,
        records: 0,
        bytes: 0,
        file_bytes: bytes.as_ref().map(|bytes| bytes.len() as u64),
        lacks_break: false,
        is_closed: false,
        damage: None,
    };
    // A generation's journal is there before its snapshot; only the very first has neither.
    let Some(bytes) = bytes else {
        if serial > 0 || base.bytes > 0 {
            replayed.damage = Some(format!("{name} is missing"));
        }
        return Ok(replayed);
    };
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if replayed.is_closed {
            replayed.is_closed = false;
            replayed.damage = Some(format!("{name} goes on after its end"));
            break;
        }
        let (parsed, is_whole) = match line.strip_suffix(b"\n") {
            Some(content) => (parse_sized(&replayed.seal, content), true),
            None => (parse_last(&replayed.seal, line), false),
        };
        match parsed {
            Ok((parsed, bytes)) => {
                match &parsed.event {
                    Some(event) => event.apply(&mut replayed.inventory),
                    None => replayed.is_closed = true,
                }
                replayed.seal = parsed.seal;
                replayed.records += 1;
                replayed.bytes += bytes;
                replayed.lacks_break = !is_whole;
            }
            Err(Unusable::Newer(what)) => return Err(newer(disk, &name, &what)),
            // It was being written: the call never returned.
            Err(Unusable::Damaged(_)) if !is_whole => break,
            Err(Unusable::Damaged(what)) => {
                replayed.damage = Some(format!("{name} is damaged: {what}"));
                break;
            }
        }
    }
    Ok(replayed)
}

/// Reads a last line without its line break: it counts if only that is missing or damaged, for
/// then the call that wrote it may have returned.
fn parse_last(follows: &str, line: &[u8]) -> Result<(text::JournalLine, u64), Unusable> {
    let all_but_one = line.split_last().map_or(line, |(_, rest)| rest);
    parse_sized(follows, line).or_else(|_| parse_sized(follows, all_but_one))
}

/// Reads a line, and says how long it is with its line break.
fn parse_sized(follows: &str, content: &[u8]) -> Result<(text::JournalLine, u64), Unusable> {
    text::parse_line(follows, content).map(|line| (line, content.len() as u64 + 1))
}

fn newest(disk: &dyn Disk) -> Result<Option<u64>, StoreError> {
    Ok(generations(disk)?.last_key_value().map(|(serial, _)| *serial))
}

/// Finds the generations; other rooms' files are none of ours.
pub(super) fn generations(disk: &dyn Disk) -> Result<BTreeMap<u64, GenerationFiles>, StoreError> {
    let names = disk.list().map_err(|source| failed(disk, "list the state".to_owned(), source))?;
    let mut generations: BTreeMap<u64, GenerationFiles> = BTreeMap::new();
    for name in names {
        let serial = |prefix, suffix| -> Option<u64> {
            let digits = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
            let serial: u64 = digits.parse().ok()?;
            // One spelling for one generation, and room for a next one.
            (serial.to_string() == digits && serial < u64::MAX).then_some(serial)
        };
        if let Some(serial) = serial("inventory-", ".json") {
            generations.entry(serial).or_default().has_snapshot = true;
        }
        if let Some(serial) = serial("journal-", ".ndjson") {
            generations.entry(serial).or_default().has_journal = true;
        }
    }
    Ok(generations)
}

/// Returns the generations that are there, oldest first.
pub(super) fn serials(disk: &dyn Disk) -> Result<Vec<u64>, StoreError> {
    Ok(generations(disk)?.into_keys().collect())
}

pub(super) fn failed(disk: &dyn Disk, doing: String, source: io::Error) -> StoreError {
    StoreError::Disk { directory: disk.place().to_owned(), doing, source }
}

fn newer(disk: &dyn Disk, name: &str, what: &str) -> StoreError {
    StoreError::Newer {
        directory: disk.place().to_owned(),
        what: format!("{name} is of a newer version: {what}"),
    }
}
