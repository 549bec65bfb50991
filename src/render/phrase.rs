//! The words for what a plan says, shared by all forms so that they agree.

use crate::model::{Effect, FieldValue, Kind, RotationCause, is_secret_at};
use crate::plan::{
    Action, Blocked, BlockedReason, ByHand, Change, FieldAction, FieldChange, FieldReason,
    LIST_SECONDS_MAX, LikelyRename, Plan, Reason, Sight, Step,
};

use super::Estimate;
use super::alike;
use super::paper::Style;
use super::saved::{self, SavedWay};

/// Returns the sign of a change and what colour repeats it.
pub(super) const fn sign(change: &Change) -> (&'static str, Style) {
    match &change.blocked {
        // Nothing stands in the way that is known of.
        Some(Blocked { reason: BlockedReason::Unseen, .. }) => return ("?", Style::Changed),
        Some(_) => return ("!", Style::Blocked),
        None => {}
    }
    match change.action {
        Action::Create => ("+", Style::Added),
        Action::Update if change.adopts.is_some() => ("<=", Style::Changed),
        Action::Update => ("~", Style::Changed),
        Action::Replace => ("-/+", Style::Removed),
        Action::Adopt => ("<=", Style::Changed),
        Action::Forget => ("", Style::Dim),
        Action::Delete => ("-", Style::Removed),
        Action::None => ("?", Style::Dim),
    }
}

/// Returns the sign of a field.
pub(super) const fn field_sign(field: &FieldChange) -> (&'static str, Style) {
    match (field.action, field.reason) {
        (FieldAction::Add, _) => ("+", Style::Added),
        (FieldAction::Change, _) => ("~", Style::Changed),
        (FieldAction::Remove, _) => ("-", Style::Removed),
        (FieldAction::Leave, FieldReason::Flapping) => ("!", Style::Blocked),
        (FieldAction::Leave, _) => ("?", Style::Dim),
    }
}

/// Returns the sign of what was done by hand, which our repair turns around.
pub(super) const fn hand_sign(field: &FieldChange) -> (&'static str, Style) {
    match field.action {
        FieldAction::Add => ("-", Style::Removed),
        FieldAction::Remove => ("+", Style::Added),
        FieldAction::Change | FieldAction::Leave => field_sign(field),
    }
}

/// Returns what will happen to the resource, as a sentence goes on after its key.
pub(super) const fn verb(change: &Change) -> &'static str {
    match change.action {
        Action::Create => "will be created",
        Action::Update if change.adopts.is_some() => "will be adopted and updated",
        Action::Update => "will be updated",
        Action::Replace => "will be deleted and created again",
        Action::Adopt => "will be adopted",
        Action::Forget => "will be forgotten",
        Action::Delete => "will be deleted",
        Action::None => "stays as it is",
    }
}

/// Returns the word of the JSON form.
pub(super) const fn action_word(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace => "replace",
        Action::Adopt => "adopt",
        Action::Forget => "forget",
        Action::Delete => "delete",
        Action::None => "none",
    }
}

/// Returns the word of the JSON form.
pub(super) const fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::Requested => "requested",
        Reason::Drift => "drift",
        Reason::NotInDesired => "not_in_desired",
        Reason::Tombstone => "tombstone",
        Reason::Missing => "missing",
        Reason::AlreadyLive => "already_live",
        Reason::AnswerLost => "answer_lost",
        Reason::DeployOwed => "deploy_owed",
        Reason::Destroy => "destroy",
    }
}

/// Returns why a change is planned, when its verb does not say it; a fragment.
pub(super) const fn because(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::Requested | Reason::Drift => None,
        Reason::NotInDesired => Some("no manifest declares it"),
        Reason::Tombstone => Some("state: Absent"),
        Reason::Missing => Some("gone from the platform"),
        Reason::AlreadyLive => Some("lives already"),
        Reason::AnswerLost => Some("presumed: a create had no answer"),
        Reason::DeployOwed => Some("its last change was never deployed"),
        Reason::Destroy => Some("destroy"),
    }
}

/// Returns what another one of ours does before a change, as a sentence, if it must make way.
pub(super) fn makes_way(change: &Change) -> Option<String> {
    let SavedWay { id, becomes, before, name } = saved::makes_way(change)?;
    Some(format!(
        "first {id}, which becomes {becomes}, makes way: `{before}` is temporarily renamed to \
         `{name}`, since two cannot have one name"
    ))
}

/// Returns the word of the JSON form.
pub(super) const fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::None => "none",
        Effect::Restart => "restart",
        Effect::Rebuild => "rebuild",
        Effect::Destroy => "destroy",
    }
}

