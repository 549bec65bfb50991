//! What is to be told: what is so now, against what was told already.
//!
//! Level-triggered like the loop: nothing depends on having seen each change. A sink that missed
//! one is told what is so, and a new one is told once how things stand.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::status::{
    Condition, ConditionReason, ConditionType, EventReason, Occurrence, ProjectStatus, Repair,
    Revision, Rollback, SyncStatus, Truth,
};

use super::sink::{Manner, Sink};

/// How often an alarm that still rings is raised again: where it ends by itself, it must not end
/// while its cause goes on.
const ALARM_AGAIN: Duration = Duration::from_secs(60 * 60);

/// How a project stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProjectOutcome {
    /// It is being brought to its revision.
    Pending,
    /// Something keeps it from writing that ends by itself or by a person: a window, a suspension.
    Held,
    /// It is as its revision says.
    Succeeded,
    /// It differs, and no manifest caused it.
    Drifted,
    /// It differed, and was set back.
    Repaired,
    /// People rolled a service back.
    RolledBack,
    /// Something declared cannot be had without a person.
    Failed,
    /// The agent itself cannot go on without a person: no resource is to blame.
    Broken,
}

impl ProjectOutcome {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Held,
        Self::Succeeded,
        Self::Drifted,
        Self::Repaired,
        Self::RolledBack,
        Self::Failed,
        Self::Broken,
    ];

    /// Returns the public word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Succeeded => "succeeded",
            Self::Drifted => "drifted",
            Self::Repaired => "repaired",
            Self::RolledBack => "rolledback",
            Self::Failed => "failed",
            Self::Broken => "broken",
        }
    }

    /// Whether it says what became of the revision.
    #[must_use]
    pub const fn is_decided(self) -> bool {
        match self {
            Self::Pending | Self::Held => false,
            Self::Succeeded
            | Self::Drifted
            | Self::Repaired
            | Self::RolledBack
            | Self::Failed
            | Self::Broken => true,
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
    pub outcome: ProjectOutcome,
    /// Why, for scripts.
    pub reason: EventReason,
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
    outcome: ProjectOutcome,
    /// Its reason.
    reason: EventReason,
    /// When each reason was last told at this revision, success apart.
    #[serde(default)]
    times: BTreeMap<EventReason, Timestamp>,
    /// The last repair that was told, whatever the revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repaired_at: Option<Timestamp>,
    /// The last rollback that was told, whatever the revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rolled_back_at: Option<Timestamp>,
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
        let before = self.0.get(&notice.sink);
        let repaired_at = before.and_then(|told| told.repaired_at);
        let rolled_back_at = before.and_then(|told| told.rolled_back_at);
        let known = before.filter(|told| told.revision == revision);
        let mut told = Told {
            revision,
            outcome: notice.outcome,
            reason: notice.reason.clone(),
            times: known.map(|told| told.times.clone()).unwrap_or_default(),
            repaired_at,
            rolled_back_at,
        };
        match notice.outcome {
            ProjectOutcome::Succeeded => {}
            // It is over when it is told: how the project stands is what it was.
            ProjectOutcome::Repaired | ProjectOutcome::RolledBack => {
                match notice.outcome {
                    ProjectOutcome::Repaired => told.repaired_at = Some(notice.at),
                    _ => told.rolled_back_at = Some(notice.at),
                }
                if let Some(known) = known {
                    (told.outcome, told.reason) = (known.outcome, known.reason.clone());
                }
            }
            ProjectOutcome::Pending
            | ProjectOutcome::Held
            | ProjectOutcome::Drifted
            | ProjectOutcome::Failed
            | ProjectOutcome::Broken => {
                told.times.insert(notice.reason.clone(), notice.at);
            }
        }
        self.0.insert(notice.sink.clone(), told);
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
/// *Guarantees*: a message goes out once for a revision and a reason, and again only where the sink
/// asks for it; success is told again only after something else was. A commit's status shows the
/// last state only, so it follows each; it is `pending` before it is anything else, and not again
/// after. An alarm is raised while what the sink asks for is so, and taken back when it is decided
/// otherwise. Without a revision nothing is told.
#[must_use]
pub fn decide(status: &ProjectStatus, sinks: &[Sink], told: &Notified) -> Vec<Notice> {
    let Some(revision) = &status.source.revision else { return Vec::new() };
    let notice =
        |sink: &Sink, outcome: ProjectOutcome, reason: EventReason, message: &str| Notice {
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
    let (stands, mut notices) = (stands(status), Vec::new());
    for sink in sinks {
        let before = told.get(&sink.name);
        if let Some(repair) = repaired(status, sink, before) {
            let reason = Occurrence::DriftRepaired.into();
            let at = repair.at;
            notices.push(Notice {
                at,
                ..notice(sink, ProjectOutcome::Repaired, reason, &repair.message)
            });
        }
        if let Some(rollback) = rolled_back(status, sink, before) {
            let (at, message) = (rollback.at, &rollback.message);
            let reason = ConditionReason::RolledBack.into();
            notices
                .push(Notice { at, ..notice(sink, ProjectOutcome::RolledBack, reason, message) });
        }
        let Some((outcome, condition)) = stands else { continue };
        let reason = EventReason::from(condition.reason.clone());
        let known = before.filter(|told| told.revision == revision_word(revision));
        let state = State { outcome, reason: &reason, at: status.updated_at };
        let manner = sink.target.manner();
        let is_due = match manner {
            Manner::Message => state.is_news(sink, known),
            Manner::Alarm => state.changes_the_alarm(sink, before),
            // Of plain files there is no commit; and a commit that cannot be used is not the one
            // whose status would be set, which is the last good one.
            Manner::Status => {
                revision.commit.is_some()
                    && status.source.problem.is_none()
                    && state.is_followed(known)
            }
        };
        if !is_due {
            continue;
        }
        if manner == Manner::Status && known.is_none() && outcome != ProjectOutcome::Pending {
            let reason = ConditionReason::Reconciling.into();
            notices.push(notice(sink, ProjectOutcome::Pending, reason, "the revision was seen"));
        }
        notices.push(notice(sink, outcome, reason, &condition.message));
    }
    notices
}

/// Returns the last repair, where the sink is told of repairs and was not told of this one.
fn repaired<'s>(status: &'s ProjectStatus, sink: &Sink, told: Option<&Told>) -> Option<&'s Repair> {
    let repair = status.last_repair.as_ref()?;
    let last = told.and_then(|told| told.repaired_at);
    let is_news = last.is_none_or(|last| last < repair.at);
    (is_news && sink.tell.contains(&ProjectOutcome::Repaired)).then_some(repair)
}

/// Returns the last rollback, where the sink is told of those and was not told of this one.
fn rolled_back<'s>(
    status: &'s ProjectStatus,
    sink: &Sink,
    told: Option<&Told>,
) -> Option<&'s Rollback> {
    let rollback = status.last_rollback.as_ref()?;
    let last = told.and_then(|told| told.rolled_back_at);
    let is_news = last.is_none_or(|last| last < rollback.at);
    (is_news && sink.tell.contains(&ProjectOutcome::RolledBack)).then_some(rollback)
}

