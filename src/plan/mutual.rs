//! Services that need each other: one is made without what is not there yet, and gets it by a PATCH
//! of its own once the other is there.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::successors;

use crate::model::{FieldPath, FieldValue, Key, NAMES_MOVING_MAX, Reference};

use super::birth::added;
use super::draft::ChangeDraft;
use super::reference::makes_a_name;
use super::{Action, FieldReason, difference::is_written};

/// Puts off what refers back within a circle of names that are yet to be made. What lives already
/// need not be waited for, so circles through it are none.
pub(super) fn put_off(drafts: &mut [ChangeDraft<'_>]) {
    for (from, to) in backward(drafts) {
        let Ok(place) = drafts.binary_search_by(|draft| draft.change.key.cmp(&from)) else {
            continue;
        };
        drafts[place].put_off(to);
    }
}

impl ChangeDraft<'_> {
    /// Puts off the variables that are taken from another resource, so that it need not come first.
    /// What is needed for another reason is waited for all the same.
    fn put_off(&mut self, other: Key) {
        let Some(resource) = self.desired else {
            return;
        };
        let mut count = 0;
        for (path, field) in &resource.fields {
            let refers = reference(&field.value).is_some_and(|it| it.target() == other);
            if refers && self.put_off_at(path, &field.value) {
                count += 1;
            }
        }
        // What lives has what a variable refers to already.
        let lives = match self.change.action {
            Action::Update | Action::Adopt => true,
            Action::Create | Action::Replace | Action::Delete | Action::Forget | Action::None => {
                false
            }
        };
        if count > 0 || lives {
            self.later.insert(other);
        }
    }

    /// Puts off one variable, and says whether it would be written.
    fn put_off_at(&mut self, path: &FieldPath, value: &FieldValue) -> bool {
        let fields = &mut self.change.fields;
        let place = fields.binary_search_by(|field| field.path.cmp(path));
        let is_new = self.change.action == Action::Replace;
        match place {
            Ok(place) if is_new => fields[place] = added(path, value, FieldReason::Later),
            // A new service has nothing of what agrees.
            Err(place) if is_new => fields.insert(place, added(path, value, FieldReason::Later)),
            Ok(place) if is_written(&fields[place]) => fields[place].reason = FieldReason::Later,
            Ok(_) | Err(_) => return false,
        }
        if let Some(record) = &mut self.change.record {
            record.applied.remove(path);
            // It keeps the value it has until then.
            let known = self.entry.filter(|_| !is_new).and_then(|entry| entry.applied.get(path));
            record.kept.extend(known.map(|known| (path.clone(), known.clone())));
        }
        true
    }

    /// The variables that are put off, with what they become.
    pub fn postponed(&self) -> BTreeMap<FieldPath, FieldValue> {
        let later = self.change.fields.iter().filter(|it| it.reason == FieldReason::Later);
        later.filter_map(|it| Some((it.path.clone(), self.declared(&it.path)?.clone()))).collect()
    }

    /// Returns what the variables that are put off are taken from.
    pub fn completed_after(&self) -> impl Iterator<Item = Key> {
        let later = self.change.fields.iter().filter(|it| it.reason == FieldReason::Later);
        later.filter_map(|it| Some(reference(self.declared(&it.path)?)?.target()))
    }

    /// Returns what is declared of a field, also of one that must not be shown.
    pub fn declared(&self, path: &FieldPath) -> Option<&FieldValue> {
        Some(&self.desired?.fields.get(path)?.value)
    }
}

fn reference(value: &FieldValue) -> Option<&Reference> {
    match value {
        FieldValue::Reference(reference) => Some(reference),
        FieldValue::Text(_)
        | FieldValue::Integer(_)
        | FieldValue::Boolean(_)
        | FieldValue::Set(_)
        | FieldValue::Secret(_) => None,
    }
}

/// Returns the references that close a circle, as a walk in the order of keys meets them. Without
/// them there is none. The drafts stand in the order of their keys.
///
/// What takes a name follows on what had it, and that cannot be put off: so a reference to something
/// that follows on what the walk comes from closes a circle as well.
fn backward(drafts: &[ChangeDraft<'_>]) -> Vec<(Key, Key)> {
    let follows: BTreeMap<&Key, &Key> =
        drafts.iter().filter_map(|draft| Some((&draft.change.key, draft.follows?))).collect();
    let followed: BTreeSet<&Key> = follows.values().copied().collect();
    let comes_first = |draft: &&ChangeDraft<'_>| {
        let is_in_a_row = draft.follows.is_some() || followed.contains(&draft.change.key);
        is_in_a_row || makes_a_name(&draft.change)
    };
    let ahead: BTreeMap<&Key, Vec<&Key>> = drafts
        .iter()
        .filter(comes_first)
        .map(|draft| {
            let others = draft.desired.map(|resource| resource.depends_on.iter().rev());
            (&draft.change.key, others.into_iter().flatten().chain(draft.follows).collect())
        })
        .collect();
    let is_back = |key: &Key, on_path: &BTreeSet<&Key>| {
        let row = successors(Some(key), |key| follows.get(*key).copied());
        row.take(NAMES_MOVING_MAX + 1).any(|key| on_path.contains(key))
    };
    let mut found = Vec::new();
    let mut done: BTreeSet<&Key> = BTreeSet::new();
    for start in ahead.keys() {
        // A walk with its own stack: a chain of ten thousand services must not overflow ours.
        let mut path: Vec<(&Key, Vec<&Key>)> = Vec::new();
        let mut on_path: BTreeSet<&Key> = BTreeSet::new();
        enter(&ahead, start, &mut path, &mut on_path, &done);
        while let Some((key, others)) = path.last_mut() {
            let key = *key;
            let Some(next) = others.pop() else {
                on_path.remove(key);
                done.insert(key);
                path.pop();
                continue;
            };
            if done.contains(next) {
                continue;
            }
            if is_back(next, &on_path) {
                found.push((key.clone(), next.clone()));
            } else {
                enter(&ahead, next, &mut path, &mut on_path, &done);
            }
        }
    }
    found
}

fn enter<'d>(
    ahead: &BTreeMap<&'d Key, Vec<&'d Key>>,
    key: &'d Key,
    path: &mut Vec<(&'d Key, Vec<&'d Key>)>,
    on_path: &mut BTreeSet<&'d Key>,
    done: &BTreeSet<&'d Key>,
) {
    if done.contains(key) {
        return;
    }
    if let Some(others) = ahead.get(key) {
        on_path.insert(key);
        path.push((key, others.clone()));
    }
}
