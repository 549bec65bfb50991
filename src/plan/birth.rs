//! What a resource is created with, and what is remembered of it then.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Claim, EnvSet, FieldPath, FieldValue, Remembered, Resource};

use super::Record;

/// What is remembered of a resource that was created with every declared field.
pub(super) fn created(resource: &Resource) -> Record {
    Record { applied: born_with(resource), ..unwritten(resource) }
}

/// Returns what a new resource is created with: what is declared, and what is derived beside it.
pub(super) fn born_with(resource: &Resource) -> BTreeMap<FieldPath, FieldValue> {
    let declared = resource.fields.iter();
    let declared = declared.map(|(path, field)| (path.clone(), field.value.clone()));
    resource.on_create.clone().into_iter().chain(declared).collect()
}

/// What is remembered of a resource beside its fields.
pub(super) fn unwritten(resource: &Resource) -> Record {
    Record {
        claim: Claim::Created,
        created_at: None,
        made_at: None,
        given_name: None,
        remembered: Remembered::from(&resource.lifecycle),
        labels: resource.labels.clone(),
        applied: BTreeMap::new(),
        kept: BTreeMap::new(),
        tolerated_env: BTreeSet::new(),
        set_by_hand: resource.set_by_hand.keys().cloned().collect(),
        env_managed: resource.declares_env,
        env_additive: resource.lifecycle.env_vars == EnvSet::Additive,
        rewrites: BTreeMap::new(),
        deployed: None,
        depends_on: resource.depends_on.clone(),
        renamed_from: None,
    }
}
