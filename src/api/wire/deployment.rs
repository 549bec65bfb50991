//! A deployment (A15, F6): what runs, or tried to.

use serde_json::Value;

use super::json::{Object, id_of, text, text_at, time_at};
use crate::model::RemoteId;

/// The most of one deployment's log lines that are kept.
const LOG_LINES_MAX: usize = 50_000;

/// One deployment, as the platform shows it. Its texts are foreign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its id.
    pub id: RemoteId,
    /// Its status word; an open set.
    pub status: Option<String>,
    /// The branch deployed.
    pub branch: Option<String>,
    /// The commit deployed.
    pub commit: Option<String>,
    /// When it began, as the platform writes it.
    pub created_at: Option<String>,
    /// When it ended, as the platform writes it.
    pub finished_at: Option<String>,
    /// Its log; empty in lists.
    pub logs: Vec<String>,
}

impl Deployment {
    /// Whether it has come to an end, by its word or by its time (A15).
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let word = self.status.as_deref().unwrap_or_default();
        let is_last = ["succeeded", "failed", "canceled", "cancelled"].contains(&word);
        is_last || self.finished_at.is_some()
    }

    /// Whether it has come to a good end.
    #[must_use]
    pub fn has_succeeded(&self) -> bool {
        self.status.as_deref() == Some("succeeded")
    }
}

/// Reads a deployment; none without a usable id.
pub(in crate::api) fn read_deployment(object: &Object) -> Option<Deployment> {
    Some(Deployment {
        id: id_of(object, &["deployment_id", "id"])?,
        status: text_at(object, "status"),
        branch: text_at(object, "branch"),
        commit: text_at(object, "commit"),
        created_at: time_at(object, "created"),
        finished_at: time_at(object, "finished"),
        logs: object.get("logs").map(read_logs).unwrap_or_default(),
    })
}

/// Reads a log given as one text, as lines, or as objects with a message.
fn read_logs(logs: &Value) -> Vec<String> {
    let line = |line: &Value| match line {
        Value::Object(line) => text_at(line, "message").or_else(|| text_at(line, "line")),
        other => text(other),
    };
    match logs {
        Value::String(text) => text.lines().take(LOG_LINES_MAX).map(str::to_owned).collect(),
        Value::Array(lines) => lines.iter().take(LOG_LINES_MAX).filter_map(line).collect(),
        _ => Vec::new(),
    }
}
