//! What came of a pass: its record, its word, and what it left to do.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::Key;
use crate::plan::{Conclusion, Outcome, Plan, Report};
use crate::project::Passed;
use crate::render::json::{SavedChange, saved_change};
use crate::status::{ConditionReason, PassOutcome, PassRecord};

use super::Running;
use super::passing::PassFailure;
use super::steering::Withheld;
use super::telling::not_seen;

/// Returns what is left to do, or must not be done: what was carried out is history. Of a change
/// whose first part was carried out the rest is left.
pub(super) fn pending(passed: &Passed) -> Vec<SavedChange> {
    let (begun, open) = (begun(passed), open(passed));
    let left = passed.plan.changes.iter().filter_map(|change| {
        let key = &change.key;
        match (begun.contains(key), open.contains(key)) {
            (true, false) => None,
            (true, true) => change.completed(passed.inventory.entries.get(key)?),
            (false, _) => Some(change.clone()),
        }
    });
    left.map(|change| saved_change(&change)).collect()
}

/// Returns the changes of which something was carried out: all of it, or its first part.
pub(super) fn begun(passed: &Passed) -> BTreeSet<&Key> {
    let results = passed.report.iter().flat_map(|report| &report.results);
    let done = results.filter(|result| result.outcome == Outcome::Applied);
    done.map(|result| &result.key).collect()
}

/// Returns the changes of which something was not carried out: all of it, or the rest.
pub(super) fn open(passed: &Passed) -> BTreeSet<&Key> {
    let results = passed.report.iter().flat_map(|report| &report.results);
    let open = results.filter(|result| result.outcome != Outcome::Applied);
    open.map(|result| &result.key).collect()
}

/// What came of a pass: in one word for scripts, why it is no further, and a fragment for people.
pub(super) struct PassEnd {
    pub word: PassOutcome,
    pub reason: Option<ConditionReason>,
    pub message: String,
}

impl PassEnd {
    /// Of a pass that came to no end.
    pub fn of_failure(failure: &PassFailure) -> Self {
        // Nothing was the matter with a pass that was told to stop.
        let word = match failure.reason {
            ConditionReason::Stopped => PassOutcome::Stopped,
            _ => PassOutcome::Unreadable,
        };
        Self { word, reason: Some(failure.reason.clone()), message: failure.message.clone() }
    }

    const fn new(word: PassOutcome, reason: Option<ConditionReason>, message: String) -> Self {
        Self { word, reason, message }
    }

    /// Of one that carried nothing out: there was nothing, or it was not to be. `stalled` is why a
    /// resource needs a person, if one does; `is_synced` whether all is as declared and healthy.
    pub fn of_plan(
        plan: &Plan,
        withheld: Option<&Withheld>,
        is_synced: bool,
        stalled: Option<ConditionReason>,
    ) -> Self {
        let summary = plan.summary();
        let pending = summary.add + summary.change + summary.destroy;
        let is_blocked = plan.changes.iter().any(|change| {
            change.blocked.as_ref().is_some_and(|blocked| blocked.reason.is_asked_for())
        });
        let why = withheld.map(|(reason, _)| reason.clone());
        if pending > 0 {
            let told = withheld.map(|(_, message)| message.as_str()).unwrap_or_default();
            let message = format!("{} pending; {told}", changes(pending));
            Self::new(PassOutcome::Pending, why, message)
        } else if summary.unknown > 0 {
            Self::new(PassOutcome::Unseen, None, not_seen(summary.unknown))
        } else if is_blocked {
            let message = format!("{} blocked", changes(summary.blocked));
            Self::new(PassOutcome::Blocked, why, message)
        } else if is_synced {
            Self::new(PassOutcome::Synced, None, "everything is as declared".to_owned())
        } else if summary.unsettled > 0 {
            let why = stalled.or(Some(ConditionReason::Unsettled));
            Self::new(PassOutcome::Pending, why, unsettled(summary.unsettled))
        } else {
            let message = "nothing to write; not everything is ready".to_owned();
            Self::new(PassOutcome::Pending, stalled, message)
        }
    }

    /// Of one that carried something out. `withheld` is why nothing may be written any more.
    pub fn of_report(report: &Report, plan: &Plan, withheld: Option<&Withheld>) -> Self {
        let counts = report.counts();
        let summary = plan.summary();
        // What the first pass with a state left open is open from then on.
        let open = summary.unsettled + summary.unjudged;
        let told = if open > 0 { format!(", {}", unsettled(open)) } else { String::new() };
        let unknown = match counts.unknown {
            0 => String::new(),
            unknown => format!(", {}", not_seen(unknown)),
        };
        let message = format!(
            "{} written, {} failed, {} blocked{unknown}{told}",
            changes(counts.written),
            counts.failed + counts.unresolved,
            counts.blocked
        );
        let failed = |reason| (PassOutcome::Failed, Some(reason));
        let (word, reason) = match report.conclusion() {
            Conclusion::Done if open > 0 => {
                (PassOutcome::Pending, Some(ConditionReason::Unsettled))
            }
            Conclusion::Done => (PassOutcome::Applied, None),
            Conclusion::Unseen => (PassOutcome::Unseen, None),
            Conclusion::Refused => (PassOutcome::Blocked, None),
            Conclusion::Failed | Conclusion::Partial => failed(ConditionReason::Failed),
            Conclusion::Denied => failed(ConditionReason::Denied),
            Conclusion::OverBudget => failed(ConditionReason::OverBudget),
            Conclusion::Stale => failed(ConditionReason::Moved),
            // Nothing went wrong: it was suspended, or something newer is wanted.
            Conclusion::Stopped => {
                (PassOutcome::Stopped, withheld.map(|(reason, _)| reason.clone()))
            }
        };
        Self::new(word, reason, message)
    }
}

/// Makes the record of a pass; what it wrote is counted by whoever knows.
pub(super) fn record(
    running: &Running,
    requests: u32,
    now: Timestamp,
    pass: u64,
    end: PassEnd,
) -> PassRecord {
    let duration = now.duration_since(running.started_at).as_millis();
    let PassEnd { word, reason, message } = end;
    PassRecord {
        pass,
        triggers: running.triggers.iter().copied().collect(),
        started_at: running.started_at,
        duration_ms: u64::try_from(duration).unwrap_or(0),
        commit: running.declared.commit.as_ref().map(|commit| commit.id.clone()),
        digest: running.declared.desired.digest.clone(),
        outcome: word,
        reason,
        message,
        requests,
        written: 0,
        failed: 0,
    }
}

fn changes(count: usize) -> String {
    match count {
        1 => "1 change".to_owned(),
        count => format!("{count} changes"),
    }
}

pub(super) fn unsettled(count: usize) -> String {
    match count {
        1 => "1 value unsettled".to_owned(),
        count => format!("{count} values unsettled"),
    }
}
