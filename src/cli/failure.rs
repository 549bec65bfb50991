//! How a command fails: what happened, what to do, and the exit code that says so.

use crate::api::ErrorKind;
use crate::model::Diagnostic;

use super::code::ErrorCode;
use super::exit::Exit;

/// A failed command. Printed once, on stderr, or as JSON where `-o json` asks for it.
#[derive(Debug)]
pub struct Failure {
    /// The exit code: the code's own, unless the time was up as well.
    pub exit: Exit,
    /// Why, for scripts.
    pub code: ErrorCode,
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
    /// Makes a failure; its code says how the command ends.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            exit: code.exit(),
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
        Self::new(ErrorCode::Usage, message)
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// Returns the code of a failed request.
pub const fn of_kind(kind: ErrorKind) -> ErrorCode {
    match kind {
        ErrorKind::Authentication => ErrorCode::Authentication,
        ErrorKind::Permission => ErrorCode::Permission,
        ErrorKind::NotFound => ErrorCode::NotFound,
        ErrorKind::Busy => ErrorCode::DeployInProgress,
        ErrorKind::Refused => ErrorCode::RefusedByApi,
        ErrorKind::OverBudget => ErrorCode::OverBudget,
        ErrorKind::Unavailable => ErrorCode::Unavailable,
        ErrorKind::NotTheApi => ErrorCode::NotTheApi,
        ErrorKind::Unreadable => ErrorCode::UnreadableAnswer,
        ErrorKind::Local => ErrorCode::Local,
    }
}
