//! Who outside the manifests takes the address of a database that would be pruned.
//!
//! What no manifest declares is nobody's to break. A reference shows, an address in a value shows,
//! and a value that is not shown may hold one: what is not seen is not absent (S2).

use std::collections::BTreeSet;

use crate::model::{
    FieldPath, FieldValue, Key, Kind, LiveObject, LiveValue, Name, RemoteId, Unknown,
};

use super::draft::ChangeDraft;
use super::prune;
use super::view::View;
use super::{Action, Blocked, BlockedReason};

/// How many services outside the manifests are read in detail to find out. Of more a person knows
/// better, and approves the one database.
const DETAILS_MAX: usize = 50;

/// The shortest text that names an object for certain: an id, or an address with one in it.
const ADDRESS_CHARS_MIN: usize = 6;

/// What an object outside the manifests has to do with a database.
enum Use {
    /// It takes its address.
    Takes,
    /// It may: so many of its values are not shown.
    May(usize),
    /// Its details were not read, and why.
    Unread(String),
    /// They are still to be read.
    Unasked,
}

/// Returns why a database may not be pruned that others take, or may take; nothing when nobody does,
/// or when a person approved this very one.
pub(super) fn obstacle(
    draft: &mut ChangeDraft<'_>,
    view: &View<'_>,
    outsiders: &[&LiveObject],
) -> Option<Blocked> {
    let key = draft.change.key.clone();
    let object = draft.object?;
    let is_database = match key.kind {
        Kind::Database => true,
        Kind::EnvGroup | Kind::Service => false,
    };
    if !is_database || prune::is_approved_by_id(&key, object, view) {
        return None;
    }
    let others = outsiders.iter();
    let uses: Vec<(&LiveObject, Use)> =
        others.filter_map(|it| Some((*it, use_of(it, &key, object, view)?))).collect();
    let unasked = uses.iter().filter(|(_, it)| matches!(it, Use::Unasked)).count();
    let takes = uses.iter().find(|(_, it)| matches!(it, Use::Takes));
    let unclear = uses.iter().find(|(_, it)| matches!(it, Use::Unasked));
    let (other, use_) = takes.or(unclear).or(uses.first())?;
    draft.is_in_doubt = unasked <= DETAILS_MAX && matches!(use_, Use::Unasked);
    let who = format!("{}/{} ({})", other.kind, other.name, other.id);
    let how = match use_ {
        Use::Takes => "takes its address".to_owned(),
        Use::May(1) => "may take its address: 1 of its values is not shown".to_owned(),
        Use::May(count) => format!("may take its address: {count} of its values are not shown"),
        Use::Unread(why) => format!("may take its address: {why}"),
        Use::Unasked if unasked > DETAILS_MAX => {
            format!("may take its address, and {unasked} such services are too many to read")
        }
        Use::Unasked => "may take its address: its details were not read".to_owned(),
    };
    Some(Blocked {
        reason: BlockedReason::ApprovalMissing,
        message: format!("{who} is in no manifest and {how}"),
        hint: prune::approval_hint(&key, object, view),
    })
}

/// Returns what must be read in detail before the drafts can be decided.
pub(super) fn wanted(drafts: &[ChangeDraft<'_>], view: &View<'_>) -> BTreeSet<(Kind, RemoteId)> {
    if !drafts.iter().any(|draft| draft.is_in_doubt) {
        return BTreeSet::new();
    }
    let outsiders = outsiders(drafts, view).into_iter();
    let unread = outsiders.filter(|object| is_unasked(object, view));
    unread.map(|object| (object.kind, object.id.clone())).collect()
}

/// Returns what lives, can take an address, and is neither declared nor ours; nothing where no
/// database would go.
pub(super) fn outsiders<'a>(drafts: &[ChangeDraft<'_>], view: &View<'a>) -> Vec<&'a LiveObject> {
    let goes = |draft: &ChangeDraft<'_>| {
        draft.change.action == Action::Delete && draft.change.key.kind == Kind::Database
    };
    if !drafts.iter().any(goes) {
        return Vec::new();
    }
    let kinds = [Kind::EnvGroup, Kind::Service].into_iter();
    let objects = kinds.flat_map(|kind| &view.snapshot.live.listing(kind).objects);
    let is_outside = |object: &&LiveObject| {
        let key = Name::new(&object.name).ok().map(|name| Key::new(object.kind, name));
        let is_declared = key.is_some_and(|key| view.desired().resources.contains_key(&key));
        !object.is_going() && !is_declared && view.owner(object.kind, &object.id).is_none()
    };
    objects.filter(is_outside).collect()
}

fn is_unasked(object: &LiveObject, view: &View<'_>) -> bool {
    let id = (object.kind, object.id.clone());
    let has_details = match object.kind {
        Kind::Service | Kind::Database => true,
        Kind::EnvGroup => false,
    };
    has_details && !object.shows_env && !view.snapshot.live.unread.contains_key(&id)
}

fn use_of(object: &LiveObject, key: &Key, database: &LiveObject, view: &View<'_>) -> Option<Use> {
    let mut hidden = 0;
    for (path, value) in &object.fields {
        match (path, value) {
            (FieldPath::Env(_), LiveValue::Shown(value)) if names(value, key, database) => {
                return Some(Use::Takes);
            }
            (FieldPath::Env(_), LiveValue::Hidden) => hidden += 1,
            (FieldPath::Env(_), LiveValue::Shown(_) | LiveValue::Absent)
            | (FieldPath::Setting(_), _) => {}
        }
    }
    if hidden > 0 {
        return Some(Use::May(hidden));
    }
    if object.shows_env {
        return None;
    }
    if is_unasked(object, view) {
        return Some(Use::Unasked);
    }
    match view.snapshot.live.unread.get(&(object.kind, object.id.clone())) {
        Some(Unknown::Forbidden) => {
            Some(Use::Unread("the token may not read its details (403)".to_owned()))
        }
        Some(Unknown::Incomplete(why)) => Some(Use::Unread(why.clone())),
        Some(Unknown::Unread) => Some(Use::Unread("its details were not read".to_owned())),
        // A group that shows no variables at all.
        None => Some(Use::Unread("its variables are not shown".to_owned())),
    }
}

/// Whether a value is taken of a database, or holds its id or its address.
fn names(value: &FieldValue, key: &Key, database: &LiveObject) -> bool {
    let text = match value {
        FieldValue::Reference(reference) => return reference.target() == *key,
        FieldValue::Text(text) => text.as_str(),
        FieldValue::Secret(secret) => secret.expose(),
        FieldValue::Integer(_) | FieldValue::Boolean(_) | FieldValue::Set(_) => return false,
    };
    let marks = [Some(database.id.as_str()), database.url.as_deref()];
    let mut marks = marks.into_iter().flatten().filter(|mark| mark.len() >= ADDRESS_CHARS_MIN);
    marks.any(|mark| text.contains(mark))
}
