//! An update that only another service could have becomes a replacement, if a person said so.
//!
//! It is decided before the order: what is deleted first has no name to refer to.

use jiff::Timestamp;

use crate::model::{Effect, FieldPath, Kind, Setting};

use super::birth::created;
use super::draft::ChangeDraft;
use super::guard::unchangeable;
use super::{Action, FieldAction, FieldReason, Policy, Record};

/// Turns an update that only another service could have into a replacement, if a person approved
/// the deletion of that very object (S8). Never for a database: its data would go.
pub(super) fn promote(draft: &mut ChangeDraft<'_>, policy: &Policy, now: Timestamp) {
    let change = &mut draft.change;
    let Some(resource) = draft.desired else {
        return;
    };
    let is_approved =
        change.id.is_some() && policy.request.replace.get(&change.key) == change.id.as_ref();
    let is_ours = change.adopts.is_none() && change.blocked.is_none();
    let is_service = match change.key.kind {
        Kind::Service => true,
        Kind::Database | Kind::EnvGroup => false,
    };
    let needs_another = !unchangeable(change).is_empty() || !draft.shrinks.is_empty();
    if is_service && is_approved && is_ours && needs_another && change.action == Action::Update {
        change.action = Action::Replace;
        change.effect = Effect::Destroy;
        let renamed_from = change.record.take().and_then(|record| record.renamed_from);
        change.record = Some(Record { renamed_from, ..created(resource, now) });
        // A new service is given every declared value and no other, so nothing is left out any more,
        // and there is nothing left to settle.
        for field in change.fields.iter_mut().filter(|it| it.action == FieldAction::Leave) {
            let is_name = field.path == FieldPath::Setting(Setting::Name);
            let is_given = is_name || resource.fields.contains_key(&field.path);
            field.action = if is_given { FieldAction::Change } else { FieldAction::Remove };
            field.reason = FieldReason::Requested;
            field.hint = None;
        }
    }
}
