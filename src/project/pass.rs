//! A whole pass for the agent: refresh, plan, and where it may, carry out.

use std::sync::{Arc, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::api::{DeployTarget, DeploymentOrder, Recollection, WriteError};
use crate::apply::{Execution, Happening, Patience};
use crate::budget::Lane;
use crate::model::{Desired, Inventory, Key, Project, RemoteId, Snapshot};
use crate::plan::{Plan, Policy, Report, RuleFinding, plan};
use crate::reconcile::{RefreshError, holds};
use crate::store::{StoreError, StoredState, Warning};

use super::{CarryError, OpenProject, Planned};

/// Whether a pass may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Licence {
    /// It looks and plans.
    Look,
    /// It carries out what it planned.
    Write,
}

/// How a pass looks at the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Everything is read.
    Whole,
    /// Lists are read, details of what they show otherwise than before, and so many other details,
    /// those longest unread first.
    AtRest {
        /// The most requests for other details.
        details_max: usize,
    },
}

/// What a pass is about.
pub struct Wish<'a> {
    /// What the manifests want, wholly valid (S6).
    pub desired: Arc<Desired>,
    /// What is allowed.
    pub policy: &'a Policy,
    /// Whether it may write.
    pub licence: Licence,
    /// How it looks.
    pub look: Look,
    /// What policies say of the plan before any of it is carried out.
    pub judge: &'a PlanJudge<'a>,
}

/// Says what policies say of a plan; of whoever has none, nothing.
pub type PlanJudge<'a> = dyn Fn(&Planned) -> Vec<RuleFinding> + Sync + 'a;

/// What a pass saw and did.
#[derive(Clone, Debug)]
pub struct Passed {
    /// The three states, as they were read.
    pub snapshot: Snapshot,
    /// What was planned on them.
    pub plan: Plan,
    /// What policies say of it.
    pub findings: Vec<RuleFinding>,
    /// What became of it; nothing when there was nothing to do, no licence, or a policy refused.
    pub report: Option<Report>,
    /// What we remember after it.
    pub inventory: Arc<Inventory>,
    /// What is the matter with the state on disk, if it could be read all the same.
    pub warning: Option<Warning>,
}

/// Why a pass came to no end.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The platform cannot be read, or another project answers.
    #[error("{0}")]
    Refresh(#[from] RefreshError),
    /// Nothing was carried out.
    #[error("{0}")]
    Carry(#[from] CarryError),
    /// The state was written by another command meanwhile; the next pass sees it.
    #[error("the state was changed by another command during the pass")]
    Moved,
}

impl From<StoreError> for PassError {
    fn from(error: StoreError) -> Self {
        Self::Carry(error.into())
    }
}

impl OpenProject {
    /// Returns the same project for requests of another lane.
    #[must_use]
    pub fn in_lane(&self, lane: Lane) -> Self {
        Self { client: self.client.in_lane(lane), ..self.clone() }
    }

    /// Makes one pass: refresh, plan, and where it may, carry out.
    ///
    /// *Guarantees*: where there is nothing to do it only reads, on the platform and on disk. It
    /// never waits for anything but requests: what only time can tell is left to the next pass
    /// (L2). A rollback by people is not undone by a repair. Nothing of a plan that a policy refuses
    /// is carried out.
    ///
    /// # Errors
    /// When nothing could be planned, or nothing carried out.
    pub async fn pass(
        &self,
        wish: Wish<'_>,
        stop: watch::Receiver<bool>,
        observe: &(dyn Fn(Happening<'_>) + Sync),
    ) -> Result<Passed, PassError> {
        let Wish { desired, policy, licence, look, judge } = wish;
        let StoredState { inventory, warning } = self.recent.read(&self.state)?;
        let (snapshot, mut recollection) =
            self.refresh(desired, inventory, policy, self.recall(look)).await?;
        let mut planned = self.decide(snapshot, policy).await?;
        let holds = holds(&planned.plan, &self.reader()).await;
        if !holds.is_empty() {
            let mut policy = self.policy(policy.clone());
            policy.learned.held.extend(holds);
            planned.plan = plan(&planned.snapshot, &policy);
        }
        let findings = judge(&planned);
        let is_refused = findings.iter().any(RuleFinding::refuses);
        let report = match licence {
            Licence::Write if !is_refused && !planned.plan.is_idle() => {
                let execution = Execution { patience: Patience::Leave, stop, observe };
                Some(self.apply(&planned, execution).await?)
            }
            Licence::Write | Licence::Look => None,
        };
        let Planned { snapshot, plan, .. } = planned;
        let inventory = match report {
            Some(_) => {
                let carried = plan.changes.iter().filter(|change| change.blocked.is_none());
                recollection.forget(carried.filter_map(|it| Some((it.key.kind, it.id.as_ref()?))));
                self.recent.read(&self.state)?.inventory
            }
            None => Arc::clone(&snapshot.inventory),
        };
        self.recollect(recollection);
        Ok(Passed { snapshot, plan, findings, report, inventory, warning })
    }

    /// Returns what may be recalled. It is gone then: only a pass that comes to its end leaves it to
    /// the next.
    fn recall(&self, look: Look) -> Recollection {
        let recalled = std::mem::take(&mut *self.recalled());
        match look {
            Look::Whole => Recollection::default(),
            Look::AtRest { details_max } => recalled.allowing(details_max),
        }
    }

    fn recollect(&self, recollection: Recollection) {
        *self.recalled() = recollection;
    }

    fn recalled(&self) -> MutexGuard<'_, Recollection> {
        // Nothing panics while it is held, and a lost recollection costs requests only.
        self.recollection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes back to the previous deployment of a service of ours.
    ///
    /// # Errors
    /// When the pin does not hold (S5), or the platform refuses.
    pub async fn roll_back(
        &self,
        project: &Project,
        key: &Key,
        id: &RemoteId,
    ) -> Result<(), RollbackError> {
        let inventory = self.state.read()?.inventory;
        let pin = inventory.pin.as_ref().ok_or(RollbackError::NotOurs)?;
        let writer = self.client.writer(pin, project)?;
        let deployments = self.reader().deployments(id).await?;
        // Since it was decided somebody may have mended it, or begun to.
        let newest = deployments.first();
        let newest = newest.filter(|newest| newest.has_ended() && !newest.has_succeeded());
        let from = Some(&newest.ok_or(RollbackError::Mended)?.id);
        let target = DeployTarget { id, name: key.name.as_str(), created_at: None };
        writer.order(target, DeploymentOrder::Rollback { from }).await?;
        Ok(())
    }
}

/// Why a service was not rolled back.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// Nothing was ever written to this project.
    #[error("roll back: the project is not ours")]
    NotOurs,
    /// Its newest deployment is not the failed one any more.
    #[error("roll back: it was deployed again in the meantime")]
    Mended,
    /// Its deployments cannot be read.
    #[error("{0}")]
    Read(#[from] crate::api::Error),
    /// The project is not the pinned one (S5).
    #[error("{0}")]
    NotPinned(#[from] crate::api::NotPinned),
    /// The state cannot be read.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The platform did not do it, or did not say so.
    #[error("{0}")]
    Write(#[from] WriteError),
}
