//! From a plan to its report: the pin, the right to write, the hands, and the journal after them.

use std::sync::{Arc, Mutex, PoisonError};

use crate::api::{NotPinned, TenureCheck};
use crate::apply::{Execution, Hands, apply};
use crate::model::Pin;
use crate::plan::Report;
use crate::store::{Store, StoreError};

use super::{OpenProject, Planned};

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

impl OpenProject {
    /// Carries a plan out on the project it was made for, with the right to write the state in hand.
    ///
    /// *Guarantees*: the first write of a state directory pins its project, and no write goes to
    /// another (S5); else as [`apply`].
    ///
    /// # Errors
    /// When nothing could be begun at all.
    pub async fn carry_out(
        &self,
        mut store: Store,
        planned: &Planned,
        execution: Execution<'_>,
    ) -> Result<Report, CarryError> {
        let Planned { snapshot, plan, settle, warning: _ } = planned;
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
            reader: &self.reader(),
            writer: &writer,
            store: &store,
            clock: &self.clock,
            settle: *settle,
            commit: plan.revision.as_deref(),
            execution,
        };
        let report = apply(plan, &snapshot.live, &hands).await?;
        store.into_inner().unwrap_or_else(PoisonError::into_inner).compact()?;
        Ok(report)
    }
}
