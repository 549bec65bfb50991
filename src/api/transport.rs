//! The one seam of the client: a request goes in, an answer with a streamed body comes out.
//!
//! Object-safe and over `http` types only, so that a test, the sandbox or another HTTP library can
//! stand here. It deliberately does not know tokens, limits, retries or what an answer means.

use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

/// The body of an answer, piece by piece, so that the reader can stop when it has had enough.
pub type BodyStream = BoxStream<'static, Result<Bytes, TransportError>>;

/// Marks a read that a write follows at once: both leave on one connection, so that the write need
/// not wait for another (S10).
#[derive(Clone, Copy, Debug)]
pub struct BeforeWrite;

/// Carries one request to the API and its answer back.
///
/// *Assumes* nothing of the caller. *Guarantees expected of an implementation*: it sends a request
/// at most once, follows no redirect, and never prints a body or the `Authorization` header.
pub trait Transport: Send + Sync {
    /// Sends one request; returns when the head of the answer is there.
    ///
    /// # Errors
    /// When there is no answer; the error says whether the request may have arrived.
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>>;
}

/// What rustls says of every certificate that it does not accept. A test over TLS holds the word.
const DISTRUST: &str = "invalid peer certificate";

/// What helps then.
pub(super) const DISTRUST_HINT: &str = "this machine does not accept the certificate; `--ca-file \
    FILE` (STOKER_CA_FILE) names the authority that issued it";

/// How far a request came that has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nobody looked at it: no address, no connection, no TLS session, or a stream of HTTP/2 that the
    /// other side refused. It did not happen.
    NeverLeft,
    /// It left, or may have: a write may have happened.
    Lost,
}

/// Why there is no answer, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// How far the request came.
    pub reach: Reach,
    /// What went wrong, a lower-case fragment without a full stop.
    pub reason: String,
}

impl TransportError {
    /// Makes the error of a request that never left.
    #[must_use]
    pub fn never_left(reason: impl Into<String>) -> Self {
        Self { reach: Reach::NeverLeft, reason: reason.into() }
    }

    /// Makes the error of a request whose answer is lost.
    #[must_use]
    pub fn lost(reason: impl Into<String>) -> Self {
        Self { reach: Reach::Lost, reason: reason.into() }
    }

    /// Whether the certificate of the other side was not accepted: it will be the same one later.
    #[must_use]
    pub fn is_distrust(&self) -> bool {
        self.reach == Reach::NeverLeft && self.reason.contains(DISTRUST)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reach: _, reason } = self;
        formatter.write_str(reason)
    }
}

impl std::error::Error for TransportError {}
