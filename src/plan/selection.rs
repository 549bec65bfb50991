//! Which resources are looked at: `--target` with what the targets depend on, less `--exclude`.

use std::collections::BTreeSet;

use crate::model::{Desired, Inventory, Key};

use super::Policy;

/// The resources that are planned.
pub(super) struct Selected<'a> {
    /// `None` for all.
    targets: Option<BTreeSet<&'a Key>>,
    excluded: &'a BTreeSet<Key>,
}

impl<'a> Selected<'a> {
    pub fn by(desired: &'a Desired, policy: &'a Policy) -> Self {
        let selection = &policy.request.selection;
        let targets = if selection.targets.is_empty() {
            None
        } else if policy.request.destroy {
            // What a target depends on must not go with it.
            Some(selection.targets.iter().collect())
        } else {
            Some(with_dependencies(desired, &selection.targets))
        };
        Self { targets, excluded: &selection.excluded }
    }

    pub fn holds(&self, key: &Key) -> bool {
        let is_targeted = self.targets.as_ref().is_none_or(|keys| keys.contains(key));
        is_targeted && !self.excluded.contains(key)
    }
}

/// Returns what must be looked at for what is selected: that, what it leans on, and what it was called
/// before; nothing where everything must be.
#[must_use]
pub fn scope(desired: &Desired, inventory: &Inventory, policy: &Policy) -> Option<BTreeSet<Key>> {
    if policy.request.selection.is_everything() {
        return None;
    }
    let selected = Selected::by(desired, policy);
    let declared = desired.resources.keys().chain(desired.tombstones.keys());
    let known = declared.chain(inventory.entries.keys()).chain(inventory.intents.keys());
    let mut scope: BTreeSet<Key> = known.filter(|key| selected.holds(key)).cloned().collect();
    let earlier = desired.resources.values().filter(|it| selected.holds(&it.key));
    let earlier = earlier
        .flat_map(|it| it.previous_names.iter().map(|name| Key::new(it.key.kind, name.clone())));
    scope.extend(earlier);
    Some(scope)
}

fn with_dependencies<'a>(desired: &'a Desired, targets: &'a BTreeSet<Key>) -> BTreeSet<&'a Key> {
    let mut found: BTreeSet<&Key> = targets.iter().collect();
    let mut waiting: Vec<&Key> = found.iter().copied().collect();
    while let Some(key) = waiting.pop() {
        let Some(resource) = desired.resources.get(key) else {
            continue;
        };
        let new = resource.depends_on.iter().filter(|key| found.insert(*key));
        waiting.extend(new);
    }
    found
}
