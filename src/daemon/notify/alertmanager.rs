//! A notice as an alert of Prometheus's Alertmanager, by its API v2: it fires, and it ends.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::address::SinkAddress;
use super::notice::Notice;
use super::request::{about, heading, line, post, secret_header};

/// How long an alert fires that nobody raises again. It is raised again each hour; should the agent
/// die, it must not fire forever.
const FIRES_MAX: Duration = Duration::from_secs(4 * 60 * 60);

/// Nobody reads more.
const MESSAGE_CHARS_MAX: usize = 2_000;

/// Makes the request. `rings` is whether the alert fires; else it ends.
pub(super) fn request(
    address: &SinkAddress,
    token: Option<&SecretString>,
    labels: &BTreeMap<String, String>,
    (link, rings): (Option<&str>, bool),
    notice: &Notice,
) -> Result<http::Request<Bytes>, http::Error> {
    // The labels are what an alert is: the same for each notice of a project.
    let mut all = labels.clone();
    all.insert("alertname".to_owned(), "StokerProjectNotInSync".to_owned());
    all.insert("project".to_owned(), notice.project.clone());
    all.insert("origin".to_owned(), notice.origin.clone());
    let ends_at = if rings { notice.at.saturating_add(FIRES_MAX).ok() } else { Some(notice.at) };
    let mut alert = json!({
        "labels": all,
        "annotations": {
            "summary": line(&heading(notice), MESSAGE_CHARS_MAX),
            "description": line(&notice.message, MESSAGE_CHARS_MAX),
            "outcome": notice.outcome,
            "reason": notice.reason,
            "revision": about(notice),
        },
    });
    if let Some(ends_at) = ends_at {
        alert["endsAt"] = json!(ends_at.to_string());
    }
    if let Some(link) = link {
        alert["generatorURL"] = json!(link);
    }
    let mut request = post(&address.below(&["api", "v2", "alerts"])?, &json!([alert]))?;
    if let Some(token) = token {
        let value = secret_header(format!("Bearer {}", token.expose_secret()))?;
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    Ok(request)
}
