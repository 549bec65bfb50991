//! The snapshot, indexed: by name, by id and by owner, so that planning stays linear.
//!
//! It answers where a thing is. Who may do what with it is decided in `ownership`.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Coverage, Desired, Entry, FieldPath, Inventory, Key, Kind, LiveObject, LiveValue, RemoteId,
    Resource, Setting, Snapshot, Unknown, is_same_moment,
};

use super::exchange::{self, Exchanges};
use super::{Blocked, BlockedReason, Policy, succession};

/// The three states with indexes over them.
pub(super) struct View<'a> {
    pub snapshot: &'a Snapshot,
    named: BTreeMap<Kind, BTreeMap<&'a str, Vec<&'a LiveObject>>>,
    by_id: BTreeMap<Kind, BTreeMap<&'a RemoteId, &'a LiveObject>>,
    owners: BTreeMap<Kind, BTreeMap<&'a RemoteId, &'a Key>>,
    /// Who names a declared resource as what it was before, by that name.
    pub heirs: BTreeMap<Key, &'a Resource>,
    /// Where these go round.
    pub exchanges: Exchanges<'a>,
}

/// Where the object of an entry is.
pub(super) enum Whereabouts<'a> {
    /// It lives.
    Lives(&'a LiveObject),
    /// Its id now means something created at another time: ours is gone, and this is foreign.
    Other,
    /// Proven to be gone (S2).
    Gone,
    /// Not seen, and not proven to be gone.
    Unknown,
}

impl<'a> View<'a> {
    pub fn of(snapshot: &'a Snapshot) -> Self {
        let mut view = Self {
            snapshot,
            named: BTreeMap::new(),
            by_id: BTreeMap::new(),
            owners: BTreeMap::new(),
            heirs: succession::heirs(&snapshot.desired),
            exchanges: Exchanges::default(),
        };
        for (kind, listing) in &snapshot.live.listings {
            let by_id = view.by_id.entry(*kind).or_default();
            let named = view.named.entry(*kind).or_default();
            for object in &listing.objects {
                by_id.insert(&object.id, object);
                named.entry(&object.name).or_default().push(object);
            }
        }
        for namesakes in view.named.values_mut().flat_map(BTreeMap::values_mut) {
            namesakes.sort_by_key(|object| &object.id);
        }
        for key in snapshot.inventory.entries.keys() {
            view.own(key);
        }
        let circles = exchange::circles(&view.heirs);
        let exchanged: BTreeSet<&Key> = circles.iter().flatten().map(|it| &it.key).collect();
        view.heirs.retain(|old, _| !exchanged.contains(old));
        view.exchanges = Exchanges::of(&view, &circles);
        for old in succession::left_behind(&view) {
            view.heirs.remove(&old);
        }
        view
    }

    /// Notes an entry as the owner of its id. Of several entries for one object the one with its
    /// live name owns it, then one that is declared: the others are leftovers of a rename.
    fn own(&mut self, key: &'a Key) {
        let Some(entry) = self.inventory().entries.get(key) else {
            return;
        };
        let object = self.by_id.get(&key.kind).and_then(|ids| ids.get(&entry.id));
        let rank = |key: &Key| {
            let is_named_so = object.is_some_and(|object| object.name == key.name.as_str());
            (is_named_so, self.desired().resources.contains_key(key))
        };
        let rank_of_key = rank(key);
        let rival = self.owner(key.kind, &entry.id).map(rank);
        if rival.is_none_or(|rival| rival < rank_of_key) {
            let owners = self.owners.entry(key.kind).or_default();
            owners.insert(&entry.id, key);
        }
    }

