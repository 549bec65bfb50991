//! Orders: what a person tells an agent. They are taken on the socket in the state directory only.

use std::time::Duration;

use axum::extract::{Request, State};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::answer::{HttpFailure, Said};
use super::body;
use super::shared::ServerState;
use crate::daemon::{Acknowledgement, Refusal};
use crate::model::Key;
use crate::status::Order;

/// The largest order: a reason of a few sentences fits many times.
const ORDER_BYTES_MAX: usize = 16 << 10;

/// How long the loop may take to answer. An order wakes it, also while a pass is under way, so a
/// loop that takes longer hangs.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// The fewest digits by which git knows a commit.
const COMMIT_DIGITS_MIN: usize = 4;

/// The most digits of a commit: a whole SHA-256.
const COMMIT_DIGITS_MAX: usize = 64;

/// What every order may say: whom it is for. Without, it is for the only project.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    project: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reconcile {
    project: Option<String>,
    key: Option<Key>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    project: Option<String>,
    key: Key,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suspend {
    project: Option<String>,
    reason: String,
    until: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    project: Option<String>,
    commit: String,
}

pub(super) async fn reconcile(
    State(shared): State<ServerState>,
    request: Request,
) -> Result<Said, HttpFailure> {
    let Reconcile { project, key } = read(&shared, request).await?;
    give(&shared, project, Order::Reconcile { key }).await
}

pub(super) async fn look(
    State(shared): State<ServerState>,
    request: Request,
) -> Result<Said, HttpFailure> {
    let Look { project, key } = read(&shared, request).await?;
    give(&shared, project, Order::Look { key }).await
}

pub(super) async fn suspend(
    State(shared): State<ServerState>,
    request: Request,
) -> Result<Said, HttpFailure> {
    let Suspend { project, reason, until } = read(&shared, request).await?;
    if reason.trim().is_empty() {
        return Err(senseless("a suspension needs a reason"));
    }
    if until <= shared.clock.now() {
        return Err(senseless("the suspension would end before it begins"));
    }
    give(&shared, project, Order::Suspend { reason, until }).await
}

pub(super) async fn resume(
    State(shared): State<ServerState>,
    request: Request,
) -> Result<Said, HttpFailure> {
    let Plain { project } = read(&shared, request).await?;
    give(&shared, project, Order::Resume).await
}

pub(super) async fn pin(
    State(shared): State<ServerState>,
    request: Request,
) -> Result<Said, HttpFailure> {
    let Pin { project, commit } = read(&shared, request).await?;
    let is_long_enough = (COMMIT_DIGITS_MIN..=COMMIT_DIGITS_MAX).contains(&commit.len());
    if !is_long_enough || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(senseless("a commit is 4 to 64 hexadecimal digits"));
    }
    give(&shared, project, Order::Pin { commit: commit.to_ascii_lowercase() }).await
}

pub(super) async fn unpin(
    State(shared): State<ServerState>,
    request: Request,
) -> Result<Said, HttpFailure> {
    let Plain { project } = read(&shared, request).await?;
    give(&shared, project, Order::Unpin).await
}

/// Reads an order. An empty body is an order that says nothing but its name.
async fn read<T: DeserializeOwned>(
    shared: &ServerState,
    request: Request,
) -> Result<T, HttpFailure> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(shared, &parts.headers, body, ORDER_BYTES_MAX).await?;
    let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    serde_json::from_slice(bytes).map_err(|error| {
        HttpFailure::new(StatusCode::BAD_REQUEST, "bad_order", format!("read the order: {error}"))
    })
}

async fn give(
    shared: &ServerState,
    project: Option<String>,
    order: Order,
) -> Result<Said, HttpFailure> {
    let (_, kept) = shared.project(project.as_deref())?;
    match timeout(ANSWER_TIME_MAX, kept.handle.order(order)).await {
        Ok(Ok(Acknowledgement(message))) => Ok(Said(StatusCode::OK, message)),
        Ok(Err(Refusal::Refused(message))) => {
            Err(HttpFailure::new(StatusCode::CONFLICT, "refused", message))
        }
        Ok(Err(refusal @ Refusal::Busy)) => Err(HttpFailure::busy(&refusal.to_string())),
        Err(_elapsed) => {
            let message =
                "the agent has not answered in 30 seconds; it may still carry out the order";
            Err(HttpFailure::new(StatusCode::GATEWAY_TIMEOUT, "no_answer", message)
                .hint("check the status before you repeat the order"))
        }
    }
}

fn senseless(message: &str) -> HttpFailure {
    HttpFailure::new(StatusCode::BAD_REQUEST, "bad_order", message)
}
