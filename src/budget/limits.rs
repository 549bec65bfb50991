//! What an answer says about the limit: headers as they came, and what they can be trusted for.
//!
//! The API names the headers but not their units (F8, A9), so every form in use is understood,
//! and nothing a header says can stop us for longer than two windows.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::millis::Millis;
use super::settings::WINDOW;

/// The longest a header can make us wait: two windows, whatever it says.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(2 * WINDOW.as_secs());

/// The status of a refusal for too many requests.
const TOO_MANY_REQUESTS: u16 = 429;

/// The status of somebody who cannot serve now, with which proxies refuse too.
const UNAVAILABLE: u16 = 503;

/// Below this a number is seconds from now: nobody waits thirty years.
const EPOCH_SECONDS_MIN: f64 = 1e9;

/// From this on a number is milliseconds since the epoch: in seconds it would be the year 5138.
const EPOCH_MILLIS_MIN: f64 = 1e11;

/// The headers of one answer, as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// The status of the answer.
    pub status: u16,
    /// `X-RateLimit-Remaining`, or what stands for it.
    pub remaining: Option<String>,
    /// `X-RateLimit-Reset`, or what stands for it.
    pub reset: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// `Date`, which corrects an absolute time for a clock that differs from ours.
    pub date: Option<String>,
}

/// The same, understood.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ParsedLimits {
    pub is_refusal: bool,
    /// Whether it says that nobody can serve now.
    pub is_unavailable: bool,
    pub remaining: Option<u32>,
    pub reset_in: Option<Duration>,
    pub retry_in: Option<Duration>,
}

impl Limits {
    /// Reads the headers; what cannot be understood is as if it were not there.
    pub(crate) fn read(&self, now: Millis) -> ParsedLimits {
        ParsedLimits {
            is_refusal: self.status == TOO_MANY_REQUESTS,
            is_unavailable: self.status == UNAVAILABLE,
            remaining: self.remaining.as_deref().and_then(remaining),
            reset_in: self.reset_in(now),
            retry_in: self.retry_in(now),
        }
    }

    /// Returns after how long the count begins anew.
    #[must_use]
    pub fn reset_in(&self, now: Millis) -> Option<Duration> {
        wait(self.reset.as_deref()?, self.server_now(now))
    }

    /// Returns how long the server asks to be left alone.
    #[must_use]
    pub fn retry_in(&self, now: Millis) -> Option<Duration> {
        wait(self.retry_after.as_deref()?, self.server_now(now))
    }

    fn server_now(&self, now: Millis) -> f64 {
        self.date.as_deref().and_then(date_millis).unwrap_or(now.0 as f64)
    }
}

/// Reads a count. Of several, as a proxy may add one, the smallest holds.
fn remaining(raw: &str) -> Option<u32> {
    let counts = raw.split([',', ';']).filter_map(|part| part.trim().parse::<f64>().ok());
    // A cast from a float saturates, so a negative count is zero.
    counts.filter(|count| count.is_finite()).map(|count| count as u32).min()
}

/// Reads how long to wait. Of several, the longest holds.
fn wait(raw: &str, server_now: f64) -> Option<Duration> {
    let waits = pieces(raw).filter_map(|piece| wait_of_one(piece, server_now));
    waits.max().map(|wait| wait.min(WAIT_MAX))
}

fn wait_of_one(piece: &str, server_now: f64) -> Option<Duration> {
    let millis = match piece.parse::<f64>() {
        Ok(number) if !number.is_finite() || number < 0.0 => return None,
        Ok(number) if number < EPOCH_SECONDS_MIN => number * 1e3,
        Ok(number) if number < EPOCH_MILLIS_MIN => number * 1e3 - server_now,
        Ok(number) => number - server_now,
        Err(_) => date_millis(piece)? - server_now,
    };
    // A cast from a float saturates: what is past is now, what is absurd is cut off by the caller.
    Some(Duration::from_millis(millis as u64))
}

/// Splits a header that came twice. A date holds a comma itself, but ends in GMT.
fn pieces(raw: &str) -> impl Iterator<Item = &str> {
    let has_dates = raw.contains("GMT");
    let separators: &'static [char] = if has_dates { &[] } else { &[',', ';'] };
    raw.split("GMT")
        .flat_map(move |part| part.split(separators))
        .map(|piece| piece.trim_matches([',', ';', ' ', '\t', '"']))
        .filter(|piece| !piece.is_empty())
}

/// Reads an HTTP date, with or without its zone, which is always GMT, or one of ISO 8601.
fn date_millis(raw: &str) -> Option<f64> {
    let bare = raw.trim().trim_end_matches("GMT").trim_end();
    let of_http = || rfc2822::DateTimeParser::new().parse_timestamp(format!("{bare} GMT")).ok();
    // Every answer has a date, most often with its day of the week: what fails is not tried first.
    let of_iso = || bare.parse::<Timestamp>().ok();
    let is_iso = !bare.starts_with(|first: char| first.is_ascii_alphabetic());
    let time = if is_iso { of_iso().or_else(of_http) } else { of_http() }?;
    Some(time.as_millisecond() as f64)
}
