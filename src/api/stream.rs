//! Server-Sent Events: the live log of a service, line by line (A10), and whatever else streams.
//!
//! A stream ends when the other side ends it or falls silent. What is too long is cut, and ends nothing.
//! Connecting again is the caller's: it costs a request.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt as _};
use http::StatusCode;

use super::call::Call;
use super::error::{Cause, Error};
use super::events::{EventReader, ServerEvent, StreamPosition, is_event_stream};
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

/// The most of one event of a log that is read: some lines of 64 KiB.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// Where the reading of a log is: whoever connects again goes on there. Clones share the place.
#[derive(Clone, Debug, Default)]
pub struct LogPlace(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    place: StreamPosition,
    is_over: bool,
}

impl LogPlace {
    /// Returns how long the other side wants to be left alone before the next connection.
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        self.with(|shared| shared.place.pause)
    }

    /// Whether the other side has said that nothing will come any more (204).
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.with(|shared| shared.is_over)
    }

    fn with<T>(&self, job: impl FnOnce(&mut Shared) -> T) -> T {
        // A place is whole after every statement.
        job(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Reader {
    /// Follows the log of a service from a place on.
    ///
    /// # Errors
    /// When the stream cannot be opened; later, as its last item, when it breaks.
    pub async fn logs(
        &self,
        id: &RemoteId,
        place: &LogPlace,
    ) -> Result<impl Stream<Item = Result<LogLine, Error>> + Send + use<>, Error> {
        let doing = format!("follow the log of {}", self.client.known().name_of(Kind::Service, id));
        let last_id = place.with(|shared| shared.place.last_id.clone());
        let call = Call { last_id, ..Call::get(doing.as_str(), Route::Logs(id)) };
        let response = self.client.open(&call).await?;
        if response.status() == StatusCode::NO_CONTENT {
            place.with(|shared| shared.is_over = true);
        } else if !is_event_stream(response.headers()) {
            return Err(unreadable(&doing, "it is not an event stream"));
        }
        Ok(lines(response.into_body(), place.clone(), doing))
    }
}

fn lines(
    body: BodyStream,
    place: LogPlace,
    doing: String,
) -> impl Stream<Item = Result<LogLine, Error>> + Send {
    let begun = place.with(|shared| shared.place.clone());
    events_from(begun, body, EVENT_BYTES_MAX, move |reached| {
        place.with(|shared| shared.place.clone_from(reached));
    })
    .map(move |event| match event {
        Ok(event) => Ok(wire::read_log_line(&event.data)),
        Err(error) => Err(Error::new(doing.clone(), Cause::Transport(error))),
    })
}

/// Reads Server-Sent Events, of each at most so many bytes, and none after a long silence.
///
/// An error is the last item: then the connection is gone.
pub fn read_events(
    body: BodyStream,
    event_bytes_max: usize,
) -> impl Stream<Item = Result<ServerEvent, TransportError>> + Send {
    events_from(StreamPosition::default(), body, event_bytes_max, |_| {})
}

/// The same from a place on; `reached` hears of each place.
fn events_from(
    begun: StreamPosition,
    body: BodyStream,
    event_bytes_max: usize,
    mut reached: impl FnMut(&StreamPosition) + Send,
) -> impl Stream<Item = Result<ServerEvent, TransportError>> + Send {
    let mut reader = EventReader::new(event_bytes_max, begun);
    watched(body).flat_map(move |piece| {
        let events = match piece {
            Ok(piece) => reader.take(&piece).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        reached(reader.place());
        stream::iter(events)
    })
}

/// Breaks off when nothing comes, be it a heartbeat, and after the first error.
fn watched(body: BodyStream) -> impl Stream<Item = Result<bytes::Bytes, TransportError>> + Send {
    stream::unfold(Some(body), |body| async {
        let mut body = body?;
        match tokio::time::timeout(SILENCE_MAX, body.next()).await {
            Ok(Some(Ok(piece))) => Some((Ok(piece), Some(body))),
            Ok(Some(Err(error))) => Some((Err(error), None)),
            Ok(None) => None,
            Err(_) => {
                let reason = format!("nothing arrived for {} s", SILENCE_MAX.as_secs());
                Some((Err(TransportError::lost(reason)), None))
            }
        }
    })
}
