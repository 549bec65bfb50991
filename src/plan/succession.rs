//! A name that moves on: `api` becomes `api-v1`, and a new `api` takes its place, in one commit.
//!
//! What is ours under a declared name is another one's as soon as that one names it as its previous
//! name and has nothing of its own yet, in our memory or on the platform. Once the rename is
//! remembered it has, and the name stays where it is.

use std::collections::BTreeMap;

use crate::model::{Desired, Key, LiveObject, NAMES_MOVING_MAX, Resource};

use super::draft::ChangeDraft;
use super::standing::{Ours, Standing, Unclear, ambiguous, unclear};
use super::view::{View, Whereabouts};
use super::{Action, Policy, Reason, unanswered};

/// Returns the resources that name a declared one as their previous name, by that name.
pub(super) fn heirs(desired: &Desired) -> BTreeMap<Key, &Resource> {
    let resources = desired.resources.values();
    let claims = resources.flat_map(|resource| {
        let names = resource.previous_names.iter();
        names.map(move |name| (Key::new(resource.key.kind, name.clone()), resource))
    });
    claims.filter(|(old, heir)| *old != heir.key && desired.resources.contains_key(old)).collect()
}

/// Returns the names that stay where they are, though something names them as its previous ones: it
/// becomes of one thing, the first that lives, and the others keep their names.
pub(super) fn left_behind(view: &View<'_>) -> Vec<Key> {
    let lives = |key: &Key| {
        let entry = view.inventory().entries.get(key);
        entry.is_some_and(|it| matches!(view.whereabouts(key.kind, it), Whereabouts::Lives(_)))
    };
    let heirs = view.desired().resources.values().filter(|heir| heir.previous_names.len() > 1);
    let others = heirs.flat_map(|heir| {
        let names = heir.previous_names.iter();
        let keys = names.map(|name| Key::new(heir.key.kind, name.clone()));
        let is_its = |old: &Key| view.heirs.get(old).is_some_and(|it| it.key == heir.key);
        keys.filter(move |old| is_its(old) && lives(old)).skip(1)
    });
    others.collect()
}

impl<'a> View<'a> {
    /// Returns the resource that takes over what is ours under a declared key.
    pub fn successor(&self, key: &Key) -> Option<&'a Resource> {
        self.successor_within(key, NAMES_MOVING_MAX)
    }

    fn successor_within(&self, key: &Key, moves: usize) -> Option<&'a Resource> {
        if let Some(heir) = self.exchanges.moves.get(key) {
            return Some(heir);
        }
        let heir = self.heirs.get(key).filter(|heir| !self.exchanges.gives(&heir.key))?;
        let moves = moves.checked_sub(1)?;
        let entry = self.inventory().entries.get(key)?;
        let Whereabouts::Lives(object) = self.whereabouts(key.kind, entry) else {
            return None;
        };
        let own = self.inventory().entries.get(&heir.key);
        let moves_on = || self.successor_within(&heir.key, moves).is_some();
        let has_its_own =
            self.inventory().intents.contains_key(&heir.key) || own.is_some() && !moves_on();
        let mut namesakes = self.named(&heir.key).iter().filter(|it| it.id != object.id);
        let is_free = namesakes.all(|it| own.is_some_and(|own| own.id == it.id));
        (!object.is_going() && !has_its_own && is_free).then_some(heir)
    }
}

impl<'a> View<'a> {
    /// Returns whose that is what has a name only until it is given its own.
    pub fn yet_to_move(&self, key: &Key) -> Option<&'a Key> {
        let owners =
            self.named(key).iter().filter_map(|it| Some((self.owner(key.kind, &it.id)?, it)));
        let mut others = owners.filter(|(owner, _)| *owner != key);
        let entry = |owner: &Key| self.inventory().entries.get(owner);
        let owner =
            others.find(|(owner, it)| entry(owner).is_some_and(|own| own.is_interim(&it.name)));
        owner.map(|(owner, _)| owner)
    }
}

/// What lives under the older of two names, and nobody remembers whether it is that already or is yet
/// to become the newer.
struct Doubt<'v> {
    old: &'v Key,
    object: &'v LiveObject,
    heir: &'v Key,
}

