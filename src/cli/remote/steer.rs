//! `reconcile`, `suspend`, `resume`, `pin`, `unpin`: a running agent is told what to do.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

use crate::clock::Clock;
use crate::remote::{AgentClient, RemoteError};
use crate::render::{Line, Paper, Style};
use crate::status::{Order, PassRecord, ProjectStatus, Trigger};

use super::super::arguments::{
    OutputFormat, PinCommand, ReconcileCommand, SteeringCommand, SuspendCommand,
};
use super::super::code::ErrorCode;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::pass;
use super::reach::{ReachedAgent, of_error, project, to_steer, with_projects};

/// How long a pass is waited for unless `--timeout` says otherwise.
const WAIT_DEFAULT: Duration = Duration::from_secs(5 * 60);

/// The time between two looks: an agent answers from memory.
const LOOK_PAUSE: Duration = Duration::from_millis(250);

/// What a running agent answered to an order.
#[derive(Serialize, JsonSchema)]
pub struct OrderDocument {
    /// What it says, for people.
    message: String,
    /// The pass that was waited for (`reconcile --wait`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<PassRecord>,
}

/// `stoker suspend`.
pub async fn suspend(context: &Context, command: &SuspendCommand) -> Result<Exit, Failure> {
    let SuspendCommand { reason, until, steering } = command;
    if reason.trim().is_empty() {
        return Err(Failure::usage("a suspension needs a reason"));
    }
    let until = until
        .resolve(Clock::system().now(), &TimeZone::system())
        .map_err(|error| Failure::usage(format!("--until: {error}")))?;
    order(context, steering, &Order::Suspend { reason: reason.clone(), until }, None).await
}

/// `stoker resume`.
pub async fn resume(context: &Context, command: &SteeringCommand) -> Result<Exit, Failure> {
    order(context, command, &Order::Resume, None).await
}

/// `stoker pin`.
pub async fn pin(context: &Context, command: &PinCommand) -> Result<Exit, Failure> {
    order(context, &command.steering, &Order::Pin { commit: command.commit.clone() }, None).await
}

/// `stoker unpin`.
pub async fn unpin(context: &Context, command: &SteeringCommand) -> Result<Exit, Failure> {
    order(context, command, &Order::Unpin, None).await
}

/// `stoker reconcile`.
pub async fn reconcile(context: &Context, command: &ReconcileCommand) -> Result<Exit, Failure> {
    let ReconcileCommand { key, wait, timeout, steering } = command;
    let asked = Order::Reconcile { key: key.clone() };
    if !*wait {
        return order(context, steering, &asked, timeout.map(|span| span.0)).await;
    }
    let clock = Clock::system();
    let timeout = timeout.map_or(WAIT_DEFAULT, |span| span.0);
    let agent = to_steer(context, &steering.agent, &steering.nearby.connection())?;
    let agent = agent.within(Some(timeout));
    let seen = ReachedAgent::of(agent, project(context)).await.map_err(of_error)?;
    let project = seen.project()?;
    let asked_at = clock.now();
    let mark = Mark::of(project, asked_at);
    let message = seen.agent.order(&asked, Some(&project.name)).await.map_err(of_error)?;
    let deadline = asked_at.checked_add(timeout).unwrap_or(Timestamp::MAX);
    let (record, status) =
        ended(context, &seen.agent, &project.name, &mark, deadline, &clock).await?;
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => {
            context.output.aside(&Paper::from(pass_line(&record)));
            if let Some(problem) = &status.source.problem {
                let message = &problem.message;
                context.output.warn(&format!("the newest manifests cannot be used: {message}"));
            }
        }
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            context.output.document(&OrderDocument { message, pass: Some(record.clone()) });
        }
    }
    Ok(pass::exit(status.source.problem.as_ref(), Some(&record)))
}

async fn order(
    context: &Context,
    steering: &SteeringCommand,
    order: &Order,
    time: Option<Duration>,
) -> Result<Exit, Failure> {
    let SteeringCommand { agent: flags, nearby } = steering;
    let agent = to_steer(context, flags, &nearby.connection())?.within(time);
    let project = project(context);
    let said = match (agent.order(order, project).await, project) {
        (Err(error), Some(name)) => Err(with_projects(error, &agent, name).await),
        (said, _) => said,
    };
    let message = said.map_err(|error| match error {
        RemoteError::Lost { .. } | RemoteError::OutOfTime { .. } => of_error(error)
            .hint("it may have accepted the order nevertheless: `stoker get` shows whether it did"),
        RemoteError::Nobody { .. }
        | RemoteError::Denied { .. }
        | RemoteError::Refused { .. }
        | RemoteError::NotAnAgent { .. }
        | RemoteError::OtherFormat { .. } => of_error(error),
    })?;
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => context.output.note(&format!("{message}.")),
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            context.output.document(&OrderDocument { message, pass: None })
        }
    }
    Ok(Exit::Done)
}

/// Where the history stood when a pass was asked for.
struct Mark {
    started_at: Timestamp,
    pass: u64,
    asked_at: Timestamp,
}

impl Mark {
    fn of(project: &ProjectStatus, asked_at: Timestamp) -> Self {
        let pass = project.history.first().map_or(0, |record| record.pass);
        Self { started_at: project.started_at, pass, asked_at }
    }

    /// Returns the pass that was asked for, once it has ended.
    ///
    /// One pass may be under way when another is asked for. It is not the one that is meant unless
    /// it heard an order and began later; the one after it is, whatever the clocks say.
    fn find<'p>(&self, project: &'p ProjectStatus) -> Option<&'p PassRecord> {
        let is_restarted = project.started_at != self.started_at;
        let is_meant = |record: &&PassRecord| {
            // What was heard just before an agent began anew is part of its first pass.
            let heard = [Trigger::Order, Trigger::Start];
            let heard = heard.iter().any(|trigger| record.triggers.contains(trigger));
            is_restarted
                || record.pass > self.pass && heard && record.started_at >= self.asked_at
                || record.pass > self.pass + 1
        };
        project.history.iter().rev().find(is_meant)
    }
}

/// Waits until the pass has ended.
async fn ended(
    context: &Context,
    agent: &AgentClient,
    name: &str,
    mark: &Mark,
    deadline: Timestamp,
    clock: &Clock,
) -> Result<(PassRecord, ProjectStatus), Failure> {
    loop {
        match agent.status(Some(name)).await {
            Ok(status) => {
                let project = status.projects.into_iter().find(|project| project.name == name);
                if let Some(project) = project
                    && let Some(pass) = mark.find(&project).cloned()
                {
                    return Ok((pass, project));
                }
            }
            Err(
                error @ (RemoteError::Nobody { .. }
                | RemoteError::Lost { .. }
                | RemoteError::OutOfTime { .. }),
            ) => {
                tracing::debug!(%error, "looking again");
            }
            Err(error) => return Err(of_error(error)),
        }
        if clock.now() >= deadline || context.output.is_closed() {
            let message = "the pass has not ended yet";
            return Err(Failure::new(ErrorCode::Timeout, message)
                .hint("it was requested and will run; allow more time with --timeout"));
        }
        let until = clock.now().checked_add(LOOK_PAUSE).unwrap_or(deadline);
        clock.sleep_until(until.min(deadline)).await;
    }
}

fn pass_line(pass: &PassRecord) -> Line {
    let line = Line::of(format!("pass {}: ", pass.pass)).with(Style::Bold, pass.outcome.as_str());
    match pass.message.as_str() {
        "" => line,
        message => line.plain(format!(", {message}")),
    }
}
