//! What is known of a write: the four outcomes of `docs/platform.md`.
//!
//! The judgement alone; what follows from it is decided where writes are planned and remembered.

use std::fmt;

use super::call::Call;
use super::error::{Cause, Error, ErrorKind};

/// What is known of a write that has no good answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WriteError {
    /// The API refused it: it did not happen, and the same would be refused again.
    #[error("{0}")]
    Refused(Error),
    /// A deploy is in progress: it did not happen; look again at the next list.
    #[error("{0}")]
    Busy(Error),
    /// It did not happen: nothing left, or the API was too busy.
    #[error("{0}")]
    NotApplied(Error),
    /// It may have happened. A create is not sent again before reading shows that it did not (S3).
    #[error("{0}")]
    Ambiguous(Error),
    /// It did not happen: the number of requests or the time is used up.
    #[error("{0}")]
    OverBudget(Error),
}

/// What became of a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone.
    Done,
    /// It is going; reading it by id will say when it is gone (A7).
    Underway,
    /// The API says that it is not there, so an earlier try did it, or somebody else.
    WasGone,
}

impl WriteError {
    /// Returns the failed request.
    #[must_use]
    pub fn error(&self) -> &Error {
        match self {
            Self::Refused(error)
            | Self::Busy(error)
            | Self::NotApplied(error)
            | Self::Ambiguous(error)
            | Self::OverBudget(error) => error,
        }
    }
}

/// Judges what a failure says of the outcome.
pub(super) fn judge(error: Error) -> WriteError {
    if error.may_have_happened() {
        return WriteError::Ambiguous(error);
    }
    before_the_write(error)
}

pub(super) fn before_the_write(error: Error) -> WriteError {
    match error.kind() {
        ErrorKind::Authentication
        | ErrorKind::Permission
        | ErrorKind::NotFound
        | ErrorKind::Refused
        | ErrorKind::NotTheApi => WriteError::Refused(error),
        ErrorKind::Busy => WriteError::Busy(error),
        ErrorKind::OverBudget => WriteError::OverBudget(error),
        ErrorKind::Unavailable | ErrorKind::Unreadable | ErrorKind::Local => {
            WriteError::NotApplied(error)
        }
    }
}

/// Makes the error of a write that lacks something and is not sent.
pub(super) fn missing(doing: &str, reason: String) -> WriteError {
    WriteError::NotApplied(Error::new(doing, Cause::Local(reason)))
}

/// Makes the error of a good status with the wrong content: it may have happened.
pub(super) fn odd(call: &Call<'_>, request_id: Option<String>, reason: &str) -> WriteError {
    let cause = Cause::Unreadable { reason: reason.to_owned(), request_id };
    judge(Error::new(call.doing.as_str(), cause))
}

impl fmt::Display for Deletion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Done => "gone",
            Self::Underway => "going",
            Self::WasGone => "gone before",
        })
    }
}
