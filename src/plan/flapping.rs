//! What will not settle: one rule over time for every kind of disagreement (L1).
//!
//! Only what is read counts. The answer to a write may echo what was sent, and one look that agrees
//! may fall between two swings. So a repair is forgotten when reads have agreed for as long as
//! [`AGREEMENT`], and until then a value is repaired twice at most, and what is declared is deployed
//! three times at most. What is left alone is told with the line that mends it.

use jiff::{SignedDuration, Timestamp};

use crate::model::{
    Applied, Deployed, Effect, EnvSet, FieldPath, FieldValue, Key, Lifecycle, LiveObject,
    LiveValue, Name, Resource, Rewrite, Setting, policy as field_policy,
};

use super::difference::LastApplied;
use super::{FieldAction, FieldChange, FieldReason, Policy};

/// How long reads must agree until a repair is forgotten.
///
/// Long beside all that could hide a disagreement: a deployment, at whose end a platform may write
/// a value in its own way, is followed for half an hour, and an agent looks every five minutes by
/// default and every hour at least. Short beside the days between two slips of a person's hand.
pub(super) const AGREEMENT: SignedDuration = SignedDuration::from_hours(1);

/// How often a value is repaired until it is left alone.
///
/// Once can be a person's hand or a slow platform; twice is a platform that writes the value in
/// another way, or somebody who fights us. Each more repair is a restart for nothing.
const REPAIRS_MAX: u32 = 2;

impl Rewrite {
    /// Whether it was repaired so often that it is left alone.
    pub(super) const fn is_used_up(&self) -> bool {
        self.count >= REPAIRS_MAX
    }

    /// What is remembered after a read that agrees; nothing any more when they have for long enough.
    pub(super) fn agreed(&self, now: Timestamp) -> Option<Self> {
        // A time to come was written by a clock that has been set since: it begins anew.
        let since = self.agreed_since.filter(|since| *since <= now).unwrap_or(now);
        let is_over = now.duration_since(since) >= AGREEMENT;
        (!is_over).then(|| Self { agreed_since: Some(since), ..self.clone() })
    }

    /// What is remembered after a read that differs and is left alone.
    pub(super) fn left(known: Option<&Self>, change: &FieldChange) -> Self {
        let read_back = || change.before.as_ref().map(Applied::from);
        known.map_or_else(
            || Self { count: 0, read_back: read_back(), agreed_since: None },
            |known| Self { agreed_since: None, ..known.clone() },
        )
    }

    /// What is remembered of one more repair.
    pub(super) fn repaired(known: Option<&Self>, change: &FieldChange) -> Self {
        Self {
            count: known.map_or(0, |known| known.count) + 1,
            read_back: change.before.as_ref().map(Applied::from),
            agreed_since: None,
        }
    }
}

/// What a read says of a field that was repaired before and differs no more.
pub(super) enum Agreement {
    /// It is shown, and as declared.
    Agrees,
    /// It is not shown: nothing is learned.
    Unseen,
    /// Nobody asks for it any more, or something else of it.
    Moot,
}

/// Says of a field that was repaired before, and is no drift now, whether it agrees.
pub(super) fn agreement(
    path: &FieldPath,
    resource: &Resource,
    object: &LiveObject,
    change: Option<&FieldChange>,
) -> Agreement {
    let is_name = *path == FieldPath::Setting(Setting::Name);
    let is_declared = is_name || resource.fields.contains_key(path);
    let is_exact = resource.declares_env && resource.lifecycle.env_vars == EnvSet::Exact;
    let is_kept_away = path.env_key().is_some() && is_exact;
    match change.map(|change| change.reason) {
        Some(
            FieldReason::Requested
            | FieldReason::Rotated(_)
            | FieldReason::Derived
            | FieldReason::Later,
        ) => {
            return Agreement::Moot;
        }
        Some(
            FieldReason::Drift
            | FieldReason::Unverifiable
            | FieldReason::Accepted
            | FieldReason::Flapping,
        ) => {
            return Agreement::Unseen;
        }
        None if resource.lifecycle.ignores(path) => return Agreement::Moot,
        None if is_name => return Agreement::Agrees,
        None => {}
    }
    match object.shows(path) {
        None => Agreement::Unseen,
        Some(LiveValue::Hidden) if is_declared => Agreement::Unseen,
        Some(_) if is_declared => Agreement::Agrees,
        Some(LiveValue::Absent) if is_kept_away => Agreement::Agrees,
        Some(LiveValue::Shown(_) | LiveValue::Hidden | LiveValue::Absent) => Agreement::Moot,
    }
}

