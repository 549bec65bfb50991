//! The right of a writer to send what leaves no record, and how it is kept and lost.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::tenure::Tenure;

/// Tells how long the machine has run, the time it slept included; nothing where it does not say.
pub type BootClock = Arc<dyn Fn() -> Option<Duration> + Send + Sync>;

/// Whether a writer may still send something. Clones share it.
#[derive(Clone)]
pub struct WriteRight {
    tenure: Arc<Mutex<Option<Tenure>>>,
    clock: BootClock,
}

impl WriteRight {
    /// Begins with a seat that was asked for at a moment and granted.
    pub(super) fn since(
        asked_at: Option<Duration>,
        time_to_live: Duration,
        clock: BootClock,
    ) -> Self {
        let tenure = asked_at.map(|asked_at| Tenure::since(asked_at, time_to_live));
        Self { tenure: Arc::new(Mutex::new(tenure)), clock }
    }

    /// Whether a change or a delete may leave now: nobody else can have sat down meanwhile.
    #[must_use]
    pub fn holds(&self) -> bool {
        let now = (self.clock)();
        let tenure = *self.tenure.lock().unwrap_or_else(PoisonError::into_inner);
        matches!((tenure, now), (Some(tenure), Some(now)) if tenure.holds_at(now))
    }

    /// Goes on from a renewal that was asked for at a moment and granted by now. A seat that may have
    /// been nobody's in between is another one: somebody may have sat there, and written.
    pub(super) fn renew(&self, asked_at: Option<Duration>, time_to_live: Duration) {
        let now = (self.clock)();
        let mut tenure = self.tenure.lock().unwrap_or_else(PoisonError::into_inner);
        let is_one = matches!((*tenure, now), (Some(tenure), Some(now)) if tenure.lives_at(now));
        let renewed = asked_at.map(|asked_at| Tenure::since(asked_at, time_to_live));
        *tenure = renewed.filter(|_| is_one);
    }

    /// Ends it.
    pub(super) fn end(&self) {
        *self.tenure.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether it has ended for good.
    pub(super) fn is_over(&self) -> bool {
        self.tenure.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

impl fmt::Debug for WriteRight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("WriteRight").field(&self.holds()).finish()
    }
}
