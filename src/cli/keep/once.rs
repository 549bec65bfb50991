//! `stoker run --once`: one pass of each project, for cron.

use std::sync::Arc;

use crate::daemon::agent::Until;
use crate::status::{PassRecord, ProjectStatus};

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::interrupt::Interrupt;
use super::super::run::Run;
use super::super::settings::RunSettings;
use super::commons::Commons;
use super::project::{self, Kept};

/// Makes one pass of each project, side by side, and returns the worst of their exit codes.
pub async fn run(
    run: &Run,
    settings: &RunSettings,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let commons = Arc::new(Commons::new());
    let mut projects = Vec::new();
    for project in &settings.projects {
        let opened = project::open(run, project, &commons)?;
        let mut kept = Kept::new(opened, &commons.clock)?;
        kept.begin(run, Until::FirstPass)?;
        projects.push(kept);
    }
    let mut worst = Exit::Done;
    for kept in &mut projects {
        let last = tokio::select! {
            last = kept.ended_by_itself() => last,
            _ = interrupt.came() => {
                kept.stop();
                kept.ended().await
            }
        };
        let status = kept.handle.status();
        run.output.note(&line(&status, last.as_ref()));
        worst = worst.max(exit(&status, last.as_ref()));
    }
    Ok(interrupt.exit().unwrap_or(worst))
}

fn line(status: &ProjectStatus, last: Option<&PassRecord>) -> String {
    let name = &status.name;
    match (last, &status.source.problem) {
        (_, Some(problem)) => format!("{name}: {}", problem.message),
        (Some(last), None) => format!("{name}: {}; {} requests", last.message, last.requests),
        (None, None) => format!("{name}: no pass was made"),
    }
}

/// Returns the exit code of one project's only pass.
fn exit(status: &ProjectStatus, last: Option<&PassRecord>) -> Exit {
    if let Some(problem) = &status.source.problem {
        return if problem.diagnostics.is_empty() { Exit::Failed } else { Exit::Invalid };
    }
    let Some(last) = last else {
        return Exit::Failed;
    };
    let reason = status.conditions.get(crate::status::ConditionType::Ready);
    let reason = reason.map(|ready| ready.reason.as_str()).unwrap_or_default();
    match (last.outcome.as_str(), reason) {
        ("Synced" | "Applied" | "Pending", _) => Exit::Done,
        ("Blocked", _) | (_, "WrongProject") => Exit::Refused,
        (_, "Unauthorized" | "Denied") => Exit::Denied,
        (_, "OverBudget") => Exit::OverBudget,
        _ if last.written > 0 => Exit::Partial,
        _ => Exit::Failed,
    }
}
