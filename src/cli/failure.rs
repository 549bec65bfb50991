//! How a command fails: what happened, what to do, and the exit code that says so.

use crate::api::ErrorKind;
use crate::model::Diagnostic;
use crate::status::Problem;

use super::exit::Exit;

/// A failed command. Printed once, on stderr, or as JSON where `-o json` asks for it.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// A stable word for scripts, for example `usage`.
    pub code: &'static str,
    /// What happened, a fragment.
    pub message: String,
    /// What to do.
    pub hints: Vec<String>,
    /// The API's `request_id`, for its support (F7).
    pub request_id: Option<String>,
    /// Findings about manifests, for the JSON form; as text they were printed already.
    pub diagnostics: Vec<Diagnostic>,
}

impl Failure {
    /// Makes a failure.
    #[must_use]
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            exit,
            code,
            message: message.into(),
            hints: Vec::new(),
            request_id: None,
            diagnostics: Vec::new(),
        }
    }

    /// Makes a failure of usage.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Makes a refusal by a safety rail.
    #[must_use]
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, code, message)
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// Returns the exit code and the word for a failed request.
pub const fn of_kind(kind: ErrorKind) -> (Exit, &'static str) {
    match kind {
        ErrorKind::Authentication => (Exit::Denied, "authentication"),
        ErrorKind::Permission => (Exit::Denied, "permission"),
        ErrorKind::NotFound => (Exit::Failed, "not_found"),
        ErrorKind::Busy => (Exit::Failed, "deploy_in_progress"),
        ErrorKind::Refused => (Exit::Failed, "refused_by_api"),
        ErrorKind::OverBudget => (Exit::OverBudget, "over_budget"),
        ErrorKind::Unavailable => (Exit::Failed, "unavailable"),
        ErrorKind::NotTheApi => (Exit::Failed, "not_the_api"),
        ErrorKind::Unreadable => (Exit::Failed, "unreadable_answer"),
        ErrorKind::Local => (Exit::Failed, "local"),
    }
}

/// Returns the exit code for manifests that the agent cannot use, as `stoker plan` would end: it is
/// theirs where they can be mended, not where a repository did not give any.
pub fn of_problem(problem: &Problem) -> Exit {
    match problem.reason.as_str() {
        "ManifestsInvalid" | "SourceEmpty" | "SourceUnreadable" => Exit::Invalid,
        _ => Exit::Failed,
    }
}
