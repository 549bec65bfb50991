//! When the manifests are read again after they could not be. Pure.
//!
//! What failed is retried by itself, whatever else would ring: nobody may ask for news, and no
//! webhook comes twice. It is also tried ever less often: a repository that takes an hour to fail
//! must not be fetched all day.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::pace::jittered;

/// The first wait, doubled each time.
const FIRST: Duration = Duration::from_secs(2);

/// The longest wait, but for what takes longer than that to fail.
const LAST: Duration = Duration::from_secs(300);

/// The longest wait of all.
const LAST_OF_ALL: Duration = Duration::from_secs(3_600);

/// How long a pass waits for the newest manifests to be read; then it is made for those that are
/// known, because drift is repaired even while a slow line brings a large commit.
const LONG: SignedDuration = SignedDuration::from_secs(60);

/// How the manifests are read again.
#[derive(Debug, Default)]
pub(super) struct Rereading {
    began_at: Option<Timestamp>,
    failures: u32,
    again_at: Option<Timestamp>,
}

impl Rereading {
    /// Notes that they are being read.
    pub fn begin(&mut self, now: Timestamp) {
        self.began_at = Some(now);
        self.again_at = None;
    }

    /// Notes that they were read; whether they can be used is another question.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Notes that they could not be. The wait doubles, and is at least as long as it took to fail.
    pub fn failed(&mut self, now: Timestamp, seed: u64) {
        let doubled = FIRST.saturating_mul(1 << self.failures.min(10)).min(LAST);
        self.failures = self.failures.saturating_add(1);
        let took = self.began_at.take().map(|began| now.duration_since(began));
        let took = took.and_then(|took| Duration::try_from(took).ok()).unwrap_or_default();
        let wait = jittered(doubled, seed, u64::from(self.failures)).max(took.min(LAST_OF_ALL));
        self.again_at = now.checked_add(wait).ok();
    }

    /// Whether they have been read for so long that a pass waits no longer for them.
    pub fn is_long(&self, now: Timestamp) -> bool {
        self.began_at.is_some_and(|began| now.duration_since(began) >= LONG)
    }

    /// Returns when they are read again, if they wait for that.
    pub const fn again_at(&self) -> Option<Timestamp> {
        self.again_at
    }

    /// Whether they are being read, or wait to be: time alone is no reason to ask once more.
    pub const fn is_under_way(&self) -> bool {
        self.began_at.is_some() || self.again_at.is_some()
    }

    /// Whether they are to be read again by now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.again_at.is_some_and(|at| at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;

    /// Fails again and again, each time after so many seconds, and returns the waits.
    fn waits(took: u64, tries: usize) -> Vec<u64> {
        let (mut rereading, mut now) = (Rereading::default(), Timestamp::UNIX_EPOCH);
        let try_once = |_| {
            rereading.begin(now);
            now += Duration::from_secs(took);
            rereading.failed(now, 7);
            let again = rereading.again_at().unwrap();
            let wait = again.duration_since(now).as_secs();
            now = again;
            u64::try_from(wait).unwrap()
        };
        (0..tries).map(try_once).collect()
    }

    #[test]
    fn the_waits_double_up_to_five_minutes() {
        let waits = waits(0, 12);
        assert!(waits[0] <= 2, "{waits:?}");
        for (try_number, wait) in waits.iter().enumerate() {
            let doubled = 300.min(2_u64 << try_number);
            assert!(doubled * 85 / 100 <= *wait + 1 && *wait <= doubled * 11 / 10, "{waits:?}");
        }
    }

    #[test]
    fn what_takes_long_to_fail_is_not_at_work_more_than_half_of_the_time() {
        assert!(waits(20 * 60, 5).iter().all(|wait| *wait >= 20 * 60));
        assert!(waits(5 * HOUR, 5).iter().all(|wait| *wait == HOUR));
    }

    #[test]
    fn what_was_read_is_not_read_again_and_begins_anew() {
        let mut rereading = Rereading::default();
        let now = Timestamp::UNIX_EPOCH;
        (0..9).for_each(|_| rereading.failed(now, 7));
        rereading.succeeded();
        assert_eq!(rereading.again_at(), None);
        rereading.failed(now, 7);
        assert!(rereading.is_due(now + Duration::from_secs(3)) && !rereading.is_due(now));
    }
}
