//! Deletes: every law that must hold before one is planned, and the fuse over all of them.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::model::{
    Claim, Entry, Key, Kind, LiveObject, Remembered, RemoteId, Tombstone, is_same_moment,
};

use super::draft::ChangeDraft;
use super::guard::may_delete;
use super::view::{View, Whereabouts};
use super::{Action, Blocked, BlockedReason, Change, Policy, Reason};

/// The most deletes one order may do in an hour without `--max-deletes`: a person can read three
/// lines.
const DELETES_MAX: usize = 3;

/// The largest share of what is owned, in percent, that may go so, and at least one.
///
/// An empty directory, a wrong branch or an unmounted volume all look like "delete everything".
const DELETES_PERCENT_MAX: usize = 30;

/// How long an approval holds that is pasted from a hint: time for a review, not for oblivion.
const APPROVAL_DAYS: i64 = 14;

/// Returns the first law that forbids a delete. `found` is what ownership found in its way.
pub(super) fn obstacle(
    draft: &ChangeDraft<'_>,
    found: Option<Blocked>,
    view: &View<'_>,
    policy: &Policy,
) -> Option<Blocked> {
    let lasting = found.or_else(|| lasting(draft, view, policy));
    let Some(off) = off(&draft.change.key, policy) else {
        return lasting;
    };
    match lasting {
        None => Some(off),
        // A tombstone asks by itself, so its own obstacle is what its author must hear.
        Some(lasting) if draft.change.reason == Reason::Tombstone => Some(lasting),
        Some(lasting) => Some(Blocked {
            message: format!("{}; besides, {}", off.message, lasting.message),
            hint: lasting.hint.or(off.hint),
            ..off
        }),
    }
}

/// Obstacles that no flag of the run lifts.
fn lasting(draft: &ChangeDraft<'_>, view: &View<'_>, policy: &Policy) -> Option<Blocked> {
    let key = &draft.change.key;
    let (entry, object) = (draft.entry?, draft.object?);
    group(key)
        .or_else(|| identity(draft))
        .or_else(|| protection(draft, policy))
        .or_else(|| right(key, entry.claim, policy))
        .or_else(|| (!view.is_complete(key.kind)).then(|| view.incomplete(key.kind)))
        .or_else(|| approval(key, entry, object, view))
        .or_else(|| nothing_declared(view, policy))
        .or_else(|| absence(&draft.change, view, policy))
}

/// Whether pruning was asked for at all (S7).
fn off(key: &Key, policy: &Policy) -> Option<Blocked> {
    let plural = key.kind.plural();
    let (message, hint) = if policy.request.destroy {
        return None;
    } else if !policy.request.selection.is_everything() {
        ("not in the manifests; `--target` and `--exclude` turn pruning off".to_owned(), None)
    } else if policy.permissions.prune.covers(key.kind) {
        return None;
    } else {
        (
            "not in the manifests; pruning is off".to_owned(),
            Some(format!("`--prune={plural}` deletes it")),
        )
    };
    Some(Blocked { reason: BlockedReason::PruneOff, message, hint })
}

fn group(key: &Key) -> Option<Blocked> {
    match key.kind {
        Kind::EnvGroup => Some(Blocked {
            reason: BlockedReason::EnvGroup,
            message: "the API cannot delete an env group; the group is left behind".to_owned(),
            hint: Some("delete it in the dashboard; the next run forgets it".to_owned()),
        }),
        Kind::Database | Kind::Service => None,
    }
}

/// What would be deleted must be what was created: the same id, name and time (S1).
pub(super) fn identity(draft: &ChangeDraft<'_>) -> Option<Blocked> {
    let key = &draft.change.key;
    let (entry, object) = (draft.entry?, draft.object?);
    let doubt = match (&entry.created_at, &object.created_at) {
        _ if !entry.goes_by(key, &object.name) => "its name differs",
        (Some(ours), Some(theirs)) if is_same_moment(ours, theirs) => return None,
        (Some(_), Some(_)) => "its creation time differs",
        // A time that is not known proves nothing.
        (Some(_), None) => "the platform does not show its creation time",
        (None, _) => "the creation time of ours was never shown",
    };
    // Without a time nothing that a person says could be held against it later.
    let hint = match object.created_at {
        Some(_) => format!("`stoker adopt {key}={}` confirms that it is ours", object.id),
        None => "delete it on the platform, which does not show its creation time".to_owned(),
    };
    Some(Blocked {
        reason: BlockedReason::NotOwned,
        message: format!("{} is not proven to be the one we created: {doubt}", object.id),
        hint: Some(hint),
    })
}

