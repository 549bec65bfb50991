//! The public words of what stands in the way of a resource, and what each means for it.

use crate::model::Claim;
use crate::plan::BlockedReason;
use crate::status::ConditionReason;

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

/// Whether what must not be written now waits for a time or an order, or needs a person: only people
/// change what a policy refuses, or the policy.
pub(super) fn state_of_withheld(reason: &ConditionReason) -> State {
    if *reason == ConditionReason::PolicyRefused { State::Stuck } else { State::Resting }
}

/// Returns the condition's reason for an obstacle.
pub(super) const fn word(reason: BlockedReason) -> ConditionReason {
    match reason {
        BlockedReason::Immutable => ConditionReason::Immutable,
        BlockedReason::EnvGroup => ConditionReason::EnvGroup,
        BlockedReason::NotOwned => ConditionReason::NotOwned,
        BlockedReason::IncompleteView => ConditionReason::IncompleteView,
        BlockedReason::Unseen => ConditionReason::Unseen,
        BlockedReason::AmbiguousName => ConditionReason::AmbiguousName,
        BlockedReason::Protected => ConditionReason::Protected,
        BlockedReason::DependencyBlocked => ConditionReason::DependencyBlocked,
        BlockedReason::AdoptionRefused => ConditionReason::AdoptionRefused,
        BlockedReason::PruneOff => ConditionReason::PruneOff,
        BlockedReason::Fuse => ConditionReason::Fuse,
        BlockedReason::SourceIncomplete => ConditionReason::SourceIncomplete,
        BlockedReason::SourceShrinking => ConditionReason::SourceShrinking,
        BlockedReason::ApprovalMissing => ConditionReason::ApprovalMissing,
        BlockedReason::InFlight => ConditionReason::InFlight,
        BlockedReason::PerhapsOurs => ConditionReason::PerhapsOurs,
        BlockedReason::PolicyWithheld => ConditionReason::PolicyWithheld,
        BlockedReason::Presumed => ConditionReason::Presumed,
        BlockedReason::BackingOff => ConditionReason::BackingOff,
        BlockedReason::DeployFailed => ConditionReason::DeployFailed,
        BlockedReason::RolledBack => ConditionReason::RolledBack,
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

/// Says within a sentence that there are others beside the one that is named.
pub(super) fn more(count: usize, noun: &str) -> String {
    match count {
        0 => String::new(),
        1 => format!(", and 1 more {noun}"),
        count => format!(", and {count} more {noun}s"),
    }
}
