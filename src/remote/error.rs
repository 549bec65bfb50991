//! Why an agent did not do what it was asked, by what the caller may do about it.

use crate::status::FORMAT_VERSION;

/// Why there is no answer, or none that helps. A fragment that completes "failed to …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// Nobody is there: nothing was sent.
    #[error("reach an agent at {place}: {reason}")]
    Nobody {
        /// Where it was looked for.
        place: String,
        /// Why.
        reason: String,
    },
    /// It was reached, and then the time was up or the connection broke.
    #[error("get an answer from the agent at {place}: {reason}")]
    Lost {
        /// Where.
        place: String,
        /// Why.
        reason: String,
    },
    /// Whoever asked had no more time: what was asked for may have been done.
    #[error("get an answer from the agent at {place} before the deadline")]
    OutOfTime {
        /// Where.
        place: String,
    },
    /// It wants a token, or another one.
    #[error("sign in to the agent at {place}: {reason}")]
    Denied {
        /// Where.
        place: String,
        /// What it said.
        reason: String,
    },
    /// It refused, and said why.
    #[error("give the order to the agent: {message}")]
    Refused {
        /// Its word for scripts.
        code: String,
        /// What it said.
        message: String,
        /// What it said to do.
        hints: Vec<String>,
    },
    /// What answered is no agent, or says more than is read.
    #[error("understand the answer from {place}: {reason}")]
    NotAnAgent {
        /// Where.
        place: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// An agent of another major version of the form.
    #[error(
        "read the status of the agent at {place}: it has format {found}, this version reads \
         {FORMAT_VERSION}"
    )]
    OtherFormat {
        /// Where.
        place: String,
        /// Its format.
        found: String,
    },
}
