//! What failed, and when it is retried. One that always fails never delays the others (L2).
//!
//! Those that failed together, and as often, are retried together: a pass costs a look at the whole
//! platform, however much is written in it. What the token may not do is one cause for all whom it
//! stops, whenever that began: one pass finds out for all of them, and all come back in it when the
//! right does (L1).

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::budget::Millis;
use crate::budget::backoff::Retries;
use crate::model::Key;

/// The least time between a failure and the next try: a pass costs requests.
const PAUSE_MIN: Duration = Duration::from_secs(2);

/// The waits of everything that failed: each by itself, and what was denied as one.
#[derive(Clone, Debug)]
pub struct RetryQueue {
    seed: u64,
    waiting: BTreeMap<Key, Waiting>,
    denied: Rhythm,
}

#[derive(Clone, Debug)]
struct Waiting {
    rhythm: Rhythm,
    failures: u32,
    was_denied: bool,
}

/// Waits that double, with full jitter, up to five minutes.
#[derive(Clone, Debug)]
struct Rhythm {
    retries: Retries,
    until: Timestamp,
}

impl Rhythm {
    fn new(seed: u64) -> Self {
        Self { retries: Retries::new(seed, Millis(u64::MAX)), until: Timestamp::MIN }
    }

    fn failed(&mut self, now: Timestamp) {
        let again = self.retries.next(Millis::from(now), None);
        let spread = again.map_or(Duration::ZERO, |again| again.since(Millis::from(now)));
        self.until = now.checked_add(PAUSE_MIN + spread).unwrap_or(Timestamp::MAX);
    }
}

