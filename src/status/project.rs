//! Everything that is known of one project at one moment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Key, Origin};
use crate::render::json::{JsonTime, SavedByHand, SavedChange, SavedDiagnostic, SavedUnsettled};

use super::condition::Conditions;
use super::deployment::{DeploymentRecord, DeploymentStatus, LifetimeCounts};
use super::pass::{BudgetStatus, PassRecord};
use super::shared_list::SharedList;
use super::standing::{HealthStatus, SyncStatus};
use super::switches::Switches;
use super::words::ConditionReason;

/// The version of the JSON form. Its first number changes when a reader would be misled.
pub const FORMAT_VERSION: &str = "1.0";

/// One project as its agent sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectStatus {
    /// What the settings call it; `default` where there is one project only.
    pub name: String,
    /// The API's origin and base path.
    pub origin: String,
    /// The platform's name of the project, once it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_name: Option<String>,
    /// The platform's id of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_id: Option<String>,
    /// Whether it writes.
    pub mode: Mode,
    /// What it is allowed; absent from an older agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switches: Option<Switches>,
    /// When this agent began to keep it.
    #[schemars(with = "JsonTime")]
    pub started_at: Timestamp,
    /// When this was written.
    #[schemars(with = "JsonTime")]
    pub updated_at: Timestamp,
    /// Whether all is as declared, except what is deliberately left alone.
    #[serde(default)]
    pub sync_status: SyncStatus,
    /// How the declared resources do: as the worst of them.
    #[serde(default)]
    pub health_status: HealthStatus,
    /// Of the whole.
    pub conditions: Conditions,
    /// Where the manifests come from, and what was last read there.
    pub source: SourceStatus,
    /// The last revision at which everything was as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced: Option<Revision>,
    /// When a check last found everything as declared and healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<JsonTime>")]
    pub seen_synced_at: Option<Timestamp>,
    /// What people told it.
    pub steering: Steering,
    /// The declared and the owned resources, in dependency order.
    pub resources: SharedList<ResourceStatus>,
    /// What the last pass left to do, and what it must not do; secrets are absent.
    pub pending: SharedList<SavedChange>,
    /// How many live resources are neither declared nor ours.
    pub unmanaged: usize,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmanaged_things: Vec<UnmanagedThing>,
    /// The last deployments that were followed, newest first.
    #[serde(default)]
    pub deployments: SharedList<DeploymentRecord>,
    /// What was counted in this agent's life.
    #[serde(default)]
    pub counts: LifetimeCounts,
    /// The last pass in which drift was set back, if there was one in this agent's life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_repair: Option<Repair>,
    /// The last time that people rolled a service back, if the agent saw it in its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_rollback: Option<Rollback>,
    /// The last passes, newest first.
    pub history: SharedList<PassRecord>,
    /// The requests.
    pub budget: BudgetStatus,
    /// The seconds between two checks, adapted to size and budget.
    pub interval_seconds: u64,
    /// Since when a pass is in progress, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<JsonTime>")]
    pub passing_since: Option<Timestamp>,
    /// When it checks next by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<JsonTime>")]
    pub next_pass_at: Option<Timestamp>,
}

/// Something that lives and is neither declared nor ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnmanagedThing {
    /// Its kind.
    pub kind: String,
    /// Its name: foreign text.
    pub name: String,
    /// The platform's id.
    pub id: String,
}

/// Drift that was set back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Repair {
    /// When the pass ended.
    #[schemars(with = "JsonTime")]
    pub at: Timestamp,
    /// How many resources.
    pub count: usize,
    /// Which, and what of the first, for people. Foreign text may stand in it.
    pub message: String,
}

/// A service that people rolled back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollback {
    /// When it was seen.
    #[schemars(with = "JsonTime")]
    pub at: Timestamp,
    /// Which service, and between which commits, for people. Foreign text may stand in it.
    pub message: String,
}

/// Whether an agent writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It repairs what drifted and applies what was committed.
    Repair,
    /// It checks and reports; it never writes (`--observe`).
    Observe,
}

/// A state of the manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    /// The commit; none for plain files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The first line of the commit's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The digest of the tree: the same text, the same digest.
    pub digest: String,
    /// When it was read, or when everything was as it says.
    #[schemars(with = "JsonTime")]
    pub at: Timestamp,
}

/// Where the manifests come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatus {
    /// For people: the paths, or the repository with branch and path. Without credentials.
    pub location: String,
    /// The last valid revision; it stays when a later one cannot be used (S6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// Why the newest state cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// Why something cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Why, for scripts.
    pub reason: ConditionReason,
    /// For people.
    pub message: String,
    /// What to do.
    pub hints: Vec<String>,
    /// Findings about manifests, with their places.
    pub diagnostics: Vec<SavedDiagnostic>,
}

/// What people told the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Steering {
    /// It checks and reports, and does not write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Suspension>,
    /// The commit it is held at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_to: Option<String>,
    /// The sync window; none where there are no windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowState>,
}

/// Why and until when nothing is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suspension {
    /// The reason, shown wherever the suspension is.
    pub reason: String,
    /// Since when.
    #[schemars(with = "JsonTime")]
    pub since: Timestamp,
    /// Until when; every suspension ends.
    #[schemars(with = "JsonTime")]
    pub until: Timestamp,
}

/// Whether writing is allowed at this time of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WindowState {
    /// Whether it may write.
    pub open: bool,
    /// The window that applies, as in the settings.
    pub because: String,
    /// When that changes, if within the next weeks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<JsonTime>")]
    pub until: Option<Timestamp>,
}

/// One resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceStatus {
    /// Which.
    pub key: Key,
    /// The platform's id, if it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// By what right it is ours: `created`, `adopted`, `named`, `presumed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned: Option<String>,
    /// Whether it is as declared.
    #[serde(default)]
    pub sync_status: SyncStatus,
    /// How it does.
    #[serde(default)]
    pub health_status: HealthStatus,
    /// Of this resource.
    pub conditions: Conditions,
    /// The labels of its manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The platform's own word for how it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    /// Where it is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How many instances run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Where its manifest is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_at: Option<Origin>,
    /// What it refers to.
    pub depends_on: Vec<Key>,
    /// The variables that people set, and whether the platform shows that they did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_hand: Vec<SavedByHand>,
    /// The declared values that were never written and that the platform does not show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsettled: Vec<SavedUnsettled>,
    /// The digest of the revision that was last carried out on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_revision: Option<String>,
    /// What runs of it, as it was last seen; of services only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Runs>,
    /// Its last deployment, when we followed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentStatus>,
    /// How many passes in a row failed for it.
    pub failures: u32,
    /// When it is retried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<JsonTime>")]
    pub retry_at: Option<Timestamp>,
}

/// What runs of a service. The platform deploys pushes by itself, so it may be another by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Runs {
    /// The commit. Foreign text.
    pub commit: String,
    /// The platform's id of the deployment that brought it.
    pub deployment: String,
    /// When that was seen.
    #[schemars(with = "JsonTime")]
    pub seen_at: Timestamp,
}
