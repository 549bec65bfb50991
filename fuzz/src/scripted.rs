//! A client whose answers come from the input, on a clock that costs no time.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream;
use jiff::Timestamp;
use stoker::api::{
    BodyStream, Client, ClientConfig, ClientParts, Dialect, Endpoint, Token, Transport,
    TransportError,
};
use stoker::budget::{self, Millis};
use stoker::clock::Clock;
use stoker::ledger::Ledger;

/// When every run begins.
pub const START: &str = "2026-11-25T00:00:00Z";

/// The token, which no text of ours may show.
pub const TOKEN: &str = "sb_live_fuzzed_canary";

/// One answer: a status, headers and a body.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Bytes,
}

/// One request as it left.
#[derive(Clone, Debug)]
pub struct Sent {
    pub uri: http::Uri,
    pub at: tokio::time::Instant,
}

/// Plays answers in order; when they have come to their end, no connection is made any more.
#[derive(Debug, Default)]
pub struct Script {
    replies: Mutex<VecDeque<Reply>>,
    sent: Mutex<Vec<Sent>>,
}

impl Reply {
    /// Reads `STATUS`, lines of `Name: value`, an empty line and the body.
    pub fn parse(text: &[u8]) -> Self {
        let (head, body) = split(text, b"\n\n");
        let mut lines = head.split(|byte| *byte == b'\n');
        let status =
            lines.next().and_then(|line| std::str::from_utf8(line).ok()?.trim().parse().ok());
        let headers = lines.map(|line| split(line, b":")).map(|(name, value)| {
            (String::from_utf8_lossy(name).trim().to_owned(), value.trim_ascii().to_vec())
        });
        Self {
            status: status.filter(|status| (100..1000).contains(status)).unwrap_or(200),
            headers: headers.collect(),
            body: Bytes::copy_from_slice(body),
        }
    }

    fn response(self) -> http::Response<BodyStream> {
        let mut response = http::Response::builder().status(self.status);
        for (name, value) in &self.headers {
            let name = http::HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_bytes(value)) {
                response = response.header(name, value);
            }
        }
        let body = stream::iter([Ok(self.body)]).boxed();
        response.body(body).expect("status and headers were checked")
    }
}

impl Script {
    /// Makes a script.
    pub fn of(replies: impl IntoIterator<Item = Reply>) -> Arc<Self> {
        let replies = Mutex::new(replies.into_iter().collect());
        Arc::new(Self { replies, sent: Mutex::default() })
    }

    /// Returns what was asked, in order.
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().expect("nobody panics while it is held").clone()
    }

    /// Makes a client that speaks with this script alone. Runs within [`quietly`].
    pub fn client(self: &Arc<Self>) -> Client {
        let start: Timestamp = START.parse().expect("it is a time");
        let now = Millis(u64::try_from(start.as_millisecond()).expect("it is after 1970"));
        Client::new(ClientParts {
            endpoint: Endpoint::parse("https://api.example.com/v1").expect("it is an address"),
            token: Token::parse(TOKEN).expect("it is a token"),
            transport: Arc::<Self>::clone(self),
            ledger: Arc::new(Ledger::in_memory(budget::BudgetConfig::default(), now)),
            clock: Clock::starting_at(start),
            dialect: Dialect::default(),
            config: ClientConfig::default(),
        })
    }
}

impl Transport for Script {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        let sent = Sent { uri: request.uri().clone(), at: tokio::time::Instant::now() };
        self.sent.lock().expect("nobody panics while it is held").push(sent);
        let reply = self.replies.lock().expect("nobody panics while it is held").pop_front();
        let outcome = match reply {
            Some(reply) => Ok(reply.response()),
            None => Err(TransportError::never_left("the script is over")),
        };
        Box::pin(std::future::ready(outcome))
    }
}

/// Runs on a clock that stands still while anything works, and jumps when everything waits.
pub fn quietly<T>(run: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime.expect("it needs no more than memory").block_on(run)
}

/// Splits at the first occurrence; without one everything comes before it.
pub fn split<'a>(text: &'a [u8], at: &[u8]) -> (&'a [u8], &'a [u8]) {
    match text.windows(at.len()).position(|window| window == at) {
        Some(index) => (&text[..index], &text[index + at.len()..]),
        None => (text, &[]),
    }
}

/// Splits at every occurrence, into so many parts at most.
pub fn parts<'a>(mut text: &'a [u8], at: &[u8], parts_max: usize) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    while !text.is_empty() && found.len() < parts_max {
        let (part, rest) = split(text, at);
        found.push(part);
        text = rest;
    }
    found
}
