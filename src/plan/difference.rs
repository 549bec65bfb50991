//! What is known of an object's fields before they are compared, and what comes of that.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{
    Applied, Claim, Deployed, Entry, EnvKey, FieldPath, FieldValue, Generation, Rewrite,
};

use super::{FieldAction, FieldChange};

/// What we know of what was written to an object.
#[derive(Clone, Copy)]
pub(super) struct LastApplied<'a> {
    pub applied: &'a BTreeMap<FieldPath, Applied>,
    pub changed_at: &'a BTreeMap<FieldPath, Timestamp>,
    pub generated: &'a BTreeMap<EnvKey, Generation>,
    pub tolerated_env: &'a BTreeSet<EnvKey>,
    pub env_managed: bool,
    pub env_additive: bool,
    pub rewrites: &'a BTreeMap<FieldPath, Rewrite>,
    pub deployed: Option<Deployed>,
    pub made_at: Option<Timestamp>,
    /// The name the platform gave it in place of the declared one (A22).
    pub given_name: Option<&'a str>,
    /// Whether nothing was ever written but what we remember: we made it.
    pub is_whole: bool,
    /// Whether that is so if it is ours, as far as we can tell (S3).
    pub is_presumed: bool,
}

static NOTHING_APPLIED: BTreeMap<FieldPath, Applied> = BTreeMap::new();
static NOTHING_CHANGED: BTreeMap<FieldPath, Timestamp> = BTreeMap::new();
static NOTHING_GENERATED: BTreeMap<EnvKey, Generation> = BTreeMap::new();
static NOTHING_TOLERATED: BTreeSet<EnvKey> = BTreeSet::new();
static NOTHING_REWRITTEN: BTreeMap<FieldPath, Rewrite> = BTreeMap::new();

impl<'a> LastApplied<'a> {
    pub const fn none() -> Self {
        Self { is_presumed: false, ..Self::of_intent(&NOTHING_APPLIED) }
    }

    pub const fn of_intent(applied: &'a BTreeMap<FieldPath, Applied>) -> Self {
        Self {
            applied,
            changed_at: &NOTHING_CHANGED,
            generated: &NOTHING_GENERATED,
            tolerated_env: &NOTHING_TOLERATED,
            env_managed: false,
            env_additive: false,
            rewrites: &NOTHING_REWRITTEN,
            deployed: None,
            made_at: None,
            given_name: None,
            is_whole: false,
            is_presumed: true,
        }
    }

    /// The same, without what was repaired and deployed.
    pub const fn forgiven(self) -> Self {
        Self { rewrites: &NOTHING_REWRITTEN, deployed: None, made_at: None, ..self }
    }

    pub fn of_entry(entry: &'a Entry) -> Self {
        Self {
            applied: &entry.applied,
            changed_at: &entry.changed_at,
            generated: &entry.generated,
            tolerated_env: &entry.tolerated_env,
            env_managed: entry.env_managed,
            env_additive: entry.env_additive,
            rewrites: &entry.rewrites,
            deployed: entry.deployed,
            made_at: entry.made_at,
            given_name: entry.given_name.as_deref(),
            is_whole: match entry.claim {
                Claim::Created => true,
                Claim::Adopted | Claim::Named | Claim::Presumed => false,
            },
            is_presumed: entry.claim == Claim::Presumed,
        }
    }

    /// Whether what is not remembered of a field was never written. A reference is put off where its
    /// service is made first: of one that is presumed to be ours it may be all that is missing, and
    /// no secret of anybody's is lost with what it replaces.
    pub fn is_whole_at(&self, value: &FieldValue) -> bool {
        let is_reference = matches!(value, FieldValue::Reference(_));
        self.is_whole || (self.is_presumed && is_reference)
    }
}

/// All differences of one resource, and what is to be remembered once they are written.
pub(super) struct Difference {
    pub fields: Vec<FieldChange>,
    pub applied: BTreeMap<FieldPath, FieldValue>,
    pub kept: BTreeMap<FieldPath, Applied>,
    pub changed_at: BTreeMap<FieldPath, Timestamp>,
    pub generated: BTreeMap<EnvKey, Generation>,
    pub tolerated_env: BTreeSet<EnvKey>,
    pub env_managed: bool,
    pub rewrites: BTreeMap<FieldPath, Rewrite>,
    pub deployed: Option<Deployed>,
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
