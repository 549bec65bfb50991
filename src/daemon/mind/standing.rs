//! Sync and health of the whole project, and what lives beside it.

use crate::plan::Plan;
use crate::status::{HealthStatus, SyncStatus, UnmanagedThing};

use super::Mind;
use super::telling::is_declined;

/// How many unmanaged things are named: enough to see which they are.
const UNMANAGED_MAX: usize = 100;

impl Mind {
    /// Whether all is as declared. What was told to stay as it is does not count against it.
    pub(super) fn sync(&self) -> SyncStatus {
        if self.problem.is_some() || self.is_blind() {
            return SyncStatus::Unknown;
        }
        if self.is_behind() {
            return SyncStatus::OutOfSync;
        }
        let counted = self.resources.iter().filter(|resource| !is_declined(resource));
        SyncStatus::of_all(counted.map(|resource| &resource.sync_status))
    }

    /// How what is declared does.
    pub(super) fn health(&self) -> HealthStatus {
        if self.is_blind() {
            return HealthStatus::Unknown;
        }
        let declared = self.resources.iter().filter(|resource| resource.declared_at.is_some());
        HealthStatus::of_all(declared.map(|resource| &resource.health_status))
    }

    /// Whether nothing is known of how it stands now: no pass has ended, or the platform does not let
    /// itself be read.
    fn is_blind(&self) -> bool {
        let has_failed = self.failure.as_ref().is_some_and(|failure| !failure.is_passing);
        has_failed || self.passed_digest.is_none()
    }

    /// Notes what is neither declared nor ours.
    pub(super) fn note_unmanaged(&mut self, plan: &Plan) {
        self.unmanaged = plan.unmanaged.len();
        let things = plan.unmanaged.iter().take(UNMANAGED_MAX).map(|it| UnmanagedThing {
            kind: it.kind.to_string(),
            name: it.name.clone(),
            id: it.id.to_string(),
        });
        self.unmanaged_things = things.collect();
    }
}
