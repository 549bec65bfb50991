//! One running agent, and what it can be asked.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{Method, Request, Response, StatusCode, request};
use tokio::time::Instant;

use crate::api::{
    BodyStream, HttpSetupError, HttpTransport, Reach, ServerEvent, Transport, TransportError,
    is_event_stream, read_events,
};
use crate::status::Order;

use super::address::{AgentAddress, Bearer};
use super::error::RemoteError;
use super::form::{
    ProjectEvent, RefusalBody, Refused, Status, Taken, Unreadable, request as request_of,
};

/// How long a question may take: an agent answers from memory.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// How long an order may take: the loop takes it between two steps of a pass.
const ORDER_TIME_MAX: Duration = Duration::from_secs(60);

/// The largest answer that is read: a thousand projects of ten resources, or ten of a thousand.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How much of an answer that is no agent's is read to say what it is.
const COMPLAINT_BYTES_MAX: usize = 64 * 1024;

/// The host of requests over a socket, which has none.
const SOCKET_BASE: &str = "http://localhost";

/// A running agent from outside.
pub struct AgentClient {
    transport: Arc<dyn Transport>,
    address: AgentAddress,
    bearer: Option<Bearer>,
    /// When whoever asks has no more time.
    deadline: Option<Instant>,
}

impl AgentClient {
    /// Prepares to speak with the agent at an address. It sends nothing.
    ///
    /// # Errors
    /// When the certificates cannot be read or the system's TLS settings cannot be used.
    pub fn at(
        address: AgentAddress,
        bearer: Option<Bearer>,
        ca_file: Option<&Path>,
    ) -> Result<Self, HttpSetupError> {
        let transport = match &address {
            AgentAddress::Socket(path) => HttpTransport::over_socket(path)?,
            AgentAddress::Url(_) => HttpTransport::new(ca_file)?,
        };
        Ok(Self::over(Arc::new(transport), address, bearer))
    }

    /// Speaks with an agent through any transport.
    #[must_use]
    pub fn over(
        transport: Arc<dyn Transport>,
        address: AgentAddress,
        bearer: Option<Bearer>,
    ) -> Self {
        Self { transport, address, bearer, deadline: None }
    }

    /// Gives it so much time from now on for all its answers together, where there is a limit.
    #[must_use]
    pub fn within(self, time: Option<Duration>) -> Self {
        let deadline = time.and_then(|time| Instant::now().checked_add(time));
        Self { deadline: deadline.or(self.deadline), ..self }
    }

    /// Returns where it is.
    #[must_use]
    pub const fn address(&self) -> &AgentAddress {
        &self.address
    }

    /// Asks for the status of one project, or of all.
    ///
    /// # Errors
    /// When it is not there, does not answer in time, or answers with something else.
    pub async fn status(&self, project: Option<&str>) -> Result<Status, RemoteError> {
        let query = project.map(|name| format!("?project={}", encoded(name)));
        let path = format!("/api/status{}", query.unwrap_or_default());
        let bytes = self.read(&path).await?;
        Status::parse(&bytes).map_err(|unreadable| match unreadable {
            Unreadable::OtherFormat(found) => {
                RemoteError::OtherFormat { place: self.address.to_string(), found }
            }
            Unreadable::Wrong(reason) => self.not_an_agent(&reason),
        })
    }

    /// Asks for the events it remembers, oldest first.
    ///
    /// # Errors
    /// As [`AgentClient::status`].
    pub async fn events(&self) -> Result<Vec<ProjectEvent>, RemoteError> {
        let bytes = self.read("/api/events").await?;
        serde_json::from_slice(&bytes).map_err(|error| self.not_an_agent(&error.to_string()))
    }

    /// Listens to events from now on. What it says of other things is passed over.
    ///
    /// # Errors
    /// As [`AgentClient::status`]; later, as the last item, when the stream breaks.
    pub async fn listen(
        &self,
    ) -> Result<impl Stream<Item = Result<ProjectEvent, RemoteError>> + Send + use<>, RemoteError>
    {
        let request = self.request(Method::GET, "/api/events", ACCEPT, "text/event-stream");
        // What compresses holds events back until it has enough of them.
        let request = request.header(ACCEPT_ENCODING, "identity");
        let response = self.in_time(ANSWER_TIME_MAX, self.send(request, Bytes::new())).await?;
        if !is_event_stream(response.headers()) {
            return Err(self.not_an_agent("it is not an event stream"));
        }
        Ok(events(response.into_body(), self.address.to_string()))
    }

    /// Gives an order and returns what the agent says to it.
    ///
    /// # Errors
    /// As [`AgentClient::status`], and when the agent refuses. After `Lost` it may have been taken.
    pub async fn order(&self, order: &Order, project: Option<&str>) -> Result<String, RemoteError> {
        let (name, body) = request_of(order, project);
        let body = serde_json::to_vec(&body).expect("an order has only text keys");
        let path = format!("/api/orders/{name}");
        let request = self.request(Method::POST, &path, CONTENT_TYPE, "application/json");
        let bytes = self.in_time(ORDER_TIME_MAX, self.exchange(request, body.into())).await?;
        let taken: Taken = serde_json::from_slice(&bytes)
            .map_err(|error| self.not_an_agent(&error.to_string()))?;
        Ok(taken.message)
    }

