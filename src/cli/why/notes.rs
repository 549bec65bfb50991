//! Why something is not written: the manifest, the platform, our memory or the agent holds it back.

use std::collections::BTreeSet;

use crate::model::{
    Entry, EnvSet, FieldPath, Intent, Key, Kind, Lifecycle, Mutability, Remembered, Resource,
    Rewrite, Tombstone, ValueSource, policy,
};
use crate::status::{Mode, Steering};

use super::explain::{AgentAccount, LastWrite};

/// Why a field is not written, or not changed.
pub(super) fn of_field(
    path: &FieldPath,
    kind: Kind,
    resource: Option<&Resource<ValueSource>>,
    entry: Option<&Entry>,
    standing: LastWrite,
) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(ignored) = resource.and_then(|resource| ignored_by(&resource.lifecycle, path)) {
        notes.push(format!(
            "written on creation and then left alone: `lifecycle.ignoreChanges` names {}",
            Lifecycle::ignored_as(ignored)
        ));
    }
    let is_declared = resource.is_some_and(|resource| resource.fields.contains_key(path));
    let is_other = standing == LastWrite::Other;
    match policy(kind, path).mutability {
        Mutability::Mutable => {}
        Mutability::GrowOnly if is_declared && is_other => {
            notes.push("the platform only allows it to grow".to_owned());
        }
        Mutability::Immutable if is_declared && is_other => {
            notes.push("the platform cannot change it once the resource exists".to_owned());
        }
        Mutability::GrowOnly | Mutability::Immutable => {}
    }
    if let Some(rewrite) = entry.and_then(|entry| entry.rewrites.get(path)) {
        notes.push(repaired(rewrite));
    }
    if resource.is_some() && !is_declared {
        notes.extend(undeclared(path, resource, entry).map(str::to_owned));
    }
    notes
}

/// What became of repairs that are not forgotten yet.
fn repaired(rewrite: &Rewrite) -> String {
    let times = match rewrite.count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    };
    match rewrite.agreed_since {
        Some(since) => format!(
            "repaired {times}; it has read as declared since {since:.0}, and after an hour of that \
             the repairs are forgotten"
        ),
        None => format!("repaired {times}, and has not read as declared since"),
    }
}

/// Why something that no manifest declares stays, or goes.
fn undeclared(
    path: &FieldPath,
    resource: Option<&Resource<ValueSource>>,
    entry: Option<&Entry>,
) -> Option<&'static str> {
    let resource = resource?;
    let Some(key) = path.env_key() else {
        return Some("no manifest declares it any more: the live value is left alone");
    };
    if resource.set_by_hand.contains_key(key) {
        return Some("declared with `sync: false`: neither written nor removed");
    }
    if entry.is_some_and(|entry| entry.tolerated_env.contains(key)) {
        return Some("it existed before the resource was ours: not ours to remove");
    }
    let is_ours = entry.is_some_and(|entry| entry.applied.contains_key(path));
    if resource.declares_env && resource.lifecycle.env_vars == EnvSet::Additive && !is_ours {
        return Some("others may add variables (`envVars: additive`): not ours to remove");
    }
    Some(if resource.declares_env {
        "no manifest declares it any more: it is removed"
    } else {
        "the manifest declares no `envVars` at all: it is left alone"
    })
}

fn ignored_by<'l>(lifecycle: &'l Lifecycle, path: &FieldPath) -> Option<&'l String> {
    let only = |ignored: &&String| {
        let ignore_changes = BTreeSet::from([(*ignored).clone()]);
        Lifecycle { ignore_changes, ..Lifecycle::default() }.ignores(path)
    };
    lifecycle.ignore_changes.iter().find(only)
}

