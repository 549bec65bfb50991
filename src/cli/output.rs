//! The only place that prints: data on stdout, everything else on stderr.
//!
//! A reader that went away (a closed pipe) is a quiet end of the printing, never of the work:
//! an apply whose output is piped into `head` is carried out to its end.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::manifest;
use crate::model::Diagnostic;
use crate::render::{self, Line, Paper, Style, json};

use super::arguments::{Form, When};
use super::environment::Environment;
use super::failure::Failure;
use super::settings::GlobalSettings;

/// Where a run prints, and how.
pub struct Output {
    form: Form,
    colour_out: bool,
    colour_err: bool,
    is_github: bool,
    /// Where a step of GitHub Actions takes a summary.
    summary: Option<PathBuf>,
    /// Where it takes values for later steps.
    outputs: Option<PathBuf>,
    is_closed: AtomicBool,
}

impl Output {
    /// Decides once how to print: `NO_COLOR`, then `CLICOLOR_FORCE`, then whether it is a terminal.
    #[must_use]
    pub fn new(settings: &GlobalSettings, environment: &Environment) -> Self {
        let colour = |is_terminal: bool| match settings.color {
            When::Always => true,
            When::Never => false,
            When::Auto if environment.get("NO_COLOR").is_some() => false,
            When::Auto if environment.get("CLICOLOR_FORCE").is_some_and(|v| v != "0") => true,
            When::Auto => is_terminal && environment.get("TERM") != Some("dumb"),
        };
        let of_step = |name: &str| {
            let path = environment.get(name).filter(|_| environment.is_github_actions());
            path.map(PathBuf::from)
        };
        Self {
            form: settings.output,
            colour_out: colour(io::stdout().is_terminal()),
            colour_err: colour(io::stderr().is_terminal()),
            is_github: environment.is_github_actions(),
            summary: of_step("GITHUB_STEP_SUMMARY"),
            outputs: of_step("GITHUB_OUTPUT"),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Returns the form of stdout.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Whether stderr is coloured; the log is coloured with it.
    #[must_use]
    pub const fn colours_stderr(&self) -> bool {
        self.colour_err
    }

    /// Whether a person is there to answer a question.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        self.form == Form::Text && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Whether a person watches stderr, for moving progress.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Whether whoever read the output went away.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Prints data on stdout.
    pub fn data(&self, paper: &Paper) {
        let text = if self.colour_out { paper.to_ansi() } else { paper.to_plain() };
        self.text(&text);
    }

    /// Prints text on stdout that is ours, or comes from a room that made it inert.
    pub fn text(&self, text: &str) {
        self.write(&mut io::stdout().lock(), text);
    }

    /// Prints a value on stdout: as YAML where that was asked for, else as JSON.
    pub fn value(&self, value: &impl Serialize) {
        let text = match self.form {
            Form::Yaml => manifest::to_yaml(value),
            Form::Ndjson => Ok(json::line(value)),
            Form::Text | Form::Json | Form::Markdown => Ok(json::document(value)),
        };
        match text {
            Ok(text) => self.text(&format!("{}\n", text.trim_end())),
            Err(error) => self.warn(&format!("failed to write the output: {error}")),
        }
    }

    /// Prints what a person should know on stderr.
    pub fn note(&self, message: &str) {
        self.aside(&Paper::from(Line::of(message)));
    }

    /// Prints what a person should mind on stderr.
    pub fn warn(&self, message: &str) {
        let line = Line::default().with(Style::Changed, "warning: ").plain(message);
        self.aside(&Paper::from(line));
    }

    /// Prints paper on stderr.
    pub fn aside(&self, paper: &Paper) {
        let text = if self.colour_err { paper.to_ansi() } else { paper.to_plain() };
        self.write(&mut io::stderr().lock(), &text);
    }

    /// Prints findings about manifests on stderr, and as annotations in GitHub Actions.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        let mut text = if self.colour_err {
            render::diagnostics_as_ansi(diagnostics)
        } else {
            render::diagnostics_as_text(diagnostics)
        };
        if self.is_github {
            text.push_str(&render::github_annotations(diagnostics));
        }
        self.write(&mut io::stderr().lock(), &text);
    }

    /// Prints how a run failed: on stderr, or as JSON on stdout where `-o json` was asked for.
    pub fn failure(&self, failure: &Failure) {
        let Failure { exit: _, code, message, hints, request_id, diagnostics } = failure;
        if matches!(self.form, Form::Json | Form::Ndjson) {
            self.text(&json::error(code, message, hints, request_id.as_deref(), diagnostics));
            return;
        }
        let mut paper = Paper::from(Line::default().with(Style::Blocked, "error: ").plain(message));
        for hint in hints {
            paper.push(Line::default().with(Style::Bold, "hint: ").plain(hint));
        }
        self.aside(&paper);
    }

    /// Appends Markdown to the summary of a step of GitHub Actions, where there is one.
    pub fn summarise(&self, markdown: impl FnOnce() -> String) {
        if let Some(path) = &self.summary {
            self.append(path, &markdown());
        }
    }

    /// Hands values to later steps of GitHub Actions, where there are any.
    pub fn github_outputs(&self, outputs: &[(&str, String)]) {
        let Some(path) = &self.outputs else { return };
        // A random end mark, so that no value can end its own block.
        let mark = format!("stoker-{:016x}", getrandom::u64().unwrap_or(0x5eed));
        let block = |(name, value): &(&str, String)| format!("{name}<<{mark}\n{value}\n{mark}\n");
        let text: String = outputs.iter().map(block).collect();
        self.append(path, &text);
    }

    fn append(&self, path: &Path, text: &str) {
        let file = std::fs::File::options().create(true).append(true).open(path);
        if let Err(error) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
            self.warn(&format!("failed to write {}: {error}", path.display()));
        }
    }

    fn write(&self, to: &mut dyn io::Write, text: &str) {
        if self.is_closed.load(Ordering::Relaxed) {
            return;
        }
        let written = to.write_all(text.as_bytes()).and_then(|()| to.flush());
        if written.is_err() {
            self.is_closed.store(true, Ordering::Relaxed);
        }
    }
}

/// Prints on stdout before it is known how to print.
pub fn raw(text: &str) {
    // Nobody reads it any more: there is nobody to tell.
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Prints text of ours on stderr, from a thread that has no paper.
pub fn aside(text: &str) {
    // Nobody reads it any more: there is nobody to tell.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
