//! What a run may do: what people allow and ask for, what the platform can do, what was learned.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::{AdoptMode, Key, Kind, Remembered, RemoteId};

use super::{Blocked, PutOn, Settlements};

/// What one run may do, parted by who says it. `Policy::default()` allows no delete at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What a person decides once, in the settings or by the flags in their place.
    pub permissions: Permissions,
    /// What a person asks of this very run.
    pub request: RunRequest,
    /// What the platform can do, which the dialect says.
    pub platform: Platform,
    /// What an agent has learned.
    pub learned: Learned,
}

/// What a person decides once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// What may be deleted because no manifest declares it any more (S7).
    pub prune: Prune,
    /// When what lives already is taken over, unless its manifest says otherwise.
    pub adopt: AdoptMode,
    /// `--max-deletes`: lifts the fuse's number and share to this many deletes (S7).
    pub deletes_max: Option<usize>,
    /// Whether what was adopted by its name alone counts as ours to delete (`pruneAdopted`, S1).
    pub prune_adopted: bool,
    /// Whether fields that cannot be compared are written anyway.
    pub write_unverifiable: bool,
    /// How long an unanswered create may still be under way (S3).
    pub settle: Duration,
    /// How often one declared state is deployed because it drifted, its first time included, until
    /// it has been settled for a while (L1).
    pub deploys_max: u32,
}

/// What a person asks of one run. The default asks for nothing but the manifests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunRequest {
    /// The resources that are looked at.
    pub selection: Selection,
    /// What a person says of single fields that cannot be compared.
    pub settlements: Settlements,
    /// Objects a person allowed to be deleted and created again, by key and id (S8).
    pub replace: BTreeMap<Key, RemoteId>,
    /// Whether a person stands behind this very run, who is asked or gave the number: what went
    /// before it does not count against it (S7).
    pub is_ordered: bool,
    /// Whether everything owned must go (`destroy`): the fuse's shares do not apply, all other
    /// laws do.
    pub destroy: bool,
}

/// What the API can do. The dialect says so; planning is only told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// Whether a PATCH of the name renames (A18).
    pub renames: bool,
    /// Whether a PATCH takes effect only with a deploy after it (A6).
    pub deploys_after_patch: bool,
    /// Whether a person says that names are kept as they are sent (A22).
    pub keeps_names: bool,
    /// Whether two things cannot have one name (A8).
    pub unique_names: bool,
    /// The variables that the platform puts on by itself (A26).
    pub put_on: PutOn,
}

/// What an agent has learned of its project, and a single run has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// What must wait, and why: the agent's back-offs and what its deployments taught it.
    pub held: BTreeMap<Key, Blocked>,
    /// The kinds of which nothing goes now for lack of a manifest, and why: what declares them is
    /// vanishing (S7).
    pub absence: BTreeMap<Kind, Blocked>,
    /// What manifests said of deletion that were read, and replaced before anything of them was
    /// carried out: the agent only looked, or was busy (S11).
    pub protections: BTreeMap<Key, Remembered>,
    /// Resources that a person ordered to be repaired again, however often they were (L1).
    pub forgiven: BTreeSet<Key>,
}

impl Default for Permissions {
    fn default() -> Self {
        Self {
            prune: Prune::Off,
            adopt: AdoptMode::Always,
            deletes_max: None,
            prune_adopted: false,
            write_unverifiable: false,
            // In-flight 120 s and staleness 60 s (S3).
            settle: Duration::from_secs(180),
            // As the agent's `--deploys-max`: the first, and the two repairs of one value.
            deploys_max: 3,
        }
    }
}

impl Default for Platform {
    fn default() -> Self {
        Self {
            renames: true,
            deploys_after_patch: false,
            keeps_names: false,
            unique_names: true,
            put_on: PutOn::default(),
        }
    }
}

/// What may be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Prune {
    /// Nothing. What would go is listed with the flag that would do it.
    #[default]
    Off,
    /// These kinds.
    Kinds(BTreeSet<Kind>),
}

impl Prune {
    /// Whether a kind may be pruned.
    #[must_use]
    pub fn covers(&self, kind: Kind) -> bool {
        match self {
            Self::Off => false,
            Self::Kinds(kinds) => kinds.contains(&kind),
        }
    }
}

/// `--target` and `--exclude`. Any selection turns pruning off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these, and what they depend on; empty for all.
    pub targets: BTreeSet<Key>,
    /// Not these.
    pub excluded: BTreeSet<Key>,
}

impl Selection {
    /// Whether everything is looked at.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.targets.is_empty() && self.excluded.is_empty()
    }
}
