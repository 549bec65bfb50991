//! The lines about a whole project: how it does, what it stands at, what holds it back.

use jiff::Timestamp;

use crate::render::json::{SavedDiagnostic, SavedOrigin};
use crate::render::{Line, Paper, Style};

use super::super::{Mode, Problem, ProjectStatus, Steering};
use super::words::{
    ago, reason_beside, revision, span, standing_style, sync_style, telling, until,
};

/// How many findings about manifests are shown; `stoker validate` shows them all.
const FINDINGS_MAX: usize = 10;

/// How many unmanaged things are named; `stoker get --live` lists them all.
const UNMANAGED_MAX: usize = 5;

/// Returns how a project does, its own line first.
#[must_use]
pub fn project_as_text(status: &ProjectStatus, now: Timestamp) -> Paper {
    let mut paper = Paper::from(headline(status));
    paper.push(places(status));
    paper.push(looks(status, now));
    push_steering(&mut paper, status.mode, &status.steering, now);
    if let Some(problem) = &status.source.problem {
        push_problem(&mut paper, problem, status);
    }
    if status.unmanaged > 0 {
        paper.push(Line::of(unmanaged(status)));
    }
    paper
}

/// Names what is neither declared nor ours: which it is decides what to do about it.
fn unmanaged(status: &ProjectStatus) -> String {
    let what = match status.unmanaged {
        1 => "1 live resource is".to_owned(),
        many => format!("{many} live resources are"),
    };
    let named = status.unmanaged_things.iter().take(UNMANAGED_MAX);
    let mut named: Vec<String> = named.map(|it| format!("{}/{}", it.kind, it.name)).collect();
    let more = status.unmanaged.saturating_sub(named.len());
    if more > 0 && !named.is_empty() {
        named.push(format!("and {more} more"));
    }
    let names = if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) };
    format!("  {what} neither declared nor ours{names}")
}

/// `shop: OutOfSync (Fuse), Healthy at 3f2a1bc9d0 "Raise the port": service/api: too much would go`
fn headline(status: &ProjectStatus) -> Line {
    let mut line = Line::default().with(Style::Bold, status.name.as_str()).plain(": ");
    let condition = telling(&status.conditions);
    let (sync, health) = (&status.sync_status, &status.health_status);
    line = match condition {
        Some(_) => {
            line = line.with(sync_style(sync), sync.as_str());
            if let Some(reason) = reason_beside(&status.conditions) {
                line = line.plain(format!(" ({reason})"));
            }
            line.plain(", ").with(standing_style(health), health.as_str())
        }
        None => line.with(Style::Dim, "nothing is known yet"),
    };
    if let Some(at) = &status.source.revision {
        line = line.plain(" at ").with(Style::Bold, revision(at));
        if let Some(subject) = &at.subject {
            line = line.plain(format!(" \"{subject}\""));
        }
    }
    match condition.map(|condition| condition.message.as_str()) {
        None | Some("") => line,
        Some(message) => line.plain(format!(": {message}")),
    }
}

fn places(status: &ProjectStatus) -> Line {
    let line = Line::of("  from ").plain(status.source.location.as_str());
    let line = line.plain(" on ").plain(status.origin.as_str());
    match &status.platform_name {
        Some(name) => line.plain(format!(" (project {name})")),
        None => line,
    }
}

fn looks(status: &ProjectStatus, now: Timestamp) -> Line {
    let line = match status.history.first() {
        Some(pass) => {
            let text = format!("  checked {}: {}", ago(pass.started_at, now), pass.outcome);
            let text = match pass.message.as_str() {
                "" => text,
                message => format!("{text}, {message}"),
            };
            Line::default().with(Style::Dim, text)
        }
        None => Line::default().with(Style::Dim, "  has not checked yet"),
    };
    let line = match status.next_pass_at {
        Some(next) if next > now => {
            line.with(Style::Dim, format!("; checks again in {}", span(next.duration_since(now))))
        }
        Some(_) => line.with(Style::Dim, "; checks again now"),
        None => line,
    };
    let seen = status.seen_synced_at;
    let other = status.synced.as_ref().filter(|it| Some(*it) != status.source.revision.as_ref());
    let text = match (other, seen) {
        (Some(synced), None) => {
            format!("; last in sync at {}, {}", revision(synced), ago(synced.at, now))
        }
        (Some(synced), Some(seen)) => {
            format!("; last seen in sync {}, at {}", ago(seen, now), revision(synced))
        }
        (None, Some(seen)) => format!("; last seen in sync {}", ago(seen, now)),
        (None, None) => return line,
    };
    line.with(Style::Dim, text)
}

/// Says what people told it, each on a line of its own: it is why nothing happens.
fn push_steering(paper: &mut Paper, mode: Mode, steering: &Steering, now: Timestamp) {
    let Steering { suspension, pinned_to, window } = steering;
    let held = |text: String| Line::of("  ").with(Style::Changed, text);
    match mode {
        Mode::Repair => {}
        Mode::Observe => {
            paper.push(held("observes: it checks and reports, and never writes".into()))
        }
    }
    if let Some(suspension) = suspension {
        let end = until(suspension.until, now);
        paper.push(held(format!("suspended until {end}: {}", suspension.reason)));
    }
    if let Some(commit) = pinned_to {
        paper.push(held(format!("pinned to {commit}; `stoker unpin` follows the branch again")));
    }
    match window {
        Some(window) if !window.open => {
            let end = window.until.map(|end| format!(" until {}", until(end, now)));
            let end = end.unwrap_or_default();
            paper.push(held(format!("outside its sync window{end}: {}", window.because)));
        }
        Some(_) | None => {}
    }
}

fn push_problem(paper: &mut Paper, problem: &Problem, status: &ProjectStatus) {
    let Problem { reason, message, hints, diagnostics } = problem;
    let line = Line::of("  ").with(Style::Blocked, format!("! {reason}"));
    paper.push(line.plain(format!(": {message}")));
    for finding in diagnostics.iter().take(FINDINGS_MAX) {
        push_finding(paper, finding);
    }
    if let Some(more) = diagnostics.len().checked_sub(FINDINGS_MAX).filter(|more| *more > 0) {
        paper.push(Line::of(format!("      and {more} more")));
    }
    for hint in hints {
        paper.push(Line::of("      ").with(Style::Bold, "hint: ").plain(hint.as_str()));
    }
    if let Some(last) = &status.source.revision {
        let text = format!("      {} stays in force, and nothing is deleted", revision(last));
        paper.push(Line::default().with(Style::Dim, text));
    }
}

fn push_finding(paper: &mut Paper, finding: &SavedDiagnostic) {
    let SavedDiagnostic { severity, code, message, origin, hints } = finding;
    let mut line = Line::of("      ");
    if let Some(SavedOrigin { file, line: number, column }) = origin {
        let column = column.map(|column| format!(":{column}")).unwrap_or_default();
        line = line.with(Style::Bold, format!("{file}:{number}{column}")).plain("  ");
    }
    let style = if severity == "error" { Style::Blocked } else { Style::Changed };
    line = line.with(style, format!("{severity}[{code}]")).plain(format!(": {message}"));
    if !hints.is_empty() {
        line = line.with(Style::Dim, format!(" ({})", hints.join("; ")));
    }
    paper.push(line);
}
