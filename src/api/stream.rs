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
        let response = self
            .client
            .open(&Call::get(doing.as_str(), Route::Logs(id)))
            .await?;
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if !content_type.starts_with("text/event-stream") {
            return Err(unreadable(&doing, "it is no stream of events"));
        }
        Ok(lines(response.into_body(), doing))
    }
}

fn lines(body: BodyStream, doing: String) -> impl Stream<Item = Result<LogLine, Error>> + Send {
    let events = bounded(body).eventsource();
    let fail = move |cause: Cause| Some((Err(Error::new(doing.as_str(), cause)), None));
    stream::unfold(Some(Box::pin(events)), move |events| {
        let fail = fail.clone();
        async move {
            let mut events = events?;
            match tokio::time::timeout(SILENCE_MAX, events.next()).await {
                Err(_) => fail(Cause::TimedOut(SILENCE_MAX)),
                Ok(None) => None,
                Ok(Some(Ok(event))) => Some((Ok(wire::read_log_line(&event.data)), Some(events))),
                Ok(Some(Err(EventStreamError::Transport(error)))) => fail(Cause::Transport(error)),
                Ok(Some(Err(EventStreamError::Utf8(_) | EventStreamError::Parser(_)))) => {
                    let reason = "it is no stream of events in UTF-8".to_owned();
                    fail(Cause::Unreadable {
                        reason,
                        request_id: None,
                    })
                }
            }
        }
    })
}

/// Breaks off when an event grows beyond its limit: the parser behind it keeps all of one.
fn bounded(body: BodyStream) -> impl Stream<Item = Result<Bytes, TransportError>> + Send {
    let mut open = OpenEvent::default();
    body.map(move |piece| {
        let piece = piece?;
        open.grow(&piece);
        if open.bytes > EVENT_BYTES_MAX {
            let reason = format!("an event of the log is larger than {EVENT_BYTES_MAX} bytes");
            return Err(TransportError::lost(reason));
        }
        Ok(piece)
    })
}

/// How large the event is that has not ended yet. An empty line ends one.
#[derive(Default)]
struct OpenEvent {
    bytes: usize,
    line_is_empty: bool,
}

impl OpenEvent {
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
