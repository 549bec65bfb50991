//! References between changes: nothing is built on what will not exist, and nothing goes while
//! something still refers to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Applied, FieldPath, Key, Resource, Setting};

use super::draft::ChangeDraft;
use super::order::is_leaving;
use super::view::View;
use super::{
    Action, Blocked, BlockedReason, Change, FieldReason, difference::is_written, exchange,
};

/// Blocks what cannot be because of another change, and notes what must succeed first.
///
/// The drafts stand in order, so one walk sees every dependency before its dependents.
pub(super) fn hold(drafts: &mut [ChangeDraft<'_>], view: &View<'_>) {
    let is_any_later = drafts.iter().any(|draft| !draft.later.is_empty());
    let arriving = loop {
        let mut arriving = hold_staying(drafts, view);
        if is_any_later {
            hold_incomplete(drafts, view, &mut arriving);
        }
        if !exchange::hold_together(drafts, view) {
            break arriving;
        }
    };
    let is_any_delete = |draft: &ChangeDraft<'_>| draft.change.action == Action::Delete;
    if drafts.iter().any(is_any_delete) {
        hold_leaving(drafts, view, &arriving);
    }
}

/// What is left to say of a change that stays.
#[derive(Clone, Copy)]
enum Fate {
    Written,
    Stuck,
    Untouched,
}

fn hold_staying(drafts: &mut [ChangeDraft<'_>], view: &View<'_>) -> BTreeMap<Key, Fate> {
    let mut fates: BTreeMap<Key, Fate> = BTreeMap::new();
    let mut walk = Walk { view, passed: BTreeSet::new(), appearing: BTreeSet::new() };
    for draft in drafts.iter_mut().filter(|draft| !is_leaving(draft)) {
        if draft.change.blocked.is_none() {
            match walk.needs(draft) {
                Ok(after) => draft.change.after = after,
                Err(blocked) => {
                    draft.change.blocked = Some(blocked);
                    draft.change.after.clear();
                }
            }
        }
        let change = &draft.change;
        let fate = match (&change.blocked, writes(change.action)) {
            (Some(_), _) => Fate::Stuck,
            (None, true) => Fate::Written,
            (None, false) => Fate::Untouched,
        };
        if change.blocked.is_none() {
            walk.passed.insert(change.key.clone());
            if makes_a_name(change) {
                walk.appearing.insert(change.key.clone());
            }
        }
        note(&mut fates, change, fate);
    }
    fates
}

/// What the walk over the changes that stay has passed.
struct Walk<'a> {
    view: &'a View<'a>,
    /// What nothing stands in the way of.
    passed: BTreeSet<Key>,
    /// What has its name only then.
    appearing: BTreeSet<Key>,
}

impl Walk<'_> {
    /// Returns what must succeed before a change, or why it cannot be.
    fn needs(&self, draft: &ChangeDraft<'_>) -> Result<BTreeSet<Key>, Blocked> {
        let mut after = BTreeSet::new();
        if let Some(first) = draft.follows {
            if !self.passed.contains(first) {
                return Err(waits_for(first));
            }
            after.insert(first.clone());
        }
        if !writes(draft.change.action) {
            return Ok(after);
        }
        let references = draft.desired.map(|resource| &resource.depends_on).into_iter().flatten();
        let references = references.filter(|other| !draft.later.contains(*other));
        for other in references.filter(|other| **other != draft.change.key) {
            if self.appearing.contains(other) {
                after.insert(other.clone());
            } else if !self.passed.contains(other) && has_no_name(other, self.view) {
                return Err(will_not_exist(other));
            }
        }
        refers_to_no_one(draft, self.view, &self.appearing).map_or(Ok(after), Err)
    }
}

/// Whether nothing has the name of a resource for which nothing is done: what is yet to take a name
/// is not what has it now.
fn has_no_name(key: &Key, view: &View<'_>) -> bool {
    view.is_absent(key) || view.successor(key).is_some()
}

fn note(fates: &mut BTreeMap<Key, Fate>, change: &Change, fate: Fate) {
    let renamed_from = change.record.as_ref().and_then(|it| it.renamed_from.clone());
    fates.extend(renamed_from.map(|old| (old, fate)));
    fates.insert(change.key.clone(), fate);
}

