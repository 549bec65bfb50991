//! The only place that prints: data on stdout, everything else on stderr.
//!
//! A reader that went away (a closed pipe) is a quiet end of the printing, never of the work:
//! an apply whose output is piped into `head` is carried out to its end.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::manifest;
use crate::model::Diagnostic;
use crate::render::{self, Paper};

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
    summary: Option<PathBuf>,
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
        Self {
            form: settings.output,
            colour_out: colour(io::stdout().is_terminal()),
            colour_err: colour(io::stderr().is_terminal()),
            is_github: environment.is_github_actions(),
            summary: environment.get("GITHUB_STEP_SUMMARY").map(PathBuf::from),
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
            Form::Ndjson => serde_json::to_string(value).map_err(|error| error.to_string()),
            Form::Text | Form::Json | Form::Markdown => {
                serde_json::to_string_pretty(value).map_err(|error| error.to_string())
            }
        };
        match text {
            Ok(text) => self.text(&format!("{}\n", text.trim_end())),
            Err(error) => self.warn(&format!("failed to write the output: {error}")),
        }
    }

    /// Prints what a person should know on stderr.
    pub fn note(&self, message: &str) {
        self.aside(&Paper::line(message));
    }

    /// Prints what a person should mind on stderr.
    pub fn warn(&self, message: &str) {
        self.aside(&Paper::warning(message));
    }

    /// Prints paper on stderr.
    pub fn aside(&self, paper: &Paper) {
        let text = if self.colour_err { paper.to_ansi() } else { paper.to_plain() };
        self.write(&mut io::stderr().lock(), &text);
    }

    /// Prints findings about manifests on stderr, and as annotations in GitHub Actions.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        let mut text = render::diagnostics(diagnostics, self.colour_err);
        if self.is_github {
            text.push_str(&render::github_annotations(diagnostics));
        }
        self.write(&mut io::stderr().lock(), &text);
    }

    /// Prints how a run failed: on stderr, or as JSON on stdout where `-o json` was asked for.
    pub fn failure(&self, failure: &Failure) {
        let Failure { exit: _, code, message, hints, request_id } = failure;
        if matches!(self.form, Form::Json | Form::Ndjson) {
            self.value(&render::error_json(code, message, hints, request_id.as_deref()));
            return;
        }
        self.aside(&Paper::failure(message, hints, request_id.as_deref()));
    }

    /// Appends Markdown to the summary of a step of GitHub Actions, where there is one.
    pub fn summarise(&self, markdown: &str) {
        let Some(path) = self.summary.as_ref().filter(|_| self.is_github) else { return };
        let file = std::fs::File::options().create(true).append(true).open(path);
        if let Err(error) = file.and_then(|mut file| file.write_all(markdown.as_bytes())) {
            self.warn(&format!("failed to write the step's summary: {error}"));
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
