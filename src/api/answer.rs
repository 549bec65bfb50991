//! What an answer is: its head and body read within limits, and judged.
//!
//! It deliberately does not know what was asked, only what came back; whether to try again is the
//! client's decision.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use serde_json::{Map, Value};

use super::dialect::NotFound;
use super::error::{ApiError, Cause};
use super::foreign::Foreign;
use super::reason;
use super::transport::{BodyStream, TransportError};

/// The most of an error's body that is read: F7 is a few hundred bytes, a login page may be large.
const ERROR_BODY_MAX: usize = 64 * 1024;

/// The most of an error's message that is kept: it is shown to people and stored in conditions.
const MESSAGE_CHARS_MAX: usize = 1000;

/// The most of a code, a request id or an address that is kept.
const WORD_CHARS_MAX: usize = 128;

/// A good answer, read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub request_id: Option<String>,
    /// Its body as a JSON object or list, or why it is none.
    body: Result<Value, String>,
    is_empty: bool,
}

impl Answer {
    /// Whether there is nothing but the status, as in a 204.
    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Whether its body is a JSON object.
    pub(super) fn is_object(&self) -> bool {
        matches!(self.body, Ok(Value::Object(_)))
    }

    /// Whether it can only be the API's: nothing but a good status, or an object. A text or a page
    /// with a good status is what anybody between here and there may say.
    pub(super) fn check_done(self) -> Result<Self, Cause> {
        if self.is_empty || self.is_object() {
            return Ok(self);
        }
        let reason = self.body.err().unwrap_or_else(|| NO_OBJECT.to_owned());
        Err(Cause::Unreadable { reason, request_id: self.request_id })
    }

    /// Returns the body as a JSON object.
    pub(super) fn object(self) -> Result<Map<String, Value>, Cause> {
        let request_id = self.request_id.clone();
        match self.value()? {
            Value::Object(object) => Ok(object),
            _ => Err(Cause::Unreadable { reason: NO_OBJECT.to_owned(), request_id }),
        }
    }

    /// Returns the body as a JSON object or list.
    pub(super) fn value(self) -> Result<Value, Cause> {
        let Self { status: _, request_id, body, is_empty: _ } = self;
        body.map_err(|reason| Cause::Unreadable { reason, request_id })
    }

    /// Returns the answer itself when its body is a JSON object or list.
    pub(super) fn check_whole(self) -> Result<Self, Cause> {
        match self.body {
            Ok(_) => Ok(self),
            Err(reason) => Err(Cause::Unreadable { reason, request_id: self.request_id }),
        }
    }
}

/// What is said of a body that is JSON and no object.
const NO_OBJECT: &str = "it is not a JSON object";

/// Parses a body. A strict prefix of an object or a list is never one, so a body that was cut
/// anywhere is found out here.
fn parse(body: &[u8]) -> Result<Value, String> {
    match serde_json::from_slice(body) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => Ok(value),
        Ok(_) => Err(NO_OBJECT.to_owned()),
        Err(_) if body.is_empty() => Err("it is empty".to_owned()),
        // The error's own text could quote the body; its place cannot.
        Err(error) if error.is_eof() => {
            Err(format!("it ends in the middle, after {} bytes", body.len()))
        }
        Err(error) => Err(format!("it is not JSON, at column {}", error.column())),
    }
}

/// Reads the body of an answer and judges the whole: a good answer, or why it is none.
///
/// `foreign` strikes our secrets out of what the API says (S9): an error may quote what we sent.
pub(super) async fn read(
    response: http::Response<BodyStream>,
    body_max: usize,
    not_found: NotFound,
    foreign: &Foreign<'_>,
) -> Result<Answer, Cause> {
    let (head, body) = response.into_parts();
    let status = head.status.as_u16();
    if head.status.is_redirection() {
        let target = head.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        // Where it leads is what a person needs; what stands behind a `?` may be a secret.
        let target = target.and_then(|target| target.split(['?', '#']).next());
        let target = target.map(|target| foreign.shown(target, WORD_CHARS_MAX));
        return Err(Cause::Redirected { status, target });
    }
    if !head.status.is_success() {
        // A part of the body will do: without a code it proves nothing.
        let body = read_some(body, ERROR_BODY_MAX).await;
        return Err(judge_failure(status, &head.headers, &body, not_found, foreign));
    }
    let request_id = request_id(&head.headers, foreign);
    let body = read_whole(body, body_max).await.map_err(|failure| match failure {
        BodyFailure::Transport(error) => Cause::Transport(error),
        BodyFailure::TooLarge => Cause::TooLarge { bytes_max: body_max },
    })?;
    // These have none, whatever their headers say of it.
    let has_body = !matches!(status, 204 | 205);
    let declared = declared_length(&head.headers).filter(|_| has_body);
    if let Some(length) = declared.filter(|length| *length != body.len()) {
        let reason = format!("{} of {length} bytes arrived", body.len());
        return Err(Cause::Unreadable { reason, request_id });
    }
    let coding = coding(&head.headers, foreign).filter(|_| !body.is_empty());
    if let Some(coding) = coding {
        let reason = format!("it is encoded as `{coding}`, which was not requested");
        return Err(Cause::Unreadable { reason, request_id });
    }
    if is_html(&head.headers, &body) {
        return Err(Cause::NotTheApi { status, seen: "a web page".to_owned() });
    }
    Ok(Answer { status, request_id, body: parse(&body), is_empty: body.is_empty() })
}

