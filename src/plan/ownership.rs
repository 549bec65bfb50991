//! Whose is it: joins what is wanted, what lives and what we remember, by id first, then by name.
//!
//! A name gives the right to change a thing, never to delete it (S1). Whether fields differ, and
//! whether something stands in the way, is asked later.

use jiff::Timestamp;

use crate::model::{Claim, Entry, Intent, Key, LiveObject, RemoteId, Resource};

use super::answer::settled_at;
use super::departing;
use super::selection::Selected;
use super::stranger::{strangers, whose};
use super::view::{View, Whereabouts};
use super::{Action, Blocked, BlockedReason, Policy, Reason, succession};

/// One resource, and how things stand with it.
pub(super) struct Claimed<'a> {
    pub key: &'a Key,
    pub desired: Option<&'a Resource>,
    pub standing: Standing<'a>,
}

/// How things stand with one resource.
pub(super) enum Standing<'a> {
    /// Wanted, and proven not to live.
    Absent(Reason),
    /// Wanted, and ours already.
    Ours(Ours<'a>),
    /// Wanted, and lives without being ours yet.
    Found(Found<'a>),
    /// Nobody can tell what is to be done.
    Unclear(Unclear<'a>),
    /// Ours, and to go.
    Unwanted { entry: &'a Entry, object: &'a LiveObject, reason: Reason },
    /// Remembered, and there is nothing left to remember.
    Gone(Option<RemoteId>),
}

/// An object of ours that is wanted.
pub(super) struct Ours<'a> {
    pub entry: &'a Entry,
    pub object: &'a LiveObject,
    pub renamed_from: Option<Key>,
}

/// An object that becomes ours.
pub(super) struct Found<'a> {
    pub object: &'a LiveObject,
    pub claim: Claim,
    pub intent: Option<&'a Intent>,
    pub renamed_from: Option<Key>,
}

/// What cannot be decided from what was read.
pub(super) struct Unclear<'a> {
    pub action: Action,
    pub reason: Reason,
    pub entry: Option<&'a Entry>,
    pub id: Option<RemoteId>,
    pub blocked: Blocked,
}

pub(super) fn claim<'a>(view: &View<'a>, policy: &Policy) -> Vec<Claimed<'a>> {
    let selected = Selected::by(view.desired(), policy);
    let mut claims = if policy.destroy { Vec::new() } else { declared(view, policy, &selected) };
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
                let standing = departing::unanswered(view, policy, key, intent);
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
        let message = format!("{} is remembered both as this and as {owner}", entry.id);
        let hint = format!("`stoker release {}` forgets it as this", resource.key);
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
        return answer_lost(view, policy, key, intent, object, absent);
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
        "`stoker adopt {key}=ID` says which is meant; does another Stoker keep this project with a \
         state of its own?"
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

/// After an ambiguous create: once it has settled, the single match is presumed to be its result
/// (S3). Not before: what is seen may be somebody else's, and ours may come beside it (L4).
pub(super) fn answer_lost<'a>(
    view: &View<'a>,
    policy: &Policy,
    key: &Key,
    intent: &'a Intent,
    object: Option<&'a LiveObject>,
    absent: Reason,
) -> Standing<'a> {
    if let Some(blocked) = in_flight(view.snapshot.now, policy, intent) {
        return Standing::Unclear(Unclear {
            action: Action::Create,
            reason: Reason::AnswerLost,
            entry: None,
            id: None,
            blocked,
        });
    }
    let Some(object) = object else {
        let Some((blocked, id)) = whose_is_it(view, policy, key, intent) else {
            return Standing::Absent(absent);
        };
        return Standing::Unclear(Unclear {
            action: Action::Create,
            reason: Reason::AnswerLost,
            entry: None,
            id,
            blocked,
        });
    };
    let owner = view.owner(key.kind, &object.id);
    if let Some(owner) = owner.filter(|owner| *owner != key) {
        return ambiguous(None, Some(&object.id), taken(object, owner));
    }
    Standing::Found(Found {
        object,
        claim: Claim::Presumed,
        intent: Some(intent),
        renamed_from: None,
    })
}

/// Asks whose that is what an unanswered create may have made under another name, where names are
/// not known to be kept (S3, A22); nothing when there is nothing of the kind.
pub(super) fn whose_is_it(
    view: &View<'_>,
    policy: &Policy,
    key: &Key,
    intent: &Intent,
) -> Option<(Blocked, Option<RemoteId>)> {
    if policy.platform.keeps_names {
        return None;
    }
    let listing = view.snapshot.live.listing(key.kind);
    let strangers = strangers(listing, key, intent, view.inventory());
    let id = match strangers.as_slice() {
        [] => return None,
        [only] => Some(only.id.clone()),
        [_, _, ..] => None,
    };
    Some((whose(key, intent, &strangers), id))
}

/// Returns what stands in the way while an unanswered create may still be under way (S3).
pub(super) fn in_flight(now: Timestamp, policy: &Policy, intent: &Intent) -> Option<Blocked> {
    let settled_at = settled_at(intent.started_at, policy.settle);
    (now < settled_at).then(|| Blocked {
        reason: BlockedReason::InFlight,
        message: format!(
            "a create was begun at {} and never answered; it may be under way until {settled_at}",
            intent.started_at
        ),
        hint: None,
    })
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
        let message = "it lives both under its name and under a previous one".to_owned();
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

/// Another one of ours has the name.
pub(super) fn taken(object: &LiveObject, owner: &Key) -> String {
    format!("{} has the name now, and it is {owner}", object.id)
}

pub(super) fn ambiguous<'a>(
    entry: Option<&'a Entry>,
    id: Option<&RemoteId>,
    message: String,
) -> Standing<'a> {
    unclear(entry, id, message, "rename or delete what is not meant, on the platform".to_owned())
}

pub(super) fn unclear<'a>(
    entry: Option<&'a Entry>,
    id: Option<&RemoteId>,
    message: String,
    hint: String,
) -> Standing<'a> {
    Standing::Unclear(Unclear {
        action: Action::Update,
        reason: Reason::Requested,
        entry,
        id: id.cloned(),
        blocked: Blocked { reason: BlockedReason::AmbiguousName, message, hint: Some(hint) },
    })
}
