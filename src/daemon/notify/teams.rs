//! A notice as a message in a Microsoft Teams channel: an adaptive card for the workflow "when a
//! webhook request is received".
//!
//! A text block of a card is Markdown; what others wrote stands in rich text, which is not
//! interpreted.

use bytes::Bytes;
use serde_json::{Value, json};

use super::address::SinkAddress;
use super::notice::{Notice, ProjectOutcome};
use super::request::{about, heading, line, post};

/// A card may have 28 KB; nobody reads so much.
const MESSAGE_CHARS_MAX: usize = 1_000;

/// Makes the request.
pub(super) fn request(
    address: &SinkAddress,
    link: Option<&str>,
    notice: &Notice,
) -> Result<http::Request<Bytes>, http::Error> {
    let colour = match notice.outcome {
        ProjectOutcome::Pending | ProjectOutcome::Held => "default",
        ProjectOutcome::Succeeded | ProjectOutcome::Repaired => "good",
        ProjectOutcome::Drifted | ProjectOutcome::RolledBack => "warning",
        ProjectOutcome::Failed | ProjectOutcome::Broken => "attention",
    };
    let mut body = vec![rich(&heading(notice), json!({ "weight": "bolder", "color": colour }))];
    let message = line(&notice.message, MESSAGE_CHARS_MAX);
    if !message.is_empty() {
        body.push(rich(&message, json!({})));
    }
    body.push(rich(&about(notice), json!({ "isSubtle": true, "size": "small" })));
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    });
    if let Some(link) = link {
        card["actions"] = json!([{ "type": "Action.OpenUrl", "title": "More", "url": link }]);
    }
    let attachment = json!({
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": null,
        "content": card,
    });
    post(address.expose(), &json!({ "type": "message", "attachments": [attachment] }))
}

/// Returns a block of text that is shown as it is.
fn rich(text: &str, style: Value) -> Value {
    let mut run = json!({ "type": "TextRun", "text": text });
    if let (Value::Object(run), Value::Object(style)) = (&mut run, style) {
        run.extend(style);
    }
    json!({ "type": "RichTextBlock", "inlines": [run] })
}
