//! One request on its way, and what its end teaches: the budget, the counts, the log.
//!
//! It deliberately does not send and does not judge. What it logs holds no body and no token (S9),
//! and no identifier in a label.

use std::time::Duration;

use http::Method;

use super::answer;
use super::call::Call;
use super::client::Client;
use super::error::Cause;
use super::foreign::Foreign;
use super::limits;
use super::transport::{BodyStream, Reach};
use crate::budget::circuit::RequestHealth;
use crate::budget::{Limits, Millis, Permit};

/// Why a try failed, and how long the server asked to be left alone.
pub(super) struct FlightFailure(pub Cause, pub Option<Duration>);

impl From<Cause> for FlightFailure {
    fn from(cause: Cause) -> Self {
        Self(cause, None)
    }
}

/// One request on its way: its permit is handed back, its headers noted, its end logged.
pub(super) struct Flight<'a> {
    client: &'a Client,
    method: Method,
    template: &'static str,
    started_at: tokio::time::Instant,
    permit: Permit,
    limits: Option<Limits>,
    request_id: Option<String>,
}

impl<'a> Flight<'a> {
    pub(super) fn start(client: &'a Client, call: &Call<'_>, permit: Permit) -> Self {
        Self {
            client,
            method: call.method.clone(),
            template: call.route.template(),
            started_at: tokio::time::Instant::now(),
            permit,
            limits: None,
            request_id: None,
        }
    }

    pub(super) fn saw_head(
        &mut self,
        response: &http::Response<BodyStream>,
        foreign: &Foreign<'_>,
    ) {
        let headers = response.headers();
        self.limits = Some(limits::of(response.status().as_u16(), headers, self.client.millis()));
        self.request_id = answer::request_id(headers, foreign);
    }

    /// Hands the permit back with what was learned; returns how long the server asked to wait.
    pub(super) fn land(self, failure: Option<&Cause>) -> Option<Duration> {
        let Self { client, method, template, started_at, permit, limits, request_id } = self;
        let now = client.millis();
        let ledger = client.ledger();
        let has_left =
            !matches!(failure, Some(Cause::Transport(error)) if error.reach == Reach::NeverLeft);
        match &limits {
            Some(limits) => ledger.learn(now, permit, limits),
            None if has_left => ledger.lost(now, permit),
            None => ledger.unsent(now, permit),
        }
        let status = limits.as_ref().map_or(0, |limits| limits.status);
        let told = limits.as_ref().and_then(|limits| told_to_wait(limits, now));
        let mut seen = client.seen();
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
