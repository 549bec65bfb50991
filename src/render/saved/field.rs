//! One field of a change as a document.

use serde_json::{Map, Value};

use crate::model::FieldValue;
use crate::plan::FieldChange;

use super::super::phrase;
use super::SavedField;

/// Returns one field as a plan's document has it: of a secret nothing but that it is one.
pub(super) fn saved_field(field: &FieldChange) -> SavedField {
    let (action, reason) = phrase::field_words(field);
    let sensitive = phrase::is_hidden(field);
    let shown = |one: &Option<FieldValue>| one.as_ref().filter(|_| !sensitive).and_then(value);
    SavedField {
        path: field.path.to_string(),
        action: action.to_owned(),
        before: shown(&field.before),
        after: shown(&field.after),
        reason: reason.to_owned(),
        sensitive,
        hint: field.hint.clone(),
    }
}

/// Returns a value as JSON has it; a secret has none.
fn value(value: &FieldValue) -> Option<Value> {
    match value {
        FieldValue::Text(text) => Some(Value::from(text.as_str())),
        FieldValue::Integer(number) => Some(Value::from(*number)),
        FieldValue::Boolean(truth) => Some(Value::from(*truth)),
        FieldValue::Set(items) => Some(items.iter().map(String::as_str).collect()),
        FieldValue::Secret(_) => None,
        FieldValue::Reference(reference) => {
            let from = Value::from(reference.to_string());
            Some(Value::Object(Map::from_iter([("from".to_owned(), from)])))
        }
    }
}
