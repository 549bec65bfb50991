//! Whose turn it is, where several processes spend from one budget: who was told to wait for room for
//! several requests at once finds it before those that came later.
//!
//! Without turns a look that needs a place for its write as well might never find two. Where requests
//! become free one by one, a process that needs one at a time takes each of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::millis::Millis;
use super::settings::Lane;
use super::take::{Budget, Why};

/// How long after the time it was told a process may come back and still has its turn; one that was
/// killed must not be waited for any longer.
const LATE_MAX: Duration = Duration::from_secs(2);

/// A process that was told to wait for room for several requests at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Turn {
    session: u64,
    lane: Lane,
    /// How many requests it needs at once.
    requests: u32,
    since: Millis,
    /// When it was told to come back.
    until: Millis,
}

impl Turn {
    pub fn is_due(&self, now: Millis) -> bool {
        now <= self.until.plus(LATE_MAX)
    }
}

impl Budget {
    /// Returns how many requests those need that have waited longer, no less urgently.
    pub(super) fn ahead(&self, now: Millis, session: u64, lane: Lane) -> u32 {
        let turns = &self.state.turns;
        let own = turns.iter().find(|turn| turn.session == session);
        let is_older =
            |turn: &Turn| own.is_none_or(|own| (turn.since, turn.session) < (own.since, session));
        let ahead = turns.iter().filter(|turn| {
            turn.session != session && turn.lane <= lane && turn.is_due(now) && is_older(turn)
        });
        ahead.map(|turn| turn.requests).sum()
    }

    /// Notes who was told to wait for room. Who needs one request needs no turn: it finds room as soon
    /// as anybody does. A server that has refused, or is asked by one request alone, is the same for
    /// all.
    pub(super) fn queue(
        &mut self,
        now: Millis,
        session: u64,
        (lane, requests): (Lane, u32),
        obstacle: (Millis, Why),
    ) {
        let (until, why) = obstacle;
        if requests < 2 || !matches!(why, Why::Rate | Why::Remaining) {
            return;
        }
        let turns = &mut self.state.turns;
        match turns.iter_mut().find(|turn| turn.session == session) {
            Some(turn) => {
                turn.lane = turn.lane.min(lane);
                turn.requests = turn.requests.max(requests);
                turn.until = turn.until.max(until);
            }
            None => turns.push(Turn { session, lane, requests, since: now, until }),
        }
    }

    /// Notes who had its turn. One that waits for more at once goes on waiting.
    pub(super) fn served(&mut self, session: u64, requests: u32) {
        self.state.turns.retain(|turn| turn.session != session || turn.requests > requests);
    }
}
