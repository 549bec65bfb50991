//! What an agent answers, in memory: the transport is a test's, the client is the real one.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream;

use super::{AgentAddress, AgentClient, Bearer};
use crate::api::{BodyStream, Transport, TransportError};
use crate::status::Order;

/// Answers every request with the same, and remembers what was asked.
struct Canned {
    status: u16,
    form: &'static str,
    pieces: Vec<Bytes>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Transport for Canned {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        let body = String::from_utf8_lossy(request.body());
        let bearer = request.headers().contains_key("authorization");
        let line = format!("{} {} {body} {bearer}", request.method(), request.uri());
        self.asked.lock().unwrap().push(line);
        let body = stream::iter(self.pieces.clone().into_iter().map(Ok)).boxed();
        let response = http::Response::builder().status(self.status);
        let response = response.header("content-type", self.form).body(body).unwrap();
        Box::pin(async move { Ok(response) })
    }
}

fn canned(status: u16, form: &'static str, body: &str) -> (AgentClient, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let pieces = vec![Bytes::from(body.to_owned())];
    let transport = Canned { status, form, pieces, asked: Arc::clone(&asked) };
    let address: AgentAddress = "https://agent.dev/stoker/".parse().unwrap();
    (AgentClient::over(Arc::new(transport), address, Some(Bearer::parse("canary").unwrap())), asked)
}

async fn check(status: u16, body: &str) -> String {
    let (agent, _) = canned(status, "application/json", body);
    match agent.status(None).await {
        Ok(status) => format!("{} projects", status.projects.len()),
        Err(error) => format!("failed to {error}"),
    }
}

#[tokio::test]
async fn what_is_no_status_is_explained_and_what_is_new_is_ignored() {
    assert_eq!(check(200, r#"{"formatVersion":"1.7","projects":[],"new":1}"#).await, "0 projects");
    assert_eq!(
        check(200, r#"{"formatVersion":"2.0","projects":{"what":"ever"}}"#).await,
        "failed to read the status of the agent at https://agent.dev/stoker: it has format 2.0, \
         this version reads 1.0"
    );
    for (status, body, expected) in [
        (200, "<html>", "understand the answer"),
        (200, "{}", "formatVersion"),
        (302, "", "it said 302"),
        (500, "<html>", "it said 500"),
        (401, "", "sign in to the agent at https://agent.dev/stoker: 401"),
        (403, r#"{"error":{"code":"x","message":"no"}}"#, "sign in"),
        (404, r#"{"error":{"code":"x","message":"there is no project"}}"#, "there is no project"),
    ] {
        let shown = check(status, body).await;
        assert!(shown.contains(expected), "{status} {body}: {shown}");
        assert!(!shown.contains("canary"));
    }
}

#[tokio::test]
async fn an_order_is_one_request_with_what_it_needs_and_no_more() {
    let (agent, asked) = canned(200, "application/json", r#"{"message":"done","new":true}"#);
    let until = "2026-12-01T00:00:00Z".parse().unwrap();
    let reason = "a migration".to_owned();
    let orders = [
        Order::Reconcile { key: Some("service/api".parse().unwrap()) },
        Order::Suspend { reason, until },
        Order::Resume,
        Order::Pin { commit: "3f2a1bc".to_owned() },
        Order::Unpin,
    ];
    for order in &orders {
        assert_eq!(agent.order(order, Some("shop")).await.unwrap(), "done");
    }
    let _ = agent.status(Some("a b&c")).await;
    let base = "POST https://agent.dev/stoker/api/orders";
    assert_eq!(
        *asked.lock().unwrap(),
        [
            format!(r#"{base}/reconcile {{"project":"shop","key":"service/api"}} true"#),
            format!(
                r#"{base}/suspend {{"project":"shop","reason":"a migration","until":"2026-12-01T00:00:00Z"}} true"#
            ),
            format!(r#"{base}/resume {{"project":"shop"}} true"#),
            format!(r#"{base}/pin {{"project":"shop","commit":"3f2a1bc"}} true"#),
            format!(r#"{base}/unpin {{"project":"shop"}} true"#),
            "GET https://agent.dev/stoker/api/status?project=a%20b%26c  true".to_owned(),
        ]
    );
}

#[tokio::test]
async fn an_answer_without_an_end_is_given_up() {
    let asked = Arc::default();
    let pieces = vec![Bytes::from(vec![b' '; 1024 * 1024]); 65];
    let transport = Canned { status: 200, form: "application/json", pieces, asked };
    let address = "http://127.0.0.1:1".parse().unwrap();
    let agent = AgentClient::over(Arc::new(transport), address, None);
    let error = agent.status(None).await.unwrap_err().to_string();
    assert!(error.contains("larger than"), "{error}");
}

#[tokio::test]
async fn events_are_read_off_a_stream_and_other_things_are_passed_over() {
    let event = r#"{"project":"shop","sequence":1,"at":"2026-11-25T07:00:00Z","severity":"Normal","reason":"Applied","message":"m","new":1}"#;
    let frame = format!("event: event\ndata: {event}\n\n");
    let body = format!(
        ": hello\n\nevent: status\ndata: {{}}\n\n{frame}event: lost\ndata: {{}}\n\n{frame}"
    );
    let (agent, _) = canned(200, "text/event-stream", &body);
    let events: Vec<_> = agent.listen().await.unwrap().collect().await;
    assert_eq!(events.len(), 2, "nothing comes after what was lost");
    let event = events[0].as_ref().unwrap();
    assert_eq!((event.project.as_str(), event.event.sequence), ("shop", 1));
    assert!(events[1].as_ref().unwrap_err().to_string().contains("more than was read in time"));
    let (agent, _) = canned(200, "text/html", "<html>");
    assert!(agent.listen().await.is_err());
}