/// Blocks what could never be completed, and whatever needs that: in a circle the walk has passed by
/// the first before it came to the last.
fn hold_incomplete(
    drafts: &mut [ChangeDraft<'_>],
    view: &View<'_>,
    fates: &mut BTreeMap<Key, Fate>,
) {
    let mut dependents: BTreeMap<&Key, Vec<usize>> = BTreeMap::new();
    let mut stuck: Vec<Key> = Vec::new();
    for (place, draft) in drafts.iter().enumerate().filter(|(_, draft)| !is_leaving(draft)) {
        let needed = draft.desired.into_iter().flat_map(|resource| &resource.depends_on);
        for other in needed.chain(draft.follows) {
            dependents.entry(other).or_default().push(place);
        }
        if draft.change.blocked.is_some() {
            stuck.push(draft.change.key.clone());
        }
    }
    while let Some(key) = stuck.pop() {
        for place in dependents.get(&key).into_iter().flatten() {
            let draft = &mut drafts[*place];
            if draft.change.blocked.is_some() {
                continue;
            }
            let blocked = if draft.follows == Some(&key) {
                waits_for(&key)
            } else if writes(draft.change.action) && has_no_name(&key, view) {
                will_not_exist(&key)
            } else if draft.completed_after().any(|other| other == key) {
                never_completed(&key)
            } else {
                continue;
            };
            let change = &mut draft.change;
            change.blocked = Some(blocked);
            change.after.clear();
            note(fates, change, Fate::Stuck);
            stuck.push(change.key.clone());
        }
    }
}

const fn writes(action: Action) -> bool {
    match action {
        Action::Create | Action::Update | Action::Replace | Action::Delete => true,
        Action::Adopt | Action::Forget | Action::None => false,
    }
}

/// Whether the name exists only once the change is done. Other updates need not succeed first:
/// a failing resource must not hold up healthy ones (L2).
pub(super) fn makes_a_name(change: &Change) -> bool {
    let name = FieldPath::Setting(Setting::Name);
    let is_rename = |field: &super::FieldChange| field.path == name && is_written(field);
    match change.action {
        Action::Create | Action::Replace => true,
        Action::Update => change.fields.iter().any(is_rename),
        Action::Adopt | Action::Forget | Action::Delete | Action::None => false,
    }
}

/// What is written must refer to exactly one thing, as far as is seen: what a listing may have left
/// out is not proven to be missing (S2).
fn refers_to_no_one(
    draft: &ChangeDraft<'_>,
    view: &View<'_>,
    appearing: &BTreeSet<Key>,
) -> Option<Blocked> {
    let change = &draft.change;
    let written = change.fields.iter().filter(|field| is_written(field));
    let written = written.filter(|field| field.reason != FieldReason::Later);
    let written = written.filter_map(|field| Some((&field.path, draft.declared(&field.path)?)));
    let mut others = written.flat_map(|(path, value)| value.refers_to(path));
    others.find_map(|other| {
        let is_known = appearing.contains(&other) || view.is_identified(&other);
        match view.named(&other).len() {
            _ if is_known || other == change.key => None,
            0 => view.is_absent(&other).then(|| will_not_exist(&other)),
            count => Some(not_one(&other, count)),
        }
    })
}

fn not_one(other: &Key, count: usize) -> Blocked {
    Blocked {
        reason: BlockedReason::DependencyBlocked,
        message: format!("it refers to {other}, and {count} live objects have that name"),
        hint: Some("rename or delete the wrong one on the platform".to_owned()),
    }
}

fn waits_for(first: &Key) -> Blocked {
    Blocked {
        reason: BlockedReason::DependencyBlocked,
        message: format!("what has its name becomes {first}, which must be done first"),
        hint: None,
    }
}

fn will_not_exist(other: &Key) -> Blocked {
    Blocked {
        reason: BlockedReason::DependencyBlocked,
        message: format!("it refers to {other}, which does not exist and will not be created"),
        hint: None,
    }
}

/// What may live unseen is not called missing, and nobody can wait for it (S2).
fn never_completed(other: &Key) -> Blocked {
    Blocked {
        reason: BlockedReason::DependencyBlocked,
        message: format!("it is completed once {other} is there, and that is blocked"),
        hint: None,
    }
}

/// Deletes stand with what refers before what is referred to.
fn hold_leaving(drafts: &mut [ChangeDraft<'_>], view: &View<'_>, staying: &BTreeMap<Key, Fate>) {
    let referrers = referrers(view);
    let leaving: BTreeSet<Key> = drafts
        .iter()
        .filter(|draft| is_leaving(draft))
        .map(|draft| draft.change.key.clone())
        .collect();
    let mut passed: BTreeMap<Key, bool> = BTreeMap::new();
    for draft in drafts.iter_mut().filter(|draft| is_leaving(draft)) {
        let change = &mut draft.change;
        if change.action == Action::Delete && change.blocked.is_none() {
            let mut after = BTreeSet::new();
            let others = referrers.get(&change.key).into_iter().flatten();
            let holder = others.filter(|other| **other != &change.key).find(|other| {
                let verdict = referrer(view, &change.key, other, staying, &leaving, &passed);
                if let Referrer::First = verdict {
                    after.insert((**other).clone());
                }
                matches!(verdict, Referrer::Holds)
            });
            match holder {
                Some(holder) => change.blocked = Some(still_refers(holder)),
                None => change.after = after,
            }
        }
        let goes = change.blocked.is_none();
        let is_delete = change.action == Action::Delete;
        passed.insert(change.key.clone(), goes && is_delete);
        if change.action == Action::Forget {
            passed.remove(&change.key);
        }
    }
}

/// What a resource that refers to a doomed one means for the delete.
enum Referrer {
    /// It goes, or drops the reference, in an earlier change.
    First,
    /// It refers to it no longer.
    Free,
    /// It stays and refers to it still.
    Holds,
}

fn referrer(
    view: &View<'_>,
    doomed: &Key,
    other: &Key,
    staying: &BTreeMap<Key, Fate>,
    leaving: &BTreeSet<Key>,
    passed: &BTreeMap<Key, bool>,
) -> Referrer {
    if leaving.contains(other) {
        return match passed.get(other) {
            Some(true) => Referrer::First,
            Some(false) => Referrer::Holds,
            // Forgotten, because it is gone; or later in a cycle, which cannot be waited for.
            None => Referrer::Free,
        };
    }
    match (view.desired().resources.get(other), staying.get(other)) {
        (Some(resource), _) if keeps_reference(view, resource, doomed) => Referrer::Holds,
        (_, Some(Fate::Written)) => Referrer::First,
        (_, Some(Fate::Stuck)) => Referrer::Holds,
        (Some(_), None) | (_, Some(Fate::Untouched)) => Referrer::Free,
        (None, None) => Referrer::Holds,
    }
}

/// Who refers to whom, as the manifests say and as we remember.
fn referrers<'a>(view: &View<'a>) -> BTreeMap<Key, BTreeSet<&'a Key>> {
    let mut referrers: BTreeMap<Key, BTreeSet<&Key>> = BTreeMap::new();
    for (key, resource) in &view.desired().resources {
        for (path, field) in &resource.fields {
            for target in field.value.refers_to(path) {
                referrers.entry(target).or_default().insert(key);
            }
        }
        for target in &resource.depends_on {
            referrers.entry(target.clone()).or_default().insert(key);
        }
    }
    for (key, entry) in &view.inventory().entries {
        for target in &entry.depends_on {
            referrers.entry(target.clone()).or_default().insert(key);
        }
    }
    referrers
}

/// Whether a declared resource refers to something even after its change: because it says so, or
/// because the variable that does is left alone.
fn keeps_reference(view: &View<'_>, resource: &Resource, doomed: &Key) -> bool {
    let is_declared = resource.depends_on.contains(doomed)
        || resource.fields.iter().any(|(path, field)| field.value.refers_to(path).contains(doomed));
    let is_left = |path: &FieldPath| {
        !resource.declares_env && !resource.fields.contains_key(path)
            || resource.lifecycle.ignores(path)
    };
    let entry = view.inventory().entries.get(&resource.key);
    let applied = entry.into_iter().flat_map(|entry| &entry.applied);
    is_declared
        || applied.into_iter().any(|(path, applied)| {
            is_left(path) && matches!(applied, Applied::Reference(it) if it.target() == *doomed)
        })
}

fn still_refers(holder: &Key) -> Blocked {
    Blocked {
        reason: BlockedReason::DependencyBlocked,
        message: format!("{holder} still refers to it"),
        hint: None,
    }
}
