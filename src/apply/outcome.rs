//! From what went wrong to what the report says of it.

use std::fmt;

use crate::api::{Error, ErrorKind, WriteError};
use crate::plan::{FailureCause, Outcome};
use crate::store::StoreError;

/// A write that did not happen, or is proven not to have.
pub(super) fn failed(error: &WriteError) -> Outcome {
    unread(error.error())
}

/// A read without which nothing may be written.
pub(super) fn unread(error: &Error) -> Outcome {
    let request_id = error.request_id().map(str::to_owned);
    Outcome::Failed { cause: cause(error), message: error.to_string(), request_id }
}

pub(super) fn cause(error: &Error) -> FailureCause {
    match error.kind() {
        ErrorKind::Authentication | ErrorKind::Permission => FailureCause::Denied,
        ErrorKind::OverBudget if error.is_stop() => FailureCause::Stopped,
        ErrorKind::OverBudget => FailureCause::OverBudget,
        ErrorKind::Busy => FailureCause::Busy,
        ErrorKind::NotFound
        | ErrorKind::Refused
        | ErrorKind::Unavailable
        | ErrorKind::NotTheApi
        | ErrorKind::Unreadable
        | ErrorKind::Local => FailureCause::Other,
    }
}

/// A write that may have happened.
pub(super) fn lost(error: &Error) -> Outcome {
    still_open(cause(error), error.to_string())
}

/// Nobody knows yet, and why it cannot be found out.
pub(super) const fn still_open(cause: FailureCause, message: String) -> Outcome {
    Outcome::Unresolved { cause, message }
}

/// What would have to be waited for beyond the deadline. It did not happen.
pub(super) fn out_of_time(reason: impl fmt::Display) -> Outcome {
    let message = format!("{reason}; it would be retried after the deadline");
    Outcome::Failed { cause: FailureCause::OverBudget, message, request_id: None }
}

/// Something of our own that stands in the way.
pub(super) const fn failed_here(message: String) -> Outcome {
    Outcome::Failed { cause: FailureCause::Other, message, request_id: None }
}

/// What was shown is no longer so.
pub(super) const fn stale(message: String) -> Outcome {
    Outcome::Stale { message }
}

/// Nobody knows yet.
pub(super) const fn unresolved(message: String) -> Outcome {
    still_open(FailureCause::Other, message)
}

/// The intent could not be written, so the request was not sent (S3, A6).
pub(super) fn not_sent(error: StoreError) -> Outcome {
    failed_here(format!("failed to {error}; nothing was sent"))
}

/// It was done, and could not be written down: the next run finds it by its name or its intent.
pub(super) fn not_recorded(error: StoreError) -> Outcome {
    unresolved(format!("failed to {error}"))
}
