//! Webhooks as they come in: read within limits, verified, and turned into one ring.

use axum::extract::{Path, Request, State};
use http::StatusCode;

use super::answer::{HttpFailure, Said};
use super::body;
use super::projects::ServedProject;
use super::refusals::RefusalKind;
use super::shared::ServerState;
use crate::daemon::webhook::{Rejection, Replay, Webhook, WebhookClaim, WebhookVerdict, decide};
use crate::model::Name;
use crate::status::Trigger;

/// The largest body of a webhook.
///
/// A push of two thousand commits with their file lists is about two megabytes; GitHub would send
/// up to 25, which is more than a stranger may make us hold before the signature is checked. A
/// push that is refused for its size is found by the next look at the repository.
const WEBHOOK_BYTES_MAX: usize = 5 << 20;

/// Receives a webhook for a named project.
pub(super) async fn receive_named(
    State(shared): State<ServerState>,
    Path(project): Path<String>,
    request: Request,
) -> Result<Said, HttpFailure> {
    receive(&shared, Some(&project), request).await
}

/// Receives a webhook for the only project.
pub(super) async fn receive_only(
    State(shared): State<ServerState>,
    request: Request,
) -> Result<Said, HttpFailure> {
    receive(&shared, None, request).await
}

async fn receive(
    shared: &ServerState,
    project: Option<&str>,
    request: Request,
) -> Result<Said, HttpFailure> {
    let (name, kept, webhook) = expected(shared, project)?;
    let (parts, body) = request.into_parts();
    let claim = WebhookClaim::read(webhook.provider(), &parts.headers);
    let claim = claim.map_err(|rejection| refuse(shared, name, rejection))?;
    let body = body::read(shared, &parts.headers, body, WEBHOOK_BYTES_MAX).await?;
    let now = shared.clock.now();
    let delivery = claim.check(&body, webhook.secret(), now);
    let delivery = delivery.map_err(|rejection| refuse(shared, name, rejection))?;
    // Not an error: a sender that tries again after a lost answer would try for ever, and some
    // switch a webhook off that answers errors.
    if kept.sight(delivery.mark, now) == Replay::Again {
        // Whoever overheard it can send it again as often as he likes.
        shared.refusals.note(RefusalKind::Replay, Some(name), "it came before");
        return Ok(Said(StatusCode::OK, "it came before; nothing is done".to_owned()));
    }
    tracing::info!(project = %name, provider = %delivery.provider, "webhook received");
    match decide(&delivery.occasion, webhook.reference()) {
        WebhookVerdict::Ring => {
            kept.handle.trigger(Trigger::Webhook);
            Ok(Said(StatusCode::ACCEPTED, "the project is checked".to_owned()))
        }
        WebhookVerdict::OtherReference => {
            let message = "the project follows another branch or tag; nothing is done";
            Ok(Said(StatusCode::ACCEPTED, message.to_owned()))
        }
        WebhookVerdict::OtherEvent => {
            let message = "the event changes no branch or tag; nothing is done";
            Ok(Said(StatusCode::OK, message.to_owned()))
        }
    }
}

/// Returns the project a webhook is for. One that is not kept here and one that takes no webhooks
/// get one answer: strangers learn no names.
fn expected<'a>(
    shared: &'a ServerState,
    project: Option<&str>,
) -> Result<(&'a Name, &'a ServedProject, &'a Webhook), HttpFailure> {
    let found = match project {
        Some(name) => shared.projects.get(name),
        None => shared.projects.only(),
    };
    let found = found.and_then(|(name, kept)| Some((name, kept, kept.webhook.as_ref()?)));
    found.ok_or_else(|| {
        let message = "no project here accepts webhooks";
        HttpFailure::new(StatusCode::NOT_FOUND, "no_webhook", message)
            .hint("with more than one project, the path is /webhook/PROJECT")
    })
}

/// The sender learns nothing about why; whoever set it up reads the log.
fn refuse(shared: &ServerState, project: &Name, rejection: Rejection) -> HttpFailure {
    let refused = match rejection {
        Rejection::Unsigned => RefusalKind::Unsigned,
        Rejection::Forged | Rejection::Stale => RefusalKind::Webhook,
    };
    shared.refusals.note(refused, Some(project), rejection);
    HttpFailure::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "the webhook is not signed as expected",
    )
}
