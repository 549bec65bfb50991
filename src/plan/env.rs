//! Variables beside the declared ones: which are to be removed, and which are tolerated.
//!
//! A variable is removed only when we wrote it, or when it appeared after the whole set was ours.
//! What was there before is somebody's, and its value may exist nowhere else.

use std::collections::BTreeSet;

use crate::model::{
    Applied, EnvKey, EnvSet, FieldPath, LiveObject, LiveValue, Resource, is_secret_at,
};

use super::difference::{Difference, LastApplied};
use super::{FieldAction, FieldChange, FieldReason};

/// Returns the removals, and notes in `difference` what is remembered of variables.
pub(super) fn removals(
    resource: &Resource,
    object: &LiveObject,
    memory: LastApplied<'_>,
    is_put_on: &dyn Fn(&EnvKey) -> bool,
    difference: &mut Difference,
) -> Vec<FieldChange> {
    difference.tolerated_env = memory.tolerated_env.clone();
    if !resource.declares_env {
        keep_untouched(resource, memory, difference);
        return Vec::new();
    }
    difference.env_managed = memory.env_managed || object.shows_env;
    difference
        .tolerated_env
        .retain(|key| !resource.fields.contains_key(&FieldPath::Env(key.clone())));
    let mut removals = Vec::new();
    for key in candidates(object, memory) {
        let path = FieldPath::Env(key.clone());
        let applied = memory.applied.get(&path);
        let is_declared =
            resource.fields.contains_key(&path) || resource.set_by_hand.contains_key(key);
        let is_there = object.shows(&path) != Some(&LiveValue::Absent);
        if is_declared || !is_there {
            continue;
        }
        if resource.lifecycle.ignores(&path) {
            let applied = applied.map(|applied| (path, applied.clone()));
            difference.kept.extend(applied);
        } else if applied.is_some() {
            removals.push(removal(path, object, applied, FieldReason::Requested));
        } else if is_put_on(key) || resource.lifecycle.env_vars == EnvSet::Additive {
            // The platform's own, or others': they may be there and are never ours to remove.
        } else if !memory.env_managed || memory.env_additive {
            difference.tolerated_env.insert(key.clone());
        } else if !memory.tolerated_env.contains(key) {
            removals.push(removal(path, object, applied, FieldReason::Drift));
        }
    }
    removals
}

/// The variables that live or that we wrote.
fn candidates<'a>(object: &'a LiveObject, memory: LastApplied<'a>) -> BTreeSet<&'a EnvKey> {
    let paths = object.fields.keys().chain(memory.applied.keys());
    let keys = paths.filter_map(|path| match path {
        FieldPath::Env(key) => Some(key),
        FieldPath::Setting(_) => None,
    });
    keys.collect()
}

/// Variables that are not declared for now are left as they are, and so is what we know of them.
fn keep_untouched(resource: &Resource, memory: LastApplied<'_>, difference: &mut Difference) {
    for (path, applied) in memory.applied {
        let is_variable = match path {
            FieldPath::Env(_) => true,
            FieldPath::Setting(_) => false,
        };
        if is_variable && !resource.fields.contains_key(path) {
            difference.kept.insert(path.clone(), applied.clone());
        }
    }
}

/// A value nobody declares is shown only when we wrote it ourselves, and not as a secret (S9).
fn removal(
    path: FieldPath,
    object: &LiveObject,
    applied: Option<&Applied>,
    reason: FieldReason,
) -> FieldChange {
    let shown = match object.shows(&path) {
        Some(LiveValue::Shown(value)) => Some(value.clone()),
        Some(LiveValue::Hidden | LiveValue::Absent) | None => None,
    };
    let is_ours = match (&shown, applied) {
        (_, Some(Applied::Secret(_)) | None) => false,
        (Some(value), _) if is_secret_at(&path, value) => false,
        (Some(value), Some(applied)) => Applied::from(value) == *applied,
        (None, Some(_)) => true,
    };
    FieldChange {
        path,
        action: FieldAction::Remove,
        before: shown.filter(|_| is_ours),
        after: None,
        reason,
        sensitive: !is_ours,
        hint: None,
    }
}
