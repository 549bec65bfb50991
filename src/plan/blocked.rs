//! What stands in the way of a change, and whether that is a refusal or a wish.

/// What stands in the way of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The kind of obstacle.
    pub reason: BlockedReason,
    /// What is the matter, a fragment.
    pub message: String,
    /// What a person can do: a command or a line to paste.
    pub hint: Option<String>,
}

/// The kinds of obstacle. Their words are public and are never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockedReason {
    /// The field can only be had by another resource (S8).
    Immutable,
    /// The API can neither change nor delete an env group (F4).
    EnvGroup,
    /// It was not created by us, nor adopted by a person (S1).
    NotOwned,
    /// The listing is not known to be complete (S2).
    IncompleteView,
    /// It is listed, and what a verdict on it needs could not be read (S2).
    Unseen,
    /// Several live objects have the name.
    AmbiguousName,
    /// `lifecycle.protect` or `prune: false`, now or remembered (S11).
    Protected,
    /// What it depends on is blocked or failed.
    DependencyBlocked,
    /// `adopt: never`, or `match` and a field differs.
    AdoptionRefused,
    /// Pruning was not asked for (S7).
    PruneOff,
    /// More deletes than the fuse lets through (S7).
    Fuse,
    /// A part of the manifests was not read, and may declare it (S7).
    SourceIncomplete,
    /// What declared it vanished a moment ago, and more may be vanishing (S7).
    SourceShrinking,
    /// A database without `lifecycle.prune: true` and without a valid approval (S7).
    ApprovalMissing,
    /// A create of ours may still be under way (S3), or what has the name is being deleted (A7).
    InFlight,
    /// A create of ours was not answered, and what appeared since may be its result under another
    /// name (S3, A22).
    PerhapsOurs,
    /// `managementPolicies` withholds the right.
    PolicyWithheld,
    /// Adopted as presumed; a person must confirm before it can be deleted (S3).
    Presumed,
    /// It failed a moment ago and is retried later (L2).
    BackingOff,
    /// Its deployments of this very state failed as often as is allowed.
    DeployFailed,
    /// Somebody rolled it back; a repair would undo that.
    RolledBack,
}

impl BlockedReason {
    /// Returns the word of the JSON form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Immutable => "immutable",
            Self::EnvGroup => "env_group",
            Self::NotOwned => "not_owned",
            Self::IncompleteView => "incomplete_view",
            Self::Unseen => "unseen",
            Self::AmbiguousName => "ambiguous_name",
            Self::Protected => "protected",
            Self::DependencyBlocked => "dependency_blocked",
            Self::AdoptionRefused => "adoption_refused",
            Self::PruneOff => "prune_off",
            Self::Fuse => "fuse",
            Self::SourceIncomplete => "source_incomplete",
            Self::SourceShrinking => "source_shrinking",
            Self::ApprovalMissing => "approval_missing",
            Self::InFlight => "in_flight",
            Self::PerhapsOurs => "perhaps_ours",
            Self::PolicyWithheld => "policy_withheld",
            Self::Presumed => "presumed",
            Self::BackingOff => "backing_off",
            Self::DeployFailed => "deploy_failed",
            Self::RolledBack => "rolled_back",
        }
    }
}

impl BlockedReason {
    /// Whether what is blocked was asked for. Pruning that is off and rights that a manifest
    /// withholds were declined by the user, not refused by us.
    #[must_use]
    pub const fn is_asked_for(self) -> bool {
        match self {
            Self::PruneOff | Self::PolicyWithheld => false,
            Self::Immutable
            | Self::EnvGroup
            | Self::NotOwned
            | Self::IncompleteView
            | Self::Unseen
            | Self::AmbiguousName
            | Self::Protected
            | Self::DependencyBlocked
            | Self::AdoptionRefused
            | Self::Fuse
            | Self::SourceIncomplete
            | Self::SourceShrinking
            | Self::ApprovalMissing
            | Self::InFlight
            | Self::PerhapsOurs
            | Self::Presumed
            | Self::BackingOff
            | Self::DeployFailed
            | Self::RolledBack => true,
        }
    }
}

impl Blocked {
    /// Whether nothing is known to stand in the way: what is needed to tell was not seen.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.reason == BlockedReason::Unseen
    }
}
