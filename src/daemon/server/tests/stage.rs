//! A server over projects that a test writes by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, Method, Request, StatusCode};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use super::super::access::Gate;
use super::super::routes;
use super::super::shared::{ServerState, ShutdownSignal};
use super::super::{Meters, Projects, Pulse, ServedProject};
use crate::clock::Clock;
use crate::daemon::webhook::Webhook;
use crate::daemon::{Handle, Seat, SharedSecret};
use crate::model::Name;
use crate::status::{
    BudgetStatus, ConditionReason, Event, EventSeverity, HealthStatus, LifetimeCounts, Mode,
    PassRecord, ProjectStatus, SharedList, SourceStatus, Steering, SyncStatus, Trigger,
};

pub const START: &str = "2026-11-24T00:00:00Z";
pub const TOKEN: &str = "a token of the server's";
pub const SECRET: &str = "It's a Secret to Everybody";

/// A server, the inner sides of its projects, and its end.
pub struct Stage {
    pub projects: Projects,
    pub seats: BTreeMap<String, Seat>,
    pub pulses: BTreeMap<String, Pulse>,
    pub meters: Meters,
    pub clock: Clock,
    /// Without a token.
    pub public: Router,
    /// With one.
    pub guarded: Router,
    pub local: Router,
    pub open: watch::Sender<()>,
}

impl Stage {
    pub fn new(names: &[&str]) -> Self {
        let clock = Clock::starting_at(START.parse().unwrap());
        let (mut seats, mut pulses, mut kept) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for name in names {
            let (handle, seat) = Handle::new(status(name));
            let pulse = Pulse::new(clock.now());
            let secret = SharedSecret::parse(SECRET).unwrap();
            let reference = Some("refs/heads/main".to_owned());
            let webhook = Webhook::new(None, secret, reference).unwrap();
            seats.insert((*name).to_owned(), seat);
            pulses.insert((*name).to_owned(), pulse.clone());
            kept.push((Name::new(name).unwrap(), ServedProject::new(handle, pulse, Some(webhook))));
        }
        let (projects, meters) = (kept.into_iter().collect::<Projects>(), Meters::default());
        let (open, closing) = ShutdownSignal::new();
        let shared = ServerState::new(projects.clone(), meters.clone(), clock.clone(), closing);
        let token = SharedSecret::parse(TOKEN).unwrap();
        Self {
            public: routes::public(shared.clone(), Gate::new(None)),
            guarded: routes::public(shared.clone(), Gate::new(Some(token))),
            local: routes::local(shared.with_own_places()),
            projects,
            seats,
            pulses,
            meters,
            clock,
            open,
        }
    }

    /// Rings that were not yet heard.
    pub fn rung(&self, project: &str) -> Vec<Trigger> {
        self.seats[project].bell.take().into_iter().collect()
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A request as one from this machine.
pub fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request = request.header("host", "localhost:9464");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}

/// Sends a request and returns the answer before its body.
pub async fn send(router: &Router, request: Request<Body>) -> Response {
    TowerToHyperService::new(router.clone()).call(request).await.unwrap()
}

/// Sends a request and reads the answer whole.
pub async fn ask(router: &Router, request: Request<Body>) -> Answered {
    let response = send(router, request).await;
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Answered { status: parts.status, headers: parts.headers, text }
}

pub async fn get(router: &Router, path: &str) -> Answered {
    ask(router, request(Method::GET, path, &[], Body::empty())).await
}

pub async fn post(router: &Router, path: &str, body: &str) -> Answered {
    ask(router, request(Method::POST, path, &[], Body::from(body.to_owned()))).await
}

pub fn now() -> Timestamp {
    START.parse().unwrap()
}

/// A project that was never looked at.
pub fn status(name: &str) -> ProjectStatus {
    ProjectStatus {
        name: name.to_owned(),
        origin: "https://api.example/v1".to_owned(),
        platform_name: None,
        platform_id: None,
        mode: Mode::Repair,
        switches: None,
        started_at: now(),
        updated_at: now(),
        sync_status: SyncStatus::Synced,
        health_status: HealthStatus::Healthy,
        conditions: Vec::new().into(),
        source: SourceStatus { location: "manifests/".to_owned(), revision: None, problem: None },
        synced: None,
        seen_synced_at: None,
        steering: Steering::default(),
        resources: SharedList::default(),
        pending: SharedList::default(),
        unmanaged: 0,
        unmanaged_things: Vec::new(),
        deployments: SharedList::default(),
        counts: LifetimeCounts::default(),
        last_repair: None,
        last_rollback: None,
        history: SharedList::default(),
        budget: BudgetStatus { limit: 300, remaining: 211, rate: 285, ..BudgetStatus::default() },
        interval_seconds: 300,
        passing_since: None,
        next_pass_at: None,
    }
}

pub fn pass(outcome: &str, duration: Duration) -> PassRecord {
    PassRecord {
        pass: 1,
        triggers: vec![Trigger::Start],
        started_at: now(),
        duration_ms: u64::try_from(duration.as_millis()).unwrap(),
        commit: None,
        digest: "abc".to_owned(),
        outcome: outcome.to_owned().into(),
        reason: None,
        message: "as it went".to_owned(),
        requests: 3,
        written: 0,
        failed: 0,
    }
}

pub fn event(sequence: u64) -> Event {
    Event {
        sequence,
        at: now() + Duration::from_secs(sequence),
        severity: EventSeverity::Normal,
        key: None,
        reason: ConditionReason::Synced.into(),
        message: format!("event {sequence}\nof two lines"),
        revision: None,
        pass: None,
    }
}
