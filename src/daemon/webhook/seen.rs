//! Deliveries that came before: one that comes again is no news.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

/// How long a delivery is remembered: twice as long as a signed time may be away from ours, so one
/// that carries a time is stale before it is forgotten. One without rings once more after that; a
/// ring carries nothing and costs one queued pass at most.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(10);

/// How many deliveries are remembered. Only who knows the secret gets one in, so it takes that
/// many pushes in ten minutes to lose the oldest.
const DELIVERIES_MAX: usize = 4_096;

/// The deliveries of the last ten minutes.
#[derive(Clone, Debug, Default)]
pub struct SeenDeliveries {
    known: BTreeMap<[u8; 32], Timestamp>,
    order: VecDeque<[u8; 32]>,
}

/// Whether a delivery came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// It came for the first time, as far as we remember.
    First,
    /// It came before.
    Again,
}

impl SeenDeliveries {
    /// Remembers a delivery that was verified, and says whether it came before.
    pub fn sight(&mut self, mark: [u8; 32], now: Timestamp) -> Replay {
        self.forget(now);
        if self.known.contains_key(&mark) {
            return Replay::Again;
        }
        self.known.insert(mark, now);
        self.order.push_back(mark);
        Replay::First
    }

    /// Forgets what is old, and the oldest when there is no room for one more.
    fn forget(&mut self, now: Timestamp) {
        while let Some(oldest) = self.order.front() {
            let since = self.known.get(oldest).copied().unwrap_or(Timestamp::MIN);
            let is_old = now.duration_since(since) > REMEMBERED;
            if !is_old && self.order.len() < DELIVERIES_MAX {
                return;
            }
            self.known.remove(oldest);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(number: u32) -> [u8; 32] {
        let mut mark = [0; 32];
        mark[..4].copy_from_slice(&number.to_be_bytes());
        mark
    }

    #[test]
    fn a_delivery_is_known_again_for_ten_minutes() {
        let mut seen = SeenDeliveries::default();
        let start: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        assert_eq!(seen.sight(mark(1), start), Replay::First);
        assert_eq!(seen.sight(mark(2), start), Replay::First);
        assert_eq!(seen.sight(mark(1), start + REMEMBERED), Replay::Again);
        let later = start + REMEMBERED + SignedDuration::from_secs(1);
        assert_eq!(seen.sight(mark(1), later), Replay::First);
    }

    #[test]
    fn a_flood_of_deliveries_takes_bounded_memory_and_forgets_the_oldest_first() {
        let mut seen = SeenDeliveries::default();
        let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        for number in 0..10_000 {
            assert_eq!(seen.sight(mark(number), now), Replay::First);
            assert!(seen.known.len() <= DELIVERIES_MAX);
            assert_eq!(seen.known.len(), seen.order.len());
        }
        assert_eq!(seen.sight(mark(9_999), now), Replay::Again);
        assert_eq!(seen.sight(mark(0), now), Replay::First);
    }
}
