//! A plan as a document: what `plan -o json` prints and `apply PLAN.json` reads back.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{Key, Project};
use crate::plan::{Change, Plan};

use super::by_hand::{SavedByHand, by_hand};
use super::json::{self, FORMAT_VERSION};
use super::phrase;
use super::policies::SavedRuleFinding;
use super::seal;
use super::text::{self, Estimate};
use super::unmanaged::{SavedUnmanaged, unmanaged};

mod field;
mod finding;
mod preamble;
mod way;

use field::saved_field;
pub use finding::SavedDiagnostic;
use finding::unknown;
pub(super) use finding::{saved_diagnostic, saved_origin};
pub use preamble::Preamble;
pub use way::SavedWay;
pub(super) use way::makes_way;

/// The part of the version that must be equal for a document to be understood.
const MAJOR: &str = "1";

/// A plan as JSON, and as `apply PLAN.json` reads it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavedPlan {
    /// The version of this form.
    pub format_version: String,
    /// The API's origin the plan was made against (S5).
    pub origin: String,
    /// The project it was made for (S5).
    pub project: Project,
    /// What the source calls itself.
    pub revision: Option<String>,
    /// What the plan was made from.
    pub basis: Basis,
    /// The manifests' paths as given.
    #[serde(default)]
    pub paths: Vec<String>,
    /// The options that decide what is planned: prune, targets and the like.
    #[serde(default)]
    pub options: Map<String, Value>,
    /// The changes, in the order they would be begun.
    pub changes: Vec<SavedChange>,
    /// How many of each.
    pub summary: SavedSummary,
    /// What people set, and what the platform shows of it.
    #[serde(default)]
    pub by_hand: Vec<SavedByHand>,
    /// What looks like a rename, with a hint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub likely_renames: Vec<String>,
    /// What carrying it out costs.
    pub cost: SavedCost,
    /// With `--show-unmanaged`: what lives, is declared nowhere and is not ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmanaged: Vec<SavedUnmanaged>,
    /// Findings about the manifests, and about what of the platform was not seen.
    #[serde(default)]
    pub diagnostics: Vec<SavedDiagnostic>,
    /// The rules of policies that the plan does not keep; absent where it keeps all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<SavedRuleFinding>,
    /// The seal over all fields above (S10).
    pub seal: String,
}

/// What a plan was made from. What it was to happen to is in the signature of each change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Basis {
    /// The digest of the manifests (S6).
    pub desired: String,
    /// Which state said what is ours: `none`, or its mark. Absent in what an older version saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Change")]
pub struct SavedChange {
    /// The resource, for example `service/api`.
    pub key: Key,
    /// `create`, `update`, `replace`, `adopt`, `forget`, `delete` or `none`.
    pub action: String,
    /// Why: `requested`, `drift`, `not_in_desired`, `tombstone`, `missing`, `already_live`,
    /// `answer_lost`, `deploy_owed` or `destroy`.
    pub reason: String,
    /// Where its manifest is.
    pub origin: Option<SavedOrigin>,
    /// The labels of its manifest; absent where there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// `none`, `restart`, `rebuild` or `destroy`.
    pub effect: String,
    /// How many instances run now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// The object it happens to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What makes way before it, where names are exchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub makes_way: Option<SavedWay>,
    /// Field by field.
    pub fields: Vec<SavedField>,
    /// What blocks it.
    pub blocked: Option<SavedBlocked>,
    /// How many write requests it takes.
    pub requests: usize,
    /// The mark by which `apply` knows that it would still do the same (S10).
    #[serde(default)]
    pub signature: String,
}

