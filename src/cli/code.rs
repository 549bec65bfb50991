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
    /// The outcome of a request is unknown, or a name belongs to several objects.
    Ambiguous = "ambiguous" => Failed,
    /// There is no token, or it is not accepted.
    Authentication = "authentication" => Denied,
    /// The condition will not be met without a person's help.
    ConditionFailed = "condition_failed" => Failed,
    /// A deployment is in progress, and the API accepts no second one.
    DeployInProgress = "deploy_in_progress" => Failed,
    /// A deployment failed.
    DeploymentFailed = "deployment_failed" => Failed,
    /// The seal of a saved plan does not match its contents (S10).
    EditedPlan = "edited_plan" => Refused,
    /// The object no longer exists on the platform.
    Gone = "gone" => Failed,
    /// A listing was incomplete, so it cannot prove that something is absent (S2).
    IncompleteListing = "incomplete_listing" => Failed,
    /// Not every live resource was seen (S2).
    IncompleteView = "incomplete_view" => Failed,
    /// A signal ended the command.
    Interrupted = "interrupted" => Interrupted,
    /// A probe could not delete what it had created.
    LeftBehind = "left_behind" => Partial,
    /// The command cannot listen on a port or socket.
    Listen = "listen" => Failed,
    /// The live state given to a simulation cannot be read.
    Live = "live" => Invalid,
    /// Something failed on this machine before a request was sent.
    Local = "local" => Failed,
    /// Another command is writing.
    Locked = "locked" => Failed,
    /// The manual page could not be written.
    Man = "man" => Failed,
    /// The manifests cannot be used.
    Manifests = "manifests" => Invalid,
    /// The resource to be written changed in the meantime (S10).
    Moved = "moved" => Failed,
    /// The name is already taken.
    NameTaken = "name_taken" => Failed,
    /// No agent answers.
    NoAgent = "no_agent" => Failed,
    /// Drift cannot be written into the manifests.
    NotAccepted = "not_accepted" => Refused,
    /// The program that answers is not an agent.
    NotAnAgent = "not_an_agent" => Failed,
    /// The resource does not exist.
    NotFound = "not_found" => Failed,
    /// The resource is not owned by this state.
    NotOwned = "not_owned" => Failed,
    /// The server that answers is not the platform's API.
    NotTheApi = "not_the_api" => Failed,
    /// An agent of another version answers.
    OtherFormat = "other_format" => Failed,
    /// A saved plan was made with another state, or without one, and its result differs with this
    /// state (S10).
    OtherState = "other_state" => Refused,
    /// A plan or an export could not be written.
    Out = "out" => Failed,
    /// The request budget allows no request in time.
    OverBudget = "over_budget" => OverBudget,
    /// The resource is owned under another name.
    Owned = "owned" => Failed,
    /// The token lacks the permission.
    Permission = "permission" => Denied,
    /// The policies of a pull request's target branch cannot be read.
    PoliciesUnknown = "policies_unknown" => Refused,
    /// A policy refuses the plan.
    PolicyRefused = "policy_refused" => Refused,
    /// The system provided no random numbers.
    Randomness = "randomness" => Failed,
    /// The agent refused an order.
    RefusedByAgent = "refused_by_agent" => Failed,
    /// The API refused a request.
    RefusedByApi = "refused_by_api" => Failed,
    /// The program could not start.
    Runtime = "runtime" => Failed,
    /// The sandbox cannot be saved.
    Sandbox = "sandbox" => Failed,
    /// The agent's server could not start.
    Server = "server" => Failed,
    /// Signal handlers cannot be installed.
    Signals = "signals" => Failed,
    /// The simulation did not finish.
    Simulation = "simulation" => Failed,
    /// What a saved plan was made from has changed (S10).
    StalePlan = "stale_plan" => Stale,
    /// The state cannot be read or written.
    State = "state" => Failed,
    /// The service manager cannot be notified.
    Systemd = "systemd" => Failed,
    /// The time ran out.
    Timeout = "timeout" => OverBudget,
    /// The API does not answer.
    Unavailable = "unavailable" => Failed,
    /// The live state cannot be read.
    Unreadable = "unreadable" => Failed,
    /// An answer of the API cannot be understood.
    UnreadableAnswer = "unreadable_answer" => Failed,
    /// The command line or the settings cannot be used.
    Usage = "usage" => Usage,
    /// The token, the state or the guard belongs to another project (S5).
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
