//! What is pending for one resource, field by field. Secrets are absent from a status already.

use serde_json::Value;

use crate::plan::BlockedReason;
use crate::render::json::{SavedBlocked, SavedChange, SavedField};
use crate::render::{Line, Paper, Style};

/// The column in which the values of fields stand.
const VALUE_COLUMN: usize = 36;

/// The column in which the reason stands, unless a value is longer.
const REASON_COLUMN: usize = 62;

/// Returns what would be done to one resource.
#[must_use]
pub fn change_as_text(change: &SavedChange) -> Paper {
    let line = Line::of("  ").plain(format!("{}, {}", change.action, change.reason));
    let line = match change.effect.as_str() {
        "none" => line,
        effect => line.with(Style::Changed, format!("   effect: {effect}")),
    };
    let mut paper = Paper::from(line);
    for field in &change.fields {
        push_field(&mut paper, field);
    }
    if let Some(SavedBlocked { reason, message, hint }) = &change.blocked {
        let line = Line::of("  ");
        let line = if reason == BlockedReason::Unseen.as_str() {
            line.with(Style::Changed, format!("? unknown ({reason})"))
        } else {
            line.with(Style::Blocked, format!("! blocked ({reason})"))
        };
        paper.push(line.plain(format!(": {message}")));
        if let Some(hint) = hint {
            paper.push(Line::of("      ").with(Style::Bold, "hint: ").plain(hint.as_str()));
        }
    }
    paper
}

fn push_field(paper: &mut Paper, field: &SavedField) {
    let (sign, style) = match field.action.as_str() {
        "add" => ("+", Style::Added),
        "change" => ("~", Style::Changed),
        "remove" => ("-", Style::Removed),
        _ => ("?", Style::Dim),
    };
    let line = Line::of("    ").with(style, sign).plain(" ").plain(field.path.as_str());
    let line = line.pad_to(VALUE_COLUMN).plain(field_values(field)).pad_to(REASON_COLUMN);
    paper.push(line.with(Style::Dim, field.reason.as_str()));
    if let Some(hint) = &field.hint {
        let line = Line::of("        to leave it alone:  ");
        paper.push(line.with(Style::Bold, hint.as_str()));
    }
}

/// Returns a field's values as one line.
#[must_use]
pub fn field_values(field: &SavedField) -> String {
    let SavedField { path: _, action, before, after, reason: _, sensitive, hint: _ } = field;
    if *sensitive {
        let text = if action == "change" { "(secret changed)" } else { "(secret)" };
        return text.to_owned();
    }
    match (before, after) {
        (Some(before), Some(after)) => format!("{} -> {}", value(before), value(after)),
        (None, Some(after)) if action == "change" => format!("(not shown) -> {}", value(after)),
        (None, Some(one)) | (Some(one), None) => value(one),
        (None, None) => String::new(),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() || text.trim() != text => format!("\"{text}\""),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(self::value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => match entries.get("from").and_then(Value::as_str) {
            Some(from) => format!("(from {from})"),
            None => value.to_string(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
