//! The plan as a value: changes, the steps that carry them out, and what stands in their way.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{
    Applied, Claim, Deployed, Effect, Entry, EnvKey, FieldPath, FieldValue, Generation, Key, Kind,
    LiveValue, Name, Origin, Project, Remembered, RemoteId, Rewrite, RotationCause,
};

use super::{Blocked, ByHand, LikelyRename};

/// Everything that would be done to one project, and what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The API's origin the plan was made against (S5).
    pub origin: String,
    /// The project it was made for (S5).
    pub project: Project,
    /// What the source calls itself, a commit for example.
    pub revision: Option<String>,
    /// The digest of the desired state (S6).
    pub digest: String,
    /// What would be done, in the order it would be begun; unchanged resources are not listed.
    pub changes: Vec<Change>,
    /// Live resources that are neither declared nor ours.
    pub unmanaged: Vec<Unmanaged>,
    /// Declared resources in which nothing differs.
    pub unchanged: Vec<Key>,
    /// Fields that were repaired before and have agreed for long enough, or of which nothing is
    /// asked any more: their count of repairs is forgotten.
    pub settled: Vec<(Key, FieldPath)>,
    /// Entries to be remembered in another form although nothing is written to the platform: a
    /// protection that is new (S11), a repair that settled. They replace the inventory's as they are.
    pub remember: BTreeMap<Key, Entry>,
    /// What people set, and what the platform shows of it.
    pub by_hand: Vec<ByHand>,
    /// What looks like a rename and is planned as something that goes and something that comes.
    pub likely_renames: Vec<LikelyRename>,
    /// What must be read in detail before all of it can be decided; until then that is blocked.
    pub wants: BTreeSet<(Kind, RemoteId)>,
    /// Whether nothing is remembered at all: of values that are not shown nothing can be said then.
    pub is_stateless: bool,
    /// What carrying it out costs.
    pub cost: Cost,
}

/// Live resources that are neither declared nor ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmanaged {
    /// Its kind.
    pub kind: Kind,
    /// Its name: foreign text.
    pub name: String,
    /// Its id.
    pub id: RemoteId,
}

/// What happens to one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The resource.
    pub key: Key,
    /// What happens to it.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Where its manifest is.
    pub origin: Option<Origin>,
    /// What it does to what runs.
    pub effect: Effect,
    /// How many instances run now, for "restarts 3 replicas".
    pub replicas: Option<u32>,
    /// Whether data is known to go with what is deleted: a database's, or that on a disk.
    pub has_data: bool,
    /// The object it happens to; none for a create.
    pub id: Option<RemoteId>,
    /// By what right an object not ours before becomes ours with this change.
    pub adopts: Option<Claim>,
    /// Field by field, in the order of the paths.
    pub fields: Vec<FieldChange>,
    /// What blocks it. A blocked change has no steps.
    pub blocked: Option<Blocked>,
    /// The requests that carry it out, in order; empty when only the inventory changes.
    pub steps: Vec<Step>,
    /// The changes that must succeed first: those that make a name it refers to, and for a delete
    /// those that let go of it. Each stands earlier in the plan.
    pub after: BTreeSet<Key>,
    /// What the inventory says once it is done, in place of entry and intent; nothing for what is
    /// deleted or forgotten, and for what writes nothing (`Plan::remember` speaks of that).
    pub record: Option<Record>,
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It is created.
    Create,
    /// Fields of it are changed, in one PATCH; or what was changed before is deployed (A6).
    Update,
    /// It is deleted and created again, approved by id (S8).
    Replace,
    /// It becomes ours; nothing is written to the platform.
    Adopt,
    /// It is gone already; we stop remembering it.
    Forget,
    /// It is deleted.
    Delete,
    /// Nothing is written: all that differs cannot be compared or is left alone, or nothing is known
    /// to differ and not all of it was seen.
    None,
}

/// Why a change is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A manifest asks for it.
    Requested,
    /// It changed on the platform without a manifest.
    Drift,
    /// It is ours, and no manifest declares it any more.
    NotInDesired,
    /// A tombstone names it.
    Tombstone,
    /// It was ours and is gone from the platform.
    Missing,
    /// It lives already under the declared name.
    AlreadyLive,
    /// It appeared after a create of ours whose answer was lost (S3).
    AnswerLost,
    /// Nothing differs, and an earlier change of ours was written and never deployed (A6).
    DeployOwed,
    /// `stoker destroy`.
    Destroy,
}

/// What happens to one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Which field.
    pub path: FieldPath,
    /// What happens to it.
    pub action: FieldAction,
    /// What the platform shows now, when it shows it.
    pub before: Option<FieldValue>,
    /// What it will be; nothing when it is removed.
    pub after: Option<FieldValue>,
    /// Why.
    pub reason: FieldReason,
    /// Whether its values must not be shown.
    pub sensitive: bool,
    /// How a person mends it: the line for the manifest, or the ways to settle it.
    pub hint: Option<String>,
}

/// What happens to one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldAction {
    /// It gets a value where it had none.
    Add,
    /// Its value changes.
    Change,
    /// It is removed.
    Remove,
    /// Nothing: it cannot be compared, or it does not settle.
    Leave,
}

/// Why a field differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldReason {
    /// A manifest asks for another value than was last written.
    Requested,
    /// Its value is generated, and the next one takes the place of that in use.
    Rotated(RotationCause),
    /// No manifest gives it a value, and a new resource needs one.
    Derived,
    /// A manifest asks for it, and what it refers to is made after the change: it is written by a
    /// PATCH of its own then.
    Later,
    /// It changed on the platform.
    Drift,
    /// The platform does not show it, and we do not know what was last written.
    Unverifiable,
    /// The same, and a person takes what lives for what is declared.
    Accepted,
    /// It was repaired as often as may be, and does not stay.
    Flapping,
}

