//! `stoker drift`: only what changed on the platform. It is never handed the right to write.

use crate::plan::{Blocked, Change, FieldReason, Plan, Policy, Reason, RunRequest, Selection};
use crate::project::Planned;
use crate::render::{
    self,
    json::{SavedPlan, SavedSummary},
};

use super::arguments::{DriftCommand, OutputFormat};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::manifests::Manifests;
use super::plan::{check_selection, print_document};
use super::planning::{EstimatedPlan, is_unseen, planned};
use super::saved;
use super::session::{Purpose, Session};

/// Plans, and prints only what no manifest caused.
pub async fn run(context: &Context, command: &DriftCommand) -> Result<Exit, Failure> {
    let DriftCommand { sources, detailed_exitcode, target, exclude, connection } = command;
    context.check_project()?;
    let manifests = Manifests::read(context, sources)?;
    let selection = Selection {
        targets: target.iter().cloned().collect(),
        excluded: exclude.iter().cloned().collect(),
    };
    let policy =
        Policy { request: RunRequest { selection, ..RunRequest::default() }, ..Policy::default() };
    check_selection(&policy, &manifests)?;
    let guard = manifests.declared.guard.as_ref();
    let session = Session::open_for(context, connection, Purpose::Read, guard)?;
    let key = session.fingerprint_key()?;
    let (desired, reading) = manifests.resolve(context, &key)?;
    let EstimatedPlan { planned, estimate, sight } =
        planned(context, &session, desired, &policy).await?;
    let Planned { snapshot, plan, .. } = planned;
    let drifted = only_drift(plan);
    context.closing.sum_up(&SavedSummary::of(&drifted));
    match context.output.form() {
        // "No drift." is not for whoever did not see.
        OutputFormat::Text if sight != Exit::Done && drifted.changes.is_empty() => {}
        OutputFormat::Text => context.output.data(&render::drift_as_text(&drifted)),
        OutputFormat::Markdown => context.output.text(&render::drift_as_markdown(&drifted)),
        OutputFormat::Ndjson | OutputFormat::Json | OutputFormat::Yaml => {
            let state = saved::mark_of(&snapshot.inventory, &key);
            let preamble = saved::preamble(&reading, &policy, &snapshot, state, estimate);
            print_document(context, &SavedPlan::new(&drifted, preamble));
        }
    }
    Ok(if *detailed_exitcode && sight == Exit::Done { detailed(&drifted) } else { sight })
}

/// Tells a script whether something moved, and never "nothing did" where not all was seen (S2).
fn detailed(drifted: &Plan) -> Exit {
    let has_moved = |change: &Change| !change.fields.is_empty() || change.reason == Reason::Missing;
    if drifted.changes.iter().any(has_moved) {
        Exit::Pending
    } else if drifted.changes.is_empty() {
        Exit::Done
    } else {
        Exit::Refused
    }
}

/// Leaves of a plan what moved on the platform without a manifest.
fn only_drift(mut plan: Plan) -> Plan {
    for change in &mut plan.changes {
        change.fields.retain(|field| match field.reason {
            FieldReason::Drift | FieldReason::Flapping => true,
            FieldReason::Requested
            | FieldReason::Rotated(_)
            | FieldReason::Derived
            | FieldReason::Later
            | FieldReason::Unverifiable
            | FieldReason::Accepted => false,
        });
    }
    plan.changes.retain(|change| {
        let is_gone = change.reason == Reason::Missing && !is_unseen(change);
        let is_unknown = change.blocked.as_ref().is_some_and(Blocked::is_unseen);
        is_gone || is_unknown || !change.fields.is_empty() && change.id.is_some()
    });
    plan.unmanaged.clear();
    plan
}
