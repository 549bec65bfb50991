//! `stoker run --once`: one pass of each project, for cron.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::daemon::agent::RunUntil;
use crate::remote::Status;
use crate::status::{FORMAT_VERSION, PassRecord, ProjectStatus};

use super::super::arguments::OutputFormat;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::interrupt::Interrupt;
use super::super::pass;
use super::super::settings::RunSettings;
use super::commons::Commons;
use super::project::{self, RunningProject};

/// Makes one pass of each project, side by side, and returns the worst of their exit codes. With
/// `-o json` the status of each is printed as a running agent shows it.
pub async fn run(
    context: &Context,
    settings: &RunSettings,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let commons = Arc::new(Commons::new());
    let mut projects = Vec::new();
    for project in &settings.projects {
        let opened = project::open(context, project, &commons)?;
        let mut kept = RunningProject::new(opened, &commons.clock)?;
        kept.begin(context, RunUntil::FirstPass)?;
        projects.push(kept);
    }
    let (mut worst, mut statuses) = (Exit::Done, Vec::new());
    let begun = Instant::now();
    for (kept, settings) in projects.iter_mut().zip(&settings.projects) {
        let limit = settings.connection.timeout;
        let mut is_late = false;
        let last = tokio::select! {
            last = kept.ended_by_itself() => last,
            _ = interrupt.came() => {
                kept.stop();
                kept.ended().await
            }
            // A request ends by its own deadline; what is read from a repository has none.
            () = over(begun, limit) => {
                is_late = true;
                kept.stop();
                kept.ended().await
            }
        };
        let status = kept.handle.status();
        if is_late && last.is_none() {
            let name = &status.name;
            context.output.note(&format!("{name}: no pass was made within --timeout"));
            worst = worst.max(Exit::OverBudget);
        } else {
            context.output.note(&line(&status, last.as_ref()));
            worst = worst.max(pass::exit(status.source.problem.as_ref(), last.as_ref()));
        }
        statuses.push(ProjectStatus::clone(&status));
    }
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => {}
        OutputFormat::Ndjson => statuses.iter().for_each(|status| context.output.value(status)),
        // As a running agent answers, so that one reader reads both.
        OutputFormat::Json | OutputFormat::Yaml => {
            let format_version = FORMAT_VERSION.to_owned();
            context.output.value(&Status { format_version, projects: statuses });
        }
    }
    Ok(interrupt.exit().unwrap_or(worst))
}

/// How long a pass has after the end of its time to say what became of it: its requests end then.
const WORDS: Duration = Duration::from_secs(1);

/// Returns when the time of one run is over; never where it has no limit.
async fn over(begun: Instant, limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep_until(begun + limit + WORDS).await,
        None => std::future::pending().await,
    }
}

fn line(status: &ProjectStatus, last: Option<&PassRecord>) -> String {
    let name = &status.name;
    match (last, &status.source.problem) {
        (_, Some(problem)) => format!("{name}: {}", problem.message),
        (Some(last), None) => format!("{name}: {}; {} requests", last.message, last.requests),
        (None, None) => format!("{name}: no pass was made"),
    }
}
