//! What the budget remembers. It is one serialisable value, so that it can be kept on disk.
//!
//! No decision is taken here.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::memory::LearnedMemory;
use super::millis::Millis;
use super::others::OtherClients;
use super::refill::Refill;
use super::settings::{SLACK, WINDOW};
use super::steps::Steps;
use super::turns::Turn;

/// How long a request is remembered: a window, and the rounding of Reset.
const MEMORY: Duration = Duration::from_millis(63_000);

/// How long a request without an answer counts as in flight.
///
/// Longer than any sensible request; a process that was killed leaves such requests behind.
const FLIGHT_MAX: Duration = Duration::from_secs(30);

/// Everything a budget remembers, without its configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The latest instant seen. Time never runs backwards in here.
    pub(super) latest: Millis,
    /// When our own requests left, oldest first.
    pub(super) sent: VecDeque<Millis>,
    /// Requests without an answer yet.
    pub(super) flights: Vec<InFlight>,
    pub(super) next_id: u64,
    /// What the latest answer said.
    pub(super) observation: Option<Observation>,
    pub(super) others: OtherClients,
    #[serde(default)]
    pub(super) memory: LearnedMemory,
    pub(super) refill: Refill,
    #[serde(default)]
    pub(super) steps: Steps,
    pub(super) refusals: RefusalEpisode,
    /// How many requests below the configured limit we stay since the last refusals.
    pub(super) withheld: u32,
    /// Good answers since `withheld` last shrank.
    pub(super) good_answers: u32,
    /// How many looks in a row found nothing left.
    pub(super) dry_looks: u32,
    /// The time in which every answer told that nothing is left.
    #[serde(default)]
    pub(super) shortage: Option<Shortage>,
    pub(super) last_background: Millis,
    pub(super) starts: Vec<ProcessStart>,
    /// Who was told to wait for room for several requests at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) turns: Vec<Turn>,
}

/// One request on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct InFlight {
    pub id: u64,
    pub session: u64,
    pub sent_at: Millis,
    /// Whether it has its place and has not left yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_reserved: bool,
}

/// What one answer said about the API's own count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Observation {
    pub at: Millis,
    /// Nothing when the answer did not say.
    pub remaining: Option<u32>,
    pub reset_at: Option<Millis>,
    /// How many of our own requests a count of the last minute held then.
    #[serde(default)]
    pub own: u32,
}

/// From when to when every answer was a refusal, or to a look that found nothing left again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Shortage {
    pub since: Millis,
    pub last: Millis,
}

impl Shortage {
    /// How long after its last answer nobody knows any more: longer than any wait for a look.
    const KNOWN: Duration = Duration::from_secs(180);

    /// Returns the shortage that goes on at `now`, or one that begins.
    pub(super) fn at(now: Millis, before: Option<Self>) -> Self {
        let since = before.filter(|before| before.is_known(now)).map(|before| before.since);
        Self { since: since.unwrap_or(now), last: now }
    }

    pub(super) fn is_known(self, now: Millis) -> bool {
        now.since(self.last) <= Self::KNOWN
    }
}

/// The current or last episode of refusals.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RefusalEpisode {
    /// Since when; refusals of requests sent before that belong to the same episode.
    pub since: Millis,
    /// How many in a row came after a freeze. Zero: no episode.
    pub failures: u32,
    pub frozen_until: Millis,
    /// Until when an API that does not tell what is left gets no bursts.
    pub smooth_until: Millis,
}

/// One start of a process that has not yet ended in an orderly way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ProcessStart {
    pub session: u64,
    pub at: Millis,
    pub ready_at: Millis,
}

/// One run of one process on this budget. It lives in the process and is not kept on disk.
#[derive(Debug, Clone)]
pub struct BudgetSession {
    pub(super) id: u64,
    /// How many requests the converge lane was said to need in all.
    pub(super) expected: u32,
    /// How many of them have left, and when the last one did.
    pub(super) converged: u32,
    pub(super) last_converge: Millis,
    pub(super) run: Run,
}

/// What the work of a session goes on with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Run {
    /// How many requests had left in the minute before it, whoever sent them.
    pub before: u32,
    /// When the window that it is in began, as it counts them.
    pub window_began: Millis,
}

impl BudgetSession {
    /// Says that the converge lane is about to need so many requests more.
    ///
    /// Then work that takes longer than a window is spread over it, so that other clients of the
    /// token find room; it does not end later for that. Without it, all leaves as soon as it may.
    pub fn expect(&mut self, requests: u32) {
        let open = self.expected.saturating_sub(self.converged);
        self.expected = open.saturating_add(requests);
        self.converged = 0;
    }
}

/// Leave to send one request, now.
///
/// Hand it back with what became of the request; a permit that is never handed back counts as a
/// request that is still on its way, then as one that was sent.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit is counted as a request sent"]
pub struct Permit {
    pub(super) id: u64,
    pub(super) sent_at: Millis,
    /// The server was last seen with nothing left, and this request finds out whether it still is.
    pub(super) is_look: bool,
}

impl State {
    /// Returns the state after a full window of requests at `now`.
    ///
    /// What a file that cannot be read stands for: nothing is known, so the worst is assumed.
    #[must_use]
    pub fn exhausted(now: Millis, rate: u32) -> Self {
        let sent = (0..rate).map(|_| now).collect();
        // No permit of before may be taken for one of after.
        Self { latest: now, sent, next_id: now.0, ..Self::default() }
    }

    /// Returns the latest instant seen.
    #[must_use]
    pub fn latest(&self) -> Millis {
        self.latest
    }

    /// Moves to `now`, or stands still when `now` is in the past, and returns where it is.
    pub(super) fn advance(&mut self, now: Millis) -> Millis {
        self.latest = self.latest.max(now);
        let now = self.latest;
        while self.sent.front().is_some_and(|sent| now.since(*sent) > MEMORY) {
            self.sent.pop_front();
        }
        self.flights.retain(|flight| now.since(flight.sent_at) <= FLIGHT_MAX);
        self.turns.retain(|turn| turn.is_due(now));
        now
    }

    /// Returns our own requests that may still count against us somewhere.
    pub(super) fn own(&self, now: Millis) -> u32 {
        self.own_since(now.minus(WINDOW + SLACK))
    }

    /// Returns our own requests that left after `start`.
    pub(super) fn own_since(&self, start: Millis) -> u32 {
        let first = self.sent.partition_point(|sent| *sent <= start);
        count(self.sent.len() - first)
    }

    /// Returns how many requests are on their way.
    pub(super) fn in_flight(&self) -> u32 {
        count(self.flights.len())
    }
}

/// Returns a length as the budget counts.
pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
