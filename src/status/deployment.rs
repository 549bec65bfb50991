//! Deployments that were followed, and what was counted of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Key;
use crate::render::json::JsonTime;

/// How many deployments are remembered, for people: those of a busy day.
pub const DEPLOYMENTS_MAX: usize = 30;

/// The last deployment of a resource, when we followed one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentStatus {
    /// The platform's id, once seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `queued`, `building`, `deploying`, `succeeded`, `failed`, `canceled`, or another word of the
    /// platform's.
    pub status: String,
    /// Since when it is followed.
    #[schemars(with = "JsonTime")]
    pub since: Timestamp,
    /// The commit whose manifests began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The last lines of its log, when it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

/// One deployment, as it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentRecord {
    /// Of what.
    pub key: Key,
    /// The word last heard of it; empty before the first.
    pub status: String,
    /// When the pass began that caused it.
    #[schemars(with = "JsonTime")]
    pub started_at: Timestamp,
    /// When it was seen to have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<JsonTime>")]
    pub ended_at: Option<Timestamp>,
    /// The commit whose manifests began it; none for plain files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The first line of the commit's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The digest of the manifests.
    pub digest: String,
    /// The last lines of its log, when it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

/// What was counted in an agent's life. Each only grows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LifetimeCounts {
    /// How many resources were set back, or created again, because they had drifted.
    pub drift_repaired: u64,
    /// How many deployments ended, by result: `succeeded`, `failed`, `timed_out`, `gone`.
    pub deployments: BTreeMap<String, u64>,
}
