//! `stoker why`: where each field of a resource comes from, what was last written, and why
//! something is not written. It sends no request to the platform.

mod explain;
mod notes;
mod paper;
mod subject;

#[cfg(test)]
mod tests;

use crate::remote::ProjectEvent;
use crate::status::ProjectStatus;

use super::arguments::{OutputFormat, WhyCommand};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::manifests::Manifests;
use super::place::Absent;
use super::remote::{ReachedAgent, look, of_error};
use super::session::{inventory, open_state};

pub use explain::Explanation;
use explain::{AgentAccount, KnownFacts, Unexplained, explain};
pub use subject::Subject;

/// Reads what there is to read, and explains.
pub async fn run(context: &Context, command: &WhyCommand) -> Result<Exit, Failure> {
    let WhyCommand { subject, sources, agent: flags, nearby } = command;
    let connection = nearby.connection();
    let seen = look(context, flags, &connection).await?;
    let manifests = Manifests::read(context, sources);
    let manifests = manifests.map_err(|failure| elsewhere(failure, seen.as_ref()))?;
    let state = open_state(context, &connection, Absent::Begin)?;
    let inventory = inventory(context, &state.medium)?;
    let events = events(seen.as_ref(), subject).await?;
    let witness = seen.as_ref().map(|seen| seen.find(&subject.key)).transpose()?.flatten();
    let witness = witness.map(|(project, resource)| {
        let mut of_project = events.iter().filter(|it| it.project == project.name);
        let touched = of_project.next_back().map(|it| &it.event);
        AgentAccount { project, resource, touched }
    });
    let known = KnownFacts { declared: &manifests.declared, inventory: &inventory, witness };
    let explanation = explain(subject, known).map_err(|unknown| {
        let Unexplained { message, hint } = unknown;
        Failure::new(ErrorCode::NotFound, message).hint(hint)
    })?;
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => {
            context.output.data(&paper::text(&explanation))
        }
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            context.output.document(&explanation)
        }
    }
    Ok(Exit::Done)
}

/// Says where the manifests are that the agent keeps: fields are explained by their text, and an
/// agent tells no text.
fn elsewhere(failure: Failure, seen: Option<&ReachedAgent>) -> Failure {
    let projects = seen.iter().flat_map(|seen| &seen.status.projects);
    projects.fold(failure, |failure, project| {
        let ProjectStatus { name, source, .. } = project;
        let place = &source.location;
        failure.hint(format!(
            "the agent reads the manifests of {name} from {place}: give a copy of them as PATH"
        ))
    })
}

/// Asks the agent for the events of the resource; without an agent there are none.
async fn events(
    seen: Option<&ReachedAgent>,
    subject: &Subject,
) -> Result<Vec<ProjectEvent>, Failure> {
    let Some(seen) = seen else {
        return Ok(Vec::new());
    };
    let events = seen.agent.events().await.map_err(of_error)?;
    let is_of_it = |it: &ProjectEvent| it.event.key.as_ref() == Some(&subject.key);
    Ok(events.into_iter().filter(is_of_it).collect())
}
