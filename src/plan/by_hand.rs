//! What only people can do: the variables that are declared without a value (`sync: false`).

use std::collections::BTreeMap;

use crate::model::{EnvKey, FieldPath, Key, LiveValue, Resource};

use super::Policy;
use super::selection::Selected;
use super::view::{View, Whereabouts};

/// The variables of one resource that people set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// The resource.
    pub key: Key,
    /// What the platform shows of each.
    pub variables: BTreeMap<EnvKey, Sight>,
}

/// What the platform shows of a variable that people set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It has a value.
    Set,
    /// It has none, or the resource does not live yet.
    Unset,
    /// The platform does not say.
    Unseen,
}

impl ByHand {
    /// Returns the variables that are not known to be set.
    pub fn open(&self) -> impl Iterator<Item = (&EnvKey, Sight)> {
        self.variables.iter().map(|(key, sight)| (key, *sight)).filter(|(_, it)| *it != Sight::Set)
    }
}

/// Returns what people set of each planned resource, in the order of keys.
pub(super) fn of(view: &View<'_>, policy: &Policy) -> Vec<ByHand> {
    if policy.destroy {
        return Vec::new();
    }
    let selected = Selected::by(view.desired(), policy);
    let resources = view.desired().resources.values();
    let resources = resources.filter(|it| !it.set_by_hand.is_empty() && selected.holds(&it.key));
    resources.map(|resource| one(view, resource)).collect()
}

fn one(view: &View<'_>, resource: &Resource) -> ByHand {
    let key = &resource.key;
    let entry = view.inventory().entries.get(key);
    let object = match entry.map(|entry| view.whereabouts(key.kind, entry)) {
        Some(Whereabouts::Lives(object)) => Some(object),
        Some(Whereabouts::Other | Whereabouts::Gone | Whereabouts::Unknown) | None => {
            match view.named(key) {
                [one] => Some(*one),
                [] | [_, ..] => None,
            }
        }
    };
    let sight = |variable: &EnvKey| match object {
        Some(object) => match object.shows(&FieldPath::Env(variable.clone())) {
            Some(LiveValue::Shown(_) | LiveValue::Hidden) => Sight::Set,
            Some(LiveValue::Absent) => Sight::Unset,
            None => Sight::Unseen,
        },
        None if view.is_absent(key) => Sight::Unset,
        None => Sight::Unseen,
    };
    let variables = resource.set_by_hand.keys().map(|it| (it.clone(), sight(it)));
    ByHand { key: key.clone(), variables: variables.collect() }
}
