//! Server-Sent Events: the live log of a service, line by line (A10), and whatever else streams.
//!
//! A stream ends when the other side ends it, falls silent or sends something unbounded. Connecting again
//! is the caller's: it costs a request.

use std::time::Duration;

use bytes::Bytes;
use eventsource_stream::{Event, EventStreamError, Eventsource as _};
use futures_util::stream::{self, Stream, StreamExt as _};
use http::header::CONTENT_TYPE;

use super::call::Call;
use super::error::{Cause, Error};
use super::reader::{Reader, unreadable};
use super::route::Route;
use super::transport::{BodyStream, TransportError};
use super::wire::{self, LogLine};
use crate::model::{Kind, RemoteId};

/// How long a log may be silent, heartbeats included, before its connection is taken for dead.
///
/// A proxy that went away without a word looks like a quiet service. Two minutes of silence cost
/// one request, which is 0.2 % of the budget.
const SILENCE_MAX: Duration = Duration::from_secs(120);

/// The largest event of a log that is read: some lines of 64 KiB. An event is buffered until it ends.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

impl Reader {
    /// Follows the log of a service.
    ///
    /// # Errors
    /// When the stream cannot be opened; later, as its last item, when it breaks.
    pub async fn logs(
        &self,
        id: &RemoteId,
    ) -> Result<impl Stream<Item = Result<LogLine, Error>> + Send + use<>, Error> {
        let doing = format!("follow the log of {}", self.client.known().name_of(Kind::Service, id));
        let response = self.client.open(&Call::get(doing.as_str(), Route::Logs(id))).await?;
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !content_type.starts_with("text/event-stream") {
            return Err(unreadable(&doing, "it is no stream of events"));
        }
        Ok(lines(response.into_body(), doing))
    }
}

fn lines(body: BodyStream, doing: String) -> impl Stream<Item = Result<LogLine, Error>> + Send {
    read_events(body, EVENT_BYTES_MAX).map(move |event| match event {
        Ok(event) => Ok(wire::read_log_line(&event.data)),
        Err(error) => Err(Error::new(doing.clone(), cause(error))),
    })
}

fn cause(error: EventsError) -> Cause {
    match error {
        EventsError::Transport(error) => Cause::Transport(error),
        EventsError::NotEvents => Cause::Unreadable { reason: error.to_string(), request_id: None },
    }
}

/// Why a stream of events ended before its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventsError {
    /// It broke, fell silent, or grew beyond its limit.
    #[error("{0}")]
    Transport(TransportError),
    /// It is something else.
    #[error("it is no stream of events in UTF-8")]
    NotEvents,
}

/// One Server-Sent Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerEvent {
    /// What kind it is; `message` where nothing is said.
    pub name: String,
    /// What it says.
    pub data: String,
}

/// Reads Server-Sent Events, each at most so many bytes, and none after a long silence.
///
/// An error is the last item: what comes after a broken event means nothing.
pub fn read_events(
    body: BodyStream,
    event_bytes_max: usize,
) -> impl Stream<Item = Result<ServerEvent, EventsError>> + Send {
    let events = watched(body, event_bytes_max).eventsource().boxed();
    stream::unfold(Some(events), |events| async {
        let mut events = events?;
        match events.next().await? {
            Ok(Event { event: name, data, .. }) => {
                Some((Ok(ServerEvent { name, data }), Some(events)))
            }
            Err(EventStreamError::Transport(error)) => {
                Some((Err(EventsError::Transport(error)), None))
            }
            Err(EventStreamError::Utf8(_) | EventStreamError::Parser(_)) => {
                Some((Err(EventsError::NotEvents), None))
            }
        }
    })
}

/// Breaks off when nothing comes, be it a heartbeat, and when an event grows beyond its limit: the
/// parser behind it shows no heartbeats and keeps all of an event.
fn watched(
    body: BodyStream,
    event_bytes_max: usize,
) -> impl Stream<Item = Result<Bytes, TransportError>> + Send {
    let open = OpenEvent { bytes: 0, bytes_max: event_bytes_max, line_is_empty: false };
    stream::unfold((body, open), |(mut body, mut open)| async {
        let piece = match tokio::time::timeout(SILENCE_MAX, body.next()).await {
            Err(_) => {
                let reason = format!("nothing came for {} s", SILENCE_MAX.as_secs());
                Err(TransportError::lost(reason))
            }
            Ok(piece) => piece?,
        };
        let piece = piece.and_then(|piece| open.take(piece));
        Some((piece, (body, open)))
    })
}

/// How large the event is that has not ended yet. An empty line ends one.
struct OpenEvent {
    bytes: usize,
    bytes_max: usize,
    line_is_empty: bool,
}

impl OpenEvent {
    fn take(&mut self, piece: Bytes) -> Result<Bytes, TransportError> {
        self.grow(&piece);
        if self.bytes > self.bytes_max {
            let reason = format!("an event is larger than {} bytes", self.bytes_max);
            return Err(TransportError::lost(reason));
        }
        Ok(piece)
    }

    fn grow(&mut self, piece: &[u8]) {
        for byte in piece {
            self.bytes += 1;
            match byte {
                b'\n' if self.line_is_empty => self.bytes = 0,
                b'\n' => self.line_is_empty = true,
                b'\r' => {}
                _ => self.line_is_empty = false,
            }
        }
    }
}
