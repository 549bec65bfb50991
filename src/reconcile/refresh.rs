//! Reading the three states together, and the refusals that come before a plan.
//!
//! `refresh` is the only step that can fail early. It holds no right to write.

use std::sync::Arc;

use crate::api::{Error, Reader, Recollection};
use crate::clock::Clock;
use crate::model::{Desired, Guard, Inventory, Pin, Project, Snapshot};
use crate::plan::{Plan, Policy, plan};

/// Why there is no snapshot to plan on.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The platform cannot be read at all.
    #[error("{0}")]
    Read(#[from] Error),
    /// The project is not the one meant (S5).
    #[error("{0}")]
    Refused(#[from] WrongProject),
}

/// The project that answers is not the one that is meant (S5).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongProject {
    /// The state belongs to another project or another API.
    #[error(
        "this token selects project {found} at {origin}, but the state belongs to {pinned} at {pinned_origin}"
    )]
    Pin {
        /// The project that answered.
        found: String,
        /// Where.
        origin: String,
        /// The project the state belongs to.
        pinned: String,
        /// Where that is.
        pinned_origin: String,
    },
    /// The manifests are for another project.
    #[error(
        "this token selects project {found}, but {place} says these manifests are for {wanted}"
    )]
    Guard {
        /// The project that answered.
        found: String,
        /// The project of the manifests.
        wanted: String,
        /// Where they say so.
        place: String,
    },
}

/// Reads the live state and joins it with what is wanted and what we remember.
///
/// # Errors
/// When the platform cannot be read, or another project than the one meant answers (S5). A kind
/// that cannot be read is no error: its coverage says so.
pub async fn refresh(
    reader: &Reader,
    desired: Arc<Desired>,
    inventory: Arc<Inventory>,
    clock: &Clock,
    recollection: &mut Recollection,
) -> Result<Snapshot, RefreshError> {
    let now = clock.now();
    let desired = desired.in_turn(&inventory, now);
    reader.client().keeps_secret(&desired);
    let live = reader.live(&desired, &inventory, recollection).await?;
    let origin = reader.client().origin();
    check_pin(inventory.pin.as_ref(), &origin, &live.project)?;
    check_guard(desired.guard.as_ref(), &live.project)?;
    Ok(Snapshot { origin, desired, live, inventory, now })
}

/// Plans, and reads what the plan must know beside what was read: who outside the manifests takes
/// what would go. The snapshot is then the one the plan was made on.
///
/// # Errors
/// When the token is not accepted or the budget is used up.
pub async fn decide(
    reader: &Reader,
    snapshot: &mut Snapshot,
    policy: &Policy,
) -> Result<Plan, Error> {
    let first = plan(snapshot, policy);
    if first.wants.is_empty() {
        return Ok(first);
    }
    reader.look_beside(&mut snapshot.live, &first.wants).await?;
    Ok(plan(snapshot, policy))
}

/// Refuses any project but the pinned one.
///
/// # Errors
/// When the pin does not hold.
pub fn check_pin(pin: Option<&Pin>, origin: &str, project: &Project) -> Result<(), WrongProject> {
    match pin {
        Some(pin) if !pin.holds(origin, project) => Err(WrongProject::Pin {
            found: shown(project),
            origin: origin.to_owned(),
            pinned: shown(&pin.project),
            pinned_origin: pin.origin.clone(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Refuses any project but the one the manifests are for.
///
/// # Errors
/// When it is another one.
pub fn check_guard(guard: Option<&Guard>, project: &Project) -> Result<(), WrongProject> {
    let Some(Guard { name, id, origin }) = guard else {
        return Ok(());
    };
    let found_id = project.id.as_ref().map(|id| id.as_str());
    let is_meant = project.name == *name && id.as_deref().is_none_or(|id| Some(id) == found_id);
    if is_meant {
        return Ok(());
    }
    let id = id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    Err(WrongProject::Guard {
        found: shown(project),
        wanted: format!("`{name}`{id}"),
        place: origin.to_string(),
    })
}

fn shown(project: &Project) -> String {
    let id = project.id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    format!("`{}`{id}", project.name)
}