enum BodyFailure {
    Transport(TransportError),
    TooLarge,
}

async fn read_whole(mut body: BodyStream, body_max: usize) -> Result<Bytes, BodyFailure> {
    let mut whole = BytesMut::new();
    while let Some(piece) = body.next().await {
        // The head arrived, so whatever was asked for has left, and may have happened.
        let piece =
            piece.map_err(|error| BodyFailure::Transport(TransportError::lost(error.reason)))?;
        if whole.len() + piece.len() > body_max {
            return Err(BodyFailure::TooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

async fn read_some(mut body: BodyStream, body_max: usize) -> Bytes {
    let mut some = BytesMut::new();
    while let Some(Ok(piece)) = body.next().await {
        let room = body_max - some.len();
        some.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() >= room {
            break;
        }
    }
    some.freeze()
}

/// Judges an answer of 400 and above.
fn judge_failure(
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    not_found: NotFound,
    foreign: &Foreign<'_>,
) -> Cause {
    let parsed = serde_json::from_slice(body).ok();
    let body_object = parsed.as_ref().and_then(Value::as_object);
    let error = body_object.and_then(|object| object.get("error"));
    let nested = error.and_then(Value::as_object);
    let text = |value: Option<&Value>, chars_max| {
        value.and_then(scalar).map(|text| foreign.shown(&text, chars_max))
    };
    let reason = match coding(headers, foreign).filter(|_| !body.is_empty()) {
        Some(coding) => format!("its reason is encoded as `{coding}`, which was not requested"),
        None => reason::of(parsed.as_ref()),
    };
    let reason = if reason.is_empty() { meant_by(status).to_owned() } else { reason };
    let code = text(nested.and_then(|nested| nested.get("code")), WORD_CHARS_MAX)
        .filter(|code| !code.is_empty());
    let is_absence = status == 404
        && match not_found {
            NotFound::Code => code.is_some(),
            NotFound::Status => body_object.is_some(),
        };
    let api_error = ApiError {
        status,
        code,
        is_absence,
        message: foreign.shown(&reason, MESSAGE_CHARS_MAX),
        request_id: text(nested.and_then(|nested| nested.get("request_id")), WORD_CHARS_MAX)
            .or_else(|| request_id(headers, foreign)),
    };
    let has_its_form =
        nested.is_none() && body_object.is_some_and(|object| object.contains_key("statusCode"));
    if has_its_form && matches!(status, 401 | 403 | 404) {
        Cause::WrongGeneration(api_error)
    } else if doubts_who_answers(status) && body_object.is_none() && is_html(headers, body) {
        Cause::NotTheApi { status, seen: "a web page".to_owned() }
    } else {
        Cause::Api(api_error)
    }
}

/// Whether a web page with this status makes one ask who answers. One of a gateway that is alone, in a
/// hurry or takes no more bytes is a page, too, and no reason to doubt the address.
fn doubts_who_answers(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 413 | 414 | 425 | 429 | 431)
}

/// Says what a refusal means whose reason is not given, where the number alone tells nobody.
fn meant_by(status: u16) -> &'static str {
    match status {
        413 => "the body of the request is larger than the server accepts",
        414 => "the address of the request is longer than the server accepts",
        431 => "the headers of the request are larger than the server accepts",
        _ => "",
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns the id under which the vendor's support finds the request.
pub(super) fn request_id(headers: &HeaderMap, foreign: &Foreign<'_>) -> Option<String> {
    let value = headers.get("x-request-id")?.to_str().ok()?;
    Some(foreign.shown(value, WORD_CHARS_MAX))
}

fn is_html(headers: &HeaderMap, body: &[u8]) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let says_so = content_type.is_some_and(|value| value.contains("html"));
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    // What is empty is no page, whatever its type.
    first.is_some_and(|first| *first == b'<' || (says_so && *first != b'{'))
}

/// Returns the coding of a body that nobody could take off: a proxy compressed it unasked.
fn coding(headers: &HeaderMap, foreign: &Foreign<'_>) -> Option<String> {
    let coding = headers.get(CONTENT_ENCODING)?.to_str().ok()?.trim();
    let is_plain = coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    (!is_plain).then(|| foreign.shown(coding, WORD_CHARS_MAX))
}

/// Returns the length an answer declares; that of a compressed one counts other bytes.
fn declared_length(headers: &HeaderMap) -> Option<usize> {
    if headers.contains_key(CONTENT_ENCODING) {
        return None;
    }
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}
