//! Passes as they went, and the requests they are made of.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::render::json::JsonTime;

use super::shared_list::SharedList;
use super::words::{ConditionReason, PassOutcome};

/// Why a pass was made. It says only that something may have changed, never what.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// The agent began.
    Start,
    /// Files changed.
    Files,
    /// The repository was asked for news.
    Git,
    /// The time ran out.
    Timer,
    /// A webhook came.
    Webhook,
    /// SIGHUP.
    Signal,
    /// `stoker reconcile`, or another order.
    Order,
    /// Something that failed is retried.
    Retry,
}

impl Trigger {
    /// Returns the public word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Files => "files",
            Self::Git => "git",
            Self::Timer => "timer",
            Self::Webhook => "webhook",
            Self::Signal => "signal",
            Self::Order => "order",
            Self::Retry => "retry",
        }
    }
}

/// One pass, as it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PassRecord {
    /// Counts up from 1 while an agent runs; its log lines have it, too.
    pub pass: u64,
    /// Why it was made.
    pub triggers: Vec<Trigger>,
    /// When it began.
    #[schemars(with = "JsonTime")]
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The commit it was about; none for plain files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The digest of the manifests it was about.
    pub digest: String,
    /// What came of it.
    pub outcome: PassOutcome,
    /// Why it brought the project no further, where that has a reason of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ConditionReason>,
    /// For people.
    pub message: String,
    /// How many requests it sent.
    pub requests: u32,
    /// How many changes were written to the platform.
    pub written: usize,
    /// How many changes failed.
    pub failed: usize,
}

/// The requests of one token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetStatus {
    /// How many the API is believed to allow in a minute.
    pub limit: u32,
    /// How many are left in this one.
    pub remaining: u32,
    /// The most this agent sends in a minute.
    pub rate: u32,
    /// Since when the API has reported its limit as used up, if it still does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<JsonTime>")]
    pub short_since: Option<Timestamp>,
    /// The course of the last two hours, oldest first: at most one sample per half minute.
    pub samples: SharedList<BudgetSample>,
}

/// How the budget stood at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetSample {
    /// When.
    #[schemars(with = "JsonTime")]
    pub at: Timestamp,
    /// How many were left.
    pub remaining: u32,
    /// How many this agent had sent since the sample before.
    pub sent: u32,
}
