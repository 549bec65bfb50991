//! The only place that prints: data on stdout, everything else on stderr.
//!
//! A reader that went away (a closed pipe) is a quiet end of the printing, never of the work:
//! an apply whose output is piped into `head` is carried out to its end, and its errors are still
//! told on stderr. A disk that is full is told, and is a failure.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::fs::{Stat, fstat};
use serde::Serialize;

use crate::manifest;
use crate::model::{Diagnostic, Severity};
use crate::render::json::{self, Versioned};
use crate::render::{self, Line, Paper, Style};
use crate::telemetry;

use super::arguments::{LogForm, OutputFormat, When};
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::github::StepFiles;
use super::settings::GlobalSettings;

/// Where a run prints, and how.
pub struct Output {
    form: OutputFormat,
    /// Where the log is for machines, what a person should know is part of it.
    log: LogForm,
    colour_out: bool,
    colour_err: bool,
    /// How many columns what is printed for people may take; where nobody says, any number.
    columns: Option<usize>,
    /// The step of GitHub Actions that this run is part of.
    step: Option<StepFiles>,
    /// Whether whoever read stdout went away, or it takes no more.
    is_closed: AtomicBool,
    /// Why stdout took no more, when that was not for want of a reader.
    lost: OnceLock<io::Error>,
    /// What is held back, where it is printed together with that of other projects.
    held: Option<Mutex<Vec<HeldOutput>>>,
}

