//! Who is refused, and in which units an answer says so (F8, A9).

use serde_json::Value;

use super::{START, Stage};
use crate::emulator::answer::{Disposition, HttpReply};
use crate::emulator::{ResetForm, RetryAfterForm};

/// Returns a header of the answer to `GET /project`.
fn header(stage: &Stage, name: &str) -> Option<String> {
    match stage.send("GET /project", &Value::Null) {
        Disposition::Answer(HttpReply { headers, .. }) => {
            headers.into_iter().find(|(header, _)| *header == name).map(|(_, value)| value)
        }
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn the_request_after_the_limit_is_refused_until_the_window_turns() {
    let stage = Stage::with(|config| config.limit = 2);
    assert_eq!(header(&stage, "x-ratelimit-remaining").unwrap(), "1");
    stage.check("GET /project", Value::Null, "200");
    stage.check("GET /project", Value::Null, "429 rate_limited");
    stage.wait(60_000);
    stage.check("GET /project", Value::Null, "200");
    assert_eq!(stage.emulator.record().refused_for_rate(), 1);
    assert_eq!(stage.emulator.record().requests_max_in_a_minute(), 3);
}

#[test]
fn each_token_has_its_own_budget_and_nobody_has_none() {
    let stage = Stage::with(|config| {
        config.limit = 1;
        config.tokens.insert("sb_live_two".into(), crate::emulator::Access::default());
    });
    let status = |token| match stage.send_as(token, "GET /project", &Value::Null) {
        Disposition::Answer(HttpReply { status, .. }) => status,
        outcome => panic!("{outcome:?}"),
    };
    stage.check("GET /project", Value::Null, "200");
    assert_eq!([status(Some("sb_live_two")), status(Some("sb_live_two"))], [200, 429]);
    assert_eq!([status(None), status(None)], [401, 401]);
}

#[test]
fn reset_has_the_unit_of_the_dialect() {
    for (reset, expected) in [
        (ResetForm::Delta, Some("60".to_owned())),
        (ResetForm::EpochSeconds, Some((START / 1_000 + 60).to_string())),
        (ResetForm::EpochMilliseconds, Some((START + 60_000).to_string())),
        (ResetForm::HttpDate, Some("Thu, 15 Jan 2026 10:31:00 GMT".to_owned())),
        (ResetForm::Absent, None),
    ] {
        let stage = Stage::with(|config| config.reset = reset);
        assert_eq!(header(&stage, "x-ratelimit-reset"), expected);
        assert_eq!(header(&stage, "x-ratelimit-remaining").is_some(), expected.is_some());
    }
}

#[test]
fn retry_after_has_the_unit_of_the_dialect_and_rounds_up() {
    for (retry_after, expected) in [
        (RetryAfterForm::Seconds, Some("60")),
        (RetryAfterForm::HttpDate, Some("Thu, 15 Jan 2026 10:31:00 GMT")),
        (RetryAfterForm::Absent, None),
    ] {
        let stage = Stage::with(|config| {
            config.limit = 1;
            config.retry_after = retry_after;
        });
        assert_eq!(header(&stage, "retry-after"), None);
        stage.wait(1);
        assert_eq!(header(&stage, "retry-after").as_deref(), expected);
    }
}
