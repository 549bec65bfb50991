//! Which headers of an answer tell of the request limit, under whatever name (F8, A9).
//!
//! Limiters call them `X-RateLimit-Remaining` or `RateLimit-Remaining`, put all into one `RateLimit`,
//! or add the name of one limit of several. Here they are found; what their values mean, and what
//! follows, is the budget's.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::budget::{Limits, Millis, WINDOW};

/// What the names of headers begin with that count requests.
const PREFIXES: [&str; 4] = ["x-ratelimit-", "ratelimit-", "x-rate-limit-", "rate-limit-"];

/// One limit of a server, as its headers tell it.
#[derive(Debug, Default)]
struct Counted {
    remaining: Option<String>,
    reset: Option<String>,
    /// How many are allowed in all.
    limit: Option<f64>,
    /// In how many seconds.
    window: Option<f64>,
}

/// Returns the headers about limits; one that came twice is joined by commas.
///
/// Of several limits it is that of a minute, as far as anybody can tell: of those that begin anew
/// within one, the one that allows most. A refusal tells of the others.
pub(super) fn of(status: u16, headers: &HeaderMap, now: Millis) -> Limits {
    let waits = waits(headers);
    let mut counted = by_name(headers).chain(in_one(headers)).collect::<Vec<Counted>>();
    // One alone need not be ranked, which reads the date.
    let counted = match counted.len() {
        0 | 1 => counted.pop(),
        _ => counted.into_iter().max_by_key(|counted| counted.rank(&waits, now)),
    };
    let counted = counted.unwrap_or_default();
    Limits { status, remaining: counted.remaining, reset: counted.reset, ..waits }
}

/// Returns how long an answer of any server asks to be left alone, whatever the form.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let now = Millis::from(now);
    waits(headers).retry_in(now)
}

/// Returns what an answer says of waiting, and the clock by which it says so.
fn waits(headers: &HeaderMap) -> Limits {
    let names = headers.keys().map(HeaderName::as_str);
    // The limit that refuses may have a name of its own.
    let waits = names.filter(|name| *name == "retry-after" || name.starts_with("retry-after-"));
    let waits: Vec<String> = waits.filter_map(|name| joined(headers, name)).collect();
    Limits {
        retry_after: (!waits.is_empty()).then(|| waits.join(", ")),
        date: joined(headers, "date"),
        ..Limits::default()
    }
}

impl Counted {
    /// The higher, the more it is what the budget counts; `beside` holds the clock of its times.
    fn rank(&self, beside: &Limits, now: Millis) -> (bool, bool, i64) {
        let reset = Limits { reset: self.reset.clone(), ..beside.clone() };
        let is_longer = match self.window {
            Some(window) => window > WINDOW.as_secs_f64(),
            None => reset.reset_in(now).is_some_and(|reset_in| reset_in > WINDOW),
        };
        let allowed = self.limit.or_else(|| number(self.remaining.as_deref()?)).unwrap_or(0.0);
        // A cast from a float saturates.
        let allowed = allowed as i64;
        (self.remaining.is_some(), !is_longer, if is_longer { -allowed } else { allowed })
    }
}

/// Finds the limits that have a header for each of their numbers.
fn by_name(headers: &HeaderMap) -> impl Iterator<Item = Counted> {
    let parted = headers.keys().filter_map(|name| {
        let name = name.as_str();
        let prefix = PREFIXES.into_iter().find(|prefix| name.starts_with(prefix))?;
        let rest = &name[prefix.len()..];
        let suffix = rest.strip_prefix("remaining").or_else(|| rest.strip_prefix("reset"))?;
        (suffix.is_empty() || suffix.starts_with('-')).then_some((prefix, suffix))
    });
    let named: BTreeSet<(&str, &str)> = parted.collect();
    named.into_iter().map(|(prefix, suffix)| {
        let told = |what: &str| joined(headers, &format!("{prefix}{what}{suffix}"));
        Counted {
            remaining: told("remaining"),
            reset: told("reset"),
            limit: told("limit").as_deref().and_then(number),
            window: None,
        }
    })
}

/// Finds the limits in the one header of the later drafts: `limit=9, remaining=8, reset=7`, or
/// `"name";r=8;t=7` with what is allowed in `RateLimit-Policy`.
fn in_one(headers: &HeaderMap) -> impl Iterator<Item = Counted> {
    let told = joined(headers, "ratelimit").unwrap_or_default();
    let policies = joined(headers, "ratelimit-policy").unwrap_or_default();
    let members = parted(&told, ',');
    let word = |key: &str| members.iter().find_map(|member| value(&parted(member, ';'), key));
    let is_flat = word("remaining").is_some();
    let flat = is_flat.then(|| Counted {
        remaining: word("remaining"),
        reset: word("reset"),
        limit: word("limit").as_deref().and_then(number),
        window: None,
    });
    let policies: Vec<Vec<&str>> =
        parted(&policies, ',').iter().map(|policy| parted(policy, ';')).collect();
    let listed = members.iter().filter(|_| !is_flat).filter_map(|member| {
        let parts = parted(member, ';');
        let policy = policies.iter().find(|policy| policy.first() == parts.first());
        let of_policy = |key| number(&value(policy?, key)?);
        Some(Counted {
            remaining: Some(value(&parts, "r")?),
            reset: value(&parts, "t"),
            limit: of_policy("q"),
            window: of_policy("w"),
        })
    });
    flat.into_iter().chain(listed).collect::<Vec<_>>().into_iter()
}

