//! The requests that carry a change out, each complete, each with what must still be so before it.

use std::collections::BTreeMap;

use crate::model::{
    Effect, FieldPath, FieldValue, LiveObject, LiveValue, Resource, Setting, is_same,
    is_same_moment,
};

use super::answer::shows_as;
use super::birth::born_with;
use super::diff::effect;
use super::difference::is_written;
use super::draft::ChangeDraft;
use super::{Action, Change, FieldAction, FieldChange, FieldReason, Policy, Precondition, Step};

/// Lowers every draft that nothing stands in the way of to its steps.
pub(super) fn lower(drafts: Vec<ChangeDraft<'_>>, policy: &Policy) -> Vec<Change> {
    let lower = |draft: ChangeDraft<'_>| {
        let steps = match &draft.change.blocked {
            Some(_) => Vec::new(),
            None => steps(&draft, policy).into_iter().chain(complete(&draft, policy)).collect(),
        };
        Change { steps, ..draft.change }
    };
    drafts.into_iter().map(lower).collect()
}

fn steps(draft: &ChangeDraft<'_>, policy: &Policy) -> Vec<Step> {
    let change = &draft.change;
    match (change.action, draft.desired, draft.object) {
        (Action::Create, Some(resource), _) => vec![create(resource, change)],
        (Action::Update, Some(resource), Some(object)) => {
            let mut steps: Vec<Step> = draft.clears.iter().cloned().collect();
            if change.fields.iter().any(is_written_now) {
                steps.push(patch(draft, resource, object));
            }
            if policy.platform.deploys_after_patch && runs_anew(draft) {
                steps.push(deploy(resource, object));
            }
            steps
        }
        (Action::Replace, Some(resource), Some(object)) => {
            vec![delete(object), create(resource, change)]
        }
        (Action::Delete, _, Some(object)) => vec![delete(object)],
        (Action::Adopt | Action::Forget | Action::None, _, _) => Vec::new(),
        // A create is of something declared, and the others are of something that lives.
        (Action::Create | Action::Update | Action::Replace | Action::Delete, _, _) => Vec::new(),
    }
}

/// Whether what runs must be started or built anew for a change to take effect. What is put off is
/// deployed with its own PATCH.
fn runs_anew(draft: &ChangeDraft<'_>) -> bool {
    let change = &draft.change;
    let effect = if draft.later.is_empty() {
        change.effect
    } else {
        let now = change.fields.iter().filter(|field| is_written_now(field));
        effect(&change.key, now)
    };
    match effect {
        Effect::Restart | Effect::Rebuild => true,
        Effect::None | Effect::Destroy => false,
    }
}

/// What is put off is written afterwards, by a step of its own.
fn is_written_now(field: &FieldChange) -> bool {
    is_written(field) && field.reason != FieldReason::Later
}

fn create(resource: &Resource, change: &Change) -> Step {
    let mut fields = born_with(resource);
    for field in change.fields.iter().filter(|it| it.reason == FieldReason::Later) {
        fields.remove(&field.path);
    }
    Step::Create { fields }
}

/// Returns the step that writes what was put off.
fn complete(draft: &ChangeDraft<'_>, policy: &Policy) -> Option<Step> {
    let fields = draft.postponed();
    // What is made, or made again, has nothing yet.
    let object = draft.object.filter(|_| draft.change.action != Action::Replace);
    let shown = |field: &FieldChange| match object {
        Some(object) => seen(object, &field.path, field.sensitive),
        None => Some(LiveValue::Absent),
    };
    let later = draft.change.fields.iter().filter(|it| it.reason == FieldReason::Later);
    (!fields.is_empty()).then(|| Step::Complete {
        shown: later.map(|field| (field.path.clone(), shown(field))).collect(),
        after: draft.completed_after().collect(),
        deploys: policy.platform.deploys_after_patch,
        fields,
    })
}

fn delete(object: &LiveObject) -> Step {
    Step::Delete { id: object.id.clone(), precondition: precondition(object, BTreeMap::new()) }
}

fn deploy(resource: &Resource, object: &LiveObject) -> Step {
    // A PATCH before it may have renamed it.
    let name = resource.key.name.to_string();
    let precondition = Precondition { name, ..precondition(object, BTreeMap::new()) };
    Step::Deploy { id: object.id.clone(), precondition }
}

fn patch(draft: &ChangeDraft<'_>, resource: &Resource, object: &LiveObject) -> Step {
    let mut fields = BTreeMap::new();
    let mut shown = BTreeMap::new();
    for field in draft.change.fields.iter().filter(|field| is_written_now(field)) {
        let value = match field.action {
            FieldAction::Remove | FieldAction::Leave => None,
            FieldAction::Add | FieldAction::Change => declared(resource, &field.path),
        };
        fields.insert(field.path.clone(), value);
        shown.insert(field.path.clone(), seen(object, &field.path, field.sensitive));
    }
    let mut precondition = precondition(object, shown);
    if let Some(name) = &draft.called {
        precondition.name = name.to_string();
    }
    Step::Patch { id: object.id.clone(), fields, precondition }
}

