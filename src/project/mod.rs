//! One project, opened once: read, planned, carried out, followed, and kept by an agent's passes.
//!
//! Whoever acts on a project goes through this room: the command line, the agent, the simulation,
//! the tests, and a program that embeds the library.

mod carry;
mod open;
mod pass;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use crate::api::{Client, Reader, Recollection, Rename};
use crate::apply::Execution;
use crate::budget::Millis;
use crate::clock::Clock;
use crate::follow::{Ending, Follower, awaited};
use crate::ledger::Ledger;
use crate::model::{Desired, Inventory, Key, Snapshot};
use crate::plan::{Plan, Platform, Policy, PutOn, Report, scope};
use crate::reconcile::{self, RefreshError};
use crate::store::{Medium, Recent, StoredState, Warning};

pub use carry::CarryError;
pub use open::{BudgetPlace, ProjectParts, seed};
pub use pass::{Licence, Look, PassError, Passed, PlanJudge, RollbackError, Wish};

/// A project that can be acted on; clones are the same one.
#[derive(Clone)]
pub struct OpenProject {
    /// The API; every request leaves through it.
    pub client: Client,
    /// The budget the client spends from.
    pub ledger: Arc<Ledger>,
    /// Tells the time.
    pub clock: Clock,
    /// Where the state is kept.
    pub state: Medium,
    /// Who writes, for whoever finds the state locked.
    holder: String,
    /// What was last read of the state.
    recent: Recent,
    /// What the last pass saw, for the next.
    recollection: Arc<Mutex<Recollection>>,
}

/// A plan with what it was made of.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The three states, as they were read.
    pub snapshot: Snapshot,
    /// What was planned on them.
    pub plan: Plan,
    /// How long an unanswered create may still be under way (S3), as its policy says.
    pub settle: Duration,
    /// What is the matter with the state on disk, if it could be read all the same.
    pub warning: Option<Warning>,
}

impl OpenProject {
    /// Returns the right to read.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.client.reader()
    }

    /// Completes what a person allows with what the platform can do, which only the dialect knows.
    #[must_use]
    pub fn policy(&self, policy: Policy) -> Policy {
        let dialect = self.client.dialect();
        let platform = Platform {
            renames: dialect.rename == Rename::Patch,
            deploys_after_patch: dialect.deploy_after_patch,
            keeps_names: dialect.names_kept,
            unique_names: dialect.names_unique,
            put_on: PutOn::of(&dialect.platform_env),
        };
        Policy { platform, ..policy }
    }

    /// Reads the three states and plans. Nothing is written, on the platform or on disk.
    ///
    /// # Errors
    /// When the state or the platform cannot be read, or another project than the one meant answers
    /// (S5).
    pub async fn plan(
        &self,
        desired: impl Into<Arc<Desired>>,
        policy: &Policy,
    ) -> Result<Planned, PassError> {
        let StoredState { inventory, warning } = self.state.read()?;
        let recalled = Recollection::default();
        let (snapshot, _) = self.refresh(desired.into(), inventory, policy, recalled).await?;
        Ok(Planned { warning, ..self.decide(snapshot, policy).await? })
    }

    /// Reads what is live as far as it is not recalled, and joins it with what is wanted and what is
    /// ours. Returns what may be recalled of it.
    ///
    /// # Errors
    /// As [`reconcile::refresh`].
    pub async fn refresh(
        &self,
        desired: Arc<Desired>,
        inventory: Arc<Inventory>,
        policy: &Policy,
        recalled: Recollection,
    ) -> Result<(Snapshot, Recollection), RefreshError> {
        let mut recollection = recalled.about(scope(&desired, &inventory, policy));
        let (reader, clock) = (self.reader(), &self.clock);
        let snapshot =
            reconcile::refresh(&reader, desired, inventory, clock, &mut recollection).await?;
        Ok((snapshot, recollection))
    }

    /// Plans on a snapshot, and reads what the plan must know beside it.
    ///
    /// # Errors
    /// As [`reconcile::decide`].
    pub async fn decide(
        &self,
        mut snapshot: Snapshot,
        policy: &Policy,
    ) -> Result<Planned, RefreshError> {
        let policy = self.policy(policy.clone());
        let plan = reconcile::decide(&self.reader(), &mut snapshot, &policy).await?;
        Ok(Planned { snapshot, plan, settle: policy.permissions.settle, warning: None })
    }

    /// Carries out a plan: takes the right to write the state, and holds it until the report is
    /// there. Nothing is written where the state is another one than the plan was made on.
    ///
    /// # Errors
    /// When somebody else holds the state, when it moved, and as [`OpenProject::carry_out`].
    pub async fn apply(
        &self,
        planned: &Planned,
        execution: Execution<'_>,
    ) -> Result<Report, PassError> {
        let store = self.state.open(&self.holder)?;
        if *store.inventory() != *planned.snapshot.inventory {
            return Err(PassError::Moved);
        }
        Ok(self.carry_out(store, planned, execution).await?)
    }

    /// Waits for the deployments that a plan began after `since`, until `deadline` at most; `observe`
    /// is told each new status.
    ///
    /// # Errors
    /// When the state or the platform cannot be read.
    pub async fn follow(
        &self,
        plan: &Plan,
        report: &Report,
        since: Timestamp,
        deadline: Timestamp,
        observe: &(dyn Fn(&Key, &str) + Sync),
    ) -> Result<BTreeMap<Key, Ending>, PassError> {
        let inventory = self.state.read()?.inventory;
        let awaited = awaited(plan, report, &inventory, since);
        let (reader, clock) = (&self.reader(), &self.clock);
        let endings = Follower { reader, clock, deadline, observe }.follow(awaited).await;
        Ok(endings.map_err(RefreshError::from)?)
    }

    /// Ends the run in the ledger, so that its start does not look like a crash (performance, B9).
    pub fn close(&self) {
        self.ledger.close(Millis::from(self.clock.now()));
    }
}
