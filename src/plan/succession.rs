//! A name that moves on: `api` becomes `api-v1`, and a new `api` takes its place, in one commit.
//!
//! What is ours under a declared name is another one's as soon as that one names it as its previous
//! name and has nothing of its own yet, in our memory or on the platform. Once the rename is
//! remembered it has, and the name stays where it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Desired, FieldPath, Key, Resource, Setting};

use super::diff::is_written;
use super::draft::Draft;
use super::ownership::{Ours, Standing, Unclear, ambiguous, answer_lost, unclear};
use super::view::{View, Whereabouts};
use super::{Action, Blocked, BlockedReason, Change, Policy, Reason};

/// How many names in a row may move on. A circle has no end.
const MOVES_MAX: usize = 16;

/// Returns the resources that name a declared one as their previous name, by that name.
pub(super) fn heirs(desired: &Desired) -> BTreeMap<Key, &Resource> {
    let resources = desired.resources.values();
    let claims = resources.flat_map(|resource| {
        let names = resource.previous_names.iter();
        names.map(move |name| (Key::new(resource.key.kind, name.clone()), resource))
    });
    claims.filter(|(old, heir)| *old != heir.key && desired.resources.contains_key(old)).collect()
}

impl<'a> View<'a> {
    /// Returns the resource that takes over what is ours under a declared key.
    pub fn successor(&self, key: &Key) -> Option<&'a Resource> {
        self.successor_within(key, MOVES_MAX)
    }

    fn successor_within(&self, key: &Key, moves: usize) -> Option<&'a Resource> {
        let heir = *self.heirs.get(key)?;
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

/// How things stand with a resource that takes over what is ours under another declared name, or
/// whose own is taken over.
pub(super) fn stand<'a>(
    view: &View<'a>,
    policy: &Policy,
    resource: &'a Resource,
) -> Option<Standing<'a>> {
    inherited(view, resource)
        .or_else(|| vacated(view, policy, resource))
        .or_else(|| unremembered(view, resource))
}

/// Without a memory nobody knows whose that is what lives under the older of both names: what was,
/// or what is to be.
fn unremembered<'a>(view: &View<'a>, resource: &'a Resource) -> Option<Standing<'a>> {
    let pairs = view.heirs.iter();
    let (old, heir) =
        pairs.into_iter().find(|(old, heir)| **old == resource.key || heir.key == resource.key)?;
    let entries = &view.inventory().entries;
    let is_known = [old, &heir.key].into_iter().any(|key| entries.contains_key(key));
    let [object] = view.named(old) else {
        return None;
    };
    (!is_known && !object.is_going() && view.is_absent(&heir.key)).then(|| {
        let message = format!(
            "{} is called {old}, and nothing remembers whether it is that or becomes {}",
            object.id, heir.key
        );
        let hint = format!("`stoker adopt {old}={}` lets it be renamed", object.id);
        unclear(None, Some(&object.id), message, hint)
    })
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
        (Some(intent), other) => answer_lost(view, policy, key, intent, other, Reason::Requested),
        (None, None) => Standing::Absent(Reason::Requested),
        (None, Some(other)) => {
            let message =
                format!("what it was becomes {}, and {} has its name now", heir.key, other.id);
            ambiguous(None, Some(&other.id), message)
        }
    })
}

/// Notes what must move on first, and lets nothing stand before what it follows.
pub(super) fn arrange<'a>(mut drafts: Vec<Draft<'a>>, view: &View<'a>) -> Vec<Draft<'a>> {
    if view.heirs.is_empty() {
        return drafts;
    }
    for draft in drafts.iter_mut().filter(|draft| gets_its_name(&draft.change)) {
        draft.follows = view.successor(&draft.change.key).map(|heir| heir.key.clone());
    }
    let mut arranged: Vec<Draft<'a>> = Vec::with_capacity(drafts.len());
    let mut waiting = drafts;
    loop {
        let ahead: BTreeSet<Key> = waiting.iter().map(|it| it.change.key.clone()).collect();
        let mut held: BTreeSet<Key> = BTreeSet::new();
        let (mut later, count) = (Vec::new(), waiting.len());
        for draft in waiting {
            let has_passed = |key: &Key| arranged.iter().any(|it| it.change.key == *key);
            let follows = draft.follows.as_ref();
            let must_wait = follows.is_some_and(|it| ahead.contains(it) && !has_passed(it));
            let needs = draft.desired.map(|resource| &resource.depends_on);
            if must_wait || needs.is_some_and(|needs| !needs.is_disjoint(&held)) {
                held.insert(draft.change.key.clone());
                later.push(draft);
            } else {
                arranged.push(draft);
            }
        }
        // What goes round is held back in `hold`.
        if later.len() == count || later.is_empty() {
            arranged.append(&mut later);
            return arranged;
        }
        waiting = later;
    }
}

/// Lets what follows wait for what moves on, and blocks it where that does not.
pub(super) fn hold(drafts: &mut [Draft<'_>]) {
    let mut moved: BTreeMap<Key, bool> = BTreeMap::new();
    for draft in drafts.iter_mut() {
        let change = &mut draft.change;
        if let Some(first) = draft.follows.as_ref().filter(|_| change.blocked.is_none()) {
            match moved.get(first) {
                Some(true) => drop(change.after.insert(first.clone())),
                Some(false) | None => change.blocked = Some(waits_for(first)),
            }
        }
        moved.insert(change.key.clone(), change.blocked.is_none());
    }
}

fn waits_for(first: &Key) -> Blocked {
    Blocked {
        reason: BlockedReason::DependencyBlocked,
        message: format!("what has its name becomes {first}, which must be done first"),
        hint: None,
    }
}

/// Whether a change gives its resource the name it is declared by.
fn gets_its_name(change: &Change) -> bool {
    let name = FieldPath::Setting(Setting::Name);
    match change.action {
        Action::Create | Action::Replace => true,
        Action::Update => change.fields.iter().any(|it| it.path == name && is_written(it)),
        Action::Adopt | Action::Forget | Action::Delete | Action::None => false,
    }
}
