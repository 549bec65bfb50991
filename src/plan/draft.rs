//! Drafts of changes: a claimed resource together with its differences, before anything is weighed.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Effect, Entry, EnvKey, FieldPath, Key, LiveObject, Name, Remembered, Resource};

use super::birth::{self, added, created, unwritten};
use super::diff::{compare, effect};
use super::difference::{Difference, LastApplied, is_written};
use super::standing::{Claimed, Found, Ours, Standing, Unclear};
use super::view::View;
use super::{Action, Blocked, Change, FieldChange, FieldReason, Policy, Reason, Record, Step};

/// A change in the making, with what it was made from.
pub(super) struct ChangeDraft<'a> {
    pub change: Change,
    pub desired: Option<&'a Resource>,
    pub entry: Option<&'a Entry>,
    pub object: Option<&'a LiveObject>,
    /// Sizes that would shrink.
    pub shrinks: BTreeSet<FieldPath>,
    /// What it refers to and need not come first: that is written afterwards.
    pub later: BTreeSet<Key>,
    /// Whether more must be read before it can be decided.
    pub is_in_doubt: bool,
    /// What must move on first, because it has the name that this one gets.
    pub follows: Option<&'a Key>,
    /// What lets another one make way that has the name, where none can move on first.
    pub clears: Option<Step>,
    /// The name its object has for the moment, when its change begins.
    pub called: Option<Name>,
}

/// What the comparison yields.
#[derive(Default)]
pub(super) struct ChangeDrafts<'a> {
    pub drafts: Vec<ChangeDraft<'a>>,
    pub unchanged: Vec<Key>,
    pub settled: Vec<(Key, FieldPath)>,
    pub remember: BTreeMap<Key, Entry>,
}

pub(super) fn write<'a>(
    claims: Vec<Claimed<'a>>,
    view: &View<'a>,
    policy: &Policy,
) -> ChangeDrafts<'a> {
    let mut drafts = ChangeDrafts::default();
    for claimed in claims {
        drafts.add(claimed, view, policy);
    }
    drafts
}

impl<'a> ChangeDrafts<'a> {
    fn add(&mut self, claimed: Claimed<'a>, view: &View<'_>, policy: &Policy) {
        let Claimed { key, desired, standing } = claimed;
        match (standing, desired) {
            (Standing::Absent(reason), Some(resource)) => self.create(resource, reason, view),
            (Standing::Ours(ours), Some(resource)) => self.ours(resource, ours, view, policy),
            (Standing::Found(found), Some(resource)) => self.found(resource, found, view, policy),
            (Standing::Found(found), None) => self.presumed(key, found),
            (Standing::Unclear(unclear), _) => self.unclear(key, desired, unclear, view),
            (Standing::Unwanted { entry, object, reason }, _) => {
                if let Some(resource) = desired {
                    self.tell(key, resource, entry, view);
                }
                self.delete(key, desired, entry, object, reason);
            }
            (Standing::Gone(id), _) => {
                let mut draft = draft(key, desired, Action::Forget, Reason::Missing);
                draft.change.id = id;
                self.drafts.push(draft);
            }
            // Only what is declared is ever absent or ours and wanted.
            (Standing::Absent(_) | Standing::Ours(_), None) => {}
        }
    }

    fn create(&mut self, resource: &'a Resource, reason: Reason, view: &View<'_>) {
        let field_reason = match reason {
            Reason::Missing => FieldReason::Drift,
            Reason::Requested
            | Reason::Drift
            | Reason::NotInDesired
            | Reason::Tombstone
            | Reason::AlreadyLive
            | Reason::AnswerLost
            | Reason::DeployOwed
            | Reason::Destroy => FieldReason::Requested,
        };
        let declared = resource.fields.iter().map(|(path, it)| (path, &it.value, field_reason));
        let derived = resource.on_create.iter().map(|(path, it)| (path, it, FieldReason::Derived));
        let both = declared.chain(derived);
        let mut fields: Vec<FieldChange> =
            both.map(|(path, it, why)| added(path, it, why)).collect();
        fields.sort_by(|left, right| left.path.cmp(&right.path));
        let mut draft = draft(&resource.key, Some(resource), Action::Create, reason);
        draft.change.fields = fields;
        draft.change.record = Some(created(resource, view.snapshot.now));
        self.drafts.push(draft);
    }

