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

    /// Returns the worse of two, for a run that is made of several.
    ///
    /// What was not done at all is worse than what was done in part or held back, and changes that
    /// wait are better than either.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        const FROM_BEST: [Exit; 12] = [
            Exit::Done,
            Exit::Pending,
            Exit::Refused,
            Exit::Partial,
            Exit::Stale,
            Exit::OverBudget,
            Exit::Failed,
            Exit::Denied,
            Exit::Invalid,
            Exit::Usage,
            Exit::Interrupted,
            Exit::Terminated,
        ];
        let rank = |exit| FROM_BEST.iter().position(|one| *one == exit);
        if rank(other) > rank(self) { other } else { self }
    }

    /// Returns what it means.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        Self::ALL.iter().find(|(exit, _)| *exit == self).map_or("", |(_, meaning)| meaning)
    }

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

    #[test]
    fn the_worse_of_two_is_the_same_whichever_comes_first() {
        for (one, _) in Exit::ALL {
            assert_eq!(Exit::Done.worse(one), one);
            for (other, _) in Exit::ALL {
                let worse = one.worse(other);
                assert_eq!(worse, other.worse(one));
                assert!([one, other].contains(&worse));
            }
        }
        assert_eq!(Exit::Pending.worse(Exit::Refused), Exit::Refused);
        assert_eq!(Exit::Refused.worse(Exit::Failed), Exit::Failed);
    }
}
