//! The right to write for the commands that write outside a plan, and what their failures mean.

use crate::api::{Error, WriteError, Writer};
use crate::model::{Pin, Project, RemoteId};
use crate::reconcile::check_pin;

use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;

/// Returns the right to write to the pinned project, and that project (S5).
///
/// Where nothing is pinned yet the project that answers is taken for the one meant, and not
/// remembered: the first `apply` pins.
///
/// # Errors
/// When the project cannot be read or is not the pinned one, or the state cannot be read.
pub async fn writer(session: &Session) -> Result<(Writer, Project), Failure> {
    let inventory = session.truth.medium.read()?.inventory;
    let project = session.reader.project().await?;
    let origin = session.project.client.origin();
    check_pin(inventory.pin.as_ref(), &origin, &project)?;
    let pin = inventory.pin.clone().unwrap_or_else(|| Pin { origin, project: project.clone() });
    let writer = session.project.client.writer(&pin, &project);
    let writer = writer.map_err(|error| {
        Failure::new(ErrorCode::WrongProject, format!("failed to {error}"))
            .hint("use the token of that project, or another state directory with --state")
    })?;
    Ok((writer, project))
}

/// Forgets that a deploy was owed (A6): a person's deploy carries what was written before it, and a
/// person's rollback must not be undone by the next run. What was asked for has begun by then, so
/// a state that cannot be written is only told of.
pub async fn pay_deploy(context: &Context, session: &Session, id: &RemoteId, command: &str) {
    let pay = async || -> Result<(), Failure> {
        if session.truth.medium.read()?.inventory.deploys_owed.contains(id) {
            session.hold(context, command).await?.pay_deploy(id)?;
        }
        Ok(())
    };
    if let Err(failure) = pay().await {
        context.output.warn(&format!("the next run deploys again: {}", failure.message));
    }
}

/// Returns the exit code of a write that may have happened: the deadline's, where that ended it.
fn open(error: &Error) -> Exit {
    if error.is_out_of_time() { Exit::OverBudget } else { Exit::Failed }
}

/// Says what a failed deploy or rollback means; `check` is the command that shows what became of it.
pub fn failed(error: &WriteError, check: &str) -> Failure {
    let failure = Failure::from(error.error().clone());
    match error {
        WriteError::Busy(_) => failure.hint("wait until the deployment in progress has ended"),
        WriteError::Ambiguous(error) => {
            Failure { exit: open(error), code: ErrorCode::Ambiguous, ..failure }.hint(format!(
                "it may have happened nevertheless, and was not sent again; `{check}` shows \
                 whether it did"
            ))
        }
        WriteError::Refused(_) | WriteError::NotApplied(_) | WriteError::OverBudget(_) => failure,
    }
}
