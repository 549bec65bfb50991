//! The lists right before the writes: "it is not there" must still be so (S2, S10).
//!
//! They are read once before the first write, and again by whoever is about to create on a list that
//! is too old, once for all that wait for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::api::Reader;
use crate::clock::Clock;
use crate::model::{Inventory, Kind, Listing, Live, LiveObject, RemoteId};
use crate::plan::{Action, Change, LIST_SECONDS_MAX, Outcome, Plan, bystanders, rival};

use super::outcome::{failed_here, stale, unread};

/// How old a list may be when a create leaves that rests on it.
pub(super) const LIST_AGE_MAX: Duration = Duration::from_secs(LIST_SECONDS_MAX);

/// How much younger than it must be a list is when it is taken for good: the create that rests on it
/// has yet to be written down.
const MARGIN: Duration = Duration::from_secs(1);

/// The lists of every kind on which the plan rests, read again.
pub(super) struct Sweep {
    lists: BTreeMap<Kind, RwLock<Seen>>,
    /// Whether names are known to be kept as they are sent (A22).
    keeps_names: bool,
}

/// What a list showed, and when.
struct Seen {
    listing: Result<Listing, Outcome>,
    at: Timestamp,
    /// What we made since: a list read again is expected to show it.
    made: Mutex<Vec<LiveObject>>,
}

/// A list, held: as long as it is, no list of its kind is read, for what is being made would be in one
/// pass of it and not in the other.
pub(super) struct HeldList<'s> {
    seen: RwLockReadGuard<'s, Seen>,
    keeps_names: bool,
}

impl HeldList<'_> {
    /// When the list was read.
    pub(super) fn seen_at(&self) -> Timestamp {
        self.seen.at
    }

    /// Returns what becomes of a change for which nothing may be concluded from the absence of a
    /// name; nothing when it is absent.
    pub(super) fn doubt(&self, change: &Change, inventory: &Inventory) -> Option<Outcome> {
        // A replacement's name is taken until a moment ago, by what we deleted.
        let predecessor = change.id.as_ref().filter(|_| change.action == Action::Replace);
        match &self.seen.listing {
            Ok(listing) => {
                let key = &change.key;
                // So is the name of what we renamed a moment ago, in a list that is older.
                let first = change.after.iter().filter(|it| it.kind == key.kind);
                let mut first = first.filter_map(|it| Some(&inventory.entries.get(it)?.id));
                let has_name = |id: &&RemoteId| {
                    let mut objects = listing.objects.iter();
                    objects.any(|it| it.id == **id && it.name == key.name.as_str())
                };
                let predecessor = predecessor.or_else(|| first.find(has_name));
                rival(listing, key, predecessor, inventory, self.keeps_names).map(stale)
            }
            Err(outcome) => Some(outcome.clone()),
        }
    }

    /// Returns what lives of a kind and is not ours: what a create cannot have made (S3, A22).
    pub(super) fn bystanders(&self, kind: Kind, inventory: &Inventory) -> BTreeSet<RemoteId> {
        let listing = self.seen.listing.as_ref().ok();
        listing.map(|listing| bystanders(kind, listing, inventory)).unwrap_or_default()
    }

    /// Notes what was made under the name.
    pub(super) fn made(self, object: &LiveObject) {
        self.seen.made.lock().unwrap_or_else(PoisonError::into_inner).push(object.clone());
    }
}

impl Sweep {
    /// Reads the lists again: one pass, which together with the snapshot's makes the two in a row
    /// that S2 asks for. Where the two disagree, passes are read until two agree.
    pub(super) async fn read(plan: &Plan, live: &Live, reader: &Reader, clock: &Clock) -> Self {
        let mut lists = BTreeMap::new();
        for kind in kinds(plan) {
            let listing = reread(kind, live.listing(kind), reader).await;
            let seen = Seen { listing, at: clock.now(), made: Mutex::default() };
            lists.insert(kind, RwLock::new(seen));
        }
        Self { lists, keeps_names: reader.client().dialect().names_kept }
    }

    /// Returns a list that is young enough for a create to rest on.
    pub(super) async fn young(
        &self,
        kind: Kind,
        reader: &Reader,
        clock: &Clock,
    ) -> Result<HeldList<'_>, Outcome> {
        let lock = self.lists.get(&kind).ok_or_else(|| unread_again(kind))?;
        let seen = lock.read().await;
        if seen.is_young(clock.now()) {
            return Ok(self.held(seen));
        }
        drop(seen);
        let mut seen = lock.write().await;
        // Another one that waited may have read it meanwhile.
        if !seen.is_young(clock.now()) {
            seen.listing = match seen.expected() {
                Some(expected) => reread(kind, &expected, reader).await,
                None => steady(kind, reader).await,
            };
            seen.at = clock.now();
            seen.made = Mutex::default();
        }
        Ok(self.held(seen.downgrade()))
    }

    /// Returns a list as it was last read.
    pub(super) async fn last(&self, kind: Kind) -> Result<HeldList<'_>, Outcome> {
        let lock = self.lists.get(&kind).ok_or_else(|| unread_again(kind))?;
        Ok(self.held(lock.read().await))
    }

    const fn held<'s>(&self, seen: RwLockReadGuard<'s, Seen>) -> HeldList<'s> {
        HeldList { seen, keeps_names: self.keeps_names }
    }

    /// Returns what becomes of a delete where nothing of its kind may be deleted now.
    pub(super) async fn forbids_delete(&self, kind: Kind) -> Option<Outcome> {
        match self.lists.get(&kind) {
            None => Some(unread_again(kind)),
            Some(lock) => lock.read().await.listing.as_ref().err().cloned(),
        }
    }
}

impl Seen {
    fn is_young(&self, now: Timestamp) -> bool {
        let age = Duration::try_from(now.duration_since(self.at));
        age.is_ok_and(|age| age + MARGIN <= LIST_AGE_MAX)
    }

    /// What it would show now if nobody but us had been at work.
    fn expected(&self) -> Option<Listing> {
        let mut listing = self.listing.as_ref().ok()?.clone();
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        listing.objects.extend(made.iter().cloned());
        Some(listing)
    }
}

fn unread_again(kind: Kind) -> Outcome {
    stale(format!("{} were not read again", kind.plural()))
}

fn kinds(plan: &Plan) -> BTreeSet<Kind> {
    let changes = plan.changes.iter().filter(|change| change.rests_on_a_list());
    changes.map(|change| change.key.kind).collect()
}

async fn reread(kind: Kind, before: &Listing, reader: &Reader) -> Result<Listing, Outcome> {
    let first = reader.list(kind).await.map_err(|error| unread(&error))?;
    if first.confirms(before) { whole(kind, first) } else { steady(kind, reader).await }
}

async fn steady(kind: Kind, reader: &Reader) -> Result<Listing, Outcome> {
    let listing = reader.list_steadily(kind).await.map_err(|error| unread(&error))?;
    whole(kind, listing)
}

fn whole(kind: Kind, listing: Listing) -> Result<Listing, Outcome> {
    if listing.coverage.is_complete() {
        Ok(listing)
    } else {
        // It did not move: nobody knows whether it did.
        Err(failed_here(format!("the listing of {} is incomplete now", kind.plural())))
    }
}
