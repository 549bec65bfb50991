//! In which order: what is referred to comes first, and what must go comes last, the other way round.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Key;

use super::draft::ChangeDraft;
use super::reference::makes_a_name;
use super::{Action, mutual};

/// Arranges the drafts. The order depends on their keys, on their references, and on whose name
/// another one takes, never on the order in which anything was listed.
pub(super) fn arrange(drafts: Vec<ChangeDraft<'_>>) -> Vec<ChangeDraft<'_>> {
    let (leaving, mut staying): (Vec<_>, Vec<_>) = drafts.into_iter().partition(is_leaving);
    staying.sort_by(|left, right| left.change.key.cmp(&right.change.key));
    mutual::put_off(&mut staying);
    let (mut arranged, mut circles) = topological(staying, awaited);
    if !circles.is_empty() {
        // Only what is yet to be made must come first; what lives already need not.
        let makers = circles.iter().filter(|draft| makes_a_name(&draft.change));
        let made: BTreeSet<Key> = makers.map(|draft| draft.change.key.clone()).collect();
        let needed = |draft: &ChangeDraft<'_>| {
            let mut awaited = awaited(draft);
            awaited.retain(|key| made.contains(key) || draft.follows == Some(key));
            awaited
        };
        let (mut untangled, mut rest) = topological(circles, needed);
        arranged.append(&mut untangled);
        circles = std::mem::take(&mut rest);
    }
    arranged.append(&mut circles);
    let depends_on = |draft: &ChangeDraft<'_>| {
        let others = draft.entry.map(|entry| entry.depends_on.iter().cloned());
        others.into_iter().flatten().collect()
    };
    let (mut leaving, mut circles) = topological(leaving, depends_on);
    leaving.append(&mut circles);
    leaving.reverse();
    arranged.append(&mut leaving);
    arranged
}

/// What comes before a change: what has its name until it moves on, and what it refers to, less what
/// it can be given afterwards.
fn awaited(draft: &ChangeDraft<'_>) -> Vec<Key> {
    let others = draft.desired.map(|resource| &resource.depends_on).into_iter().flatten();
    let others = others.filter(|key| !draft.later.contains(*key));
    others.chain(draft.follows).cloned().collect()
}

pub(super) const fn is_leaving(draft: &ChangeDraft<'_>) -> bool {
    match draft.change.action {
        Action::Delete | Action::Forget => true,
        Action::Create | Action::Update | Action::Replace | Action::Adopt | Action::None => false,
    }
}

/// Kahn's algorithm with an ordered set of what is ready: the smallest key first, so kinds come in
/// their order. What is on a cycle or comes after one is returned apart, in the order of its keys.
fn topological<'a>(
    drafts: Vec<ChangeDraft<'a>>,
    depends_on: impl Fn(&ChangeDraft<'a>) -> Vec<Key>,
) -> (Vec<ChangeDraft<'a>>, Vec<ChangeDraft<'a>>) {
    let mut waiting: BTreeMap<Key, ChangeDraft<'a>> = BTreeMap::new();
    for draft in drafts {
        waiting.insert(draft.change.key.clone(), draft);
    }
    let mut unmet: BTreeMap<Key, usize> = BTreeMap::new();
    let mut dependents: BTreeMap<Key, Vec<Key>> = BTreeMap::new();
    for (key, draft) in &waiting {
        let references = depends_on(draft).into_iter();
        let present = references.filter(|other| other != key && waiting.contains_key(other));
        let mut count = 0;
        for other in present {
            count += 1;
            dependents.entry(other).or_default().push(key.clone());
        }
        unmet.insert(key.clone(), count);
    }
    let free = unmet.iter().filter(|(_, count)| **count == 0);
    let mut ready: BTreeSet<Key> = free.map(|(key, _)| key.clone()).collect();
    let mut arranged = Vec::with_capacity(waiting.len());
    while let Some(key) = ready.pop_first() {
        for dependent in dependents.remove(&key).unwrap_or_default() {
            if let Some(count) = unmet.get_mut(&dependent) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ready.insert(dependent);
                }
            }
        }
        arranged.extend(waiting.remove(&key));
    }
    (arranged, waiting.into_values().collect())
}
