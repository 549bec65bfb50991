//! In which order: what is referred to comes first, and what must go comes last, the other way round.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Key;

use super::Action;
use super::draft::Draft;

/// Arranges the drafts. The order depends on their keys and references alone, never on the order
/// in which anything was listed.
pub(super) fn arrange(drafts: Vec<Draft<'_>>) -> Vec<Draft<'_>> {
    let (leaving, staying): (Vec<_>, Vec<_>) = drafts.into_iter().partition(is_leaving);
    let mut arranged =
        topological(staying, |draft| draft.desired.map(|resource| &resource.depends_on));
    let mut leaving = topological(leaving, |draft| draft.entry.map(|entry| &entry.depends_on));
    leaving.reverse();
    arranged.append(&mut leaving);
    arranged
}

pub(super) const fn is_leaving(draft: &Draft<'_>) -> bool {
    match draft.change.action {
        Action::Delete | Action::Forget => true,
        Action::Create | Action::Update | Action::Replace | Action::Adopt | Action::None => false,
    }
}

/// Kahn's algorithm with an ordered set of what is ready: the smallest key first, so kinds come in
/// their order. What is left of a cycle follows in the order of its keys.
fn topological<'a>(
    drafts: Vec<Draft<'a>>,
    depends_on: impl Fn(&Draft<'a>) -> Option<&'a BTreeSet<Key>>,
) -> Vec<Draft<'a>> {
    let mut waiting: BTreeMap<Key, Draft<'a>> = BTreeMap::new();
    for draft in drafts {
        waiting.insert(draft.change.key.clone(), draft);
    }
    let mut unmet: BTreeMap<Key, usize> = BTreeMap::new();
    let mut dependents: BTreeMap<Key, Vec<Key>> = BTreeMap::new();
    for (key, draft) in &waiting {
        let references = depends_on(draft).into_iter().flatten();
        let present = references.filter(|other| *other != key && waiting.contains_key(*other));
        let mut count = 0;
        for other in present {
            count += 1;
            dependents.entry(other.clone()).or_default().push(key.clone());
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
    arranged.extend(waiting.into_values());
    arranged
}
