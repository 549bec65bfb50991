//! What somebody orders of one service outside any plan. It too leaves right after a look (S10).

use super::error::Error;
use super::leave::Leave;
use super::outcome::{WriteError, before_the_write, missing};
use super::reader::Lookup;
use super::retry::Rounds;
use super::wire::Deployment;
use super::writer::Writer;
use crate::model::{Kind, LiveObject, RemoteId, is_same_moment};

/// The service that an order is about, as it was seen.
#[derive(Clone, Copy, Debug)]
pub struct DeployTarget<'a> {
    /// Its id.
    pub id: &'a RemoteId,
    /// Its name.
    pub name: &'a str,
    /// When it was created, as far as that is known.
    pub created_at: Option<&'a str>,
}

/// What is ordered.
#[derive(Clone, Copy, Debug)]
pub enum DeploymentOrder<'a> {
    /// A deployment.
    Deploy {
        /// Of another branch than its own.
        branch: Option<&'a str>,
        /// From nothing.
        clear_cache: bool,
    },
    /// Going back to the deployment before this one, which was the newest.
    Rollback {
        /// The newest deployment, if there was one.
        from: Option<&'a RemoteId>,
    },
}

impl<'a> From<&'a LiveObject> for DeployTarget<'a> {
    fn from(object: &'a LiveObject) -> Self {
        let LiveObject { id, name, created_at, .. } = object;
        Self { id, name, created_at: created_at.as_deref() }
    }
}

/// What a look at a target has shown.
#[derive(Debug)]
pub enum TargetSight {
    /// It is what it was; this is leave for the write that rests on it.
    Same(Leave),
    /// Something else has its id, or its name, or is deployed.
    Other,
    /// It is gone.
    Gone,
}

impl Writer {
    /// Looks at a service, as often as looks are tried, right before something is written to it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn look_at(&self, target: DeployTarget<'_>) -> Result<TargetSight, Error> {
        self.look_for(target, None, &mut self.rounds()).await
    }

    /// Carries an order out, as long as its target is what it was; again where it certainly did not
    /// happen, each time after another look.
    ///
    /// # Errors
    /// By what is known of the outcome.
    pub async fn order(
        &self,
        target: DeployTarget<'_>,
        order: DeploymentOrder<'_>,
    ) -> Result<Deployment, WriteError> {
        let name = || self.reader().client().known().name_of(Kind::Service, target.id);
        let moved = |reason: &str| {
            Err(missing(&format!("{} {}", order.doing(), name()), reason.to_owned()))
        };
        let mut rounds = self.rounds();
        loop {
            let looked = self.look_for(target, Some(order), &mut rounds).await;
            let leave = match looked.map_err(before_the_write)? {
                TargetSight::Same(leave) => leave,
                TargetSight::Other => {
                    return moved("it changed, or was deployed in the meantime");
                }
                TargetSight::Gone => return moved("it is gone"),
            };
            let error = match self.send_order(leave, target.id, order).await {
                Err(WriteError::NotApplied(error)) => error,
                done => return done,
            };
            match rounds.after_write(&error, false) {
                Some(at) if self.may_wait_until(at).await => {}
                Some(_) | None => return Err(WriteError::NotApplied(error)),
            }
        }
    }

    async fn look_for(
        &self,
        target: DeployTarget<'_>,
        order: Option<DeploymentOrder<'_>>,
        rounds: &mut Rounds,
    ) -> Result<TargetSight, Error> {
        loop {
            let error = match self.look_once(target, order).await {
                Ok(sight) => return Ok(sight),
                Err(error) => error,
            };
            match rounds.after_look(&error) {
                Some(at) if self.may_wait_until(at).await => {}
                Some(_) | None => return Err(error),
            }
        }
    }

    async fn look_once(
        &self,
        target: DeployTarget<'_>,
        order: Option<DeploymentOrder<'_>>,
    ) -> Result<TargetSight, Error> {
        // Before anything is looked at: this may wait for a minute.
        let pair = self.pair().await?;
        if let Some(DeploymentOrder::Rollback { from }) = order {
            let deployments = self.reader().deployments(target.id).await?;
            // Twice goes back two: somebody else may have done it, or deployed anew.
            if deployments.first().map(|newest| &newest.id) != from {
                return Ok(TargetSight::Other);
            }
        }
        Ok(match pair.look(Kind::Service, target.id).await? {
            (Lookup::Found(now), leave) if target.is(&now) => TargetSight::Same(leave),
            (Lookup::Found(_), _) => TargetSight::Other,
            (Lookup::Gone, _) => TargetSight::Gone,
        })
    }

    async fn send_order(
        &self,
        leave: Leave,
        id: &RemoteId,
        order: DeploymentOrder<'_>,
    ) -> Result<Deployment, WriteError> {
        match order {
            DeploymentOrder::Deploy { branch, clear_cache } => {
                self.deploy(leave, id, branch, clear_cache).await
            }
            DeploymentOrder::Rollback { from: _ } => self.rollback(leave, id).await,
        }
    }
}

impl DeploymentOrder<'_> {
    const fn doing(self) -> &'static str {
        match self {
            Self::Deploy { .. } => "deploy",
            Self::Rollback { .. } => "roll back",
        }
    }
}

impl DeployTarget<'_> {
    fn is(&self, now: &LiveObject) -> bool {
        let is_same_age = match (self.created_at, &now.created_at) {
            (Some(then), Some(now)) => is_same_moment(then, now),
            (Some(_), None) => false,
            (None, _) => true,
        };
        now.name == self.name && is_same_age
    }
}
