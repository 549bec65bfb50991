//! The words and colours that all papers share.

use jiff::{SignedDuration, Timestamp};

use crate::render::Style;

use super::super::{
    Condition, ConditionReason, ConditionType, Conditions, HealthStatus, Revision, SyncStatus,
    Truth,
};

/// How much of a commit or digest is shown: as much as git shows in a large repository.
const SHORT_CHARS: usize = 10;

/// Returns the condition that says most about how a thing does.
#[must_use]
pub fn telling(conditions: &Conditions) -> Option<&Condition> {
    let troubles = [ConditionType::Stalled, ConditionType::Reconciling, ConditionType::Drifted];
    let holds = |kind: &ConditionType| conditions.is_true(*kind);
    let kind = troubles.into_iter().find(holds).unwrap_or(ConditionType::Ready);
    conditions.get(kind)
}

/// Returns what repeats neither sync nor health: why it is so.
#[must_use]
pub fn reason_beside(conditions: &Conditions) -> Option<&ConditionReason> {
    let reason = telling(conditions).map(|condition| &condition.reason);
    reason.filter(|it| !matches!(it, ConditionReason::InSync | ConditionReason::Synced))
}

/// Returns what colour repeats whether it is as declared.
pub(super) const fn sync_style(sync: &SyncStatus) -> Style {
    match sync {
        SyncStatus::Synced => Style::Added,
        SyncStatus::OutOfSync | SyncStatus::Unknown => Style::Changed,
        SyncStatus::Newer(_) => Style::Plain,
    }
}

/// Returns what colour repeats how it does.
pub(super) const fn standing_style(health: &HealthStatus) -> Style {
    match health {
        HealthStatus::Healthy => Style::Added,
        HealthStatus::Progressing | HealthStatus::Unknown => Style::Changed,
        HealthStatus::Degraded | HealthStatus::Missing => Style::Removed,
        HealthStatus::Newer(_) => Style::Plain,
    }
}

/// Returns what colour repeats a condition.
pub(super) const fn condition_style(condition: &Condition) -> Style {
    match (condition.kind, condition.status) {
        (_, Truth::Unknown) => Style::Changed,
        (ConditionType::Ready, Truth::True) => Style::Added,
        (ConditionType::Ready, Truth::False) => Style::Removed,
        (ConditionType::Stalled, Truth::True) => Style::Blocked,
        (ConditionType::Reconciling | ConditionType::Drifted, Truth::True) => Style::Changed,
        (
            ConditionType::Stalled | ConditionType::Reconciling | ConditionType::Drifted,
            Truth::False,
        ) => Style::Dim,
    }
}

/// Returns the word for whether a condition holds.
pub(super) const fn truth(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "True",
        Truth::False => "False",
        Truth::Unknown => "Unknown",
    }
}

/// Returns the style of the platform's word for a health. The set is open (A15): an unknown word is
/// ordinary.
#[must_use]
pub fn health_style(word: &str) -> Style {
    match word {
        "running" | "available" | "ready" | "live" | "active" | "succeeded" => Style::Added,
        "failed" | "crashed" | "canceled" | "cancelled" | "suspended" => Style::Removed,
        "queued" | "building" | "deploying" | "creating" | "pending" | "starting" | "updating"
        | "deleting" => Style::Changed,
        _ => Style::Plain,
    }
}

/// Returns a cell of a table; a dash where there is nothing to show.
pub(super) fn cell(text: Option<&str>) -> (Style, String) {
    match text.filter(|text| !text.is_empty()) {
        Some(text) => (Style::Plain, text.to_owned()),
        None => (Style::Dim, "—".to_owned()),
    }
}

/// Returns the beginning of a commit or a digest.
#[must_use]
pub fn short(text: &str) -> String {
    text.chars().take(SHORT_CHARS).collect()
}

/// Returns a revision as people name it: by its commit, or by its digest where there is none.
pub(super) fn revision(revision: &Revision) -> String {
    let Revision { commit, subject: _, author: _, digest, at: _ } = revision;
    short(commit.as_deref().unwrap_or(digest))
}

/// Returns a duration in its largest unit: `3d`. Clocks disagree: less than nothing is `0s`.
#[must_use]
pub fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Returns how long ago a time was.
#[must_use]
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    format!("{} ago", span(now.duration_since(then)))
}

/// Returns a time in the future with how far it is.
pub(super) fn until(then: Timestamp, now: Timestamp) -> String {
    format!("{then:.0} (in {})", span(then.duration_since(now)))
}
