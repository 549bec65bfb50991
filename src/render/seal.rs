//! The seal of a saved plan: a mark over all that its document says, so that an edit is seen (S10).
//!
//! It needs no key, because whoever reviews a plan and whoever applies it may share nothing. What
//! somebody could still forge with the seal made anew is compared with what would be written.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// The field of a document that holds its seal.
const FIELD: &str = "seal";

/// Returns the seal of a document: a digest of its every leaf and its place. Neither white space nor
/// the order of keys matters, nor what the document says of its own seal.
#[must_use]
pub fn seal(document: &Value) -> String {
    let mut hash = Sha256::new();
    match document {
        Value::Object(fields) => {
            let mut fields = fields.clone();
            fields.remove(FIELD);
            add_object(&mut hash, &fields);
        }
        other => add(&mut hash, other),
    }
    hex::encode(hash.finalize())
}

/// Whether a document carries its own seal.
pub(super) fn is_sealed(document: &Value) -> bool {
    document.get(FIELD).and_then(Value::as_str) == Some(&seal(document))
}

fn add(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Null => add_text(hash, "null", ""),
        Value::Bool(truth) => add_text(hash, "truth", if *truth { "true" } else { "false" }),
        Value::Number(number) => add_text(hash, "number", &number.to_string()),
        Value::String(text) => add_text(hash, "text", text),
        Value::Array(items) => {
            add_text(hash, "list", &items.len().to_string());
            items.iter().for_each(|item| add(hash, item));
        }
        Value::Object(fields) => add_object(hash, fields),
    }
}

fn add_object(hash: &mut Sha256, fields: &Map<String, Value>) {
    add_text(hash, "object", &fields.len().to_string());
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    for (name, value) in sorted {
        add_text(hash, "field", name);
        add(hash, value);
    }
}

/// Each with its length, so that no two run together.
fn add_text(hash: &mut Sha256, form: &str, text: &str) {
    hash.update(form.as_bytes());
    hash.update(text.len().to_be_bytes());
    hash.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_of_what_is_said_and_not_of_how_it_is_written() {
        let seal_of = |text: &str| seal(&serde_json::from_str(text).unwrap());
        let one = seal_of(r#"{"a":1,"b":["x",null],"seal":"anything"}"#);
        assert_eq!(one, seal_of(r#"{ "b": ["x", null], "a": 1 }"#));
        for other in [
            r#"{"a":2,"b":["x",null]}"#,
            r#"{"a":"1","b":["x",null]}"#,
            r#"{"a":1,"b":[null,"x"]}"#,
            r#"{"a":1,"b":["x"]}"#,
            r#"{"a":1,"b":["x",null],"c":{}}"#,
            r#"{"a":1,"b":["x",null,{"seal":"y"}]}"#,
        ] {
            assert_ne!(one, seal_of(other), "{other}");
        }
    }
}
