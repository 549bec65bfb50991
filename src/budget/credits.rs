//! How much room the API has: what it told, what came back since, and what is kept back for others.

use super::millis::Millis;
use super::settings::{Lane, SLACK, WINDOW};
use super::state::Observation;
use super::take::{Budget, percent};

/// Never keep back more of a window than this part for other clients.
pub(super) const SHARE_OF_OTHERS: u32 = 2;

impl Budget {
    /// Returns how many requests `lane` may still send; nothing when the API does not tell.
    pub(super) fn credits(&self, now: Millis, lane: Lane) -> Option<i64> {
        let left = i64::from(self.left(now)?) - i64::from(self.state.in_flight());
        let window = self.window();
        let floor = self.config.floor(lane, window);
        Some(left - i64::from(self.kept_back(lane)) - i64::from(floor))
    }

    /// The same without what is only foreseen.
    pub(super) fn told_credits(&self, now: Millis, lane: Lane) -> Option<i64> {
        let foreseen = self.state.observation.map_or(0, |seen| self.freed(now, &seen));
        Some(self.credits(now, lane)? - i64::from(foreseen))
    }

    /// Returns the size of the API's window: the limit, until Remaining has shown better. Where hits
    /// slide, others may be in it all the time, so the largest Remaining shows nothing.
    pub(super) fn window(&self) -> u32 {
        let limit = self.config.limit();
        if self.state.memory.outlasts_turns() {
            return self.state.others.largest(limit).max(limit);
        }
        self.state.others.window(limit)
    }

    /// Returns what the API has left: what it said, and what came back since.
    pub(super) fn left(&self, now: Millis) -> Option<u32> {
        let seen = self.state.observation.as_ref()?;
        let remaining = seen.remaining?;
        let per_second = self.state.refill.per_second().unwrap_or(0.0);
        let refilled = (now.since(seen.at).as_secs_f64() * per_second) as u32;
        let freed = self.freed(now, seen);
        let most = self.state.others.largest(self.config.limit()).max(remaining);
        Some(remaining.saturating_add(refilled.max(freed)).min(most))
    }

    /// Returns how many of our own requests the API has forgotten since then, each by itself.
    fn freed(&self, now: Millis, seen: &Observation) -> u32 {
        if !self.state.memory.slides() {
            return 0;
        }
        let still = self.state.own(now).saturating_sub(self.state.own_since(seen.at));
        seen.own.saturating_sub(still)
    }

    /// Returns what is kept back for what other clients are expected to use yet, and for surprise.
    fn kept_back(&self, lane: Lane) -> u32 {
        if lane == Lane::Urgent {
            return 1;
        }
        let others = &self.state.others;
        let window = others.largest(self.config.limit()).min(self.config.limit());
        let most = window / SHARE_OF_OTHERS;
        if !others.is_known() {
            return percent(window, 3).max(1);
        }
        let expected = others.expected(window).min(most);
        // Where hits slide, theirs take the places of their own of a minute ago.
        let spread = if self.state.memory.slides() { 1.5 } else { 2.5 };
        let surprise = percent(window, 2).max((spread * f64::from(expected).sqrt()) as u32).max(1);
        (expected.saturating_sub(others.used) + surprise).min(most)
    }

    /// Returns the limit we go by: the configured one, less what refusals have taught us.
    pub(super) fn believed(&self) -> u32 {
        self.config.limit().saturating_sub(self.state.withheld).max(1)
    }

    /// When so many of our own requests are a minute old, where the API forgets each by itself.
    pub(super) fn freed_at(&self, missing: i64) -> Option<Millis> {
        if !self.state.memory.slides() {
            return None;
        }
        let first = self.state.sent.len() - self.state.own(self.state.latest) as usize;
        let last = usize::try_from(missing).ok()?.checked_sub(1)?;
        Some(self.state.sent.get(first + last)?.plus(WINDOW + SLACK))
    }
}
