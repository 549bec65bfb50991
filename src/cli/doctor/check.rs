//! One check: what was looked at, what was seen, and what to do about it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::{Line, Paper, Style};

use super::super::exit::Exit;
use super::super::failure::Failure;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// As it should be.
    Fine,
    /// It works, but somebody should look.
    Doubtful,
    /// It does not work.
    Failed,
    /// Nobody can tell.
    Unknown,
}

/// One check.
#[derive(Clone, Debug)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// How it came out.
    pub outcome: CheckOutcome,
    /// What was seen.
    pub detail: String,
    /// What to do.
    pub hints: Vec<String>,
    /// How a run ends in which it failed.
    pub exit: Exit,
}

/// One check, as it is printed for programs.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Check")]
pub struct SavedCheck {
    /// What was checked.
    check: String,
    /// The result: `ok`, `warn`, `fail`, or `?` if it is unknown.
    outcome: &'static str,
    /// What was seen.
    detail: String,
    /// What to do, one each.
    hints: Vec<String>,
}

impl From<&Check> for SavedCheck {
    fn from(check: &Check) -> Self {
        let Check { name, outcome: _, detail, hints, exit: _ } = check.clone();
        Self { check: name, outcome: check.word(), detail, hints }
    }
}

impl Check {
    /// Makes a check that came out in some way.
    pub fn new(name: impl Into<String>, outcome: CheckOutcome, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            outcome,
            detail: detail.into(),
            hints: Vec::new(),
            exit: Exit::Failed,
        }
    }

    /// Makes a check that came out well.
    pub fn fine(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(name, CheckOutcome::Fine, detail)
    }

    /// Makes a failed check of a failure.
    pub fn failed(name: impl Into<String>, failure: &Failure) -> Self {
        Self {
            hints: failure.hints.clone(),
            exit: failure.exit,
            ..Self::new(name, CheckOutcome::Failed, failure.message.as_str())
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Puts the check on paper.
    pub fn print(&self, paper: &mut Paper) {
        let Self { name, outcome, detail, hints, exit: _ } = self;
        let style = match outcome {
            CheckOutcome::Fine => Style::Added,
            CheckOutcome::Doubtful => Style::Changed,
            CheckOutcome::Failed => Style::Blocked,
            CheckOutcome::Unknown => Style::Dim,
        };
        let line = Line::default().with(style, self.word()).pad_to(6).plain(name);
        paper.push(line.pad_to(26).plain(detail));
        for hint in hints {
            paper.push(Line::default().pad_to(26).with(Style::Bold, "hint: ").plain(hint));
        }
    }

    const fn word(&self) -> &'static str {
        match self.outcome {
            CheckOutcome::Fine => "ok",
            CheckOutcome::Doubtful => "warn",
            CheckOutcome::Failed => "fail",
            CheckOutcome::Unknown => "?",
        }
    }
}
