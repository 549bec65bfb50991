//! What time it is, for the rooms that wait. Pure rooms are told; they never ask.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// Tells the time and waits for it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock, read once and from then on moved by the monotonic one: a wall clock
    /// that is set while we run moves no deadline and frees no budget (S4).
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn system() -> Self {
        Self::starting_at(Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// A clock that starts at a given time and moves with the runtime's: on a paused runtime it
    /// moves only while everything waits.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        let origin = tokio::time::Instant::now();
        Self(Arc::new(move || {
            let elapsed = tokio::time::Instant::now().duration_since(origin);
            start.checked_add(elapsed).unwrap_or(Timestamp::MAX)
        }))
    }

    /// Returns the time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }

    /// Waits until a time; returns at once when it is past.
    pub async fn sleep_until(&self, until: Timestamp) {
        let wait = until.duration_since(self.now());
        tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Clock")
    }
}
