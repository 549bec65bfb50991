//! What differs: every claimed resource, field by field, becomes a draft of a change, or nothing.
//!
//! A draft says what should happen. Whether it may is for `guard` and `prune` to say.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{
    Effect, EnvKey, FieldPath, FieldValue, Key, LiveObject, Resource, Rewrite, Setting,
    policy as field_policy,
};

use super::difference::{Difference, LastApplied, is_written};
use super::env;
use super::field::{Comparison, FieldVerdict};
use super::flapping::{self, Agreement};
use super::rotation;
use super::unsettled::{self, Settlement};
use super::{FieldAction, FieldChange, FieldReason, Policy};

/// Compares a declared resource with the object it is.
pub(super) fn compare(
    resource: &Resource,
    object: &LiveObject,
    memory: LastApplied<'_>,
    is_renamed: bool,
    (policy, now): (&Policy, Timestamp),
    is_attached: &dyn Fn(&EnvKey) -> bool,
) -> Difference {
    let mut comparer = Comparer::new(resource, object, memory);
    comparer.name(is_renamed);
    let unverified = comparer.declared();
    let is_put_on = |key: &EnvKey| policy.platform.put_on.covers(key) || is_attached(key);
    for removal in env::removals(resource, object, memory, &is_put_on, &mut comparer.difference) {
        comparer.differing(removal);
    }
    comparer.bound(policy, now);
    comparer.settle(&unverified, policy);
    comparer.count_on(now);
    let mut difference = comparer.difference;
    rotation::remember(resource, memory, now, &mut difference);
    difference.fields.sort_by(|left, right| left.path.cmp(&right.path));
    flapping::advise(resource, &mut difference.fields);
    difference
}

struct Comparer<'a> {
    resource: &'a Resource,
    object: &'a LiveObject,
    memory: LastApplied<'a>,
    difference: Difference,
}

impl<'a> Comparer<'a> {
    const fn new(resource: &'a Resource, object: &'a LiveObject, memory: LastApplied<'a>) -> Self {
        let difference = Difference {
            fields: Vec::new(),
            applied: BTreeMap::new(),
            kept: BTreeMap::new(),
            changed_at: BTreeMap::new(),
            generated: BTreeMap::new(),
            tolerated_env: BTreeSet::new(),
            env_managed: false,
            rewrites: BTreeMap::new(),
            deployed: None,
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
        // What the platform made of the name is as good as the name, until another one is declared.
        if !is_renamed && self.memory.given_name == Some(self.object.name.as_str()) {
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
                is_whole: self.memory.is_whole_at(&field.value),
                cause: rotation::cause(self.resource, path),
            };
            if *path == FieldPath::Setting(Setting::Name) {
                continue;
            }
            if self.resource.lifecycle.ignores(path) {
                self.keep(path);
                continue;
            }
            match comparison.verdict() {
                FieldVerdict::Agrees => self.remember(path, &field.value),
                FieldVerdict::Differs(reason) => {
                    if comparison.shrinks() {
                        self.difference.shrinks.insert(path.clone());
                    }
                    if self.differing(comparison.change(reason)) {
                        self.remember(path, &field.value);
                    } else {
                        self.keep(path);
                    }
                }
                FieldVerdict::Unverifiable => unverified.push(comparison),
            }
        }
        unverified
    }

    /// Adds a difference and says whether it will be written, or does not settle.
    fn differing(&mut self, mut change: FieldChange) -> bool {
        let known = self.memory.rewrites.get(&change.path);
        let is_repair = change.reason == FieldReason::Drift;
        let is_left = is_repair && known.is_some_and(Rewrite::is_used_up);
        if is_left {
            self.count(&change, Rewrite::left(known, &change));
            flapping::leave(&mut change);
        } else if is_repair {
            self.count(&change, Rewrite::repaired(known, &change));
        }
        self.difference.fields.push(change);
        !is_left
    }

    fn count(&mut self, change: &FieldChange, rewrite: Rewrite) {
        self.difference.rewrites.insert(change.path.clone(), rewrite);
    }

    /// Leaves alone what would deploy a state more often than allowed.
    fn bound(&mut self, policy: &Policy, now: Timestamp) {
        let fields = &self.difference.fields;
        let (deployed, left) =
            flapping::bound(&self.resource.key, fields, self.memory, policy, now);
        self.difference.deployed = deployed;
        for place in left {
            let change = self.difference.fields[place].clone();
            let known = self.memory.rewrites.get(&change.path);
            self.count(&change, Rewrite::left(known, &change));
            self.difference.applied.remove(&change.path);
            self.keep(&change.path);
            flapping::leave(&mut self.difference.fields[place]);
        }
    }

    /// Remembers what was repaired before and differs no more, until reads have agreed for long
    /// enough.
    fn count_on(&mut self, now: Timestamp) {
        for (path, known) in self.memory.rewrites {
            if self.difference.rewrites.contains_key(path) {
                continue;
            }
            let mut fields = self.difference.fields.iter();
            let change = fields.find(|change| change.path == *path);
            let kept = match flapping::agreement(path, self.resource, self.object, change) {
                Agreement::Agrees => known.agreed(now),
                Agreement::Unseen => Some(known.clone()),
                Agreement::Moot => None,
            };
            match kept {
                Some(kept) => drop(self.difference.rewrites.insert(path.clone(), kept)),
                None => self.difference.settled.push(path.clone()),
            }
        }
    }

    /// Settles what cannot be compared where somebody says how, and leaves it alone elsewhere:
    /// nobody asked for it to be written along with what changes beside it.
    fn settle(&mut self, unverified: &[Comparison<'_>], policy: &Policy) {
        for comparison in unverified {
            let mut change = comparison.change(FieldReason::Unverifiable);
            match unsettled::settlement(self.resource, comparison, policy) {
                Settlement::Written => self.remember(comparison.path, comparison.desired),
                Settlement::Accepted => {
                    change.action = FieldAction::Leave;
                    change.reason = FieldReason::Accepted;
                    self.remember(comparison.path, comparison.desired);
                }
                Settlement::Open(advice) => {
                    change.action = FieldAction::Leave;
                    change.hint = Some(advice);
                    self.keep(comparison.path);
                }
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

/// Returns what writing these fields does to what runs: the greatest effect of any.
pub(super) fn effect<'f>(key: &Key, fields: impl IntoIterator<Item = &'f FieldChange>) -> Effect {
    let written = fields.into_iter().filter(|field| is_written(field));
    let effects = written.map(|field| field_policy(key.kind, &field.path).effect);
    effects.max().unwrap_or(Effect::None)
}
