//! What the details of listed objects showed before, so that looking at a large project at rest
//! costs no more than its share.
//!
//! A list item that is the same as before stands for details that are the same as before, but not
//! forever: nothing proves that every change shows in a list. So at each look as many details are
//! read again as are allowed, those longest unread first. Before anything is written it is read
//! again all the same (S10).
//!
//! Details that did not come are never recalled as seen (S2): until they come, they are unknown.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Coverage, FieldPath, FieldValue, Key, Kind, Listing, Live, LiveObject, LiveValue, RemoteId,
    Setting, Unknown,
};

/// A kind and an id.
type Id = (Kind, RemoteId);

/// What details showed, by id.
pub(super) type Details = BTreeMap<Id, LiveObject>;

/// How many details that did not come are asked for again at each look at least.
const UNREAD_AGAIN_MIN: usize = 10;

/// What is recalled from one look to the next. The default recalls nothing and reads everything.
#[derive(Clone, Debug, Default)]
pub struct Recollection {
    seen: BTreeMap<Id, Recalled>,
    looks: u64,
    details_max: usize,
    /// What a look is about; everything without.
    scope: Option<BTreeSet<Key>>,
}

#[derive(Clone, Debug)]
struct Recalled {
    /// The item of the list.
    listed: LiveObject,
    /// What its details showed then, or why they did not come.
    details: Result<LiveObject, Unknown>,
    /// At which look that was.
    look: u64,
}

/// What is wanted, parted.
pub(super) struct Parted {
    /// What is to be read.
    pub read: Vec<Id>,
    /// What is recalled.
    pub recalled: Details,
    /// What did not come when it was last asked for, and is not asked for now.
    pub still_unread: BTreeMap<Id, Unknown>,
}

impl Recollection {
    /// Allows so many requests for details that could be recalled as well.
    #[must_use]
    pub fn allowing(mut self, details_max: usize) -> Self {
        self.details_max = details_max;
        self
    }

    /// Limits the next look to these: of nothing else details are read, or what is not listed is
    /// looked for. What is not read is not judged either, so they must be all that is planned.
    #[must_use]
    pub fn about(self, scope: Option<BTreeSet<Key>>) -> Self {
        Self { scope, ..self }
    }

    /// Whether a look is about a resource.
    pub(super) fn covers(&self, key: &Key) -> bool {
        self.scope.as_ref().is_none_or(|scope| scope.contains(key))
    }

    /// Returns what was seen in its details.
    #[must_use]
    pub fn detailed(&self) -> BTreeSet<(Kind, RemoteId)> {
        let seen = self.seen.iter().filter(|(_, recalled)| recalled.details.is_ok());
        seen.map(|(id, _)| id.clone()).collect()
    }

    /// Forgets what was written to: a list may not show that it is otherwise now.
    pub fn forget<'i>(&mut self, written: impl Iterator<Item = (Kind, &'i RemoteId)>) {
        for (kind, id) in written {
            self.seen.remove(&(kind, id.clone()));
        }
    }

    /// Parts what is wanted into what is to be read and what can be recalled.
    ///
    /// What is new or looks otherwise than before is always read. What did not come is asked for
    /// again within half of what is allowed, so that it does not keep the rest from being read in turn.
    pub(super) fn part(&mut self, wanted: BTreeSet<Id>, live: &Live) -> Parted {
        self.looks += 1;
        let listed = live.listings.values().flat_map(|listing| &listing.objects);
        let listed: BTreeMap<Id, &LiveObject> =
            listed.map(|object| ((object.kind, object.id.clone()), object)).collect();
        self.seen.retain(|id, recalled| listed.get(id) == Some(&&recalled.listed));
        let (known, mut read): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|id| self.seen.contains_key(id));
        let is_unread = |id: &Id| self.seen.get(id).is_some_and(|it| it.details.is_err());
        let (mut unread, mut known): (Vec<_>, Vec<_>) = known.into_iter().partition(is_unread);
        let unread_max = UNREAD_AGAIN_MIN.max(self.details_max / 2);
        self.longest_ago_first(&mut unread);
        read.extend(unread.drain(..unread_max.min(unread.len())));
        let again = self.details_max.saturating_sub(read.len()).min(known.len());
        self.longest_ago_first(&mut known);
        read.extend(known.drain(..again));
        let mut parted = Parted { read, recalled: BTreeMap::new(), still_unread: BTreeMap::new() };
        for id in known.into_iter().chain(unread) {
            match self.seen.get(&id).map(|recalled| recalled.details.clone()) {
                Some(Ok(details)) => drop(parted.recalled.insert(id, details)),
                Some(Err(why)) => drop(parted.still_unread.insert(id, why)),
                None => {}
            }
        }
        parted
    }

    fn longest_ago_first(&self, ids: &mut [Id]) {
        ids.sort_by_key(|id| self.seen.get(id).map(|recalled| recalled.look));
    }

    /// Remembers what details showed of listed objects, before they are added to them, and which did
    /// not come.
    pub(super) fn note(&mut self, live: &Live, details: &Details, missing: &BTreeMap<Id, Unknown>) {
        let groups = live.listing(Kind::EnvGroup);
        for item in live.listings.values().flat_map(|listing| &listing.objects) {
            let id = (item.kind, item.id.clone());
            let details = match (details.get(&id), missing.get(&id)) {
                (Some(details), _) if knows_its_groups(details, groups) => Ok(details.clone()),
                (Some(_), _) => {
                    self.seen.remove(&id);
                    continue;
                }
                (None, Some(why)) => Err(why.clone()),
                (None, None) => continue,
            };
            self.seen.insert(id, Recalled { listed: item.clone(), details, look: self.looks });
        }
    }
}

/// Whether every env group of a service is known by its name. One that the list does not show may be
/// newer than the list, and has its name at the next look.
fn knows_its_groups(details: &LiveObject, groups: &Listing) -> bool {
    let is_listed = |name: &String| groups.objects.iter().any(|group| group.name == *name);
    match details.shows(&FieldPath::Setting(Setting::EnvGroups)) {
        Some(LiveValue::Shown(FieldValue::Set(names))) => names.iter().all(is_listed),
        // A token that may not list them never learns more.
        Some(LiveValue::Hidden) => groups.coverage == Coverage::Unknown(Unknown::Forbidden),
        Some(LiveValue::Shown(_) | LiveValue::Absent) | None => true,
    }
}
