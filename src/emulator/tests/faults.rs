//! Every fault: what the client sees of it, and what truly happened.

use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{Stage, web};
use crate::emulator::answer::{Disposition, HttpReply};
use crate::emulator::world::Payload;
use crate::emulator::{Dropped, Kind, TOKEN};

/// Plays a fault with a create and checks what the client sees and how many services there are.
fn check_create(fault: &str, expected: &str, services: usize) {
    let stage = Stage::new();
    stage.play(&format!("{fault}@POST /services"));
    let seen = match stage.send("POST /services", &web("web")) {
        Disposition::Refused => "refused".into(),
        Disposition::Lost => "lost".into(),
        Disposition::Silent => "silent".into(),
        Disposition::Answer(HttpReply { status, .. }) => status.to_string(),
    };
    assert_eq!(seen, expected, "{fault}");
    assert_eq!(stage.emulator.truth(Kind::Service).len(), services, "{fault}");
    let record = stage.emulator.record();
    let (_, asked) = record.requests().last().unwrap();
    assert_eq!(asked.fault.as_deref(), Some(fault));
    assert_eq!(asked.applied, services == 1, "{fault}");
    assert_eq!(asked.reached, fault != "refuse");
}

#[test]
fn a_fault_before_the_change_changes_nothing_and_one_after_it_does() {
    check_create("refuse", "refused", 0);
    check_create("hang", "silent", 0);
    check_create("lose-answer", "lost", 1);
    check_create("apply-late:1000", "lost", 0);
    check_create("fail:500", "500", 0);
    check_create("fail:403", "403", 0);
    check_create("fail-after:502", "502", 1);
    check_create("429", "429", 0);
    check_create("html", "200", 0);
    check_create("html-after", "200", 1);
    check_create("empty", "200", 1);
    check_create("redirect:https://evil.example", "302", 0);
    check_create("cut:17", "201", 1);
    check_create("no-id", "201", 1);
}

#[test]
fn a_fault_acts_on_the_bare_answer_of_a_write_as_on_any_other() {
    for (fault, expected) in [
        ("none", "200 nothing"),
        ("html", "200 a page"),
        ("html-after", "200 a page"),
        ("fail-after:502", "502 an object"),
        ("fail:500", "500 an object"),
    ] {
        let stage = Stage::with(|config| config.bare = true);
        let id = stage.service("web");
        if fault != "none" {
            stage.play(&format!("{fault}@PATCH /services/*"));
        }
        let request = format!("PATCH /services/{id}");
        let HttpReply { status, payload, .. } = stage.answer(&request, &json!({"branch": "next"}));
        let body = match payload {
            Payload::Html(page) if !page.is_empty() => "a page",
            Payload::Html(_) | Payload::Empty => "nothing",
            _ => "an object",
        };
        assert_eq!(format!("{status} {body}"), expected, "{fault}");
    }
}

#[test]
fn a_late_request_is_applied_even_after_the_client_has_listed() {
    let stage = Stage::new();
    stage.play("apply-late:5000@POST /services#1");
    assert_eq!(stage.send("POST /services", &web("web")), Disposition::Lost);
    stage.wait(4_999);
    assert_eq!(stage.names("/services"), "");
    stage.wait(1);
    assert_eq!(stage.names("/services"), "web");
    assert_eq!(stage.emulator.record().creates(Kind::Service, "web"), 1);
}