/// Returns what a change does to what runs; nothing when that is nothing.
pub(super) fn effect(change: &Change) -> Option<String> {
    let whom = match change.replicas {
        Some(1) => "1 replica".to_owned(),
        Some(number) => format!("{number} replicas"),
        None => "it".to_owned(),
    };
    match change.effect {
        Effect::None => None,
        Effect::Restart => Some(format!("restarts {whom}")),
        Effect::Rebuild => Some(format!("rebuilds, then restarts {whom}")),
        Effect::Destroy => Some(match (change.has_data, change.key.kind) {
            (false, _) => "destroys it".to_owned(),
            (true, Kind::Database | Kind::EnvGroup) => "destroys it with its data".to_owned(),
            (true, Kind::Service) => "destroys it with the data on its disk".to_owned(),
        }),
    }
}

/// Returns the words of the JSON form: what happens to a field, and why.
pub(super) const fn field_words(field: &FieldChange) -> (&'static str, &'static str) {
    let action = match field.action {
        FieldAction::Add => "add",
        FieldAction::Change => "change",
        FieldAction::Remove => "remove",
        FieldAction::Leave => "leave",
    };
    let reason = match field.reason {
        FieldReason::Requested => "requested",
        FieldReason::Rotated(_) => "rotated",
        FieldReason::Drift => "drift",
        FieldReason::Derived => "derived",
        FieldReason::Later => "later",
        FieldReason::Unverifiable => "unverifiable",
        FieldReason::Accepted => "accepted",
        FieldReason::Flapping => "flapping",
    };
    (action, reason)
}

/// Returns why a field differs.
pub(super) fn field_reason(field: &FieldChange) -> String {
    let words = match (field.reason, field.action) {
        (FieldReason::Rotated(RotationCause::Age(period)), _) => {
            let noun = if period.days() == 1 { "day" } else { "days" };
            return format!("rotated after {} {noun}", period.days());
        }
        (FieldReason::Rotated(RotationCause::Order), _) => "rotated: `stoker rotate` asked for it",
        (FieldReason::Requested, _) => "requested",
        (FieldReason::Derived, _) => "derived: no manifest says it",
        (FieldReason::Later, _) => "later: in a separate change, once what it refers to exists",
        (FieldReason::Drift, FieldAction::Add) => "drift: removed by hand",
        (FieldReason::Drift, FieldAction::Change | FieldAction::Leave) => "drift: changed by hand",
        (FieldReason::Drift, FieldAction::Remove) => "drift: added by hand",
        (FieldReason::Unverifiable, FieldAction::Leave) => {
            "unsettled: the platform does not show it, and it was never written"
        }
        (FieldReason::Accepted, _) => "accepted: the live value counts as declared, unseen",
        (FieldReason::Unverifiable, _) => "written unseen: the platform does not show it",
        (FieldReason::Flapping, _) => "does not settle: what is written does not stay",
    };
    words.to_owned()
}

/// Whether a field's values must not be shown: it says so, or one of them is a secret.
pub(super) fn is_hidden(field: &FieldChange) -> bool {
    let values = [&field.before, &field.after];
    field.sensitive || values.into_iter().flatten().any(|value| is_secret_at(&field.path, value))
}

/// Returns a field's values as one line; empty when there is nothing to show.
pub(super) fn values(field: &FieldChange) -> String {
    if is_hidden(field) {
        let text = match field.action {
            FieldAction::Add | FieldAction::Leave => "(secret)",
            FieldAction::Change => "(secret changed)",
            FieldAction::Remove => "",
        };
        return text.to_owned();
    }
    match (&field.before, &field.after) {
        (Some(FieldValue::Text(before)), Some(FieldValue::Text(after)))
            if let Some(what) = alike::difference(before, after) =>
        {
            let (before, after) = (alike::spelled(before), alike::spelled(after));
            format!("\"{before}\" -> \"{after}\" (they differ in {what})")
        }
        (Some(before), Some(after)) => format!("{} -> {}", value(before), value(after)),
        (None, Some(after)) if field.action == FieldAction::Change => {
            format!("(not shown) -> {}", value(after))
        }
        (None, Some(one)) | (Some(one), None) => value(one),
        (None, None) => String::new(),
    }
}

/// Returns a value, in quotes where its ends would not be seen.
pub(super) fn value(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) if text.is_empty() || text.trim() != text => {
            format!("\"{}\"", alike::spelled(text))
        }
        FieldValue::Text(_)
        | FieldValue::Integer(_)
        | FieldValue::Boolean(_)
        | FieldValue::Set(_)
        | FieldValue::Secret(_)
        | FieldValue::Reference(_) => value.to_string(),
    }
}

