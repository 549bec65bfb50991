//! The transport over a real socket: reqwest with rustls, or a socket in the file system.
//!
//! It deliberately follows no redirect, retries nothing on its own and keeps no cookies. The time
//! limit of a whole request is the client's, which knows which requests are meant to last.

use std::error::Error as _;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::transport::{BodyStream, Transport, TransportError};
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

/// How long an unused connection is kept: less than the idle limit of common load balancers
/// (60 s), so that we do not write on a connection that is being closed.
const IDLE_CONNECTION_MAX: Duration = Duration::from_secs(45);

/// How `stoker` names itself to the API.
const USER_AGENT: &str = concat!("stoker/", env!("CARGO_PKG_VERSION"));

/// The transport over a real socket.
///
/// What goes to this machine goes there by itself, whatever the environment says of proxies: over
/// plain http a proxy would be given the token in the clear (S5).
pub struct HttpTransport {
    client: reqwest::Client,
    /// Asks no proxy; built when something goes to this machine.
    direct: OnceLock<reqwest::Client>,
    certificates: Vec<reqwest::Certificate>,
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
        let client = built(careful().tls_certs_merge(certificates.clone()))?;
        Ok(Self { client, direct: OnceLock::new(), certificates })
    }

    /// Builds a transport through a socket in the file system, whatever host a request names.
    ///
    /// # Errors
    /// When the system's TLS settings cannot be used.
    pub fn over_socket(path: &Path) -> Result<Self, HttpSetupError> {
        let client = built(careful().no_proxy().unix_socket(path))?;
        let direct = OnceLock::from(client.clone());
        Ok(Self { client, direct, certificates: Vec::new() })
    }

    /// Returns the client that may carry something to an address.
    fn client_for(&self, url: &reqwest::Url) -> Result<&reqwest::Client, HttpSetupError> {
        if !url.host_str().is_some_and(names_loopback) {
            return Ok(&self.client);
        }
        if let Some(direct) = self.direct.get() {
            return Ok(direct);
        }
        let builder = careful().no_proxy().tls_certs_merge(self.certificates.clone());
        // Of two that are built at once one is kept.
        let direct = built(builder)?;
        Ok(self.direct.get_or_init(|| direct))
    }
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, HttpSetupError> {
    builder.build().map_err(|error| HttpSetupError::Client(chain(&error)))
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
        .pool_idle_timeout(IDLE_CONNECTION_MAX)
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
            let request = reqwest::Request::try_from(request)
                .map_err(|error| TransportError::never_left(chain(&error.without_url())))?;
            let client = self
                .client_for(request.url())
                .map_err(|error| TransportError::never_left(format!("failed to {error}")))?;
            let response = client.execute(request).await.map_err(lost_or_never_left)?;
            let mut head = http::Response::new(());
            *head.status_mut() = response.status();
            *head.headers_mut() = response.headers().clone();
            let body = response.bytes_stream().map_err(lost_or_never_left).boxed();
            Ok(head.map(|()| body))
        })
    }
}

/// Tells a connection that was never made from a request that may have arrived.
///
/// "Connect" is reqwest's word for name, socket, proxy and TLS; all of it precedes the request.
fn lost_or_never_left(error: reqwest::Error) -> TransportError {
    let never_left = error.is_connect() || error.is_builder();
    let reason = chain(&error.without_url());
    if never_left { TransportError::never_left(reason) } else { TransportError::lost(reason) }
}

/// Joins an error and its causes; the outer ones alone say only "error sending request".
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HttpTransport")
    }
}