#[test]
fn retry_after_says_what_the_script_says() {
    for (fault, expected) in [
        ("429", vec!["1"]),
        ("429:none", vec![]),
        ("429:-5", vec!["-5"]),
        ("429:5|7", vec!["5", "7"]),
    ] {
        let stage = Stage::new();
        stage.play(&format!("{fault}@GET **"));
        let HttpReply { headers, .. } = stage.answer("GET /services", &Value::Null);
        let values: Vec<_> = headers.iter().filter(|(name, _)| *name == "retry-after").collect();
        assert_eq!(values.iter().map(|(_, value)| value).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn the_deployment_that_a_request_begins_fails_and_no_other() {
    let stage = Stage::new();
    stage.play("deploy-fails@PATCH /services/*#1");
    let id = stage.service("web");
    stage.wait(21_000);
    let patch = format!("PATCH /services/{id}");
    for (command, status) in [("node a.js", "failed"), ("node b.js", "running")] {
        stage.ask(&patch, json!({"start_command": command}));
        stage.wait(21_000);
        assert_eq!(stage.get("/services")["services"][0]["status"], status, "{command}");
    }
    // A name begins no deployment, so none fails.
    let stage = Stage::new();
    stage.play("deploy-fails@PATCH /services/*");
    let id = stage.service("web");
    stage.wait(21_000);
    stage.ask(&format!("PATCH /services/{id}"), json!({"name": "shop"}));
    assert_eq!(stage.get("/services")["services"][0]["status"], "running");
}

#[test]
fn a_replica_that_is_behind_shows_what_was() {
    let stage = Stage::new();
    let old = stage.service("old");
    stage.wait(10_000);
    let new = stage.service("new");
    stage.check(&format!("DELETE /services/{old}"), Value::Null, "204");
    stage.play("stale:5000@GET /services/**#1-2; hide-new:5000@GET /services/**#3-4");
    assert_eq!(stage.names("/services"), "old");
    stage.check(&format!("GET /services/{new}"), Value::Null, "404 service_not_found");
    assert_eq!(stage.names("/services"), "");
    stage.check(&format!("GET /services/{new}"), Value::Null, "404 service_not_found");
    assert_eq!(stage.names("/services"), "new");
}

#[test]
fn lists_move_while_they_are_read() {
    let read = |faults: &str| {
        let stage = Stage::with(|config| config.paging.size = 2);
        for name in ["a", "b", "c", "d"] {
            stage.service(name);
        }
        stage.play(faults);
        let pages = [stage.get("/services?page=1"), stage.get("/services?page=2")];
        let names = pages.iter().flat_map(|page| page["services"].as_array().unwrap());
        let names: Vec<String> =
            names.map(|item| item["name"].as_str().unwrap().chars().take(6).collect()).collect();
        (names.join(" "), pages.map(|page| page["total"].clone()))
    };
    let totals = [json!(4), json!(4)];
    assert_eq!(read("shift-repeat@GET **"), ("a b b c".into(), totals.clone()));
    assert_eq!(read("shift-vanish@GET **"), ("a b d passer".into(), totals.clone()));
    assert_eq!(read("page-ignored@GET **"), ("a b a b".into(), totals));
}

#[test]
fn chance_is_the_same_for_the_same_requests() {
    let run = || {
        let stage = Stage::new();
        stage.play("seed=7,rate=0.5");
        let outcomes =
            (0..50).map(|number| stage.send("POST /services", &web(&number.to_string())));
        (outcomes.map(|outcome| format!("{outcome:?}")).collect::<Vec<_>>(), stage.emulator.save())
    };
    assert_eq!(run(), run());
}

/// Sends `GET /project` with a fault through the door, and reads the body to its end.
async fn read(fault: &str) -> (Result<Bytes, Dropped>, http::HeaderMap) {
    let stage = Stage::new();
    stage.play(&format!("{fault}@GET /project"));
    let request = http::Request::get("/v1/project")
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(Bytes::new())
        .unwrap();
    let (parts, mut body) = stage.emulator.answer(request).await.unwrap().into_parts();
    let mut bytes = Vec::new();
    while let Some(part) = body.next().await {
        match part {
            Ok(part) => bytes.extend_from_slice(&part),
            Err(dropped) => return (Err(dropped), parts.headers),
        }
    }
    (Ok(bytes.into()), parts.headers)
}

#[tokio::test(start_paused = true)]
async fn a_body_is_cut_shortened_or_dripped() {
    let (whole, headers) = read("strange").await;
    let whole = whole.unwrap();
    assert_eq!(headers["content-length"], whole.len().to_string());
    assert_eq!(read("cut:17").await.0, Err(Dropped { sent: true }));
    let (short, headers) = read("truncate:17").await;
    assert_eq!((short.unwrap().len(), &headers["content-length"]), (17, &"17".parse().unwrap()));
    let began = tokio::time::Instant::now();
    let slow = read("drip").await.0.unwrap();
    assert_eq!(began.elapsed().as_secs() as usize, slow.len());
    let (page, headers) = read("html").await;
    assert!(
        page.unwrap().starts_with(b"<!doctype")
            && headers["content-type"] == "text/html; charset=utf-8"
    );
}

#[tokio::test]
async fn the_date_may_be_wrong_and_a_redirect_leads_elsewhere() {
    assert_eq!(read("skew:-60000").await.1["date"], "Thu, 15 Jan 2026 10:29:00 GMT");
    assert_eq!(
        read("redirect:https://evil.example/v1").await.1["location"],
        "https://evil.example/v1"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hanging_request_is_never_answered() {
    let waited = tokio::time::timeout(std::time::Duration::from_secs(3_600), read("hang")).await;
    assert!(waited.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_followed_log_comes_at_its_rate() {
    let stage = Stage::new();
    let id = stage.service("web");
    let request = http::Request::get(format!("/v1/services/{id}/logs"))
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(Bytes::new())
        .unwrap();
    let response = stage.emulator.answer(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let began = tokio::time::Instant::now();
    let parts: Vec<_> = response.into_body().take(4).collect().await;
    assert_eq!(began.elapsed().as_secs(), 3);
    let last = parts[3].as_ref().unwrap();
    assert!(last.starts_with(b"data: {\"timestamp\":") && last.ends_with(b"request=2\"}\n\n"));
}
