//! What a create may have made under another name, on a platform that is not known to keep names (A22).
//!
//! Nothing tells such a thing from somebody else's, so nothing is decided here: a person is asked.
//! As long as nobody has answered, the create is not sent again (S3) and its intent stays (L4).

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::model::{Intent, Inventory, Key, Kind, Listing, LiveObject, RemoteId, moment};

use super::{Blocked, BlockedReason};

/// What is older than its create by more than this was not made by it, whatever the two clocks say.
///
/// It only spares a question about what was ours and released since; who lived beside is known by id.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(24);

/// How many are named to whoever is asked.
const NAMED_MAX: usize = 3;

/// Returns what lives of a kind and is not ours: a create that is about to leave makes none of it.
#[must_use]
pub fn bystanders(kind: Kind, listing: &Listing, inventory: &Inventory) -> BTreeSet<RemoteId> {
    let ours = ours(kind, inventory);
    let others = listing.objects.iter().filter(|object| !ours.contains(&object.id));
    others.map(|object| object.id.clone()).collect()
}

/// Returns what an unanswered create may have made under another name: all that nobody knows, and
/// that did not live before it.
///
/// What has the name of another open create belongs to that one.
pub(super) fn strangers<'a>(
    listing: &'a Listing,
    key: &Key,
    intent: &Intent,
    inventory: &Inventory,
) -> Vec<&'a LiveObject> {
    let ours = ours(key.kind, inventory);
    let sought: BTreeSet<&str> = inventory
        .intents
        .keys()
        .filter(|other| *other != key && other.kind == key.kind)
        .map(|other| other.name.as_str())
        .collect();
    let is_stranger = |object: &&LiveObject| {
        !object.is_going()
            && !ours.contains(&object.id)
            && !intent.bystanders.contains(&object.id)
            && !sought.contains(object.name.as_str())
            && !is_older(object, intent)
    };
    let mut strangers: Vec<&LiveObject> = listing.objects.iter().filter(is_stranger).collect();
    strangers.sort_by_key(|object| &object.id);
    strangers
}

fn ours(kind: Kind, inventory: &Inventory) -> BTreeSet<&RemoteId> {
    let entries = inventory.entries.iter().filter(|(key, _)| key.kind == kind);
    entries.map(|(_, entry)| &entry.id).collect()
}

fn is_older(object: &LiveObject, intent: &Intent) -> bool {
    let created_at = object.created_at.as_deref().and_then(moment);
    created_at.is_some_and(|time| intent.started_at.duration_since(time) > CLOCKS_APART)
}

/// Asks a person whose these are, with the two commands that answer (S3).
#[must_use]
pub fn whose(key: &Key, intent: &Intent, strangers: &[&LiveObject]) -> Blocked {
    let named = strangers.iter().take(NAMED_MAX).map(|object| {
        let created = object.created_at.as_deref().unwrap_or("at an unknown time");
        format!("{} `{}` (created {created})", object.id, object.name)
    });
    let mut named = named.collect::<Vec<_>>().join(", ");
    if let Some(more) = strangers.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        named += &format!(" and {more} more");
    }
    let (are, id) = match strangers {
        [only] => ("was not there before, and is", only.id.as_str()),
        [] | [_, _, ..] => ("were not there before, and one may be", "ID"),
    };
    Blocked {
        reason: BlockedReason::PerhapsOurs,
        message: format!(
            "its create of {} was never answered and nothing has its name; {named} {are} perhaps \
             its result under another name",
            intent.started_at
        ),
        hint: Some(format!(
            "`stoker adopt {key}={id}` confirms that it is; `stoker release {key}` says that none \
             is, and then it is created"
        )),
    }
}