/// Why a resource as a whole is not created, changed or deleted.
pub(super) fn of_resource(
    key: &Key,
    resource: Option<&Resource<ValueSource>>,
    tombstone: Option<&Tombstone>,
    (entry, intent): (Option<&Entry>, Option<&Intent>),
    witness: Option<AgentAccount<'_>>,
) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(resource) = resource {
        notes.extend(lifecycle_notes(&resource.lifecycle));
    } else if let Some(tombstone) = tombstone {
        notes.push(match &tombstone.approval {
            Some(_) => "declared as `state: Absent`, with an approval: it is deleted".to_owned(),
            None => format!(
                "declared as `state: Absent` without an approval: `stoker plan` prints the line \
                 that approves the deletion of {key}"
            ),
        });
    } else if witness.is_none_or(|witness| witness.resource.declared_at.is_none()) {
        notes.push("no manifest declares it".to_owned());
    }
    if let Some(entry) = entry {
        notes.extend(remembered_notes(&entry.remembered, resource));
    }
    if let Some(Intent { started_at, attempt, .. }) = intent {
        notes.push(format!(
            "a create was begun at {started_at:.0} and sent {attempt} times; its outcome is \
             unknown, and it is not sent again until it is known (S3)"
        ));
    }
    if let Some(witness) = witness {
        notes.extend(agent_notes(witness));
    }
    notes
}

fn lifecycle_notes(lifecycle: &Lifecycle) -> Vec<String> {
    let Lifecycle { prune, protect, policies, .. } = lifecycle;
    let withheld = [
        (policies.create, "`managementPolicies` without Create: it is not created"),
        (policies.update, "`managementPolicies` without Update: it is not changed"),
        (policies.delete, "`managementPolicies` without Delete: it is not deleted"),
        (!*protect, "`protect: true`: it is neither deleted nor replaced"),
        (
            *prune != Some(false),
            "`prune: false`: it stays even if no manifest declares it any more",
        ),
    ];
    let withheld = withheld.into_iter().filter(|(is_allowed, _)| !is_allowed);
    withheld.map(|(_, note)| note.to_owned()).collect()
}

/// What an earlier manifest said, where no manifest says it now (S11).
fn remembered_notes(
    remembered: &Remembered,
    resource: Option<&Resource<ValueSource>>,
) -> Vec<String> {
    if resource.is_some() {
        return Vec::new();
    }
    let Remembered { prune, protect, delete_withheld } = remembered;
    let said = [
        (*protect, "`protect: true`"),
        (*prune == Some(false), "`prune: false`"),
        (*delete_withheld, "`managementPolicies` without Delete"),
    ];
    let said = said.into_iter().filter(|(is_said, _)| *is_said);
    said.map(|(_, rule)| format!("its last manifest said {rule}, and that still counts: it stays"))
        .collect()
}

/// What holds the agent back.
fn agent_notes(witness: AgentAccount<'_>) -> Vec<String> {
    let AgentAccount { project, resource, touched: _ } = witness;
    let Steering { suspension, pinned_to, window } = &project.steering;
    let mut notes = Vec::new();
    match project.mode {
        Mode::Repair => {}
        Mode::Observe => notes.push("the agent only observes: it never writes".to_owned()),
    }
    if let Some(suspension) = suspension {
        let (until, reason) = (suspension.until, &suspension.reason);
        notes.push(format!("the agent is suspended until {until:.0}: {reason}"));
    }
    if let Some(commit) = pinned_to {
        notes.push(format!("the agent is pinned to {commit}: newer commits are not read"));
    }
    if let Some(window) = window.as_ref().filter(|window| !window.open) {
        notes.push(format!("the agent is outside its sync window: {}", window.because));
    }
    if let Some(problem) = &project.source.problem {
        notes.push(format!("the newest manifests cannot be used: {}", problem.message));
    }
    let change = project.pending.iter().find(|change| change.key == resource.key);
    if let Some(blocked) = change.and_then(|change| change.blocked.as_ref()) {
        let hint = blocked.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        notes.push(format!("blocked: {}{hint}", blocked.message));
    }
    notes
}
