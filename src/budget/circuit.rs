//! Whether retrying still makes sense: not when half of what we send fails anyway.
//!
//! Retries help against accidents; against an outage they are more load on a server that is down.

use std::collections::VecDeque;

/// How many requests are looked back on.
const MEMORY: usize = 20;

/// How many failures among them stop retries.
const FAILURES_MAX: usize = 10;

/// The last outcomes of requests to one API.
#[derive(Debug, Clone, Default)]
pub struct Circuit {
    outcomes: VecDeque<RequestHealth>,
}

/// What became of a request, as far as the server's health goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestHealth {
    /// Any answer that shows a server at work; a refusal of ours is one.
    Answered,
    /// An answer of 500 and above, or none.
    Failed,
}

impl Circuit {
    /// Takes note of an outcome.
    pub fn record(&mut self, outcome: RequestHealth) {
        self.outcomes.push_back(outcome);
        if self.outcomes.len() > MEMORY {
            self.outcomes.pop_front();
        }
    }

    /// Says whether a failed request may be repeated.
    #[must_use]
    pub fn allows_retry(&self) -> bool {
        let failures = self.outcomes.iter().filter(|outcome| **outcome == RequestHealth::Failed);
        failures.count() < FAILURES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_stop_when_half_of_the_last_twenty_failed_and_return_with_good_answers() {
        let mut circuit = Circuit::default();
        for _ in 0..10 {
            circuit.record(RequestHealth::Answered);
        }
        for _ in 0..9 {
            circuit.record(RequestHealth::Failed);
        }
        assert!(circuit.allows_retry());
        circuit.record(RequestHealth::Failed);
        assert!(!circuit.allows_retry());
        for _ in 0..11 {
            circuit.record(RequestHealth::Answered);
        }
        assert!(circuit.allows_retry());
    }

    #[test]
    fn a_single_failure_at_the_start_does_not_stop_retries() {
        let mut circuit = Circuit::default();
        circuit.record(RequestHealth::Failed);
        assert!(circuit.allows_retry());
    }
}