/// Returns what a blocked change comes to, as a sentence goes on after its key.
pub(super) fn obstructed(change: &Change, blocked: &Blocked) -> String {
    match change.action {
        Action::None if blocked.is_unseen() => "is unknown".to_owned(),
        action => format!("{} blocked", action_word(action)),
    }
}

/// Whether a change is blocked only because pruning was not asked for.
pub(super) fn is_prune_off(change: &Change) -> bool {
    let blocked = change.blocked.as_ref();
    blocked.is_some_and(|blocked| blocked.reason == BlockedReason::PruneOff)
}

/// Returns what is counted beside the changes: `1 blocked, 3 unmanaged`; empty when nothing is.
fn asides(plan: &Plan) -> String {
    let summary = plan.summary();
    let counts = [
        (summary.blocked, "blocked"),
        (summary.unknown, "unknown"),
        (summary.unsettled, "unsettled"),
        (summary.unmanaged, "unmanaged"),
        (plan.unchanged.len(), "unchanged"),
    ];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    let counts: Vec<_> = counts.map(|(number, word)| format!("{number} {word}")).collect();
    counts.join(", ")
}

/// Returns the last line of a plan.
pub(super) fn summary(plan: &Plan) -> String {
    let summary = plan.summary();
    let text = if plan.changes.is_empty() {
        "No changes.".to_owned()
    } else {
        let adopt = match summary.adopt {
            0 => String::new(),
            number => format!(", {number} to adopt"),
        };
        format!(
            "Plan: {} to add, {} to change, {} to destroy{adopt}.",
            summary.add, summary.change, summary.destroy
        )
    };
    match asides(plan) {
        asides if asides.is_empty() => text,
        asides => format!("{text} {asides}."),
    }
}

/// Says that a plan costs more than it shows where the budget makes its creates wait (S2).
pub(super) fn rereading(plan: &Plan, estimate: &Estimate) -> String {
    let creates = |step: &Step| matches!(step, Step::Create { .. });
    let has_creates = plan.changes.iter().flat_map(|change| &change.steps).any(creates);
    if has_creates && estimate.seconds > LIST_SECONDS_MAX {
        format!(" While it waits, lists are read again every {LIST_SECONDS_MAX} s.")
    } else {
        String::new()
    }
}

/// Returns how many services are interrupted, as sentences; empty when none is.
pub(super) fn interruptions(plan: &Plan) -> String {
    let count = |effect: Effect| {
        let is_done = |change: &&Change| change.blocked.is_none() && change.effect == effect;
        plan.changes.iter().filter(is_done).count()
    };
    let restarts = match count(Effect::Restart) {
        0 => String::new(),
        1 => " 1 service restarts.".to_owned(),
        number => format!(" {number} services restart."),
    };
    let rebuilds = match count(Effect::Rebuild) {
        0 => String::new(),
        1 => " 1 service is rebuilt.".to_owned(),
        number => format!(" {number} services are rebuilt."),
    };
    restarts + &rebuilds
}

/// Returns what people must set of a resource, and what of it they have; nothing when that is all.
pub(super) fn by_hand(by_hand: &ByHand) -> Option<String> {
    let names = |wanted: Sight| {
        let variables = by_hand.variables.iter().filter(|(_, sight)| **sight == wanted);
        variables.map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(", ")
    };
    by_hand.open().next()?;
    let parts = [
        ("", names(Sight::Unset)),
        ("not shown: ", names(Sight::Unseen)),
        ("set already: ", names(Sight::Set)),
    ];
    let parts = parts.into_iter().filter(|(_, names)| !names.is_empty());
    let text = parts.map(|(head, names)| format!("{head}{names}")).collect::<Vec<_>>().join("; ");
    Some(match by_hand.key.kind {
        Kind::EnvGroup => format!("{text} (the API can never change a group)"),
        Kind::Database | Kind::Service => text,
    })
}

/// Returns what is said of what looks like a rename.
pub(super) fn likely_rename(likely: &LikelyRename) -> String {
    let LikelyRename { from, to } = likely;
    let name = &from.name;
    format!(
        "{from} and {to} are alike. To rename it, instead of creating a new one next to or in \
         place of `{name}`, write `{}` below `metadata` of {to}.",
        likely.line()
    )
}

/// The heading of what people must set.
pub(super) const BY_HAND: &str = "Must be set by hand:";

/// Returns the ending of a plural.
pub(super) const fn plural(number: usize) -> &'static str {
    if number == 1 { "" } else { "s" }
}
