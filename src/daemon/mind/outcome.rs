//! What came of a pass: its record, its word, and what it left to do.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::Key;
use crate::plan::{Conclusion, Outcome};
use crate::reconcile::Passed;
use crate::render::json::{Preamble, SavedChange, SavedPlan};
use crate::status::PassRecord;

use super::Running;
use super::passing::STOPPED;
use super::telling::not_seen;

/// Returns what is left to do, or must not be done: what was carried out is history.
pub(super) fn pending(passed: &Passed) -> Vec<SavedChange> {
    let results = passed.report.iter().flat_map(|report| &report.results);
    let done = results.filter(|result| result.outcome == Outcome::Applied);
    let done: BTreeSet<&Key> = done.map(|result| &result.key).collect();
    let mut changes = SavedPlan::new(&passed.plan, Preamble::default()).changes;
    changes.retain(|change| !done.contains(&change.key));
    changes
}

/// Begins the record of a pass.
pub(super) fn record(running: &Running, requests: u32, now: Timestamp, pass: u64) -> PassRecord {
    let duration = now.duration_since(running.started_at).as_millis();
    PassRecord {
        pass,
        triggers: running.triggers.iter().copied().collect(),
        started_at: running.started_at,
        duration_ms: u64::try_from(duration).unwrap_or(0),
        commit: running.declared.commit.as_ref().map(|commit| commit.id.clone()),
        digest: running.declared.desired.digest.clone(),
        outcome: String::new(),
        message: String::new(),
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

fn unsettled(count: usize) -> String {
    match count {
        1 => "1 value unsettled".to_owned(),
        count => format!("{count} values unsettled"),
    }
}

/// Returns a pass in one word and a fragment.
pub(super) fn outcome(
    running: &Running,
    passed: &Passed,
    is_synced: bool,
) -> (&'static str, String) {
    let summary = passed.plan.summary();
    let pending = summary.add + summary.change + summary.destroy;
    let is_blocked =
        passed.plan.changes.iter().any(|change| {
            change.blocked.as_ref().is_some_and(|blocked| blocked.reason.is_asked_for())
        });
    match &passed.report {
        None if pending > 0 => {
            let why = running.withheld.as_ref().map(|(_, message)| message.clone());
            ("Pending", format!("{} pending; {}", changes(pending), why.unwrap_or_default()))
        }
        None if summary.unknown > 0 => ("Unseen", not_seen(summary.unknown)),
        None if is_blocked => ("Blocked", format!("{} blocked", changes(summary.blocked))),
        None if summary.unsettled > 0 => ("Blocked", unsettled(summary.unsettled)),
        None if is_synced => ("Synced", "everything is as declared".to_owned()),
        None => ("Pending", "nothing to write; not everything is ready".to_owned()),
        Some(report) => {
            let counts = report.counts();
            let unknown = match counts.unknown {
                0 => String::new(),
                unknown => format!(", {}", not_seen(unknown)),
            };
            // What the first pass with a state left open is open from then on.
            let open = summary.unsettled + summary.unjudged;
            let open = (open > 0).then(|| format!(", {}", unsettled(open))).unwrap_or_default();
            let message = format!(
                "{} written, {} failed, {} blocked{unknown}{open}",
                changes(counts.written),
                counts.failed + counts.unresolved,
                counts.blocked
            );
            match report.conclusion() {
                Conclusion::Done if !open.is_empty() => ("Blocked", message),
                Conclusion::Done => ("Applied", message),
                Conclusion::Unseen => ("Unseen", message),
                Conclusion::Refused => ("Blocked", message),
                Conclusion::Failed
                | Conclusion::Denied
                | Conclusion::OverBudget
                | Conclusion::Partial
                | Conclusion::Stale => ("Failed", message),
                // Nothing went wrong: it was suspended, or something newer is wanted.
                Conclusion::Stopped => (STOPPED, message),
            }
        }
    }
}
