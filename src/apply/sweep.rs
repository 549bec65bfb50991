//! The one look at the lists right before the writes: "it is not there" must still be so (S2, S10).

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Reader;
use crate::model::{Key, Kind, Listing, Live};
use crate::plan::{Outcome, Plan, rival};

use super::outcome::{failed_here, stale, unread};

/// The lists of every kind on which the plan rests, read again.
pub(super) struct Sweep(BTreeMap<Kind, Result<Listing, Outcome>>);

impl Sweep {
    /// Reads the lists again: one pass, which together with the snapshot's makes the two in a row
    /// that S2 asks for. Where the two disagree, passes are read until two agree.
    pub(super) async fn read(plan: &Plan, live: &Live, reader: &Reader) -> Self {
        let mut lists = BTreeMap::new();
        for kind in kinds(plan) {
            let listing = reread(kind, live.listing(kind), reader).await;
            lists.insert(kind, listing);
        }
        Self(lists)
    }

    /// Returns what becomes of a change for which nothing may be concluded from the absence of a
    /// name; nothing when it is absent.
    pub(super) fn doubts_absence(&self, key: &Key) -> Option<Outcome> {
        match self.0.get(&key.kind) {
            None => Some(unread_again(key.kind)),
            Some(Err(outcome)) => Some(outcome.clone()),
            Some(Ok(listing)) => rival(listing, key).map(stale),
        }
    }

    /// Returns what becomes of a delete where nothing of its kind may be deleted now.
    pub(super) fn forbids_delete(&self, kind: Kind) -> Option<Outcome> {
        match self.0.get(&kind) {
            None => Some(unread_again(kind)),
            Some(Err(outcome)) => Some(outcome.clone()),
            Some(Ok(_)) => None,
        }
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
    let listing = if first.confirms(before) {
        first
    } else {
        reader.list_steadily(kind).await.map_err(|error| unread(&error))?
    };
    if listing.coverage.is_complete() {
        Ok(listing)
    } else {
        // It did not move: nobody knows whether it did.
        Err(failed_here(format!("the listing of {} is incomplete now", kind.plural())))
    }
}