/// Protection outlives its manifest (S11).
pub(super) fn protection(draft: &ChangeDraft<'_>, policy: &Policy) -> Option<Blocked> {
    let declared = draft.desired.map(|it| Remembered::from(&it.lifecycle));
    let remembered = draft.entry.map(|entry| entry.remembered);
    let read = policy.learned.protections.get(&draft.change.key).copied();
    let said = [declared, remembered, read];
    let rule = said.into_iter().flatten().find_map(Remembered::protects)?;
    let key = &draft.change.key;
    Some(Blocked {
        reason: BlockedReason::Protected,
        message: format!("its last manifest said {rule}, and that still counts"),
        hint: Some(format!(
            "apply a manifest of {key} that allows it first, or `stoker release {key}`"
        )),
    })
}

pub(super) fn right(key: &Key, claim: Claim, policy: &Policy) -> Option<Blocked> {
    if may_delete(claim, policy) {
        return None;
    }
    let (reason, message) = match claim {
        Claim::Presumed => (
            BlockedReason::Presumed,
            "it appeared after a create whose answer was lost; a person must confirm it is ours",
        ),
        Claim::Created | Claim::Adopted | Claim::Named => (
            BlockedReason::NotOwned,
            "not owned: it was adopted by name, which gives no right to delete",
        ),
    };
    Some(Blocked {
        reason,
        message: message.to_owned(),
        hint: Some(format!("`stoker adopt {key}` gives the right to delete it")),
    })
}

/// Whether a tombstone names this very object, as a person approved it.
pub(super) fn is_approved_by_id(key: &Key, object: &LiveObject, view: &View<'_>) -> bool {
    approved(key, object, view) == Some(Ok(()))
}

/// Reads the approval of a tombstone, if there is one: whether it names this very object, or why not.
fn approved(key: &Key, object: &LiveObject, view: &View<'_>) -> Option<Result<(), &'static str>> {
    let line = view.desired().tombstones.get(key)?.approval.as_deref()?;
    Some(read_approval(line, key, object, today(view)))
}

/// Returns the line by which a person approves that an object goes.
pub(super) fn approval_hint(key: &Key, object: &LiveObject, view: &View<'_>) -> Option<String> {
    let today = today(view);
    let before = today.checked_add(APPROVAL_DAYS.days()).unwrap_or(today);
    created_date(object).map(|created| {
        Tombstone::approval_line(key, &object.id, &created.to_string(), &before.to_string())
    })
}

fn today(view: &View<'_>) -> Date {
    Offset::UTC.to_datetime(view.snapshot.now).date()
}

/// A database goes only if its manifest said so, or if a tombstone names the very object (S7).
fn approval(key: &Key, entry: &Entry, object: &LiveObject, view: &View<'_>) -> Option<Blocked> {
    let is_database = match key.kind {
        Kind::Database => true,
        Kind::EnvGroup | Kind::Service => false,
    };
    if !is_database || entry.remembered.prune == Some(true) {
        return None;
    }
    let why = match approved(key, object, view) {
        Some(Ok(())) => return None,
        Some(Err(why)) => why,
        None => "a database is deleted only with `lifecycle: { prune: true }` or an approval",
    };
    let hint = approval_hint(key, object, view);
    Some(Blocked { reason: BlockedReason::ApprovalMissing, message: why.to_owned(), hint })
}

/// Reads `delete database/main id=db_abc created=2026-01-15 before=2026-12-31`.
fn read_approval(
    line: &str,
    key: &Key,
    object: &LiveObject,
    today: Date,
) -> Result<(), &'static str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["delete", name, id, created, before] = words.as_slice() else {
        return Err("the approval is not of the form `delete KIND/NAME id=… created=… before=…`");
    };
    if *name != key.to_string() || id.strip_prefix("id=") != Some(object.id.as_str()) {
        return Err("the approval names another object");
    }
    let date = |text: &str, prefix| text.strip_prefix(prefix).and_then(|it| it.parse().ok());
    let created: Option<Date> = date(created, "created=");
    if created.is_none() || created != created_date(object) {
        return Err("the approval names another date of creation");
    }
    let before: Option<Date> = date(before, "before=");
    match before {
        Some(before) if before >= today => Ok(()),
        Some(_) => Err("the approval has expired"),
        None => Err("the approval has no deadline"),
    }
}

fn created_date(object: &LiveObject) -> Option<Date> {
    let date = object.created_at.as_deref()?.get(..10)?;
    date.parse().ok()
}

/// An empty directory or an unmounted volume declares nothing at all.
fn nothing_declared(view: &View<'_>, policy: &Policy) -> Option<Blocked> {
    let desired = view.desired();
    let is_empty = desired.resources.is_empty() && desired.tombstones.is_empty();
    (is_empty && !policy.request.destroy).then(|| Blocked {
        reason: BlockedReason::Fuse,
        message: "the manifests declare nothing at all, as if a directory were not mounted"
            .to_owned(),
        hint: Some("`stoker destroy` deletes all that is owned".to_owned()),
    })
}