    fn ours(&mut self, resource: &'a Resource, ours: Ours<'a>, view: &View<'_>, policy: &Policy) {
        let Ours { entry, object, renamed_from } = ours;
        let (known, is_renamed) = (LastApplied::of_entry(entry), renamed_from.is_some());
        let is_forgiven = policy.learned.forgiven.contains(&resource.key);
        let memory = if is_forgiven { known.forgiven() } else { known };
        let told = (policy, view.snapshot.now);
        let is_attached = |key: &EnvKey| view.is_attached(resource, object, key);
        let is_moving = is_renamed || entry.is_interim(&object.name);
        let difference = compare(resource, object, memory, is_moving, told, &is_attached);
        let (action, reason) = if difference.writes() {
            (Action::Update, reason(&difference.fields))
        } else if view.owes_deploy(object, policy) {
            (Action::Update, Reason::DeployOwed)
        } else if is_renamed {
            (Action::Adopt, reason(&difference.fields))
        } else {
            (Action::None, reason(&difference.fields))
        };
        let mut draft = draft(&resource.key, Some(resource), action, reason);
        if action == Action::Adopt {
            draft.change.adopts = Some(entry.claim);
        }
        draft.entry = Some(entry);
        let unseen = view.unread(object).or_else(|| {
            (action == Action::None).then(|| view.unnamed_groups(resource, object)).flatten()
        });
        if let Some(unseen) = unseen {
            let known_as = renamed_from.as_ref().unwrap_or(&resource.key);
            self.tell(known_as, resource, entry, view);
            self.drafts.push(draft.unseen(object, difference, unseen));
            return;
        }
        let created_at = entry.created_at.clone().or_else(|| object.created_at.clone());
        let record = draft.take(resource, object, difference, &mut self.settled);
        draft.deploys_if_owed(view, policy);
        let (claim, made_at) = (entry.claim, entry.made_at);
        // A name that is written is given anew, and the answer says which.
        let given_name = entry.given_name.clone();
        let given_name = given_name.filter(|_| !is_renamed && !draft.change.writes_name());
        let exchanges = view.exchanges.round_of(renamed_from.as_ref());
        let record =
            Record { claim, created_at, made_at, given_name, renamed_from, exchanges, ..record };
        match action {
            Action::None => {
                let learned = record.into_entry(entry.id.clone(), None);
                if learned != *entry {
                    self.remember.insert(resource.key.clone(), learned);
                }
                if draft.change.fields.is_empty() {
                    self.unchanged.push(resource.key.clone());
                    return;
                }
            }
            Action::Create
            | Action::Update
            | Action::Replace
            | Action::Adopt
            | Action::Forget
            | Action::Delete => {
                let known_as = record.renamed_from.as_ref().unwrap_or(&resource.key);
                self.tell(known_as, resource, entry, view);
                draft.change.record = Some(record);
            }
        }
        self.drafts.push(draft);
    }

    /// Remembers what a manifest says of deletion, whatever becomes of the change: what blocks it, a
    /// PATCH that is refused, or manifests that replace these before it is begun, must not keep a
    /// protection from being known (S11).
    fn tell(&mut self, key: &Key, resource: &Resource, entry: &Entry, view: &View<'_>) {
        let remembered = Remembered::from(&resource.lifecycle);
        // To remember an entry ends an intent; what comes of that one is remembered with it.
        if remembered != entry.remembered && !view.inventory().intents.contains_key(key) {
            self.remember.insert(key.clone(), Entry { remembered, ..entry.clone() });
        }
    }

    fn found(
        &mut self,
        resource: &'a Resource,
        found: Found<'a>,
        view: &View<'_>,
        policy: &Policy,
    ) {
        let Found { object, claim, intent, renamed_from } = found;
        let known = intent.map_or_else(LastApplied::none, |it| LastApplied::of_intent(&it.applied));
        let told = (policy, view.snapshot.now);
        let is_attached = |key: &EnvKey| view.is_attached(resource, object, key);
        let difference =
            compare(resource, object, known, renamed_from.is_some(), told, &is_attached);
        let is_written = difference.writes() || view.owes_deploy(object, policy);
        let action = if is_written { Action::Update } else { Action::Adopt };
        let reason = intent.map_or(Reason::AlreadyLive, |_| Reason::AnswerLost);
        let mut draft = draft(&resource.key, Some(resource), action, reason);
        draft.change.adopts = Some(claim);
        if let Some(unseen) = view.unread(object) {
            self.drafts.push(draft.unseen(object, difference, unseen));
            return;
        }
        let record = draft.take(resource, object, difference, &mut self.settled);
        draft.deploys_if_owed(view, policy);
        draft.change.record =
            Some(Record { claim, created_at: object.created_at.clone(), renamed_from, ..record });
        self.drafts.push(draft);
    }

    /// The result of an unanswered create that nobody declares any more is remembered as it was
    /// sent, so that it does not become a hidden orphan (L4).
    fn presumed(&mut self, key: &'a Key, found: Found<'a>) {
        let Found { object, claim, intent, renamed_from: _ } = found;
        let mut draft = draft(key, None, Action::Adopt, Reason::AnswerLost);
        draft.change.adopts = Some(claim);
        draft.change.id = Some(object.id.clone());
        let created_at = object.created_at.clone();
        draft.change.record = intent.map(|intent| birth::presumed(intent, claim, created_at));
        draft.object = Some(object);
        self.drafts.push(draft);
    }

