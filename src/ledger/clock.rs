//! The ledger's own time: it never runs backwards, and moves on only as its users' clocks do.
//!
//! A clock that is set back would otherwise make requests of a moment ago lie in the future, and
//! one that was ahead for a while would make everybody wait until it is reached again.

use std::time::Duration;

use crate::budget::Millis;

/// How one process' clock lies on the ledger's time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    /// What the process was last told.
    told: Millis,
    /// Where on the ledger's time that was.
    position: Millis,
}

impl Axis {
    /// Begins at the process' own time, or where the ledger is when that is later.
    pub fn begin(now: Millis, latest: Millis) -> Self {
        Self { told: now, position: now.max(latest) }
    }

    /// Takes up the time of a ledger that was begun anew while the process ran, whatever its own
    /// clock shows: one of the two clocks is wrong.
    pub fn join(now: Millis, latest: Millis) -> Self {
        Self { told: now, position: latest }
    }

    /// Moves on by as much as the process' clock did, and never behind another process.
    pub fn advance(&mut self, now: Millis, latest: Millis) -> Millis {
        let elapsed: Duration = now.since(self.told);
        self.told = now;
        self.position = self.position.plus(elapsed).max(latest);
        self.position
    }

    /// Returns where the ledger's time is.
    pub fn position(&self) -> Millis {
        self.position
    }

    /// Returns an instant to come as the process' clock will show it.
    pub fn told(&self, instant: Millis) -> Millis {
        self.told.plus(instant.since(self.position))
    }

    /// Returns an instant that is past as the process' clock showed it.
    pub fn was_told(&self, instant: Millis) -> Millis {
        self.told.minus(self.position.since(instant))
    }
}
