//! Sync and health of the whole project, and what lives beside it.

use crate::plan::Plan;
use crate::status::{
    ConditionReason, ConditionType, HealthStatus, ResourceStatus, SyncStatus, Truth, UnmanagedThing,
};

use super::Mind;
use super::shown::ShownState;

/// How many unmanaged things are named: enough to see which they are.
const UNMANAGED_MAX: usize = 100;

/// Reasons of a resource that is not as declared because it was told so: no fault of the project.
const DECLINED: [ConditionReason; 2] = [ConditionReason::PruneOff, ConditionReason::PolicyWithheld];

/// Reasons of a resource that is kept though no manifest declares it any more.
const KEPT: [ConditionReason; 2] = [ConditionReason::Fuse, ConditionReason::SourceShrinking];

impl Mind {
    /// Whether all is as declared. What was told to stay as it is does not count against it.
    pub(super) fn sync(&self) -> SyncStatus {
        if self.wanted.problem.is_some() || self.is_blind() {
            return SyncStatus::Unknown;
        }
        if self.is_behind() {
            return SyncStatus::OutOfSync;
        }
        let counted = self.shown.resources.iter().filter(|resource| !is_declined(resource));
        SyncStatus::of_all(counted.map(|resource| &resource.sync_status))
    }

    /// How what is declared does.
    pub(super) fn health(&self) -> HealthStatus {
        if self.is_blind() {
            return HealthStatus::Unknown;
        }
        let declared =
            self.shown.resources.iter().filter(|resource| resource.declared_at.is_some());
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
        self.shown.unmanaged = plan.unmanaged.len();
        let things = plan.unmanaged.iter().take(UNMANAGED_MAX).map(|it| UnmanagedThing {
            kind: it.kind.to_string(),
            name: it.name.clone(),
            id: it.id.to_string(),
        });
        self.shown.unmanaged_things = things.collect();
    }
}

impl ShownState {
    /// Whether everything is as declared and healthy, as far as it is ours to make it so.
    pub(super) fn is_synced(&self) -> bool {
        self.resources.iter().all(is_fine)
    }

    /// Whether something is kept that no manifest declares any more.
    pub(super) fn keeps_what_vanished(&self) -> bool {
        let ready = self.resources.iter().filter_map(|it| it.conditions.get(ConditionType::Ready));
        ready.into_iter().any(|ready| KEPT.contains(&ready.reason))
    }

    /// Why the first resource that needs a person does.
    pub(super) fn stalled(&self) -> Option<ConditionReason> {
        let mut stalled = self.resources.iter().filter_map(|it| {
            it.conditions.get(ConditionType::Stalled).filter(|it| it.status == Truth::True)
        });
        stalled.next().map(|condition| condition.reason.clone())
    }

    pub(super) fn any(&self, kind: ConditionType) -> bool {
        self.count(kind) > 0
    }

    pub(super) fn count(&self, kind: ConditionType) -> usize {
        self.resources.iter().filter(|it| it.conditions.is_true(kind)).count()
    }
}

pub(super) fn is_fine(status: &ResourceStatus) -> bool {
    let is_synced = is_ready(status) && status.sync_status == SyncStatus::Synced;
    is_synced || is_declined(status)
}

pub(super) fn is_ready(status: &ResourceStatus) -> bool {
    status.conditions.is_true(ConditionType::Ready)
}

/// Whether a resource is other than declared because it was told so.
fn is_declined(status: &ResourceStatus) -> bool {
    let ready = status.conditions.get(ConditionType::Ready);
    ready.is_some_and(|ready| DECLINED.contains(&ready.reason))
}
