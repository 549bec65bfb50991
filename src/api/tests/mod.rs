//! The room under a scripted transport: each test says what comes back, and looks at what left.

mod answers;
mod bare;
mod connections;
mod forms;
mod lists;
mod live;
mod retries;
mod secrets;
mod socket;
mod streams;
mod trust;
mod writes;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream;
use serde_json::{Value, json};

use super::*;
use crate::budget::{self, Millis};
use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::model::{FieldPath, FieldValue, Kind, Name, Pin, Project};

pub(super) const TOKEN: &str = "sb_live_canary_token";

/// What comes back for one request.
pub(super) enum Reply {
    Head(u16, Vec<(&'static str, String)>, Bytes),
    Broken(TransportError),
    /// Nobody is there until then, however often it is asked; then comes the next reply.
    Absence(tokio::time::Instant),
    /// The body breaks off after these bytes.
    Cut(Bytes),
    /// The body comes a byte a second.
    Drip(Bytes),
    Silence,
    /// Pieces of an event stream, one every 100 s, then silence.
    Events(Vec<&'static str>),
}

pub(super) fn ok(body: Value) -> Reply {
    status(200, body)
}

pub(super) fn status(status: u16, body: Value) -> Reply {
    Reply::Head(status, json_type(), body.to_string().into())
}

pub(super) fn json_type() -> Vec<(&'static str, String)> {
    vec![("content-type", "application/json".to_owned())]
}

pub(super) fn problem(code: u16, word: &str) -> Reply {
    let error = json!({"code": word, "message": format!("about {word}"), "request_id": "req_1"});
    status(code, json!({ "error": error }))
}

pub(super) fn html(code: u16) -> Reply {
    let head = vec![("content-type", "text/html".to_owned())];
    Reply::Head(code, head, "<!doctype html><p>Log in</p>".into())
}

pub(super) fn lost() -> Reply {
    Reply::Broken(TransportError::lost("connection reset"))
}

pub(super) fn never_left() -> Reply {
    Reply::Broken(TransportError::never_left("connection refused"))
}

pub(super) fn list(items: &[Value]) -> Reply {
    ok(json!({"services": items, "databases": items, "envgroups": items,
        "total": items.len(), "page": 1}))
}

pub(super) fn service(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "type": "web_service", "status": "running",
        "created_at": "2026-01-15T10:30:00Z"})
}

/// Services, each of its own number.
pub(super) fn services(numbers: std::ops::Range<u32>) -> Vec<Value> {
    numbers.map(|n| service(&format!("svc_{n}"), &format!("s{n}"))).collect()
}

/// A transport that answers from a script, in order.
#[derive(Default)]
pub(super) struct Script {
    replies: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<http::Request<Bytes>>>,
}

impl Script {
    /// Returns what was asked: `GET /v1/services?page=1&per_page=100`.
    pub(super) fn asked(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let asked = requests.iter().map(|request| {
            format!("{} {}", request.method(), request.uri().path_and_query().unwrap())
        });
        asked.collect()
    }

    fn next(&self) -> Option<Reply> {
        let mut replies = self.replies.lock().unwrap();
        match replies.front() {
            Some(Reply::Absence(end)) if *end > tokio::time::Instant::now() => {
                Some(Reply::Absence(*end))
            }
            Some(Reply::Absence(_)) => {
                replies.pop_front();
                replies.pop_front()
            }
            Some(_) | None => replies.pop_front(),
        }
    }

    pub(super) fn body(&self, index: usize) -> Value {
        let requests = self.requests.lock().unwrap();
        serde_json::from_slice(requests[index].body()).unwrap()
    }