/// Bounds the deployments of one declared state: where only repairs would begin one more than
/// allowed, they are left alone. Returns what is remembered of deployments, and the places of the
/// fields that are to be left.
pub(super) fn bound(
    key: &Key,
    fields: &[FieldChange],
    memory: LastApplied<'_>,
    policy: &Policy,
    now: Timestamp,
) -> (Option<Deployed>, Vec<usize>) {
    let deploys = |field: &FieldChange| {
        super::difference::is_written(field)
            && match field_policy(key.kind, &field.path).effect {
                Effect::Restart | Effect::Rebuild => true,
                Effect::None | Effect::Destroy => false,
            }
    };
    let is_wish = fields.iter().any(|field| {
        super::difference::is_written(field) && field.reason == FieldReason::Requested
    });
    let count = deployments(memory, now);
    let places = fields.iter().enumerate().filter(|(_, field)| deploys(field));
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    match places.as_slice() {
        [] => (memory.deployed, Vec::new()),
        // Another state is asked for, and has its own three.
        _ if is_wish => (Some(Deployed { count: 1, last: now }), Vec::new()),
        _ if count < policy.permissions.deploys_max => {
            (Some(Deployed { count: count + 1, last: now }), Vec::new())
        }
        _ => (memory.deployed, places),
    }
}

/// How often what is declared was deployed, until it has been settled for long enough.
fn deployments(memory: LastApplied<'_>, now: Timestamp) -> u32 {
    let is_recent = |time: Timestamp| time <= now && now.duration_since(time) < AGREEMENT;
    match (memory.deployed, memory.made_at) {
        (Some(Deployed { count, last }), _) if !memory.rewrites.is_empty() || is_recent(last) => {
            count
        }
        (None, Some(made_at)) if is_recent(made_at) => 1,
        (Some(_) | None, _) => 0,
    }
}

/// Adds to every field that is left alone the manifest line that mends it, one for all of them.
pub(super) fn advise(resource: &Resource, fields: &mut [FieldChange]) {
    let is_left = |field: &FieldChange| field.reason == FieldReason::Flapping;
    let is_name = |path: &FieldPath| *path == FieldPath::Setting(Setting::Name);
    let left = fields.iter().filter(|field| is_left(field) && !is_name(&field.path));
    let line = ignore_line(&resource.lifecycle, left.map(|field| &field.path));
    for field in fields.iter_mut().filter(|field| is_left(field)) {
        field.hint = if is_name(&field.path) {
            name_line(&resource.key, field.before.as_ref())
        } else {
            Some(line.clone())
        };
    }
}

/// The manifest line that leaves fields to the platform, what is ignored already included.
pub(super) fn ignore_line<'a>(
    lifecycle: &Lifecycle,
    left: impl Iterator<Item = &'a FieldPath>,
) -> String {
    let ignored = lifecycle.ignore_changes.iter().cloned();
    let paths = ignored.chain(left.map(ToString::to_string));
    let paths: Vec<String> = paths.map(|path| Lifecycle::ignored_as(&path)).collect();
    format!("ignoreChanges: [{}]", paths.join(", "))
}

/// The manifest line that takes the name as it lives: what refers to it is then checked by that name.
fn name_line(key: &Key, live: Option<&FieldValue>) -> Option<String> {
    let live = Name::new(&live?.to_string()).ok()?;
    Some(format!("metadata: {{ name: {live}, previousNames: [{}] }}", key.name))
}

/// Leaves a field alone.
pub(super) fn leave(field: &mut FieldChange) {
    field.action = FieldAction::Leave;
    field.reason = FieldReason::Flapping;
}
