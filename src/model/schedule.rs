//! Cron expressions: five fields, as sets of numbers.
//!
//! The platform keeps the times of cron services; here their expressions are only checked before
//! it sees them. The windows of the agent are kept by us, and ask which minutes an expression means.

use std::ops::RangeInclusive;

use jiff::civil::{Date, DateTime};

/// A field: its name, its range, and the names its numbers have.
struct Part {
    name: &'static str,
    min: u8,
    max: u8,
    names: &'static [&'static str],
}

const PARTS: [Part; 5] = [
    Part { name: "minute", min: 0, max: 59, names: &[] },
    Part { name: "hour", min: 0, max: 23, names: &[] },
    Part { name: "day of month", min: 1, max: 31, names: &[] },
    Part {
        name: "month",
        min: 1,
        max: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    // Sunday is 0 and 7.
    Part {
        name: "day of week",
        min: 0,
        max: 7,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// A valid expression: minute, hour, day of month, month, day of week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CronSchedule {
    minutes: Numbers,
    hours: Numbers,
    days: Numbers,
    months: Numbers,
    /// Sunday is 0 here; a 7 was folded into it.
    weekdays: Numbers,
    /// Of day of month and day of week: with both limited, either is enough, as in every cron.
    days_join: Join,
}

/// How day of month and day of week go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Join {
    /// One of them begins with `*`: both must fit.
    Both,
    /// Both are limited: one that fits is enough.
    Either,
}

/// Numbers from 0 to 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Numbers(u64);

impl Numbers {
    const fn has(self, number: i8) -> bool {
        number >= 0 && number < 64 && self.0 >> number & 1 == 1
    }

    /// Returns those in a range, in rising order.
    fn within(self, range: RangeInclusive<i8>) -> impl DoubleEndedIterator<Item = i8> {
        range.filter(move |number| self.has(*number))
    }
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ScheduleError {
    /// What is wrong, a fragment.
    pub reason: String,
    /// How to mend it, when that is known.
    pub hint: Option<String>,
}

impl From<String> for ScheduleError {
    fn from(reason: String) -> Self {
        Self { reason, hint: None }
    }
}

impl CronSchedule {
    /// Reads an expression.
    ///
    /// # Errors
    /// When it is none: what is wrong, and how to mend it when that is known.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        if text.trim_start().starts_with('@') {
            return Err(macro_error(text.trim()));
        }
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err(ScheduleError {
                reason: format!("it has {} of five fields", fields.len()),
                hint: Some("minute, hour, day of month, month, day of week".to_owned()),
            });
        };
        let is_open = |field: &str| field.starts_with('*');
        let days_join = if is_open(days) || is_open(weekdays) { Join::Both } else { Join::Either };
        let [minute, hour, day, month, weekday] = &PARTS;
        let Numbers(weekdays) = numbers(weekday, weekdays)?;
        Ok(Self {
            minutes: numbers(minute, minutes)?,
            hours: numbers(hour, hours)?,
            days: numbers(day, days)?,
            months: numbers(month, months)?,
            weekdays: Numbers(weekdays & 0x7f | weekdays >> 7),
            days_join,
        })
    }

    /// Whether a day is one of its days.
    #[must_use]
    pub fn has_day(&self, date: Date) -> bool {
        let by_date = self.days.has(date.day());
        let by_weekday = self.weekdays.has(date.weekday().to_sunday_zero_offset());
        self.months.has(date.month())
            && match self.days_join {
                Join::Both => by_date && by_weekday,
                Join::Either => by_date || by_weekday,
            }
    }

    /// Whether a minute is one of its minutes; seconds do not count.
    #[must_use]
    pub fn matches(&self, at: DateTime) -> bool {
        self.has_day(at.date()) && self.hours.has(at.hour()) && self.minutes.has(at.minute())
    }

    /// Returns its minutes within some hours of a day, in rising order; none when it is not one of
    /// its days.
    pub fn times(
        &self,
        date: Date,
        hours: RangeInclusive<i8>,
    ) -> impl DoubleEndedIterator<Item = DateTime> + use<> {
        let Self { minutes, hours: all, .. } = *self;
        let all = if self.has_day(date) { all } else { Numbers(0) };
        all.within(hours).flat_map(move |hour| {
            minutes.within(0..=59).map(move |minute| date.at(hour, minute, 0, 0))
        })
    }
}

fn macro_error(text: &str) -> ScheduleError {
    let instead = match text {
        "@yearly" | "@annually" => Some("0 0 1 1 *"),
        "@monthly" => Some("0 0 1 * *"),
        "@weekly" => Some("0 0 * * 0"),
        "@daily" | "@midnight" => Some("0 0 * * *"),
        "@hourly" => Some("0 * * * *"),
        _ => None,
    };
    let hint = instead.map(|five| format!("write `{five}`"));
    ScheduleError { reason: "only the five fields are understood, no macros".to_owned(), hint }
}

