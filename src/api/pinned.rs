//! The right to write exists only where the API and the project are the pinned ones (S5).

use super::client::Client;
use super::writer::Writer;
use crate::model::{Pin, Project};

/// The API or its project is not the pinned one, a fragment that completes "failed to …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write to project {found} at {origin}: this state belongs to {pinned} at {pinned_origin}")]
pub struct NotPinned {
    /// The project that answered.
    pub found: String,
    /// Where it answered.
    pub origin: String,
    /// The project of the pin.
    pub pinned: String,
    /// The origin of the pin.
    pub pinned_origin: String,
}

impl Client {
    /// Returns the right to write, where origin and project are the pinned ones (S5).
    ///
    /// *Assumes* that `project` was read in this run, with this client.
    ///
    /// # Errors
    /// When they are not.
    pub fn writer(&self, pin: &Pin, project: &Project) -> Result<Writer, NotPinned> {
        let origin = self.origin();
        if pin.holds(&origin, project) {
            return Ok(Writer::new(self));
        }
        Err(NotPinned {
            found: shown(project),
            origin,
            pinned: shown(&pin.project),
            pinned_origin: pin.origin.clone(),
        })
    }
}

fn shown(project: &Project) -> String {
    let id = project.id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    format!("{}{id}", project.name)
}
