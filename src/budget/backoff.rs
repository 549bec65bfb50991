//! When to repeat a request that failed on the server's side: full jitter, doubling, a deadline.
//!
//! The only module that names the `backoff` crate, and only its trait: the crate is no longer
//! maintained, its clock cannot be told the time and its jitter cannot be seeded.
//! Whether a request *may* be repeated is not decided here.

use std::time::Duration;

use backoff::backoff::Backoff;

use super::learn::fraction;
use super::millis::Millis;

/// The upper end of the first wait.
const FIRST: Duration = Duration::from_secs(1);

/// The upper end of every later wait.
const LAST: Duration = Duration::from_secs(300);

/// The waits between the tries of one request.
#[derive(Debug, Clone)]
pub struct Retries {
    waits: FullJitter,
    deadline: Millis,
}

impl Retries {
    /// Returns the waits for one request; no try begins after `deadline`.
    ///
    /// The seed differs between requests, so that those that failed together do not come back
    /// together.
    #[must_use]
    pub fn new(seed: u64, deadline: Millis) -> Self {
        Self { waits: FullJitter { seed, failures: 0 }, deadline }
    }

    /// Returns when to try again after a failure at `now`, or nothing when it is too late.
    ///
    /// `told` is what the server asked for, if it did; it never makes the deadline later.
    pub fn next(&mut self, now: Millis, told: Option<Duration>) -> Option<Millis> {
        let wait = self.waits.next_backoff()?;
        let again_at = now.plus(wait.max(told.unwrap_or_default()));
        (again_at <= self.deadline).then_some(again_at)
    }

    /// Starts over: the request succeeded.
    pub fn succeeded(&mut self) {
        self.waits.reset();
    }
}

/// A wait drawn evenly from zero to an end that doubles.
#[derive(Debug, Clone)]
struct FullJitter {
    seed: u64,
    failures: u32,
}

impl Backoff for FullJitter {
    fn reset(&mut self) {
        self.failures = 0;
    }

    fn next_backoff(&mut self) -> Option<Duration> {
        let end = FIRST.saturating_mul(1 << self.failures.min(10)).min(LAST);
        self.failures = self.failures.saturating_add(1);
        Some(end.mul_f64(fraction(self.seed, u64::from(self.failures))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Millis = Millis(u64::MAX);

    fn waits(seed: u64, tries: usize) -> Vec<Duration> {
        let mut retries = Retries::new(seed, NEVER);
        let start = Millis(0);
        (0..tries).map(|_| retries.next(start, None).unwrap().since(start)).collect()
    }

    #[test]
    fn no_wait_is_longer_than_an_end_that_doubles_up_to_five_minutes() {
        for seed in 0..100 {
            for (try_number, wait) in waits(seed, 20).into_iter().enumerate() {
                let end = Duration::from_secs(300.min(1 << try_number));
                assert!(wait <= end, "try {try_number} waits {wait:?}");
            }
        }
    }

    #[test]
    fn waits_are_spread_over_their_whole_range() {
        let firsts: Vec<_> = (0..100).map(|seed| waits(seed, 1)[0]).collect();
        assert!(firsts.iter().any(|wait| *wait < Duration::from_millis(100)));
        assert!(firsts.iter().any(|wait| *wait > Duration::from_millis(900)));
    }

    #[test]
    fn on_the_whole_each_wait_is_longer_than_the_one_before_until_five_minutes() {
        let seeds = 200_u64;
        let means = (0..9).map(|try_number| {
            let nth = (0..seeds).map(|seed| waits(seed, 9)[try_number]);
            nth.sum::<Duration>().as_secs_f64() / f64::from(u32::try_from(seeds).unwrap())
        });
        let means: Vec<f64> = means.collect();
        assert!(means.windows(2).all(|pair| pair[1] > 1.5 * pair[0]), "{means:?}");
    }

    #[test]
    fn the_same_seed_waits_the_same_and_another_does_not() {
        assert_eq!(waits(7, 10), waits(7, 10));
        assert_ne!(waits(7, 10), waits(8, 10));
    }

    #[test]
    fn what_the_server_asks_for_is_waited_but_not_past_the_deadline() {
        let asked = Some(Duration::from_secs(30));
        let mut retries = Retries::new(1, Millis(60_000));
        assert_eq!(retries.next(Millis(0), asked), Some(Millis(30_000)));
        assert_eq!(retries.next(Millis(31_000), asked), None);
    }
}
