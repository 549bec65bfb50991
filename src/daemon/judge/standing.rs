//! Sync and health of one resource. They are judged apart: what is held back may do well, and what is
//! as declared may be ill.

use crate::follow::Health;
use crate::model::LiveObject;
use crate::plan::{Action, BlockedReason, Change, ChangeResult, FieldReason, Outcome};
use crate::status::{ConditionReason, HealthStatus, SyncStatus, Truth};

use super::{Case, Key, State, Verdict};

impl Case<'_> {
    /// Whether a resource is as declared, by what is left to do for it.
    pub(super) fn sync(
        &self,
        verdict: &Verdict,
        change: Option<&Change>,
        result: Option<&ChangeResult>,
        object: Option<&LiveObject>,
    ) -> SyncStatus {
        let is_applied = result.is_some_and(|result| result.outcome == Outcome::Applied);
        let is_lost = |result: &ChangeResult| matches!(result.outcome, Outcome::Unresolved { .. });
        let is_unseen = change.and_then(|it| it.blocked.as_ref()).is_some_and(|blocked| {
            matches!(blocked.reason, BlockedReason::Unseen | BlockedReason::IncompleteView)
        });
        match verdict.state {
            State::Ready => return SyncStatus::Synced,
            State::Unseen | State::Unseeable => return SyncStatus::Unknown,
            State::Moving | State::Resting | State::Stuck => {}
        }
        // What was not seen is nothing that could be said of it (S2).
        if is_unseen || result.is_some_and(is_lost) {
            return SyncStatus::Unknown;
        }
        let is_flapping = |change: &Change| {
            change.fields.iter().any(|field| field.reason == FieldReason::Flapping)
        };
        let is_open = |change: &Change| {
            change.blocked.is_some() || !change.steps.is_empty() || change.action == Action::Forget
        };
        let is_pending = !is_applied && (change.is_some_and(is_open) || object.is_none());
        if is_pending || change.is_some_and(is_flapping) {
            SyncStatus::OutOfSync
        } else if change.is_some_and(|change| change.unsettled().next().is_some()) {
            SyncStatus::Unknown
        } else {
            SyncStatus::Synced
        }
    }

    /// How a resource does, whatever is declared.
    pub(super) fn health(
        &self,
        key: &Key,
        verdict: &Verdict,
        result: Option<&ChangeResult>,
        object: Option<&LiveObject>,
    ) -> HealthStatus {
        let is_applied = result.is_some_and(|result| result.outcome == Outcome::Applied);
        let is_whole = self.passed.snapshot.live.listing(key.kind).coverage.is_complete();
        let Some(object) = object else {
            return match (is_applied, is_whole) {
                // What was just made is in no list yet.
                (true, _) => HealthStatus::Progressing,
                (false, true) => HealthStatus::Missing,
                (false, false) => HealthStatus::Unknown,
            };
        };
        if verdict.reason == ConditionReason::DeployFailed {
            return HealthStatus::Degraded;
        }
        if self.awaited.contains(key) || object.is_going() {
            return HealthStatus::Progressing;
        }
        match object.status.as_deref().map(Health::of) {
            Some(Health::Bad) => HealthStatus::Degraded,
            Some(Health::Moving) => HealthStatus::Progressing,
            Some(Health::Good | Health::Unknown) | None => HealthStatus::Healthy,
        }
    }
}

/// Whether what was told to stay as it is is ready: that it is held back alone says nothing against
/// it.
pub(super) const fn readiness(health: &HealthStatus) -> Truth {
    match health {
        HealthStatus::Healthy => Truth::True,
        HealthStatus::Progressing | HealthStatus::Degraded | HealthStatus::Missing => Truth::False,
        HealthStatus::Unknown | HealthStatus::Newer(_) => Truth::Unknown,
    }
}
