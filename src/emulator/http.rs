//! The emulator as a server: answers become bytes, here and nowhere else.
//!
//! Thin: it reads requests, waits where a fault says so, and writes what `answer` decided.
//! Waiting is tokio's, so a paused clock passes it.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::answer::{Disposition, HttpReply, Transmission};
use super::openapi::openapi;
use super::routes::ReceivedRequest;
use super::stream::{EVENTS_MAX, INTERVAL_MIN_MS, LogStream};
use super::world::Payload;
use super::{Emulator, TimeSource};

/// The body of an answer.
pub type ReplyBody = BoxStream<'static, Result<Bytes, Dropped>>;

/// The largest body of a request: 200 variables of 65,535 bytes, written as JSON escapes.
const REQUEST_BYTES_MAX: usize = 80 << 20;

/// The connection went away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Whether the request had been sent; without, nothing can have been applied.
    pub sent: bool,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.sent { "connection reset" } else { "connection refused" })
    }
}

impl std::error::Error for Dropped {}

impl Emulator {
    /// Answers a request, as a server would.
    ///
    /// *Guarantees*: what the request does is done at once, at the first poll, and recorded.
    ///
    /// *Assumptions*: runs on tokio; a body is only delayed while it is read.
    ///
    /// # Errors
    ///
    /// [`Dropped`] when a fault says that no answer comes.
    pub async fn answer(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ReplyBody>, Dropped> {
        if request.method() == Method::GET && request.uri().path() == "/openapi.json" {
            let payload = Payload::Json(openapi());
            let manner = Transmission::Whole;
            return Ok(self.respond(HttpReply {
                status: 200,
                headers: Vec::new(),
                payload,
                manner,
            }));
        }
        let now = (self.clock)();
        let outcome = self.world().answer(&read(&request), now);
        if request.method() != Method::GET {
            self.keep();
        }
        match outcome {
            Disposition::Refused => Err(Dropped { sent: false }),
            Disposition::Lost => Err(Dropped { sent: true }),
            Disposition::Silent => std::future::pending().await,
            Disposition::Answer(answer) => Ok(self.respond(answer)),
        }
    }

    fn respond(&self, answer: HttpReply) -> http::Response<ReplyBody> {
        let HttpReply { status, headers, payload, manner } = answer;
        let (content_type, bytes) = match payload {
            Payload::Empty => (None, Bytes::new()),
            Payload::Json(body) => (Some("application/json"), Bytes::from(written(&body))),
            Payload::Html(page) => (Some("text/html; charset=utf-8"), Bytes::from(page)),
            Payload::Logs(logs) => {
                let past = Bytes::from(logs.past());
                let body = deliver(past, manner).chain(follow(logs, self.clock.clone())).boxed();
                return response(status, headers, Some("text/event-stream"), body);
            }
        };
        let bytes = match manner {
            Transmission::Truncated(length) => bytes.slice(..length.min(bytes.len())),
            Transmission::Whole | Transmission::Cut(_) | Transmission::Drip => bytes,
        };
        let length = (status != 204).then_some(bytes.len());
        let mut response = response(status, headers, content_type, deliver(bytes, manner));
        if let Some(length) = length {
            response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        }
        response
    }
}

/// Serves the emulator over HTTP until the shutdown is there.
///
/// *Guarantees*: an answer that is dropped closes its connection without a byte, a body that is
/// cut closes it in the middle.
///
/// # Errors
///
/// When the listener fails.
pub async fn serve(
    emulator: Emulator,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let app = axum::Router::new().fallback(over_socket).with_state(emulator);
    let server = axum::serve(Doors(listener), app.into_make_service_with_connect_info::<Cord>());
    // Not axum's graceful shutdown: it would wait for answers that a fault withholds for ever.
    tokio::select! {
        result = server => result,
        () = shutdown => Ok(()),
    }
}

async fn over_socket(
    axum::extract::State(emulator): axum::extract::State<Emulator>,
    ConnectInfo(cord): ConnectInfo<Cord>,
    request: axum::extract::Request,
) -> http::Response<axum::body::Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, REQUEST_BYTES_MAX).await else {
        let mut refusal = http::Response::new(axum::body::Body::empty());
        *refusal.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return refusal;
    };
    match emulator.answer(http::Request::from_parts(parts, body)).await {
        Ok(response) => response.map(axum::body::Body::from_stream),
        Err(Dropped { .. }) => {
            cord.pull();
            http::Response::new(axum::body::Body::empty())
        }
    }
}

fn read(request: &http::Request<Bytes>) -> ReceivedRequest {
    let authorization = request.headers().get(header::AUTHORIZATION);
    let token = authorization.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    ReceivedRequest {
        method: request.method().as_str().into(),
        path: request.uri().path().into(),
        query: request.uri().query().unwrap_or_default().into(),
        token: token.map(str::to_owned),
        body: request.body().to_vec(),
    }
}

fn response(
    status: u16,
    headers: Vec<(&'static str, String)>,
    content_type: Option<&'static str>,
    body: ReplyBody,
) -> http::Response<ReplyBody> {
    let mut response = http::Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).expect("every status here has three digits");
    for (name, value) in headers {
        // A script may hold what no header can; then there is no header.
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(name, value);
        }
    }
    if let Some(content_type) = content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

fn written(body: &Value) -> Vec<u8> {
    serde_json::to_vec(body).expect("the keys of a value are text")
}

/// Sends bytes in the manner of a fault.
fn deliver(bytes: Bytes, manner: Transmission) -> ReplyBody {
    match manner {
        Transmission::Whole | Transmission::Truncated(_) => stream::iter([Ok(bytes)]).boxed(),
        Transmission::Cut(length) => {
            let sent = bytes.slice(..length.min(bytes.len()));
            stream::iter([Ok(sent), Err(Dropped { sent: true })]).boxed()
        }
        Transmission::Drip => stream::iter(bytes)
            .then(|byte| async move {
                sleep(Duration::from_secs(1)).await;
                Ok(Bytes::copy_from_slice(&[byte]))
            })
            .boxed(),
    }
}

/// Sends the events that are still to come, one after each interval.
fn follow(logs: LogStream, clock: TimeSource) -> ReplyBody {
    let Some(interval) = logs.interval_ms else {
        return stream::empty().boxed();
    };
    let interval = Duration::from_millis(interval.max(INTERVAL_MIN_MS));
    let events = stream::iter(0..EVENTS_MAX);
    let waited = events.then(move |number| async move {
        sleep(interval).await;
        number
    });
    waited.map(move |number| Ok(Bytes::from(logs.next(number, clock())))).boxed()
}

/// A listener whose connections can be cut from within.
struct Doors(TcpListener);

/// Cuts one connection: hyper has no answer that is none.
#[derive(Clone, Default)]
struct Cord(Arc<AtomicBool>);

/// A connection with a cord.
struct Door {
    inner: TcpStream,
    cord: Cord,
}

impl Cord {
    fn pull(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

impl Listener for Doors {
    type Io = Door;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (inner, address) = Listener::accept(&mut self.0).await;
        (Door { inner, cord: Cord::default() }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Doors>> for Cord {
    fn connect_info(stream: IncomingStream<'_, Doors>) -> Self {
        stream.io().cord.clone()
    }
}

impl AsyncRead for Door {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cord.check()?;
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for Door {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cord.check()?;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
