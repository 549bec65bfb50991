//! What the details of listed objects showed before, so that looking at a large project at rest
//! costs no more than its share.
//!
//! A list item that is the same as before stands for details that are the same as before, but not
//! for ever: nothing proves that every change shows in a list. So at each look as many details are
//! read again as are allowed, those longest unread first. Before anything is written it is read
//! again all the same (S10).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Coverage, FieldPath, FieldValue, Kind, Listing, Live, LiveObject, LiveValue, RemoteId, Setting,
    Unknown,
};

/// A kind and an id.
type Id = (Kind, RemoteId);

/// What details showed, by id.
pub(super) type Details = BTreeMap<Id, LiveObject>;

/// What is recalled from one look to the next. The default recalls nothing and reads everything.
#[derive(Clone, Debug, Default)]
pub struct Recollection {
    seen: BTreeMap<Id, Recalled>,
    looks: u64,
    details_max: usize,
}

#[derive(Clone, Debug)]
struct Recalled {
    /// The item of the list.
    listed: LiveObject,
    /// What its details showed then.
    details: LiveObject,
    /// At which look that was.
    look: u64,
}

impl Recollection {
    /// Allows so many requests for details that could be recalled as well.
    #[must_use]
    pub fn allowing(mut self, details_max: usize) -> Self {
        self.details_max = details_max;
        self
    }

    /// Forgets what was written to: a list may not show that it is otherwise now.
    pub fn forget<'i>(&mut self, written: impl Iterator<Item = (Kind, &'i RemoteId)>) {
        for (kind, id) in written {
            self.seen.remove(&(kind, id.clone()));
        }
    }

    /// Parts what is wanted into what is to be read and what can be recalled.
    ///
    /// What is new or looks otherwise than before is always read.
    pub(super) fn part(&mut self, wanted: BTreeSet<Id>, live: &Live) -> (Vec<Id>, Details) {
        self.looks += 1;
        let listed = live.listings.values().flat_map(|listing| &listing.objects);
        let listed: BTreeMap<Id, &LiveObject> =
            listed.map(|object| ((object.kind, object.id.clone()), object)).collect();
        self.seen.retain(|id, recalled| listed.get(id) == Some(&&recalled.listed));
        let (mut known, mut read): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|id| self.seen.contains_key(id));
        known.sort_by_key(|id| self.seen.get(id).map(|recalled| recalled.look));
        let again = self.details_max.saturating_sub(read.len()).min(known.len());
        read.extend(known.drain(..again));
        let recalled = known.into_iter().filter_map(|id| {
            let details = self.seen.get(&id)?.details.clone();
            Some((id, details))
        });
        (read, recalled.collect())
    }

    /// Remembers what details showed of listed objects, before they are added to them.
    pub(super) fn note(&mut self, live: &Live, details: &Details) {
        let groups = live.listing(Kind::EnvGroup);
        for item in live.listings.values().flat_map(|listing| &listing.objects) {
            let id = (item.kind, item.id.clone());
            if let Some(details) =
                details.get(&id).filter(|details| knows_its_groups(details, groups))
            {
                let (listed, details) = (item.clone(), details.clone());
                self.seen.insert(id, Recalled { listed, details, look: self.looks });
            }
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
