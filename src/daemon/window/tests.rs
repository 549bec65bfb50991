//! Windows: what is open when, across weeks and changes of clocks.

use proptest::prelude::*;

use super::*;

/// Reads `allow|SCHEDULE|DURATION in minutes|ZONE` a line.
fn windows(lines: &[&str]) -> Windows {
    let window = |line: &&str| {
        let parts: Vec<&str> = line.split('|').collect();
        let kind = match parts[0] {
            "allow" => WindowKind::Allow,
            _ => WindowKind::Deny,
        };
        let duration = Duration::from_secs(60 * parts[2].parse::<u64>().unwrap());
        Window::new(kind, parts[1], duration, parts[3]).unwrap()
    };
    lines.iter().map(window).collect::<Vec<_>>().into()
}

/// `open|closed because until`, at a time.
fn check(lines: &[&str], now: &str) -> String {
    let state = windows(lines).state(now.parse().unwrap()).unwrap();
    let until = state.until.map_or("never".to_owned(), |until| until.to_string());
    let open = if state.open { "open" } else { "closed" };
    format!("{open} until {until}: {}", state.because)
}

const OFFICE: &str = "allow|0 9 * * 1-5|480|Europe/Berlin";
const FREEZE: &str = "deny|0 12 * * 5|720|Europe/Berlin";

#[test]
fn without_windows_it_is_always_open_and_nothing_is_said() {
    let none = Windows::default();
    assert!(none.is_open(Timestamp::UNIX_EPOCH));
    assert_eq!(none.state(Timestamp::UNIX_EPOCH), None);
}

#[test]
fn with_allows_it_is_open_inside_one_only() {
    // 2026-07-01 is a Wednesday; Berlin is two hours ahead.
    assert_eq!(
        check(&[OFFICE], "2026-07-01T07:00:00Z"),
        "open until 2026-07-01T15:00:00Z: allow `0 9 * * 1-5` for 8h (Europe/Berlin)"
    );
    assert_eq!(
        check(&[OFFICE], "2026-07-03T15:00:00Z"),
        "closed until 2026-07-06T07:00:00Z: outside every allow window"
    );
}

#[test]
fn a_deny_wins_over_every_allow() {
    assert_eq!(
        check(&[OFFICE, FREEZE], "2026-07-03T10:30:00Z"),
        "closed until 2026-07-06T07:00:00Z: deny `0 12 * * 5` for 12h (Europe/Berlin)"
    );
    assert_eq!(
        check(&[FREEZE], "2026-07-01T00:00:00Z"),
        "open until 2026-07-03T10:00:00Z: outside every deny window"
    );
}

#[test]
fn repetitions_that_touch_or_overlap_are_one() {
    assert_eq!(
        check(&["allow|0 * * * *|60|UTC"], "2026-07-01T07:10:00Z"),
        "open until never: allow `0 * * * *` for 1h (UTC)"
    );
    assert_eq!(
        check(&["allow|0 9,10,11 * * *|90|UTC"], "2026-07-01T09:10:00Z"),
        "open until 2026-07-01T12:30:00Z: allow `0 9,10,11 * * *` for 1h30m (UTC)"
    );
    assert!(check(&["allow|* * * * *|1|UTC"], "2026-07-01T09:10:30Z").starts_with("open until n"));
}

#[test]
fn a_beginning_in_the_skipped_hour_is_the_change_itself() {
    // On 2026-03-29 Berlin goes from 02:00 to 03:00 at 01:00Z.
    let window = &["allow|30 2 * * *|60|Europe/Berlin"];
    assert_eq!(
        check(window, "2026-03-29T00:30:00Z"),
        "closed until 2026-03-29T01:00:00Z: outside every allow window"
    );
    assert!(check(window, "2026-03-29T01:00:00Z").starts_with("open until 2026-03-29T02:00:00Z"));
}

#[test]
fn a_beginning_in_the_hour_that_comes_twice_happens_once() {
    // On 2026-10-25 Berlin goes from 03:00 back to 02:00 at 01:00Z.
    let window = &["allow|30 2 * * *|15|Europe/Berlin"];
    assert!(check(window, "2026-10-25T00:30:00Z").starts_with("open until 2026-10-25T00:45:00Z"));
    assert!(check(window, "2026-10-25T01:30:00Z").starts_with("closed until 2026-10-26T01:30:00Z"));
}

#[test]
fn a_window_lasts_real_time_across_a_change_of_clocks() {
    let night = &["deny|0 22 * * *|480|Europe/Berlin"];
    // 22:00 on the eve of spring is 21:00Z; eight hours later it is 07:00 local time.
    assert!(check(night, "2026-03-28T21:00:00Z").starts_with("closed until 2026-03-29T05:00:00Z"));
    assert!(check(night, "2026-10-24T20:00:00Z").starts_with("closed until 2026-10-25T04:00:00Z"));
}

#[test]
fn what_is_no_window_is_refused() {
    let check = |schedule: &str, seconds: u64, zone: &str| {
        Window::new(WindowKind::Allow, schedule, Duration::from_secs(seconds), zone).unwrap_err()
    };
    assert!(check("* * *", 60, "UTC").contains("3 of five fields"));
    assert!(check("* * * * *", 90, "UTC").contains("whole minutes"));
    assert!(check("* * * * *", 0, "UTC").contains("whole minutes"));
    assert!(check("* * * * *", 8 * 86_400, "UTC").contains("7d"));
    assert!(check("* * * * *", 60, "Europe/Atlantis").contains("Europe/Atlantis"));
}

fn any_window() -> impl Strategy<Value = String> {
    let field = |range: std::ops::Range<u8>| {
        prop_oneof![Just("*".to_owned()), range.prop_map(|number| number.to_string())]
    };
    let zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tehran"];
    let parts = (
        prop_oneof![Just("allow"), Just("deny")],
        (field(0..60), field(0..24), field(1..29), field(0..7)),
        1_u64..4_000,
        proptest::sample::select(zones.to_vec()),
    );
    parts.prop_map(|(kind, (minute, hour, day, weekday), minutes, zone)| {
        format!("{kind}|{minute} {hour} {day} * {weekday}|{minutes}|{zone}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn until_is_the_next_change_and_a_whole_minute(
        lines in proptest::collection::vec(any_window(), 1..4),
        start in 1_767_225_600_i64..1_798_761_600,
    ) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let windows = windows(&lines);
        let now = Timestamp::from_second(start).unwrap();
        let state = windows.state(now).expect("there are windows");
        prop_assert_eq!(state.open, windows.is_open(now));
        if let Some(until) = state.until {
            prop_assert!(until > now);
            prop_assert_eq!(until.as_second() % 60, 0);
            prop_assert_eq!(windows.is_open(until), !state.open);
            let last = until.checked_sub(Duration::from_secs(1)).unwrap();
            prop_assert_eq!(windows.is_open(last), state.open);
        }
        // Nothing changes on the way there, nor within a minute.
        let end = state.until.unwrap_or(later(now, Duration::from_secs(86_400)));
        let step = (end.as_second() - start).max(1) / 40 + 1;
        for second in (start..end.as_second()).step_by(usize::try_from(step).unwrap()) {
            let at = Timestamp::from_second(second).unwrap();
            prop_assert_eq!(windows.is_open(at), state.open, "{}", at);
            let minute = Timestamp::from_second(second - second % 60).unwrap();
            prop_assert_eq!(windows.is_open(at), windows.is_open(minute));
        }
    }
}
