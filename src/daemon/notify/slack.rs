//! A notice as a message in a Slack channel.
//!
//! What others wrote stands in blocks of plain text, which Slack does not interpret; in the line
//! that it does interpret, its three special characters are escaped, so that no commit message can
//! call a whole channel.

use bytes::Bytes;
use http::{Method, header};
use serde_json::json;

use super::address::Address;
use super::notice::{Notice, Outcome};
use super::request::{line, short_revision};

/// Slack takes 3,000 characters in a block; nobody reads so many.
const MESSAGE_CHARS_MAX: usize = 1_000;

/// A line of a commit's message.
const SUBJECT_CHARS_MAX: usize = 120;

/// Makes the request.
pub(super) fn request(
    address: &Address,
    notice: &Notice,
) -> Result<http::Request<Bytes>, http::Error> {
    let project = &notice.project;
    let sign = match notice.outcome {
        Outcome::Pending => ":hourglass_flowing_sand:",
        Outcome::Held => ":pause_button:",
        Outcome::Succeeded => ":white_check_mark:",
        Outcome::Drifted => ":warning:",
        Outcome::Failed | Outcome::Broken => ":x:",
    };
    let (outcome, reason) = (notice.outcome.as_str(), notice.reason.as_str());
    let heading = format!("{sign} *{}* {outcome}: {}", escaped(project), escaped(reason));
    let message = line(&notice.message, MESSAGE_CHARS_MAX);
    let subject = notice.revision.subject.as_deref().map(|text| line(text, SUBJECT_CHARS_MAX));
    let author = notice.revision.author.as_deref().map(|text| line(text, SUBJECT_CHARS_MAX));
    let about: Vec<String> =
        [Some(short_revision(notice)), subject, author].into_iter().flatten().collect();
    let plain = |text: &str| json!({ "type": "plain_text", "text": text, "emoji": false });
    let mut blocks =
        vec![json!({ "type": "section", "text": { "type": "mrkdwn", "text": heading } })];
    // Slack refuses an empty text.
    if !message.is_empty() {
        blocks.push(json!({ "type": "section", "text": plain(&message) }));
    }
    blocks.push(json!({ "type": "context", "elements": [plain(&about.join(" · "))] }));
    let text = format!("{heading}: {}", escaped(&message));
    let body = json!({ "text": text, "blocks": blocks }).to_string();
    http::Request::builder()
        .method(Method::POST)
        .uri(address.expose())
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
}

/// Escapes what Slack takes for the beginning of a link, a mention or an entity.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
