//! In which steps requests leave where more of them could: work longer than a window, background work,
//! and what a limiter in front of the API has taught.

use std::time::Duration;

use super::millis::Millis;
use super::settings::{Lane, WINDOW};
use super::state::{BudgetSession, Run};
use super::take::{Budget, Obstacle, Why};

impl Budget {
    /// An API that has refused us and does not tell what is left may be a small bucket.
    pub(super) fn smooth(&self, now: Millis, lane: Lane) -> Obstacle {
        let tells = self.state.observation.is_some_and(|seen| seen.remaining.is_some());
        if tells || lane == Lane::Urgent || now >= self.state.refusals.smooth_until {
            return None;
        }
        let until = self.state.sent.back()?.plus(WINDOW / self.believed());
        (now < until).then_some((until, Why::Spread))
    }

    /// Work longer than a window leaves evenly, as far as that does not make it end later.
    ///
    /// The n-th request waits for the one `rate` before it anyway, also where that was another
    /// process'. So those that the last, partly filled window will need leave at once in each window,
    /// and the rest has until its end.
    pub(super) fn paced(&self, now: Millis, session: &BudgetSession) -> Obstacle {
        let rate = self.config.rate();
        let Run { before, window_began } = self.run(now, session);
        let last_window = (before + session.expected).checked_sub(1)? % rate + 1;
        let is_over = session.converged >= session.expected;
        let spread = ((before + session.converged) % rate + 1).checked_sub(last_window)?;
        if is_over || spread == 0 {
            return None;
        }
        let interval = WINDOW / (rate - last_window + 1);
        // Where the API was slow, catch up, but not in a burst.
        let on_time = window_began.plus(interval * spread);
        let until = on_time.max(session.last_converge.plus(interval / 2));
        (now < until).then_some((until, Why::Spread))
    }

    /// Returns what work in the converge lane goes on with: what was begun in this minute, where it
    /// is its first request.
    pub(super) fn run(&self, now: Millis, session: &BudgetSession) -> Run {
        if session.converged > 0 {
            return session.run;
        }
        let before = self.state.own(now);
        let first = self.state.sent.len() - before as usize;
        Run { before, window_began: self.state.sent.get(first).copied().unwrap_or(now) }
    }

    /// Background work has time: what is left is spread until Reset.
    pub(super) fn spread(&self, now: Millis) -> Obstacle {
        let lane = Lane::Background;
        let seen = self.state.observation.as_ref()?;
        let left = seen.reset_at.map_or(Duration::ZERO, |reset_at| reset_at.since(now));
        let allowed = self.config.rate() - self.config.floor(lane, self.config.rate());
        let (span, share) = match self.credits(now, lane) {
            Some(credits) if !left.is_zero() => (left, credits.max(1)),
            _ => (WINDOW, i64::from(allowed.max(1))),
        };
        let interval = span.div_f64(share as f64);
        let until = self.state.last_background.plus(interval);
        (now < until).then_some((until, Why::Spread))
    }
}
