//! From records to what they say.

use super::error::LogError;
use super::medium::SharedMedium;
use super::record::{GENESIS, LogRecord, NotARecord, RecordKind, Sealing};

/// How often a reader begins again because the log was shortened meanwhile.
const ATTEMPTS_MAX: usize = 5;

/// The most that is read of one log.
const BYTES_MAX: usize = 256 * 1024 * 1024;

/// All that a log says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// All that was true at some moment; nothing where nobody has said so.
    pub snapshot: Option<String>,
    /// What became true since, in order.
    pub events: Vec<String>,
    /// How many records say so, from the snapshot on.
    pub records: u64,
}

/// Where a log ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The number of the last record; 0 where there is none.
    pub number: u64,
    /// Its seal.
    pub seal: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { number: 0, seal: GENESIS.to_owned() }
    }
}

/// Reads a whole log.
pub(super) async fn read(
    medium: &dyn SharedMedium,
    sealing: Sealing<'_>,
) -> Result<(History, Head), LogError> {
    let mut outcome = Err(LogError::Unreadable("it was never at rest".to_owned()));
    for _ in 0..ATTEMPTS_MAX {
        outcome = match read_once(medium, sealing).await {
            Err(Interruption::Shortened(number)) => {
                Err(LogError::Damaged(format!("record {number} is missing")))
            }
            Err(Interruption::Failed(error)) => return Err(error),
            Ok(read) => return Ok(read),
        };
    }
    outcome
}

enum Interruption {
    /// The record of a number is not there: it went, or somebody took it away.
    Shortened(u64),
    Failed(LogError),
}

async fn read_once(
    medium: &dyn SharedMedium,
    sealing: Sealing<'_>,
) -> Result<(History, Head), Interruption> {
    let failed = |error| Interruption::Failed(error);
    let mut fold = Fold::default();
    let (mut last, mut bytes_read) = (0, 0);
    loop {
        let page = medium.after(sealing.log, last).await;
        let page = page.map_err(|error| failed(LogError::Unreadable(error.to_string())))?;
        if page.is_empty() {
            return fold.end(last).map(|fold| (fold.history, fold.head));
        }
        for (number, bytes) in page {
            bytes_read += bytes.len();
            if bytes_read > BYTES_MAX {
                let reason = format!("it is larger than {BYTES_MAX} bytes");
                return Err(failed(LogError::Unreadable(reason)));
            }
            if number != last + 1 && last != 0 {
                return Err(Interruption::Shortened(last + 1));
            }
            fold.take(sealing, number, &bytes).map_err(failed)?;
            last = number;
        }
    }
}

/// What was read so far.
#[derive(Default)]
struct Fold {
    history: History,
    head: Head,
    /// Whether the beginning went and no snapshot came yet: then nothing counts.
    is_headless: bool,
    /// Whose records these are.
    writer: Option<String>,
    /// A message of which parts are still to come.
    begun: Option<Message>,
}

struct Message {
    word: RecordKind,
    parts: u32,
    next: u32,
    text: String,
}

impl Fold {
    fn take(&mut self, sealing: Sealing<'_>, number: u64, bytes: &[u8]) -> Result<(), LogError> {
        if self.head.number == 0 && number > 1 {
            self.is_headless = true;
        }
        let follows = (!self.is_headless).then_some(self.head.seal.as_str());
        let read = match sealing.read(follows, number, bytes) {
            Err(NotARecord::Newer(what)) => return Err(LogError::Newer(what)),
            // What is left of records that are being removed.
            Err(NotARecord::Damaged(_)) if self.is_headless => {
                self.head.number = number;
                return Ok(());
            }
            Err(NotARecord::Damaged(what)) => {
                return Err(LogError::Damaged(format!("record {number}: {what}")));
            }
            Ok(read) => read,
        };
        self.is_headless = false;
        self.history.records += 1;
        self.head = Head { number, seal: read.1 };
        self.add(read.0)
    }

    fn add(&mut self, record: LogRecord) -> Result<(), LogError> {
        let LogRecord { number, writer, word, part, parts, follows: _, text } = record;
        let wrong = |what: &str| Err(LogError::Damaged(format!("record {number}: {what}")));
        let is_foreign = self.writer.as_ref().is_some_and(|known| *known != writer);
        if is_foreign && word != RecordKind::Takeover {
            return wrong("its writer had lost the right to write");
        }
        self.writer = Some(writer);
        if part == 0 {
            // What was begun and never ended did not happen.
            self.begun = Some(Message { word, parts, next: 0, text: String::new() });
        }
        let Some(begun) = &mut self.begun else { return wrong("its first part is missing") };
        if (begun.word, begun.parts, begun.next) != (word, parts, part) || part >= parts {
            return wrong("it is no part of the message before it");
        }
        begun.text.push_str(&text);
        begun.next += 1;
        if begun.next == parts {
            self.say();
        }
        Ok(())
    }

    fn say(&mut self) {
        let Some(Message { word, text, parts, .. }) = self.begun.take() else { return };
        match word {
            // It says who writes, and nothing of what is true.
            RecordKind::Takeover => {}
            RecordKind::Event => self.history.events.push(text),
            RecordKind::Snapshot => {
                self.history.snapshot = Some(text);
                self.history.events.clear();
                self.history.records = u64::from(parts);
            }
        }
    }

    fn end(self, last: u64) -> Result<Self, Interruption> {
        match self.is_headless && last > 0 {
            true => Err(Interruption::Shortened(1)),
            false => Ok(self),
        }
    }
}
