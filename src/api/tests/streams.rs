//! The live log.

use std::pin::pin;

use super::*;
use crate::model::RemoteId;

fn events(body: impl Into<Bytes>) -> Reply {
    let head = vec![("content-type", "text/event-stream; charset=utf-8".to_owned())];
    Reply::Head(200, head, body.into())
}

async fn read(reply: Reply) -> Vec<String> {
    let (client, _) = client([reply]);
    let id = RemoteId::new("svc_1").unwrap();
    let lines = match client.reader().logs(&id, &LogPlace::default()).await {
        Ok(lines) => lines,
        Err(error) => return vec![error.to_string()],
    };
    pin!(lines)
        .map(|line| line.map_or_else(|error| format!("! {error}"), |line| line.message))
        .collect()
        .await
}

#[tokio::test(start_paused = true)]
async fn lines_come_as_json_and_as_plain_text() {
    let body = "data: {\"message\":\"one\"}\n\n: heartbeat\n\ndata: two\r\n\r\n";
    assert_eq!(read(events(body)).await, ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_too_long_or_too_odd_ends_no_log() {
    let mut body = format!("data: {}\n\n", "x".repeat(2 * 1024 * 1024)).into_bytes();
    body.extend(b"data: \xff\n\nodd: \x00\ndata: three\n\n");
    let read = read(events(body)).await;
    assert!(read[0].starts_with("xxx") && read[0].len() < 70_000, "{}", read[0].len());
    assert_eq!(read[1..], ["\u{fffd}", "three"]);
}

#[tokio::test(start_paused = true)]
async fn a_log_asks_for_no_compression_and_goes_on_where_it_was() {
    let first = "retry: 2500\nid: 7\ndata: one\n\nid: 8\ndata: two";
    let (client, script) = client([
        events(first),
        events(": nothing new\n\n"),
        events("id: \x01\ndata: odd\n\n"),
        Reply::Head(204, Vec::new(), Bytes::new()),
    ]);
    let (id, place) = (RemoteId::new("svc_1").unwrap(), LogPlace::default());
    for (is_over, pause) in [(false, 2500), (false, 2500), (false, 2500), (true, 2500)] {
        let lines = client.reader().logs(&id, &place).await.unwrap();
        assert!(pin!(lines).all(|line| async move { line.is_ok() }).await);
        assert_eq!(place.is_over(), is_over);
        assert_eq!(place.pause(), Some(std::time::Duration::from_millis(pause)));
    }
    assert_eq!(script.header(0, "accept-encoding"), "identity");
    assert_eq!(script.header(1, "last-event-id"), "7", "what had not ended is asked for again");
    assert_eq!(script.header(2, "last-event-id"), "7");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_none_is_an_error() {
    let error = "follow the log of service svc_1: the answer cannot be read: it is not an event \
                 stream";
    assert_eq!(read(ok(json!({}))).await, [error]);
    let error = "follow the log of service svc_1: the API answered 404 service_not_found: about \
                 service_not_found (request req_1)";
    assert_eq!(read(problem(404, "service_not_found")).await, [error]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_taken_for_dead_and_a_heartbeat_for_life() {
    let (client, _) = client([Reply::Events(vec![": alive\n\n", ": alive\n\n", "data: one\n\n"])]);
    let id = RemoteId::new("svc_1").unwrap();
    let lines = client.reader().logs(&id, &LogPlace::default()).await.unwrap();
    let read: Vec<String> = pin!(lines)
        .map(|line| line.map_or_else(|error| format!("! {error}"), |line| line.message))
        .collect()
        .await;
    let silence = "! follow the log of service svc_1: nothing arrived for 120 s";
    assert_eq!(read, ["one", silence]);
}
