//! Whose is it: joins what is wanted, what lives and what we remember, by id first, then by name.
//!
//! A name gives the right to change a thing, never to delete it (S1). Whether fields differ, and
//! whether something stands in the way, is asked later.

use crate::model::{Claim, Entry, Key, LiveObject, Resource};

use super::departing;
use super::selection::Selected;
use super::standing::{Claimed, Found, Ours, Standing, Unclear, ambiguous, taken, unclear};
use super::view::{View, Whereabouts};
use super::{Action, Blocked, BlockedReason, Policy, Reason, succession, unanswered};

pub(super) fn claim<'a>(view: &View<'a>, policy: &Policy) -> Vec<Claimed<'a>> {
    let selected = Selected::by(view.desired(), policy);
    let mut claims =
        if policy.request.destroy { Vec::new() } else { declared(view, policy, &selected) };
    let leaving = departing::claim(view, &claims, policy, &selected);
    claims.extend(leaving);
    claims
}

fn declared<'a>(view: &View<'a>, policy: &Policy, selected: &Selected<'_>) -> Vec<Claimed<'a>> {
    let resources = view.desired().resources.values();
    let wanted = resources.filter(|resource| selected.holds(&resource.key));
    let claim = |resource: &'a Resource| {
        let key = &resource.key;
        let intent = view.inventory().intents.get(key);
        match intent.filter(|_| view.exchanges.begun.contains(key)) {
            Some(intent) => {
                let standing = unanswered::unwanted(view, policy, key, intent);
                Claimed { key, desired: None, standing }
            }
            None => {
                let standing = stand(view, policy, resource);
                Claimed { key, desired: Some(resource), standing }
            }
        }
    };
    wanted.map(claim).collect()
}

fn stand<'a>(view: &View<'a>, policy: &Policy, resource: &'a Resource) -> Standing<'a> {
    if let Some(moved) = succession::stand(view, policy, resource) {
        return moved;
    }
    let kind = resource.key.kind;
    let Some(entry) = view.inventory().entries.get(&resource.key) else {
        return unowned(view, policy, resource, Reason::Requested);
    };
    if let Some(owner) = view.owner(kind, &entry.id).filter(|it| **it != resource.key) {
        let message = format!("{} is in the state both as this and as {owner}", entry.id);
        let hint = format!("`stoker release {}` removes this entry", resource.key);
        return unclear(Some(entry), Some(&entry.id), message, hint);
    }
    match view.whereabouts(kind, entry) {
        Whereabouts::Lives(object) if object.is_going() => {
            going(Some(entry), object, Reason::Missing)
        }
        Whereabouts::Lives(object) => owned(view, resource, entry, object),
        Whereabouts::Other | Whereabouts::Gone => unowned(view, policy, resource, Reason::Missing),
        Whereabouts::Unknown => Standing::Unclear(Unclear {
            action: Action::Update,
            reason: Reason::Missing,
            entry: Some(entry),
            id: Some(entry.id.clone()),
            blocked: view.incomplete(kind),
        }),
    }
}

/// An object of ours under another name was renamed by hand; renaming it back is impossible while
/// something else has the name that is not to be given another one.
fn owned<'a>(
    view: &View<'a>,
    resource: &'a Resource,
    entry: &'a Entry,
    object: &'a LiveObject,
) -> Standing<'a> {
    let key = &resource.key;
    let is_renamed = !entry.is_called(key, &object.name);
    let is_awaited = view.yet_to_move(key).is_some();
    if is_renamed
        && !is_awaited
        && let Some(other) = view.named(key).first()
    {
        let message = format!(
            "it was renamed to `{}` on the platform, and {} has its name now",
            object.name, other.id
        );
        return ambiguous(Some(entry), Some(&object.id), message);
    }
    Standing::Ours(Ours { entry, object, renamed_from: None })
}

/// What to do with a declared name for which we own nothing that lives.
fn unowned<'a>(
    view: &View<'a>,
    policy: &Policy,
    resource: &'a Resource,
    absent: Reason,
) -> Standing<'a> {
    let key = &resource.key;
    if !view.is_complete(key.kind) {
        return Standing::Unclear(Unclear {
            action: Action::Create,
            reason: absent,
            entry: None,
            id: None,
            blocked: view.incomplete(key.kind),
        });
    }
    let object = match view.named(key) {
        [] => None,
        [object] => Some(*object),
        several => {
            return namesakes(key, several);
        }
    };
    if let Some(object) = object.filter(|object| object.is_going()) {
        return going(None, object, absent);
    }
    if let Some(intent) = view.inventory().intents.get(key) {
        return unanswered::wanted(view, policy, key, intent, object, absent);
    }
    match (object, former(view, resource)) {
        (None, None) => Standing::Absent(absent),
        (None, Some(former)) => former,
        (Some(object), former) => named(view, resource, object, former),
    }
}

