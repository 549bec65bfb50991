//! Everything an agent knows about one resource.

use jiff::Timestamp;

use crate::render::json::{SavedByHand, SavedChange, SavedUnsettled};
use crate::render::{Line, Paper, Style};

use super::super::{
    Condition, DeploymentStatus, Event, PassRecord, ProjectStatus, ResourceStatus, Runs, Trigger,
};
use super::event::event_line;
use super::field::change_as_text;
use super::table::named;
use super::words::{
    ago, condition_style, health_style, short, span, standing_style, sync_style, truth, until,
};

/// The column in which the values of facts stand.
const VALUE_COLUMN: usize = 26;

/// What is known around a resource.
#[derive(Clone, Copy, Debug)]
pub struct ResourceContext<'a> {
    /// Its project.
    pub project: &'a ProjectStatus,
    /// Its events, oldest first.
    pub events: &'a [Event],
    /// The time.
    pub now: Timestamp,
}

impl<'a> ResourceContext<'a> {
    /// Returns what is pending for a resource.
    #[must_use]
    pub fn pending(&self, resource: &ResourceStatus) -> Option<&'a SavedChange> {
        self.project.pending.iter().find(|change| change.key == resource.key)
    }

    /// Returns the passes in which something happened to the resource, newest first.
    pub fn passes(&self) -> impl Iterator<Item = &'a PassRecord> {
        let Self { project, events, now: _ } = *self;
        let is_of_it =
            |pass: &&PassRecord| events.iter().any(|event| event.pass == Some(pass.pass));
        project.history.iter().filter(is_of_it)
    }
}

/// Returns everything about a resource, section by section.
#[must_use]
pub fn resource_as_text(resource: &ResourceStatus, around: &ResourceContext<'_>) -> Paper {
    let mut paper = facts(resource, around);
    heading(&mut paper, "conditions");
    for condition in resource.conditions.iter() {
        paper.push(condition_line(condition, around.now));
    }
    if let Some(change) = around.pending(resource) {
        heading(&mut paper, "pending");
        paper.extend(change_as_text(change));
    }
    if let Some(deployment) = &resource.deployment {
        heading(&mut paper, "deployment");
        push_deployment(&mut paper, deployment, around.now);
    }
    let mut passes = around.passes().peekable();
    if passes.peek().is_some() {
        heading(&mut paper, "passes");
    }
    for pass in passes {
        paper.push(pass_line(pass, around.now));
    }
    if !around.events.is_empty() {
        heading(&mut paper, "events");
    }
    for event in around.events {
        paper.push(Line::of("  ").then(event_line(event, None)));
    }
    paper
}

fn facts(resource: &ResourceStatus, around: &ResourceContext<'_>) -> Paper {
    let ResourceStatus {
        key,
        id,
        owned,
        sync_status,
        health_status,
        conditions: _,
        labels,
        health,
        url,
        replicas,
        declared_at,
        depends_on,
        by_hand,
        unsettled,
        observed_revision,
        runs,
        deployment: _,
        failures,
        retry_at,
    } = resource;
    let mut paper = Paper::new();
    heading(&mut paper, &key.to_string());
    let mut fact = |label: &str, style: Style, value: Option<String>| {
        if let Some(value) = value {
            let line = Line::of("  ").with(Style::Dim, label).pad_to(VALUE_COLUMN);
            paper.push(line.with(style, value));
        }
    };
    let platform_style = health.as_deref().map_or(Style::Plain, health_style);
    fact("project", Style::Plain, Some(around.project.name.clone()));
    fact("id", Style::Plain, id.clone());
    fact("owned", Style::Plain, owned.clone());
    fact("sync", sync_style(sync_status), Some(sync_status.to_string()));
    fact("health", standing_style(health_status), Some(health_status.to_string()));
    fact("platform says", platform_style, health.clone());
    let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    fact("labels", Style::Plain, (!labels.is_empty()).then(|| labels.join(", ")));
    fact("url", Style::Plain, url.clone());
    fact("replicas", Style::Plain, replicas.map(|count| count.to_string()));
    fact("runs", Style::Plain, runs.as_ref().map(|runs| running(runs, around.now)));
    fact("declared at", Style::Plain, declared_at.as_ref().map(ToString::to_string));
    let refers: Vec<String> = depends_on.iter().map(ToString::to_string).collect();
    fact("refers to", Style::Plain, (!refers.is_empty()).then(|| refers.join(", ")));
    let is_open = by_hand.iter().any(|one| one.set != Some(true));
    let style = if is_open { Style::Changed } else { Style::Plain };
    fact("set by hand", style, (!by_hand.is_empty()).then(|| set_by_hand(by_hand)));
    for SavedUnsettled { key: _, field, hint } in unsettled {
        fact("unsettled", Style::Changed, Some(format!("{field}: {hint}")));
    }
    let observed = observed_revision.as_deref().map(|digest| named(digest, around.project));
    fact("revision", Style::Plain, observed);
    let failed = (*failures > 0).then(|| format!("{failures} passes in a row"));
    fact("failed", Style::Removed, failed);
    fact("tried again", Style::Plain, retry_at.map(|time| until(time, around.now)));
    paper
}

