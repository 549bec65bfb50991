//! The live log of a service: Server-Sent Events, line by line (A10).
//!
//! It ends when the platform ends it, falls silent or sends something unbounded. Connecting again
//! is the caller's: it costs a request.

use std::time::Duration;

use bytes::Bytes;
use eventsource_stream::{EventStreamError, Eventsource as _};
use futures_util::stream::{self, Stream, StreamExt as _};
use http::header::CONTENT_TYPE;

use super::call::Call;
use super::error::{Cause, Error};
use super::reader::{Reader, unreadable};
use super::route::Route;
use super::transport::{BodyStream, TransportError};
use super::wire::{self, LogLine};
use crate::model::RemoteId;

/// How long a log may be silent, heartbeats included, before its connection is taken for dead.
///
/// A proxy that went away without a word looks like a quiet service. Two minutes of silence cost
/// one request, which is 0.2 % of the budget.
const SILENCE_MAX: Duration = Duration::from_secs(120);

/// The largest event that is read: some lines of 64 KiB. An event is buffered until it ends.
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
        let doing = format!("follow the log of service {id}");
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
    let events = watched(body).eventsource().boxed();
    stream::unfold(Some((events, doing)), |reading| async {
        let (mut events, doing) = reading?;
        match events.next().await? {
            Ok(event) => Some((Ok(wire::read_log_line(&event.data)), Some((events, doing)))),
            // The error is the last item: what comes after a broken event means nothing.
            Err(error) => Some((Err(Error::new(doing, cause(error))), None)),
        }
    })
}

fn cause(error: EventStreamError<TransportError>) -> Cause {
    match error {
        EventStreamError::Transport(error) => Cause::Transport(error),
        EventStreamError::Utf8(_) | EventStreamError::Parser(_) => Cause::Unreadable {
            reason: "it is no stream of events in UTF-8".to_owned(),
            request_id: None,
        },
    }
}

/// Breaks off when nothing comes, be it a heartbeat, and when an event grows beyond its limit: the
/// parser behind it shows no heartbeats and keeps all of an event.
fn watched(body: BodyStream) -> impl Stream<Item = Result<Bytes, TransportError>> + Send {
    stream::unfold((body, OpenEvent::default()), |(mut body, mut open)| async {
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
#[derive(Default)]
struct OpenEvent {
    bytes: usize,
    line_is_empty: bool,
}

impl OpenEvent {
    fn take(&mut self, piece: Bytes) -> Result<Bytes, TransportError> {
        self.grow(&piece);
        if self.bytes > EVENT_BYTES_MAX {
            let reason = format!("an event of the log is larger than {EVENT_BYTES_MAX} bytes");
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
