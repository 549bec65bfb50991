//! How the API forgets what we sent: all of it when its window turns, or each request by itself.
//!
//! Reset does not tell. A limiter may let each request leave its count a minute after itself and
//! announce a window that turns as a whole (the commonest one of NestJS does). Who believes Reset
//! then takes its own requests for those of another client. So the requests of the whole last minute
//! are counted as still counted there, until Remaining shows that some were forgotten.

use serde::{Deserialize, Serialize};

/// From this share of the limit on, in per cent, what we sent shows whether it was forgotten.
const TELLING_PERCENT: u32 = 5;

/// How many turns of the announced window in a row must have forgotten nothing before room is counted
/// on that each request leaves behind. In the moment of one, another client may have taken as much as
/// was forgotten.
const TURNS: u32 = 2;

/// What is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LearnedMemory {
    /// How many turns in a row have forgotten nothing.
    kept: u32,
}

/// What one answer shows of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    /// Remaining, as the answer has it.
    pub remaining: u32,
    /// The largest window there can be.
    pub window: u32,
    /// Our own requests before this one that a count of the last minute holds for sure.
    pub counted: u32,
    /// Whether the time has passed that Reset told, so that a window had turned.
    pub has_turned: bool,
}

impl LearnedMemory {
    /// Says whether the last turn forgot nothing: then our own requests of the whole last minute are
    /// counted before others are believed in.
    pub fn outlasts_turns(&self) -> bool {
        self.kept > 0
    }

    /// Says whether each request is forgotten a minute after it was counted.
    pub fn slides(&self) -> bool {
        self.kept >= TURNS
    }

    /// Forgets what was known: it led to a refusal.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Compares what is left with what we sent in the last minute.
    pub fn observe(&mut self, evidence: Evidence) {
        let Evidence { remaining, window, counted, has_turned } = evidence;
        let is_telling = counted >= (window * TELLING_PERCENT).div_ceil(100);
        if remaining.saturating_add(counted) > window {
            // More is left than there could be if all of these were still counted.
            self.kept = 0;
        } else if has_turned && is_telling {
            self.kept = self.kept.saturating_add(1);
        }
    }
}
