//! What stands in the way of creating, changing and adopting; the first obstacle is the one named.
//!
//! One obstacle stops the whole resource: half of a change would be a state nobody described.
//! Deletes are weighed in `prune`, references between changes in `reference`.

use crate::model::{
    AdoptMode, Claim, FieldPath, FieldValue, Kind, LiveObject, Mutability, RemoteId, Setting,
    policy as field_policy,
};

use super::difference::is_written;
use super::draft::ChangeDraft;
use super::view::View;
use super::{
    Action, Blocked, BlockedReason, Change, FieldReason, Policy, data, in_use, prune, reference,
};

/// Weighs every draft: each by itself, then its references, then all deletes together.
pub(super) fn check<'a>(
    mut drafts: Vec<ChangeDraft<'a>>,
    view: &View<'a>,
    policy: &Policy,
) -> Vec<ChangeDraft<'a>> {
    let outsiders = in_use::outsiders(&drafts, view);
    for draft in &mut drafts {
        draft.change.has_data = data::goes_with(draft);
        draft.change.blocked =
            obstacle(draft, view, &outsiders, policy).or_else(|| held(&draft.change, policy));
    }
    reference::hold(&mut drafts, view);
    prune::fuse(&mut drafts, view, policy);
    drafts
}

/// What the agent learned and planning cannot see: a failure a moment ago, a rollback.
fn held(change: &Change, policy: &Policy) -> Option<Blocked> {
    policy.learned.held.get(&change.key).filter(|_| change.action.writes()).cloned()
}

/// Whether the object may be deleted as far as its claim goes (S1).
pub(super) const fn may_delete(claim: Claim, policy: &Policy) -> bool {
    match claim {
        Claim::Created | Claim::Adopted => true,
        Claim::Named => policy.permissions.prune_adopted,
        Claim::Presumed => false,
    }
}

fn obstacle(
    draft: &mut ChangeDraft<'_>,
    view: &View<'_>,
    outsiders: &[&LiveObject],
    policy: &Policy,
) -> Option<Blocked> {
    let blocked = draft.change.blocked.take();
    match draft.change.action {
        Action::Delete => prune::obstacle(draft, blocked, view, policy)
            .or_else(|| in_use::obstacle(draft, view, outsiders)),
        _ if blocked.is_some() => blocked,
        Action::Create => withheld(draft, "create", |rights| rights.create),
        Action::Update => adoption(draft, policy)
            .or_else(|| without_patch(&draft.change))
            .or_else(|| without_rename(&draft.change, policy))
            .or_else(|| shrinking(draft))
            .or_else(|| immutable(&draft.change))
            .or_else(|| withheld(draft, "update", |rights| rights.update)),
        Action::Adopt => adoption(draft, policy),
        Action::Replace => replacement(draft, view, policy),
        Action::Forget | Action::None => None,
    }
}

fn adoption(draft: &ChangeDraft<'_>, policy: &Policy) -> Option<Blocked> {
    if draft.change.adopts != Some(Claim::Named) {
        return None;
    }
    let resource = draft.desired?;
    let is_seen = |field: &&super::FieldChange| match field.reason {
        FieldReason::Requested
        | FieldReason::Rotated(_)
        | FieldReason::Drift
        | FieldReason::Flapping => true,
        FieldReason::Derived
        | FieldReason::Later
        | FieldReason::Unverifiable
        | FieldReason::Accepted => false,
    };
    let differing = draft.change.fields.iter().find(is_seen);
    let message = match resource.lifecycle.adopt.unwrap_or(policy.permissions.adopt) {
        AdoptMode::Always => return None,
        AdoptMode::Never => "it already exists, and adoption is `never`".to_owned(),
        AdoptMode::Match => {
            format!("it already exists, adoption is `match`, and `{}` differs", differing?.path)
        }
    };
    let key = &draft.change.key;
    Some(Blocked {
        reason: BlockedReason::AdoptionRefused,
        message,
        hint: Some(format!(
            "`stoker adopt {key}` or `lifecycle: {{ adopt: always }}` takes it over"
        )),
    })
}

/// A rename, where the API cannot rename (A18).
fn without_rename(change: &Change, policy: &Policy) -> Option<Blocked> {
    let name = FieldPath::Setting(Setting::Name);
    let is_renamed = change.fields.iter().any(|field| field.path == name && is_written(field));
    (is_renamed && !policy.platform.renames).then(|| Blocked {
        reason: BlockedReason::Immutable,
        message: "its name cannot be changed: this API cannot rename".to_owned(),
        hint: Some(keeping_its_name(change).unwrap_or_else(|| {
            "rename it on the platform by hand, or remove `previousNames` to create another"
                .to_owned()
        })),
    })
}

/// Returns how to live with a name that nobody declared, where nothing but the name differs.
fn keeping_its_name(change: &Change) -> Option<String> {
    let name = FieldPath::Setting(Setting::Name);
    let mut written = change.fields.iter().filter(|field| is_written(field));
    let is_drift = written.all(|field| field.path == name && field.reason == FieldReason::Drift);
    let id = change.id.as_ref().filter(|_| is_drift && change.adopts.is_none())?;
    Some(format!("`stoker adopt {}={id}` keeps the name it has on the platform", change.key))
}

