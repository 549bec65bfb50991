//! A notice as a message in a Discord channel.
//!
//! What others wrote stands in an embed, and nobody is mentioned whatever it says.

use bytes::Bytes;
use serde_json::json;

use super::address::SinkAddress;
use super::notice::{Notice, ProjectOutcome};
use super::request::{about, heading, line, post};

/// Discord takes 256 characters in a title, and 4,096 in a description.
const TITLE_CHARS_MAX: usize = 256;
const MESSAGE_CHARS_MAX: usize = 1_000;

/// Makes the request.
pub(super) fn request(
    address: &SinkAddress,
    link: Option<&str>,
    notice: &Notice,
) -> Result<http::Request<Bytes>, http::Error> {
    let colour = match notice.outcome {
        ProjectOutcome::Pending | ProjectOutcome::Held => 0x80_80_80,
        ProjectOutcome::Succeeded | ProjectOutcome::Repaired => 0x2e_a0_43,
        ProjectOutcome::Drifted | ProjectOutcome::RolledBack => 0xd2_99_22,
        ProjectOutcome::Failed | ProjectOutcome::Broken => 0xda_36_33,
    };
    let mut embed = json!({
        "title": escaped(&line(&heading(notice), TITLE_CHARS_MAX / 2)),
        "description": escaped(&line(&notice.message, MESSAGE_CHARS_MAX)),
        "color": colour,
        "footer": { "text": about(notice) },
        "timestamp": notice.at.to_string(),
    });
    if let Some(link) = link {
        embed["url"] = json!(link);
    }
    post(address.expose(), &json!({ "embeds": [embed], "allowed_mentions": { "parse": [] } }))
}

/// Escapes the punctuation by which Discord's Markdown begins anything.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '[' | ']' | '#') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
