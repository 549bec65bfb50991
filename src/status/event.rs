//! What happened, one line each, for people and for who listens.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Key;
use crate::render::json::JsonTime;

use super::words::EventReason;

/// Whether it needs attention.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum EventSeverity {
    /// It is as expected.
    Normal,
    /// It did not.
    Warning,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Counts up from 1 in one agent's life, for each project by itself.
    pub sequence: u64,
    /// When.
    #[schemars(with = "JsonTime")]
    pub at: Timestamp,
    /// Whether it needs attention.
    pub severity: EventSeverity,
    /// The resource it is about; none for the whole project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Why, for scripts.
    pub reason: EventReason,
    /// For people: a sentence without its full stop. Foreign text may stand in it.
    pub message: String,
    /// The revision it happened at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The pass in which it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<u64>,
}
