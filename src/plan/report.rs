//! What became of a plan, as a value: printed by `render`, turned into an exit code by `cli`.

use crate::model::{Key, Kind};

use super::{Action, BlockedReason};

/// What became of every change of a plan, in the plan's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each change; what needed nothing is not listed.
    pub results: Vec<ChangeResult>,
    /// Whether it was stopped before the end.
    pub stopped: bool,
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeResult {
    /// The resource.
    pub key: Key,
    /// What was to happen to it.
    pub action: Action,
    /// What did.
    pub outcome: Outcome,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out and recorded.
    Applied,
    /// The platform refused it, or it could not be sent.
    Failed {
        /// What kind of failure it is.
        cause: FailureCause,
        /// Why, a fragment.
        message: String,
        /// The platform's name for the request, for its support.
        request_id: Option<String>,
    },
    /// What was shown is no longer so; nothing was written (S10).
    Stale {
        /// What moved, a fragment.
        message: String,
    },
    /// Nobody knows whether it was carried out: the next pass looks before it writes (S3).
    Unresolved {
        /// What kind of failure left it open.
        cause: FailureCause,
        /// What happened, a fragment.
        message: String,
    },
    /// A change it needs did not succeed.
    Skipped {
        /// That change.
        because_of: Key,
    },
    /// The run was stopped before its turn.
    NotStarted,
    /// The plan said that it must not be done.
    Blocked {
        /// Why.
        reason: BlockedReason,
    },
}

/// What kind of failure stopped a change; some have an exit code of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureCause {
    /// The token may not do it.
    Denied,
    /// The requests or the time of the run are used up.
    OverBudget,
    /// A deploy is in progress: no failure of the change, it only has to wait.
    Busy,
    /// The run was told to stop while the request waited for its turn: nothing was sent.
    Stopped,
    /// Anything else.
    Other,
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Carried out, whether or not anything was written to the platform.
    pub applied: usize,
    /// Carried out with at least one write.
    pub written: usize,
    /// Refused or not sent.
    pub failed: usize,
    /// Of these, what the token may not do.
    pub denied: usize,
    /// What the budget or the time of the run did not allow, failed or left open.
    pub over_budget: usize,
    /// Skipped because something moved.
    pub stale: usize,
    /// Carried out or not: unknown.
    pub unresolved: usize,
    /// Skipped because of another.
    pub skipped: usize,
    /// Never begun.
    pub not_started: usize,
    /// Blocked by the plan.
    pub blocked: usize,
    /// Blocked, although it was asked for.
    pub refused: usize,
    /// Not begun, because it was not seen whether or what is to be done (S2).
    pub unknown: usize,
}

/// A whole run in one word; each has its exit code in `cli`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// All that could be asked was done, or there was nothing to do.
    Done,
    /// Something failed, and nothing was written.
    Failed,
    /// Nothing was written, and all that failed was denied.
    Denied,
    /// The requests or the time of the run were used up.
    OverBudget,
    /// Something failed, something was written.
    Partial,
    /// Of some resource was not seen whether or what is to be done; the rest is done (S2).
    Unseen,
    /// A safety rail refused what was asked for; the rest is done.
    Refused,
    /// Nothing failed and nothing was written, because what was shown has moved.
    Stale,
    /// It was told to stop before the end.
    Stopped,
}

impl Report {
    /// Counts the results.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for result in &self.results {
            match &result.outcome {
                Outcome::Applied => {
                    counts.applied += 1;
                    counts.written += usize::from(result.action.writes());
                }
                Outcome::Failed { cause, .. } => {
                    match cause {
                        // Nothing went wrong with it.
                        FailureCause::Stopped => {
                            counts.not_started += 1;
                            continue;
                        }
                        FailureCause::Denied => counts.denied += 1,
                        FailureCause::OverBudget => counts.over_budget += 1,
                        FailureCause::Busy | FailureCause::Other => {}
                    }
                    counts.failed += 1;
                }
                Outcome::Stale { .. } => counts.stale += 1,
                Outcome::Unresolved { cause, .. } => {
                    counts.unresolved += 1;
                    counts.over_budget += usize::from(*cause == FailureCause::OverBudget);
                }
                Outcome::Skipped { .. } => counts.skipped += 1,
                Outcome::NotStarted => counts.not_started += 1,
                Outcome::Blocked { reason: BlockedReason::Unseen } => counts.unknown += 1,
                Outcome::Blocked { reason } => {
                    counts.blocked += 1;
                    counts.refused +=
                        usize::from(is_refusal(*reason, result.action, result.key.kind));
                }
            }
        }
        counts
    }

    /// Returns the run in one word. What failed outweighs what was refused.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        let counts = self.counts();
        let is_cut_short = self.stopped && counts.not_started > 0;
        if counts.over_budget > 0 {
            Conclusion::OverBudget
        } else if counts.failed + counts.unresolved > 0 {
            if counts.written > 0 {
                Conclusion::Partial
            } else if counts.denied == counts.failed && counts.unresolved == 0 {
                Conclusion::Denied
            } else {
                Conclusion::Failed
            }
        } else if is_cut_short {
            Conclusion::Stopped
        } else if counts.stale > 0 {
            if counts.written > 0 { Conclusion::Partial } else { Conclusion::Stale }
        } else if counts.unknown > 0 {
            Conclusion::Unseen
        } else if counts.refused > 0 {
            Conclusion::Refused
        } else {
            Conclusion::Done
        }
    }
}

impl Action {
    /// Whether carrying it out writes to the platform.
    #[must_use]
    pub const fn writes(self) -> bool {
        match self {
            Self::Create | Self::Update | Self::Replace | Self::Delete => true,
            Self::Adopt | Self::Forget | Self::None => false,
        }
    }
}

/// Whether a rail refused what a person asked for. What nobody asked for, and the env groups no
/// request can delete, are shown in the plan and are no failure of the run.
pub(super) const fn is_refusal(reason: BlockedReason, action: Action, kind: Kind) -> bool {
    match (reason, action, kind) {
        (BlockedReason::EnvGroup, Action::Delete, Kind::EnvGroup) => false,
        (reason, _, _) => reason.is_asked_for(),
    }
}