fn declared(resource: &Resource, path: &FieldPath) -> Option<FieldValue> {
    if *path == FieldPath::Setting(Setting::Name) {
        return Some(FieldValue::Text(resource.key.name.to_string()));
    }
    resource.fields.get(path).map(|field| field.value.clone())
}

/// What is shown of a field; of a sensitive one only that there is something (S9).
fn seen(object: &LiveObject, path: &FieldPath, sensitive: bool) -> Option<LiveValue> {
    match object.shows(path) {
        Some(LiveValue::Shown(_)) if sensitive => Some(LiveValue::Hidden),
        other => other.cloned(),
    }
}

fn precondition(
    object: &LiveObject,
    fields: BTreeMap<FieldPath, Option<LiveValue>>,
) -> Precondition {
    Precondition { name: object.name.clone(), created_at: object.created_at.clone(), fields }
}

impl Precondition {
    /// Returns what moved since the plan was shown; nothing when the write may go on (S10).
    ///
    /// A list and a GET by id need not show the same fields (A3): what only one of them speaks of
    /// is no difference. A field that was hidden may show any value but none.
    #[must_use]
    pub fn broken_by(&self, object: &LiveObject) -> Option<String> {
        let Self { name, created_at, fields } = self;
        if object.name != *name {
            return Some(format!("its name is `{}` now, not `{name}`", object.name));
        }
        let is_other = match (created_at, &object.created_at) {
            (Some(then), Some(now)) if !is_same_moment(then, now) => {
                Some("its id means an object created at another time now")
            }
            (Some(_), None) => Some("its creation time is no longer shown"),
            // What the list left out proves nothing; a delete needs more than this (S1).
            (Some(_), Some(_)) | (None, _) => None,
        };
        if let Some(reason) = is_other {
            return Some(reason.to_owned());
        }
        let moved = fields.iter().find(|(path, then)| {
            let now = object.shows(path);
            match (then, now) {
                (None, _)
                | (Some(_), None)
                | (Some(LiveValue::Hidden), Some(LiveValue::Shown(_) | LiveValue::Hidden))
                | (Some(LiveValue::Shown(_)), Some(LiveValue::Hidden))
                | (Some(LiveValue::Absent), Some(LiveValue::Absent)) => false,
                (Some(LiveValue::Shown(then)), Some(LiveValue::Shown(now))) => {
                    !is_same(object.kind, path, then, now)
                }
                (Some(LiveValue::Absent), Some(LiveValue::Shown(_) | LiveValue::Hidden))
                | (Some(LiveValue::Shown(_) | LiveValue::Hidden), Some(LiveValue::Absent)) => true,
            }
        });
        moved.map(|(path, _)| format!("`{path}` has changed since the plan was made"))
    }

    /// The same after a try of ours whose answer was lost: what is written may also be as we wrote
    /// it, as far as anybody can see.
    #[must_use]
    pub fn broken_after_a_try(
        &self,
        written: &BTreeMap<FieldPath, Option<FieldValue>>,
        object: &LiveObject,
    ) -> Option<String> {
        let may_be_ours = |path: &FieldPath| {
            written.get(path).is_some_and(|wanted| {
                let is_hidden = matches!(object.shows(path), Some(LiveValue::Hidden));
                (is_hidden && wanted.is_some()) || shows_as(object, path, wanted.as_ref())
            })
        };
        let mut open = self.clone();
        open.fields.retain(|path, _| !may_be_ours(path));
        if may_be_ours(&FieldPath::Setting(Setting::Name)) {
            open.name.clone_from(&object.name);
        }
        open.broken_by(object)
    }

    /// Returns what is still to be written after a try of ours whose answer was lost: not what shows
    /// as it was written.
    #[must_use]
    pub fn left_after_a_try(
        &self,
        written: &BTreeMap<FieldPath, Option<FieldValue>>,
        object: &LiveObject,
    ) -> BTreeMap<FieldPath, Option<FieldValue>> {
        let mut left = written.clone();
        left.retain(|path, wanted| !shows_as(object, path, wanted.as_ref()));
        left
    }

    /// Returns what is still to be written: not what nobody saw when the plan was made, and is as it
    /// is to be (S10).
    #[must_use]
    pub fn left_of(
        &self,
        written: &BTreeMap<FieldPath, Option<FieldValue>>,
        object: &LiveObject,
    ) -> BTreeMap<FieldPath, Option<FieldValue>> {
        let mut left = written.clone();
        left.retain(|path, wanted| {
            let was_unseen = matches!(self.fields.get(path), Some(None | Some(LiveValue::Hidden)));
            !(was_unseen && shows_as(object, path, wanted.as_ref()))
        });
        left
    }
}
