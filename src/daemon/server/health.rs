//! Health: whether the loops turn, and whether each has looked once. Never the vendor's API.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;

use super::answer::text_response;
use super::projects::Projects;
use super::pulse::SILENCE_MAX;
use super::shared::ServerState;

/// Answers whether every loop turns; a supervisor that hears 503 should start the process anew.
pub(super) async fn live(State(shared): State<ServerState>) -> Response {
    respond(silent(&shared.projects, shared.clock.now()))
}

/// Answers whether every project has been looked at once.
pub(super) async fn ready(State(shared): State<ServerState>) -> Response {
    respond(unready(&shared.projects))
}

fn respond(complaints: Vec<String>) -> Response {
    if complaints.is_empty() {
        return text_response(StatusCode::OK, "ok\n".to_owned());
    }
    text_response(StatusCode::SERVICE_UNAVAILABLE, complaints.concat())
}

/// Returns a line for each project whose loop does not turn.
fn silent(projects: &Projects, now: Timestamp) -> Vec<String> {
    let silent = projects.iter().filter_map(|(name, kept)| {
        let silence = kept.pulse.silence(now);
        let seconds = silence.as_secs();
        (silence > SILENCE_MAX)
            .then(|| format!("the loop of project `{name}` has been silent for {seconds} s\n"))
    });
    silent.collect()
}

/// Returns a line for each project whose first pass is not over.
///
/// Manifests that cannot be used were looked at, too: one project's fault must not take the page and
/// the webhooks of the others out of service.
fn unready(projects: &Projects) -> Vec<String> {
    let unready = projects.iter().filter_map(|(name, kept)| {
        let status = kept.handle.status();
        let is_unready = status.history.is_empty() && status.source.problem.is_none();
        is_unready.then(|| format!("project `{name}` has not finished its first pass\n"))
    });
    unready.collect()
}
