//! `stoker logs`: the live log of a service. With `-f` it connects again when the stream breaks.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::{Error, ErrorKind, LogLine, LogPlace};
use crate::model::RemoteId;
use crate::render::{Line, Paper, Style, json};

use super::arguments::{LogsCommand, OutputFormat};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::find;
use super::session::{Purpose, Session};

/// How long the log may be silent before it has shown what there was.
const QUIET: Duration = Duration::from_millis(700);

/// How long a log that never falls silent is shown without `-f`.
const GLANCE_MAX: Duration = Duration::from_secs(4);

/// The most lines that are shown without `-f`: they are held until the end for some forms.
const GLANCE_LINES_MAX: usize = 10_000;

/// The first and the longest pause before connecting again; each costs a request of 300 a minute.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_LAST: Duration = Duration::from_secs(30);

/// How long the platform may ask to be left alone.
const PAUSE_TOLD_MAX: Duration = Duration::from_secs(60);

/// A connection that stood for so long was good, whether or not a line came.
const GOOD_FOR: Duration = Duration::from_secs(10);

/// How many lines are known again after a reconnection: a platform sends its latest lines first.
const RECENT_MAX: usize = 1_000;

/// Shows the log.
pub async fn run(context: &Context, command: &LogsCommand) -> Result<Exit, Failure> {
    let LogsCommand { key, follow, connection } = command;
    find::service(key, "logs")?;
    let session = Session::open_urgent(context, connection, Purpose::Read)?;
    let service = find::to_read(context, &session.reader, key).await?;
    if !*follow {
        return glance(context, &session, &service.id).await;
    }
    let Some(deadline) = session.deadline else {
        return follow_on(context, &session, &service.id).await;
    };
    tokio::select! {
        ended = follow_on(context, &session, &service.id) => ended,
        () = session.project.clock.sleep_until(deadline) => Ok(Exit::OverBudget),
    }
}

/// Shows what comes until it is quiet, or the time is up.
async fn glance(context: &Context, session: &Session, id: &RemoteId) -> Result<Exit, Failure> {
    let mut stream = Box::pin(session.reader.logs(id, &LogPlace::default()).await?);
    let mut lines = Vec::new();
    let reading = async {
        while let Ok(Some(line)) = tokio::time::timeout(QUIET, stream.next()).await {
            lines.push(line?);
            if lines.len() >= GLANCE_LINES_MAX {
                break;
            }
        }
        Ok::<(), Error>(())
    };
    let latest = session.project.clock.now().checked_add(GLANCE_MAX).unwrap_or(Timestamp::MAX);
    let deadline = session.deadline.filter(|deadline| *deadline < latest);
    let (read, exit) = tokio::select! {
        read = reading => (read, Exit::Done),
        // That is no failure: the service just talks without a pause.
        () = session.project.clock.sleep_until(latest), if deadline.is_none() => (Ok(()), Exit::Done),
        () = session.project.clock.sleep_until(deadline.unwrap_or(latest)) => (Ok(()), Exit::OverBudget),
    };
    if let (Err(error), true) = (read, lines.is_empty()) {
        return Err(error.into());
    }
    match context.output.form() {
        OutputFormat::Json | OutputFormat::Yaml => {
            let lines = lines.iter().map(LogRow::from).collect();
            context.output.document(&LogDocument { lines });
        }
        OutputFormat::Text | OutputFormat::Markdown | OutputFormat::Ndjson => {
            lines.iter().for_each(|line| print(context, line));
        }
    }
    Ok(exit)
}

