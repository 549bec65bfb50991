//! Where things of one kind stand: in order of creation, with a memory of what they were.
//!
//! The memory is what makes a stale replica possible: a view as of some seconds ago.
//! Nothing here knows what the things are.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// How long the past is remembered.
///
/// A replica that is ten minutes behind is not a replica, and without an end each patch would cost
/// memory forever.
const MEMORY_MS: u64 = 600_000;

/// The things of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shelf<T> {
    next: u64,
    items: BTreeMap<u64, Kept<T>>,
    places: BTreeMap<String, u64>,
    /// Where a thing of a name may stand: it may have another by now, or be gone.
    ///
    /// Without it, creating ten thousand things would compare fifty million names.
    names: BTreeMap<String, BTreeSet<u64>>,
}

/// Something that has a name, which may change.
pub(crate) trait Named {
    fn name(&self) -> &str;
}

/// Which moment is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ReadMoment {
    /// The state is as of this instant.
    pub(crate) at: u64,
    /// What was created after this instant is hidden.
    pub(crate) born_by: u64,
}

impl ReadMoment {
    /// Looks at the state of an instant, whole.
    pub(crate) fn of(now: u64) -> Self {
        Self { at: now, born_by: now }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept<T> {
    born: u64,
    gone: Option<u64>,
    value: T,
    /// Earlier values, each with the instant at which it ended, oldest first.
    past: Vec<(u64, T)>,
}

impl<T> Kept<T> {
    fn seen(&self, view: ReadMoment) -> Option<&T> {
        let gone = self.gone.is_some_and(|gone| gone <= view.at);
        if gone || self.born > view.at || self.born > view.born_by {
            return None;
        }
        let earlier = self.past.iter().find(|(until, _)| *until > view.at);
        Some(earlier.map_or(&self.value, |(_, value)| value))
    }
}

impl<T: Clone + Named> Shelf<T> {
    pub(crate) fn new() -> Self {
        Self { next: 0, items: BTreeMap::new(), places: BTreeMap::new(), names: BTreeMap::new() }
    }

    pub(crate) fn insert(&mut self, now: u64, id: &str, value: T) {
        self.names.entry(value.name().into()).or_default().insert(self.next);
        self.items.insert(self.next, Kept { born: now, gone: None, value, past: Vec::new() });
        self.places.insert(id.into(), self.next);
        self.next += 1;
    }

    pub(crate) fn get(&self, id: &str, view: ReadMoment) -> Option<&T> {
        self.items.get(self.places.get(id)?)?.seen(view)
    }

    /// Changes a thing; what it was stays in memory.
    pub(crate) fn change<R>(
        &mut self,
        id: &str,
        now: u64,
        change: impl FnOnce(&mut T) -> R,
    ) -> Option<R> {
        let place = self.places.get(id)?;
        let kept = self.items.get_mut(place)?;
        kept.seen(ReadMoment::of(now))?;
        kept.past.retain(|(until, _)| until + MEMORY_MS > now);
        kept.past.push((now, kept.value.clone()));
        let result = change(&mut kept.value);
        self.names.entry(kept.value.name().into()).or_default().insert(*place);
        Some(result)
    }

    /// Lets a thing be gone from an instant on.
    pub(crate) fn remove(&mut self, id: &str, at: u64) {
        if let Some(kept) = self.places.get(id).and_then(|place| self.items.get_mut(place)) {
            kept.gone = Some(at);
        }
    }

    /// Returns what is visible, oldest first.
    pub(crate) fn seen(&self, view: ReadMoment) -> impl Iterator<Item = &T> {
        self.items.values().filter_map(move |kept| kept.seen(view))
    }

    /// Tells whether something of a name is visible.
    pub(crate) fn has_name(&self, name: &str, view: ReadMoment) -> bool {
        let places = self.names.get(name).into_iter().flatten();
        let mut things = places.filter_map(|place| self.items.get(place)?.seen(view));
        things.any(|thing| thing.name() == name)
    }

    /// Drops what has been gone for longer than the memory lasts.
    pub(crate) fn forget(&mut self, now: u64) {
        let Self { next: _, items, places, names } = self;
        items.retain(|_, kept| kept.gone.is_none_or(|gone| gone + MEMORY_MS > now));
        places.retain(|_, place| items.contains_key(place));
        names.retain(|_, places| {
            places.retain(|place| items.contains_key(place));
            !places.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Named for &str {
        fn name(&self) -> &str {
            self
        }
    }

    #[test]
    fn a_view_of_the_past_shows_what_was() {
        let mut shelf = Shelf::new();
        shelf.insert(10, "a", "old");
        shelf.change("a", 20, |value| *value = "new");
        shelf.remove("a", 30);
        let at = |instant| shelf.get("a", ReadMoment::of(instant)).copied().unwrap_or("-");
        assert_eq!([9, 10, 19, 20, 29, 30].map(at), ["-", "old", "old", "new", "new", "-"]);
        let named =
            |name| [10, 20, 30].map(|instant| shelf.has_name(name, ReadMoment::of(instant)));
        assert_eq!((named("old"), named("new")), ([true, false, false], [false, true, false]));
    }

    #[test]
    fn what_is_younger_than_the_view_allows_is_hidden() {
        let mut shelf = Shelf::new();
        shelf.insert(10, "a", "old");
        shelf.insert(20, "b", "new");
        let seen: Vec<_> = shelf.seen(ReadMoment { at: 30, born_by: 15 }).collect();
        assert_eq!(seen, [&"old"]);
    }

    #[test]
    fn what_is_long_gone_costs_nothing() {
        let mut shelf = Shelf::new();
        shelf.insert(0, "a", "old");
        shelf.remove("a", 1);
        shelf.forget(MEMORY_MS);
        assert_eq!(shelf.items.len(), 1);
        shelf.forget(MEMORY_MS + 1);
        assert!(shelf.items.is_empty() && shelf.places.is_empty() && shelf.names.is_empty());
    }
}
