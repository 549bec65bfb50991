//! Conditions, in the form of kstatus: what is true of a resource, since when, and why.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::render::json::JsonTime;

use super::words::ConditionReason;

/// The four things that are said of each resource and of the whole project. Never renamed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum ConditionType {
    /// It is as declared, and healthy.
    Ready,
    /// It is being brought there, or will be without anybody's help.
    Reconciling,
    /// It will not get there without a person.
    Stalled,
    /// It differs from its manifest, and no manifest caused it.
    Drifted,
}

impl ConditionType {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::Ready, Self::Reconciling, Self::Stalled, Self::Drifted];

    /// Returns the public word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::Drifted => "Drifted",
        }
    }
}

/// Whether a condition holds.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Nobody can tell.
    Unknown,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which.
    #[serde(rename = "type")]
    pub kind: ConditionType,
    /// Whether it holds.
    pub status: Truth,
    /// Why, for scripts.
    pub reason: ConditionReason,
    /// Why, for people: a fragment. Foreign text may stand in it.
    pub message: String,
    /// When `status` last changed.
    #[schemars(with = "JsonTime")]
    pub last_transition_time: Timestamp,
}

/// The conditions of one thing, one of each type at most, in the order of the types.
///
/// A list and no tree: there are four of them, and one set for each of thousands of resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Vec<Condition>", into = "Vec<Condition>")]
pub struct Conditions(Vec<Condition>);

impl From<Vec<Condition>> for Conditions {
    fn from(conditions: Vec<Condition>) -> Self {
        conditions.into_iter().fold(Self::default(), |mut all, condition| {
            all.insert(condition);
            all
        })
    }
}

impl From<Conditions> for Vec<Condition> {
    fn from(conditions: Conditions) -> Self {
        conditions.0
    }
}

impl Conditions {
    /// Returns a condition.
    #[must_use]
    pub fn get(&self, kind: ConditionType) -> Option<&Condition> {
        self.0.iter().find(|condition| condition.kind == kind)
    }

    /// Whether a condition holds; one that was never set does not.
    #[must_use]
    pub fn is_true(&self, kind: ConditionType) -> bool {
        self.get(kind).is_some_and(|condition| condition.status == Truth::True)
    }

    /// Whether something is under way on the platform itself.
    #[must_use]
    pub fn is_progressing(&self) -> bool {
        self.get(ConditionType::Ready)
            .is_some_and(|ready| ready.reason == ConditionReason::Progressing)
    }

    /// Returns them in the order they are shown.
    pub fn iter(&self) -> impl Iterator<Item = &Condition> {
        self.0.iter()
    }

    /// Sets a condition; its time moves only when its status does.
    pub fn set(
        &mut self,
        kind: ConditionType,
        status: Truth,
        reason: ConditionReason,
        message: impl Into<String>,
        now: Timestamp,
    ) {
        let same = self.get(kind).filter(|known| known.status == status);
        let last_transition_time = same.map_or(now, |known| known.last_transition_time);
        let message = message.into();
        let condition = Condition { kind, status, reason, message, last_transition_time };
        self.insert(condition);
    }

    /// Puts a condition in its place, instead of the one of its type.
    fn insert(&mut self, condition: Condition) {
        match self.0.binary_search_by_key(&condition.kind, |known| known.kind) {
            Ok(index) => self.0[index] = condition,
            Err(index) => {
                // Most often all four follow.
                self.0.reserve_exact(ConditionType::ALL.len() - self.0.len());
                self.0.insert(index, condition);
            }
        }
    }
}
