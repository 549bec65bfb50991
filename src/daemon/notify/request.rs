//! From a notice to the request it is for its sink.

use bytes::Bytes;
use http::{HeaderValue, Method, Uri, header};
use jiff::Timestamp;
use serde_json::Value;

use super::notice::Notice;
use super::sink::{Sink, SinkTarget};
use super::{alertmanager, commit, discord, pagerduty, slack, teams, webhook};

/// Why no request can be made of a notice, a fragment. It repeats no secret.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// A token or an address cannot stand in one.
    #[error("{0}")]
    Http(#[from] http::Error),
    /// What the template of a body makes is no JSON.
    #[error("{0}")]
    Template(#[from] super::template::TemplateError),
    /// It is told in another way.
    #[error("mail is not a request")]
    Mail,
}

/// Makes the one request that tells a notice to a sink; `now` is when it leaves.
///
/// # Errors
/// When a token or an address cannot stand in a request, when a template makes no JSON, and for
/// mail; the error repeats no secret.
pub fn request(
    sink: &Sink,
    notice: &Notice,
    now: Timestamp,
) -> Result<http::Request<Bytes>, RequestError> {
    let link = sink.link.as_deref();
    Ok(match &sink.target {
        SinkTarget::Webhook { address, secret, body } => {
            webhook::request(address, secret.as_ref(), body.as_ref(), link, notice, now)?
        }
        SinkTarget::Slack { address } => slack::request(address, link, notice)?,
        SinkTarget::Teams { address } => teams::request(address, link, notice)?,
        SinkTarget::Discord { address } => discord::request(address, link, notice)?,
        SinkTarget::Alertmanager { address, token, labels } => {
            let rings = sink.tell.contains(&notice.outcome);
            alertmanager::request(address, token.as_ref(), labels, (link, rings), notice)?
        }
        SinkTarget::PagerDuty { address, key } => {
            let rings = sink.tell.contains(&notice.outcome);
            pagerduty::request(address, key, (link, rings), notice)?
        }
        SinkTarget::Commit { at, token } => commit::request(at, token, link, notice)?,
        SinkTarget::Mail(_) => return Err(RequestError::Mail),
    })
}

/// Makes a header that carries a secret; it is marked, so that no log shows it.
pub(super) fn secret_header(text: String) -> Result<HeaderValue, http::Error> {
    let mut value = HeaderValue::try_from(text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Makes a request that posts JSON.
pub(super) fn post(uri: &Uri, body: &Value) -> Result<http::Request<Bytes>, http::Error> {
    http::Request::builder()
        .method(Method::POST)
        .uri(uri)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into())
}

/// Returns the commit's or digest's beginning, as people know it.
pub(super) fn short_revision(notice: &Notice) -> String {
    let whole = notice.revision.commit.as_deref().unwrap_or(&notice.revision.digest);
    whole.chars().take(10).collect()
}

/// Returns the revision in a line: its beginning, its subject, its author.
pub(super) fn about(notice: &Notice) -> String {
    /// A line of a commit's message.
    const SUBJECT_CHARS_MAX: usize = 120;
    let cut = |text: &Option<String>| text.as_deref().map(|text| line(text, SUBJECT_CHARS_MAX));
    let revision = &notice.revision;
    let all = [Some(short_revision(notice)), cut(&revision.subject), cut(&revision.author)];
    all.into_iter().flatten().collect::<Vec<String>>().join(" · ")
}

/// Returns how the project stands, in a few words.
pub(super) fn heading(notice: &Notice) -> String {
    format!("{} {}: {}", notice.project, notice.outcome.as_str(), notice.reason)
}

/// Returns text as one harmless line of limited length.
pub(super) fn line(text: &str, chars_max: usize) -> String {
    let line = crate::render::inert(text);
    if line.chars().count() <= chars_max {
        return line.into_owned();
    }
    let cut: String = line.chars().take(chars_max.saturating_sub(1)).collect();
    cut + "…"
}
