//! One log, from code that does not wait in futures: it is read, or taken over and written.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::bridge::Bridge;
use super::error::LogError;
use super::fold::History;
use super::log::Log;
use super::medium::{Register, SharedMedium, SharedSeat, Sitting, Swap};
use super::record::SealKey;
use super::right::{BootClock, WriteRight};

/// How long a seat lasts without a renewal. A writer that dies keeps others out for so long.
pub const TIME_TO_LIVE: Duration = Duration::from_secs(15);

/// The time between two renewals: three fail before the right to write ends.
const RENEWAL: Duration = Duration::from_secs(4);

/// The longest wait for one act. An election of the store's members takes a few seconds.
const ACT_TIME_MAX: Duration = Duration::from_secs(10);

/// The longest wait for a whole log, read or written.
const WHOLE_TIME_MAX: Duration = Duration::from_secs(60);

/// The longest wait for a seat to be given back; it is free without that when its time is over.
const FAREWELL_TIME_MAX: Duration = Duration::from_secs(2);

/// How often an act is tried again whose answer is unknown, or that somebody else came before.
const TRIES_MAX: usize = 5;

/// The pause before that.
const PAUSE: Duration = Duration::from_millis(300);

/// A log and its registers. Clones share the thread that speaks with the store.
#[derive(Clone)]
pub struct SharedLog {
    medium: Arc<dyn SharedMedium>,
    bridge: Bridge,
    key: SealKey,
    name: String,
    clock: BootClock,
}

/// Why nobody may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSeated {
    /// Somebody else does, who says this of itself.
    Held(String),
    /// The log cannot be taken over.
    Failed(LogError),
}

impl SharedLog {
    /// Names a log; nothing is asked. `clock` is that of the machine's boot.
    #[must_use]
    pub fn new(
        medium: Arc<dyn SharedMedium>,
        bridge: Bridge,
        key: SealKey,
        name: &str,
        clock: BootClock,
    ) -> Self {
        Self { medium, bridge, key, name: name.to_owned(), clock }
    }

    /// Reads the log.
    ///
    /// # Errors
    /// As [`Log::read`], and when that takes too long.
    pub fn read(&self) -> Result<History, LogError> {
        let (medium, key, name) = (Arc::clone(&self.medium), self.key.clone(), self.name.clone());
        let read = self
            .bridge
            .ask(WHOLE_TIME_MAX, async move { Log::read(medium.as_ref(), &key, &name).await });
        read.unwrap_or_else(|| Err(LogError::Unreadable(late(WHOLE_TIME_MAX))))
    }

    /// Returns who may write, in its own words.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn holder(&self) -> Result<Option<String>, LogError> {
        let (medium, name) = (Arc::clone(&self.medium), self.name.clone());
        let seated = self.bridge.ask(ACT_TIME_MAX, async move { medium.seated(&name).await });
        let seated = seated.ok_or_else(|| LogError::Unreadable(late(ACT_TIME_MAX)))?;
        seated.map_err(|error| LogError::Unreadable(error.to_string()))
    }

    /// Takes the log over and reads it. `token` is unlike any other, `holder` what others are told.
    ///
    /// # Errors
    /// When somebody else writes, and as [`Log::take_over`].
    pub fn open(&self, token: &str, holder: &str) -> Result<(LogWriter, History), NotSeated> {
        let opening = LogWriter::open(self.clone(), token.to_owned(), holder.to_owned());
        let opened = self.bridge.ask(WHOLE_TIME_MAX, opening);
        let unheard = || Err(NotSeated::Failed(LogError::Unsettled(late(WHOLE_TIME_MAX))));
        opened.unwrap_or_else(unheard)
    }

    /// Reads a small value beside the log; nothing where there is none.
    ///
    /// # Errors
    /// When the store cannot be read, or the value is not what was put there.
    pub fn register(&self, name: &str) -> Result<Option<Vec<u8>>, LogError> {
        let (medium, register) = (Arc::clone(&self.medium), self.register_name(name));
        let read = self.bridge.ask(ACT_TIME_MAX, async move { medium.register(&register).await });
        let read = read.ok_or_else(|| LogError::Unreadable(late(ACT_TIME_MAX)))?;
        let Register { bytes, .. } = read.map_err(|it| LogError::Unreadable(it.to_string()))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let value = self.key.open_value(&self.register_name(name), &bytes);
        let damaged = || LogError::Damaged(format!("{name}: its seal does not match"));
        value.map(Some).ok_or_else(damaged)
    }

    /// Replaces a small value beside the log, whatever it was.
    ///
    /// # Errors
    /// When the store refuses, or it is not known whether it was done.
    pub fn replace(&self, name: &str, value: &[u8]) -> Result<(), LogError> {
        let (medium, register) = (Arc::clone(&self.medium), self.register_name(name));
        let sealed = self.key.seal_value(&register, value);
        let replaced = self
            .bridge
            .ask(ACT_TIME_MAX, async move { replace(medium.as_ref(), &register, &sealed).await });
        replaced.unwrap_or_else(|| Err(LogError::Unsettled(late(ACT_TIME_MAX))))
    }

    fn register_name(&self, name: &str) -> String {
        format!("{}/{name}", self.name)
    }
}

impl fmt::Debug for SharedLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SharedLog").field(&self.name).finish()
    }
}

fn late(time_max: Duration) -> String {
    format!("no answer within {} s", time_max.as_secs())
}

