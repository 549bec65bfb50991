//! What became of a plan, for who carried it out: one line a change, the counts last.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::Key;
use crate::plan::{ChangeResult, Counts, FailureCause, Outcome, Report};

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
            let rest = why(message) + "; the next run checks before it writes";
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

/// What became of a plan, with the same words as the plan's.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Report")]
pub struct SavedReport {
    /// One for each change of the plan, in its order.
    pub results: Vec<SavedResult>,
    /// How many of each.
    pub summary: SavedCounts,
    /// Whether it was stopped before the end.
    pub stopped: bool,
}

/// What became of one change.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Result")]
pub struct SavedResult {
    /// The resource, for example `service/api`.
    pub key: Key,
    /// What was to happen to it: a word of the plan's `action`.
    pub action: &'static str,
    /// What did: `applied`, `failed`, `stale`, `unresolved`, `skipped`, `not_started` or `blocked`.
    pub outcome: &'static str,
    /// Why, for people, where it was not applied. Foreign text may stand in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Of what failed: the platform's name for the request, for its support; `null` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Option<String>>,
    /// Of what was skipped: the change it needs, which did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because_of: Option<Key>,
    /// Of what is blocked: the word of the plan's `blocked.reason`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// How many changes came to what.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Counts")]
pub struct SavedCounts {
    /// Carried out, whether or not anything was written to the platform.
    pub applied: usize,
    /// Of these, with at least one write.
    pub written: usize,
    /// Refused, or not sent.
    pub failed: usize,
    /// Outcome unknown; the next run checks before it writes.
    pub unresolved: usize,
    /// Not applied, because something changed in the meantime.
    pub stale: usize,
    /// Not carried out, because what they need did not succeed.
    pub skipped: usize,
    /// Never begun.
    pub not_started: usize,
    /// Blocked by the plan.
    pub blocked: usize,
    /// Not begun, because it was not seen whether or what is to be done.
    pub unknown: usize,
}

impl From<&Report> for SavedReport {
    fn from(report: &Report) -> Self {
        let Counts {
            applied,
            written,
            failed,
            denied: _,
            over_budget: _,
            stale,
            unresolved,
            skipped,
            not_started,
            blocked,
            refused: _,
            unknown,
        } = report.counts();
        Self {
            results: report.results.iter().map(SavedResult::from).collect(),
            summary: SavedCounts {
                applied,
                written,
                failed,
                unresolved,
                stale,
                skipped,
                not_started,
                blocked,
                unknown,
            },
            stopped: report.stopped,
        }
    }
}

impl From<&ChangeResult> for SavedResult {
    fn from(result: &ChangeResult) -> Self {
        let ChangeResult { key, action, outcome } = result;
        let plain = |outcome| Self {
            key: key.clone(),
            action: phrase::action_word(*action),
            outcome,
            message: None,
            request_id: None,
            because_of: None,
            reason: None,
        };
        let told =
            |outcome, message: &String| Self { message: Some(message.clone()), ..plain(outcome) };
        match outcome {
            Outcome::Applied => plain("applied"),
            Outcome::Failed { cause: FailureCause::Stopped, message, request_id: _ } => {
                told("not_started", message)
            }
            Outcome::Failed { cause: _, message, request_id } => {
                Self { request_id: Some(request_id.clone()), ..told("failed", message) }
            }
            Outcome::Stale { message } => told("stale", message),
            Outcome::Unresolved { cause: _, message } => told("unresolved", message),
            Outcome::Skipped { because_of } => {
                Self { because_of: Some(because_of.clone()), ..plain("skipped") }
            }
            Outcome::NotStarted => plain("not_started"),
            Outcome::Blocked { reason } => {
                Self { reason: Some(reason.as_str()), ..plain("blocked") }
            }
        }
    }
}
