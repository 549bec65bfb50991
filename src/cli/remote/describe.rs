//! `stoker describe`, as a running agent knows it.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::Key;
use crate::status::Event;
use crate::status::paper::{ResourceContext, resource_as_text};

use super::super::arguments::OutputFormat;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::reach::{ReachedAgent, of_error};

/// How many events are shown; `stoker events` shows them all.
const EVENTS_MAX: usize = 20;

/// Prints all that the agent knows of one resource.
///
/// # Errors
/// When it does not know the resource, or went meanwhile.
pub async fn describe(
    context: &Context,
    seen: &ReachedAgent,
    key: &Key,
    now: Timestamp,
) -> Result<Exit, Failure> {
    let (project, resource) = seen.resource(key)?;
    let events = seen.agent.events().await.map_err(of_error)?;
    let of_it = events.into_iter().filter(|it| it.project == project.name);
    let events: Vec<Event> =
        of_it.map(|it| it.event).filter(|event| event.key.as_ref() == Some(key)).collect();
    let events = &events[events.len().saturating_sub(EVENTS_MAX)..];
    let around = ResourceContext { project, events, now };
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => {
            context.output.data(&resource_as_text(resource, &around))
        }
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            let mut shown = json!(resource);
            shown["formatVersion"] = json!(seen.status.format_version);
            shown["project"] = json!(project.name);
            shown["pending"] = json!(around.pending(resource));
            shown["passes"] = around.passes().map(|pass| json!(pass)).collect::<Value>();
            shown["events"] = json!(events);
            context.output.value(&shown);
        }
    }
    Ok(Exit::Done)
}
