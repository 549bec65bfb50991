//! The text of the two files, and the seals that show when it is not what was written.
//!
//! Both are JSON, in one fixed layout: the seal covers the very bytes, so nothing is parsed before
//! it is known to be ours, and nothing is written out again to compare it.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::event::JournalEvent;
use crate::model::Inventory;

/// The format this version writes, and the only one it reads.
const FORMAT: u32 = 1;

/// What the first generation continues: nothing.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Why a text cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is not what was written.
    Damaged(&'static str),
    /// It is what was written, by a version that says more than we understand.
    Newer(String),
}

/// The inventory at the beginning of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InventorySnapshot {
    /// The seal its journal continues.
    pub follows: String,
    /// The inventory.
    pub inventory: Inventory,
}

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JournalLine {
    /// Its seal, which the next line's covers.
    pub seal: String,
    /// What happened; `None` closes the journal: nothing follows, and nothing is missing.
    pub event: Option<JournalEvent>,
}

#[derive(Deserialize)]
struct Header {
    format: u32,
    serial: u64,
    follows: String,
    checksum: String,
}

#[derive(Deserialize)]
struct AnyFormat {
    format: u32,
}

/// Writes the snapshot a generation begins with.
pub(super) fn snapshot_text(serial: u64, follows: &str, inventory: &Inventory) -> String {
    let body = serde_json::to_string(inventory).expect("an inventory has only text keys");
    let checksum = digest(&[&serial.to_string(), follows, &body]);
    format!(
        "{{\"format\":{FORMAT},\"serial\":{serial},\"follows\":\"{follows}\",\
         \"checksum\":\"{checksum}\",\"inventory\":{body}}}\n"
    )
}

/// Reads the snapshot of a generation.
pub(super) fn parse_snapshot(serial: u64, bytes: &[u8]) -> Result<InventorySnapshot, Unusable> {
    refuse_newer(bytes)?;
    let text = utf8(bytes)?;
    let (header, rest) =
        text.split_once(",\"inventory\":").ok_or(Unusable::Damaged("it ends early"))?;
    let header: Header = serde_json::from_str(&format!("{header}}}"))
        .map_err(|_| Unusable::Damaged("its head cannot be read"))?;
    let body = rest.strip_suffix("}\n").ok_or(Unusable::Damaged("it ends early"))?;
    if header.format != FORMAT || header.serial != serial {
        return Err(Unusable::Damaged("it is of another generation"));
    }
    if header.checksum != digest(&[&serial.to_string(), &header.follows, body]) {
        return Err(Unusable::Damaged("its checksum does not match"));
    }
    let inventory =
        serde_json::from_str(body).map_err(|error| Unusable::Newer(error.to_string()))?;
    Ok(InventorySnapshot { follows: header.follows, inventory })
}

/// Writes one line of a journal, with its line break, and returns its seal.
pub(super) fn line_text(follows: &str, event: Option<&JournalEvent>) -> (String, String) {
    let body = serde_json::to_string(&event).expect("an event has only text keys");
    let seal = digest(&[follows, &body]);
    let line = format!("{{\"format\":{FORMAT},\"seal\":\"{seal}\",\"event\":{body}}}\n");
    (line, seal)
}

/// Writes a line as a version would that knows other events.
#[cfg(test)]
pub(super) fn sealed_line(follows: &str, body: &str) -> String {
    let seal = digest(&[follows, body]);
    format!("{{\"format\":{FORMAT},\"seal\":\"{seal}\",\"event\":{body}}}\n")
}

/// Reads one line of a journal, without its line break, after the line with the seal `follows`.
pub(super) fn parse_line(follows: &str, bytes: &[u8]) -> Result<JournalLine, Unusable> {
    refuse_newer(bytes)?;
    let damaged = Unusable::Damaged("a line cannot be read");
    let text = utf8(bytes)?;
    let prefix = format!("{{\"format\":{FORMAT},\"seal\":\"");
    let (seal, body) = text
        .strip_prefix(&prefix)
        .and_then(|rest| rest.strip_suffix('}'))
        .and_then(|rest| rest.split_once("\",\"event\":"))
        .ok_or(damaged)?;
    if seal != digest(&[follows, body]) {
        return Err(Unusable::Damaged("a line's seal does not match"));
    }
    let event = serde_json::from_str(body).map_err(|error| Unusable::Newer(error.to_string()))?;
    Ok(JournalLine { seal: seal.to_owned(), event })
}

/// Refuses what is whole and says it is newer; everything else is judged by its seal.
fn refuse_newer(bytes: &[u8]) -> Result<(), Unusable> {
    match serde_json::from_slice::<AnyFormat>(bytes) {
        Ok(any) if any.format > FORMAT => Err(Unusable::Newer(format!(
            "it has format {}, this version reads format {FORMAT}",
            any.format
        ))),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Unusable> {
    std::str::from_utf8(bytes).map_err(|_| Unusable::Damaged("it is not text"))
}

/// Returns SHA-256 in hexadecimal; each part is preceded by its length, so that parts cannot run
/// into one another.
fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex::encode(hasher.finalize())
}
