//! S4: at most so many requests of one state directory in any minute, over its lives; and none while
//! the API has told it to wait.

use std::collections::VecDeque;

use super::super::law::{Law, LawFindings};
use super::super::witness::Machine;

const MINUTE_MS: u64 = 60_000;

/// From this share of the rate on, in percent, a minute is one in which it could be exceeded.
const NEAR_PERCENT: u32 = 60;

/// How much too early nobody can be told from in time: clocks count whole milliseconds.
const TOLERANCE_MS: u64 = 50;

/// What all processes of one state directory sent, and were told.
#[derive(Default)]
pub(super) struct Traffic {
    /// When a request was sent that reached the platform.
    pub sent: Vec<u64>,
    /// From when to when they were told to wait.
    pub freezes: Vec<(u64, u64)>,
    /// When the machine was started anew with another clock than it had: nothing tells that from
    /// time that has passed.
    leaps: Vec<u64>,
    /// The machine as it was when it was started last.
    machine: Option<Machine>,
}

impl Traffic {
    /// Notes that a process begins.
    pub fn begin(&mut self, at: u64, machine: Machine) {
        let before = *self.machine.get_or_insert(machine);
        if before.boot != machine.boot {
            self.machine = Some(machine);
            if before.clock_off_ms != machine.clock_off_ms {
                self.leaps.push(at);
            }
        }
    }

    fn leapt(&self, from: u64, to: u64) -> bool {
        self.leaps.iter().any(|leap| (from..=to).contains(leap))
    }
}

pub(super) fn judge(process: usize, traffic: &Traffic, rate: u32, findings: &mut LawFindings) {
    judge_minutes(process, traffic, rate, findings);
    judge_freezes(process, traffic, findings);
}

fn judge_minutes(process: usize, traffic: &Traffic, rate: u32, findings: &mut LawFindings) {
    let rate = usize::try_from(rate).unwrap_or(usize::MAX);
    let near = rate * NEAR_PERCENT as usize / 100;
    let mut window = VecDeque::new();
    let mut counted_until = 0;
    for at in &traffic.sent {
        let since = window.front().copied().unwrap_or(*at);
        // What was written down by different clocks lies side by side for a minute.
        if traffic.leapt(since.saturating_sub(MINUTE_MS), *at) {
            window.clear();
        }
        window.push_back(*at);
        while window.front().is_some_and(|first| first + MINUTE_MS <= *at) {
            window.pop_front();
        }
        if window.len() >= near && *at >= counted_until {
            counted_until = at + MINUTE_MS;
            findings.risk(Law::S4);
        }
        if window.len() > rate {
            let count = window.len();
            let how = format!("process {process} sent {count} requests in a minute of {rate}");
            findings.broke(Law::S4, how);
        }
    }
}

fn judge_freezes(process: usize, traffic: &Traffic, findings: &mut LawFindings) {
    for (from, until) in &traffic.freezes {
        let place = traffic.sent.partition_point(|at| at <= from);
        // Who sends nothing any more waits long enough.
        let next = traffic.sent.get(place).copied().unwrap_or(*until);
        let is_early = next + TOLERANCE_MS < *until && !traffic.leapt(*from, next);
        findings.check(Law::S4, !is_early, || {
            let told = until - from;
            format!("process {process} was told to wait {told} ms, and waited {}", next - from)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(traffic: &Traffic) -> usize {
        let mut findings = LawFindings::default();
        judge(0, traffic, 10, &mut findings);
        findings.of(Law::S4).broken.len()
    }

    #[test]
    fn who_is_told_to_wait_sends_nothing_until_then_whichever_life_it_is() {
        let traffic = |sent: &[u64]| Traffic {
            sent: sent.to_vec(),
            freezes: vec![(1_000, 31_000)],
            ..Traffic::default()
        };
        assert_eq!(broken(&traffic(&[900, 1_000, 31_000])), 0);
        assert_eq!(broken(&traffic(&[900, 1_001, 31_000])), 1);
        assert_eq!(broken(&traffic(&[900, 30_000])), 1);
        assert_eq!(broken(&traffic(&[900])), 0);
    }

    #[test]
    fn a_clock_that_is_set_excuses_only_with_a_machine_that_was_started_anew() {
        let waited_less = |boots: [u32; 2]| {
            let mut traffic = Traffic { freezes: vec![(1_000, 31_000)], ..Traffic::default() };
            traffic.begin(500, Machine { boot: boots[0], clock_off_ms: 0 });
            traffic.begin(2_000, Machine { boot: boots[1], clock_off_ms: 20_000 });
            traffic.sent = vec![12_000];
            broken(&traffic)
        };
        assert_eq!(waited_less([0, 0]), 1);
        assert_eq!(waited_less([0, 1]), 0);
    }
}