/// Databases and env groups: the API cannot change them at all (F4).
fn without_patch(change: &Change) -> Option<Blocked> {
    let paths = paths(change, |_| true);
    let name = FieldPath::Setting(Setting::Name);
    let is_renamed = change.fields.iter().any(|field| field.path == name);
    let (reason, message, hint) = match change.key.kind {
        Kind::Service => return None,
        Kind::Database => (
            BlockedReason::Immutable,
            format!("{paths} cannot be changed: the API cannot change a database"),
            as_it_lives(change, |_| true)
                + "declare a database with a new name, move the data, then delete this one with a \
                    tombstone",
        ),
        Kind::EnvGroup => (
            if is_renamed { BlockedReason::Immutable } else { BlockedReason::EnvGroup },
            format!("{paths} cannot be changed: the API cannot change an env group"),
            "declare a group with a new name and attach it instead; this does not revoke the old \
             values"
                .to_owned(),
        ),
    };
    let hint = keeping_its_name(change).unwrap_or(hint);
    Some(Blocked { reason, message, hint: Some(hint) })
}

/// Returns the way out that always exists, as the beginning of a hint: to declare what lives of what
/// stands in the way. Only where all of that is seen.
fn as_it_lives(change: &Change, is_meant: impl Fn(&FieldPath) -> bool) -> String {
    let line = |field: &super::FieldChange| match field.before.as_ref()? {
        FieldValue::Text(text) => Some(format!("`{}: \"{text}\"`", field.path)),
        FieldValue::Integer(number) => Some(format!("`{}: {number}`", field.path)),
        FieldValue::Boolean(truth) => Some(format!("`{}: {truth}`", field.path)),
        FieldValue::Set(_) | FieldValue::Secret(_) | FieldValue::Reference(_) => None,
    };
    let name = FieldPath::Setting(Setting::Name);
    let written = change.fields.iter().filter(|field| is_written(field) && field.path != name);
    let written = written.filter(|field| is_meant(&field.path));
    let lines: Option<Vec<String>> = written.map(line).collect();
    match lines {
        Some(lines) if !lines.is_empty() => {
            format!("{} declares the live value; or ", lines.join(", "))
        }
        Some(_) | None => String::new(),
    }
}

fn shrinking(draft: &ChangeDraft<'_>) -> Option<Blocked> {
    let path = draft.shrinks.first()?;
    let change = &draft.change;
    let field = change.fields.iter().find(|field| field.path == *path)?;
    let sizes = match (&field.before, &field.after) {
        (Some(before), Some(after)) => format!(" ({before} -> {after})"),
        (_, _) => String::new(),
    };
    Some(Blocked {
        reason: BlockedReason::Immutable,
        message: format!("`{path}` cannot shrink{sizes}: disks only grow"),
        hint: Some(
            as_it_lives(change, |path| draft.shrinks.contains(path)) + &replace_hint(change),
        ),
    })
}

fn immutable(change: &Change) -> Option<Blocked> {
    let unchangeable = unchangeable(change);
    if unchangeable.is_empty() {
        return None;
    }
    let paths = paths(change, |path| unchangeable.contains(&path));
    Some(Blocked {
        reason: BlockedReason::Immutable,
        message: format!("{paths} cannot be changed once a service exists"),
        hint: Some(replace_hint(change)),
    })
}

fn replace_hint(change: &Change) -> String {
    let id = change.id.as_ref().map_or("ID", RemoteId::as_str);
    let key = &change.key;
    let replace = format!("`--replace {key}={id}` deletes it and creates it again");
    match change.adopts {
        None => replace,
        // Nothing is replaced that is not ours yet (S8).
        Some(_) => {
            format!("`stoker adopt {key}={id}` gives the right to delete it, then {replace}")
        }
    }
}

pub(super) fn unchangeable(change: &Change) -> Vec<&FieldPath> {
    let written = change.fields.iter().filter(|field| is_written(field));
    let paths = written.map(|field| &field.path);
    let is_unchangeable = |path: &&FieldPath| match field_policy(change.key.kind, path).mutability {
        Mutability::Immutable => true,
        Mutability::Mutable | Mutability::GrowOnly => false,
    };
    paths.filter(is_unchangeable).collect()
}

/// Lists the written fields that are meant, as "`type`, `region`".
fn paths(change: &Change, is_meant: impl Fn(&FieldPath) -> bool) -> String {
    let written = change.fields.iter().filter(|field| is_written(field));
    let paths =
        written.filter(|field| is_meant(&field.path)).map(|field| format!("`{}`", field.path));
    paths.collect::<Vec<_>>().join(", ")
}

fn withheld(
    draft: &ChangeDraft<'_>,
    verb: &str,
    is_granted: impl Fn(&crate::model::ManagementPolicies) -> bool,
) -> Option<Blocked> {
    let resource = draft.desired?;
    (!is_granted(&resource.lifecycle.policies)).then(|| Blocked {
        reason: BlockedReason::PolicyWithheld,
        message: format!("its managementPolicies withhold the right to {verb} it"),
        hint: None,
    })
}

/// A replacement is a delete: every law of deletes holds but the fuse, which guards against what
/// nobody meant, and this was approved by id.
fn replacement(draft: &ChangeDraft<'_>, view: &View<'_>, policy: &Policy) -> Option<Blocked> {
    let key = &draft.change.key;
    let entry = draft.entry?;
    prune::identity(draft)
        .or_else(|| prune::protection(draft, policy))
        .or_else(|| prune::right(key, entry.claim, policy))
        .or_else(|| (!view.is_complete(key.kind)).then(|| view.incomplete(key.kind)))
        .or_else(|| withheld(draft, "replace", |rights| rights.create && rights.delete))
}
