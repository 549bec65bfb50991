//! Deployments that were begun: followed to their end, counted when they fail, and rolled back
//! where that is wished.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::follow::{Ending, LOOK_FIRST, Watch, next_pause};
use crate::model::{Key, Project, RemoteId};
use crate::project::Passed;
use crate::status::{ConditionReason, EventSeverity, Occurrence, ResourceStatus, Trigger};

use super::super::judge;
use super::super::memory::FailedDeploys;
use super::super::pace;
use super::Mind;

/// How long a deployment is followed: the longest builds take about as long.
const FOLLOW_MAX: Duration = Duration::from_secs(30 * 60);

impl Mind {
    /// Says when the whole platform is looked at again.
    pub(super) fn schedule_look(&mut self, now: Timestamp) {
        self.agenda.looks += 1;
        let is_moving = |status: &ResourceStatus| status.conditions.is_progressing();
        let is_moving = self.shown.resources.iter().any(is_moving);
        self.agenda.moving_looks =
            if is_moving { self.agenda.moving_looks.saturating_add(1) } else { 0 };
        let interval = pace::while_moving(self.agenda.interval, self.agenda.moving_looks);
        let next = pace::jittered(interval, self.settings.seed, self.agenda.looks);
        self.agenda.look_at = now.checked_add(next).unwrap_or(Timestamp::MAX);
    }

    pub(super) fn begin_following(&mut self, now: Timestamp) {
        let first = now.checked_add(LOOK_FIRST).unwrap_or(Timestamp::MAX);
        self.agenda.follow_at = Some(first);
        self.agenda.follow_pause = LOOK_FIRST;
        self.agenda.follow_until = now.checked_add(FOLLOW_MAX).ok();
    }

    /// Returns the deployments to look at, when it is time to, once.
    pub fn take_look(&mut self, now: Timestamp) -> Option<Watch> {
        let is_time = self.agenda.follow_at.is_some_and(|at| at <= now);
        if !is_time || self.running.is_some() {
            return None;
        }
        self.agenda.follow_at = None;
        (!self.agenda.watch.is_empty()).then(|| self.agenda.watch.clone())
    }

    /// Goes on looking after a pass, which ends a look that is under way: it may have begun
    /// deployments, and what is watched must not change under a look.
    pub(super) fn follow_on(&mut self, now: Timestamp) {
        if !self.agenda.watch.is_empty() && self.agenda.follow_at.is_none() {
            self.agenda.follow_at = now.checked_add(self.agenda.follow_pause).ok();
        }
    }

    /// Takes what a look showed. A look that failed is made again.
    pub fn looked(
        &mut self,
        mut watch: Watch,
        statuses: &[(Key, String)],
        endings: Result<BTreeMap<Key, Ending>, String>,
        now: Timestamp,
    ) {
        let mut endings = endings.unwrap_or_else(|error| {
            tracing::debug!(error, "a look at the deployments failed");
            BTreeMap::new()
        });
        for (key, deployment) in watch.take_succeeded() {
            self.note_runs(&key, &deployment, now);
        }
        self.agenda.watch = watch;
        for (key, status) in statuses {
            self.note_deployment(key, status, Vec::new());
        }
        if self.agenda.follow_until.is_some_and(|until| until <= now) {
            endings.extend(std::mem::take(&mut self.agenda.watch).give_up());
        }
        self.agenda.follow_pause = next_pause(self.agenda.follow_pause);
        self.follow_on(now);
        if !endings.is_empty() {
            // One sweep of the lists verifies them all.
            self.agenda.due.insert(Trigger::Retry);
        }
        for (key, ending) in endings {
            self.ended(&key, ending, now);
        }
    }

    fn ended(&mut self, key: &Key, ending: Ending, now: Timestamp) {
        self.note_end(key, &ending, now);
        match ending {
            Ending::Succeeded => {
                self.memory.deploys.remove(key);
                self.tell(
                    EventSeverity::Normal,
                    Some(key),
                    Occurrence::DeploySucceeded,
                    "its deployment succeeded",
                );
            }
            Ending::Gone => {
                let message = "it was deleted before its deployment ended";
                self.tell(EventSeverity::Warning, Some(key), Occurrence::Gone, message);
            }
            Ending::TimedOut { status } => {
                let message = format!("its deployment is still {status} after 30 minutes");
                self.tell(EventSeverity::Warning, Some(key), Occurrence::DeployTimedOut, message);
            }
            Ending::Failed { status, log } => {
                let message = format!("its deployment ended as {status}");
                self.tell(
                    EventSeverity::Warning,
                    Some(key),
                    ConditionReason::DeployFailed,
                    message,
                );
                self.count_failure(key, log, now);
            }
        }
    }

    fn count_failure(&mut self, key: &Key, log: Vec<String>, now: Timestamp) {
        let desired = self.wanted.declared.as_ref().and_then(|it| it.desired.resources.get(key));
        let Some(digest) = desired.map(judge::digest) else {
            return;
        };
        let known = self.memory.deploys.remove(key).filter(|known| known.digest == digest);
        let failed = known.as_ref().map_or(0, |known| known.failed) + 1;
        let was_rolled_back = known.is_some_and(|known| known.rolled_back);
        let may_roll_back = self.settings.rollback_on_failure
            && !was_rolled_back
            && self.licence(now).allows_writing();
        // Noted before the request leaves: a second rollback would bring the failure back.
        let rolled_back = was_rolled_back || may_roll_back;
        self.memory.deploys.insert(key.clone(), FailedDeploys { digest, failed, rolled_back, log });
        let id = judge::find(&self.shown.resources, key).and_then(|status| status.id.as_deref());
        if may_roll_back && let Some(id) = id.and_then(|id| RemoteId::new(id).ok()) {
            self.agenda.rollbacks.push((key.clone(), id));
        }
    }

    /// Returns the next service to roll back, once, with the project it is of.
    pub fn take_rollback(&mut self) -> Option<(Key, (RemoteId, Project))> {
        let project = self.project.clone()?;
        let (key, id) = self.agenda.rollbacks.pop()?;
        Some((key, (id, project)))
    }

    /// Takes what became of a rollback. One whose answer was lost is not sent again.
    pub fn rolled_back(&mut self, key: &Key, outcome: &Result<(), String>) {
        match outcome {
            Ok(()) => {
                let message = "it is rolled back to its previous deployment";
                self.tell(EventSeverity::Normal, Some(key), ConditionReason::RolledBack, message);
            }
            Err(error) => {
                let message = format!("failed to {error}");
                self.tell(EventSeverity::Warning, Some(key), Occurrence::RollbackFailed, message);
            }
        }
    }

    /// Forgets failures of states that nobody wants any more.
    pub(super) fn forget_deploys(&mut self, passed: &Passed) {
        let desired = &passed.snapshot.desired.resources;
        self.memory.deploys.retain(|key, failed| {
            desired.get(key).is_some_and(|resource| judge::digest(resource) == failed.digest)
        });
        let inventory = &passed.inventory;
        self.agenda.watch.retain(|awaited| judge::is_known(inventory, &awaited.key));
    }
}