/// What is not declared may stand where nobody read, or be what vanishes while we look. A tombstone
/// is no absence.
fn absence(change: &Change, view: &View<'_>, policy: &Policy) -> Option<Blocked> {
    if change.reason != Reason::NotInDesired {
        return None;
    }
    if let Some(place) = view.desired().unread.first() {
        return Some(Blocked {
            reason: BlockedReason::SourceIncomplete,
            message: format!(
                "no manifest that was read declares it, and {place} was not read: it is a \
                 submodule, or a broken link"
            ),
            hint: Some("a tombstone (`state: Absent`) says that it is to be deleted".to_owned()),
        });
    }
    policy.learned.absence.get(&change.key.kind).cloned()
}

/// Blocks every delete when there are too many, with those of the last hour (S7). `destroy` asked
/// for all of them.
pub(super) fn fuse(drafts: &mut [ChangeDraft<'_>], view: &View<'_>, policy: &Policy) {
    let is_delete = |draft: &ChangeDraft<'_>| {
        draft.change.action == Action::Delete && draft.change.blocked.is_none()
    };
    let going = drafts.iter().filter(|draft| is_delete(draft));
    let going: Vec<(&Key, Option<&RemoteId>)> =
        going.map(|draft| (&draft.change.key, draft.change.id.as_ref())).collect();
    if policy.request.destroy || going.is_empty() {
        return;
    }
    let gone = gone_lately(&going, view, policy);
    let deleted: Vec<&Key> = going.into_iter().map(|(key, _)| key).collect();
    let Some(blocked) = too_many(&deleted, &gone, &owned(view), policy) else {
        return;
    };
    for draft in drafts.iter_mut().filter(|draft| is_delete(draft)) {
        draft.change.blocked = Some(blocked.clone());
        draft.change.after.clear();
    }
}

/// Returns what counts beside what would go now: the deletes of the last hour that no new order
/// came after. One that is sent again is one.
fn gone_lately<'a>(
    going: &[(&Key, Option<&RemoteId>)],
    view: &View<'a>,
    policy: &Policy,
) -> BTreeSet<Owned<'a>> {
    if policy.request.is_ordered {
        return BTreeSet::new();
    }
    let (commit, now) = (view.desired().revision.as_deref(), view.snapshot.now);
    let sent = view.inventory().deletes.iter().filter(|sent| sent.counts_for(commit, now));
    let is_going =
        |of: &Owned<'_>| going.iter().any(|(key, id)| (key.kind, *id) == (of.0, Some(of.1)));
    sent.map(|sent| (sent.kind, &sent.id)).filter(|of| !is_going(of)).collect()
}

fn too_many(
    deleted: &[&Key],
    gone: &BTreeSet<Owned<'_>>,
    owned: &BTreeSet<Owned<'_>>,
    policy: &Policy,
) -> Option<Blocked> {
    let count = deleted.len();
    // What went is a part of what was owned: a base that shrinks with each delete would never end.
    let total = owned.union(gone).count();
    let share = (total * DELETES_PERCENT_MAX / 100).max(1);
    let most = policy.permissions.deletes_max.unwrap_or(share.min(DELETES_MAX));
    let (message, hint) = if count + gone.len() > most {
        let message = match gone.len() {
            0 => format!(
                "{count} deletes, and one run may do {most} among {total} owned; none is done"
            ),
            gone => format!(
                "{count} deletes after {gone} within the hour, and without a new order an hour may \
                 see {most} among {total} owned; none is done"
            ),
        };
        (message, format!("`--max-deletes {}` allows them", count + gone.len()))
    } else {
        let of_kind = |kind: Kind| deleted.iter().filter(move |key| key.kind == kind);
        let owned = |kind: Kind| owned.iter().filter(|(of, _)| *of == kind).count();
        let whole = Kind::ALL.into_iter().find(|kind| {
            let count = of_kind(*kind).count();
            count > 0 && count >= owned(*kind)
        })?;
        let targets = of_kind(whole).map(|key| format!(" --target {key}"));
        (
            format!("no {whole} of ours would be left; none is deleted"),
            format!("`stoker destroy{}` does it", targets.collect::<String>()),
        )
    };
    Some(Blocked { reason: BlockedReason::Fuse, message, hint: Some(hint) })
}

/// Something of ours, by what tells it from all else.
type Owned<'a> = (Kind, &'a RemoteId);

/// Returns what is ours and lives: what is gone, or going, lends no share.
fn owned<'a>(view: &View<'a>) -> BTreeSet<Owned<'a>> {
    let lives = view.inventory().entries.iter().filter(|(key, entry)| {
        match view.whereabouts(key.kind, entry) {
            Whereabouts::Lives(object) => !object.is_going(),
            Whereabouts::Other | Whereabouts::Gone | Whereabouts::Unknown => false,
        }
    });
    lives.map(|(key, entry)| (key.kind, &entry.id)).collect()
}
