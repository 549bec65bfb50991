//! The log as lines for people: who sits at a terminal reads when, of what, and what happened.
//!
//! Scripts and collectors have the other forms. Everything is inert here as on any paper (S12).

use std::fmt;
use std::io::Write as _;

use jiff::tz::TimeZone;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::clock::Clock;
use crate::render::{Line, Paper, Style};

/// The project that has no name of its own: naming it tells nothing.
const UNNAMED: &str = "default";

/// What a person does not need on every line: it stands in the events and in `stoker get`.
const LEFT_OUT: [&str; 2] = ["pass", "reason"];

/// Writes events as lines for people.
pub(super) struct People<W> {
    /// Where they go.
    pub out: W,
    /// Whether colour repeats what the words say.
    pub is_coloured: bool,
    /// Tells when.
    pub clock: Clock,
}

/// What a span says of the project it is about.
struct Project(String);

impl<S, W> Layer<S> for People<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut said = Said::default();
        attributes.record(&mut said);
        if let (Some(name), Some(span)) = (said.project, context.span(id)) {
            span.extensions_mut().insert(Project(name));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        for span in context.event_scope(event).into_iter().flatten() {
            let name = span.extensions().get::<Project>().map(|Project(name)| name.clone());
            said.project = said.project.or(name);
        }
        let now = self.clock.now().to_zoned_datetime(TimeZone::system());
        let time = now.strftime("%H:%M:%S").to_string();
        let paper = Paper::from(said.into_line(*event.metadata().level(), &time));
        let text = if self.is_coloured { paper.to_ansi() } else { paper.to_plain() };
        // A log that cannot be written stops nothing.
        let _ = self.out.make_writer().write_all(text.as_bytes());
    }
}

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    key: Option<String>,
    project: Option<String>,
    others: Vec<String>,
}

impl Said {
    fn take(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.message = value,
            "key" => self.key = Some(value),
            "project" => self.project = Some(value),
            name if LEFT_OUT.contains(&name) => {}
            name => self.others.push(format!("{name} {value}")),
        }
    }

    /// `12:03:04  shop  service/api: plan was set back`
    fn into_line(self, level: Level, time: &str) -> Line {
        let Self { message, key, project, others } = self;
        let mut line = Line::default().with(Style::Dim, time).plain("  ");
        line = match level {
            Level::ERROR => line.with(Style::Blocked, "error: "),
            Level::WARN => line.with(Style::Changed, "warning: "),
            _ => line,
        };
        if let Some(project) = project.filter(|project| project != UNNAMED) {
            line = line.with(Style::Bold, project).plain("  ");
        }
        if let Some(key) = key {
            line = line.with(Style::Bold, key).plain(": ");
        }
        line = line.plain(message);
        match others.is_empty() {
            true => line,
            false => line.with(Style::Dim, format!(" ({})", others.join(", "))),
        }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use jiff::Timestamp;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Kept {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    /// Returns the lines that are written, without their times.
    fn lines(say: impl FnOnce()) -> Vec<String> {
        let kept = Kept::default();
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let people = People { out: kept.clone(), is_coloured: false, clock };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(people), say);
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| line[10..].to_owned()).collect()
    }

    #[test]
    fn a_person_reads_of_what_and_what_happened() {
        let told = lines(|| {
            tracing::info_span!("project", project = "default").in_scope(|| {
                let (key, reason, pass) = (Some("service/api"), "DriftRepaired", Some(3_u64));
                tracing::info!(pass, key, reason, message = "plan was set back");
            });
            tracing::info_span!("project", project = "shop").in_scope(|| {
                tracing::warn!(key = None::<String>, "the platform cannot be read");
                let outcome = "Synced";
                tracing::info!(pass = 4, outcome, requests = 7, "a pass ended: all is well");
            });
            tracing::error!(project = "blog", "it continues with its old settings");
        });
        assert_eq!(
            told,
            [
                "service/api: plan was set back",
                "warning: shop  the platform cannot be read",
                "shop  a pass ended: all is well (outcome Synced, requests 7)",
                "error: blog  it continues with its old settings",
            ]
        );
    }

    #[test]
    fn nothing_foreign_begins_a_line_or_moves_the_cursor() {
        let told = lines(|| tracing::info!(why = "x\u{202e}\r\ny", "so\n\u{1b}[2Jand so"));
        assert_eq!(told, ["so\\n[2Jand so (why x\\r\\ny)"]);
    }
}
