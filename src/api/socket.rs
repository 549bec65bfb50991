//! The transport over a real socket: reqwest with rustls, or a socket in the file system.
//!
//! It deliberately follows no redirect, retries nothing on its own and keeps no cookies. The time
//! limit of a whole request is the client's, which knows which requests are meant to last.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::connections::Connections;
use super::transport::{BeforeWrite, BodyStream, Transport, TransportError};
use crate::model::names_loopback;

/// How long an address lookup, a connection and its TLS session may take together.
///
/// A handshake takes three round trips; ten seconds is a bad satellite link with losses.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// How long nothing may arrive on a connection that is being read.
///
/// A little more than the client's own limit on a silent log stream, which should speak first;
/// this one only catches what the client does not time.
const SILENCE_MAX: Duration = Duration::from_secs(150);

/// How `stoker` names itself to the API.
const USER_AGENT: &str = concat!("stoker/", env!("CARGO_PKG_VERSION"));

/// The transport over a real socket.
///
/// What goes to this machine goes there by itself, whatever the environment says of proxies: over
/// plain http a proxy would be given the token in the clear (S5).
pub struct HttpTransport {
    connections: Connections,
    /// Those that ask no proxy, where the others may.
    direct: Option<Connections>,
}

/// Why the transport cannot be built, a fragment that completes "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum HttpSetupError {
    /// The file of certificates cannot be read.
    #[error("read the certificates in {}: {reason}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS or the proxy settings of the system cannot be used.
    #[error("set up the HTTP client: {0}")]
    Client(String),
}

impl HttpTransport {
    /// Builds the transport; `ca_file` holds further certificates to trust, in PEM.
    ///
    /// # Errors
    /// When the file cannot be read or the system's TLS settings cannot be used.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, HttpSetupError> {
        let certificates = ca_file.map(certificates).transpose()?.unwrap_or_default();
        let trusting = move || careful().tls_certs_merge(certificates.clone());
        let direct = trusting.clone();
        Self::of(trusting, Some(Connections::new(move || direct().no_proxy())))
    }

    /// Builds a transport through a socket in the file system, whatever host a request names.
    ///
    /// # Errors
    /// When the system's TLS settings cannot be used.
    pub fn over_socket(path: &Path) -> Result<Self, HttpSetupError> {
        let path = path.to_owned();
        Self::of(move || careful().no_proxy().unix_socket(path.as_path()), None)
    }

    fn of(
        builder: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static,
        direct: Option<Connections>,
    ) -> Result<Self, HttpSetupError> {
        // What is wrong with the settings is told now and not with the first request.
        let connections = Connections::new(builder);
        connections.carrier(true).map_err(|error| HttpSetupError::Client(chain(&error)))?;
        Ok(Self { connections, direct })
    }

    /// Builds a transport that speaks HTTP/2 without TLS.
    #[cfg(test)]
    pub(super) fn over_http2() -> Self {
        let builder = || careful().no_proxy().http2_prior_knowledge();
        Self::of(builder, None).expect("it needs no settings")
    }

    /// Returns the connections that may lead to an address.
    fn connections_to(&self, url: &reqwest::Url) -> &Connections {
        let is_here = url.host_str().is_some_and(names_loopback);
        self.direct.as_ref().filter(|_| is_here).unwrap_or(&self.connections)
    }
}

/// What every connection has in common: nothing happens that was not asked for.
fn careful() -> reqwest::ClientBuilder {
    // A second installation fails because there is one already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        // Refused streams of HTTP/2 would be sent again without asking the budget.
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT_TIME_MAX)
        .read_timeout(SILENCE_MAX)
        .tcp_nodelay(true)
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, HttpSetupError> {
    let fail = |reason: String| HttpSetupError::Certificates { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| fail(chain(&error)))?;
    if found.is_empty() {
        return Err(fail("it holds no certificate in PEM form".to_owned()));
    }
    Ok(found)
}

impl Transport for HttpTransport {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        Box::pin(async move {
            let may_be_lost = may_be_lost(&request);
            let request = reqwest::Request::try_from(request).map_err(never_left)?;
            let connections = self.connections_to(request.url());
            let carrier = connections.carrier(may_be_lost).map_err(never_left)?;
            let response = carrier.execute(request).await.map_err(lost_or_never_left)?;
            connections.note(response.headers());
            let mut head = http::Response::new(());
            *head.status_mut() = response.status();
            *head.headers_mut() = response.headers().clone();
            let body = response.bytes_stream().map_err(lost_or_never_left).boxed();
            Ok(head.map(|()| body))
        })
    }
}

/// Whether losing a request on a connection that is being closed costs no more than another one.
fn may_be_lost(request: &http::Request<Bytes>) -> bool {
    request.method() == http::Method::GET && request.extensions().get::<BeforeWrite>().is_none()
}

fn never_left(error: reqwest::Error) -> TransportError {
    TransportError::never_left(chain(&error.without_url()))
}

/// Tells a request that was not taken from one that may have arrived.
///
/// "Connect" is reqwest's word for name, socket, proxy and TLS; all of it precedes the request.
fn lost_or_never_left(error: reqwest::Error) -> TransportError {
    if error.is_connect() || error.is_builder() || was_not_taken(&error) {
        return never_left(error);
    }
    TransportError::lost(chain(&error.without_url()))
}

/// Whether the connection itself says that nobody has seen the request.
fn was_not_taken(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        // It was handed back before its first byte was written.
        let is_unwritten = cause.downcast_ref().is_some_and(hyper::Error::is_canceled);
        is_unwritten || cause.downcast_ref().is_some_and(is_refused_stream)
    })
}

/// Whether the other side says that it did not and will not look at the request (RFC 9113, 8.7): it
/// refused the stream, or said goodbye before it. What it had begun has another error, because the
/// library tells the streams before the goodbye from those behind it.
fn is_refused_stream(error: &h2::Error) -> bool {
    let is_refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    let is_goodbye = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
    error.is_remote() && (is_refused || is_goodbye)
}

/// Joins an error and its causes; the outer ones alone say only "error sending request".
fn chain(error: &reqwest::Error) -> String {
    causes(error).map(ToString::to_string).fold(error.to_string(), |text, cause| {
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HttpTransport")
    }
}
