//! From manifests and a session to a plan: the same steps for `plan`, `apply`, `drift`, `destroy`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::api::Recollection;
use crate::budget::Millis;
use crate::model::{Coverage, Desired, Diagnostic, Inventory, Key, Live, Name, Unknown};
use crate::plan::{BlockedReason, Change, Plan, Policy, Unmanaged, plan};
use crate::project::{CarryError, PassError, Planned};
use crate::reconcile::{RefreshError, WrongProject};
use crate::render::Estimate;
use crate::render::json::SavedCost;
use crate::store::StoreError;

use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::find;
use super::last_look::LastLook;
use super::session::Session;

/// A plan with what carrying it out takes, and what its look saw.
pub struct EstimatedPlan {
    /// The plan, and what it was made of.
    pub planned: Planned,
    /// What carrying it out takes.
    pub estimate: Estimate,
    /// The exit code of a look that did not see all it needed (S2); done when it did.
    pub sight: Exit,
}

/// Reads the platform and plans.
///
/// # Errors
/// When the platform or the state cannot be read, or another project than the one meant answers.
pub async fn planned(
    context: &Context,
    session: &Session,
    desired: Desired,
    policy: &Policy,
) -> Result<EstimatedPlan, Failure> {
    let inventory = session.inventory(context)?;
    let (project, recalled) = (&session.project, Recollection::default());
    let (snapshot, look) = project.refresh(desired.into(), inventory, policy, recalled).await?;
    if policy.request.selection.is_everything() && !policy.request.destroy {
        LastLook::of(&snapshot, look.detailed()).keep(&session.state);
    }
    conclude(context, session, project.decide(snapshot, policy).await?)
}

/// Plans on what was last seen, and sends nothing.
///
/// # Errors
/// When there is no last look that would do, or it is of another project than the one meant.
pub fn planned_on_last_look(
    context: &Context,
    session: &Session,
    desired: Desired,
    policy: &Policy,
) -> Result<(EstimatedPlan, Timestamp), Failure> {
    let inventory = session.inventory(context)?;
    let look = LastLook::read(&session.state, &inventory)?;
    let (at, origin, now) = (look.at, session.project.client.origin(), session.project.clock.now());
    let snapshot = look.snapshot(&origin, desired, inventory, now)?;
    let plan = plan(&snapshot, &session.project.policy(policy.clone()));
    let planned = Planned { snapshot, plan, settle: policy.permissions.settle, warning: None };
    Ok((conclude(context, session, planned)?, at))
}

fn conclude(
    context: &Context,
    session: &Session,
    planned: Planned,
) -> Result<EstimatedPlan, Failure> {
    let Planned { snapshot, plan, .. } = &planned;
    let estimate = estimate(session, plan)?;
    context.closing.cost(SavedCost::of(plan, &estimate));
    let sight = sight(context, plan, &snapshot.live);
    namesakes(context, plan, &snapshot.inventory);
    Ok(EstimatedPlan { planned, estimate, sight })
}

/// Warns of each kind that the plan needed and could not see, and returns the exit code of it.
fn sight(context: &Context, plan: &Plan, live: &Live) -> Exit {
    let mut warned = BTreeSet::new();
    let mut exit = Exit::Done;
    for change in plan.changes.iter().filter(|change| is_unseen(change)) {
        let kind = change.key.kind;
        let coverage = &live.listing(kind).coverage;
        let is_denied = *coverage == Coverage::Unknown(Unknown::Forbidden);
        exit = exit.max(if is_denied { Exit::Denied } else { Exit::Failed });
        if warned.insert(kind) {
            context.output.warn(&match coverage {
                Coverage::Unknown(unknown) => find::trouble(kind, unknown),
                // The listing is whole, and one of ours is neither in it nor proven to be gone.
                Coverage::Complete => format!("{} was not seen, but it may exist", change.key),
            });
        }
    }
    exit
}

