//! How long so many requests will take, and what is left: for plans and for `doctor`.
//!
//! The forecast runs the budget itself on a time of its own, so it cannot differ from it.

use std::time::Duration;

use super::limits::Limits;
use super::millis::Millis;
use super::settings::{Lane, SLACK, WINDOW};
use super::state::BudgetSession;
use super::take::{Budget, Verdict};

/// How many windows are run through; what is more is taken to go on in the same way.
const WINDOWS_MAX: u32 = 12;

/// How the budget stands, for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetView {
    /// How many requests the API allows in a minute, as far as we know.
    pub limit: u32,
    /// How many of them are left, as far as we know.
    pub remaining: u32,
    /// How many we sent in the last minute.
    pub used: u32,
    /// Until when the API's refusal holds everything back.
    pub frozen_until: Option<Millis>,
    /// Since when every answer says that nothing is left, by refusing or to one look after another.
    pub short_since: Option<Millis>,
}

impl std::fmt::Display for BudgetView {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The instant is for programs: a caller who knows the time can say "in 20 s".
        let Self { limit, remaining, used: _, frozen_until: _, short_since: _ } = self;
        write!(formatter, "{remaining} of {limit} left this minute")
    }
}

impl Budget {
    /// Returns how the budget stands.
    #[must_use]
    pub fn view(&self, now: Millis) -> BudgetView {
        let now = self.state.latest.max(now);
        let limit = self.believed();
        let used = self.state.own_since(now.minus(WINDOW));
        let by_count = limit.saturating_sub(used);
        let is_current = |reset_at: Option<Millis>| reset_at.is_none_or(|reset_at| now < reset_at);
        let seen = self.state.observation.filter(|seen| is_current(seen.reset_at));
        let left = seen.and_then(|_| self.left(now));
        let remaining = left.map_or(by_count, |left| left.saturating_sub(self.state.in_flight()));
        let frozen_until = self.state.refusals.frozen_until;
        BudgetView {
            limit,
            remaining: remaining.min(limit),
            used,
            frozen_until: (now < frozen_until).then_some(frozen_until),
            short_since: self
                .state
                .shortage
                .filter(|shortage| shortage.is_known(now))
                .map(|shortage| shortage.since),
        }
    }

    /// Returns how long it will take until `requests` in the converge lane have left, if nobody
    /// else uses the token from now on and answers come at once.
    #[must_use]
    pub fn forecast(&self, requests: u32, now: Millis, session: &BudgetSession) -> Duration {
        let mut budget = self.clone();
        let start = budget.state.advance(now);
        let mut api = Api::of(&budget, start);
        let most = self.config.rate().saturating_mul(WINDOWS_MAX);
        let mut session = session.clone();
        let mut time = start;
        for _ in 0..requests.min(most) {
            time = budget.send_one(time, &mut session, &mut api);
        }
        // Beyond that, whole windows.
        let windows = requests.saturating_sub(most).div_ceil(self.config.rate());
        time.since(start) + (WINDOW + SLACK).saturating_mul(windows)
    }

    fn send_one(&mut self, mut time: Millis, session: &mut BudgetSession, api: &mut Api) -> Millis {
        loop {
            match self.take(time, session, Lane::Converge) {
                Verdict::Go(permit) => {
                    let limits = api.answer(time);
                    self.learn(time, &permit, &limits);
                    return time;
                }
                Verdict::Wait { until, why: _ } => time = until,
            }
        }
    }
}

/// The API as the forecast expects it: a fixed window that agrees with the last answer.
struct Api {
    limit: u32,
    remaining: u32,
    reset_at: Millis,
}

impl Api {
    fn of(budget: &Budget, now: Millis) -> Self {
        let limit = budget.window();
        let seen =
            budget.state.observation.and_then(|seen| Some((seen.remaining?, seen.reset_at?)));
        match seen {
            Some((remaining, reset_at)) if now < reset_at => Self { limit, remaining, reset_at },
            _ => Self { limit, remaining: limit, reset_at: now.plus(WINDOW) },
        }
    }

    fn answer(&mut self, now: Millis) -> Limits {
        if self.reset_at <= now {
            self.reset_at = now.plus(WINDOW);
            self.remaining = self.limit;
        }
        self.remaining = self.remaining.saturating_sub(1);
        Limits {
            status: 200,
            remaining: Some(self.remaining.to_string()),
            reset: Some(self.reset_at.since(now).as_secs_f64().to_string()),
            ..Limits::default()
        }
    }
}
