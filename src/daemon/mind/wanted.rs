//! What a mind knows of the manifests: what they declare, and which of them are read next.

use std::sync::Arc;

use crate::status::{Problem, Revision};

use super::super::declare::Declared;
use super::rereading::Rereading;
use super::shrinking::Shrinking;

/// What is declared.
pub(super) struct WantedState {
    pub location: String,
    pub has_commits: bool,
    pub wants_read: bool,
    /// When they are read again, if they could not be.
    pub rereading: Rereading,
    /// Whether the last good commit is read, because the newest cannot be.
    pub falls_back: bool,
    /// The commit that it is to stay at, as long as nobody knows whether it is there.
    pub pinning: Option<String>,
    /// Whether that commit is being read.
    pub reads_pin: bool,
    pub declared: Option<Arc<Declared>>,
    /// Whether it looks again and again, and not once.
    pub stays: bool,
    pub shrinking: Shrinking,
    pub revision: Option<Revision>,
    pub problem: Option<Problem>,
}

impl WantedState {
    /// Nothing yet: it is to be read.
    pub fn new(location: String, has_commits: bool) -> Self {
        Self {
            location,
            has_commits,
            wants_read: true,
            rereading: Rereading::default(),
            falls_back: false,
            pinning: None,
            reads_pin: false,
            declared: None,
            stays: false,
            shrinking: Shrinking::default(),
            revision: None,
            problem: None,
        }
    }
}
