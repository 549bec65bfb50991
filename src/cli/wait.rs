//! `stoker wait`: blocks until a resource is ready or gone. It reads and never writes.
//!
//! Where an agent runs its conditions are waited for. That something is gone only the platform
//! can say.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::clock::Clock;
use crate::follow::{Ending, Follower};
use crate::model::{Coverage, Key, Kind, LiveObject};
use crate::status::{ConditionType, Truth};

use super::arguments::{OutputFormat, WaitCommand};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::find;
use super::progress::ProgressDisplay;
use super::remote;
use super::session::{Purpose, Session};
use super::settings::ConnectionSettings;
use super::values::WaitGoal;

/// How long it waits unless `--timeout` says otherwise.
const WAIT_DEFAULT: Duration = Duration::from_secs(5 * 60);

/// The time between two lists while an env group goes: it cannot be asked for by itself (F4).
const GROUP_PAUSE: Duration = Duration::from_secs(5);

/// Waits.
pub async fn run(context: &Context, command: &WaitCommand) -> Result<Exit, Failure> {
    let WaitCommand { key, condition, live, agent: flags, connection } = command;
    let seen = match condition {
        WaitGoal::Condition(..) if !*live => remote::look(context, flags, connection).await?,
        WaitGoal::Deleted
            if context.global.project.is_some() && context.file.chosen().is_none() =>
        {
            let message = "only the platform can tell whether a resource is deleted";
            return Err(Failure::usage(message)
                .hint("leave out --project: it names a project that only a running agent knows"));
        }
        WaitGoal::Condition(..) | WaitGoal::Deleted => None,
    };
    if let (WaitGoal::Condition(kind, truth), Some(seen)) = (*condition, &seen) {
        let settings = ConnectionSettings::resolve(connection, &context.file, &context.environment);
        let deadline = deadline(Clock::system().now(), settings.timeout);
        let ending = remote::wait(context, seen, key, (kind, truth), deadline).await?;
        return conclude(context, key, *condition, ending);
    }
    let sought = match condition {
        WaitGoal::Deleted => Sought::Deleted,
        WaitGoal::Condition(ConditionType::Ready, Truth::True) => Sought::Ready,
        WaitGoal::Condition(..) => {
            return Err(remote::no_agent(context, connection)
                .hint(format!("only a running agent knows when {key} is {condition}")));
        }
    };
    let session = Session::open_urgent(context, connection, Purpose::Read)?;
    let deadline = session.deadline.unwrap_or_else(|| deadline(session.project.clock.now(), None));
    let ending = wait(context, &session, key, sought, deadline).await?;
    conclude(context, key, *condition, ending)
}

fn deadline(now: Timestamp, timeout: Option<Duration>) -> Timestamp {
    now.checked_add(timeout.unwrap_or(WAIT_DEFAULT)).unwrap_or(Timestamp::MAX)
}

/// What the platform can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sought {
    /// It lives, and its last deployment succeeded.
    Ready,
    /// It is gone.
    Deleted,
}

async fn wait(
    context: &Context,
    session: &Session,
    key: &Key,
    sought: Sought,
    deadline: Timestamp,
) -> Result<Ending, Failure> {
    let Some(object) = begin(context, session, key, sought).await? else {
        return Ok(Ending::Succeeded);
    };
    let progress = ProgressDisplay::new(&context.output);
    let follower = Follower {
        reader: &session.reader,
        clock: &session.project.clock,
        deadline,
        observe: &|key, status| progress.status(key, status),
    };
    Ok(match (key.kind, sought) {
        // It has no states: what is listed is ready.
        (Kind::EnvGroup, Sought::Ready) => Ending::Succeeded,
        (Kind::EnvGroup, Sought::Deleted) => until_unlisted(session, &object, deadline).await?,
        (Kind::Service | Kind::Database, Sought::Ready) => {
            follower.until_ready(key, &object.id).await?
        }
        (Kind::Service | Kind::Database, Sought::Deleted) => {
            follower.until_gone(key, &object.id).await?
        }
    })
}

/// Finds what is waited for; nothing when its absence is what is waited for, and proven.
async fn begin(
    context: &Context,
    session: &Session,
    key: &Key,
    sought: Sought,
) -> Result<Option<LiveObject>, Failure> {
    let listing = session.reader.list(key.kind).await?;
    let is_listed = listing.objects.iter().any(|object| object.name == key.name.as_str());
    if sought == Sought::Deleted && listing.coverage.is_complete() && !is_listed {
        return Ok(None);
    }
    let found = find::one(key, &listing)?;
    if let Some(doubt) = found.doubt {
        context.output.warn(&doubt);
    }
    Ok(Some(found.object))
}

async fn until_unlisted(
    session: &Session,
    object: &LiveObject,
    deadline: Timestamp,
) -> Result<Ending, Failure> {
    loop {
        let listing = session.reader.list(object.kind).await?;
        let is_listed = listing.objects.iter().any(|other| other.id == object.id);
        if !is_listed && listing.coverage == Coverage::Complete {
            return Ok(Ending::Succeeded);
        }
        if session.project.clock.now() >= deadline {
            return Ok(Ending::TimedOut { status: "listed".to_owned() });
        }
        let until = session.project.clock.now().checked_add(GROUP_PAUSE).unwrap_or(deadline);
        session.project.clock.sleep_until(until.min(deadline)).await;
    }
}

/// What was waited for, and is so.
#[derive(Serialize, JsonSchema)]
pub struct WaitDocument {
    /// The resource.
    key: Key,
    /// Its status now, in the words of the text output, such as `Ready` or `gone`.
    condition: String,
}

fn conclude(
    context: &Context,
    key: &Key,
    condition: WaitGoal,
    ending: Ending,
) -> Result<Exit, Failure> {
    let word = condition.to_string();
    match ending {
        Ending::Succeeded => {
            match context.output.form() {
                OutputFormat::Text | OutputFormat::Markdown => {
                    context.output.note(&format!("{key} is {word}"))
                }
                OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
                    context.output.document(&WaitDocument { key: key.clone(), condition: word });
                }
            }
            Ok(Exit::Done)
        }
        Ending::Failed { status, log: _ } => {
            let message = format!("{key} will not become {word}: it is {status}");
            Err(Failure::new(ErrorCode::ConditionFailed, message)
                .hint(format!("`stoker describe {key}` shows more")))
        }
        Ending::Gone => {
            let message = format!("{key} will not become {word}: it is deleted");
            Err(Failure::new(ErrorCode::ConditionFailed, message))
        }
        Ending::TimedOut { status } => {
            let message = format!("the time ran out before {key} was {word}; last seen: {status}");
            Err(Failure::new(ErrorCode::Timeout, message).hint("allow more time with --timeout"))
        }
    }
}
