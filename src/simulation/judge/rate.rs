//! S4: at most so many requests of one state directory in any minute, over its lives.

use std::collections::{BTreeMap, VecDeque};

use super::super::law::{Findings, Law};

const MINUTE_MS: u64 = 60_000;

/// From this share of the rate on, in percent, a minute is one in which it could be exceeded.
const NEAR_PERCENT: u32 = 60;

/// `jumps` are the times at which the clock of the machine jumped: a process that begins after one
/// cannot tell it from time that has passed, so the minute around it is not judged.
pub(super) fn judge(
    sent: &BTreeMap<usize, Vec<u64>>,
    jumps: &[u64],
    rate: u32,
    findings: &mut Findings,
) {
    let rate = usize::try_from(rate).unwrap_or(usize::MAX);
    let near = rate * NEAR_PERCENT as usize / 100;
    for (process, times) in sent {
        let mut window = VecDeque::new();
        let mut counted_until = 0;
        for at in times {
            let since = window.front().copied().unwrap_or(*at);
            if jumps.iter().any(|jump| (since..=*at).contains(jump)) {
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
}
