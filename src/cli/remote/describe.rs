//! `stoker describe`, as a running agent knows it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::Key;
use crate::render::json::SavedChange;
use crate::status::paper::{ResourceContext, resource_as_text};
use crate::status::{Event, PassRecord, ResourceStatus};

use super::super::arguments::OutputFormat;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::reach::{ReachedAgent, of_error};

/// How many events are shown; `stoker events` shows them all.
const EVENTS_MAX: usize = 20;

/// All that is known of one resource, as a running agent tells it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "KeptResource")]
pub struct KeptDocument {
    #[serde(flatten)]
    resource: ResourceStatus,
    /// The platform's own word for how it does: `health`, under the name it has without an agent.
    status: Option<String>,
    /// The project.
    project: String,
    /// What the last pass left to do with it; `null` where nothing is.
    pending: Option<SavedChange>,
    /// The passes that are remembered, newest first.
    passes: Vec<PassRecord>,
    /// What happened to it, oldest first, twenty at most.
    events: Vec<Event>,
}

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
            context.output.document(&KeptDocument {
                resource: resource.clone(),
                status: resource.health.clone(),
                project: project.name.clone(),
                pending: around.pending(resource).cloned(),
                passes: around.passes().cloned().collect(),
                events: events.to_vec(),
            });
        }
    }
    Ok(Exit::Done)
}
