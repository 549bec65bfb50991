//! Until when: a time as people give it, and the moment it means.

use std::str::FromStr;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::values::Span;

/// The longest suspension: a month later nobody remembers why.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A time to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FutureTime {
    /// That moment.
    Moment(Timestamp),
    /// So much later.
    Later(Span),
    /// The next time the clock on the wall shows this.
    Clock(Time),
}

impl FromStr for FutureTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(span) = text.parse() {
            return Ok(Self::Later(span));
        }
        if let Ok(moment) = text.parse() {
            return Ok(Self::Moment(moment));
        }
        let wrong = || format!("`{text}` is not a time such as 2h, 18:00 or 2026-12-01T08:00:00Z");
        let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
        let number = |digits: &str| digits.parse::<i8>().ok().filter(|_| digits.len() == 2);
        let (hour, minute) = (number(hour), number(minute));
        let time = hour.zip(minute).and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok());
        time.map(Self::Clock).ok_or_else(wrong)
    }
}

impl FutureTime {
    /// Returns the moment that is meant, now and in a time zone.
    ///
    /// # Errors
    /// When it is past, or too far away.
    pub fn resolve(self, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
        let moment = match self {
            Self::Moment(moment) => Some(moment),
            Self::Later(Span(span)) => now.checked_add(span).ok(),
            Self::Clock(time) => next(time, now, zone),
        };
        let moment = moment.ok_or("it is not a valid time")?;
        if moment <= now {
            return Err(format!("{moment:.0} is in the past"));
        }
        if moment.duration_since(now) > AHEAD_MAX {
            return Err(format!("{moment:.0} is more than 30 days away"));
        }
        Ok(moment)
    }
}

/// Today's or tomorrow's; where the clocks are set it is the moment people mean by it.
fn next(time: Time, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let today = now.to_zoned_datetime(zone.clone()).date();
    let days = [Some(today), today.checked_add(1.day()).ok()];
    let moments = days.into_iter().flatten().filter_map(|day| {
        day.to_datetime(time).to_zoned_datetime(zone.clone()).map(|zoned| zoned.timestamp()).ok()
    });
    moments.into_iter().find(|moment| *moment > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        let now = "2026-11-25T12:00:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let until = text.parse::<FutureTime>().and_then(|until| until.resolve(now, &zone));
        until.map_or_else(|error| error, |moment| moment.to_string())
    }

    #[test]
    fn a_time_is_given_as_a_span_a_clock_or_a_moment() {
        assert_eq!(check("2h30m"), "2026-11-25T14:30:00Z");
        // In Berlin it is 13:00.
        assert_eq!(check("18:00"), "2026-11-25T17:00:00Z");
        assert_eq!(check("12:30"), "2026-11-26T11:30:00Z");
        assert_eq!(check("2026-12-01T08:00:00+01:00"), "2026-12-01T07:00:00Z");
        assert_eq!(check("30d"), "2026-12-25T12:00:00Z");
    }

    #[test]
    fn every_suspension_ends_and_does_so_within_a_month() {
        assert!(check("31d").contains("more than 30 days"));
        assert!(check("2027-11-25T12:00:00Z").contains("more than 30 days"));
        assert!(check("2026-11-25T11:00:00Z").contains("in the past"));
        assert!(check("0s").contains("in the past"));
        for wrong in ["", "soon", "25:00", "1:2", "18:00:00", "tomorrow", "-2h", "never"] {
            assert!(check(wrong).contains("is not a time such as"), "{wrong}: {}", check(wrong));
        }
    }
}
