//! A create whose answer was lost: what lives of it, and whose that is (S3).

use jiff::Timestamp;

use crate::model::{Claim, Intent, Key, LiveObject, RemoteId};

use super::answer::settled_at;
use super::standing::{Found, Standing, Unclear, ambiguous, taken};
use super::stranger::{strangers, whose};
use super::view::View;
use super::{Action, Blocked, BlockedReason, Policy, Reason};

/// After an ambiguous create: once it has settled, the single match is presumed to be its result
/// (S3). Not before: what is seen may be somebody else's, and ours may come beside it (L4).
pub(super) fn wanted<'a>(
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

/// A create whose answer was lost and that nobody wants any more: what it made must not become a
/// hidden orphan (L4).
pub(super) fn unwanted<'a>(
    view: &View<'a>,
    policy: &Policy,
    key: &Key,
    intent: &'a Intent,
) -> Standing<'a> {
    let in_flight = in_flight(view.snapshot.now, policy, intent);
    let mut id = None;
    let blocked = match (view.named(key), in_flight) {
        _ if !view.is_complete(key.kind) => view.incomplete(key.kind),
        (several @ [_, _, ..], _) => {
            let ids: Vec<&str> = several.iter().map(|object| object.id.as_str()).collect();
            one_of(
                key,
                format!("a create without an answer may have created any of {}", ids.join(", ")),
            )
        }
        (_, Some(blocked)) => blocked,
        ([], None) => match whose_is_it(view, policy, key, intent) {
            Some((blocked, stranger)) => {
                id = stranger;
                blocked
            }
            None => return Standing::Gone(None),
        },
        ([object], None) => match view.owner(key.kind, &object.id) {
            None => {
                return Standing::Found(Found {
                    object,
                    claim: Claim::Presumed,
                    intent: Some(intent),
                    renamed_from: None,
                });
            }
            Some(owner) => one_of(key, taken(object, owner)),
        },
    };
    Standing::Unclear(Unclear {
        action: Action::Adopt,
        reason: Reason::AnswerLost,
        entry: None,
        id,
        blocked,
    })
}

/// Asks whose that is what an unanswered create may have made under another name, where names are
/// not known to be kept (S3, A22); nothing when there is nothing of the kind.
fn whose_is_it(
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
fn in_flight(now: Timestamp, policy: &Policy, intent: &Intent) -> Option<Blocked> {
    let settled_at = settled_at(intent.started_at, policy.permissions.settle);
    (now < settled_at).then(|| Blocked {
        reason: BlockedReason::InFlight,
        message: format!(
            "a create was begun at {} and got no answer; it may be in progress until {settled_at}",
            intent.started_at
        ),
        hint: None,
    })
}

fn one_of(key: &Key, message: String) -> Blocked {
    let hint = format!(
        "`stoker adopt {key}=ID` selects its own, `stoker release {key}` says that none is"
    );
    Blocked { reason: BlockedReason::AmbiguousName, message, hint: Some(hint) }
}
