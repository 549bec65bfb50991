//! `stoker events`: what happened, as a running agent remembers it; with `-f` as it happens.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::clock::Clock;
use crate::model::Key;
use crate::remote::{AgentClient, ProjectEvent, RemoteError};
use crate::render::Paper;
use crate::status::paper::event_line;

use super::super::arguments::{EventsCommand, OutputFormat};
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::reach::{look, no_agent, of_error, project};

/// The first and the longest pause before connecting again: an agent is back within seconds.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_LAST: Duration = Duration::from_secs(15);

/// Shows what is remembered, and then what comes.
pub async fn run(context: &Context, command: &EventsCommand) -> Result<Exit, Failure> {
    let EventsCommand { key, follow, since, agent: flags, nearby } = command;
    let connection = nearby.connection();
    let seen = look(context, flags, &connection).await?;
    let seen = seen.ok_or_else(|| no_agent(context, &connection))?;
    let clock = Clock::system();
    let since = since.and_then(|span| clock.now().checked_sub(span.0).ok());
    let names_projects = seen.status.projects.len() > 1;
    let wanted = Wanted {
        key: key.clone(),
        project: project(context).map(str::to_owned),
        since,
        names_projects,
    };
    let unknown = key.as_ref().filter(|key| !seen.knows(key));
    if *follow {
        if let Some(key) = unknown {
            // It may come yet.
            context.output.warn(&format!("{key} is neither declared nor ours"));
        }
        return follow_on(context, &seen.agent, &wanted, &clock).await;
    }
    let events = seen.agent.events().await.map_err(of_error)?;
    // Of what is gone the events may tell.
    let is_told_of = |key: &&Key| events.iter().any(|it| it.event.key.as_ref() == Some(*key));
    if let Some(key) = unknown.filter(|key| !is_told_of(key)) {
        return Err(seen.unknown(key));
    }
    let events: Vec<ProjectEvent> = events.into_iter().filter(|it| wanted.covers(it)).collect();
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown if events.is_empty() => {
            context.output.note("Nothing happened.")
        }
        OutputFormat::Text | OutputFormat::Markdown | OutputFormat::Ndjson => {
            events.iter().for_each(|event| print(context, event, &wanted));
        }
        OutputFormat::Json | OutputFormat::Yaml => {
            context.output.document(&EventsDocument { events })
        }
    }
    Ok(Exit::Done)
}

/// What happened, as `-o json` prints it without `--follow`.
#[derive(Serialize, JsonSchema)]
pub struct EventsDocument {
    /// What is remembered, oldest first.
    events: Vec<ProjectEvent>,
}

/// Which events are asked for.
struct Wanted {
    key: Option<Key>,
    project: Option<String>,
    since: Option<Timestamp>,
    /// Whether each line says which project it is about.
    names_projects: bool,
}

impl Wanted {
    fn covers(&self, event: &ProjectEvent) -> bool {
        let Self { key, project, since, names_projects: _ } = self;
        key.as_ref().is_none_or(|key| event.event.key.as_ref() == Some(key))
            && project.as_ref().is_none_or(|project| event.project == *project)
            && since.is_none_or(|since| event.event.at >= since)
    }
}

/// Follows until nobody reads any more, or what answers will never be listened to.
async fn follow_on(
    context: &Context,
    agent: &AgentClient,
    wanted: &Wanted,
    clock: &Clock,
) -> Result<Exit, Failure> {
    let mut latest = Latest::default();
    let mut pause = PAUSE_FIRST;
    loop {
        match follow_once(context, agent, wanted, &mut latest).await {
            Ok(()) => return Ok(Exit::Done),
            Err(error) if !is_passing(&error) => return Err(of_error(error)),
            Err(error) => {
                if latest.take_news() {
                    pause = PAUSE_FIRST;
                }
                context.output.warn(&format!("failed to {error}; reconnecting"));
            }
        }
        let until = clock.now().checked_add(pause).unwrap_or(clock.now());
        clock.sleep_until(until).await;
        pause = (pause * 2).min(PAUSE_LAST);
    }
}

/// Listens, then catches up, then shows what comes: in this order nothing falls in between.
async fn follow_once(
    context: &Context,
    agent: &AgentClient,
    wanted: &Wanted,
    latest: &mut Latest,
) -> Result<(), RemoteError> {
    let mut stream = Box::pin(agent.listen().await?);
    let mut show = |event: &ProjectEvent| {
        if latest.is_new(event) && wanted.covers(event) {
            print(context, event, wanted);
        }
    };
    agent.events().await?.iter().for_each(&mut show);
    while let Some(event) = stream.next().await {
        show(&event?);
        if context.output.is_closed() {
            return Ok(());
        }
    }
    let place = agent.address().to_string();
    Err(RemoteError::Lost { place, reason: "the stream of events ended".to_owned() })
}

/// Whether an agent that restarts could be the reason.
const fn is_passing(error: &RemoteError) -> bool {
    match error {
        RemoteError::Nobody { .. } | RemoteError::Lost { .. } => true,
        RemoteError::OutOfTime { .. }
        | RemoteError::Denied { .. }
        | RemoteError::Refused { .. }
        | RemoteError::NotAnAgent { .. }
        | RemoteError::OtherFormat { .. } => false,
    }
}

/// The latest event of each project: what is not later was shown already.
#[derive(Default)]
struct Latest {
    /// By time first: an agent that restarts counts from 1 again.
    of_projects: BTreeMap<String, (Timestamp, u64)>,
    has_news: bool,
}

impl Latest {
    fn is_new(&mut self, event: &ProjectEvent) -> bool {
        let place = (event.event.at, event.event.sequence);
        let known = self.of_projects.get(&event.project);
        let is_new = known.is_none_or(|known| place > *known);
        if is_new {
            self.of_projects.insert(event.project.clone(), place);
            self.has_news = true;
        }
        is_new
    }

    /// Says whether anything came since this was asked.
    fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }
}

fn print(context: &Context, event: &ProjectEvent, wanted: &Wanted) {
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => {
            let project = wanted.names_projects.then_some(event.project.as_str());
            context.output.data(&Paper::from(event_line(&event.event, project)));
        }
        // A stream: one document a line, and in YAML one item of a list that goes on growing.
        OutputFormat::Json | OutputFormat::Ndjson => {
            context.output.text(&crate::render::json::line(event))
        }
        OutputFormat::Yaml => context.output.value(&[event]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_shown_once_also_after_a_break_and_a_restart() {
        let event = |at: &str, sequence: u64| -> ProjectEvent {
            serde_json::from_value(json!({
                "project": "shop", "at": at, "sequence": sequence, "severity": "Normal",
                "reason": "Applied", "message": "",
            }))
            .unwrap()
        };
        let mut latest = Latest::default();
        let seen = [
            event("2026-11-25T12:00:00Z", 7),
            event("2026-11-25T12:00:00Z", 8),
            event("2026-11-25T12:00:00Z", 7),
            event("2026-11-25T12:01:00Z", 1),
            event("2026-11-25T12:01:00Z", 1),
        ]
        .map(|event| latest.is_new(&event));
        assert_eq!(seen, [true, true, false, true, false]);
        assert!(latest.take_news());
        assert!(!latest.take_news());
    }
}