    fn unclear(
        &mut self,
        key: &'a Key,
        desired: Option<&'a Resource>,
        unclear: Unclear<'a>,
        view: &View<'_>,
    ) {
        let Unclear { action, reason, entry, id, blocked } = unclear;
        if let (Some(resource), Some(entry)) = (desired, entry) {
            self.tell(key, resource, entry, view);
        }
        let mut draft = draft(key, desired, action, reason);
        draft.change.id = id;
        draft.change.blocked = Some(blocked);
        draft.entry = entry;
        self.drafts.push(draft);
    }

    fn delete(
        &mut self,
        key: &'a Key,
        desired: Option<&'a Resource>,
        entry: &'a Entry,
        object: &'a LiveObject,
        reason: Reason,
    ) {
        let mut draft = draft(key, desired, Action::Delete, reason);
        draft.change.effect = Effect::Destroy;
        draft.change.id = Some(object.id.clone());
        draft.change.replicas = object.replicas;
        draft.entry = Some(entry);
        draft.object = Some(object);
        self.drafts.push(draft);
    }
}

impl<'a> ChangeDraft<'a> {
    /// Takes the differences over, and returns the record they make; who owns it is not said yet.
    fn take(
        &mut self,
        resource: &Resource,
        object: &'a LiveObject,
        difference: Difference,
        settled: &mut Vec<(Key, FieldPath)>,
    ) -> Record {
        let Difference {
            fields,
            applied,
            kept,
            changed_at,
            generated,
            tolerated_env,
            env_managed,
            rewrites,
            deployed,
            settled: paths,
            shrinks,
        } = difference;
        settled.extend(paths.into_iter().map(|path| (resource.key.clone(), path)));
        self.change.effect = effect(&resource.key, &fields);
        self.change.fields = fields;
        self.change.id = Some(object.id.clone());
        self.change.replicas = object.replicas;
        self.object = Some(object);
        self.shrinks = shrinks;
        Record {
            applied,
            kept,
            changed_at,
            generated,
            tolerated_env,
            env_managed,
            rewrites,
            deployed,
            ..unwritten(resource)
        }
    }

    /// Lets the change be: of what was not seen nothing is concluded, neither that it is as declared
    /// nor what would have to be written, and nothing is learned (S2). What differs by what was seen
    /// is shown all the same.
    fn unseen(mut self, object: &'a LiveObject, difference: Difference, unseen: Blocked) -> Self {
        let mut fields = difference.fields;
        fields.retain(|field| match field.reason {
            FieldReason::Unverifiable | FieldReason::Accepted => false,
            FieldReason::Requested
            | FieldReason::Rotated(_)
            | FieldReason::Derived
            | FieldReason::Later
            | FieldReason::Drift
            | FieldReason::Flapping => true,
        });
        self.change.effect = effect(&self.change.key, &fields);
        self.change.fields = fields;
        self.change.id = Some(object.id.clone());
        self.change.replicas = object.replicas;
        self.change.blocked = Some(unseen);
        self.object = Some(object);
        self
    }

    /// What was written before and never deployed starts with this change: it restarts at least.
    fn deploys_if_owed(&mut self, view: &View<'_>, policy: &Policy) {
        let is_owed = self.object.is_some_and(|object| view.owes_deploy(object, policy));
        if is_owed {
            self.change.effect = self.change.effect.max(Effect::Restart);
        }
    }
}

fn draft<'a>(
    key: &Key,
    desired: Option<&'a Resource>,
    action: Action,
    reason: Reason,
) -> ChangeDraft<'a> {
    ChangeDraft {
        change: Change {
            key: key.clone(),
            action,
            reason,
            origin: desired.map(|resource| resource.origin.clone()),
            effect: Effect::None,
            replicas: None,
            has_data: false,
            id: None,
            adopts: None,
            fields: Vec::new(),
            blocked: None,
            steps: Vec::new(),
            after: BTreeSet::new(),
            record: None,
        },
        desired,
        entry: None,
        object: None,
        shrinks: BTreeSet::new(),
        later: BTreeSet::new(),
        is_in_doubt: false,
        follows: None,
        clears: None,
        called: None,
    }
}

/// Why a resource of ours changes: a wish outweighs a drift.
fn reason(fields: &[FieldChange]) -> Reason {
    let is_drift = |field: &FieldChange| match field.reason {
        FieldReason::Drift | FieldReason::Flapping => true,
        FieldReason::Requested
        | FieldReason::Rotated(_)
        | FieldReason::Derived
        | FieldReason::Later
        | FieldReason::Unverifiable
        | FieldReason::Accepted => false,
    };
    let mut written = fields
        .iter()
        .filter(|field| is_written(field) && field.reason != FieldReason::Unverifiable);
    let is_all_drift = match written.next() {
        Some(first) => is_drift(first) && written.all(is_drift),
        None => fields.iter().any(is_drift),
    };
    if is_all_drift { Reason::Drift } else { Reason::Requested }
}