    /// Asks one question and reads the whole answer.
    async fn read(&self, path: &str) -> Result<Vec<u8>, RemoteError> {
        let request = self.request(Method::GET, path, ACCEPT, "application/json");
        self.in_time(ANSWER_TIME_MAX, self.exchange(request, Bytes::new())).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        header: HeaderName,
        value: &'static str,
    ) -> request::Builder {
        let base = match &self.address {
            AgentAddress::Socket(_) => SOCKET_BASE,
            AgentAddress::Url(base) => base,
        };
        let mut request = Request::builder().method(method).uri(format!("{base}{path}"));
        request = request.header(header, value);
        if let Some(bearer) = &self.bearer {
            request = request.header(AUTHORIZATION, bearer.header());
        }
        request
    }

    /// Sends one request, and returns an answer that is not a refusal.
    async fn send(
        &self,
        request: request::Builder,
        body: Bytes,
    ) -> Result<Response<BodyStream>, RemoteError> {
        let request = request.body(body).map_err(|error| self.not_an_agent(&error.to_string()))?;
        let response = self.transport.send(request).await.map_err(|error| self.lost(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let complaint = self.whole(response.into_body(), COMPLAINT_BYTES_MAX).await;
        Err(self.refused(status, &complaint.unwrap_or_default()))
    }

    async fn exchange(
        &self,
        request: request::Builder,
        body: Bytes,
    ) -> Result<Vec<u8>, RemoteError> {
        let response = self.send(request, body).await?;
        self.whole(response.into_body(), ANSWER_BYTES_MAX).await
    }

    /// Reads a body that is not larger than a limit.
    async fn whole(&self, mut body: BodyStream, bytes_max: usize) -> Result<Vec<u8>, RemoteError> {
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| self.lost(&error))?;
            if bytes.len() + piece.len() > bytes_max {
                let reason = format!("the answer is larger than {bytes_max} bytes");
                return Err(self.not_an_agent(&reason));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    async fn in_time<T>(
        &self,
        time: Duration,
        answer: impl Future<Output = Result<T, RemoteError>>,
    ) -> Result<T, RemoteError> {
        let place = || self.address.to_string();
        let left = self.deadline.map(|deadline| deadline.duration_since(Instant::now()));
        let (limit, late) = match left.filter(|left| *left < time) {
            Some(left) => (left, RemoteError::OutOfTime { place: place() }),
            None => {
                let reason = format!("nothing arrived for {} s", time.as_secs());
                (time, RemoteError::Lost { place: place(), reason })
            }
        };
        tokio::time::timeout(limit, answer).await.unwrap_or(Err(late))
    }

    fn lost(&self, error: &TransportError) -> RemoteError {
        let (place, reason) = (self.address.to_string(), error.reason.clone());
        match error.reach {
            Reach::NeverLeft => RemoteError::Nobody { place, reason },
            Reach::Lost => RemoteError::Lost { place, reason },
        }
    }

    fn refused(&self, status: StatusCode, complaint: &[u8]) -> RemoteError {
        let said = serde_json::from_slice::<Refused>(complaint).ok().map(|it| it.error);
        let place = self.address.to_string();
        match (status, said) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, said) => {
                let reason = said.map_or_else(|| status.to_string(), |said| said.message);
                RemoteError::Denied { place, reason }
            }
            (_, Some(RefusalBody { code, message, hints })) => {
                RemoteError::Refused { code, message, hints }
            }
            (status, None) => self.not_an_agent(&format!("it said {status}")),
        }
    }

    fn not_an_agent(&self, reason: &str) -> RemoteError {
        let (place, reason) = (self.address.to_string(), reason.to_owned());
        RemoteError::NotAnAgent { place, reason }
    }
}

/// Reads events off a stream, up to and with its first error.
///
/// Between them the agent tells its status, which is as large as an answer may be, and that a slow
/// listener lost some: then listening begins anew, and what is still kept can be asked for.
fn events(
    body: BodyStream,
    place: String,
) -> impl Stream<Item = Result<ProjectEvent, RemoteError>> + Send {
    let told = read_events(body, ANSWER_BYTES_MAX).boxed();
    stream::unfold((told, place), |(mut told, place)| async {
        let reason = loop {
            match told.next().await? {
                Ok(ServerEvent { name, data: _ }) if name == "lost" => {
                    break "it sent more than was read in time".to_owned();
                }
                Ok(ServerEvent { name, data }) if name == "event" => {
                    match serde_json::from_str::<ProjectEvent>(&data) {
                        Ok(event) => return Some((Ok(event), (told, place))),
                        Err(error) => break format!("an event cannot be read: {error}"),
                    }
                }
                Ok(ServerEvent { name, data: _ }) => tracing::trace!(name, "passed over"),
                Err(error) => break error.to_string(),
            }
        };
        let lost = RemoteError::Lost { place: place.clone(), reason };
        Some((Err(lost), (stream::empty().boxed(), place)))
    })
}

/// Writes a text as one value of a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

impl fmt::Debug for AgentClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Agent({})", self.address)
    }
}
