//! `stoker get`, as a running agent knows it.

use jiff::Timestamp;

use crate::render::Paper;
use crate::status::paper::{project_as_text, resources_as_table, telling};
use crate::status::{ConditionType, ProjectStatus, ResourceStatus};

use super::super::arguments::OutputFormat;
use super::super::code::ErrorCode;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::get::{GetDocument, GetRow, KeptRow};
use super::super::values::Selector;
use super::reach::ReachedAgent;

/// Prints the projects and their resources; fails for a name that is not among them.
///
/// # Errors
/// When a resource was asked for by name and the agent does not know it.
pub fn get(
    context: &Context,
    seen: &ReachedAgent,
    selectors: &[Selector],
    now: Timestamp,
) -> Result<Exit, Failure> {
    let is_asked_for = |resource: &ResourceStatus| {
        Selector::any(selectors, resource.key.kind, resource.key.name.as_str())
    };
    let projects = &seen.status.projects;
    let found = projects.iter().flat_map(|project| {
        let resources = project.resources.iter();
        resources.filter(|resource| is_asked_for(resource)).map(move |resource| (project, resource))
    });
    let found: Vec<_> = found.collect();
    let missing = missing(seen, selectors);
    if found.is_empty() && missing.is_err() {
        // What was asked for by name is missed before "nothing" could be taken for an answer.
        return missing.map(|()| Exit::Done);
    }
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => {
            context.output.data(&text(projects, &is_asked_for, now));
        }
        OutputFormat::Ndjson => {
            found.iter().for_each(|(project, it)| context.output.value(&row(project, it)))
        }
        OutputFormat::Json | OutputFormat::Yaml => {
            let resources = found.iter().map(|(project, it)| row(project, it)).collect();
            let mut projects = projects.clone();
            for project in &mut projects {
                project.resources.retain(|resource| is_asked_for(resource));
                project.pending.retain(|change| {
                    Selector::any(selectors, change.key.kind, change.key.name.as_str())
                });
            }
            let (incomplete, projects) = (Vec::new(), Some(projects));
            context.output.document(&GetDocument { resources, incomplete, projects });
        }
    }
    missing.map(|()| Exit::Done)
}

fn text(
    projects: &[ProjectStatus],
    is_asked_for: &dyn Fn(&ResourceStatus) -> bool,
    now: Timestamp,
) -> Paper {
    let mut paper = Paper::new();
    for project in projects {
        paper.gap();
        paper.extend(project_as_text(project, now));
        if project.resources.iter().any(is_asked_for) {
            paper.gap();
            paper.extend(resources_as_table(project, is_asked_for, now));
        }
    }
    paper
}

/// Returns a resource with the words that `stoker get` has for what the platform says, so that a
/// script need not know who answered.
fn row(project: &ProjectStatus, resource: &ResourceStatus) -> GetRow {
    let ResourceStatus {
        key,
        id,
        owned,
        conditions,
        health,
        url,
        replicas,
        sync_status,
        health_status,
        ..
    } = resource;
    let telling = telling(conditions);
    GetRow {
        kind: key.kind,
        name: key.name.to_string(),
        id: id.clone(),
        status: health.clone(),
        owned: owned.clone(),
        replicas: *replicas,
        url: url.clone(),
        listed: None,
        kept: Some(KeptRow {
            project: project.name.clone(),
            sync_status: sync_status.clone(),
            health_status: health_status.clone(),
            ready: conditions.get(ConditionType::Ready).map(|ready| ready.status),
            reason: telling.map(|it| it.reason.clone()),
            message: telling.map(|it| it.message.clone()),
        }),
    }
}

fn missing(seen: &ReachedAgent, selectors: &[Selector]) -> Result<(), Failure> {
    let resources = seen.status.projects.iter().flat_map(|project| &project.resources);
    let is_known = |selector: &&Selector| {
        let mut resources = resources.clone();
        resources.any(|it| selector.covers(it.key.kind, it.key.name.as_str()))
    };
    let Some(missing) = selectors.iter().filter(|it| it.is_one()).find(|it| !is_known(it)) else {
        return Ok(());
    };
    Err(match missing.to_string().parse() {
        Ok(key) => seen.absent(&key),
        Err(_) => Failure::new(ErrorCode::NotFound, format!("there is no {missing}")),
    })
}
