//! `stoker deploy`: starts a deployment, and with `--wait` looks on until it has ended.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::{DeployTarget, Deployment, DeploymentOrder};
use crate::follow::{Awaited, Ending, Follower};
use crate::model::{Key, RemoteId};
use crate::render::{Line, Paper, Style};

use super::arguments::{DeployCommand, OutputFormat};
use super::beside;
use super::code::ErrorCode;
use super::context::Context;
use super::deployments::DeploymentRow;
use super::exit::Exit;
use super::failure::Failure;
use super::find;
use super::progress::ProgressDisplay;
use super::rights;
use super::session::{Purpose, Session};
use super::settings;

/// How long `--wait` waits unless `--timeout` says otherwise: a slow build takes some minutes, and
/// one that takes longer than half an hour hangs.
const WAIT_DEFAULT: Duration = Duration::from_secs(30 * 60);

/// Deploys.
pub async fn run(context: &Context, command: &DeployCommand) -> Result<Exit, Failure> {
    let DeployCommand { key, branch, clear_cache, waiting, connection } = command;
    find::service(key, "deploy")?;
    let session = Session::open_urgent(context, connection, Purpose::Write)?;
    let (writer, project) = rights::writer(&session).await?;
    let service = find::find(&session, key).await?;
    let since = session.project.clock.now();
    let order = DeploymentOrder::Deploy { branch: branch.as_deref(), clear_cache: *clear_cache };
    let deployment = writer.order(DeployTarget::from(&service), order).await;
    let deployment =
        deployment.map_err(|error| rights::failed(&error, &format!("stoker deployments {key}")))?;
    rights::pay_deploy(context, &session, &service.id, "deploy").await;
    beside::tell_begun(context, connection, &session, &project, key).await;
    let started = Started { key, service: &service.id, deployment: &deployment, since };
    let is_awaited = settings::waits(*waiting, &context.file);
    finish(context, &session, &started, is_awaited.then_some(WAIT_DEFAULT)).await
}

/// A deployment that was started.
pub struct Started<'a> {
    /// The service.
    pub key: &'a Key,
    /// Its id.
    pub service: &'a RemoteId,
    /// The deployment, as the API announced it.
    pub deployment: &'a Deployment,
    /// When we asked for it.
    pub since: Timestamp,
}

/// Says what was started; where it is awaited, looks on and says how it ended.
///
/// # Errors
/// When it failed, did not end in time, or cannot be looked at any more.
pub async fn finish(
    context: &Context,
    session: &Session,
    started: &Started<'_>,
    wait: Option<Duration>,
) -> Result<Exit, Failure> {
    let Started { key, service: _, deployment, since: _ } = *started;
    let Some(wait) = wait else {
        announce(context, started, None);
        context
            .output
            .note(&format!("`stoker deployments {key} {}` shows its log.", deployment.id));
        return Ok(Exit::Done);
    };
    let ending = look_on(context, session, started, wait).await?;
    conclude(context, started, ending)
}

async fn look_on(
    context: &Context,
    session: &Session,
    started: &Started<'_>,
    wait: Duration,
) -> Result<Ending, Failure> {
    let Started { key, service, deployment, since } = *started;
    let progress = ProgressDisplay::new(&context.output);
    progress.status(key, deployment.status.as_deref().unwrap_or("started"));
    let latest = since.checked_add(wait).unwrap_or(since);
    let follower = Follower {
        reader: &session.reader,
        clock: &session.project.clock,
        deadline: session.deadline.unwrap_or(latest),
        observe: &|key, status| progress.status(key, status),
    };
    let awaited = Awaited { key: key.clone(), id: service.clone(), since };
    let mut endings = follower.follow(vec![awaited]).await?;
    let ending = endings.remove(key).unwrap_or(Ending::TimedOut { status: "unknown".to_owned() });
    progress.done(key, ending_word(&ending));
    Ok(ending)
}

fn ending_word(ending: &Ending) -> &str {
    match ending {
        Ending::Succeeded => "succeeded",
        Ending::Failed { status, log: _ } => status,
        Ending::Gone => "gone",
        Ending::TimedOut { status: _ } => "still in progress",
    }
}

fn conclude(context: &Context, started: &Started<'_>, ending: Ending) -> Result<Exit, Failure> {
    let Started { key, service: _, deployment, since: _ } = *started;
    let id = &deployment.id;
    match ending {
        Ending::Succeeded => {
            announce(context, started, Some("succeeded"));
            Ok(Exit::Done)
        }
        Ending::Failed { status, log } => {
            context.output.aside(&tail(&log));
            let message = format!("deployment {id} of {key} ended as {status}");
            Err(Failure::new(ErrorCode::DeploymentFailed, message)
                .hint(format!("`stoker deployments {key} {id}` shows the whole log")))
        }
        Ending::Gone => {
            let message = format!("{key} was deleted before deployment {id} ended");
            Err(Failure::new(ErrorCode::NotFound, message))
        }
        Ending::TimedOut { status } => {
            let message = format!("deployment {id} of {key} did not end in time: {status}");
            Err(Failure::new(ErrorCode::Timeout, message)
                .hint("it continues; allow more time with --timeout"))
        }
    }
}

/// Returns the last lines of a log, set off from what is ours.
fn tail(log: &[String]) -> Paper {
    let mut paper = Paper::new();
    for line in log {
        paper.push(Line::default().with(Style::Dim, "  | ").plain(line));
    }
    paper
}

/// A deployment that was begun by `deploy` or `rollback`.
#[derive(Serialize, JsonSchema)]
pub struct BegunDeployment {
    /// The service.
    key: Key,
    /// What was begun, as the platform answered.
    deployment: DeploymentRow,
    /// `succeeded` where its end was waited for, else `null`.
    outcome: Option<&'static str>,
}

fn announce(context: &Context, started: &Started<'_>, outcome: Option<&'static str>) {
    let Started { key, service: _, deployment, since: _ } = *started;
    if !matches!(context.output.form(), OutputFormat::Text | OutputFormat::Markdown) {
        let deployment = deployment.into();
        context.output.document(&BegunDeployment { key: key.clone(), deployment, outcome });
        return;
    }
    let word = outcome.or(deployment.status.as_deref()).unwrap_or("started");
    let line = Line::of(format!("{key}: deployment ")).with(Style::Bold, deployment.id.as_str());
    let mut paper = Paper::new();
    paper.push(line.plain(" ").with(crate::status::paper::health_style(word), word));
    context.output.data(&paper);
}
