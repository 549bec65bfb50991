//! What was put off when a change was begun, and is written once what it refers to is there.

use std::collections::BTreeSet;

use crate::model::{Entry, Key};

use super::diff::effect;
use super::{Action, Change, FieldChange, FieldReason, Precondition, Reason, Record, Step};

impl Change {
    /// Returns the changes that must succeed before this one can be completed.
    pub(super) fn completed_after(&self) -> impl Iterator<Item = &Key> {
        let after = self.steps.last().and_then(|step| match step {
            Step::Complete { after, .. } => Some(after),
            Step::Create { .. }
            | Step::Patch { .. }
            | Step::MakeWay { .. }
            | Step::Deploy { .. }
            | Step::Delete { .. } => None,
        });
        // Its own name is there by then.
        after.into_iter().flatten().filter(|key| **key != self.key)
    }

    /// Whether its last step waits for other changes.
    pub(super) fn is_completed_later(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Complete { .. }))
    }

    /// Returns how many write requests it takes.
    #[must_use]
    pub fn writes(&self) -> usize {
        let with_deploy = |step: &Step| matches!(step, Step::Complete { deploys: true, .. });
        self.steps.len() + self.steps.iter().filter(|step| with_deploy(step)).count()
    }

    /// Returns the steps that do not wait for what the change is completed with.
    #[must_use]
    pub fn first_steps(&self) -> &[Step] {
        match self.steps.split_last() {
            Some((Step::Complete { .. }, first)) => first,
            Some(_) | None => &self.steps,
        }
    }

    /// Returns the rest of the change as a PATCH of the object that its first steps left; nothing
    /// when it has no rest. `entry` is what is remembered of that object.
    #[must_use]
    pub fn completed(&self, entry: &Entry) -> Option<Self> {
        let Some(Step::Complete { fields, shown, after: _, deploys }) = self.steps.last() else {
            return None;
        };
        let name = entry.given_name.clone().unwrap_or_else(|| self.key.name.to_string());
        let precondition = |fields| Precondition {
            name: name.clone(),
            created_at: entry.created_at.clone(),
            fields,
        };
        let id = &entry.id;
        let written = fields.iter().map(|(path, value)| (path.clone(), Some(value.clone())));
        let mut steps = vec![Step::Patch {
            id: id.clone(),
            fields: written.collect(),
            precondition: precondition(shown.clone()),
        }];
        if *deploys {
            let precondition = precondition([].into());
            steps.push(Step::Deploy { id: id.clone(), precondition });
        }
        let written = fields.iter().map(|(path, value)| (path.clone(), value.clone()));
        let record = self.record.clone().map(|record| Record {
            claim: entry.claim,
            created_at: entry.created_at.clone(),
            made_at: entry.made_at,
            given_name: entry.given_name.clone(),
            applied: record.applied.into_iter().chain(written).collect(),
            kept: entry.applied.clone(),
            tolerated_env: entry.tolerated_env.clone(),
            renamed_from: None,
            ..record
        });
        let fields = self.fields.iter().filter(|field| field.reason == FieldReason::Later);
        let fields: Vec<FieldChange> = fields.cloned().collect();
        Some(Self {
            action: Action::Update,
            reason: Reason::Requested,
            effect: effect(&self.key, &fields),
            id: Some(id.clone()),
            adopts: None,
            fields,
            steps,
            after: BTreeSet::new(),
            record,
            ..self.clone()
        })
    }
}
