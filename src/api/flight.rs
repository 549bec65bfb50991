//! One request on its way, and what its end teaches: the budget, the counts, the log.
//!
//! It deliberately does not send and does not judge. What it logs holds no body and no token (S9),
//! and no identifier in a label.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;

use super::answer;
use super::call::Call;
use super::error::Cause;
use super::foreign::Foreign;
use super::limits;
use super::transport::{BodyStream, Reach};
use crate::budget::circuit::{Circuit, RequestHealth};
use crate::budget::{Limits, Millis, Permit};
use crate::clock::Clock;
use crate::ledger::Ledger;

/// Why a try failed, and how long the server asked to be left alone.
pub(super) struct FlightFailure(pub Cause, pub Option<Duration>);

impl From<Cause> for FlightFailure {
    fn from(cause: Cause) -> Self {
        Self(cause, None)
    }
}

/// How often something was asked and answered: method, route without ids, status (0: no answer).
pub type RequestCounts = BTreeMap<(String, &'static str, u16), u64>;

/// What answers have shown so far.
#[derive(Default)]
pub(super) struct Seen {
    pub limits: Option<Limits>,
    pub tally: RequestCounts,
    pub circuit: Circuit,
}

/// Where the end of each request is written down.
pub(super) struct FlightLog {
    clock: Clock,
    ledger: Arc<Ledger>,
    seen: Mutex<Seen>,
}

impl FlightLog {
    pub(super) fn new(clock: Clock, ledger: Arc<Ledger>) -> Self {
        Self { clock, ledger, seen: Mutex::default() }
    }

    pub(super) fn start(&self, call: &Call<'_>, permit: Permit) -> Flight<'_> {
        Flight {
            log: self,
            method: call.method.clone(),
            template: call.route.template(),
            started_at: tokio::time::Instant::now(),
            permit,
            limits: None,
            request_id: None,
        }
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        // Counts and headers are whole after every statement, so a panic elsewhere spoils nothing.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn millis(&self) -> Millis {
        self.clock.now().into()
    }
}

/// One request on its way: its permit is handed back, its headers noted, its end logged.
pub(super) struct Flight<'a> {
    log: &'a FlightLog,
    method: Method,
    template: &'static str,
    started_at: tokio::time::Instant,
    permit: Permit,
    limits: Option<Limits>,
    request_id: Option<String>,
}

impl Flight<'_> {
    pub(super) fn saw_head(
        &mut self,
        response: &http::Response<BodyStream>,
        foreign: &Foreign<'_>,
    ) {
        let headers = response.headers();
        self.limits = Some(limits::of(response.status().as_u16(), headers, self.log.millis()));
        self.request_id = answer::request_id(headers, foreign);
    }

    /// Hands the permit back with what was learned; returns how long the server asked to wait.
    pub(super) fn land(self, failure: Option<&Cause>) -> Option<Duration> {
        let Self { log, method, template, started_at, permit, limits, request_id } = self;
        let now = log.millis();
        let ledger = &log.ledger;
        let has_left =
            !matches!(failure, Some(Cause::Transport(error)) if error.reach == Reach::NeverLeft);
        match &limits {
            Some(limits) => ledger.learn(now, permit, limits),
            None if has_left => ledger.lost(now, permit),
            None => ledger.unsent(now, permit),
        }
        let status = limits.as_ref().map_or(0, |limits| limits.status);
        let told = limits.as_ref().and_then(|limits| told_to_wait(limits, now));
        let mut seen = log.seen();
        *seen.tally.entry((method.to_string(), template, status)).or_default() += 1;
        let outcome = if (1..500).contains(&status) {
            RequestHealth::Answered
        } else {
            RequestHealth::Failed
        };
        // What never left is no load on a server that is down.
        if has_left {
            seen.circuit.record(outcome);
        }
        if limits.is_some() {
            seen.limits = limits;
        }
        drop(seen);
        let duration_ms = u64::try_from(started_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(%method, route = template, status, duration_ms, request_id, "request");
        told
    }
}

/// Returns what a server asks for that is not there for now. After a 429 the ledger decides; on
/// anything else it is no answer to what went wrong: several limiters put it on every answer.
fn told_to_wait(limits: &Limits, now: Millis) -> Option<Duration> {
    if limits.status == 503 { limits.retry_in(now) } else { None }
}
