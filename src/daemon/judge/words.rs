//! The public words of what stands in the way of a resource, and what each means for it.

use crate::model::Claim;
use crate::plan::BlockedReason;

use super::State;

/// Whether what is blocked goes on by itself, waits for nothing, or needs a person.
pub(super) const fn state_of(reason: BlockedReason) -> State {
    match reason {
        BlockedReason::IncompleteView
        | BlockedReason::InFlight
        | BlockedReason::DependencyBlocked
        | BlockedReason::SourceShrinking
        | BlockedReason::BackingOff => State::Moving,
        BlockedReason::Unseen => State::Unseen,
        BlockedReason::PruneOff | BlockedReason::PolicyWithheld => State::Resting,
        BlockedReason::Immutable
        | BlockedReason::EnvGroup
        | BlockedReason::NotOwned
        | BlockedReason::AmbiguousName
        | BlockedReason::PerhapsOurs
        | BlockedReason::Protected
        | BlockedReason::AdoptionRefused
        | BlockedReason::Fuse
        | BlockedReason::SourceIncomplete
        | BlockedReason::ApprovalMissing
        | BlockedReason::Presumed
        | BlockedReason::DeployFailed
        | BlockedReason::RolledBack => State::Stuck,
    }
}

/// Returns the condition's reason for an obstacle.
pub(super) const fn word(reason: BlockedReason) -> &'static str {
    match reason {
        BlockedReason::Immutable => "Immutable",
        BlockedReason::EnvGroup => "EnvGroup",
        BlockedReason::NotOwned => "NotOwned",
        BlockedReason::IncompleteView => "IncompleteView",
        BlockedReason::Unseen => "Unseen",
        BlockedReason::AmbiguousName => "AmbiguousName",
        BlockedReason::Protected => "Protected",
        BlockedReason::DependencyBlocked => "DependencyBlocked",
        BlockedReason::AdoptionRefused => "AdoptionRefused",
        BlockedReason::PruneOff => "PruneOff",
        BlockedReason::Fuse => "Fuse",
        BlockedReason::SourceIncomplete => "SourceIncomplete",
        BlockedReason::SourceShrinking => "SourceShrinking",
        BlockedReason::ApprovalMissing => "ApprovalMissing",
        BlockedReason::InFlight => "InFlight",
        BlockedReason::PerhapsOurs => "PerhapsOurs",
        BlockedReason::PolicyWithheld => "PolicyWithheld",
        BlockedReason::Presumed => "Presumed",
        BlockedReason::BackingOff => "BackingOff",
        BlockedReason::DeployFailed => "DeployFailed",
        BlockedReason::RolledBack => "RolledBack",
    }
}

/// Returns the word for the right by which a resource is ours.
pub(super) const fn claim_word(claim: Claim) -> &'static str {
    match claim {
        Claim::Created => "created",
        Claim::Adopted => "adopted",
        Claim::Named => "named",
        Claim::Presumed => "presumed",
    }
}
