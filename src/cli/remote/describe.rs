//! `stoker describe`, as a running agent knows it.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::Key;
use crate::status::Event;
use crate::status::paper::{Surroundings, resource_as_text};

use super::super::arguments::Form;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::reach::{Seen, of_error};

/// How many events are shown; `stoker events` shows them all.
const EVENTS_MAX: usize = 20;

/// Prints all that the agent knows of one resource.
///
/// # Errors
/// When it does not know the resource, or went meanwhile.
pub async fn describe(
    context: &Context,
    seen: &Seen,
    key: &Key,
    now: Timestamp,
) -> Result<Exit, Failure> {
    let (project, resource) = seen.resource(key)?;
    let events = seen.agent.events().await.map_err(of_error)?;
    let of_it = events.into_iter().filter(|it| it.project == project.name);
    let events: Vec<Event> =
        of_it.map(|it| it.event).filter(|event| event.key.as_ref() == Some(key)).collect();
    let events = &events[events.len().saturating_sub(EVENTS_MAX)..];
    let around = Surroundings { project, events, now };
    match context.output.form() {
        Form::Text | Form::Markdown => context.output.data(&resource_as_text(resource, &around)),
        Form::Json | Form::Yaml | Form::Ndjson => {
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
