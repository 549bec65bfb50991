//! One record: its text, and the seal that only who has the key can make.
//!
//! The seal covers the log's name, the seal before, and the very bytes of the record: a flipped,
//! missing, repeated, moved or foreign record is found, and none can be forged (S1).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The format this version writes, and the only one it reads.
const FORMAT: u32 = 1;

/// What the first record continues: nothing.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Separates this use of the key from others.
const DOMAIN: &str = "stoker shared record v1";

/// The bytes that a record takes beside its text, at most, and rounded up.
const FRAME_BYTES: usize = 640;

/// The key of the seals. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    /// Makes a key of bytes that are random and secret.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Seals the value of a register: the seal as digits, a line break, the value.
    pub(super) fn seal_value(&self, name: &str, value: &[u8]) -> Vec<u8> {
        let text = hex::encode(value);
        let seal = hex::encode(self.seal(&["value", name, &text]).finalize().into_bytes());
        [seal.as_bytes(), b"\n", value].concat()
    }

    /// Returns the value of a register; nothing where its seal is not of this key, name and value.
    pub(super) fn open_value(&self, name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        let place = bytes.iter().position(|byte| *byte == b'\n')?;
        let (seal, value) = (hex::decode(&bytes[..place]).ok()?, &bytes[place + 1..]);
        let text = hex::encode(value);
        self.seal(&["value", name, &text]).verify_slice(&seal).is_ok().then(|| value.to_vec())
    }

    fn seal(&self, parts: &[&str]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("a key of any length will do");
        for part in [&[DOMAIN], parts].concat() {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealKey")
    }
}

/// What a record is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RecordKind {
    /// Another writer begins; the text says who.
    Takeover,
    /// Something became true.
    Event,
    /// All that is true: what was before it may go.
    Snapshot,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogRecord {
    pub number: u64,
    /// Whose it is: unlike any other writer, so that nobody takes another's record for its own.
    pub writer: String,
    pub word: RecordKind,
    /// Which part of its message it is, from 0, and of how many.
    pub part: u32,
    pub parts: u32,
    /// Of the first part of a snapshot: the seal before it, since that record will go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<String>,
    pub text: String,
}

/// Why bytes are no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotARecord {
    Damaged(&'static str),
    Newer(String),
}

/// What names a log where its records are sealed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealing<'a> {
    pub key: &'a SealKey,
    pub log: &'a str,
}

impl Sealing<'_> {
    /// Writes a record after the seal `follows`, and returns its own.
    pub fn write(self, follows: &str, record: &LogRecord) -> (Vec<u8>, String) {
        let body = serde_json::to_string(record).expect("a record has only text keys");
        let seal = self.key.seal(&[self.log, follows, &body]).finalize().into_bytes();
        let seal = hex::encode(seal);
        let text = format!("{{\"format\":{FORMAT},\"seal\":\"{seal}\",\"record\":{body}}}");
        (text.into_bytes(), seal)
    }

    /// Reads the record of a number after the seal `follows`, and returns its own. Where that is
    /// not known, only the beginning of a snapshot can be read.
    pub fn read(
        self,
        follows: Option<&str>,
        number: u64,
        bytes: &[u8],
    ) -> Result<(LogRecord, String), NotARecord> {
        let text = std::str::from_utf8(bytes).map_err(|_| NotARecord::Damaged("it is not text"))?;
        refuse_newer(text)?;
        let damaged = NotARecord::Damaged("it cannot be read");
        let prefix = format!("{{\"format\":{FORMAT},\"seal\":\"");
        let (seal, body) = text
            .strip_prefix(&prefix)
            .and_then(|rest| rest.strip_suffix('}'))
            .and_then(|rest| rest.split_once("\",\"record\":"))
            .ok_or(damaged)?;
        // What it follows by its own word is proven by the seal below.
        let record: Result<LogRecord, _> = serde_json::from_str(body);
        let told = record.as_ref().ok().and_then(|record| record.follows.clone());
        let follows =
            follows.or(told.as_deref()).ok_or(NotARecord::Damaged("nothing is before it"))?;
        let claimed = hex::decode(seal).map_err(|_| NotARecord::Damaged("it cannot be read"))?;
        let is_ours = self.key.seal(&[self.log, follows, body]).verify_slice(&claimed).is_ok();
        if !is_ours {
            return Err(NotARecord::Damaged("its seal does not match"));
        }
        let record = record.map_err(|error| NotARecord::Newer(error.to_string()))?;
        if record.number != number {
            return Err(NotARecord::Damaged("it is of another number"));
        }
        Ok((record, seal.to_owned()))
    }
}

fn refuse_newer(text: &str) -> Result<(), NotARecord> {
    #[derive(Deserialize)]
    struct AnyFormat {
        format: u32,
    }
    match serde_json::from_str::<AnyFormat>(text) {
        Ok(any) if any.format > FORMAT => Err(NotARecord::Newer(format!(
            "a record has format {}, this version reads format {FORMAT}",
            any.format
        ))),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Cuts a text into parts that fit into records of a length. In a record a sign takes twice its
/// bytes at most: texts are JSON, where nothing needs more than a backslash before it.
pub(super) fn cut(text: &str, record_bytes_max: usize) -> Vec<&str> {
    let length = (record_bytes_max.saturating_sub(FRAME_BYTES) / 2).max(4);
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > length {
        let (part, tail) = rest.split_at(rest.floor_char_boundary(length));
        parts.push(part);
        rest = tail;
    }
    parts.push(rest);
    parts
}