/// Parts a text where a sign stands outside quotes.
fn parted(text: &str, sign: char) -> Vec<&str> {
    let mut is_quoted = false;
    let parts = text.split(move |letter: char| {
        is_quoted ^= letter == '"';
        letter == sign && !is_quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// Returns what stands behind `key=`.
fn value(parts: &[&str], key: &str) -> Option<String> {
    let pairs = parts.iter().filter_map(|part| part.split_once('='));
    let mut values = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case(key));
    values.next().map(|(_, value)| value.trim().to_owned())
}

/// Returns the number with which a text begins: `100, 100;w=60` is a hundred.
fn number(text: &str) -> Option<f64> {
    text.split([',', ';']).next()?.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<&str> =
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// Monday, 6 April 2026, noon.
    const NOW: Millis = Millis(1_775_476_800_000);

    type Pairs = [(&'static str, &'static str)];

    fn headers(pairs: &Pairs) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[track_caller]
    fn check(pairs: &Pairs, remaining: &str, reset: &str) {
        let limits = of(200, &headers(pairs), NOW);
        let found = (limits.remaining.unwrap_or_default(), limits.reset.unwrap_or_default());
        assert_eq!(found, (remaining.to_owned(), reset.to_owned()), "{pairs:?}");
    }

    #[test]
    fn a_limit_is_found_under_every_name_it_has() {
        check(&[("x-ratelimit-remaining", "5"), ("x-ratelimit-reset", "30")], "5", "30");
        check(&[("ratelimit-remaining", "5"), ("ratelimit-reset", "30")], "5", "30");
        check(&[("x-rate-limit-remaining", "5"), ("x-rate-limit-reset", "30")], "5", "30");
        check(&[("ratelimit", "limit=300, remaining=5, reset=30")], "5", "30");
        check(&[("ratelimit", "\"default\";r=5;t=30")], "5", "30");
        check(&[("ratelimit", "\"a, b; c\"; r=5; t=30; pk=:YQ==:")], "5", "30");
        check(&[("x-ratelimit-reset", "30")], "", "30");
        check(&[("ratelimit-policy", "300;w=60")], "", "");
        check(&[("ratelimit", "nonsense"), ("x-ratelimit-used", "3")], "", "");
    }

    #[test]
    fn of_several_limits_that_of_a_minute_is_taken() {
        let short = [("x-ratelimit-remaining-short", "2"), ("x-ratelimit-reset-short", "1")];
        let long = [("x-ratelimit-remaining-long", "250"), ("x-ratelimit-reset-long", "44")];
        let daily = [("x-ratelimit-remaining-day", "9000"), ("x-ratelimit-reset-day", "7200")];
        check(&[short, long, daily].concat(), "250", "44");
        check(&[long, daily, short].concat(), "250", "44");
        // By what is allowed, and not by what happens to be left.
        let spent = [
            ("x-ratelimit-limit-short", "5"),
            ("x-ratelimit-limit-long", "300"),
            ("x-ratelimit-remaining-short", "4"),
            ("x-ratelimit-reset-short", "1"),
            ("x-ratelimit-remaining-long", "1"),
            ("x-ratelimit-reset-long", "44"),
        ];
        check(&spent, "1", "44");
        check(
            &[
                ("ratelimit", "\"second\";r=4;t=1, \"minute\";r=1;t=44, \"day\";r=80;t=55"),
                (
                    "ratelimit-policy",
                    "\"second\";q=5;w=1, \"minute\";q=300;w=60, \"day\";q=9999;w=86400",
                ),
            ],
            "1",
            "44",
        );
        check(&daily, "9000", "7200");
    }

    #[test]
    fn a_time_is_measured_by_the_clock_of_whoever_tells_it() {
        // Its clock is ten minutes ahead of ours: 12:10:44 is in 44 seconds.
        let limits = [
            ("x-ratelimit-remaining-short", "2"),
            ("x-ratelimit-reset-short", "1775477401"),
            ("x-ratelimit-remaining-long", "250"),
            ("x-ratelimit-reset-long", "1775477444"),
        ];
        let dated = [limits.as_slice(), &[("date", "Mon, 06 Apr 2026 12:10:00 GMT")]].concat();
        check(&dated, "250", "1775477444");
    }

    #[test]
    fn a_wait_is_found_beside_the_name_of_the_limit_that_refuses() {
        let wait = |pairs: &Pairs| of(429, &headers(pairs), NOW).retry_after;
        assert_eq!(wait(&[("retry-after", "3")]).as_deref(), Some("3"));
        assert_eq!(wait(&[("retry-after-short", "3")]).as_deref(), Some("3"));
        assert_eq!(wait(&[("x-retry-after", "3")]), None);
    }
}
