//! The resources of a project as a table, one line each.

use jiff::Timestamp;

use crate::render::{Paper, Style, Table};

use super::super::{ConditionType, ProjectStatus, ResourceStatus};
use super::words::{
    cell, condition_style, reason_beside, revision, short, span, standing_style, sync_style,
    telling, truth,
};

/// How much of a message a table shows; `stoker describe` shows it all.
const MESSAGE_CHARS_MAX: usize = 100;

/// Returns the resources that are asked for as a table.
#[must_use]
pub fn resources_as_table(
    status: &ProjectStatus,
    is_asked_for: &dyn Fn(&ResourceStatus) -> bool,
    now: Timestamp,
) -> Paper {
    let heading = ["KIND/NAME", "READY", "SYNC", "HEALTH", "REASON", "REVISION", "AGE", "MESSAGE"];
    let mut table = Table::new(&heading);
    for resource in status.resources.iter().filter(|resource| is_asked_for(resource)) {
        table.row(row(resource, status, now));
    }
    table.into()
}

fn row(resource: &ResourceStatus, status: &ProjectStatus, now: Timestamp) -> Vec<(Style, String)> {
    let ready = resource.conditions.get(ConditionType::Ready);
    let telling = telling(&resource.conditions);
    let (sync, health) = (&resource.sync_status, &resource.health_status);
    let reason = reason_beside(&resource.conditions);
    let age = telling.map(|it| span(now.duration_since(it.last_transition_time)));
    let observed = resource.observed_revision.as_deref();
    vec![
        (Style::Plain, resource.key.to_string()),
        ready.map_or_else(|| cell(None), |it| (condition_style(it), truth(it.status).to_owned())),
        (sync_style(sync), sync.to_string()),
        (standing_style(health), health.to_string()),
        cell(reason.map(|reason| reason.as_str())),
        cell(observed.map(|digest| named(digest, status)).as_deref()),
        cell(age.as_deref()),
        cell(telling.map(|it| beginning(&it.message)).as_deref()),
    ]
}

/// Returns a digest by the commit it stands for, when that is known.
pub(super) fn named(digest: &str, status: &ProjectStatus) -> String {
    let known = [&status.source.revision, &status.synced].into_iter().flatten();
    let found = known.into_iter().find(|it| it.digest == digest);
    found.map_or_else(|| short(digest), revision)
}

fn beginning(message: &str) -> String {
    let cut = message.char_indices().nth(MESSAGE_CHARS_MAX);
    cut.map_or_else(|| message.to_owned(), |(end, _)| format!("{}…", &message[..end]))
}