impl RetryQueue {
    /// Makes an empty queue; the seed spreads agents that fail together.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, waiting: BTreeMap::new(), denied: Rhythm::new(seed) }
    }

    /// Notes a failure: it is retried after a wait that doubles, with full jitter, up to five
    /// minutes.
    pub fn failed(&mut self, key: &Key, now: Timestamp) {
        let waiting = self.entry(key);
        waiting.failures = waiting.failures.saturating_add(1);
        waiting.was_denied = false;
        waiting.rhythm.failed(now);
    }

    /// Notes that the token may not do it: it is retried together with all else of that cause.
    pub fn denied(&mut self, key: &Key, now: Timestamp) {
        if self.denied.until <= now {
            self.denied.failed(now);
        }
        let until = self.denied.until;
        let waiting = self.entry(key);
        waiting.failures = waiting.failures.saturating_add(1);
        waiting.was_denied = true;
        waiting.rhythm.until = until;
    }

    /// Notes that it must wait, through no fault of its own: a deploy in progress, an answer that
    /// is not settled.
    pub fn wait(&mut self, key: &Key, until: Timestamp) {
        self.entry(key).rhythm.until = until;
    }

    /// Notes that all is well.
    pub fn succeeded(&mut self, key: &Key) {
        let waited = self.waiting.remove(key);
        if waited.is_some_and(|waited| waited.was_denied) {
            self.denied.retries.succeeded();
        }
    }

    /// Forgets the waits of one, or of all: a person asked for it.
    pub fn forgive(&mut self, key: Option<&Key>) {
        match key {
            Some(key) => drop(self.waiting.remove(key)),
            None => *self = Self::new(self.seed),
        }
    }

    /// Keeps only what still exists.
    pub fn retain(&mut self, exists: impl Fn(&Key) -> bool) {
        self.waiting.retain(|key, _| exists(key));
    }

    /// Returns what must still wait, and until when.
    pub fn held(&self, now: Timestamp) -> impl Iterator<Item = (&Key, Timestamp)> {
        let held = self.waiting.iter().filter(move |(_, waiting)| waiting.rhythm.until > now);
        held.map(|(key, waiting)| (key, waiting.rhythm.until))
    }

    /// Returns how often it failed in a row.
    #[must_use]
    pub fn failures(&self, key: &Key) -> u32 {
        self.waiting.get(key).map_or(0, |waiting| waiting.failures)
    }

    /// Returns when it is retried, if it waits.
    #[must_use]
    pub fn until(&self, key: &Key) -> Option<Timestamp> {
        self.waiting.get(key).map(|waiting| waiting.rhythm.until)
    }

    /// Returns when the next wait is over that was not over at `since`.
    #[must_use]
    pub fn next_after(&self, since: Timestamp) -> Option<Timestamp> {
        self.waiting
            .values()
            .map(|waiting| waiting.rhythm.until)
            .filter(|until| *until > since)
            .min()
    }

    fn entry(&mut self, key: &Key) -> &mut Waiting {
        let rhythm = Rhythm::new(self.seed);
        let new = Waiting { rhythm, failures: 0, was_denied: false };
        self.waiting.entry(key.clone()).or_insert(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn key(text: &str) -> Key {
        text.parse().unwrap()
    }

    #[test]
    fn who_fails_waits_longer_each_time_and_delays_nobody_else() {
        let mut queue = RetryQueue::new(7);
        let (bad, good) = (key("service/bad"), key("service/good"));
        let mut now = at(0);
        for _ in 0..20 {
            queue.failed(&bad, now);
            let until = queue.until(&bad).unwrap();
            assert!(until.duration_since(now).as_secs() <= 302);
            assert!(queue.until(&good).is_none());
            now = until;
        }
        assert_eq!(queue.failures(&bad), 20);
        assert_eq!(queue.held(now).count(), 0);
        queue.succeeded(&bad);
        assert_eq!(queue.failures(&bad), 0);
    }

    #[test]
    fn those_that_fail_together_come_back_together_and_agents_do_not() {
        let keys: Vec<Key> = (0..50).map(|number| key(&format!("service/s{number}"))).collect();
        let mut agents = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let mut queue = RetryQueue::new(seed);
            let mut now = at(0);
            for _ in 0..8 {
                keys.iter().for_each(|key| queue.failed(key, now));
                now = queue.until(&keys[0]).unwrap();
                assert!(keys.iter().all(|key| queue.until(key) == Some(now)));
            }
            agents.insert(now);
        }
        assert!(agents.len() > 45, "{}", agents.len());
    }

    #[test]
    fn what_the_token_may_not_do_is_tried_again_together() {
        let mut queue = RetryQueue::new(7);
        let keys: Vec<Key> = (0..50).map(|number| key(&format!("service/s{number}"))).collect();
        let mut now = at(0);
        for _ in 0..20 {
            for key in &keys {
                queue.denied(key, now);
            }
            let until = queue.until(&keys[0]).unwrap();
            assert!(keys.iter().all(|key| queue.until(key) == Some(until)));
            assert!(until > now && until.duration_since(now).as_secs() <= 302);
            now = until;
        }
        // One that is denied while the others wait joins them; one that fails for itself does not.
        let (late, other) = (key("service/late"), key("service/other"));
        queue.denied(&keys[0], now);
        let until = queue.until(&keys[0]).unwrap();
        let meanwhile = now + Duration::from_millis(100);
        queue.denied(&late, meanwhile);
        queue.failed(&other, meanwhile);
        assert_eq!(queue.until(&late), Some(until));
        assert_ne!(queue.until(&other), Some(until));
        // The right is back for some: the others soon try again.
        queue.succeeded(&keys[0]);
        queue.denied(&late, until);
        assert!(queue.until(&late).unwrap() <= until + Duration::from_secs(3));
    }

    #[test]
    fn a_wait_through_no_fault_counts_no_failure_and_a_person_may_end_it() {
        let mut queue = RetryQueue::new(1);
        let busy = key("service/busy");
        queue.wait(&busy, at(15));
        assert_eq!(queue.failures(&busy), 0);
        assert_eq!(queue.next_after(at(0)), Some(at(15)));
        assert_eq!(queue.next_after(at(15)), None);
        queue.forgive(Some(&busy));
        assert_eq!(queue.next_after(at(0)), None);
    }
}
