//! Whether a loop is alive: it says so itself, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// How long a loop may be silent before it counts as hung.
///
/// A loop beats on every turn and at least every fifteen seconds, also while a pass of its own waits
/// for the platform or for the budget: so silence means that the loop does not turn, never that
/// the vendor is slow. A minute leaves room for a machine that is swapping.
pub const SILENCE_MAX: Duration = Duration::from_secs(60);

/// The heartbeat of one loop; clones are the same.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<AtomicI64>);

impl Pulse {
    /// Makes a pulse that beats now.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.as_millisecond())))
    }

    /// Says that the loop turns.
    pub fn beat(&self, now: Timestamp) {
        self.0.store(now.as_millisecond(), Ordering::Relaxed);
    }

    /// Returns how long the loop has been silent.
    #[must_use]
    pub fn silence(&self, now: Timestamp) -> Duration {
        let silence = now.as_millisecond().saturating_sub(self.0.load(Ordering::Relaxed));
        Duration::from_millis(u64::try_from(silence).unwrap_or_default())
    }
}
