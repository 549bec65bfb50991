//! Every form of header that servers are known to write, and garbage.

use std::time::Duration;

use super::super::limits::Limits;
use super::super::millis::Millis;

/// Wed, 01 Apr 2026 12:00:00 GMT.
const NOW: Millis = Millis(1_775_044_800_000);

fn check(header: &str, date: Option<&str>, expected_seconds: Option<f64>) {
    let limits = Limits {
        reset: Some(header.to_owned()),
        retry_after: Some(header.to_owned()),
        date: date.map(str::to_owned),
        ..Limits::default()
    };
    let reading = limits.read(NOW);
    let expected = expected_seconds.map(Duration::from_secs_f64);
    assert_eq!(reading.reset_in, expected, "Reset: {header}");
    assert_eq!(reading.retry_in, expected, "Retry-After: {header}");
}

#[test]
fn a_time_is_read_in_every_form_that_servers_write() {
    check("30", None, Some(30.0));
    check("0", None, Some(0.0));
    check("1.5", None, Some(1.5));
    check(" 30 ", None, Some(30.0));
    check("1775044830", None, Some(30.0));
    check("1775044830000", None, Some(30.0));
    check("Wed, 01 Apr 2026 12:00:30 GMT", None, Some(30.0));
    check("2026-04-01T12:00:30Z", None, Some(30.0));
    check("2026-04-01T14:00:30.500+02:00", None, Some(30.5));
    check("1775044830.25", None, Some(30.25));
}

#[test]
fn a_time_in_the_past_is_now() {
    check("1775044700", None, Some(0.0));
    check("Wed, 01 Apr 2026 11:00:00 GMT", None, Some(0.0));
}

#[test]
fn an_absolute_time_is_corrected_by_the_servers_own_date() {
    // Its clock is an hour behind ours.
    let date = Some("Wed, 01 Apr 2026 11:00:00 GMT");
    check("1775041230", date, Some(30.0));
    check("1775041230000", date, Some(30.0));
    check("Wed, 01 Apr 2026 11:00:30 GMT", date, Some(30.0));
    check("30", date, Some(30.0));
    check("1775044830", Some("yesterday"), Some(30.0));
}

#[test]
fn no_header_stops_us_for_longer_than_two_windows() {
    check("86400", None, Some(120.0));
    check("999999999", None, Some(120.0));
    check("99999999999999999999999999", None, Some(120.0));
    check("Fri, 01 Apr 2135 12:00:00 GMT", None, Some(120.0));
}

#[test]
fn of_a_header_that_came_twice_the_longer_wait_holds() {
    check("10, 30", None, Some(30.0));
    check("30,soon", None, Some(30.0));
    check("Wed, 01 Apr 2026 12:00:10 GMT, Wed, 01 Apr 2026 12:00:30 GMT", None, Some(30.0));
}

#[test]
fn what_makes_no_sense_is_as_if_it_were_not_there() {
    for garbage in
        ["", " ", "-5", "soon", "NaN", "inf", "-inf", "GMT", ",", "1e", "０", "1\u{202e}"]
    {
        check(garbage, None, None);
    }
}

#[test]
fn remaining_is_never_more_than_the_least_that_was_said() {
    let read = |raw: &str| {
        let limits = Limits { remaining: Some(raw.to_owned()), ..Limits::default() };
        limits.read(NOW).remaining
    };
    assert_eq!(read("12"), Some(12));
    assert_eq!(read("12, 7"), Some(7));
    assert_eq!(read("-1"), Some(0));
    assert_eq!(read("99999999999999"), Some(u32::MAX));
    assert_eq!(read("many"), None);
    assert_eq!(read("NaN"), None);
}
