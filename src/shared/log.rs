//! The one writer of a log: it takes over, appends, and stops when another has taken over.

use std::sync::Arc;
use std::time::Duration;

use super::error::LogError;
use super::fold::{self, Head, History};
use super::medium::{Put, SharedMedium, SharedSeat};
use super::record::{LogRecord, RecordKind, SealKey, Sealing, cut};

/// How often a request is repeated whose answer is unknown. With the pauses that is ten seconds, and
/// as many times what a store takes to say nothing: longer than an election of its members.
const REPEATS_MAX: u32 = 20;

/// The pause before a repetition. A request that was given up may land seconds later.
const PAUSE: Duration = Duration::from_millis(500);

/// How often a takeover is tried again because somebody else wrote first.
const TAKEOVERS_MAX: usize = 16;

/// A log with the right to write it.
///
/// # Guarantees
/// When [`Log::append`] returns `Ok`, the event is there, once, after all that was read and
/// appended before, and stays. When it returns an error, it happened or did not, and only after
/// [`LogError::Refused`] it did not; after any other error nothing can be written here any more.
pub struct Log {
    medium: Arc<dyn SharedMedium>,
    key: SealKey,
    name: String,
    /// Who this is: the token of its seat, which is unlike any other.
    seat: SharedSeat,
    head: Head,
    /// Why nothing can be written any more.
    end: Option<LogError>,
}

impl Log {
    /// Reads a log without the right to write it.
    ///
    /// # Errors
    /// When the store cannot be read, when what is there is not what was written, or is newer.
    pub async fn read(
        medium: &dyn SharedMedium,
        key: &SealKey,
        name: &str,
    ) -> Result<History, LogError> {
        fold::read(medium, Sealing { key, log: name }).await.map(|(history, _)| history)
    }

    /// Reads a log and takes it over: from then on no former writer can append to it. `holder` is
    /// shown to whoever is deposed.
    ///
    /// # Errors
    /// As [`Log::read`], and when the store refuses or others write first again and again.
    pub async fn take_over(
        medium: Arc<dyn SharedMedium>,
        key: SealKey,
        name: &str,
        seat: SharedSeat,
        holder: &str,
    ) -> Result<(Self, History), LogError> {
        let mut log =
            Self { medium, key, name: name.to_owned(), seat, head: Head::default(), end: None };
        let mut outcome = Err(LogError::Unseated);
        for _ in 0..TAKEOVERS_MAX {
            let (history, head) = fold::read(log.medium.as_ref(), log.sealing()).await?;
            log.head = head;
            outcome = log.say(RecordKind::Takeover, holder).await.map(|()| history);
            match &outcome {
                // Whoever wrote before us is heard, too.
                Err(LogError::Deposed { .. }) => {}
                _ => break,
            }
        }
        let history = outcome?;
        log.end = None;
        Ok((log, history))
    }

    /// Appends an event.
    ///
    /// # Errors
    /// See the guarantees of [`Log`].
    pub async fn append(&mut self, event: &str) -> Result<(), LogError> {
        self.may_go_on()?;
        self.say(RecordKind::Event, event).await
    }

    /// Writes down all that is true, and then lets go of what was before. That the old records are
    /// not removed is no error: the next snapshot removes them.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub async fn compact(&mut self, snapshot: &str) -> Result<(), LogError> {
        self.may_go_on()?;
        let first = self.head.number + 1;
        self.say(RecordKind::Snapshot, snapshot).await?;
        let _ = self.medium.shorten(&self.name, first).await;
        Ok(())
    }

    fn sealing(&self) -> Sealing<'_> {
        Sealing { key: &self.key, log: &self.name }
    }

    fn may_go_on(&self) -> Result<(), LogError> {
        self.end.clone().map_or(Ok(()), Err)
    }

    /// Writes a message, in as many records as it needs. It counts once the last one is there.
    async fn say(&mut self, word: RecordKind, text: &str) -> Result<(), LogError> {
        let texts = cut(text, self.medium.record_bytes_max());
        let parts = u32::try_from(texts.len()).unwrap_or(u32::MAX);
        for (part, text) in (0..parts).zip(texts) {
            let is_start = word == RecordKind::Snapshot && part == 0;
            let record = LogRecord {
                number: self.head.number + 1,
                writer: self.seat.token.clone(),
                word,
                part,
                parts,
                follows: is_start.then(|| self.head.seal.clone()),
                text: text.to_owned(),
            };
            let (bytes, seal) = self.sealing().write(&self.head.seal, &record);
            let settled = self.settle(record.number, &bytes).await;
            if let Err(error) = settled {
                if !matches!(error, LogError::Refused(_)) {
                    self.end = Some(error.clone());
                }
                return Err(error);
            }
            self.head = Head { number: record.number, seal };
        }
        Ok(())
    }

    /// Puts a record, and repeats the very same bytes at the very same number until it is known
    /// what is there.
    async fn settle(&self, number: u64, bytes: &[u8]) -> Result<(), LogError> {
        let mut in_doubt: Option<String> = None;
        for _ in 0..=REPEATS_MAX {
            match self.medium.put(&self.name, number, bytes, &self.seat).await {
                Put::Done => return Ok(()),
                Put::Taken(found) if found == bytes => return Ok(()),
                Put::Taken(found) => return Err(self.deposed(number, &found)),
                Put::Gone => {
                    return Err(LogError::Deposed { by: "another writer".to_owned() });
                }
                Put::Unseated => return Err(LogError::Unseated),
                // What was sent before may land yet.
                Put::Refused(reason) if in_doubt.is_none() => {
                    return Err(LogError::Refused(reason));
                }
                Put::Refused(reason) | Put::Unknown(reason) => in_doubt = Some(reason),
            }
            self.medium.pause(PAUSE).await;
        }
        Err(LogError::Unsettled(in_doubt.unwrap_or_default()))
    }

    fn deposed(&self, number: u64, found: &[u8]) -> LogError {
        match self.sealing().read(Some(&self.head.seal), number, found) {
            Ok((LogRecord { word: RecordKind::Takeover, text, .. }, _)) => {
                LogError::Deposed { by: text }
            }
            Ok(_) => LogError::Deposed { by: "another writer".to_owned() },
            Err(_) => LogError::Damaged(format!("record {number}: its seal does not match")),
        }
    }
}
