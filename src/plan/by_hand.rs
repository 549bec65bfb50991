//! What only people can do: the variables that are declared without a value (`sync: false`).

use std::collections::BTreeMap;

use crate::model::{Entry, EnvKey, FieldPath, Key, LiveObject, LiveValue, Resource};

use super::Policy;
use super::standing::{Claimed, Standing, Unclear};
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
pub(super) fn of(claims: &[Claimed<'_>], view: &View<'_>, policy: &Policy) -> Vec<ByHand> {
    if policy.request.destroy {
        return Vec::new();
    }
    let declared = claims.iter().filter_map(|it| Some((it.desired?, &it.standing)));
    let declared = declared.filter(|(resource, _)| !resource.set_by_hand.is_empty());
    declared.map(|(resource, standing)| one(view, resource, standing)).collect()
}

fn one(view: &View<'_>, resource: &Resource, standing: &Standing<'_>) -> ByHand {
    let key = &resource.key;
    let object = match standing {
        Standing::Ours(ours) => Some(ours.object),
        Standing::Found(found) => Some(found.object),
        Standing::Unwanted { object, .. } => Some(*object),
        Standing::Unclear(Unclear { entry, .. }) => perhaps(view, key, *entry),
        // What has the name by now moves on, or is nothing.
        Standing::Absent(_) | Standing::Gone(_) => None,
    };
    let is_absent = matches!(standing, Standing::Absent(_)) || view.is_absent(key);
    let sight = |variable: &EnvKey| match object {
        Some(object) => match object.shows(&FieldPath::Env(variable.clone())) {
            Some(LiveValue::Shown(_) | LiveValue::Hidden) => Sight::Set,
            Some(LiveValue::Absent) => Sight::Unset,
            None => Sight::Unseen,
        },
        None if is_absent => Sight::Unset,
        None => Sight::Unseen,
    };
    let variables = resource.set_by_hand.keys().map(|it| (it.clone(), sight(it)));
    ByHand { key: key.clone(), variables: variables.collect() }
}

/// Returns what is meant as far as can be told: ours, or the only one of its name.
fn perhaps<'a>(view: &View<'a>, key: &Key, entry: Option<&Entry>) -> Option<&'a LiveObject> {
    match entry.map(|entry| view.whereabouts(key.kind, entry)) {
        Some(Whereabouts::Lives(object)) => Some(object),
        Some(Whereabouts::Other | Whereabouts::Gone | Whereabouts::Unknown) | None => {
            match view.named(key) {
                [one] => Some(*one),
                [] | [_, ..] => None,
            }
        }
    }
}
