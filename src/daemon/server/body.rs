//! Reading a body within its limits: bytes before and while reading, time, and how many large ones
//! at once.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode, header};
use tokio::time::timeout;

use super::answer::HttpFailure;
use super::shared::{BODY_BYTES_FREE, ServerState};

/// How long a body may take from its first byte to its last. Senders of webhooks give up after
/// ten seconds themselves, and their bodies come in one piece.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// Reads a body of so many bytes at most.
///
/// # Errors
/// 413 when it says it is larger, before a byte is read, or turns out to be; 408 when it is slow;
/// 400 when it breaks off; 503 when it is large and too many of those are being read.
pub(super) async fn read(
    shared: &ServerState,
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<Bytes, HttpFailure> {
    if announced(headers).is_some_and(|length| length > bytes_max as u64) {
        return Err(too_large(bytes_max));
    }
    let slow = |_| {
        let message = "the body took longer than ten seconds";
        HttpFailure::new(StatusCode::REQUEST_TIMEOUT, "slow", message)
    };
    timeout(BODY_TIME_MAX, collect(shared, body, bytes_max)).await.map_err(slow)?
}

/// Returns the length the sender announces. What is no number is left to the HTTP layer, which
/// refuses it; a body without a length is measured while it is read.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn collect(shared: &ServerState, body: Body, bytes_max: usize) -> Result<Bytes, HttpFailure> {
    let mut stream = body.into_data_stream();
    let mut read = BytesMut::new();
    // Taken with the first byte that needs it, not with what a sender announces.
    let mut place = None;
    while let Some(chunk) = stream.next().await {
        let broken =
            |_| HttpFailure::new(StatusCode::BAD_REQUEST, "broken_body", "the body ended early");
        let chunk = chunk.map_err(broken)?;
        if read.len() + chunk.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        if read.len() + chunk.len() > BODY_BYTES_FREE && place.is_none() {
            let busy = |_| HttpFailure::busy("too many large requests are being read");
            place = Some(shared.bodies.try_acquire().map_err(busy)?);
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read.freeze())
}

fn too_large(bytes_max: usize) -> HttpFailure {
    let message = format!("the body is larger than {bytes_max} bytes");
    HttpFailure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}
