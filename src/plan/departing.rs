//! What may have to go: entries no manifest declares, tombstones, and creates nobody waits for.
//!
//! It only finds candidates. Whether one may be deleted is decided in `prune`.

use std::collections::BTreeSet;

use crate::model::{Entry, Key, Kind, RemoteId};

use super::selection::Selected;
use super::standing::{Claimed, Standing, Unclear};
use super::view::{View, Whereabouts};
use super::{Action, Blocked, BlockedReason, Policy, Reason, unanswered};

pub(super) fn claim<'a>(
    view: &View<'a>,
    staying: &[Claimed<'a>],
    policy: &Policy,
    selected: &Selected<'_>,
) -> Vec<Claimed<'a>> {
    let kept = Kept::by(staying);
    let is_leaving = |key: &Key| {
        selected.holds(key)
            && (policy.request.destroy || !view.desired().resources.contains_key(key))
            && !kept.keys.contains(key)
    };
    let entries = &view.inventory().entries;
    let owned = entries.iter().map(|(key, entry)| Claimed {
        key,
        desired: view.desired().resources.get(key),
        standing: unwanted(view, policy, &kept, key, entry),
    });
    let foreign = view.desired().tombstones.keys();
    let foreign =
        foreign.filter(|key| !entries.contains_key(*key)).filter_map(|key| not_owned(view, key));
    let intents = view.inventory().intents.iter();
    let unanswered = intents.filter(|(key, _)| !entries.contains_key(*key)).map(|(key, intent)| {
        Claimed { key, desired: None, standing: unanswered::unwanted(view, policy, key, intent) }
    });
    let mut leaving: Vec<Claimed<'a>> = owned.chain(unanswered).collect();
    let known: BTreeSet<&Key> = leaving.iter().map(|claimed| claimed.key).collect();
    leaving.extend(foreign.filter(|claimed| !known.contains(claimed.key)));
    leaving.retain(|claimed| is_leaving(claimed.key));
    leaving
}

/// What the declared resources hold on to: nothing of it may go under another key.
struct Kept<'a> {
    ids: BTreeSet<(Kind, &'a RemoteId)>,
    keys: BTreeSet<Key>,
}

impl<'a> Kept<'a> {
    fn by(staying: &[Claimed<'a>]) -> Self {
        let mut kept = Self { ids: BTreeSet::new(), keys: BTreeSet::new() };
        for claimed in staying {
            let (object, renamed_from) = match &claimed.standing {
                Standing::Ours(ours) => (ours.object, &ours.renamed_from),
                Standing::Found(found) => (found.object, &found.renamed_from),
                Standing::Unclear(_) => {
                    // It may be one of its previous names: these stay until that is clear.
                    let names = claimed.desired.iter().flat_map(|it| &it.previous_names);
                    let keys = names.map(|name| Key::new(claimed.key.kind, name.clone()));
                    kept.keys.extend(keys);
                    continue;
                }
                Standing::Absent(_) | Standing::Unwanted { .. } | Standing::Gone(_) => continue,
            };
            kept.ids.insert((claimed.key.kind, &object.id));
            kept.keys.extend(renamed_from.clone());
        }
        kept
    }
}

fn unwanted<'a>(
    view: &View<'a>,
    policy: &Policy,
    kept: &Kept<'a>,
    key: &Key,
    entry: &'a Entry,
) -> Standing<'a> {
    let reason = if policy.request.destroy {
        Reason::Destroy
    } else if view.desired().tombstones.contains_key(key) {
        Reason::Tombstone
    } else {
        Reason::NotInDesired
    };
    let is_leftover = view.owner(key.kind, &entry.id) != Some(key);
    // It may have been made anew before nobody wanted it any more: then that create is what is left
    // of it, and forgetting both would hide what it made (L4).
    let gone = || match view.inventory().intents.get(key) {
        Some(intent) => unanswered::unwanted(view, policy, key, intent),
        None => Standing::Gone(Some(entry.id.clone())),
    };
    if is_leftover || kept.ids.contains(&(key.kind, &entry.id)) {
        return gone();
    }
    let blocked = match view.whereabouts(key.kind, entry) {
        Whereabouts::Gone => return gone(),
        Whereabouts::Unknown => view.incomplete(key.kind),
        Whereabouts::Lives(object) if entry.goes_by(key, &object.name) => {
            return Standing::Unwanted { entry, object, reason };
        }
        Whereabouts::Lives(object) => Blocked {
            reason: BlockedReason::NotOwned,
            message: format!("it was renamed to `{}` on the platform", object.name),
            hint: Some(format!(
                "`stoker release {key}` gives it up, `stoker adopt {key}={}` confirms that it is \
                 this one nevertheless",
                object.id
            )),
        },
        Whereabouts::Other => Blocked {
            reason: BlockedReason::NotOwned,
            message: format!("{} was created at a different time than ours", entry.id),
            hint: Some(format!("`stoker release {key}` gives it up")),
        },
    };
    Standing::Unclear(Unclear {
        action: Action::Delete,
        reason,
        entry: Some(entry),
        id: Some(entry.id.clone()),
        blocked,
    })
}

/// A tombstone for what is not ours; nothing at all when nothing has the name.
fn not_owned<'a>(view: &View<'a>, key: &'a Key) -> Option<Claimed<'a>> {
    let blocked = if view.is_absent(key) {
        return None;
    } else if view.named(key).is_empty() {
        view.incomplete(key.kind)
    } else {
        Blocked {
            reason: BlockedReason::NotOwned,
            message: "not owned: it was created outside Stoker".to_owned(),
            hint: Some(match view.named(key) {
                [] | [_] => format!("`stoker adopt {key}` gives the right to delete it"),
                [_, _, ..] => {
                    format!("`stoker adopt {key}=ID` gives the right to delete one of them")
                }
            }),
        }
    };
    let id = match view.named(key) {
        [object] => Some(object.id.clone()),
        [] | [_, ..] => None,
    };
    Some(Claimed {
        key,
        desired: None,
        standing: Standing::Unclear(Unclear {
            action: Action::Delete,
            reason: Reason::Tombstone,
            entry: None,
            id,
            blocked,
        }),
    })
}
