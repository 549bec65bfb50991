//! Which addresses there are, and what stands before each.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::access::{Gate, guard};
use super::answer::HttpFailure;
use super::shared::ServerState;
use super::{events, health, hook, metrics, orders, page, status};

/// Returns the routes of a network address: nothing that is read here can be read without passing
/// the gate, and nothing here writes. Health tells nothing but names of projects, and a webhook
/// has a signature of its own.
pub(super) fn public(shared: ServerState, gate: Gate) -> Router {
    let guarded = readable()
        .route("/", get(page::page))
        .route_layer(middleware::from_fn_with_state(gate, guard));
    let open = Router::new()
        .route("/livez", get(health::live))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/webhook", post(hook::receive_only))
        .route("/webhook/{project}", post(hook::receive_named));
    finished(guarded.merge(open), shared)
}

/// Returns the routes of the socket in the state directory, the only place where orders are taken.
pub(super) fn local(shared: ServerState) -> Router {
    let orders = Router::new()
        .route("/api/orders/reconcile", post(orders::reconcile))
        .route("/api/orders/look", post(orders::look))
        .route("/api/orders/suspend", post(orders::suspend))
        .route("/api/orders/resume", post(orders::resume))
        .route("/api/orders/pin", post(orders::pin))
        .route("/api/orders/unpin", post(orders::unpin))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready));
    finished(readable().merge(orders), shared)
}

/// What may be read by whoever passed.
fn readable() -> Router<ServerState> {
    Router::new()
        .route("/metrics", get(metrics::metrics))
        .route("/api/status", get(status::status))
        .route("/api/events", get(events::events))
}

fn finished(routes: Router<ServerState>, shared: ServerState) -> Router {
    routes
        .fallback(nothing)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(harden))
        .with_state(shared)
}

async fn nothing() -> HttpFailure {
    HttpFailure::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
}

async fn wrong_method() -> HttpFailure {
    let message = "this address does not support the method";
    HttpFailure::new(StatusCode::METHOD_NOT_ALLOWED, "method", message)
}

/// Puts on every answer what keeps a browser from making anything else of it.
async fn harden(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, HeaderValue); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, value);
    }
    response
}
