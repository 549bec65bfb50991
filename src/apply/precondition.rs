//! Is it still what was shown? Read by id right before each PATCH and DELETE (S1, S10).

use crate::api::{Lookup, Reader};
use crate::model::{FieldPath, Kind, LiveObject, LiveValue, RemoteId, canonical};
use crate::plan::Precondition;

/// What the look before a write says.
pub(super) enum Look {
    /// It is what was shown.
    Same(Box<LiveObject>),
    /// It is proven to be gone.
    Gone,
    /// It is another, or changed: the write must not be done.
    Stale(String),
    /// It could not be read.
    Unread(String),
}

/// Looks whether an object is the one that was shown, and its fields are as they were shown.
pub(super) async fn look(
    reader: &Reader,
    kind: Kind,
    id: &RemoteId,
    precondition: &Precondition,
) -> Look {
    let object = match reader.get(kind, id).await {
        Ok(Lookup::Found(object)) => object,
        Ok(Lookup::Gone) => return Look::Gone,
        Err(error) => return Look::Unread(error.to_string()),
    };
    let Precondition {
        name,
        created_at,
        fields,
    } = precondition;
    if object.name != *name {
        return Look::Stale(format!("it is named `{}` now", object.name));
    }
    // A list that leaves the time out proves nothing; two that show it must agree.
    if let (Some(shown), Some(now)) = (created_at, &object.created_at)
        && shown != now
    {
        return Look::Stale(format!("it was created at {now}, not at {shown}"));
    }
    let moved = fields
        .iter()
        .find(|(path, shown)| has_moved(&object, path, shown.as_ref()));
    match moved {
        Some((path, _)) => Look::Stale(format!("{path} changed since the plan was made")),
        None => Look::Same(object),
    }
}

/// Whether a field shows something else than was shown. What only one of the two looks shows is
/// no difference: lists and details do not show the same fields.
fn has_moved(object: &LiveObject, path: &FieldPath, shown: Option<&LiveValue>) -> bool {
    match (shown, object.shows(path)) {
        (Some(LiveValue::Shown(before)), Some(LiveValue::Shown(now))) => {
            canonical(object.kind, path, before) != canonical(object.kind, path, now)
        }
        (Some(LiveValue::Absent), Some(now)) => *now != LiveValue::Absent,
        (Some(LiveValue::Shown(_) | LiveValue::Hidden), Some(LiveValue::Absent)) => true,
        (None, _)
        | (_, None)
        | (Some(LiveValue::Hidden), Some(LiveValue::Shown(_) | LiveValue::Hidden))
        | (Some(LiveValue::Shown(_)), Some(LiveValue::Hidden)) => false,
    }
}
