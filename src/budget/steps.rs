//! What a limiter in front of the API has taught: that requests must leave in even steps.
//!
//! An ingress may let one request through each fifth of a second, whatever the API has left, as
//! nginx's `limit_req` does. Nothing tells of it but its refusals, so what they taught is kept over
//! processes, for an hour.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::limits::ParsedLimits;
use super::millis::Millis;
use super::settings::{Lane, WINDOW};
use super::state::{InFlight, Permit};
use super::take::{Budget, Obstacle, Want, Why, percent};

/// The longest step. A write leaves within a second and a half of its look (S10).
const STEP_MAX: Duration = Duration::from_secs(1);

/// How long the step is believed after the last refusal that taught it.
const KEPT: Duration = Duration::from_secs(3_600);

/// How much later a request goes that nobody waits for, so that the urgent lane is before it.
const AFTER_URGENT: Duration = Duration::from_millis(10);

/// How much of the largest window seen must be left for a refusal not to be that of the API's own
/// count, in per cent.
const PLENTY_PERCENT: u32 = 10;

/// The step that was learned, if one was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Steps {
    every: Duration,
    until: Millis,
}

impl Steps {
    /// Returns the least time between two requests, while it is believed.
    pub fn every(&self, now: Millis) -> Option<Duration> {
        (now < self.until).then_some(self.every)
    }

    /// Takes note of a refusal of a request that left so long after the one before it. `usual` is the
    /// step of an even limit.
    fn refused(&mut self, now: Millis, gap: Duration, usual: Duration) {
        let every = match self.every(now) {
            // Networks do not keep the distance: a quarter more than was asked for.
            None => usual.max(gap) * 5 / 4,
            Some(every) if gap >= every * 9 / 10 => every * 6 / 5,
            Some(every) => every,
        };
        self.every = every.min(STEP_MAX);
        self.until = now.plus(KEPT);
    }
}

impl Budget {
    /// Learns from a refusal that another limiter than the API's count must have made; says whether
    /// it was one.
    pub(super) fn learn_steps(
        &mut self,
        now: Millis,
        permit: &Permit,
        reading: ParsedLimits,
    ) -> bool {
        let told = reading.retry_in.max(reading.reset_in).unwrap_or_default();
        let gap = self.gap(permit);
        // One that left alone, or is told to wait for longer, is not explained by steps.
        if gap >= STEP_MAX || told > STEP_MAX || !self.is_of_another(now, reading) {
            return false;
        }
        let usual = WINDOW / self.config.limit();
        self.state.steps.refused(now, gap, usual);
        true
    }

    /// Whether the API's own count cannot be what refused: it tells that plenty is left, or this
    /// answer is none of the API's.
    pub(super) fn is_of_another(&self, now: Millis, reading: ParsedLimits) -> bool {
        if reading.remaining == Some(0) {
            return false;
        }
        let limit = self.config.limit();
        let window = self.state.others.largest(limit).min(limit);
        let plenty = self.state.in_flight() + percent(window, PLENTY_PERCENT);
        !reading.is_refusal || self.left(now).is_some_and(|left| left > plenty)
    }

    /// Returns how long after the request before it this one left.
    fn gap(&self, permit: &Permit) -> Duration {
        let until = self.state.sent.partition_point(|sent| *sent <= permit.sent_at);
        let before = until.checked_sub(2).and_then(|place| self.state.sent.get(place));
        before.map_or(STEP_MAX, |before| permit.sent_at.since(*before))
    }

    /// A limiter in front of the API lets requests through in steps only.
    pub(super) fn stepped(&self, now: Millis, lane: Lane, want: Want) -> Obstacle {
        let every = self.state.steps.every(now)?;
        // A place leaves nothing yet; it keeps its distance when it departs.
        let last = *self.state.sent.back().filter(|_| want != Want::Place)?;
        // The write that rests on a look goes before everything else.
        let is_awaited = |flight: &InFlight| {
            flight.is_reserved && now.since(flight.sent_at) < STEP_MAX.saturating_mul(2)
        };
        let steps = if self.state.flights.iter().any(is_awaited) { 2 } else { 1 };
        let after = if lane == Lane::Urgent { Duration::ZERO } else { AFTER_URGENT };
        let until = last.plus(every * steps + after);
        (now < until).then_some((until, Why::Spread))
    }

    /// Whether the step is over since a request left, for one that has its place already.
    pub(super) fn may_step(&self, now: Millis) -> bool {
        let last = self.state.sent.back().copied().unwrap_or_default();
        self.state.steps.every(now).is_none_or(|every| now.since(last) >= every)
    }
}
