//! A delete and a create that look like a rename: the line that makes it one is told.
//!
//! Whoever changes a name in a manifest asks, without a word more, for another thing beside the old
//! one, or in its place: an empty database, a service at another address.

use crate::model::{Entry, FieldPath, Key, Resource, Setting};

use super::draft::Draft;
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

/// Finds them: of one kind, and with most of what is declared as it was written. Each is one of a
/// pair at most.
pub(super) fn of(drafts: &[Draft<'_>]) -> Vec<LikelyRename> {
    let gone: Vec<(&Key, &Entry)> = drafts.iter().filter_map(leaves).collect();
    let mut likely: Vec<LikelyRename> = Vec::new();
    for resource in drafts.iter().filter_map(comes) {
        let free = gone.iter().filter(|(key, _)| likely.iter().all(|it| it.from != **key));
        let alike = free.filter(|(key, _)| key.kind == resource.key.kind);
        let alike = alike.filter_map(|(key, entry)| Some((likeness(entry, resource)?, *key)));
        // Of two that are as alike the first by its name.
        let best = alike.min_by_key(|(likeness, key)| (std::cmp::Reverse(*likeness), *key));
        if let Some((_, from)) = best {
            likely.push(LikelyRename { from: from.clone(), to: resource.key.clone() });
        }
    }
    likely
}

fn leaves<'d>(draft: &'d Draft<'_>) -> Option<(&'d Key, &'d Entry)> {
    let is_absent = match (draft.change.action, draft.change.reason) {
        (Action::Delete, Reason::NotInDesired) => true,
        (_, _) => false,
    };
    draft.entry.filter(|_| is_absent).map(|entry| (&draft.change.key, entry))
}

fn comes<'a>(draft: &Draft<'a>) -> Option<&'a Resource> {
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
