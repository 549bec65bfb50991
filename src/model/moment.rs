//! Times as a platform writes them: with any precision, in any zone, or without one.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};

/// How far apart two readings of one time may be.
///
/// A create is answered from memory with milliseconds, and its row is read back cut or rounded to
/// whole seconds. The id is the same in both: no platform gives one to another object that soon (S1).
const ONE_MOMENT: SignedDuration = SignedDuration::from_secs(2);

/// Reads a time of the platform; one without a zone is UTC.
#[must_use]
pub fn moment(text: &str) -> Option<Timestamp> {
    let zoned = text.parse::<Timestamp>().ok();
    zoned.or_else(|| {
        let civil: civil::DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

/// Whether two times the platform wrote of one id are one: the same text, or less than two seconds
/// apart (S1).
#[must_use]
pub fn is_same_moment(left: &str, right: &str) -> bool {
    left == right
        || moment(left)
            .zip(moment(right))
            .is_some_and(|(left, right)| left.duration_since(right).abs() < ONE_MOMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_may_be_written_in_several_ways() {
        for (left, right) in [
            ("2026-01-15T10:30:00Z", "2026-01-15T10:30:00.123Z"),
            ("2026-01-15T10:30:00Z", "2026-01-15T11:30:00+01:00"),
            ("2026-01-15T10:30:30.700Z", "2026-01-15T10:30:31Z"),
            ("2026-01-15T10:30:30.123456789Z", "2026-01-15T10:30:30.123457Z"),
            ("2026-01-15T10:30:30.700Z", "2026-01-15T10:30:30.700"),
            ("2026-01-15T10:30:30.700+00:00", "2026-01-15 10:30:31"),
            ("2026-01-15T23:59:59.900Z", "2026-01-16T00:00:00Z"),
            ("yesterday", "yesterday"),
        ] {
            assert!(is_same_moment(left, right) && is_same_moment(right, left), "{left} {right}");
        }
    }

    #[test]
    fn what_is_two_seconds_apart_or_unreadable_is_not_one_moment() {
        for (left, right) in [
            ("2026-01-15T10:30:00Z", "2026-01-15T10:30:02Z"),
            ("2026-01-15T10:30:00Z", "2026-01-15T10:30:00+01:00"),
            ("2026-01-15T10:30:00", "2026-01-15T11:30:00"),
            ("2026-01-15T10:30:00Z", "2026-01-16T10:30:00Z"),
            ("yesterday", "today"),
            ("yesterday", "2026-01-15T10:30:00Z"),
        ] {
            assert!(!is_same_moment(left, right) && !is_same_moment(right, left), "{left} {right}");
        }
    }
}
