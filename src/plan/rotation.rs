//! Secrets over time: why a generated value is replaced, and since when each has the value it has.

use jiff::Timestamp;

use crate::model::{EnvKey, FieldPath, Resource, RotationCause};

use super::difference::{Difference, LastApplied, is_written};

/// Returns why a variable is declared with another generated value than it had before, if it is.
///
/// Only a value that we remember writing is ever due, so that of another machine is none of ours to
/// replace.
pub(super) fn cause(resource: &Resource, path: &FieldPath) -> Option<RotationCause> {
    resource.generated.get(path.env_key()?)?.cause
}

/// Takes down since when each secret has its value, and which of its row it is.
///
/// What was known stays, for a value that stays. A value that is written is new now, and so is one
/// that is found in place of another that we wrote: an answer of ours was lost. The age of what is to
/// be replaced some day counts from when it was first seen, if nobody knows better.
pub(super) fn remember(
    resource: &Resource,
    memory: LastApplied<'_>,
    now: Timestamp,
    difference: &mut Difference,
) {
    for (path, value) in difference.applied.iter().filter(|(_, value)| value.is_sensitive()) {
        let mut written = difference.fields.iter().filter(|field| is_written(field));
        let changed_at = match memory.applied.get(path) {
            Some(before) if before.is_of(value) => memory.changed_at.get(path).copied(),
            Some(_) => Some(now),
            None => written.any(|field| field.path == *path).then_some(now),
        };
        let is_rotated = |key: &EnvKey| {
            resource.generated.get(key).is_some_and(|generated| generated.rotate.is_some())
        };
        let begins = || path.env_key().is_some_and(is_rotated).then_some(now);
        difference.changed_at.extend(changed_at.or_else(begins).map(|at| (path.clone(), at)));
    }
    let kept = difference.kept.keys().filter_map(|path| memory.changed_at.get_key_value(path));
    difference.changed_at.extend(kept.map(|(path, at)| (path.clone(), *at)));
    for (key, value) in &resource.generated {
        let is_applied = difference.applied.contains_key(&FieldPath::Env(key.clone()));
        let known = || memory.generated.get(key).copied();
        let generation = if is_applied { Some(value.written()) } else { known() };
        difference.generated.extend(generation.map(|generation| (key.clone(), generation)));
    }
}
