//! The one look at the lists right before the writes: "it is not there" must still be so (S2, S10).

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Reader;
use crate::model::{Inventory, Key, Kind, Listing, Live, RemoteId};
use crate::plan::{Plan, bystanders, rival};

/// The lists of every kind on which the plan rests, read again.
pub(super) struct Sweep {
    lists: BTreeMap<Kind, Result<Listing, String>>,
    /// Whether names are known to be kept as they are sent (A22).
    keeps_names: bool,
}

impl Sweep {
    /// Reads the lists again: one pass, which together with the snapshot's makes the two in a row
    /// that S2 asks for. Where the two disagree, passes are read until two agree.
    pub(super) async fn read(plan: &Plan, live: &Live, reader: &Reader) -> Self {
        let mut lists = BTreeMap::new();
        for kind in kinds(plan) {
            let listing = reread(kind, live.listing(kind), reader).await;
            lists.insert(kind, listing);
        }
        Self { lists, keeps_names: reader.client().dialect().names_kept }
    }

    /// Returns why nothing may be concluded from the absence of a name; nothing when it is absent.
    pub(super) fn doubts_absence(&self, key: &Key, inventory: &Inventory) -> Option<String> {
        match self.lists.get(&key.kind) {
            None => Some(format!("{} were not read again", key.kind.plural())),
            Some(Err(reason)) => Some(reason.clone()),
            Some(Ok(listing)) => rival(listing, key, inventory, self.keeps_names),
        }
    }

    /// Returns what lives of a kind and is not ours: what a create cannot have made (S3, A22).
    pub(super) fn bystanders(&self, kind: Kind, inventory: &Inventory) -> BTreeSet<RemoteId> {
        let listing = self.lists.get(&kind).and_then(|listing| listing.as_ref().ok());
        listing.map(|listing| bystanders(kind, listing, inventory)).unwrap_or_default()
    }

    /// Returns why nothing of a kind may be deleted now.
    pub(super) fn forbids_delete(&self, kind: Kind) -> Option<String> {
        match self.lists.get(&kind) {
            None => Some(format!("{} were not read again", kind.plural())),
            Some(Err(reason)) => Some(reason.clone()),
            Some(Ok(_)) => None,
        }
    }
}

fn kinds(plan: &Plan) -> BTreeSet<Kind> {
    let changes = plan.changes.iter().filter(|change| change.rests_on_a_list());
    changes.map(|change| change.key.kind).collect()
}

async fn reread(kind: Kind, before: &Listing, reader: &Reader) -> Result<Listing, String> {
    let first = reader.list(kind).await.map_err(|error| error.to_string())?;
    let listing = if first.confirms(before) {
        first
    } else {
        reader.list_steadily(kind).await.map_err(|error| error.to_string())?
    };
    if listing.coverage.is_complete() {
        Ok(listing)
    } else {
        Err(format!("the listing of {} is incomplete now", kind.plural()))
    }
}
