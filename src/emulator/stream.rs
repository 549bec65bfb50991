//! Log streams (A10): what an event is and what the next one says.
//!
//! Pure: when events are sent is decided in `http`.

use serde_json::json;

use super::calendar::iso;
use super::choice::LogEvents;

/// The shortest time between two events of a followed log: a log is not a load test.
pub(crate) const INTERVAL_MIN_MS: u64 = 50;

/// The most events after which a followed log ends: nobody reads further, and a forgotten
/// connection must not last forever.
pub(crate) const EVENTS_MAX: u64 = 100_000;

/// A log that is about to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LogStream {
    pub(crate) form: LogEvents,
    pub(crate) past: Vec<LogEvent>,
    /// Who writes the lines to come.
    pub(crate) instance: String,
    /// The time between them; without, the stream ends with the past.
    pub(crate) interval_ms: Option<u64>,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LogEvent {
    pub(crate) at: u64,
    pub(crate) instance: String,
    pub(crate) message: String,
}

impl LogStream {
    /// Writes what is already there.
    pub(crate) fn past(&self) -> String {
        self.past.iter().map(|event| self.write(event)).collect()
    }

    /// Writes the event with a number, counted from 0.
    pub(crate) fn next(&self, number: u64, at: u64) -> String {
        let message = format!("GET /health 200 request={number}");
        self.write(&LogEvent { at, instance: self.instance.clone(), message })
    }

    fn write(&self, event: &LogEvent) -> String {
        let LogEvent { at, instance, message } = event;
        match self.form {
            LogEvents::Json => {
                let level = if message.starts_with("error") { "error" } else { "info" };
                let data = json!({
                    "timestamp": iso(*at),
                    "level": level,
                    "instance": instance,
                    "message": message,
                });
                format!("data: {data}\n\n")
            }
            LogEvents::Plain => {
                let lines = message.lines().map(|line| format!("data: {line}\n"));
                format!("{}\n", lines.collect::<String>())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: LogEvents, message: &str, expected: &str) {
        let past = vec![LogEvent { at: 0, instance: "build".into(), message: message.into() }];
        let stream = LogStream { form, past, instance: "svc-0".into(), interval_ms: None };
        assert_eq!(stream.past(), expected);
    }

    #[test]
    fn an_event_is_json_or_text_and_never_breaks_the_stream() {
        check(
            LogEvents::Json,
            "error: a\nb",
            "data: {\"timestamp\":\"1970-01-01T00:00:00Z\",\"level\":\"error\",\
             \"instance\":\"build\",\"message\":\"error: a\\nb\"}\n\n",
        );
        check(LogEvents::Plain, "error: a\nb", "data: error: a\ndata: b\n\n");
    }
}
