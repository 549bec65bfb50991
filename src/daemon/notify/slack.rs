//! A notice as a message in a Slack channel.
//!
//! What others wrote stands in blocks of plain text, which Slack does not interpret; in the line
//! that it does interpret, its three special characters are escaped, so that no commit message can
//! call a whole channel.

use bytes::Bytes;
use serde_json::json;

use super::address::SinkAddress;
use super::notice::{Notice, ProjectOutcome};
use super::request::{about, line, post};

/// Slack takes 3,000 characters in a block; nobody reads so many.
const MESSAGE_CHARS_MAX: usize = 1_000;

/// Makes the request.
pub(super) fn request(
    address: &SinkAddress,
    link: Option<&str>,
    notice: &Notice,
) -> Result<http::Request<Bytes>, http::Error> {
    let project = &notice.project;
    let sign = match notice.outcome {
        ProjectOutcome::Pending => ":hourglass_flowing_sand:",
        ProjectOutcome::Held => ":pause_button:",
        ProjectOutcome::Succeeded | ProjectOutcome::Repaired => ":white_check_mark:",
        ProjectOutcome::Drifted | ProjectOutcome::RolledBack => ":warning:",
        ProjectOutcome::Failed | ProjectOutcome::Broken => ":x:",
    };
    let (outcome, reason) = (notice.outcome.as_str(), notice.reason.as_str());
    let heading = format!("{sign} *{}* {outcome}: {}", escaped(project), escaped(reason));
    let message = line(&notice.message, MESSAGE_CHARS_MAX);
    let plain = |text: &str| json!({ "type": "plain_text", "text": text, "emoji": false });
    let mut blocks =
        vec![json!({ "type": "section", "text": { "type": "mrkdwn", "text": heading } })];
    // Slack refuses an empty text.
    if !message.is_empty() {
        blocks.push(json!({ "type": "section", "text": plain(&message) }));
    }
    let mut elements = vec![plain(&about(notice))];
    if let Some(link) = link {
        let text = format!("<{}|more>", escaped(link));
        elements.push(json!({ "type": "mrkdwn", "text": text }));
    }
    blocks.push(json!({ "type": "context", "elements": elements }));
    let text = format!("{heading}: {}", escaped(&message));
    post(address.expose(), &json!({ "text": text, "blocks": blocks }))
}

/// Escapes what Slack takes for the beginning of a link, a mention or an entity.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