    pub fn desired(&self) -> &'a Desired {
        &self.snapshot.desired
    }

    pub fn inventory(&self) -> &'a Inventory {
        &self.snapshot.inventory
    }

    /// Returns every live object with the name, ordered by id.
    pub fn named(&self, key: &Key) -> &[&'a LiveObject] {
        let namesakes = self.named.get(&key.kind).and_then(|it| it.get(key.name.as_str()));
        namesakes.map_or(&[], Vec::as_slice)
    }

    /// Returns the key whose entry has the id.
    pub fn owner(&self, kind: Kind, id: &RemoteId) -> Option<&'a Key> {
        self.owners.get(&kind)?.get(id).copied()
    }

    /// Whether an earlier change of the object was written and never deployed, on a platform that
    /// asks for a deploy (A6).
    pub fn owes_deploy(&self, object: &LiveObject, policy: &Policy) -> bool {
        policy.platform.deploys_after_patch && self.inventory().deploys_owed.contains(&object.id)
    }

    pub fn is_complete(&self, kind: Kind) -> bool {
        self.snapshot.live.listing(kind).coverage.is_complete()
    }

    /// Whether it is known, not merely not seen, that nothing has the name, or goes by it.
    pub fn is_absent(&self, key: &Key) -> bool {
        self.is_complete(key.kind) && self.named(key).is_empty() && !self.has_given_name(key)
    }

    /// Whether ours lives under the name that the platform gave it in place of the declared one.
    fn has_given_name(&self, key: &Key) -> bool {
        let entry = self.inventory().entries.get(key);
        entry.is_some_and(|entry| match self.whereabouts(key.kind, entry) {
            Whereabouts::Lives(object) => entry.goes_by(key, &object.name),
            Whereabouts::Other | Whereabouts::Gone | Whereabouts::Unknown => false,
        })
    }

    /// Whether one object is known to be meant by the key: ours, or the only one of its name.
    pub fn is_identified(&self, key: &Key) -> bool {
        let entry = self.inventory().entries.get(key);
        match entry.map(|entry| self.whereabouts(key.kind, entry)) {
            Some(Whereabouts::Lives(_) | Whereabouts::Unknown) => true,
            Some(Whereabouts::Other | Whereabouts::Gone) | None => self.named(key).len() == 1,
        }
    }

    pub fn whereabouts(&self, kind: Kind, entry: &Entry) -> Whereabouts<'a> {
        if let Some(object) = self.by_id.get(&kind).and_then(|ids| ids.get(&entry.id)) {
            let is_same = match (&entry.created_at, &object.created_at) {
                (Some(ours), Some(theirs)) => is_same_moment(ours, theirs),
                (None, _) | (_, None) => true,
            };
            return if is_same { Whereabouts::Lives(object) } else { Whereabouts::Other };
        }
        let is_gone = match kind {
            // An env group has no GET by id (F4): the complete listing is all the proof there is.
            Kind::EnvGroup => self.is_complete(kind),
            Kind::Database | Kind::Service => self.snapshot.live.gone.contains(&entry.id),
        };
        if is_gone { Whereabouts::Gone } else { Whereabouts::Unknown }
    }

    /// Explains why nothing may be concluded from what a listing does not show (S2).
    pub fn incomplete(&self, kind: Kind) -> Blocked {
        let plural = kind.plural();
        let (message, hint) = match &self.snapshot.live.listing(kind).coverage {
            Coverage::Complete => (
                "an id of ours is missing from the listing, and no answer proved that it was \
                 deleted"
                    .to_owned(),
                None,
            ),
            Coverage::Unknown(Unknown::Forbidden) => (
                format!("the token may not list {plural} (403)"),
                Some(format!("give the token read access to {plural}")),
            ),
            Coverage::Unknown(Unknown::Incomplete(why)) => {
                (format!("the listing of {plural} is incomplete: {why}"), None)
            }
            Coverage::Unknown(Unknown::Unread) => {
                (format!("the listing of {plural} was not read"), None)
            }
        };
        Blocked { reason: BlockedReason::IncompleteView, message, hint }
    }
    /// Explains why nothing may be concluded from what an object's list item shows, if its details
    /// were needed and did not come (S2).
    pub fn unread(&self, object: &LiveObject) -> Option<Blocked> {
        let (message, hint) =
            match self.snapshot.live.unread.get(&(object.kind, object.id.clone()))? {
                Unknown::Forbidden => (
                    "the token may not read its details (403)".to_owned(),
                    Some(format!(
                        "give the token the right to read each of the {}",
                        object.kind.plural()
                    )),
                ),
                Unknown::Incomplete(why) => (format!("its details could not be read: {why}"), None),
                Unknown::Unread => ("its details were not read".to_owned(), None),
            };
        Some(Blocked { reason: BlockedReason::Unseen, message, hint })
    }

    /// Explains why the env groups of a service cannot be compared, if that is because they were not
    /// listed: it shows their ids, and only their list has the names (A14).
    pub fn unnamed_groups(&self, resource: &Resource, object: &LiveObject) -> Option<Blocked> {
        let path = FieldPath::Setting(Setting::EnvGroups);
        let is_compared = resource.fields.contains_key(&path) && !resource.lifecycle.ignores(&path);
        let is_hidden = object.shows(&path) == Some(&LiveValue::Hidden);
        (is_compared && is_hidden && !self.is_complete(Kind::EnvGroup)).then(|| {
            let Blocked { message, hint, .. } = self.incomplete(Kind::EnvGroup);
            let message = format!("`{path}` cannot be compared: {message}");
            Blocked { reason: BlockedReason::Unseen, message, hint }
        })
    }
}
