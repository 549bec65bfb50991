//! Who may ask how often (F8): eight ways in which servers count requests.
//!
//! Pure: told `now`. One limiter belongs to one token. Levels of buckets are integers, so that
//! no model drifts.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::choice::LimiterModel;

/// The length of every window.
pub(crate) const WINDOW_MS: u64 = 60_000;

/// What one bucket token weighs: a level grows by `limit` a millisecond, so a full window
/// brings `limit` tokens without a fraction.
const TOKEN: u64 = WINDOW_MS;

/// The count kept for one token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Limiter {
    model: LimiterModel,
    limit: u64,
    state: State,
}

/// What the limiter says to one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LimiterVerdict {
    /// Whether the request goes on.
    pub(crate) admitted: bool,
    /// What is left after it.
    pub(crate) remaining: u64,
    /// When all of it is back.
    pub(crate) reset_at: u64,
    /// When the next request is admitted: for `Retry-After`.
    pub(crate) retry_at: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum State {
    Window { ends: u64, used: u64, blocked_until: u64 },
    Log(VecDeque<u64>),
    Bucket { capacity: u64, level: u64, at: u64 },
    LogUnderWindow { log: VecDeque<u64>, ends: u64, blocked_until: u64 },
}

impl Limiter {
    pub(crate) fn new(model: LimiterModel, limit: u32, now: u64) -> Self {
        let limit = u64::from(limit.max(1));
        let bucket = |capacity: u64| {
            let capacity = capacity.max(1) * TOKEN;
            State::Bucket { capacity, level: capacity, at: now }
        };
        let state = match model {
            LimiterModel::FixedWindow | LimiterModel::FixedMinute | LimiterModel::Penalty => {
                State::Window { ends: 0, used: 0, blocked_until: 0 }
            }
            LimiterModel::SlidingLog | LimiterModel::SlidingCountsRefused => {
                State::Log(VecDeque::new())
            }
            LimiterModel::SlidingUnderWindow => {
                State::LogUnderWindow { log: VecDeque::new(), ends: 0, blocked_until: 0 }
            }
            LimiterModel::Bucket => bucket(limit),
            LimiterModel::SmallBucket => bucket(limit / 10),
        };
        Self { model, limit, state }
    }

    /// Counts one request.
    pub(crate) fn take(&mut self, now: u64) -> LimiterVerdict {
        let Self { model, limit, state } = self;
        match state {
            State::Window { ends, used, blocked_until } => {
                take_window(*model, *limit, (ends, used, blocked_until), now)
            }
            State::Log(log) => {
                let refused_count = *model == LimiterModel::SlidingCountsRefused;
                take_log(*limit, refused_count, log, now)
            }
            State::Bucket { capacity, level, at } => {
                *level = (*level + now.saturating_sub(*at) * *limit).min(*capacity);
                *at = now;
                take_bucket(*limit, *capacity, level, now)
            }
            State::LogUnderWindow { log, ends, blocked_until } => {
                take_log_under_window(*limit, (log, ends, blocked_until), now)
            }
        }
    }
}

fn take_window(
    model: LimiterModel,
    limit: u64,
    (ends, used, blocked_until): (&mut u64, &mut u64, &mut u64),
    now: u64,
) -> LimiterVerdict {
    if now < *blocked_until {
        let until = *blocked_until;
        return LimiterVerdict { admitted: false, remaining: 0, reset_at: until, retry_at: until };
    }
    if now >= *ends {
        let into_the_minute = if model == LimiterModel::FixedMinute { now % WINDOW_MS } else { 0 };
        *ends = now - into_the_minute + WINDOW_MS;
        *used = 0;
    }
    let admitted = *used < limit;
    if admitted {
        *used += 1;
    } else if model == LimiterModel::Penalty {
        // A fresh window begins with the first request after the penalty.
        *blocked_until = now + WINDOW_MS;
        *ends = *blocked_until;
    }
    LimiterVerdict { admitted, remaining: limit - *used, reset_at: *ends, retry_at: *ends }
}

fn take_log(limit: u64, refused_count: bool, log: &mut VecDeque<u64>, now: u64) -> LimiterVerdict {
    while log.front().is_some_and(|sent| sent + WINDOW_MS <= now) {
        log.pop_front();
    }
    let admitted = (log.len() as u64) < limit;
    if admitted || refused_count {
        log.push_back(now);
    }
    // Only the youngest `limit` entries can refuse anybody.
    while log.len() as u64 > limit {
        log.pop_front();
    }
    let oldest_leaves = log.front().map_or(now, |sent| sent + WINDOW_MS);
    let remaining = limit - log.len() as u64;
    LimiterVerdict { admitted, remaining, reset_at: oldest_leaves, retry_at: oldest_leaves }
}