/// Several have the name, and none is ours. Two of one name are made by two who keep one project
/// and do not share their state (A23): people must hear of that before either goes on.
fn namesakes<'a>(key: &Key, several: &[&LiveObject]) -> Standing<'a> {
    let ids: Vec<&str> = several.iter().map(|object| object.id.as_str()).collect();
    let message = format!("{} live objects have the name: {}", ids.len(), ids.join(", "));
    let hint = format!(
        "`stoker adopt {key}=ID` selects one; does another Stoker manage this project with its own \
         state?"
    );
    unclear(None, None, message, hint)
}

/// What is being deleted has its name until it is gone: neither taken over nor made beside it (A7).
fn going<'a>(entry: Option<&'a Entry>, object: &'a LiveObject, absent: Reason) -> Standing<'a> {
    let blocked = Blocked {
        reason: BlockedReason::InFlight,
        message: format!("{} has the name and is being deleted", object.id),
        hint: None,
    };
    let id = Some(object.id.clone());
    Standing::Unclear(Unclear { action: Action::Create, reason: absent, entry, id, blocked })
}

/// One object has the declared name, and no entry of that key.
fn named<'a>(
    view: &View<'a>,
    resource: &'a Resource,
    object: &'a LiveObject,
    former: Option<Standing<'a>>,
) -> Standing<'a> {
    let key = &resource.key;
    let owner = view.owner(key.kind, &object.id).filter(|owner| *owner != key);
    match owner {
        // The rename was carried out, but not remembered: a crash between the two (L3).
        Some(owner) if resource.previous_names.contains(&owner.name) => {
            let entry = view.inventory().entries.get(owner);
            if let Some(entry) = entry.filter(|_| !view.desired().resources.contains_key(owner)) {
                return Standing::Ours(Ours { entry, object, renamed_from: Some(owner.clone()) });
            }
        }
        Some(owner) if view.desired().resources.contains_key(owner) => {
            return ambiguous(None, Some(&object.id), taken(object, owner));
        }
        Some(_) | None => {}
    }
    if former.is_some() {
        let message = "it exists both under its name and under a previous one".to_owned();
        return ambiguous(None, Some(&object.id), message);
    }
    Standing::Found(Found { object, claim: Claim::Named, intent: None, renamed_from: None })
}

/// Finds what lives under a previous name that nobody else declares, newest name first.
fn former<'a>(view: &View<'a>, resource: &'a Resource) -> Option<Standing<'a>> {
    let keys = resource.previous_names.iter().map(|name| Key::new(resource.key.kind, name.clone()));
    keys.filter(|old| !view.desired().resources.contains_key(old))
        .find_map(|old| under_former(view, resource, old))
}

fn under_former<'a>(view: &View<'a>, resource: &'a Resource, old: Key) -> Option<Standing<'a>> {
    let is_rival = |other: &&Resource| {
        other.key != resource.key
            && other.key.kind == old.kind
            && other.previous_names.contains(&old.name)
    };
    let entry = view.inventory().entries.get(&old);
    let owned = entry.map(|entry| (entry, view.whereabouts(old.kind, entry)));
    let standing = match (owned, view.named(&old)) {
        (Some((entry, Whereabouts::Lives(object))), _) => {
            Standing::Ours(Ours { entry, object, renamed_from: Some(old.clone()) })
        }
        (Some((entry, Whereabouts::Unknown)), _) => Standing::Unclear(Unclear {
            action: Action::Update,
            reason: Reason::Requested,
            entry: None,
            id: Some(entry.id.clone()),
            blocked: view.incomplete(old.kind),
        }),
        (Some((_, Whereabouts::Gone | Whereabouts::Other)) | None, []) => return None,
        // Somebody gave a previous name to what is ours under another one: it stays that one's.
        (_, [object]) if view.owner(old.kind, &object.id).is_some() => return None,
        (Some((_, Whereabouts::Gone | Whereabouts::Other)) | None, [object]) => {
            Standing::Found(Found {
                object,
                claim: Claim::Named,
                intent: None,
                renamed_from: Some(old.clone()),
            })
        }
        (Some((_, Whereabouts::Gone | Whereabouts::Other)) | None, several) => {
            let message =
                format!("{} live objects have its previous name `{}`", several.len(), old.name);
            return Some(ambiguous(None, None, message));
        }
    };
    if let Some(rival) = view.desired().resources.values().find(is_rival) {
        let message = format!("{} names the same previous name `{}`", rival.key, old.name);
        return Some(ambiguous(None, None, message));
    }
    Some(standing)
}
