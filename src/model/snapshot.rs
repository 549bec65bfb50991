//! The three states together, at one time: all that planning is told.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Desired, Inventory, Live};

/// What is wanted, what is, and what we remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The API's origin and base path, for the pin (S5).
    pub origin: String,
    /// What the manifests want. Shared: an agent plans on the same state again and again.
    pub desired: Arc<Desired>,
    /// What the platform shows.
    pub live: Live,
    /// What we remember.
    pub inventory: Arc<Inventory>,
    /// When it was read.
    pub now: Timestamp,
}
