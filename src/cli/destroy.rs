//! `stoker destroy`: delete what is owned. All laws hold; only the fuse's shares do not.

use crate::model::{Desired, Kind};
use crate::plan::{Permissions, Policy, Prune, RunRequest, Selection};
use crate::project::Planned;
use crate::render;

use super::apply::{carry_out, exit_of};
use super::arguments::{DestroyCommand, OutputFormat};
use super::ask::{Consent, Question, ask};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::find::check_owned;
use super::interrupt::Interrupt;
use super::planning::{EstimatedPlan, planned};
use super::policies::{self, Judges};
use super::session::{Purpose, Session};

/// Plans the deletion of everything owned, asks for the project's name, and carries it out.
pub async fn run(
    context: &Context,
    command: &DestroyCommand,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let DestroyCommand { target, confirm, prune_adopted, connection } = command;
    let judges = Judges::call(context)?;
    let session = Session::open(context, connection, Purpose::Write)?;
    let store = session.hold(context, "destroy").await?;
    // A typing mistake must not read as "nothing to destroy".
    check_owned(target, store.inventory())?;
    let permissions = Permissions {
        prune: Prune::Kinds(Kind::ALL.into()),
        prune_adopted: *prune_adopted,
        ..Permissions::default()
    };
    let targets = target.iter().cloned().collect();
    let selection = Selection { targets, ..Selection::default() };
    let request = RunRequest { selection, destroy: true, ..RunRequest::default() };
    let policy = Policy { permissions, request, ..Policy::default() };
    let desired = Desired::default();
    let EstimatedPlan { planned, estimate, sight: _ } =
        planned(context, &session, desired, &policy).await?;
    let findings = judges.judge(&planned);
    let Planned { snapshot, plan, .. } = &planned;
    if context.output.form() == OutputFormat::Text {
        context.output.data(&render::plan_as_text(plan, &estimate));
        context.output.data(&render::policies_as_text(&findings));
    }
    policies::check(&findings)?;
    let project = &snapshot.live.project.name;
    let answer = match confirm {
        Some(name) if name == project => Consent::Yes,
        Some(name) => {
            let message = format!("--confirm names `{name}`, but this is project `{project}`");
            return Err(Failure::new(ErrorCode::WrongProject, message));
        }
        None if !plan.is_pending() => Consent::Yes,
        None => ask(context, &Question::Destroy { project }, interrupt).await?,
    };
    if let Consent::No(exit) = answer {
        return Ok(exit);
    }
    let report = carry_out(context, &session, store, &planned, interrupt).await?;
    super::apply::report_to(context, plan, &report, &std::collections::BTreeMap::new());
    Ok(interrupt.exit().unwrap_or_else(|| exit_of(&report)))
}
