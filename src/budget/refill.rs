//! Whether the API refills its window bit by bit, as a bucket does, instead of all at once.
//!
//! A bucket tells in Reset when it will be full, so each request pushes Reset further away.
//! A window's Reset stands still. Knowing which it is, we need not wait for a full bucket.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::millis::Millis;
use super::settings::WINDOW;

/// How far Reset must move before it is believed: rounding moves it by one second at most.
const MOVE_MIN: Duration = Duration::from_secs(2);

/// How long two observations are compared; later, the window may have turned between them.
const COMPARE_MAX: Duration = Duration::from_secs(10);

/// How much of the refill is counted on.
const TRUST: f64 = 0.95;

/// What is known about a refill.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Refill {
    /// Requests a second, once it is known.
    per_second: Option<f64>,
    /// The observation that later ones are compared with.
    baseline: Option<Baseline>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Baseline {
    at: Millis,
    remaining: u32,
    reset_in: Duration,
}

impl Refill {
    /// Returns how many requests a second come back, when that is known.
    pub fn per_second(&self) -> Option<f64> {
        self.per_second.map(|rate| rate * TRUST)
    }

    /// Forgets what was known: it led to a refusal.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Compares an observation with an earlier one; `limit` is the believed one of a window.
    pub fn observe(&mut self, now: Millis, remaining: u32, reset_in: Duration, limit: u32) {
        let usual = f64::from(limit) / WINDOW.as_secs_f64();
        let is_comparable =
            |base: &Baseline| now.since(base.at) <= COMPARE_MAX && remaining <= base.remaining;
        let Some(base) = self.baseline.as_ref().filter(|base| is_comparable(base)) else {
            self.baseline = Some(Baseline { at: now, remaining, reset_in });
            return;
        };
        let moved = reset_in.saturating_sub(base.reset_in);
        if moved < MOVE_MIN {
            return;
        }
        let rate = f64::from(base.remaining - remaining) / moved.as_secs_f64();
        // Between half and twice what the limit comes to; anything else is not a refill.
        if (usual / 2.0..=usual * 2.0).contains(&rate) {
            self.per_second = Some(rate.min(usual));
        }
    }
}
