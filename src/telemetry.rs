//! The log: set up once, on stderr only, because stdout is for data.
//!
//! `error` means someone must act, `warn` that we coped, `info` that a run did something, `debug`
//! that it did not. Control characters in values are escaped, line ends too: names and API errors are
//! foreign text, and none may begin a line that looks like ours (S12).

mod people;
mod queue;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::clock::Clock;
use crate::model::break_marks;

use people::People;
use queue::LogQueue;

/// The target of what a command says to people, where that is part of the log: shown at any level.
pub const SAID: &str = "stoker::said";

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for the person who watches.
    Watched {
        /// Whether it is coloured.
        is_coloured: bool,
    },
    /// One line with its fields, without colour.
    Plain,
    /// One line with its fields, with colour.
    Coloured,
    /// One JSON document a line.
    Json,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Only what the command itself says.
    Said,
    /// What a person must see.
    Warnings,
    /// What an agent did.
    Info,
    /// What each request did.
    Debug,
    /// Everything of ours, and what the libraries say at debug.
    Trace,
}

/// Who waits when standard error takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backpressure {
    /// Who says something: what a person reads comes in order, prompts and progress between it.
    Direct,
    /// Nobody: what lives for months goes on, whatever becomes of the reader of its log.
    Queued,
}

/// The lines that wait for a reader, where nobody waits for him.
static QUEUE: OnceLock<Arc<LogQueue>> = OnceLock::new();

/// How much waits for a reader who is stuck: hours of an ordinary agent, minutes of one that logs
/// its every request.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long the end waits for the reader: an orderly end has ten seconds in all (L3).
const END_TIME_MAX: Duration = Duration::from_secs(2);

/// Starts the log. A second start is ignored: a process has one log, and tests start many runs.
pub fn start(level: LogLevel, form: LogFormat, delivery: Backpressure) {
    if delivery == Backpressure::Queued {
        queue_up();
    }
    let log = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(|| Lines)
        .with_timer(SystemTime);
    let shown = level.targets();
    // An error says that a log stands already, which is what we want.
    let _ = match form {
        LogFormat::Watched { is_coloured } => {
            let people = People { out: || Lines, is_coloured, clock: Clock::system() };
            tracing_subscriber::registry().with(people).with(shown).try_init()
        }
        LogFormat::Plain => log.with_ansi(false).finish().with(shown).try_init(),
        LogFormat::Coloured => log.with_ansi(true).finish().with(shown).try_init(),
        LogFormat::Json => log.json().finish().with(shown).try_init(),
    };
}

/// Lets a thread of its own write to standard error. Without one it is written to as ever.
fn queue_up() {
    let tell = |lost: u64| tracing::warn!(lost, "lines of the log were lost: nobody took them");
    if let Ok(queue) = LogQueue::begin(WAITING_BYTES_MAX, io::stderr(), tell) {
        // One that stands already goes on.
        let _ = QUEUE.set(queue);
        // A defect is caught where a project is kept, and the library's own message would wait.
        panic::set_hook(Box::new(|defect| {
            let trace = Backtrace::capture();
            match trace.status() {
                BacktraceStatus::Captured => tracing::error!(%trace, "{defect}"),
                _ => tracing::error!("{defect}"),
            }
        }));
    }
}

/// Says something on standard error, in its order among the lines of the log.
pub fn say(text: &[u8]) {
    match QUEUE.get() {
        Some(queue) => queue.push(text.to_vec()),
        // Nobody reads it any more: there is nobody to tell.
        None => drop(io::stderr().lock().write_all(text)),
    }
}

/// Waits for a moment until all that was said is written, before the process ends.
pub fn finish() {
    if let Some(queue) = QUEUE.get() {
        queue.drain(END_TIME_MAX);
    }
}

impl LogLevel {
    /// Returns what is shown of whom.
    fn targets(self) -> Targets {
        let (ours, others) = match self {
            Self::Said => (LevelFilter::OFF, LevelFilter::OFF),
            Self::Warnings => (LevelFilter::WARN, LevelFilter::OFF),
            Self::Info => (LevelFilter::INFO, LevelFilter::OFF),
            Self::Debug => (LevelFilter::DEBUG, LevelFilter::OFF),
            Self::Trace => (LevelFilter::TRACE, LevelFilter::DEBUG),
        };
        let targets = Targets::new().with_default(others).with_target("stoker", ours);
        targets.with_target(SAID, ours.max(LevelFilter::INFO))
    }
}

/// Standard error, one line for each write: the log hands over each event whole.
struct Lines;

impl Write for Lines {
    // A log that cannot be written (its reader is gone, its disk is full) stops nothing. An error would
    // be told on stderr by the library, which ends the thread when that fails in turn.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        say(&one_line(event));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns an event as one line: what would end a line within it is escaped, and what a build server
/// would take for a command. JSON reads both back; of a text without form people do.
fn one_line(event: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(event.strip_suffix(b"\n").unwrap_or(event));
    let line = text.replace('\n', "\\n").replace('\r', "\\r");
    (break_marks(&line, "\\u0023").into_owned() + "\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_foreign_line_end_begins_no_line_of_the_log() {
        let event = b"INFO suspended: so\r\nERROR all is lost\n";
        assert_eq!(one_line(event), b"INFO suspended: so\\r\\nERROR all is lost\n");
        assert_eq!(one_line(b"INFO looked\n"), b"INFO looked\n");
        assert_eq!(one_line(b"INFO ##[error]x\n"), b"INFO #\\u0023[error]x\n");
    }
}
