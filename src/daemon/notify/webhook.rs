//! A notice as a JSON document, signed.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, header};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use sha2::Sha256;

use crate::status::{Condition, ConditionReason, FORMAT_VERSION, Revision};

use super::address::Address;
use super::notice::{Notice, Outcome};
use super::request::line;

/// The longest message sent.
const MESSAGE_CHARS_MAX: usize = 2_000;

/// Carries `t=SECONDS,v1=HEX`: HMAC-SHA-256 of the seconds, a full stop and the body.
const SIGNATURE: &str = "x-stoker-signature";

/// The document. Minor versions only add.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    format_version: &'static str,
    project: &'a str,
    origin: &'a str,
    outcome: Outcome,
    reason: &'a ConditionReason,
    message: String,
    at: Timestamp,
    revision: &'a Revision,
    conditions: &'a [Condition],
}

/// Makes the request.
pub(super) fn request(
    address: &Address,
    secret: Option<&SecretString>,
    notice: &Notice,
    now: Timestamp,
) -> Result<http::Request<Bytes>, http::Error> {
    let Notice { sink: _, project, origin, outcome, reason, message, revision, conditions, at } =
        notice;
    let document = Document {
        format_version: FORMAT_VERSION,
        project,
        origin,
        outcome: *outcome,
        reason,
        message: line(message, MESSAGE_CHARS_MAX),
        at: *at,
        revision,
        conditions,
    };
    let body = serde_json::to_vec(&document).expect("texts, numbers and lists are JSON");
    let mut request = http::Request::builder()
        .method(Method::POST)
        .uri(address.expose())
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(secret) = secret {
        request = request.header(SIGNATURE, signature(secret, now.as_second(), &body));
    }
    request.body(body.into())
}

/// Signs the time with the body, so that a receiver can refuse what is old.
fn signature(secret: &SecretString, seconds: i64, body: &[u8]) -> String {
    let key = secret.expose_secret().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is taken");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}