/// Warns of what has the name of one of ours and is nobody's that is known: two who keep one project
/// without sharing their state make everything twice where names are not unique (A23).
fn namesakes(context: &Context, plan: &Plan, inventory: &Inventory) {
    let is_namesake = |other: &&Unmanaged| {
        let name = Name::new(&other.name).ok();
        let key = name.map(|name| Key::new(other.kind, name));
        key.is_some_and(|key| inventory.entries.contains_key(&key))
    };
    for Unmanaged { kind, name, id } in plan.unmanaged.iter().filter(is_namesake) {
        context.output.warn(&format!(
            "{id} has the name of {kind}/{name} and is not ours; does another Stoker manage this \
             project with its own state?"
        ));
    }
}

/// Warns of what would be made without anything to run, neither a repository nor an image, and
/// returns the warnings.
pub fn sourceless(context: &Context, plan: &Plan) -> Vec<Diagnostic> {
    let found: Vec<Diagnostic> = plan.sourceless().map(without_source).collect();
    context.output.diagnostics(&found);
    found
}

fn without_source(change: &Change) -> Diagnostic {
    let message = format!("{} is created without a source, and has nothing to run", change.key);
    let hint = "write `repo` or `image`; a Blueprint in a checkout, or read with `--repo`, means \
        that repository";
    let finding = Diagnostic::warning("no-source", message).hint(hint);
    match &change.origin {
        Some(origin) => finding.at(origin.clone()),
        None => finding,
    }
}

/// Whether a change could not be decided because its resource was not seen (S2).
#[must_use]
pub fn is_unseen(change: &Change) -> bool {
    let blocked = change.blocked.as_ref();
    blocked.is_some_and(|blocked| blocked.reason == BlockedReason::IncompleteView)
}

/// Asks the budget how long a plan takes.
///
/// # Errors
/// When the budget cannot be read.
pub fn estimate(session: &Session, plan: &Plan) -> Result<Estimate, Failure> {
    let now = Millis::from(session.project.clock.now());
    let requests = plan.cost.reads.saturating_add(plan.cost.writes);
    let unknown = |error: crate::ledger::LedgerError| {
        Failure::new(ErrorCode::State, format!("failed to {error}"))
    };
    let time = session.project.ledger.forecast(requests, now).map_err(unknown)?;
    let view = session.project.ledger.view(now).map_err(unknown)?;
    let seconds = time.as_millis().div_ceil(1000);
    // A plan always reads, and no request takes no time: the JSON says "1 s" as the text does.
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX).max(1);
    Ok(Estimate { seconds, left: Some((view.remaining, view.limit)) })
}

impl From<RefreshError> for Failure {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Read(error) => error.into(),
            RefreshError::Refused(wrong) => wrong.into(),
        }
    }
}

impl From<WrongProject> for Failure {
    fn from(wrong: WrongProject) -> Self {
        let hint = match &wrong {
            WrongProject::Pin { .. } => {
                "use the token of that project, or another state directory with --state"
            }
            WrongProject::Guard { .. } => "use the token of the project these manifests are for",
        };
        Self::new(ErrorCode::WrongProject, wrong.to_string()).hint(hint)
    }
}

impl From<CarryError> for Failure {
    fn from(error: CarryError) -> Self {
        match error {
            CarryError::NotPinned(error) => {
                Self::new(ErrorCode::WrongProject, format!("failed to {error}"))
            }
            CarryError::Store(error) => error.into(),
        }
    }
}

impl From<PassError> for Failure {
    fn from(error: PassError) -> Self {
        match error {
            PassError::Refresh(error) => error.into(),
            PassError::Carry(error) => error.into(),
            PassError::Moved => Self::new(ErrorCode::Moved, format!("failed to {error}")),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = Self::new(ErrorCode::State, format!("failed to {error}"));
        error.hints().into_iter().fold(failure, Self::hint)
    }
}