/// Returns what runs, and how old that knowledge is.
fn running(runs: &Runs, now: Timestamp) -> String {
    let Runs { commit, deployment, seen_at } = runs;
    format!("commit {commit}, by {deployment} (seen {})", ago(*seen_at, now))
}

/// Returns the variables that people set, each with what the platform shows of it.
fn set_by_hand(by_hand: &[SavedByHand]) -> String {
    let one = |it: &SavedByHand| match it.set {
        Some(true) => format!("{} (set)", it.variable),
        Some(false) => format!("{} (must be set)", it.variable),
        None => format!("{} (must be set; not shown)", it.variable),
    };
    by_hand.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn heading(paper: &mut Paper, text: &str) {
    paper.gap();
    paper.push(Line::default().with(Style::Bold, text));
}

fn condition_line(condition: &Condition, now: Timestamp) -> Line {
    let Condition { kind, status, reason, message, last_transition_time } = condition;
    let line = Line::of("  ").plain(kind.as_str()).pad_to(16);
    let line = line.with(condition_style(condition), truth(*status)).pad_to(VALUE_COLUMN);
    let line = line.plain(reason.as_str()).pad_to(VALUE_COLUMN + 22);
    let since = span(now.duration_since(*last_transition_time));
    line.with(Style::Dim, since).pad_to(VALUE_COLUMN + 28).plain(message.as_str())
}

fn push_deployment(paper: &mut Paper, deployment: &DeploymentStatus, now: Timestamp) {
    let DeploymentStatus { id, status, since, commit, log } = deployment;
    let line = Line::of("  ").with(health_style(status), status.as_str());
    let line = line.plain(format!("  since {}", ago(*since, now)));
    let line = match commit {
        Some(commit) => line.plain(format!(" at {}", short(commit))),
        None => line,
    };
    paper.push(match id {
        Some(id) => line.with(Style::Dim, format!("  {id}")),
        None => line,
    });
    for text in log {
        paper.push(Line::of("      ").with(Style::Dim, text.as_str()));
    }
}

fn pass_line(pass: &PassRecord, now: Timestamp) -> Line {
    let triggers: Vec<&str> = pass.triggers.iter().copied().map(Trigger::as_str).collect();
    let line = Line::of(format!("  #{}", pass.pass)).pad_to(10);
    let line = line.with(Style::Dim, ago(pass.started_at, now)).pad_to(VALUE_COLUMN);
    let line = line.plain(pass.outcome.as_str()).pad_to(VALUE_COLUMN + 14);
    line.plain(triggers.join(", ")).pad_to(VALUE_COLUMN + 28).plain(pass.message.as_str())
}
