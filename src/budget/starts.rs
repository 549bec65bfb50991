//! Starts and ends of processes: a crash loop must not burn the budget.
//!
//! Only a start without an orderly end counts, so a person may run the command as often as
//! they like.

use std::time::Duration;

use super::millis::Millis;
use super::state::{BudgetSession, ProcessStart, Run, count};
use super::take::Budget;

/// How long a start without an end is remembered.
const MEMORY: Duration = Duration::from_secs(600);

/// How many such starts are let through at once: a crash, a second try, a third by hand.
const FREE_STARTS: u32 = 3;

/// The longest delay of a start.
const DELAY_MAX: Duration = Duration::from_secs(300);

impl Budget {
    /// Begins the run of a process.
    ///
    /// The fourth start in ten minutes without an orderly end waits 2 s, the next 4, 8 … 300 s.
    /// The urgent lane does not wait: it may be the person who has come to repair it.
    pub fn begin(&mut self, now: Millis) -> BudgetSession {
        let now = self.state.advance(now);
        self.state.starts.retain(|start| now.since(start.at) < MEMORY);
        let id = self.state.next_id;
        self.state.next_id += 1;
        let ready_at = now.plus(delay(count(self.state.starts.len())));
        self.state.starts.push(ProcessStart { session: id, at: now, ready_at });
        BudgetSession {
            id,
            expected: 0,
            converged: 0,
            last_converge: Millis(0),
            run: Run::default(),
        }
    }

    /// Ends the run in an orderly way: its start no longer counts.
    pub fn end(&mut self, session: &BudgetSession) {
        self.state.starts.retain(|start| start.session != session.id);
        self.served(session.id, u32::MAX);
    }

    /// Returns until when the run waits for its start.
    pub(super) fn ready_at(&self, session: &BudgetSession) -> Millis {
        let start = self.state.starts.iter().find(|start| start.session == session.id);
        start.map_or(Millis(0), |start| start.ready_at)
    }
}

fn delay(starts_before: u32) -> Duration {
    match (starts_before + 1).checked_sub(FREE_STARTS) {
        None | Some(0) => Duration::ZERO,
        Some(doublings) => Duration::from_secs(1 << doublings.min(10)).min(DELAY_MAX),
    }
}
