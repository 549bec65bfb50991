//! Webhooks as they come in, honest and otherwise.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, StatusCode};
use sha2::Sha256;

use super::stage::{Answered, SECRET, Stage, ask, request};
use crate::status::Trigger;

const MAIN: &str = r#"{"ref":"refs/heads/main","after":"1"}"#;

pub fn hexadecimal(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn deliver(stage: &Stage, path: &str, event: &str, body: &str) -> Answered {
    let signature = format!("sha256={}", hexadecimal(body));
    let headers = [("x-hub-signature-256", signature.as_str()), ("x-github-event", event)];
    send(stage, path, &headers, Body::from(body.to_owned())).await
}

async fn send(stage: &Stage, path: &str, headers: &[(&str, &str)], body: Body) -> Answered {
    // Not by a name of this machine: webhooks come through proxies and tunnels.
    let headers = [&[("host", "stoker.acme.dev")], headers].concat();
    ask(&stage.public, request(Method::POST, path, &headers, body)).await
}

#[tokio::test(start_paused = true)]
async fn a_signed_push_rings_for_its_project_and_for_no_other() {
    let stage = Stage::new(&["blog", "shop"]);
    let answered = deliver(&stage, "/webhook/shop", "push", MAIN).await;
    assert_eq!(answered.status, StatusCode::ACCEPTED, "{}", answered.text);
    assert_eq!(stage.rung("shop"), [Trigger::Webhook]);
    assert_eq!(stage.rung("blog"), []);
    let unnamed = deliver(&stage, "/webhook", "push", MAIN).await;
    assert_eq!(unnamed.status, StatusCode::NOT_FOUND, "there are two projects");
    let unknown = deliver(&stage, "/webhook/other", "push", MAIN).await;
    assert_eq!(unknown.text, unnamed.text, "strangers learn no names");
    let only = Stage::new(&["shop"]);
    assert_eq!(deliver(&only, "/webhook", "push", MAIN).await.status, StatusCode::ACCEPTED);
    assert_eq!(only.rung("shop"), [Trigger::Webhook]);
}

#[tokio::test(start_paused = true)]
async fn a_ping_and_a_push_elsewhere_are_welcome_and_ring_nothing() {
    let stage = Stage::new(&["shop"]);
    let ping = deliver(&stage, "/webhook", "ping", "{}").await;
    assert_eq!(ping.status, StatusCode::OK);
    let elsewhere = r#"{"ref":"refs/heads/next"}"#;
    let elsewhere = deliver(&stage, "/webhook", "push", elsewhere).await;
    assert_eq!(elsewhere.status, StatusCode::ACCEPTED);
    assert_eq!(stage.rung("shop"), []);
}

#[tokio::test(start_paused = true)]
async fn unsigned_and_wrongly_signed_ones_are_refused_with_one_text() {
    let stage = Stage::new(&["shop"]);
    let wrong = format!("sha256={}", hexadecimal("another body"));
    let signed = format!("sha256={}", hexadecimal(MAIN));
    let mut texts = Vec::new();
    for headers in [
        &[][..],
        &[("x-github-event", "push")][..],
        &[("x-hub-signature-256", wrong.as_str())][..],
        &[("x-hub-signature-256", "sha256=zz")][..],
        &[("x-gitlab-token", "not the secret at all")][..],
        &[("x-hub-signature-256", signed.as_str()), ("x-hub-signature-256", wrong.as_str())][..],
    ] {
        let answered = send(&stage, "/webhook", headers, Body::from(MAIN)).await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{headers:?}");
        texts.push(answered.text);
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_eq!(stage.rung("shop"), []);
}

#[tokio::test(start_paused = true)]
async fn a_replay_rings_nothing_whatever_its_unsigned_headers_say() {
    let stage = Stage::new(&["shop"]);
    let signature = format!("sha256={}", hexadecimal(MAIN));
    for (id, status, rung) in [
        ("1", StatusCode::ACCEPTED, vec![Trigger::Webhook]),
        ("1", StatusCode::OK, vec![]),
        ("2", StatusCode::OK, vec![]),
    ] {
        let headers = [
            ("x-hub-signature-256", signature.as_str()),
            ("x-github-event", "push"),
            ("x-github-delivery", id),
        ];
        let answered = send(&stage, "/webhook", &headers, Body::from(MAIN)).await;
        assert_eq!(answered.status, status, "{}", answered.text);
        assert_eq!(stage.rung("shop"), rung);
    }
    // A forged one is not remembered, so it keeps no true one out.
    let body = r#"{"ref":"refs/heads/main","after":"2"}"#;
    let forged = [("x-hub-signature-256", signature.as_str())];
    assert_eq!(
        send(&stage, "/webhook", &forged, Body::from(body)).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(deliver(&stage, "/webhook", "push", body).await.status, StatusCode::ACCEPTED);
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_one_ring() {
    let stage = Stage::new(&["shop"]);
    for number in 0..500 {
        let body = format!(r#"{{"ref":"refs/heads/main","after":"{number}"}}"#);
        assert_eq!(deliver(&stage, "/webhook", "push", &body).await.status, StatusCode::ACCEPTED);
    }
    assert_eq!(stage.rung("shop"), [Trigger::Webhook]);
    assert_eq!(stage.rung("shop"), []);
}

/// A body that must not be read.
fn untouchable() -> Body {
    Body::from_stream(stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, Infallible>>> {
        panic!("the body was read")
    }))
}

#[tokio::test(start_paused = true)]
async fn what_can_be_refused_by_its_head_is_refused_before_a_byte_is_read() {
    let stage = Stage::new(&["shop"]);
    let signed = ("x-hub-signature-256", "sha256=00");
    let digits = format!("sha256={}", "0".repeat(64));
    let large = [("x-hub-signature-256", digits.as_str()), ("content-length", "1073741824")];
    let answered = send(&stage, "/webhook", &large, untouchable()).await;
    assert_eq!(answered.status, StatusCode::PAYLOAD_TOO_LARGE);
    let unsigned = send(&stage, "/webhook", &[("content-length", "2")], untouchable()).await;
    assert_eq!(unsigned.status, StatusCode::UNAUTHORIZED);
    let short = send(&stage, "/webhook", &[signed], untouchable()).await;
    assert_eq!(short.status, StatusCode::UNAUTHORIZED);
    let nobody = send(&stage, "/webhook/nobody", &[signed], untouchable()).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_cut_at_its_limit_in_bytes() {
    let stage = Stage::new(&["shop"]);
    let digits = format!("sha256={}", "0".repeat(64));
    let chunk = Bytes::from(vec![b' '; 1 << 16]);
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let endless = stream::repeat_with(move || {
        counter.fetch_add(chunk.len(), Ordering::Relaxed);
        Ok::<_, Infallible>(chunk.clone())
    });
    let headers = [("x-hub-signature-256", digits.as_str())];
    let answered = send(&stage, "/webhook", &headers, Body::from_stream(endless)).await;
    assert_eq!(answered.status, StatusCode::PAYLOAD_TOO_LARGE);
    // The limit, and the piece that went over it.
    assert_eq!(taken.load(Ordering::Relaxed), (5 << 20) + (1 << 16));
}

/// A body that begins with so many bytes and goes on with one a second.
fn drip(first: usize) -> Body {
    let begin = stream::iter([Ok::<_, Infallible>(Bytes::from(vec![b'a'; first]))]);
    let byte = stream::repeat(Ok::<_, Infallible>(Bytes::from_static(b"a")));
    Body::from_stream(begin.chain(byte.then(|byte| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        byte
    })))
}

/// Sends many slow bodies at once; returns how many were given up, and how many turned away.
async fn send_slowly(stage: &Stage, count: usize, first: usize) -> (usize, usize) {
    let digits = format!("sha256={}", "0".repeat(64));
    let headers = [("x-hub-signature-256", digits.as_str())];
    let all = (0..count).map(|_| send(stage, "/webhook", &headers, drip(first)));
    let statuses = futures_util::future::join_all(all).await;
    let count = |status| statuses.iter().filter(|it| it.status == status).count();
    (count(StatusCode::REQUEST_TIMEOUT), count(StatusCode::SERVICE_UNAVAILABLE))
}

#[tokio::test(start_paused = true)]
async fn slow_bodies_are_given_up_after_ten_seconds_and_keep_no_webhook_out_meanwhile() {
    let stage = Stage::new(&["shop"]);
    let began = tokio::time::Instant::now();
    let honest = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let began = tokio::time::Instant::now();
        let answered = deliver(&stage, "/webhook", "push", MAIN).await;
        assert_eq!(answered.status, StatusCode::ACCEPTED, "{}", answered.text);
        assert_eq!(began.elapsed(), Duration::ZERO);
    };
    let (slow, ()) = tokio::join!(send_slowly(&stage, 200, 1), honest);
    assert_eq!(slow, (200, 0));
    assert_eq!(began.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn of_large_bodies_eight_are_read_at_once_and_small_ones_beside_them() {
    let stage = Stage::new(&["shop"]);
    let honest = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let answered = deliver(&stage, "/webhook", "push", MAIN).await;
        assert_eq!(answered.status, StatusCode::ACCEPTED, "{}", answered.text);
    };
    let (slow, ()) = tokio::join!(send_slowly(&stage, 20, (64 << 10) + 1), honest);
    assert_eq!(slow, (8, 12));
    // The places are free again.
    let large = format!(r#"{{"ref":"refs/heads/main","pad":"{}"}}"#, "a".repeat(1 << 20));
    assert_eq!(deliver(&stage, "/webhook", "push", &large).await.status, StatusCode::ACCEPTED);
}
