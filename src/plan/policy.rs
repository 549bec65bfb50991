//! What the person who runs it allows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::{AdoptMode, Key, Kind, Remembered, RemoteId};

use super::{Blocked, PutOn, Settlements};

/// The permissions of one run. `Policy::default()` allows no delete at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What may be deleted because no manifest declares it any more (S7).
    pub prune: Prune,
    /// When what lives already is taken over, unless its manifest says otherwise.
    pub adopt: AdoptMode,
    /// `--max-deletes`: lifts the fuse's number and share to this many deletes (S7).
    pub deletes_max: Option<usize>,
    /// Whether a person stands behind this very run, who is asked or gave the number: what went
    /// before it does not count against it (S7).
    pub is_ordered: bool,
    /// The kinds of which nothing goes now for lack of a manifest, and why: what declares them is
    /// vanishing (S7).
    pub absence: BTreeMap<Kind, Blocked>,
    /// Whether what was adopted by its name alone counts as ours to delete (`pruneAdopted`, S1).
    pub prune_adopted: bool,
    /// Whether fields that cannot be compared are written anyway.
    pub write_unverifiable: bool,
    /// What a person says of single fields that cannot be compared.
    pub settlements: Settlements,
    /// The resources that are looked at.
    pub selection: Selection,
    /// Objects a person allowed to be deleted and created again, by key and id (S8).
    pub replace: BTreeMap<Key, RemoteId>,
    /// How long an unanswered create may still be under way (S3).
    pub settle: Duration,
    /// What must wait, and why: the agent's back-offs and what its deployments taught it.
    pub held: BTreeMap<Key, Blocked>,
    /// What manifests said of deletion that were read, and replaced before anything of them was
    /// carried out: the agent only looked, or was busy (S11).
    pub protections: BTreeMap<Key, Remembered>,
    /// How often one declared state is deployed because it drifted, its first time included, until
    /// it has been settled for a while (L1).
    pub deploys_max: u32,
    /// Resources that a person ordered to be repaired again, however often they were (L1).
    pub forgiven: BTreeSet<Key>,
    /// Whether everything owned must go (`destroy`): the fuse's shares do not apply, all other
    /// laws do.
    pub destroy: bool,
    /// What the API can do, as far as planning must know.
    pub platform: Platform,
    /// The variables that the platform puts on by itself (A26).
    pub put_on: PutOn,
}

/// What the API can do. The dialect says so; planning is only told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform {
    /// Whether a PATCH of the name renames (A18).
    pub renames: bool,
    /// Whether a PATCH takes effect only with a deploy after it (A6).
    pub deploys_after_patch: bool,
    /// Whether a person says that names are kept as they are sent (A22).
    pub keeps_names: bool,
    /// Whether two things cannot have one name (A8).
    pub unique_names: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            prune: Prune::Off,
            adopt: AdoptMode::Always,
            deletes_max: None,
            is_ordered: false,
            absence: BTreeMap::new(),
            prune_adopted: false,
            write_unverifiable: false,
            settlements: Settlements::default(),
            selection: Selection::default(),
            replace: BTreeMap::new(),
            // In-flight 120 s and staleness 60 s (S3).
            settle: Duration::from_secs(180),
            held: BTreeMap::new(),
            protections: BTreeMap::new(),
            // As the agent's `--deploys-max`: the first, and the two repairs of one value.
            deploys_max: 3,
            forgiven: BTreeSet::new(),
            destroy: false,
            platform: Platform {
                renames: true,
                deploys_after_patch: false,
                keeps_names: false,
                unique_names: true,
            },
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
