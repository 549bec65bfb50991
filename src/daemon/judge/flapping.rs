//! What is said of a field that does not stay as it is written.

use crate::model::FieldValue;
use crate::plan::{Change, FieldReason};
use crate::status::ConditionReason;

use super::{State, Verdict, more};

/// How much of a value is quoted in a message.
const VALUE_CHARS_MAX: usize = 60;

/// What does not stay as it is written is left to a person, with the line that mends it.
pub(super) fn flapping(change: &Change) -> Option<Verdict> {
    let mut left = change.fields.iter().filter(|field| field.reason == FieldReason::Flapping);
    let field = left.next()?;
    let others = more(left.count(), "field");
    let seen = match (&field.before, &field.after) {
        (Some(before), Some(after)) => {
            format!(": written as {}, it is read as {}", cut(after), cut(before))
        }
        (Some(before), None) => format!(": removed, it is read as {}", cut(before)),
        (None, Some(after)) => format!(": written as {}, it does not exist", cut(after)),
        (None, None) => String::new(),
    };
    let hint = field.hint.as_ref().map(|hint| format!("; `{hint}` takes it as it is"));
    let path = &field.path;
    let message =
        format!("`{path}`{others} does not stay as declared{seen}{}", hint.unwrap_or_default());
    Some(Verdict::new(State::Stuck, ConditionReason::FieldFlapping, message))
}

/// Returns a value in quotes, cut where it is long: it stands within a sentence.
fn cut(value: &FieldValue) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}
