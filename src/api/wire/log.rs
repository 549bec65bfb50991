//! One line of the live log (A10): JSON or plain text.

use serde_json::Value;

use super::json::text_at;

/// The longest message that is kept.
const MESSAGE_CHARS_MAX: usize = 64 * 1024;

/// One line of a live log. All of it is foreign text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogLine {
    /// When, as the platform writes it.
    pub timestamp: Option<String>,
    /// How bad, as the platform writes it.
    pub level: Option<String>,
    /// Which instance.
    pub instance: Option<String>,
    /// What it says.
    pub message: String,
}

/// Reads the data of one event.
pub(in crate::api) fn read_log_line(data: &str) -> LogLine {
    let line = match serde_json::from_str(data) {
        Ok(Value::Object(line)) => text_at(&line, "message").map(|message| LogLine {
            timestamp: text_at(&line, "timestamp"),
            level: text_at(&line, "level"),
            instance: text_at(&line, "instance"),
            message,
        }),
        _ => None,
    };
    let mut line =
        line.unwrap_or_else(|| LogLine { message: data.to_owned(), ..LogLine::default() });
    if let Some((end, _)) = line.message.char_indices().nth(MESSAGE_CHARS_MAX) {
        line.message.truncate(end);
        line.message.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_plain_text_are_both_lines() {
        let line = read_log_line(r#"{"timestamp":"t","level":"info","instance":1,"message":"up"}"#);
        assert_eq!((line.message.as_str(), line.instance.as_deref()), ("up", Some("1")));
        for plain in ["listening on :3000", r#"{"msg":"other shape"}"#, "[1,2]", ""] {
            assert_eq!(read_log_line(plain).message, plain);
        }
    }

    #[test]
    fn a_line_is_bounded() {
        assert!(read_log_line(&"é".repeat(100_000)).message.chars().count() <= 64 * 1024 + 1);
    }
}
