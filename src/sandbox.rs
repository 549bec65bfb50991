//! The sandbox: the emulator behind the client's transport, without a socket.
//!
//! `--sandbox` and the tests use it, so that all of the real client is under them. The only room
//! that knows both sides; the two must not share a mistake, so it translates and nothing else.

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;

use crate::api::{BodyStream, Transport, TransportError};
use crate::clock::Clock;
use crate::emulator::{self, Dropped, Emulator};

/// The address of the emulator, as the client knows it; nothing is ever sent there.
pub const SANDBOX_ENDPOINT: &str = "http://127.0.0.1/v1";

/// An emulator that answers in this process. Clones answer for the same one.
#[derive(Clone, Debug)]
pub struct SandboxTransport(Emulator);

impl SandboxTransport {
    /// Puts the transport before an emulator.
    #[must_use]
    pub const fn new(emulator: Emulator) -> Self {
        Self(emulator)
    }
}

/// Returns the emulator's clock that shows the time of ours.
#[must_use]
pub fn emulator_clock(clock: &Clock) -> emulator::TimeSource {
    let clock = clock.clone();
    std::sync::Arc::new(move || u64::try_from(clock.now().as_millisecond()).unwrap_or(0))
}

impl Transport for SandboxTransport {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        Box::pin(async move {
            let response = self.0.answer(request).await.map_err(translate)?;
            Ok(response.map(|body| body.map(|piece| piece.map_err(translate)).boxed()))
        })
    }
}

fn translate(dropped: Dropped) -> TransportError {
    let reason = dropped.to_string();
    if dropped.sent { TransportError::lost(reason) } else { TransportError::never_left(reason) }
}

#[cfg(test)]
mod tests;
