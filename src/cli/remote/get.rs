//! `stoker get`, as a running agent knows it; with `--watch`, as it comes to know it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::model::Key;
use crate::render::Paper;
use crate::status::paper::{project_as_text, resources_as_table, telling};
use crate::status::{ConditionType, ProjectStatus, ResourceStatus};

use super::super::arguments::OutputFormat;
use super::super::code::ErrorCode;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::get::{GetDocument, GetFilter, GetRow, KeptRow, print_names};
use super::reach::{ReachedAgent, of_error, project};

/// How often the agent is asked while its resources are watched. It costs no request to the
/// platform.
const WATCH_PAUSE: Duration = Duration::from_secs(1);

/// Prints the projects and their resources; fails for a name that is not among them.
///
/// # Errors
/// When a resource was asked for by name and the agent does not know it.
pub fn get(
    context: &Context,
    seen: &ReachedAgent,
    filter: &GetFilter<'_>,
    now: Timestamp,
) -> Result<Exit, Failure> {
    let is_asked_for = |resource: &ResourceStatus| covers(filter, resource);
    let projects = &seen.status.projects;
    let found = found(seen, filter);
    let missing = missing(seen, filter);
    if found.is_empty() && missing.is_err() {
        // What was asked for by name is missed before "nothing" could be taken for an answer.
        return missing.map(|()| Exit::Done);
    }
    if context.global.is_of_names() {
        print_names(context, found.iter().map(|(_, it)| (it.key.kind, it.key.name.as_str())));
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
                let kept: Vec<Key> = project.resources.iter().map(|it| it.key.clone()).collect();
                project.pending.retain(|change| match filter.labels {
                    Some(_) => kept.contains(&change.key),
                    None => filter.names(change.key.kind, change.key.name.as_str()),
                });
            }
            let (incomplete, projects) = (Vec::new(), Some(projects));
            context.output.document(&GetDocument { resources, incomplete, projects });
        }
    }
    missing.map(|()| Exit::Done)
}

/// Prints what is asked for, and then each resource again whenever it is another; it never ends by
/// itself while the agent answers.
///
/// # Errors
/// When the agent no longer answers.
pub async fn watch(
    context: &Context,
    seen: ReachedAgent,
    filter: &GetFilter<'_>,
    clock: &Clock,
) -> Result<Exit, Failure> {
    let mut known = BTreeMap::new();
    let mut seen = seen;
    loop {
        let now = watched(&seen, filter);
        print_changed(context, &seen, &known, &now, clock.now());
        if context.output.is_closed() {
            return Ok(Exit::Done);
        }
        known = now;
        let until = clock.now().checked_add(WATCH_PAUSE).unwrap_or(Timestamp::MAX);
        clock.sleep_until(until).await;
        seen = ReachedAgent::of(seen.agent, project(context)).await.map_err(of_error)?;
    }
}

/// What is watched, by project and key.
type Watched = BTreeMap<(String, Key), ResourceStatus>;

fn watched(seen: &ReachedAgent, filter: &GetFilter<'_>) -> Watched {
    let found = found(seen, filter).into_iter();
    found.map(|(project, it)| ((project.name.clone(), it.key.clone()), it.clone())).collect()
}

/// Prints of what is watched what is another than before; what is no longer there is told.
fn print_changed(
    context: &Context,
    seen: &ReachedAgent,
    before: &Watched,
    now: &Watched,
    at: Timestamp,
) {
    let output = &context.output;
    for ((name, key), _) in before.iter().filter(|(place, _)| !now.contains_key(*place)) {
        output.note(&format!("{key} of {name} is neither declared nor owned any more"));
    }
    for project in &seen.status.projects {
        let place = |it: &ResourceStatus| (project.name.clone(), it.key.clone());
        let is_changed = |it: &ResourceStatus| {
            let place = place(it);
            now.contains_key(&place) && before.get(&place) != Some(it)
        };
        let changed: Vec<&ResourceStatus> =
            project.resources.iter().filter(|it| is_changed(it)).collect();
        if changed.is_empty() {
            continue;
        }
        if context.global.is_of_names() {
            print_names(context, changed.iter().map(|it| (it.key.kind, it.key.name.as_str())));
            continue;
        }
        match output.form() {
            OutputFormat::Text | OutputFormat::Markdown => {
                output.data(&resources_as_table(project, &is_changed, at));
            }
            // A stream: one document a line, and in YAML one item of a list that goes on growing.
            OutputFormat::Json | OutputFormat::Ndjson => changed
                .iter()
                .for_each(|it| output.text(&crate::render::json::line(&row(project, it)))),
            OutputFormat::Yaml => {
                changed.iter().for_each(|it| output.value(&[row(project, it)]));
            }
        }
    }
}

fn covers(filter: &GetFilter<'_>, resource: &ResourceStatus) -> bool {
    filter.covers(resource.key.kind, resource.key.name.as_str(), &resource.labels)
}

/// Returns what is asked for, each with its project.
fn found<'s>(
    seen: &'s ReachedAgent,
    filter: &GetFilter<'_>,
) -> Vec<(&'s ProjectStatus, &'s ResourceStatus)> {
    let projects = seen.status.projects.iter();
    let found = projects.flat_map(|project| {
        let resources = project.resources.iter();
        resources.filter(|it| covers(filter, it)).map(move |resource| (project, resource))
    });
    found.collect()
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
        labels,
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
        labels: labels.clone(),
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

fn missing(seen: &ReachedAgent, filter: &GetFilter<'_>) -> Result<(), Failure> {
    let resources = seen.status.projects.iter().flat_map(|project| &project.resources);
    let names = || resources.clone().map(|it| (it.key.kind, it.key.name.as_str()));
    let Some(missing) = filter.missing(names) else {
        return Ok(());
    };
    Err(match missing.to_string().parse() {
        Ok(key) => seen.absent(&key),
        Err(_) => Failure::new(ErrorCode::NotFound, format!("there is no {missing}")),
    })
}
