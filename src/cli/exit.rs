//! The exit codes: one closed set, documented, tested, never renumbered.

use std::process::ExitCode;

/// How a run ended, as scripts read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Changes are pending: `plan` and `drift` with `--detailed-exitcode`, and nothing else ever.
    Pending = 2,
    /// Authentication or permission.
    Denied = 3,
    /// Applied in part.
    Partial = 4,
    /// Refused by a safety rail.
    Refused = 5,
    /// Over the request budget or the deadline.
    OverBudget = 6,
    /// The saved plan is stale.
    Stale = 7,
    /// Wrong usage.
    Usage = 64,
    /// The manifests are invalid.
    Invalid = 65,
    /// Interrupted (SIGINT).
    Interrupted = 130,
    /// Terminated (SIGTERM).
    Terminated = 143,
}

impl Exit {
    /// Every code with its meaning, for the manual page.
    pub const ALL: [(Self, &'static str); 12] = [
        (Self::Done, "done, or nothing to do"),
        (Self::Failed, "failed"),
        (Self::Pending, "changes are pending (plan and drift with --detailed-exitcode only)"),
        (Self::Denied, "authentication or permission"),
        (Self::Partial, "applied in part"),
        (Self::Refused, "refused by a safety rail"),
        (Self::OverBudget, "over the request budget or the deadline"),
        (Self::Stale, "the saved plan is stale"),
        (Self::Usage, "wrong usage"),
        (Self::Invalid, "manifests invalid"),
        (Self::Interrupted, "interrupted"),
        (Self::Terminated, "terminated"),
    ];

    /// Returns the number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_contract() {
        let numbers: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 64, 65, 130, 143]);
    }
}
