//! How often to look when nothing says that anything changed.

use std::time::Duration;

use crate::budget::fraction;

/// The share of the budget that looking may spend: one request in twenty (performance, B13).
const LOOK_SHARE: f64 = 0.05;

/// How far two looks are moved apart or together, so that agents do not look in step.
const JITTER: f64 = 0.1;

/// The longest time between two looks, however large the project and small the budget: drift must
/// be seen within the hour.
const INTERVAL_MAX: Duration = Duration::from_secs(3_600);

/// The first look at what is under way: a database takes a minute or so.
const MOVING_FIRST: Duration = Duration::from_secs(15);

/// Returns the time between two looks that cost so many requests each, of a budget of `rate` a
/// minute. Never shorter than what is wished. The share holds for looks that are moved together,
/// too.
#[must_use]
pub fn interval(wished: Duration, requests: u32, rate: u32) -> Duration {
    let per_second = f64::from(rate.max(1)) * LOOK_SHARE * (1.0 - JITTER) / 60.0;
    let affordable = Duration::from_secs_f64(f64::from(requests) / per_second);
    wished.max(affordable.min(INTERVAL_MAX))
}

/// Returns how many requests one look may send, at an interval, of a budget of `rate` a minute.
#[must_use]
pub fn allowance(interval: Duration, rate: u32) -> u32 {
    let requests = f64::from(rate.max(1)) * LOOK_SHARE * interval.as_secs_f64() / 60.0;
    // A share of a 32-bit number a minute, for an hour at most.
    requests.min(f64::from(u32::MAX)) as u32
}

/// Returns the time to the next look when something is under way on the platform that no deployment
/// of ours tells about, a database being made for example: soon, and then ever later.
#[must_use]
pub fn while_moving(interval: Duration, looks: u32) -> Duration {
    match looks {
        0 => interval,
        looks => interval.min(MOVING_FIRST.saturating_mul(1 << (looks - 1).min(10))),
    }
}

/// Moves a time by up to a tenth, by a number that is different each time.
#[must_use]
pub fn jittered(interval: Duration, seed: u64, look: u64) -> Duration {
    interval.mul_f64(1.0 - JITTER + 2.0 * JITTER * fraction(seed, look))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE_MINUTES: Duration = Duration::from_secs(300);

    #[test]
    fn looking_costs_at_most_its_share() {
        for requests in [4, 10, 50, 100, 200, 700] {
            let interval = interval(FIVE_MINUTES, requests, 285);
            let closest = interval.mul_f64(1.0 - JITTER).as_secs_f64();
            let share = f64::from(requests) / closest * 60.0 / 285.0;
            assert!(share <= LOOK_SHARE + 1e-9, "{requests}: {share}");
            assert!(interval >= FIVE_MINUTES);
        }
        assert_eq!(interval(FIVE_MINUTES, 4, 285), FIVE_MINUTES);
        assert_eq!(interval(FIVE_MINUTES, 1_000_000, 1), INTERVAL_MAX);
    }

    #[test]
    fn what_is_under_way_is_looked_at_soon_and_then_ever_later() {
        let pauses = [0, 1, 2, 3, 6, 40].map(|looks| while_moving(FIVE_MINUTES, looks).as_secs());
        assert_eq!(pauses, [300, 15, 30, 60, 300, 300]);
    }

    #[test]
    fn looks_are_spread_by_a_tenth_and_no_more() {
        let waits: Vec<Duration> = (0..1000).map(|look| jittered(FIVE_MINUTES, 42, look)).collect();
        assert!(waits.iter().all(|wait| (270..=330).contains(&wait.as_secs())));
        assert!(waits.iter().any(|wait| wait.as_secs() < 275));
        assert!(waits.iter().any(|wait| wait.as_secs() > 325));
    }
}
