//! The laws of the emulator, each through requests as a client sends them.
//!
//! Only [`Stage`] knows how a request is made.

mod dialect;
mod endpoints;
mod faults;
mod people;
mod rates;
mod script;
mod socket;
mod specification;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::answer::{Disposition, HttpReply};
use super::routes::ReceivedRequest;
use super::world::Payload;
use super::{Emulator, EmulatorConfig, Faults, TOKEN};

/// When every test begins: 2026-01-15T10:30:00Z, a full minute.
pub(super) const START: u64 = 1_768_473_000_000;

/// An emulator with a clock that moves when it is told to.
pub(super) struct Stage {
    pub(super) emulator: Emulator,
    clock: Arc<AtomicU64>,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut EmulatorConfig)) -> Self {
        let mut config = EmulatorConfig::default();
        change(&mut config);
        let clock = Arc::new(AtomicU64::new(START));
        let hands = clock.clone();
        let emulator = Emulator::new(config, Arc::new(move || hands.load(Ordering::Relaxed)));
        Self { emulator, clock }
    }

    pub(super) fn wait(&self, milliseconds: u64) {
        self.clock.fetch_add(milliseconds, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    pub(super) fn play(&self, faults: &str) {
        self.emulator.play(Faults::parse(faults).unwrap());
    }

    /// Sends `POST /services` with the default token.
    pub(super) fn send(&self, request: &str, body: &Value) -> Disposition {
        self.send_as(Some(TOKEN), request, body)
    }

    pub(super) fn send_as(&self, token: Option<&str>, request: &str, body: &Value) -> Disposition {
        let (method, target) = request.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = ReceivedRequest {
            method: method.into(),
            path: format!("/v1{path}"),
            query: query.into(),
            token: token.map(str::to_owned),
            body,
        };
        self.emulator.world().answer(&request, self.now())
    }

    /// Sends a request and returns its answer.
    pub(super) fn answer(&self, request: &str, body: &Value) -> HttpReply {
        match self.send(request, body) {
            Disposition::Answer(answer) => answer,
            outcome => panic!("{request} was not answered: {outcome:?}"),
        }
    }

    /// Sends a request and returns the status and the body of its answer.
    pub(super) fn ask(&self, request: &str, body: Value) -> (u16, Value) {
        let HttpReply { status, payload, .. } = self.answer(request, &body);
        match payload {
            Payload::Json(body) => (status, body),
            _ => (status, Value::Null),
        }
    }

    pub(super) fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(&format!("GET {path}"), Value::Null);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Checks the status of an answer and, of a refusal, its code.
    pub(super) fn check(&self, request: &str, body: Value, expected: &str) {
        let (status, answer) = self.ask(request, body);
        let shown = match answer["error"]["code"].as_str() {
            Some(code) => format!("{status} {code}"),
            None => status.to_string(),
        };
        assert_eq!(shown, expected, "{request}: {answer}");
    }

    /// Creates a thing and returns its id.
    pub(super) fn create(&self, path: &str, body: Value) -> String {
        let (status, answer) = self.ask(&format!("POST {path}"), body);
        assert_eq!(status, 201, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    pub(super) fn service(&self, name: &str) -> String {
        self.create("/services", web(name))
    }

    pub(super) fn names(&self, path: &str) -> String {
        let body = self.get(path);
        let items = body.as_object().unwrap().values().find_map(Value::as_array).unwrap();
        items.iter().map(|item| item["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    }
}

pub(super) fn web(name: &str) -> Value {
    json!({"name": name, "type": "web_service", "branch": "main"})
}
