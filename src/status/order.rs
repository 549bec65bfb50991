//! Orders: what a person tells an agent, the same to whoever gives and to whoever takes them.

use jiff::Timestamp;

use crate::model::Key;

/// What a person tells an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Look now; forget back-offs, of one resource or of all.
    Reconcile {
        /// Only this one's back-off is forgotten.
        key: Option<Key>,
    },
    /// Look what runs of a service: somebody began a deployment of it.
    Look {
        /// The service.
        key: Key,
    },
    /// Do not write until then.
    Suspend {
        /// Why.
        reason: String,
        /// Until when.
        until: Timestamp,
    },
    /// Write again.
    Resume,
    /// Stay at a commit.
    Pin {
        /// The commit: its full hash, or the first digits.
        commit: String,
    },
    /// Follow the branch again.
    Unpin,
}
