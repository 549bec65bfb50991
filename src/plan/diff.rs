//! What differs: every claimed resource, field by field, becomes a draft of a change, or nothing.
//!
//! A draft says what should happen. Whether it may is for `guard` and `prune` to say.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Applied, Claim, Effect, Entry, EnvKey, FieldPath, FieldValue, Key, Lifecycle, LiveObject,
    Resource, Rewrite, Setting, policy as field_policy,
};

use super::env;
use super::field::{Comparison, Verdict};
use super::{FieldAction, FieldChange, FieldReason, Policy};

/// A field that was repaired so often and read back different is left alone.
///
/// Once can be a person's hand or a slow platform; twice in a row is a platform that writes the
/// value in another way, or somebody who fights us. Each more repair is a restart for nothing.
const REPAIRS_MAX: u32 = 2;

/// What we know of what was written to an object.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    pub applied: &'a BTreeMap<FieldPath, Applied>,
    pub tolerated_env: &'a BTreeSet<EnvKey>,
    pub env_managed: bool,
    pub rewrites: &'a BTreeMap<FieldPath, Rewrite>,
    /// Whether nothing was ever written but what we remember: we made it.
    pub is_whole: bool,
}

static NOTHING_APPLIED: BTreeMap<FieldPath, Applied> = BTreeMap::new();
static NOTHING_TOLERATED: BTreeSet<EnvKey> = BTreeSet::new();
static NOTHING_REWRITTEN: BTreeMap<FieldPath, Rewrite> = BTreeMap::new();

impl<'a> Memory<'a> {
    pub const fn none() -> Self {
        Self::of_intent(&NOTHING_APPLIED)
    }

    pub const fn of_intent(applied: &'a BTreeMap<FieldPath, Applied>) -> Self {
        Self {
            applied,
            tolerated_env: &NOTHING_TOLERATED,
            env_managed: false,
            rewrites: &NOTHING_REWRITTEN,
            is_whole: false,
        }
    }

    pub const fn of_entry(entry: &'a Entry) -> Self {
        Self {
            applied: &entry.applied,
            tolerated_env: &entry.tolerated_env,
            env_managed: entry.env_managed,
            rewrites: &entry.rewrites,
            is_whole: match entry.claim {
                Claim::Created => true,
                Claim::Adopted | Claim::Named | Claim::Presumed => false,
            },
        }
    }
}

/// All differences of one resource, and what is to be remembered once they are written.
pub(super) struct Difference {
    pub fields: Vec<FieldChange>,
    pub applied: BTreeMap<FieldPath, FieldValue>,
    pub kept: BTreeMap<FieldPath, Applied>,
    pub tolerated_env: BTreeSet<EnvKey>,
    pub env_managed: bool,
    pub rewrites: BTreeMap<FieldPath, Rewrite>,
    pub settled: Vec<FieldPath>,
    /// Sizes that would shrink, which the platform refuses.
    pub shrinks: BTreeSet<FieldPath>,
}

impl Difference {
    /// Whether anything would be written.
    pub fn writes(&self) -> bool {
        self.fields.iter().any(is_written)
    }
}

pub(super) fn is_written(field: &FieldChange) -> bool {
    match field.action {
        FieldAction::Add | FieldAction::Change | FieldAction::Remove => true,
        FieldAction::Leave => false,
    }
}

/// Compares a declared resource with the object it is.
pub(super) fn compare(
    resource: &Resource,
    object: &LiveObject,
    memory: Memory<'_>,
    is_renamed: bool,
    policy: &Policy,
) -> Difference {
    let mut comparer = Comparer::new(resource, object, memory);
    comparer.name(is_renamed);
    let unverified = comparer.declared();
    for removal in env::removals(resource, object, memory, &mut comparer.difference) {
        comparer.differing(removal);
    }
    comparer.ride_along(&unverified, policy);
    let mut difference = comparer.difference;
    difference.fields.sort_by(|left, right| left.path.cmp(&right.path));
    difference
}

struct Comparer<'a> {
    resource: &'a Resource,
    object: &'a LiveObject,
    memory: Memory<'a>,
    difference: Difference,
}

impl<'a> Comparer<'a> {
    const fn new(resource: &'a Resource, object: &'a LiveObject, memory: Memory<'a>) -> Self {
        let difference = Difference {
            fields: Vec::new(),
            applied: BTreeMap::new(),
            kept: BTreeMap::new(),
            tolerated_env: BTreeSet::new(),
            env_managed: false,
            rewrites: BTreeMap::new(),
            settled: Vec::new(),
            shrinks: BTreeSet::new(),
        };
        Self { resource, object, memory, difference }
    }

