//! What a resource is created with, and what is remembered of it then.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{
    Claim, EnvSet, FieldPath, FieldValue, Intent, Kind, Remembered, Resource, Setting, is_secret_at,
};

use super::{Change, FieldAction, FieldChange, FieldReason, Plan, Record, Step};

/// What is remembered of a resource that was created with every declared field.
pub(super) fn created(resource: &Resource, now: Timestamp) -> Record {
    let applied = born_with(resource);
    let secrets = applied.iter().filter(|(_, value)| value.is_sensitive());
    let numbers = resource.generated.iter().map(|(key, value)| (key.clone(), value.written()));
    Record {
        changed_at: secrets.map(|(path, _)| (path.clone(), now)).collect(),
        generated: numbers.collect(),
        applied,
        ..unwritten(resource)
    }
}

/// What is remembered of a create that was never answered and that nobody declares any more: what
/// was sent.
pub(super) fn presumed(intent: &Intent, claim: Claim, created_at: Option<String>) -> Record {
    Record {
        claim,
        created_at,
        made_at: None,
        given_name: None,
        remembered: intent.remembered,
        labels: BTreeMap::new(),
        applied: BTreeMap::new(),
        kept: intent.applied.clone(),
        changed_at: BTreeMap::new(),
        generated: BTreeMap::new(),
        tolerated_env: BTreeSet::new(),
        set_by_hand: BTreeSet::new(),
        env_managed: false,
        env_additive: false,
        rewrites: BTreeMap::new(),
        deployed: None,
        depends_on: intent.depends_on.clone(),
        previous_names: BTreeSet::new(),
        renamed_from: None,
        exchanges: BTreeMap::new(),
    }
}

/// Returns what a new resource is created with: what is declared, and what is derived beside it.
pub(super) fn born_with(resource: &Resource) -> BTreeMap<FieldPath, FieldValue> {
    let declared = resource.fields.iter();
    let declared = declared.map(|(path, field)| (path.clone(), field.value.clone()));
    resource.on_create.clone().into_iter().chain(declared).collect()
}

/// Returns the change of a field that a new resource is given.
pub(super) fn added(path: &FieldPath, value: &FieldValue, reason: FieldReason) -> FieldChange {
    let sensitive = is_secret_at(path, value);
    FieldChange {
        path: path.clone(),
        action: FieldAction::Add,
        before: None,
        after: Some(value.clone()).filter(|_| !sensitive),
        reason,
        sensitive,
        hint: None,
    }
}

impl Plan {
    /// Returns the services that would be made without a repository and without an image.
    pub fn sourceless(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| {
            let is_source = |path: &FieldPath| {
                let sources = [Setting::Repo, Setting::Image].map(FieldPath::Setting);
                sources.contains(path)
            };
            let is_bare = |step: &Step| match step {
                Step::Create { fields } => !fields.keys().any(is_source),
                Step::Patch { .. }
                | Step::MakeWay { .. }
                | Step::Complete { .. }
                | Step::Deploy { .. }
                | Step::Delete { .. } => false,
            };
            change.key.kind == Kind::Service && change.steps.iter().any(is_bare)
        })
    }
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
        changed_at: BTreeMap::new(),
        generated: BTreeMap::new(),
        tolerated_env: BTreeSet::new(),
        set_by_hand: resource.set_by_hand.keys().cloned().collect(),
        env_managed: resource.declares_env,
        env_additive: resource.lifecycle.env_vars == EnvSet::Additive,
        rewrites: BTreeMap::new(),
        deployed: None,
        depends_on: resource.depends_on.clone(),
        previous_names: resource.previous_names.iter().cloned().collect(),
        renamed_from: None,
        exchanges: BTreeMap::new(),
    }
}