/// What was held back of the output of one of several projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldOutput {
    /// For stdout.
    Data(String),
    /// For stderr.
    Aside(String),
    /// For the summary of a step of GitHub Actions.
    Summary(String),
    /// For later steps of GitHub Actions.
    Values(Vec<(&'static str, String)>),
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
            form: settings.output.form(),
            log: settings.log_format,
            colour_out: colour(io::stdout().is_terminal()),
            colour_err: colour(io::stderr().is_terminal()),
            columns: columns(environment),
            step: StepFiles::of(environment),
            is_closed: AtomicBool::new(false),
            lost: OnceLock::new(),
            held: None,
        }
    }

    /// Returns one for one of several projects: it prints nothing, and what it would print is taken
    /// from it. A document is held as JSON, to become part of a larger one.
    #[must_use]
    pub fn held_back(&self) -> Self {
        Self {
            form: match self.form {
                OutputFormat::Yaml => OutputFormat::Json,
                form => form,
            },
            log: self.log,
            colour_out: self.colour_out,
            colour_err: self.colour_err,
            columns: self.columns,
            step: self.step.clone(),
            is_closed: AtomicBool::new(false),
            lost: OnceLock::new(),
            held: Some(Mutex::default()),
        }
    }

    /// Takes what was held back so far.
    #[must_use]
    pub fn take_held(&self) -> Vec<HeldOutput> {
        let held = self.held.as_ref();
        held.map(|held| std::mem::take(&mut *held.lock().unwrap_or_else(PoisonError::into_inner)))
            .unwrap_or_default()
    }

    /// Holds something back; says whether it did.
    fn hold(&self, output: impl FnOnce() -> HeldOutput) -> bool {
        let Some(held) = &self.held else { return false };
        held.lock().unwrap_or_else(PoisonError::into_inner).push(output());
        true
    }

    /// Returns the form of stdout.
    #[must_use]
    pub const fn form(&self) -> OutputFormat {
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
        self.form == OutputFormat::Text
            && self.held.is_none()
            && io::stdin().is_terminal()
            && io::stderr().is_terminal()
    }

    /// Whether a person watches stderr, for moving progress.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.held.is_none() && io::stderr().is_terminal()
    }

    /// Whether stdout and stderr end in one place, as on a terminal: what was said on one is read
    /// before what follows on the other.
    #[must_use]
    pub fn is_one_stream(&self) -> bool {
        let place = |file: Stat| (file.st_dev, file.st_ino);
        let (out, aside) = (fstat(io::stdout()), fstat(io::stderr()));
        out.map(place).ok() == aside.map(place).ok()
    }

    /// Whether whoever read the output went away.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Prints data on stdout, within the columns there are.
    pub fn data(&self, paper: &Paper) {
        match self.columns.filter(|_| self.form == OutputFormat::Text) {
            Some(columns) => self.verbatim(&paper.clone().within(columns)),
            None => self.verbatim(paper),
        }
    }

    /// Prints data on stdout with its lines as they are: what a service wrote is not folded.
    pub fn verbatim(&self, paper: &Paper) {
        let text = if self.colour_out { paper.to_ansi() } else { paper.to_plain() };
        self.text(&text);
    }

    /// Prints text on stdout that is ours, or comes from a room that made it inert.
    pub fn text(&self, text: &str) {
        self.write_data(text);
    }

    /// Prints a document on stdout that has no other version than that of its form.
    pub fn document(&self, body: &impl Serialize) {
        self.value(&Versioned::from(body));
    }

    /// Prints a value on stdout: as YAML where that was asked for, else as JSON.
    pub fn value(&self, value: &impl Serialize) {
        let text = match self.form {
            OutputFormat::Yaml => manifest::to_yaml(value),
            OutputFormat::Ndjson => Ok(json::line(value)),
            OutputFormat::Text | OutputFormat::Json | OutputFormat::Markdown => {
                Ok(json::document(value))
            }
        };
        match text {
            Ok(text) => self.text(&format!("{}\n", text.trim_end())),
            Err(error) => self.warn(&format!("failed to write the output: {error}")),
        }
    }

    /// Prints what a person should know on stderr.
    pub fn note(&self, message: &str) {
        match self.log {
            LogForm::Text => self.aside(&Paper::from(Line::of(message))),
            LogForm::Json => tracing::info!(target: telemetry::SAID, "{message}"),
        }
    }

    /// Prints what a person should mind on stderr.
    pub fn warn(&self, message: &str) {
        let line = Line::default().with(Style::Changed, "warning: ").plain(message);
        match self.log {
            LogForm::Text => self.aside(&Paper::from(line)),
            LogForm::Json => tracing::warn!(target: telemetry::SAID, "{message}"),
        }
    }

    /// Prints paper on stderr.
    pub fn aside(&self, paper: &Paper) {
        let text = if self.colour_err { paper.to_ansi() } else { paper.to_plain() };
        self.write_aside(&text);
    }

    /// Prints findings about manifests on stderr, and as annotations in GitHub Actions.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        if self.log == LogForm::Json {
            diagnostics.iter().for_each(log_diagnostic);
            return;
        }
        let mut text = if self.colour_err {
            render::diagnostics_as_ansi(diagnostics)
        } else {
            render::diagnostics_as_text(diagnostics)
        };
        if self.step.is_some() {
            text.push_str(&render::github_annotations(diagnostics));
        }
        self.write_aside(&text);
    }

    /// Prints how a run failed: on stderr, or on stdout in the form for programs that was asked for.
    pub fn failure(&self, failure: &Failure) {
        let Failure { exit: _, code, message, hints, request_id, diagnostics } = failure;
        let code = code.as_str();
        // Findings were put beside their lines already; their count needs no line of its own.
        if self.step.is_some() && diagnostics.is_empty() {
            let text = render::github_annotation_of_failure(code, message, hints);
            self.write_aside(&text);
        }
        match self.form {
            OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
                let request_id = request_id.as_deref();
                self.document(&json::error(code, message, hints, request_id, diagnostics));
                return;
            }
            OutputFormat::Text | OutputFormat::Markdown => {}
        }
        if self.log == LogForm::Json {
            let hints = hints.join("; ");
            tracing::error!(target: telemetry::SAID, code, hints, request_id, "{message}");
            return;
        }
        let mut paper = Paper::from(Line::default().with(Style::Blocked, "error: ").plain(message));
        for hint in hints {
            paper.push(Line::default().with(Style::Bold, "hint: ").plain(hint));
        }
        self.aside(&paper);
    }

    /// Adds Markdown to the summary of a step of GitHub Actions, where there is one.
    pub fn summarise(&self, markdown: impl FnOnce() -> String) {
        let Some(step) = &self.step else { return };
        let markdown = markdown();
        if self.hold(|| HeldOutput::Summary(markdown.clone())) {
            return;
        }
        if let Err(error) = step.summarise(&markdown) {
            self.warn(&format!("failed to write the step's summary: {error}"));
        }
    }

    /// Hands values to later steps of GitHub Actions, where there are any.
    pub fn github_outputs(&self, outputs: &[(&'static str, String)]) {
        let Some(step) = &self.step else { return };
        if self.hold(|| HeldOutput::Values(outputs.to_vec())) {
            return;
        }
        if let Err(error) = step.hand_on(outputs) {
            self.warn(&format!("failed to write the step's outputs: {error}"));
        }
    }

    /// Says that data was lost, where it was, and returns the exit code that says so too.
    #[must_use]
    pub fn end(&self, exit: Exit) -> Exit {
        let Some(error) = self.lost.get() else {
            return exit;
        };
        let what = format!("failed to write the output: {error}");
        let line = Line::default().with(Style::Blocked, "error: ").plain(what);
        self.aside(&Paper::from(line));
        match exit {
            Exit::Done | Exit::Pending => Exit::Failed,
            other => other,
        }
    }

    fn write_data(&self, text: &str) {
        if self.is_closed() || self.hold(|| HeldOutput::Data(text.to_owned())) {
            return;
        }
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        if let Err(error) = written {
            self.is_closed.store(true, Ordering::Relaxed);
            if error.kind() != io::ErrorKind::BrokenPipe {
                // Only the first is kept; stdout is not written to after it.
                let _ = self.lost.set(error);
            }
        }
    }

    /// Prints text on stderr that is ours, or comes from a room that made it inert.
    pub fn write_aside(&self, text: &str) {
        if !text.is_empty() && !self.hold(|| HeldOutput::Aside(text.to_owned())) {
            aside(text);
        }
    }
}

/// The fewest columns that are believed.
const COLUMNS_MIN: usize = 20;

/// Returns how many columns there are: as `COLUMNS` says, else as the terminal does.
fn columns(environment: &Environment) -> Option<usize> {
    let said = environment.get("COLUMNS").and_then(|text| text.parse().ok());
    let of_terminal = || {
        let stdout = io::stdout();
        let size = rustix::termios::tcgetwinsize(&stdout).ok();
        size.filter(|_| stdout.is_terminal()).map(|size| usize::from(size.ws_col))
    };
    said.or_else(of_terminal).filter(|columns| *columns >= COLUMNS_MIN)
}

/// Writes a finding into a log that machines read.
fn log_diagnostic(diagnostic: &Diagnostic) {
    let Diagnostic { severity, code, message, origin, snippet: _, hints } = diagnostic;
    let origin = origin.as_ref();
    let (file, line) = (origin.map(|it| it.file.as_str()), origin.map(|it| it.line));
    let (column, hints) = (origin.map(|it| it.column), hints.join("; "));
    match severity {
        Severity::Error => {
            tracing::error!(target: telemetry::SAID, code, file, line, column, hints, "{message}");
        }
        Severity::Warning => {
            tracing::warn!(target: telemetry::SAID, code, file, line, column, hints, "{message}");
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
    telemetry::say(text.as_bytes());
}