/// One write request, complete: the executor adds nothing to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// POST. Precondition: a complete listing without the name (S2).
    Create {
        /// Every declared field.
        fields: BTreeMap<FieldPath, FieldValue>,
    },
    /// PATCH. Precondition: the object still is what was shown (S10).
    Patch {
        /// The object.
        id: RemoteId,
        /// What is written; `None` removes.
        fields: BTreeMap<FieldPath, Option<FieldValue>>,
        /// What must still be so.
        precondition: Precondition,
    },
    /// PATCH of the name alone of another object of ours, which has the name that this change gives
    /// and is given its own by a later one. Precondition: it still has that name (S10).
    MakeWay {
        /// That object.
        id: RemoteId,
        /// What it becomes.
        becomes: Key,
        /// What it is called for the moment.
        name: Name,
        /// What must still be so.
        precondition: Precondition,
    },
    /// PATCH of what the steps before it left, with what was put off: the last step, which begins
    /// once other changes are done. `Change::completed` makes it a PATCH. Precondition: the object
    /// still is as they left it (S10).
    Complete {
        /// What is written.
        fields: BTreeMap<FieldPath, FieldValue>,
        /// What was shown of it.
        shown: BTreeMap<FieldPath, Option<LiveValue>>,
        /// The changes that must succeed first.
        after: BTreeSet<Key>,
        /// Whether it takes effect only with a deploy (A6).
        deploys: bool,
    },
    /// POST of a deploy, where a PATCH takes effect only with one (A6).
    Deploy {
        /// The service.
        id: RemoteId,
        /// What must still be so, where it does not follow on a PATCH at once.
        precondition: Precondition,
    },
    /// DELETE. Precondition: a GET by id answers the same kind, name and `created_at` (S1).
    Delete {
        /// The object.
        id: RemoteId,
        /// What must still be so.
        precondition: Precondition,
    },
}

/// What a person was shown of an object, and what must still be so right before the write (S10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precondition {
    /// The live name.
    pub name: String,
    /// When it was created.
    pub created_at: Option<String>,
    /// What was shown of each field that is written; `None` when the platform does not say.
    pub fields: BTreeMap<FieldPath, Option<LiveValue>>,
}

/// What the inventory says of a resource once its change is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// By what right it is ours from then on.
    pub claim: Claim,
    /// When the object was created, if it lives already; a create learns it from the answer.
    pub created_at: Option<String>,
    /// When we made it, by our own clock; a create knows it once it is done.
    pub made_at: Option<Timestamp>,
    /// The name the platform gave it in place of the declared one (A22).
    pub given_name: Option<String>,
    /// What the manifest says of deletion (S11).
    pub remembered: Remembered,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The declared values known to be on the platform once the change is done.
    pub applied: BTreeMap<FieldPath, FieldValue>,
    /// What is remembered further as it is, from the entry or the intent: values that are neither
    /// compared nor written this time. `applied` wins where both speak.
    pub kept: BTreeMap<FieldPath, Applied>,
    /// When secrets among these last got other values, as far as that is known.
    pub changed_at: BTreeMap<FieldPath, Timestamp>,
    /// Which of their values generated variables have then.
    pub generated: BTreeMap<EnvKey, Generation>,
    /// Variables that are there and are not ours to remove.
    pub tolerated_env: BTreeSet<EnvKey>,
    /// Declared variables whose values people set: never ours to write, nor to remove.
    pub set_by_hand: BTreeSet<EnvKey>,
    /// Whether the set of variables as a whole is ours from then on.
    pub env_managed: bool,
    /// Whether others may add variables.
    pub env_additive: bool,
    /// Repairs that are not forgotten yet, this change's included.
    pub rewrites: BTreeMap<FieldPath, Rewrite>,
    /// Deployments of what is declared, this change's included.
    pub deployed: Option<Deployed>,
    /// What it depends on.
    pub depends_on: BTreeSet<Key>,
    /// The previous names that its manifest declares, which are done with then.
    pub previous_names: BTreeSet<Name>,
    /// The key it had before a rename.
    pub renamed_from: Option<Key>,
    /// Where names go round: all keys before, this one's included, with what each becomes.
    pub exchanges: BTreeMap<Key, Key>,
}

impl Record {
    /// Returns the entry for the object with that id. `created_at` is what an answer said; it is
    /// taken when the record does not know better.
    #[must_use]
    pub fn into_entry(self, id: RemoteId, created_at: Option<String>) -> Entry {
        let Self {
            claim,
            created_at: known,
            made_at,
            given_name,
            remembered,
            labels,
            applied,
            kept,
            changed_at,
            generated,
            tolerated_env,
            set_by_hand: _,
            env_managed,
            env_additive,
            rewrites,
            deployed,
            depends_on,
            previous_names,
            renamed_from: _,
            exchanges: _,
        } = self;
        let written = applied.into_iter().map(|(path, value)| (path, Applied::from(&value)));
        Entry {
            id,
            created_at: known.or(created_at),
            made_at,
            given_name,
            interim_name: None,
            previous_names,
            claim,
            remembered,
            labels,
            applied: kept.into_iter().chain(written).collect(),
            changed_at,
            generated,
            tolerated_env,
            env_managed,
            env_additive,
            rewrites,
            deployed,
            depends_on,
        }
    }
}

/// What carrying a plan out costs in requests, from the start of `stoker apply`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Reading the snapshot, and reading again what the laws demand (S1, S2, S10).
    pub reads: u32,
    /// The writes.
    pub writes: u32,
}