/// A place in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Place")]
pub struct SavedOrigin {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

/// One field of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Field")]
pub struct SavedField {
    /// Its path.
    pub path: String,
    /// `add`, `change`, `remove` or `leave`.
    pub action: String,
    /// What it is now; absent when it is not shown, or must not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it will be; absent when it is removed, or must not be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Why: `requested`, `rotated`, `drift`, `derived`, `later`, `unverifiable`, `accepted` or
    /// `flapping`.
    pub reason: String,
    /// Whether its values are left out because they must not be seen.
    pub sensitive: bool,
    /// The line that would mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What stands in the way of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Blocked")]
pub struct SavedBlocked {
    /// Which, as the reason of a condition has it in other letters: `prune_off` is `PruneOff`.
    pub reason: String,
    /// What, for people: a fragment.
    pub message: String,
    /// What a person can do.
    pub hint: Option<String>,
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Summary")]
pub struct SavedSummary {
    /// Creates and replaces.
    pub add: usize,
    /// Updates.
    pub change: usize,
    /// Deletes and replaces.
    pub destroy: usize,
    /// Adoptions that write nothing.
    #[serde(default)]
    pub adopt: usize,
    /// Blocked changes.
    pub blocked: usize,
    /// Resources of which was not seen what a verdict on them needs.
    #[serde(default)]
    pub unknown: usize,
    /// Declared values that were never written with this state and that the platform does not show.
    #[serde(default)]
    pub unsettled: usize,
    /// The same, where there is no state.
    #[serde(default)]
    pub unjudged: usize,
    /// Live resources that are neither declared nor ours.
    pub unmanaged: usize,
    /// Declared resources in which nothing differs.
    #[serde(default)]
    pub unchanged: usize,
}

impl SavedSummary {
    /// Counts the changes of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let summary = plan.summary();
        Self {
            add: summary.add,
            change: summary.change,
            destroy: summary.destroy,
            adopt: summary.adopt,
            blocked: summary.blocked,
            unknown: summary.unknown,
            unsettled: summary.unsettled,
            unjudged: summary.unjudged,
            unmanaged: summary.unmanaged,
            unchanged: plan.unchanged.len(),
        }
    }
}

/// What carrying a plan out costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Cost")]
pub struct SavedCost {
    /// Requests that read.
    pub reads: u32,
    /// Requests that write.
    pub writes: u32,
    /// How long, in seconds.
    pub seconds: u64,
}

impl SavedCost {
    /// Returns what carrying a plan out costs.
    #[must_use]
    pub const fn of(plan: &Plan, estimate: &Estimate) -> Self {
        Self { reads: plan.cost.reads, writes: plan.cost.writes, seconds: estimate.seconds }
    }
}

/// Why a text is not a saved plan.
#[derive(Debug, thiserror::Error)]
pub enum SavedPlanError {
    /// It is no JSON, or lacks what every plan has.
    #[error("read the saved plan")]
    Unreadable(#[from] serde_json::Error),
    /// Another major version wrote it.
    #[error("read the saved plan: it has format {0}, this version reads {FORMAT_VERSION}")]
    OtherFormat(String),
    /// It does not carry the seal of what it says (S10).
    #[error("read the saved plan: its seal does not match its contents")]
    Edited,
}

impl SavedPlan {
    /// Makes the document of a plan.
    #[must_use]
    pub fn new(plan: &Plan, preamble: Preamble) -> Self {
        let changes = plan.changes.iter().map(saved_change);
        let unsealed = Self {
            format_version: FORMAT_VERSION.to_owned(),
            origin: plan.origin.clone(),
            project: plan.project.clone(),
            revision: plan.revision.clone(),
            changes: changes.collect(),
            basis: preamble.basis,
            paths: preamble.paths,
            options: preamble.options,
            summary: SavedSummary::of(plan),
            by_hand: by_hand(plan),
            likely_renames: plan.likely_renames.iter().map(phrase::likely_rename).collect(),
            cost: SavedCost::of(plan, &preamble.estimate),
            unmanaged: if preamble.shows_unmanaged { unmanaged(plan) } else { Vec::new() },
            diagnostics: preamble
                .diagnostics
                .iter()
                .map(saved_diagnostic)
                .chain(text::unknown(plan).filter_map(unknown))
                .collect(),
            policies: preamble.policies.iter().map(SavedRuleFinding::from).collect(),
            seal: String::new(),
        };
        let document = serde_json::to_value(&unsealed).expect("our documents have only text keys");
        Self { seal: seal::seal(&document), ..unsealed }
    }

    /// Reads a document back.
    ///
    /// # Errors
    /// When it is no plan, one of another major version, or one that was edited.
    pub fn parse(text: &str) -> Result<Self, SavedPlanError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            format_version: String,
        }
        let Version { format_version } = serde_json::from_str(text)?;
        if format_version.split('.').next() != Some(MAJOR) {
            return Err(SavedPlanError::OtherFormat(format_version));
        }
        if !seal::is_sealed(&serde_json::from_str(text)?) {
            return Err(SavedPlanError::Edited);
        }
        Ok(serde_json::from_str(text)?)
    }

    /// Returns the document as indented JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::document(self)
    }

    /// Returns one object a line, one for each change.
    #[must_use]
    pub fn to_ndjson(&self) -> String {
        self.changes.iter().map(json::line).collect()
    }
}

impl SavedChange {
    /// Whether the document still shows what the change does: a signature says what would be
    /// written, and only this that a person was shown the same (S10).
    ///
    /// Its manifest's place, how many instances run and the words beside what blocks it may differ:
    /// nothing of them is written, and they may move without the change becoming another. That they
    /// are as they were written down is for the seal to say.
    #[must_use]
    pub fn shows(&self, change: &Change) -> bool {
        let fresh = saved_change(change);
        let Self {
            key,
            action,
            reason,
            origin: _,
            labels: _,
            effect,
            replicas: _,
            id,
            makes_way,
            fields,
            blocked,
            requests,
            signature,
        } = self;
        let word = |blocked: &Option<SavedBlocked>| blocked.as_ref().map(|it| it.reason.clone());
        let is_same_field = |(shown, fresh): (&SavedField, &SavedField)| {
            SavedField { hint: fresh.hint.clone(), ..shown.clone() } == *fresh
        };
        (key, action, reason, effect) == (&fresh.key, &fresh.action, &fresh.reason, &fresh.effect)
            && (id, requests, signature) == (&fresh.id, &fresh.requests, &fresh.signature)
            && *makes_way == fresh.makes_way
            && word(blocked) == word(&fresh.blocked)
            && fields.len() == fresh.fields.len()
            && fields.iter().zip(&fresh.fields).all(is_same_field)
    }
}

/// Returns one change as a plan's document has it.
#[must_use]
pub fn saved_change(change: &Change) -> SavedChange {
    let origin = change.origin.as_ref().map(|origin| saved_origin(origin, None));
    let blocked = change.blocked.as_ref().map(|blocked| SavedBlocked {
        reason: blocked.reason.as_str().to_owned(),
        message: blocked.message.clone(),
        hint: blocked.hint.clone(),
    });
    SavedChange {
        key: change.key.clone(),
        action: phrase::action_word(change.action).to_owned(),
        reason: phrase::reason_word(change.reason).to_owned(),
        origin,
        labels: change.labels.clone(),
        effect: phrase::effect_word(change.effect).to_owned(),
        replicas: change.replicas,
        id: change.id.as_ref().map(ToString::to_string),
        makes_way: makes_way(change),
        fields: change.fields.iter().map(saved_field).collect(),
        blocked,
        requests: change.writes(),
        signature: change.signature(),
    }
}