/// Swaps until it is done. An answer that is unknown is settled by looking what is there now: what
/// landed late would have to name a version that is gone by then.
async fn replace(medium: &dyn SharedMedium, name: &str, bytes: &[u8]) -> Result<(), LogError> {
    let mut trouble = String::new();
    for _ in 0..TRIES_MAX {
        let now = medium.register(name).await;
        let now = now.map_err(|error| LogError::Unreadable(error.to_string()))?;
        if now.bytes == bytes {
            return Ok(());
        }
        match medium.swap(name, now.version, bytes).await {
            Swap::Done(_) => return Ok(()),
            Swap::Moved(_) => trouble = "others write it at once".to_owned(),
            Swap::Refused(reason) => return Err(LogError::Refused(reason)),
            Swap::Unknown(reason) => trouble = reason,
        }
        medium.pause(PAUSE).await;
    }
    Err(LogError::Unsettled(trouble))
}

/// The one writer of a log, as long as this value lives.
///
/// # Guarantees
/// When [`LogWriter::append`] returns `Ok`, the text is in the log, once. After any error but
/// [`LogError::Refused`] nothing can be appended any more, and [`LogWriter::right`] has ended.
pub struct LogWriter {
    of: SharedLog,
    log: Arc<Mutex<Log>>,
    seat: SharedSeat,
    right: WriteRight,
    renewal: JoinHandle<()>,
}

impl LogWriter {
    async fn open(
        of: SharedLog,
        token: String,
        holder: String,
    ) -> Result<(Self, History), NotSeated> {
        let (seat, asked_at) = sit(&of, &token, &holder).await?;
        let right = WriteRight::since(asked_at, TIME_TO_LIVE, Arc::clone(&of.clock));
        let (medium, key) = (Arc::clone(&of.medium), of.key.clone());
        let taken = Log::take_over(medium, key, &of.name, seat.clone(), &holder).await;
        let (log, history) = match taken {
            Ok(taken) => taken,
            Err(error) => {
                of.medium.leave(&of.name, &seat).await;
                return Err(NotSeated::Failed(error));
            }
        };
        let renewal = tokio::spawn(renew(of.clone(), seat.clone(), holder, right.clone()));
        Ok((Self { of, log: Arc::new(Mutex::new(log)), seat, right, renewal }, history))
    }

    /// Appends a text.
    ///
    /// # Errors
    /// See the guarantees of [`LogWriter`].
    pub fn append(&mut self, text: String) -> Result<(), LogError> {
        let log = Arc::clone(&self.log);
        self.act(ACT_TIME_MAX, async move { log.lock().await.append(&text).await })
    }

    /// Writes down all that is true, and lets go of what was before.
    ///
    /// # Errors
    /// As [`LogWriter::append`].
    pub fn compact(&mut self, snapshot: String) -> Result<(), LogError> {
        let log = Arc::clone(&self.log);
        self.act(WHOLE_TIME_MAX, async move { log.lock().await.compact(&snapshot).await })
    }

    /// Returns the right to send what leaves no record.
    #[must_use]
    pub fn right(&self) -> WriteRight {
        self.right.clone()
    }

    fn act(
        &self,
        time_max: Duration,
        act: impl Future<Output = Result<(), LogError>> + Send + 'static,
    ) -> Result<(), LogError> {
        // Whether an act happened that was given up is not known, and it may happen yet.
        if self.right.is_over() {
            return Err(LogError::Unseated);
        }
        let done = self.of.bridge.ask(time_max, act);
        let done = done.unwrap_or_else(|| Err(LogError::Unsettled(late(time_max))));
        if !matches!(done, Ok(()) | Err(LogError::Refused(_))) {
            self.right.end();
        }
        done
    }
}

/// Gives the seat back, so that the next writer need not wait for its time to be over.
impl Drop for LogWriter {
    fn drop(&mut self) {
        self.right.end();
        self.renewal.abort();
        let (of, seat) = (self.of.clone(), self.seat.clone());
        let bridge = of.bridge.clone();
        bridge.ask(FAREWELL_TIME_MAX, async move { of.medium.leave(&of.name, &seat).await });
    }
}

/// Takes the seat, and says when it was asked for.
async fn sit(
    of: &SharedLog,
    token: &str,
    holder: &str,
) -> Result<(SharedSeat, Option<Duration>), NotSeated> {
    let mut trouble = String::new();
    for _ in 0..TRIES_MAX {
        let asked_at = (of.clock)();
        match of.medium.sit(&of.name, token, holder, TIME_TO_LIVE).await {
            Sitting::Ours(seat) => return Ok((seat, asked_at)),
            Sitting::Held(by) => return Err(NotSeated::Held(by)),
            Sitting::Refused(reason) => return Err(NotSeated::Failed(LogError::Refused(reason))),
            Sitting::Unknown(reason) => trouble = reason,
        }
        of.medium.pause(PAUSE).await;
    }
    Err(NotSeated::Failed(LogError::Unsettled(trouble)))
}

/// Renews the seat until the right to write has ended.
async fn renew(of: SharedLog, seat: SharedSeat, holder: String, right: WriteRight) {
    while !right.is_over() {
        tokio::time::sleep(RENEWAL).await;
        let asked_at = (of.clock)();
        match of.medium.sit(&of.name, &seat.token, &holder, TIME_TO_LIVE).await {
            Sitting::Ours(_) => right.renew(asked_at, TIME_TO_LIVE),
            Sitting::Held(_) => right.end(),
            // The right ends by itself when nothing else is heard.
            Sitting::Refused(_) | Sitting::Unknown(_) => {}
        }
    }
}
