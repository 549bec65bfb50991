//! What became of a plan, for who carried it out: one line a change, the counts last.

use serde_json::{Value, json};

use crate::plan::{ChangeResult, FailureCause, Outcome, Report};

use super::markdown::escape;
use super::paper::{Line, Paper, Style};
use super::phrase;

/// Returns the report as lines. What was done was told while it was done, and what is blocked was
/// said by the plan: both are only counted.
#[must_use]
pub fn report_as_text(report: &Report) -> Paper {
    let mut paper = Paper::new();
    for result in &report.results {
        if let Some((style, word, rest)) = outcome(result) {
            let key = &result.key;
            let action = phrase::action_word(result.action);
            let line = Line::of("  ").with(style, format!("{word} {key}"));
            paper.push(line.plain(format!("  {action}{rest}")));
        }
    }
    paper.gap();
    paper.push(Line::default().with(Style::Bold, counts(report)));
    paper
}

/// Returns the report as Markdown, for the summary of a step: it follows the plan, so what was done
/// is only counted.
#[must_use]
pub fn report_as_markdown(report: &Report) -> String {
    let mut out = format!("### {}\n\n", escape(&counts(report)));
    for result in &report.results {
        if let Some((_, word, rest)) = outcome(result) {
            let key = escape(&result.key.to_string());
            let action = phrase::action_word(result.action);
            out.push_str(&format!("- {} **{key}** {action}{}\n", word.trim_end(), escape(&rest)));
        }
    }
    out
}

fn outcome(result: &ChangeResult) -> Option<(Style, &'static str, String)> {
    let why = |message: &str| format!(": {message}");
    let told = match &result.outcome {
        Outcome::Failed { cause: FailureCause::Stopped, message, request_id: _ } => {
            (Style::Dim, "stopped    ", why(message))
        }
        Outcome::Failed { cause: _, message, request_id } => {
            // What the API said is told with its request already.
            let untold = request_id.as_ref().filter(|id| !message.contains(id.as_str()));
            let id = untold.map(|id| format!(" (request {id})"));
            let rest = why(message) + &id.unwrap_or_default();
            (Style::Blocked, "failed     ", rest)
        }
        Outcome::Stale { message } => (Style::Changed, "stale      ", why(message)),
        Outcome::Unresolved { cause: _, message } => {
            let rest = why(message) + "; the next run looks before it writes";
            (Style::Blocked, "unresolved ", rest)
        }
        Outcome::Skipped { because_of } => {
            let rest = format!(": {because_of} did not succeed");
            (Style::Changed, "skipped    ", rest)
        }
        Outcome::NotStarted => (Style::Dim, "not started", String::new()),
        Outcome::Applied | Outcome::Blocked { reason: _ } => return None,
    };
    Some(told)
}

fn counts(report: &Report) -> String {
    let counts = report.counts();
    let others = [
        (counts.failed, "failed"),
        (counts.unresolved, "unresolved"),
        (counts.stale, "stale"),
        (counts.skipped, "skipped"),
        (counts.not_started, "not started"),
        (counts.blocked, "blocked"),
        (counts.unknown, "unknown"),
    ];
    let mut text = format!("Applied: {} done", counts.applied);
    for (number, word) in others.into_iter().filter(|(number, _)| *number > 0) {
        text = format!("{text}, {number} {word}");
    }
    let stopped = if report.stopped { " Stopped before the end." } else { "" };
    format!("{text}.{stopped}")
}

/// Returns the report as JSON, with the same words as the plan's.
pub(super) fn document(report: &Report, format_version: &str) -> Value {
    let results: Vec<_> = report.results.iter().map(result_object).collect();
    let counts = report.counts();
    json!({
        "formatVersion": format_version,
        "results": results,
        "summary": {
            "applied": counts.applied,
            "written": counts.written,
            "failed": counts.failed,
            "unresolved": counts.unresolved,
            "stale": counts.stale,
            "skipped": counts.skipped,
            "notStarted": counts.not_started,
            "blocked": counts.blocked,
            "unknown": counts.unknown,
        },
        "stopped": report.stopped,
    })
}

fn result_object(result: &ChangeResult) -> Value {
    let mut object = json!({
        "key": result.key,
        "action": phrase::action_word(result.action),
    });
    let more = match &result.outcome {
        Outcome::Applied => json!({ "outcome": "applied" }),
        Outcome::Failed { cause: FailureCause::Stopped, message, request_id: _ } => {
            json!({ "outcome": "not_started", "message": message })
        }
        Outcome::Failed { cause: _, message, request_id } => {
            json!({ "outcome": "failed", "message": message, "requestId": request_id })
        }
        Outcome::Stale { message } => json!({ "outcome": "stale", "message": message }),
        Outcome::Unresolved { cause: _, message } => {
            json!({ "outcome": "unresolved", "message": message })
        }
        Outcome::Skipped { because_of } => {
            json!({ "outcome": "skipped", "becauseOf": because_of })
        }
        Outcome::NotStarted => json!({ "outcome": "not_started" }),
        Outcome::Blocked { reason } => json!({ "outcome": "blocked", "reason": reason.as_str() }),
    };
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}
