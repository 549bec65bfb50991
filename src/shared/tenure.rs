//! How long a writer may send what leaves no record: a change or a delete.
//!
//! The log keeps no such request back. So right before each the writer looks at the machine's own
//! clock: within the time to live of its seat, less a margin, nobody else can have sat down.

use std::time::Duration;

/// Since when a seat is known to be ours, on the clock of the machine's boot: a process that was
/// stopped, or a machine that slept, does not notice on any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenure {
    began: Duration,
    time_to_live: Duration,
}

/// What is left of the time to live for a request that is under way, and for clocks that run at
/// different speeds: a fifth of it, and two seconds at least.
fn margin(time_to_live: Duration) -> Duration {
    (time_to_live / 5).max(Duration::from_secs(2))
}

impl Tenure {
    /// Begins with a sitting, a renewal or a record that was asked for at a moment and granted:
    /// the moment counts at which it was asked for.
    #[must_use]
    pub const fn since(asked_at: Duration, time_to_live: Duration) -> Self {
        Self { began: asked_at, time_to_live }
    }

    /// Whether the seat cannot have become free by a moment.
    pub(super) fn lives_at(&self, now: Duration) -> bool {
        now.checked_sub(self.began).is_some_and(|elapsed| elapsed < self.time_to_live)
    }

    /// Whether a request may still leave at a moment.
    #[must_use]
    pub fn holds_at(&self, now: Duration) -> bool {
        let elapsed = now.checked_sub(self.began);
        let limit = self.time_to_live.saturating_sub(margin(self.time_to_live));
        elapsed.is_some_and(|elapsed| elapsed < limit)
    }
}
