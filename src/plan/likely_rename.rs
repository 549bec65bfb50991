//! A delete and a create that look like a rename: the line that makes it one is told.
//!
//! Whoever changes a name in a manifest asks, without a word more, for another thing beside the old
//! one, or in its place: an empty database, a service at another address.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Applied, Entry, Field, FieldPath, Key, Kind, Resource, Setting};

use super::draft::ChangeDraft;
use super::{Action, Reason};

/// What goes, or would go, and what comes in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LikelyRename {
    /// What no manifest declares any more.
    pub from: Key,
    /// What is to be created.
    pub to: Key,
}

impl LikelyRename {
    /// Returns the manifest line that makes a rename of it.
    #[must_use]
    pub fn line(&self) -> String {
        format!("previousNames: [{}]", self.from.name)
    }
}

/// How many are compared at most for each value that a new resource shares with what goes.
///
/// Where more than these have even its rarest values, nobody could tell which of them was meant.
const ALIKE_MAX: usize = 100;

/// Finds them: of one kind, and with most of what is declared as it was written. Each is one of a
/// pair at most.
pub(super) fn of(drafts: &[ChangeDraft<'_>]) -> Vec<LikelyRename> {
    let mut gone = Gone::of(drafts.iter().filter_map(leaves));
    let mut likely: Vec<LikelyRename> = Vec::new();
    for resource in drafts.iter().filter_map(comes) {
        if let Some(from) = gone.take_most_alike(resource) {
            likely.push(LikelyRename { from, to: resource.key.clone() });
        }
    }
    likely
}

/// A value that was written to a field of a kind.
type Written = (Kind, FieldPath, Applied);

/// What goes and is in no pair yet, and by each value those that have it: a project that is replaced
/// as a whole must not be compared each with each.
struct Gone<'d> {
    entries: BTreeMap<&'d Key, &'d Entry>,
    with: BTreeMap<Written, BTreeSet<&'d Key>>,
}

impl<'d> Gone<'d> {
    fn of(leaving: impl Iterator<Item = (&'d Key, &'d Entry)>) -> Self {
        let mut gone = Self { entries: BTreeMap::new(), with: BTreeMap::new() };
        for (key, entry) in leaving {
            gone.entries.insert(key, entry);
            for (path, applied) in &entry.applied {
                let with = gone.with.entry((key.kind, path.clone(), applied.clone())).or_default();
                with.insert(key);
            }
        }
        gone
    }

    fn take_most_alike(&mut self, resource: &Resource) -> Option<Key> {
        let candidates = self.candidates(resource).into_iter();
        let alike =
            candidates.filter_map(|key| Some((likeness(self.entries.get(key)?, resource)?, key)));
        // Of two that are as alike the first by its name.
        let (_, from) = alike.min_by_key(|(likeness, key)| (Reverse(*likeness), *key))?;
        let entry = self.entries.remove(from)?;
        for (path, applied) in &entry.applied {
            if let Some(with) = self.with.get_mut(&(from.kind, path.clone(), applied.clone())) {
                with.remove(from);
            }
        }
        Some(from.clone())
    }

    /// Returns what may be alike. At least half of the fields are the same then: so it has one of the
    /// rarer half of the values, or the next.
    fn candidates(&self, resource: &Resource) -> BTreeSet<&'d Key> {
        let kind = resource.key.kind;
        let sharing = |(path, field): (&FieldPath, &Field)| {
            let written = (kind, path.clone(), Applied::from(&field.value));
            self.with.get(&written)
        };
        let mut sharing: Vec<Option<&BTreeSet<&'d Key>>> =
            resource.fields.iter().map(sharing).collect();
        sharing.sort_by_key(|keys| keys.map_or(0, BTreeSet::len));
        let rarer = sharing.into_iter().take(resource.fields.len() / 2 + 1).flatten();
        rarer.flat_map(|keys| keys.iter().take(ALIKE_MAX).copied()).collect()
    }
}

fn leaves<'d>(draft: &'d ChangeDraft<'_>) -> Option<(&'d Key, &'d Entry)> {
    let is_absent = match (draft.change.action, draft.change.reason) {
        (Action::Delete, Reason::NotInDesired) => true,
        (_, _) => false,
    };
    draft.entry.filter(|_| is_absent).map(|entry| (&draft.change.key, entry))
}

fn comes<'a>(draft: &ChangeDraft<'a>) -> Option<&'a Resource> {
    let is_new = draft.change.action == Action::Create && draft.change.reason == Reason::Requested;
    draft.desired.filter(|resource| is_new && resource.previous_names.is_empty())
}

/// How many of the fields are the same, where at least two and the half of them are, and the type is.
fn likeness(entry: &Entry, resource: &Resource) -> Option<usize> {
    let is_same = |path: &FieldPath| {
        let field = resource.fields.get(path);
        field.zip(entry.applied.get(path)).is_some_and(|(it, applied)| applied.is_of(&it.value))
    };
    let same = resource.fields.keys().filter(|path| is_same(path)).count();
    let most = resource.fields.len().max(entry.applied.len());
    let is_alike = same >= 2 && same * 2 >= most;
    (is_alike && is_same(&FieldPath::Setting(Setting::Type))).then_some(same)
}
