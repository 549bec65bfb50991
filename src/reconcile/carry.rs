//! From a plan to its report: the pin, the right to write, the hands, and the journal after them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::api::{Client, NotPinned, TenureCheck};
use crate::apply::{Hands, Happening, Patience, apply};
use crate::clock::Clock;
use crate::model::{Pin, Snapshot};
use crate::plan::{Plan, Report};
use crate::store::{Store, StoreError};

/// Why nothing of a plan was carried out.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// The project is not the pinned one (S5).
    #[error("{0}")]
    NotPinned(#[from] NotPinned),
    /// Nothing can be written down, so nothing was sent (S3).
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// What carrying a plan out needs beside the plan.
pub struct Carrier<'a> {
    /// The API.
    pub client: &'a Client,
    /// Tells the time.
    pub clock: &'a Clock,
    /// How long an unanswered create may still be under way (S3).
    pub settle: Duration,
    /// What to do while there is nothing to do but wait.
    pub patience: Patience,
    /// Turns true when nothing new may begin.
    pub stop: watch::Receiver<bool>,
    /// Told what happens.
    pub observe: &'a (dyn Fn(Happening<'_>) + Sync),
}

impl Carrier<'_> {
    /// Carries a plan out on the project it was made for.
    ///
    /// *Guarantees*: the first write of a state directory pins its project, and no write goes to
    /// another (S5); else as [`apply`].
    ///
    /// # Errors
    /// When nothing could be begun at all.
    pub async fn carry_out(
        &self,
        mut store: Store,
        snapshot: &Snapshot,
        plan: &Plan,
    ) -> Result<Report, CarryError> {
        let project = &snapshot.live.project;
        let pin = match &store.inventory().pin {
            Some(pin) => pin.clone(),
            None => Pin { origin: snapshot.origin.clone(), project: project.clone() },
        };
        // Who was put out of the seat meanwhile sends nothing more.
        let tenure = store.right().map(|right| Arc::new(move || right.holds()) as TenureCheck);
        let writer = self.client.writer(&pin, project)?.under(tenure);
        if store.inventory().pin.is_none() && !plan.changes.is_empty() {
            store.set_pin(pin)?;
        }
        self.client.expect(plan.cost.reads.saturating_add(plan.cost.writes));
        let store = Mutex::new(store);
        let hands = Hands {
            reader: &self.client.reader(),
            writer: &writer,
            store: &store,
            clock: self.clock,
            settle: self.settle,
            commit: plan.revision.as_deref(),
            patience: self.patience,
            stop: self.stop.clone(),
            observe: self.observe,
        };
        let report = apply(plan, &snapshot.live, &hands).await?;
        store.into_inner().unwrap_or_else(PoisonError::into_inner).compact()?;
        Ok(report)
    }
}