/// Follows until nobody reads any more, or the log can no longer be read.
async fn follow_on(context: &Context, session: &Session, id: &RemoteId) -> Result<Exit, Failure> {
    let mut recent = Recent::default();
    let place = LogPlace::default();
    let mut pause = PAUSE_FIRST;
    let mut was_open = false;
    loop {
        match session.reader.logs(id, &place).await {
            Ok(stream) => {
                was_open = true;
                let good_at =
                    session.project.clock.now().checked_add(GOOD_FOR).unwrap_or(Timestamp::MAX);
                let mut stream = Box::pin(stream);
                while let Some(Ok(line)) = stream.next().await {
                    pause = PAUSE_FIRST;
                    if recent.is_new(&line) {
                        print(context, &line);
                    }
                    if context.output.is_closed() {
                        return Ok(Exit::Done);
                    }
                }
                if session.project.clock.now() >= good_at {
                    pause = PAUSE_FIRST;
                }
            }
            Err(error) if is_final(&error, was_open) => return Err(error.into()),
            Err(error) => context.output.warn(&format!("failed to {error}")),
        }
        if place.is_over() {
            return Ok(Exit::Done);
        }
        let told = place.pause().unwrap_or_default().min(PAUSE_TOLD_MAX);
        let wait = pause.max(told);
        tracing::debug!(?wait, "the log stream broke; reconnecting");
        let clock = &session.project.clock;
        let until = clock.now().checked_add(wait).unwrap_or(clock.now());
        clock.sleep_until(until).await;
        pause = (pause * 2).min(PAUSE_LAST);
    }
}

/// Whether connecting again would be refused again. Where the log was open before, what is not the
/// API's own word is a proxy's while the other side starts again.
fn is_final(error: &Error, was_open: bool) -> bool {
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::Busy => false,
        ErrorKind::Refused | ErrorKind::NotTheApi | ErrorKind::Unreadable => !was_open,
        ErrorKind::Authentication
        | ErrorKind::Permission
        | ErrorKind::NotFound
        | ErrorKind::OverBudget
        | ErrorKind::Local => true,
    }
}

/// The latest lines, so that a reconnection does not show them twice.
#[derive(Default)]
struct Recent(VecDeque<LogLine>);

impl Recent {
    /// Takes a line in; says whether it was not there. Without a time a line may well repeat.
    fn is_new(&mut self, line: &LogLine) -> bool {
        if line.timestamp.is_none() {
            return true;
        }
        if self.0.contains(line) {
            return false;
        }
        if self.0.len() >= RECENT_MAX {
            self.0.pop_front();
        }
        self.0.push_back(line.clone());
        true
    }
}

fn print(context: &Context, line: &LogLine) {
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => {
            let mut paper = Paper::new();
            paper.push(as_line(line));
            context.output.verbatim(&paper);
        }
        // A stream: one document a line, and in YAML one item of a list that goes on growing.
        OutputFormat::Json | OutputFormat::Ndjson => {
            context.output.text(&json::line(&LogRow::from(line)))
        }
        OutputFormat::Yaml => context.output.value(&[LogRow::from(line)]),
    }
}

fn as_line(line: &LogLine) -> Line {
    let LogLine { timestamp, level, instance, message } = line;
    let mut shown = Line::default();
    for part in [timestamp, instance].into_iter().flatten() {
        shown = shown.with(Style::Dim, part).plain(" ");
    }
    if let Some(level) = level {
        shown = shown.with(level_style(level), level.to_uppercase()).plain(" ");
    }
    shown.plain(message)
}

fn level_style(level: &str) -> Style {
    match level.to_ascii_lowercase().as_str() {
        "error" | "err" | "fatal" | "critical" | "panic" => Style::Blocked,
        "warn" | "warning" => Style::Changed,
        "debug" | "trace" => Style::Dim,
        _ => Style::Plain,
    }
}

/// What a service wrote lately.
#[derive(Serialize, JsonSchema)]
pub struct LogDocument {
    /// Line by line, oldest first.
    lines: Vec<LogRow>,
}

/// One line of a log. What the platform does not tell is `null`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LogLine")]
struct LogRow {
    /// When, as the platform writes it.
    timestamp: Option<String>,
    /// How bad, as the platform writes it.
    level: Option<String>,
    /// Which instance.
    instance: Option<String>,
    /// What it says. Foreign text.
    message: String,
}

impl From<&LogLine> for LogRow {
    fn from(line: &LogLine) -> Self {
        let LogLine { timestamp, level, instance, message } = line.clone();
        Self { timestamp, level, instance, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_sent_again_after_a_break_is_shown_once_and_an_untimed_one_each_time() {
        let line = |time: Option<&str>| LogLine {
            timestamp: time.map(str::to_owned),
            message: "up".to_owned(),
            ..LogLine::default()
        };
        let mut recent = Recent::default();
        let seen =
            [Some("t1"), Some("t2"), Some("t1"), None, None].map(|t| recent.is_new(&line(t)));
        assert_eq!(seen, [true, true, false, true, true]);
    }
}
