//! Orders over the socket's routes.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::stage::{Answered, Stage, get, post};
use crate::daemon::{Acknowledgement, Refusal, Seat};
use crate::status::Order;

/// Gives an order to the only project, whose loop answers as told, and returns what it heard.
async fn give(
    path: &str,
    body: &Value,
    reply: Result<Acknowledgement, Refusal>,
) -> (Answered, Order) {
    let mut stage = Stage::new(&["shop"]);
    let mut seat = stage.seats.remove("shop").unwrap();
    let serve = async {
        let (order, answer) = seat.orders.recv().await.unwrap();
        answer.send(reply).unwrap();
        order
    };
    let body = body.to_string();
    tokio::join!(post(&stage.local, path, &body), serve)
}

#[tokio::test(start_paused = true)]
async fn every_order_reaches_its_loop_and_brings_its_answer_back() {
    let until = "2026-11-25T00:00:00Z";
    let key = "service/api".parse().unwrap();
    for (path, body, expected) in [
        ("reconcile", json!({}), Order::Reconcile { key: None }),
        ("reconcile", json!({"key": "service/api"}), Order::Reconcile { key: Some(key) }),
        (
            "suspend",
            json!({"project": "shop", "reason": "release", "until": until}),
            Order::Suspend { reason: "release".to_owned(), until: until.parse().unwrap() },
        ),
        ("resume", json!({"project": null}), Order::Resume),
        ("pin", json!({"commit": "AB12"}), Order::Pin { commit: "ab12".to_owned() }),
        ("unpin", json!({}), Order::Unpin),
    ] {
        let done = Ok(Acknowledgement("done as told".to_owned()));
        let (answered, order) = give(&format!("/api/orders/{path}"), &body, done).await;
        assert_eq!(order, expected);
        assert_eq!(answered.status, StatusCode::OK);
        assert_eq!(answered.json(), json!({"message": "done as told"}));
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_loop_refuses_is_told_with_its_reason() {
    let refusal = Err(Refusal::Refused("nothing is suspended".to_owned()));
    let (answered, _) = give("/api/orders/resume", &json!({}), refusal).await;
    assert_eq!(answered.status, StatusCode::CONFLICT);
    let expected = json!({"code": "refused", "message": "nothing is suspended", "hints": []});
    assert_eq!(answered.json()["error"], expected);
    let (answered, _) = give("/api/orders/resume", &json!({}), Err(Refusal::Busy)).await;
    assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_makes_no_sense_reaches_no_loop() {
    let mut stage = Stage::new(&["shop"]);
    for (path, body) in [
        ("reconcile", "{"),
        ("reconcile", r#"{"key":"service"}"#),
        ("reconcile", r#"{"kye":"service/api"}"#),
        ("suspend", "{}"),
        ("suspend", r#"{"reason":"release"}"#),
        ("suspend", r#"{"reason":" ","until":"2026-11-25T00:00:00Z"}"#),
        ("suspend", r#"{"reason":"late","until":"2026-11-23T00:00:00Z"}"#),
        ("pin", r#"{"commit":"abc"}"#),
        ("pin", r#"{"commit":"main"}"#),
        ("pin", r#"{"commit":"--upload-pack"}"#),
    ] {
        let answered = post(&stage.local, &format!("/api/orders/{path}"), body).await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{path} {body}");
        assert_eq!(answered.json()["error"]["code"], "bad_order", "{path} {body}");
    }
    let large = format!(r#"{{"commit":"{}"}}"#, "a".repeat(20_000));
    let answered = post(&stage.local, "/api/orders/pin", &large).await;
    assert_eq!(answered.status, StatusCode::PAYLOAD_TOO_LARGE);
    let Seat { orders, .. } = stage.seats.get_mut("shop").unwrap();
    assert!(orders.try_recv().is_err(), "the loop heard nothing");
}

#[tokio::test(start_paused = true)]
async fn with_many_projects_an_order_says_for_whom_it_is() {
    let stage = Stage::new(&["blog", "shop"]);
    let answered = post(&stage.local, "/api/orders/resume", "").await;
    assert_eq!(answered.status, StatusCode::BAD_REQUEST);
    assert_eq!(answered.json()["error"]["hints"][0], "name one of: blog, shop");
    let answered = post(&stage.local, "/api/orders/resume", r#"{"project":"other"}"#).await;
    assert_eq!(answered.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_does_not_answer_is_given_up_and_said_to_be_open() {
    let stage = Stage::new(&["shop"]);
    let began = tokio::time::Instant::now();
    let answered = post(&stage.local, "/api/orders/resume", "{}").await;
    assert_eq!(began.elapsed(), Duration::from_secs(30));
    assert_eq!(answered.status, StatusCode::GATEWAY_TIMEOUT);
    let status = get(&stage.local, "/api/orders/resume").await.status;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}
