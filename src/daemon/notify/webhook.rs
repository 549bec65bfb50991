//! A notice as a JSON document, signed.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, header};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use sha2::Sha256;

use crate::status::{Condition, EventReason, FORMAT_VERSION, Revision};

use super::address::SinkAddress;
use super::notice::{Notice, ProjectOutcome};
use super::request::{RequestError, line};
use super::template::Template;

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
    outcome: ProjectOutcome,
    reason: &'a EventReason,
    message: String,
    at: Timestamp,
    revision: &'a Revision,
    conditions: &'a [Condition],
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

impl<'a> Document<'a> {
    fn new(notice: &'a Notice, link: Option<&'a str>) -> Self {
        let Notice { project, origin, outcome, reason, message, revision, conditions, at, .. } =
            notice;
        Self {
            format_version: FORMAT_VERSION,
            project,
            origin,
            outcome: *outcome,
            reason,
            message: line(message, MESSAGE_CHARS_MAX),
            at: *at,
            revision,
            conditions,
            link,
        }
    }
}

/// Returns a document with every part it may have, to try a template with.
#[must_use]
pub fn example() -> serde_json::Value {
    let notice = Notice {
        sink: "webhook".to_owned(),
        project: "shop".to_owned(),
        origin: "https://api.stackblaze.cloud/v1".to_owned(),
        outcome: ProjectOutcome::Failed,
        reason: crate::status::ConditionReason::DeployFailed.into(),
        message: "service/api: its deployment failed: a \"quoted\" line".to_owned(),
        revision: Revision {
            commit: Some("4f2a91c".repeat(5)),
            subject: Some("Raise the limit".to_owned()),
            author: Some("Ada".to_owned()),
            digest: "9c1a".repeat(16),
            at: Timestamp::UNIX_EPOCH,
        },
        conditions: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
    };
    let document = Document::new(&notice, Some("https://stoker.example.com/"));
    serde_json::to_value(&document).expect("texts, numbers and lists are JSON")
}

/// Makes the request.
pub(super) fn request(
    address: &SinkAddress,
    secret: Option<&SecretString>,
    template: Option<&Template>,
    link: Option<&str>,
    notice: &Notice,
    now: Timestamp,
) -> Result<http::Request<Bytes>, RequestError> {
    let document = Document::new(notice, link);
    let body = match template {
        None => serde_json::to_vec(&document).expect("texts, numbers and lists are JSON"),
        Some(template) => {
            let document = serde_json::to_value(&document);
            template.fill(&document.expect("texts, numbers and lists are JSON"))?.into_bytes()
        }
    };
    let mut request = http::Request::builder()
        .method(Method::POST)
        .uri(address.expose())
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(secret) = secret {
        request = request.header(SIGNATURE, signature(secret, now.as_second(), &body));
    }
    Ok(request.body(body.into())?)
}

/// Signs the time with the body, so that a receiver can refuse what is old.
fn signature(secret: &SecretString, seconds: i64, body: &[u8]) -> String {
    let key = secret.expose_secret().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is taken");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    format!("t={seconds},v1={}", hex::encode(digest))
}
