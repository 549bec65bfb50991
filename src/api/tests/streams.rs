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
    let lines = match client.reader().logs(&id).await {
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
async fn an_event_without_end_is_broken_off() {
    let body = format!("data: one\n\ndata: {}", "x".repeat(2 * 1024 * 1024));
    let read = read(events(body)).await;
    assert!(read.last().unwrap().contains("larger than 1048576 bytes"), "{}", read.len());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_none_is_an_error() {
    let error = "follow the log of service svc_1: the answer cannot be read: it is no stream of \
                 events";
    assert_eq!(read(ok(json!({}))).await, [error]);
    let error = "follow the log of service svc_1: the API answered 404 service_not_found: about \
                 service_not_found (request req_1)";
    assert_eq!(read(problem(404, "service_not_found")).await, [error]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_taken_for_dead_and_a_heartbeat_for_life() {
    let (client, _) = client([Reply::Events(vec![": alive\n\n", ": alive\n\n", "data: one\n\n"])]);
    let id = RemoteId::new("svc_1").unwrap();
    let lines = client.reader().logs(&id).await.unwrap();
    let read: Vec<String> = pin!(lines)
        .map(|line| line.map_or_else(|error| format!("! {error}"), |line| line.message))
        .collect()
        .await;
    let silence = "! follow the log of service svc_1: nothing came for 120 s";
    assert_eq!(read, ["one", silence]);
}
