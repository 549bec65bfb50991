//! What can go wrong with a log, by what follows from it.

/// Why a log cannot be read or written. All but [`LogError::Refused`] end the writer: who goes on
/// opens the log anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Somebody else writes by now. Nothing may be sent any more.
    #[error("write to the shared state: {by} writes it now")]
    Deposed {
        /// Who, in its own words.
        by: String,
    },
    /// The seat is not ours any more. What was to be written happened or did not.
    #[error("write to the shared state: the seat was lost")]
    Unseated,
    /// The store refused, and what was to be written is not there and never will be.
    #[error("write to the shared state: {0}")]
    Refused(String),
    /// No answer came in time. What was to be written happened or did not.
    #[error("write to the shared state: it is not known whether that was done ({0})")]
    Unsettled(String),
    /// What is there is not what was written.
    #[error("trust the shared state: {0}")]
    Damaged(String),
    /// A newer version wrote it.
    #[error("read the shared state: {0}")]
    Newer(String),
    /// The store cannot be read.
    #[error("read the shared state: {0}")]
    Unreadable(String),
}