impl View<'_> {
    /// Returns what is not known of the names that move on from this one, in a row.
    fn doubt(&self, old: &Key, moves: usize) -> Option<Doubt<'_>> {
        let (old, heir) = self.heirs.get_key_value(old)?;
        let moves = moves.checked_sub(1)?;
        let entries = &self.inventory().entries;
        let (is_known, heir) = (entries.contains_key(old), &heir.key);
        if is_known && self.successor(old).is_some() {
            return None;
        }
        let [object] = self.named(old) else {
            return None;
        };
        if object.is_going() {
            return None;
        }
        let (further, may_move) = if entries.contains_key(heir) {
            (None, self.successor(heir).is_some())
        } else {
            let further = self.doubt(heir, moves);
            let may_move = self.is_absent(heir) || further.is_some();
            (further, may_move)
        };
        let this = may_move.then_some(Doubt { old, object, heir });
        if is_known { further } else { this }
    }
}

/// How things stand with a resource that takes over what is ours under another declared name, or
/// whose own is taken over.
pub(super) fn stand<'a>(
    view: &View<'a>,
    policy: &Policy,
    resource: &'a Resource,
) -> Option<Standing<'a>> {
    let unclear = view.exchanges.unclear.get(&resource.key).map(|blocked| {
        let entry = view.inventory().entries.get(&resource.key);
        let (action, reason, blocked) = (Action::Update, Reason::Requested, blocked.clone());
        Standing::Unclear(Unclear { action, reason, entry, id: None, blocked })
    });
    unclear
        .or_else(|| inherited(view, resource))
        .or_else(|| unremembered(view, resource))
        .or_else(|| vacated(view, policy, resource))
}

/// Without a memory nobody knows whose that is what lives under the older of both names: what was,
/// or what is to be.
fn unremembered<'a>(view: &View<'a>, resource: &'a Resource) -> Option<Standing<'a>> {
    let as_heir = || {
        let names = resource.previous_names.iter();
        let mut keys = names.map(|name| Key::new(resource.key.kind, name.clone()));
        keys.find_map(|old| {
            let heir = view.heirs.get(&old)?;
            view.doubt(&old, NAMES_MOVING_MAX).filter(|_| heir.key == resource.key)
        })
    };
    let Doubt { old, object, heir } =
        view.doubt(&resource.key, NAMES_MOVING_MAX).or_else(as_heir)?;
    let message = format!(
        "{} is called {old}, and nothing records whether it is that or becomes {heir}",
        object.id
    );
    let hint = format!("`stoker adopt {old}={}` allows it to be renamed", object.id);
    let entry = view.inventory().entries.get(&resource.key);
    Some(unclear(entry, Some(&object.id), message, hint))
}

fn inherited<'a>(view: &View<'a>, resource: &'a Resource) -> Option<Standing<'a>> {
    let keys = resource.previous_names.iter().map(|name| Key::new(resource.key.kind, name.clone()));
    let mut keys = keys.filter(|old| view.successor(old).is_some_and(|it| it.key == resource.key));
    let old = keys.next()?;
    let entry = view.inventory().entries.get(&old)?;
    let Whereabouts::Lives(object) = view.whereabouts(old.kind, entry) else {
        return None;
    };
    Some(Standing::Ours(Ours { entry, object, renamed_from: Some(old) }))
}

/// What had the name moves on: something new is to have it.
fn vacated<'a>(view: &View<'a>, policy: &Policy, resource: &'a Resource) -> Option<Standing<'a>> {
    let key = &resource.key;
    let heir = view.successor(key)?;
    let entry = view.inventory().entries.get(key)?;
    if !view.is_complete(key.kind) {
        let blocked = view.incomplete(key.kind);
        let (action, reason) = (Action::Create, Reason::Requested);
        return Some(Standing::Unclear(Unclear { action, reason, entry: None, id: None, blocked }));
    }
    let other = view.named(key).iter().copied().find(|object| object.id != entry.id);
    Some(match (view.inventory().intents.get(key), other) {
        (Some(intent), other) => {
            unanswered::wanted(view, policy, key, intent, other, Reason::Requested)
        }
        (None, None) => Standing::Absent(Reason::Requested),
        (None, Some(other)) => {
            let message =
                format!("what it was becomes {}, and {} has its name now", heir.key, other.id);
            ambiguous(None, Some(&other.id), message)
        }
    })
}

/// Notes what must move on before a change: that has its name, and our memory of it.
pub(super) fn follow<'a>(draft: &mut ChangeDraft<'a>, view: &View<'a>) {
    draft.follows = match draft.change.action {
        Action::Create | Action::Update | Action::Replace | Action::Adopt => {
            let heir = view.successor(&draft.change.key).map(|heir| &heir.key);
            heir.or_else(|| view.yet_to_move(&draft.change.key))
        }
        Action::Forget | Action::Delete | Action::None => None,
    };
}
