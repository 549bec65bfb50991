//! How deployments ended, on paper.

use serde_json::{Value, json};

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
        Ending::Gone => {
            Paper::from(begin(Style::Blocked, "✗").plain(" went before its deployment ended"))
        }
        Ending::TimedOut { status } => Paper::from(
            begin(Style::Blocked, "!").plain(format!(" was still {status} when the time was up")),
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

/// Returns how a deployment ended, for programs.
pub fn value(key: &Key, ending: &Ending) -> Value {
    match ending {
        Ending::Succeeded => json!({ "key": key, "outcome": "succeeded" }),
        Ending::Gone => json!({ "key": key, "outcome": "gone" }),
        Ending::TimedOut { status } => {
            json!({ "key": key, "outcome": "timed_out", "status": status })
        }
        Ending::Failed { status, log } => {
            json!({ "key": key, "outcome": "failed", "status": status, "log": log })
        }
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
