//! S4: at most so many requests of one state directory in any minute, over its lives; and none while
//! the API has told it to wait.

use std::collections::VecDeque;

use super::super::law::{Findings, Law};

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
    /// When a process began whose clock differs from that of the one before it: it cannot tell that
    /// from time that has passed.
    leaps: Vec<u64>,
    off_ms: i64,
}

impl Traffic {
    /// Notes that a process begins, with a clock that is off by so much.
    pub fn begin(&mut self, at: u64, clock_off_ms: i64) {
        if clock_off_ms != self.off_ms {
            self.off_ms = clock_off_ms;
            self.leaps.push(at);
        }
    }

    fn leapt(&self, from: u64, to: u64) -> bool {
        self.leaps.iter().any(|leap| (from..=to).contains(leap))
    }
}

pub(super) fn judge(process: usize, traffic: &Traffic, rate: u32, findings: &mut Findings) {
    judge_minutes(process, traffic, rate, findings);
    judge_freezes(process, traffic, findings);
}

fn judge_minutes(process: usize, traffic: &Traffic, rate: u32, findings: &mut Findings) {
    let rate = usize::try_from(rate).unwrap_or(usize::MAX);
    let near = rate * NEAR_PERCENT as usize / 100;
    let mut window = VecDeque::new();
    let mut counted_until = 0;
    for at in &traffic.sent {
        let since = window.front().copied().unwrap_or(*at);
        // What two of different clocks wrote down lies side by side for a minute.
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

fn judge_freezes(process: usize, traffic: &Traffic, findings: &mut Findings) {
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
        let mut findings = Findings::default();
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
    fn a_clock_that_is_ahead_excuses_once() {
        let mut traffic = Traffic { freezes: vec![(1_000, 31_000)], ..Traffic::default() };
        traffic.begin(2_000, 20_000);
        traffic.sent = vec![12_000];
        assert_eq!(broken(&traffic), 0);
        let mut later = Traffic { freezes: vec![(3_000, 33_000)], ..traffic };
        later.begin(4_000, 20_000);
        assert_eq!(broken(&later), 1);
    }
}