fn take_log_under_window(
    limit: u64,
    (log, ends, blocked_until): (&mut VecDeque<u64>, &mut u64, &mut u64),
    now: u64,
) -> LimiterVerdict {
    if now < *blocked_until {
        let until = *blocked_until;
        return LimiterVerdict { admitted: false, remaining: 0, reset_at: until, retry_at: until };
    }
    if *blocked_until > 0 {
        *blocked_until = 0;
        log.clear();
    }
    while log.front().is_some_and(|sent| sent + WINDOW_MS <= now) {
        log.pop_front();
    }
    if now >= *ends {
        *ends = now + WINDOW_MS;
    }
    log.push_back(now);
    let admitted = log.len() as u64 <= limit;
    if !admitted {
        *blocked_until = now + WINDOW_MS;
    }
    let reset_at = if admitted { *ends } else { *blocked_until };
    let remaining = limit.saturating_sub(log.len() as u64);
    LimiterVerdict { admitted, remaining, reset_at, retry_at: *blocked_until }
}

fn take_bucket(limit: u64, capacity: u64, level: &mut u64, now: u64) -> LimiterVerdict {
    let admitted = *level >= TOKEN;
    if admitted {
        *level -= TOKEN;
    }
    let missing = TOKEN.saturating_sub(*level);
    LimiterVerdict {
        admitted,
        remaining: *level / TOKEN,
        reset_at: now + (capacity - *level).div_ceil(limit),
        retry_at: now + missing.div_ceil(limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends requests at the given instants and writes `+` or `-` for each.
    fn check(model: LimiterModel, limit: u32, instants: &[u64], expected: &str) {
        let mut limiter = Limiter::new(model, limit, instants[0]);
        let mark = |now: &u64| {
            if limiter.take(*now).admitted { '+' } else { '-' }
        };
        assert_eq!(instants.iter().map(mark).collect::<String>(), expected, "{model:?}");
    }

    #[test]
    fn a_fixed_window_begins_with_the_first_request() {
        check(LimiterModel::FixedWindow, 2, &[50_000, 60_000, 61_000, 109_999, 110_000], "++--+");
    }

    #[test]
    fn a_window_on_the_minute_lets_twice_the_limit_through_around_its_edge() {
        check(LimiterModel::FixedMinute, 2, &[59_998, 59_999, 59_999, 60_000, 60_001], "++-++");
    }

    #[test]
    fn a_sliding_log_admits_when_the_oldest_is_sixty_seconds_old() {
        check(LimiterModel::SlidingLog, 2, &[0, 30_000, 59_999, 60_000, 89_999, 90_000], "++-+-+");
    }

    #[test]
    fn a_bucket_of_the_limit_refills_evenly() {
        // Two a minute: one every thirty seconds after the burst of two.
        check(LimiterModel::Bucket, 2, &[0, 0, 29_999, 30_000, 59_999, 60_000], "++-+-+");
    }

    #[test]
    fn a_small_bucket_holds_a_tenth_and_refills_as_fast() {
        // Limit 20: a burst of two, then one every three seconds.
        check(LimiterModel::SmallBucket, 20, &[0, 0, 0, 2_999, 3_000, 9_000, 9_000], "++--+++");
    }

    #[test]
    fn a_small_bucket_never_holds_more_than_its_burst() {
        check(LimiterModel::SmallBucket, 20, &[0, 600_000, 600_000, 600_000], "+++-");
    }

    #[test]
    fn whoever_exceeds_under_the_penalty_is_blocked_for_a_whole_window() {
        check(LimiterModel::Penalty, 1, &[0, 59_000, 60_000, 118_999, 119_000], "+---+");
    }

    #[test]
    fn refused_requests_count_where_the_server_counts_them() {
        // The refusal at 30 s keeps the window full until 90 s.
        check(LimiterModel::SlidingCountsRefused, 1, &[0, 30_000, 60_000, 120_000], "+--+");
        check(LimiterModel::SlidingLog, 1, &[0, 30_000, 60_000, 120_000], "+-++");
    }

    #[test]
    fn hits_slide_under_a_window_that_turns_as_a_whole() {
        let mut limiter = Limiter::new(LimiterModel::SlidingUnderWindow, 3, 0);
        let mut said = |now| {
            let verdict = limiter.take(now);
            (verdict.remaining, verdict.reset_at)
        };
        assert_eq!(said(0), (2, 60_000));
        assert_eq!(said(30_000), (1, 60_000));
        // The first hit has left, the second has not, and Reset has jumped.
        assert_eq!(said(60_000), (1, 120_000));
        check(LimiterModel::SlidingUnderWindow, 1, &[0, 59_000, 60_000, 118_999, 119_000], "+---+");
    }

    #[test]
    fn waiting_for_retry_at_is_enough_in_every_model_and_less_is_not() {
        for model in [
            LimiterModel::FixedWindow,
            LimiterModel::FixedMinute,
            LimiterModel::SlidingLog,
            LimiterModel::Bucket,
            LimiterModel::SmallBucket,
            LimiterModel::Penalty,
            LimiterModel::SlidingCountsRefused,
            LimiterModel::SlidingUnderWindow,
        ] {
            let mut limiter = Limiter::new(model, 30, 1_000);
            let refusal = (0..100)
                .map(|step| limiter.take(1_000 + step))
                .find(|verdict| !verdict.admitted)
                .expect("a hundred requests exceed thirty");
            assert_eq!(refusal.remaining, 0, "{model:?}");
            let early = limiter.clone().take(refusal.retry_at - 1);
            assert!(!early.admitted, "{model:?}");
            assert!(limiter.take(refusal.retry_at).admitted, "{model:?}");
        }
    }
}
