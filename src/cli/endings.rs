//! How deployments ended, on paper.

use schemars::JsonSchema;
use serde::Serialize;

use crate::follow::Ending;
use crate::model::Key;
use crate::render::{Line, Paper, Style};

use super::exit::Exit;

/// Returns how a deployment ended, with the last lines of its log when it failed.
pub fn text(key: &Key, ending: &Ending) -> Paper {
    let begin = |style, sign: &str| {
        Line::default().with(style, format!("  {sign} ")).plain(key.to_string())
    };
    match ending {
        Ending::Succeeded => Paper::from(begin(Style::Added, "✓").plain(" is deployed")),
        Ending::Gone => Paper::from(
            begin(Style::Blocked, "✗").plain(" was deleted before its deployment ended"),
        ),
        Ending::TimedOut { status } => Paper::from(
            begin(Style::Blocked, "!").plain(format!(" was still {status} when the time ran out")),
        ),
        Ending::Failed { status, log } => {
            let mut paper = Paper::from(
                begin(Style::Blocked, "✗").plain(format!(": the deployment ended as {status}")),
            );
            for line in log {
                paper.push(Line::default().with(Style::Dim, format!("      {line}")));
            }
            paper
        }
    }
}

/// How a deployment ended, for programs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EndedDeployment {
    /// The service.
    key: Key,
    /// `succeeded`, `failed`, `timed_out` (it continues), or `gone`: the service was deleted
    /// before.
    outcome: &'static str,
    /// The platform's last status, if it failed or continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// The last lines of its log, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<Vec<String>>,
}

impl EndedDeployment {
    /// Returns how a deployment ended.
    pub fn new(key: &Key, ending: &Ending) -> Self {
        let (outcome, status, log) = match ending {
            Ending::Succeeded => ("succeeded", None, None),
            Ending::Gone => ("gone", None, None),
            Ending::TimedOut { status } => ("timed_out", Some(status.clone()), None),
            Ending::Failed { status, log } => ("failed", Some(status.clone()), Some(log.clone())),
        };
        Self { key: key.clone(), outcome, status, log }
    }
}

/// Returns the exit code of an ending.
pub const fn exit(ending: &Ending) -> Exit {
    match ending {
        Ending::Succeeded => Exit::Done,
        Ending::Failed { .. } | Ending::Gone => Exit::Failed,
        Ending::TimedOut { .. } => Exit::OverBudget,
    }
}