    pub(super) fn header(&self, index: usize, name: &str) -> String {
        let requests = self.requests.lock().unwrap();
        requests[index].headers()[name].to_str().unwrap().to_owned()
    }
}

impl Transport for Script {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        self.requests.lock().unwrap().push(request);
        let reply = self.next();
        Box::pin(async move {
            let mut head = Vec::new();
            let (status, body): (u16, BodyStream) = match reply.expect("the script is long enough")
            {
                Reply::Head(status, headers, body) => {
                    head = headers;
                    (status, stream::iter([Ok(body)]).boxed())
                }
                Reply::Broken(error) => return Err(error),
                Reply::Absence(_) => return Err(TransportError::never_left("connection refused")),
                Reply::Silence => std::future::pending().await,
                Reply::Cut(body) => {
                    let end = Err(TransportError::lost("connection reset"));
                    (200, stream::iter([Ok(body), end]).boxed())
                }
                Reply::Events(pieces) => {
                    head = vec![("content-type", "text/event-stream".to_owned())];
                    let pieces = stream::iter(pieces).then(|piece| async move {
                        tokio::time::sleep(std::time::Duration::from_secs(100)).await;
                        Ok(Bytes::from(piece))
                    });
                    (200, pieces.chain(stream::pending()).boxed())
                }
                Reply::Drip(body) => {
                    let bytes = stream::iter(body).then(|byte| async move {
                        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                        Ok(Bytes::copy_from_slice(&[byte]))
                    });
                    (200, bytes.boxed())
                }
            };
            let mut response = http::Response::builder().status(status);
            for (name, value) in head {
                response = response.header(name, value);
            }
            Ok(response.body(body).unwrap())
        })
    }
}

pub(super) fn project(id: Option<&str>) -> Project {
    serde_json::from_value(json!({"id": id, "name": "acme"})).unwrap()
}

/// The right to write to the project of the scripts.
pub(super) fn writer(client: &Client) -> Writer {
    let project = project(Some("prj_1"));
    let pin = Pin { origin: client.origin(), project: project.clone() };
    client.writer(&pin, &project).unwrap()
}

/// Leave for a write that rests on what was seen just now.
pub(super) async fn leave(writer: &Writer, client: &Client) -> Leave {
    writer.reserve().await.unwrap().resting_on(client.now(), LOOK_AGE_MAX)
}

/// What is to be created, of values that refer to nothing.
pub(super) fn draft<'a>(
    kind: Kind,
    name: &'a Name,
    fields: &'a BTreeMap<FieldPath, FieldValue>,
    links: &'a Links,
    answers: &'a Answers,
) -> Create<'a> {
    Create { kind, name, fields, links, answers }
}

/// A client whose every request is answered from the script.
pub(super) fn client(replies: impl IntoIterator<Item = Reply>) -> (Client, Arc<Script>) {
    client_of(replies, Dialect::default(), ClientConfig::default())
}

pub(super) fn speaking(
    dialect: &[&str],
    replies: impl IntoIterator<Item = Reply>,
) -> (Client, Arc<Script>) {
    let mut spoken = Dialect::default();
    for setting in dialect {
        spoken.set(setting).unwrap();
    }
    client_of(replies, spoken, ClientConfig::default())
}

/// A client over a real socket and a real clock.
pub(super) fn connected(address: &str, transport: HttpTransport, calls_max: Option<u32>) -> Client {
    let config = ClientConfig { calls_max, ..ClientConfig::default() };
    client_over(Arc::new(transport), address, Clock::system(), Dialect::default(), config)
}

pub(super) fn client_of(
    replies: impl IntoIterator<Item = Reply>,
    dialect: Dialect,
    config: ClientConfig,
) -> (Client, Arc<Script>) {
    let script = Arc::new(Script::default());
    script.replies.lock().unwrap().extend(replies);
    let clock = Clock::starting_at("2026-11-24T00:00:00Z".parse().unwrap());
    let transport = Arc::<Script>::clone(&script);
    (client_over(transport, "https://api.dev/v1", clock, dialect, config), script)
}

fn client_over(
    transport: Arc<dyn Transport>,
    address: &str,
    clock: Clock,
    dialect: Dialect,
    config: ClientConfig,
) -> Client {
    let now = Millis::from(clock.now());
    Client::new(ClientParts {
        endpoint: Endpoint::parse(address).unwrap(),
        token: Token::parse(TOKEN).unwrap(),
        transport,
        ledger: Arc::new(Ledger::in_memory(budget::BudgetConfig::default(), now)),
        clock,
        dialect,
        config,
    })
}