    /// The name differs from live only in a rename: by a manifest, or by somebody's hand.
    fn name(&mut self, is_renamed: bool) {
        let path = FieldPath::Setting(Setting::Name);
        let name = self.resource.key.name.as_str();
        if self.object.name == name || self.resource.lifecycle.ignores(&path) {
            return;
        }
        let reason = if is_renamed { FieldReason::Requested } else { FieldReason::Drift };
        self.differing(FieldChange {
            path,
            action: FieldAction::Change,
            before: Some(FieldValue::Text(self.object.name.clone())),
            after: Some(FieldValue::Text(name.to_owned())),
            reason,
            sensitive: false,
            hint: None,
        });
    }

    /// Compares every declared field and returns those that cannot be compared.
    fn declared(&mut self) -> Vec<Comparison<'a>> {
        let mut unverified = Vec::new();
        for (path, field) in &self.resource.fields {
            let comparison = Comparison {
                kind: self.resource.key.kind,
                path,
                desired: &field.value,
                shown: self.object.shows(path),
                applied: self.memory.applied.get(path),
                is_whole: self.memory.is_whole,
            };
            if *path == FieldPath::Setting(Setting::Name) {
                continue;
            }
            if self.resource.lifecycle.ignores(path) {
                self.keep(path);
                continue;
            }
            match comparison.verdict() {
                Verdict::Agrees => {
                    self.remember(path, &field.value);
                    if self.memory.rewrites.contains_key(path) {
                        self.difference.settled.push(path.clone());
                    }
                }
                Verdict::Differs(reason) => {
                    if comparison.shrinks() {
                        self.difference.shrinks.insert(path.clone());
                    }
                    if self.differing(comparison.change(reason)) {
                        self.remember(path, &field.value);
                    } else {
                        self.keep(path);
                    }
                }
                Verdict::Unverifiable => unverified.push(comparison),
            }
        }
        unverified
    }

    /// Adds a difference and says whether it will be written, or does not settle.
    fn differing(&mut self, mut change: FieldChange) -> bool {
        let repairs = match change.reason {
            FieldReason::Drift => self.memory.rewrites.get(&change.path),
            FieldReason::Requested
            | FieldReason::Derived
            | FieldReason::Unverifiable
            | FieldReason::Flapping => None,
        };
        let is_flapping = repairs.is_some_and(|rewrite| rewrite.count >= REPAIRS_MAX);
        let rewrite = match repairs {
            Some(rewrite) if is_flapping => Some(rewrite.clone()),
            _ if change.reason == FieldReason::Drift => Some(Rewrite {
                count: repairs.map_or(0, |rewrite| rewrite.count) + 1,
                read_back: change.before.as_ref().map(Applied::from),
            }),
            _ => None,
        };
        if let Some(rewrite) = rewrite {
            self.difference.rewrites.insert(change.path.clone(), rewrite);
        }
        if is_flapping {
            change.action = FieldAction::Leave;
            change.reason = FieldReason::Flapping;
            change.hint = Some(ignore_line(&self.resource.lifecycle, &change.path));
        }
        self.difference.fields.push(change);
        !is_flapping
    }

    /// Writes what cannot be compared together with what must be written anyway.
    fn ride_along(&mut self, unverified: &[Comparison<'_>], policy: &Policy) {
        let is_needed = policy.write_unverifiable || self.difference.writes();
        for comparison in unverified {
            let mut change = comparison.change(FieldReason::Unverifiable);
            if is_needed && comparison.is_written_unverified(policy.write_unverifiable) {
                self.remember(comparison.path, comparison.desired);
            } else {
                change.action = FieldAction::Leave;
                self.keep(comparison.path);
            }
            self.difference.fields.push(change);
        }
    }

    fn remember(&mut self, path: &FieldPath, value: &FieldValue) {
        self.difference.applied.insert(path.clone(), value.clone());
    }

    fn keep(&mut self, path: &FieldPath) {
        if let Some(applied) = self.memory.applied.get(path) {
            self.difference.kept.insert(path.clone(), applied.clone());
        }
    }
}

/// The manifest line that leaves a field to the platform, what is ignored already included.
fn ignore_line(lifecycle: &Lifecycle, path: &FieldPath) -> String {
    let ignored = lifecycle.ignore_changes.iter().cloned();
    let paths: Vec<String> =
        ignored.chain([path.to_string()]).map(|path| format!("spec.{path}")).collect();
    format!("ignoreChanges: [{}]", paths.join(", "))
}

/// Returns what writing these fields does to what runs: the greatest effect of any.
pub(super) fn effect(key: &Key, fields: &[FieldChange]) -> Effect {
    let written = fields.iter().filter(|field| is_written(field));
    let effects = written.map(|field| field_policy(key.kind, &field.path).effect);
    effects.max().unwrap_or(Effect::None)
}
