//! A notice as an incident of PagerDuty, by its Events API v2: triggered, and resolved.

use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::address::SinkAddress;
use super::notice::{Notice, ProjectOutcome};
use super::request::{about, heading, line, post};

/// PagerDuty takes 1,024 characters in a summary.
const SUMMARY_CHARS_MAX: usize = 1_000;

/// Makes the request. `rings` is whether the incident is triggered; else it is resolved.
pub(super) fn request(
    address: &SinkAddress,
    key: &SecretString,
    (link, rings): (Option<&str>, bool),
    notice: &Notice,
) -> Result<http::Request<Bytes>, http::Error> {
    let mut event = json!({
        "routing_key": key.expose_secret(),
        "event_action": if rings { "trigger" } else { "resolve" },
        "dedup_key": dedup_key(notice),
    });
    if rings {
        let summary = format!("{}: {}", heading(notice), notice.message);
        let severity = match notice.outcome {
            ProjectOutcome::Failed | ProjectOutcome::Broken => "critical",
            ProjectOutcome::Drifted | ProjectOutcome::Held | ProjectOutcome::RolledBack => {
                "warning"
            }
            ProjectOutcome::Pending | ProjectOutcome::Succeeded | ProjectOutcome::Repaired => {
                "info"
            }
        };
        event["payload"] = json!({
            "summary": line(&summary, SUMMARY_CHARS_MAX),
            "source": notice.origin,
            "component": notice.project,
            "class": notice.reason,
            "severity": severity,
            "timestamp": notice.at.to_string(),
            "custom_details": { "revision": about(notice) },
        });
        if let Some(link) = link {
            event["links"] = json!([{ "href": link, "text": "More" }]);
        }
    }
    post(address.expose(), &event)
}

/// Returns what tells one project's incident from all others: the same for every notice of it.
fn dedup_key(notice: &Notice) -> String {
    let digest = Sha256::digest(format!("{}\0{}", notice.origin, notice.project));
    let hex = hex::encode(&digest[..16]);
    format!("stoker-{hex}")
}