/// How a project stands, as sinks compare it with what they were told.
struct State<'a> {
    outcome: ProjectOutcome,
    reason: &'a EventReason,
    at: Timestamp,
}

impl State<'_> {
    /// Whether it is news to who was told these things about the revision.
    fn is_news(&self, sink: &Sink, known: Option<&Told>) -> bool {
        if !sink.tell.contains(&self.outcome) {
            return false;
        }
        let Some(told) = known else { return true };
        match (self.outcome, told.times.get(self.reason)) {
            (ProjectOutcome::Succeeded, _) => told.outcome != ProjectOutcome::Succeeded,
            (_, None) => true,
            (_, Some(last)) => {
                let has_come_back = told.outcome != self.outcome || told.reason != *self.reason;
                has_come_back && sink.again.is_some_and(|again| self.is_past(*last, again))
            }
        }
    }

    /// Whether a commit's status has to follow. Once it was decided it does not go back to pending:
    /// a routine look at the platform says nothing about the commit.
    fn is_followed(&self, known: Option<&Told>) -> bool {
        let Some(told) = known else { return true };
        let is_changed = told.outcome != self.outcome || told.reason != *self.reason;
        is_changed && (self.outcome.is_decided() || !told.outcome.is_decided())
    }

    /// Whether an alarm is to be raised, raised again because it would end by itself, or taken back.
    fn changes_the_alarm(&self, sink: &Sink, before: Option<&Told>) -> bool {
        let raised = before.filter(|told| sink.tell.contains(&told.outcome));
        match raised {
            None => sink.tell.contains(&self.outcome),
            Some(told) if sink.tell.contains(&self.outcome) => {
                let last = told.times.get(self.reason);
                last.is_none_or(|last| self.is_past(*last, ALARM_AGAIN))
                    || told.reason != *self.reason
            }
            Some(_) => self.outcome.is_decided(),
        }
    }

    fn is_past(&self, last: Timestamp, span: Duration) -> bool {
        last.checked_add(span).is_ok_and(|due| due <= self.at)
    }
}

/// Returns how a project stands and the condition that says so; `None` while nobody can tell.
fn stands(status: &ProjectStatus) -> Option<(ProjectOutcome, &Condition)> {
    let conditions = &status.conditions;
    let holds = |kind: ConditionType| {
        conditions.get(kind).filter(|condition| condition.status == Truth::True)
    };
    if let Some(stalled) = holds(ConditionType::Stalled) {
        let is_of_resource =
            status.resources.iter().any(|one| one.conditions.is_true(ConditionType::Stalled));
        let outcome = if is_of_resource { ProjectOutcome::Failed } else { ProjectOutcome::Broken };
        return Some((outcome, stalled));
    }
    if let Some(reconciling) = holds(ConditionType::Reconciling) {
        return Some((ProjectOutcome::Pending, reconciling));
    }
    if let Some(drifted) = holds(ConditionType::Drifted) {
        return Some((ProjectOutcome::Drifted, drifted));
    }
    let ready = conditions.get(ConditionType::Ready)?;
    match ready.status {
        // What is held back does well, and is not what was asked for.
        Truth::True if status.sync_status == SyncStatus::OutOfSync => {
            Some((ProjectOutcome::Held, ready))
        }
        Truth::True => Some((ProjectOutcome::Succeeded, ready)),
        Truth::False => Some((ProjectOutcome::Held, ready)),
        Truth::Unknown => None,
    }
}

/// Returns the word by which revisions are told apart: the commit, or the digest of plain files.
fn revision_word(revision: &Revision) -> &str {
    revision.commit.as_deref().unwrap_or(&revision.digest)
}