fn numbers(part: &Part, field: &str) -> Result<Numbers, String> {
    let mut items = field.split(',').map(|item| item_numbers(part, item));
    items.try_fold(Numbers(0), |all, item| Ok(Numbers(all.0 | item?.0)))
}

/// `*`, `5`, `1-5`, each perhaps with `/step`. `5/10` counts from 5 to the end.
fn item_numbers(part: &Part, item: &str) -> Result<Numbers, String> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    let step = match step.map(str::parse::<u8>) {
        None => None,
        Some(Ok(step)) if step >= 1 && step <= part.max => Some(step),
        Some(_) => {
            return Err(format!("`{item}` is not a valid {}: the step is out of range", part.name));
        }
    };
    let (first, last) = match range.split_once('-') {
        Some((first, last)) => (number(part, first)?, number(part, last)?),
        None if range == "*" => (part.min, part.max),
        None => {
            let first = number(part, range)?;
            (first, if step.is_some() { part.max } else { first })
        }
    };
    if first > last {
        return Err(format!("`{item}` is not a valid {}: the range runs backwards", part.name));
    }
    let every = (first..=last).step_by(usize::from(step.unwrap_or(1)));
    Ok(Numbers(every.fold(0, |set, number| set | 1 << number)))
}

fn number(part: &Part, text: &str) -> Result<u8, String> {
    let lower = text.to_ascii_lowercase();
    if let Some(index) = part.names.iter().position(|name| *name == lower) {
        return Ok(u8::try_from(index).unwrap_or(u8::MAX) + part.min);
    }
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u8>() {
        Ok(number) if is_digits && (part.min..=part.max).contains(&number) => Ok(number),
        _ => Err(format!("`{text}` is not a valid {} ({} to {})", part.name, part.min, part.max)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn five_fields_with_ranges_steps_lists_and_names_are_an_expression() {
        for text in ["0 2 * * *", "*/15 9-17 * * mon-fri", "0,30 0 1 JAN,jul *", "5/10 * * * 7"] {
            assert!(CronSchedule::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "1- * * * *",
            "@reboot",
            "+1 * * * *",
            ", * * * *",
            "* * L * *",
        ] {
            assert!(CronSchedule::parse(text).is_err(), "{text}");
        }
        let hint = CronSchedule::parse("@daily").unwrap_err().hint;
        assert_eq!(hint.as_deref(), Some("write `0 0 * * *`"));
    }

    /// Whether an expression means a minute of July 2026, whose 1st is a Wednesday.
    fn check(text: &str, day: i8, hour: i8, minute: i8) -> bool {
        CronSchedule::parse(text).unwrap().matches(date(2026, 7, day).at(hour, minute, 59, 0))
    }

    #[test]
    fn an_expression_means_its_minutes() {
        assert!(check("*/15 9-17 * * mon-fri", 1, 9, 45));
        assert!(!check("*/15 9-17 * * mon-fri", 1, 18, 0));
        assert!(!check("*/15 9-17 * * mon-fri", 4, 9, 45), "a Saturday");
        assert!(check("5/10 * * * *", 1, 0, 55));
        assert!(!check("5/10 * * * *", 1, 0, 0));
        assert!(check("0 0 * jul 7", 5, 0, 0), "Sunday is 7");
        assert!(check("0 0 * * 5-7", 5, 0, 0), "Sunday ends the week");
        assert!(check("0 0 * * 0", 5, 0, 0), "Sunday is 0");
        assert!(!check("0 0 * jan *", 1, 0, 0));
    }

    #[test]
    fn with_both_days_limited_either_is_enough() {
        assert!(check("0 0 13 * fri", 13, 0, 0), "a Monday");
        assert!(check("0 0 13 * fri", 10, 0, 0), "a Friday");
        assert!(!check("0 0 13 * fri", 14, 0, 0));
        assert!(!check("0 0 */2 * fri", 10, 0, 0), "a star limits nothing, so both must fit");
    }

    #[test]
    fn the_times_of_a_day_come_in_order() {
        let schedule = CronSchedule::parse("0,30 9,17 * * 1-5").unwrap();
        let times: Vec<String> =
            schedule.times(date(2026, 7, 1), 0..=23).map(|time| time.time().to_string()).collect();
        assert_eq!(schedule.times(date(2026, 7, 1), 10..=23).count(), 2);
        assert_eq!(times, ["09:00:00", "09:30:00", "17:00:00", "17:30:00"]);
        assert_eq!(schedule.times(date(2026, 7, 4), 0..=23).count(), 0);
    }
}
