//! What the details of listed objects showed before, so that looking at a large project at rest
//! costs no more than its share.
//!
//! A list item that is the same as before stands for details that are the same as before, but not
//! for ever: nothing proves that every change shows in a list. So at each look as many details are
//! read again as are allowed, those longest unread first. Before anything is written it is read
//! again all the same (S10).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Kind, Listing, Live, LiveObject, RemoteId};

/// What is recalled from one look to the next. The default recalls nothing and reads everything.
#[derive(Clone, Debug, Default)]
pub struct Recollection {
    seen: BTreeMap<(Kind, RemoteId), Recalled>,
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

    /// Parts what is wanted into what is to be read and what can be recalled.
    ///
    /// What is new or looks otherwise than before is always read.
    pub(super) fn part(
        &mut self,
        wanted: BTreeSet<(Kind, RemoteId)>,
        live: &Live,
    ) -> (Vec<(Kind, RemoteId)>, Vec<LiveObject>) {
        self.looks += 1;
        self.seen.retain(|(kind, id), _| live.with_id(*kind, id).is_some());
        let is_same = |key: &(Kind, RemoteId)| {
            let recalled = self.seen.get(key);
            recalled.is_some_and(|recalled| live.with_id(key.0, &key.1) == Some(&recalled.listed))
        };
        let (mut known, mut read): (Vec<_>, Vec<_>) = wanted.into_iter().partition(is_same);
        known.sort_by_key(|key| self.seen.get(key).map(|recalled| recalled.look));
        let again = self.details_max.saturating_sub(read.len()).min(known.len());
        read.extend(known.drain(..again));
        let recalled = known.iter().filter_map(|key| self.seen.get(key));
        (read, recalled.map(|recalled| recalled.details.clone()).collect())
    }

    /// Remembers what details showed of a listed object.
    pub(super) fn note(&mut self, listed: &Listing, details: &LiveObject) {
        let item = listed.objects.iter().find(|object| object.id == details.id);
        if let Some(item) = item {
            let key = (item.kind, item.id.clone());
            let (listed, details) = (item.clone(), details.clone());
            self.seen.insert(key, Recalled { listed, details, look: self.looks });
        }
    }
}
