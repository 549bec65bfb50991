//! What is to be told: what is so now, against what was told already.
//!
//! Level-triggered like the loop: nothing depends on having seen each change. A sink that missed
//! one is told what is so, and a new one is told once how things stand.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::status::{Condition, ConditionReason, ConditionType, ProjectStatus, Revision, Truth};

use super::sink::{Sink, Target};

/// How a project stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is being brought to its revision.
    Pending,
    /// Something keeps it from writing that ends by itself or by a person: a window, a suspension.
    Held,
    /// It is as its revision says.
    Succeeded,
    /// It differs, and no manifest caused it.
    Drifted,
    /// Something declared cannot be had without a person.
    Failed,
    /// The agent itself cannot go on without a person: no resource is to blame.
    Broken,
}

impl Outcome {
    /// Returns the public word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Succeeded => "succeeded",
            Self::Drifted => "drifted",
            Self::Failed => "failed",
            Self::Broken => "broken",
        }
    }

    /// Whether it says what became of the revision.
    #[must_use]
    pub const fn is_decided(self) -> bool {
        match self {
            Self::Pending | Self::Held => false,
            Self::Succeeded | Self::Drifted | Self::Failed | Self::Broken => true,
        }
    }
}

/// Something to tell one sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The sink's name.
    pub sink: String,
    /// The project's name.
    pub project: String,
    /// The API's origin, which tells two installations apart.
    pub origin: String,
    /// How it stands.
    pub outcome: Outcome,
    /// Why, for scripts.
    pub reason: ConditionReason,
    /// Why, for people. Foreign text may stand in it.
    pub message: String,
    /// At which revision.
    pub revision: Revision,
    /// The conditions of the whole.
    pub conditions: Vec<Condition>,
    /// When it was so.
    pub at: Timestamp,
}

/// What sinks were told, by their names. It is kept over restarts, so that they do not repeat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Notified(BTreeMap<String, Told>);

/// What one sink was told about one revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// The revision; a new one begins anew.
    revision: String,
    /// The last state told.
    outcome: Outcome,
    /// Its reason.
    reason: ConditionReason,
    /// All reasons told at this revision, success apart.
    reasons: BTreeSet<ConditionReason>,
}

impl Notified {
    /// Returns what a sink was told.
    #[must_use]
    pub fn get(&self, sink: &str) -> Option<&Told> {
        self.0.get(sink)
    }

    /// Remembers that a notice was told.
    pub fn note(&mut self, notice: &Notice) {
        let revision = revision_word(&notice.revision).to_owned();
        let known = self.0.get(&notice.sink).filter(|told| told.revision == revision);
        let mut reasons = known.map(|told| told.reasons.clone()).unwrap_or_default();
        if notice.outcome != Outcome::Succeeded {
            reasons.insert(notice.reason.clone());
        }
        let (outcome, reason) = (notice.outcome, notice.reason.clone());
        self.0.insert(notice.sink.clone(), Told { revision, outcome, reason, reasons });
    }

    /// Sets what one sink was told back to what another memory holds.
    pub(super) fn restore(&mut self, sink: &str, from: &Self) {
        match from.0.get(sink) {
            Some(told) => self.0.insert(sink.to_owned(), told.clone()),
            None => self.0.remove(sink),
        };
    }
}

/// Decides what each sink is to be told now, in order.
///
/// *Guarantees*: a message goes out once for a revision and a reason; success is told again only
/// after something else was. A commit's status shows the last state only, so it follows each; it is
/// `pending` before it is anything else, and not again after. Without a revision nothing is told.
#[must_use]
pub fn decide(status: &ProjectStatus, sinks: &[Sink], told: &Notified) -> Vec<Notice> {
    let Some(revision) = &status.source.revision else { return Vec::new() };
    let Some((outcome, condition)) = stands(status) else { return Vec::new() };
    let notice = |sink: &Sink, outcome: Outcome, reason: ConditionReason, message: &str| Notice {
        sink: sink.name.clone(),
        project: status.name.clone(),
        origin: status.origin.clone(),
        outcome,
        reason,
        message: message.to_owned(),
        revision: revision.clone(),
        conditions: status.conditions.iter().cloned().collect(),
        at: status.updated_at,
    };
    let mut notices = Vec::new();
    for sink in sinks {
        let known = told.get(&sink.name);
        let known = known.filter(|told| told.revision == revision_word(revision));
        let is_due = match &sink.target {
            Target::Webhook { .. } => is_news(known, outcome, condition),
            // A channel is for people: that work has begun is no news to them.
            Target::Slack { .. } => {
                outcome != Outcome::Pending && is_news(known, outcome, condition)
            }
            // Of plain files there is no commit; and a commit that cannot be used is not the one
            // whose status would be set, which is the last good one.
            Target::Commit { .. } => {
                revision.commit.is_some()
                    && status.source.problem.is_none()
                    && follows(known, outcome, condition)
            }
        };
        if !is_due {
            continue;
        }
        let is_status = matches!(sink.target, Target::Commit { .. });
        if is_status && known.is_none() && outcome != Outcome::Pending {
            notices.push(notice(
                sink,
                Outcome::Pending,
                ConditionReason::Reconciling,
                "the revision was seen",
            ));
        }
        notices.push(notice(sink, outcome, condition.reason.clone(), &condition.message));
    }
    notices
}

/// Whether a state is news to who was told these things about the revision.
fn is_news(known: Option<&Told>, outcome: Outcome, condition: &Condition) -> bool {
    let Some(told) = known else { return true };
    match outcome {
        Outcome::Succeeded => told.outcome != Outcome::Succeeded,
        Outcome::Pending | Outcome::Held | Outcome::Drifted | Outcome::Failed | Outcome::Broken => {
            !told.reasons.contains(&condition.reason)
        }
    }
}

/// Whether a commit's status has to follow. Once it was decided it does not go back to pending:
/// a routine look at the platform says nothing about the commit.
fn follows(known: Option<&Told>, outcome: Outcome, condition: &Condition) -> bool {
    let Some(told) = known else { return true };
    let is_changed = told.outcome != outcome || told.reason != condition.reason;
    is_changed && (outcome.is_decided() || !told.outcome.is_decided())
}

/// Returns how a project stands and the condition that says so; `None` while nobody can tell.
fn stands(status: &ProjectStatus) -> Option<(Outcome, &Condition)> {
    let conditions = &status.conditions;
    let holds = |kind: ConditionType| {
        conditions.get(kind).filter(|condition| condition.status == Truth::True)
    };
    if let Some(stalled) = holds(ConditionType::Stalled) {
        let is_of_resource =
            status.resources.iter().any(|one| one.conditions.is_true(ConditionType::Stalled));
        let outcome = if is_of_resource { Outcome::Failed } else { Outcome::Broken };
        return Some((outcome, stalled));
    }
    if let Some(reconciling) = holds(ConditionType::Reconciling) {
        return Some((Outcome::Pending, reconciling));
    }
    if let Some(drifted) = holds(ConditionType::Drifted) {
        return Some((Outcome::Drifted, drifted));
    }
    let ready = conditions.get(ConditionType::Ready)?;
    match ready.status {
        Truth::True => Some((Outcome::Succeeded, ready)),
        Truth::False => Some((Outcome::Held, ready)),
        Truth::Unknown => None,
    }
}

/// Returns the word by which revisions are told apart: the commit, or the digest of plain files.
fn revision_word(revision: &Revision) -> &str {
    revision.commit.as_deref().unwrap_or(&revision.digest)
}
