//! How a command ends for which an agent made one pass: as `stoker apply` would have ended, but for 5
//! where a value is unsettled, and as `stoker plan` where the agent only looks. The one door from what
//! came of a pass to an exit code.

use crate::status::{ConditionReason, PassOutcome, PassRecord, Problem};

use super::exit::Exit;

/// Returns the exit code of a pass, if one was made. A pass over the last good manifests is no success
/// where the newest have a problem.
pub fn exit(problem: Option<&Problem>, pass: Option<&PassRecord>) -> Exit {
    match (problem, pass) {
        (Some(problem), _) => of_problem(problem),
        (None, Some(pass)) => of(&pass.outcome, pass.reason.as_ref(), pass.written > 0),
        (None, None) => Exit::Failed,
    }
}

/// Returns the exit code for manifests that cannot be used: it is theirs where they can be mended,
/// not where a repository did not give any.
const fn of_problem(problem: &Problem) -> Exit {
    match problem.reason {
        ConditionReason::ManifestsInvalid
        | ConditionReason::SourceEmpty
        | ConditionReason::SourceUnreadable
        | ConditionReason::SecretUnavailable => Exit::Invalid,
        _ => Exit::Failed,
    }
}

/// The same of its parts: the outcome, why it is no further, and whether anything was written.
const fn of(outcome: &PassOutcome, reason: Option<&ConditionReason>, has_written: bool) -> Exit {
    match (outcome, reason) {
        (PassOutcome::Synced | PassOutcome::Applied, _) => Exit::Done,
        // As `apply` of what was not wholly seen.
        (PassOutcome::Unseen, _) => Exit::Partial,
        // It was told only to look, and it did.
        (PassOutcome::Pending | PassOutcome::Blocked, Some(ConditionReason::Observed)) => {
            Exit::Done
        }
        (PassOutcome::Blocked, _)
        | (
            PassOutcome::Pending | PassOutcome::Stopped,
            Some(
                ConditionReason::Suspended
                | ConditionReason::WindowClosed
                | ConditionReason::PolicyRefused,
            ),
        )
        | (
            PassOutcome::Pending,
            Some(ConditionReason::FieldFlapping | ConditionReason::Unsettled),
        )
        | (PassOutcome::Unreadable, Some(ConditionReason::WrongProject)) => Exit::Refused,
        // Deployments are under way: `stoker wait` waits for them, as after `apply`.
        (PassOutcome::Pending, None) => Exit::Done,
        (PassOutcome::Failed | PassOutcome::Unreadable, Some(ConditionReason::OverBudget)) => {
            Exit::OverBudget
        }
        (
            PassOutcome::Failed | PassOutcome::Unreadable,
            Some(ConditionReason::Denied | ConditionReason::Unauthorized),
        ) => Exit::Denied,
        (PassOutcome::Failed, _) if has_written => Exit::Partial,
        (
            PassOutcome::Pending
            | PassOutcome::Stopped
            | PassOutcome::Failed
            | PassOutcome::Unreadable
            | PassOutcome::Newer(_),
            _,
        ) => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Returns the table of the documents: a line for each outcome.
    fn table() -> String {
        let mut table = String::new();
        for outcome in PassOutcome::ALL {
            let plain = of(outcome, None, false).code();
            // What most reasons say is what the others say.
            let mut by_code: BTreeMap<u8, Vec<&str>> = BTreeMap::new();
            for reason in ConditionReason::ALL {
                let code = of(outcome, Some(reason), false).code();
                by_code.entry(code).or_default().push(reason.as_str());
            }
            let usual = by_code.iter().max_by_key(|(_, reasons)| reasons.len());
            let usual = usual.map_or(plain, |(code, _)| *code);
            let own = by_code.iter().filter(|(code, _)| **code != usual);
            let own = own.map(|(code, reasons)| format!("`{}`: {code}", reasons.join("`, `")));
            let mut own: Vec<String> = own.collect();
            if of(outcome, None, true).code() != plain {
                own.push(format!("something was written: {}", of(outcome, None, true).code()));
            }
            let own = if own.is_empty() { "–".to_owned() } else { own.join("; ") };
            table += &format!("| `{outcome}` | {plain} | {own} | {usual} |\n");
        }
        table
    }

    #[test]
    fn the_documents_hold_the_table_of_exit_codes_as_it_is() {
        let page = include_str!("../../docs/agent.md");
        assert!(page.contains(&table()), "docs/agent.md should hold\n{}", table());
    }

    #[test]
    fn what_is_held_back_ends_alike_whoever_waited_for_it() {
        for reason in [ConditionReason::Suspended, ConditionReason::WindowClosed] {
            assert_eq!(of(&PassOutcome::Pending, Some(&reason), false), Exit::Refused);
        }
        let observed = Some(&ConditionReason::Observed);
        assert_eq!(of(&PassOutcome::Pending, observed, false), Exit::Done);
    }
}
