//! The words that scripts read of a failure, and the exit code of each: one closed set.

use std::fmt;

use super::exit::Exit;

/// Makes the set: a variant, its public word, how a command ends with it, and what it means.
macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $code:ident = $word:literal => $exit:ident,)+) => {
        /// Why a command failed, for scripts. Never renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ErrorCode { $($(#[doc = $meaning])+ $code,)+ }

        impl ErrorCode {
            /// Every code, in the order of the words.
            #[cfg(test)]
            pub const ALL: &[Self] = &[$(Self::$code,)+];

            /// Returns the public word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => $word,)+ }
            }

            /// Returns what it means: a sentence.
            #[cfg(test)]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$code => concat!($($meaning),+).trim(),)+ }
            }

            /// Returns how a command ends that fails so.
            #[must_use]
            pub const fn exit(self) -> Exit {
                match self { $(Self::$code => Exit::$exit,)+ }
            }
        }
    };
}

codes! {
    /// The connection to an agent broke.
    AgentLost = "agent_lost" => Failed,
    /// What was asked for may or may not have happened, or a name is borne by several things.
    Ambiguous = "ambiguous" => Failed,
    /// There is no token, or it is not accepted.
    Authentication = "authentication" => Denied,
    /// What was waited for will not come to be without a person.
    ConditionFailed = "condition_failed" => Failed,
    /// A deployment is under way, and the API takes no other.
    DeployInProgress = "deploy_in_progress" => Failed,
    /// A deployment ended badly.
    DeploymentFailed = "deployment_failed" => Failed,
    /// A saved plan does not carry the seal of what it says (S10).
    EditedPlan = "edited_plan" => Refused,
    /// What was there went by itself.
    Gone = "gone" => Failed,
    /// A list did not come whole, so nobody can tell what is not there (S2).
    IncompleteListing = "incomplete_listing" => Failed,
    /// Not all that lives was seen (S2).
    IncompleteView = "incomplete_view" => Failed,
    /// A signal ended it.
    Interrupted = "interrupted" => Interrupted,
    /// A probe could not delete what it had made.
    LeftBehind = "left_behind" => Partial,
    /// A port or socket cannot be listened on.
    Listen = "listen" => Failed,
    /// The live state given to a simulation cannot be read.
    Live = "live" => Invalid,
    /// Something failed on this machine before a request left.
    Local = "local" => Failed,
    /// Another command writes.
    Locked = "locked" => Failed,
    /// The manual page could not be written.
    Man = "man" => Failed,
    /// The manifests cannot be used.
    Manifests = "manifests" => Invalid,
    /// What was to be written moved meanwhile (S10).
    Moved = "moved" => Failed,
    /// Something bears the name already.
    NameTaken = "name_taken" => Failed,
    /// No agent answers.
    NoAgent = "no_agent" => Failed,
    /// What answers is no agent.
    NotAnAgent = "not_an_agent" => Failed,
    /// There is no such thing.
    NotFound = "not_found" => Failed,
    /// It is not owned here.
    NotOwned = "not_owned" => Failed,
    /// What answers is not the platform's API.
    NotTheApi = "not_the_api" => Failed,
    /// An agent of another version answers.
    OtherFormat = "other_format" => Failed,
    /// A saved plan was made with another state, or with none, and that one says otherwise (S10).
    OtherState = "other_state" => Refused,
    /// A plan or an export could not be written.
    Out = "out" => Failed,
    /// No request may leave in time.
    OverBudget = "over_budget" => OverBudget,
    /// It is owned under another name.
    Owned = "owned" => Failed,
    /// The token may not do that.
    Permission = "permission" => Denied,
    /// The system gave no random numbers.
    Randomness = "randomness" => Failed,
    /// The agent refused an order.
    RefusedByAgent = "refused_by_agent" => Failed,
    /// The API refused a request.
    RefusedByApi = "refused_by_api" => Failed,
    /// The program could not begin.
    Runtime = "runtime" => Failed,
    /// The sandbox's world cannot be kept.
    Sandbox = "sandbox" => Failed,
    /// The agent's server could not begin.
    Server = "server" => Failed,
    /// Signals cannot be listened for.
    Signals = "signals" => Failed,
    /// The simulation came to no end.
    Simulation = "simulation" => Failed,
    /// What a saved plan was made from has changed (S10).
    StalePlan = "stale_plan" => Stale,
    /// The state cannot be read or written.
    State = "state" => Failed,
    /// The service manager cannot be told.
    Systemd = "systemd" => Failed,
    /// The time was up.
    Timeout = "timeout" => OverBudget,
    /// The API does not answer.
    Unavailable = "unavailable" => Failed,
    /// What lives cannot be read.
    Unreadable = "unreadable" => Failed,
    /// An answer of the API cannot be understood.
    UnreadableAnswer = "unreadable_answer" => Failed,
    /// The command line or the settings cannot be used.
    Usage = "usage" => Usage,
    /// The token, the state or the guard is of another project (S5).
    WrongProject = "wrong_project" => Refused,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_word_of_its_own_and_they_stand_in_order() {
        let words: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert!(words.is_sorted_by(|one, next| one < next), "{words:?}");
    }

    #[test]
    fn no_failure_ends_as_if_it_were_none() {
        for code in ErrorCode::ALL {
            assert!(!matches!(code.exit(), Exit::Done | Exit::Pending), "{code}");
        }
    }
}
