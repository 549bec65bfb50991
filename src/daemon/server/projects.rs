//! The projects one process keeps; which they are is fixed at its start.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::pulse::Pulse;
use crate::daemon::Handle;
use crate::daemon::webhook::{Replay, SeenDeliveries, Webhook};
use crate::model::Name;

/// One project, as the server sees it. Clones are the same.
#[derive(Clone, Debug)]
pub struct ServedProject {
    pub(super) handle: Handle,
    pub(super) pulse: Pulse,
    pub(super) webhook: Option<Webhook>,
    /// Each project by itself, so a flood for one makes no other forget.
    seen: Arc<Mutex<SeenDeliveries>>,
}

impl ServedProject {
    /// Joins what the server needs of one project; without `webhook` it receives none.
    #[must_use]
    pub fn new(handle: Handle, pulse: Pulse, webhook: Option<Webhook>) -> Self {
        Self { handle, pulse, webhook, seen: Arc::default() }
    }

    /// Remembers a verified delivery, and says whether it came before.
    pub(super) fn sight(&self, mark: [u8; 32], now: Timestamp) -> Replay {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).sight(mark, now)
    }
}

/// The projects by the names the settings give them, in the order of their names.
///
/// A name is a DNS label, so it stands in a path, an id of an event or a metric as it is.
#[derive(Clone, Debug, Default)]
pub struct Projects(Arc<BTreeMap<Name, ServedProject>>);

impl FromIterator<(Name, ServedProject)> for Projects {
    fn from_iter<T: IntoIterator<Item = (Name, ServedProject)>>(projects: T) -> Self {
        Self(Arc::new(projects.into_iter().collect()))
    }
}

impl Projects {
    /// Returns them in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &ServedProject)> {
        self.0.iter()
    }

    /// Returns a project by its name as it came.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<(&Name, &ServedProject)> {
        self.0.get_key_value(&Name::new(name).ok()?)
    }

    /// Returns the project when there is one only.
    #[must_use]
    pub fn only(&self) -> Option<(&Name, &ServedProject)> {
        self.0.first_key_value().filter(|_| self.0.len() == 1)
    }
}
