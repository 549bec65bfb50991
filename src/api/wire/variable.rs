//! Environment variables as the API shows and takes them (A5, A14, A17).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::json::{Object, boolean, text, text_at};
use crate::model::{EnvKey, FieldValue, Kind, LiveValue, Name, Reference};

/// What masks are made of.
const MASK_CHARS: [char; 4] = ['*', '•', '●', '∗'];

/// How many of them in a row are a mask: `*` and `**` are values (an origin, a glob), and so a
/// whole value of three is the shortest mask, four in a row one within a value (`sk_****1234`).
const MASK_WHOLE_MIN: usize = 3;
const MASK_RUN_MIN: usize = 4;

/// Words that stand for a value, in any case, with or without brackets.
const MASK_WORDS: [&str; 5] = ["redacted", "masked", "hidden", "secret", "filtered"];

/// The variables that are shown.
pub(super) struct ShownVariables {
    pub values: BTreeMap<EnvKey, LiveValue>,
    /// Whether these are all: then one that is missing is not there.
    pub is_whole: bool,
}

/// Reads `env_vars`: a list of entries, or a map from key to value.
pub(super) fn read_variables(value: &Value) -> ShownVariables {
    let mut values = BTreeMap::new();
    let is_whole = match value {
        Value::Array(entries) => {
            // Every entry is read, also after one that cannot be.
            let read = entries.iter().filter(|entry| read_entry(entry, &mut values)).count();
            read == entries.len()
        }
        Value::Object(map) => {
            for (key, value) in map {
                // A key that cannot be declared cannot be missed either.
                if let Ok(key) = EnvKey::new(key) {
                    values.insert(key, read_value(value));
                }
            }
            true
        }
        _ => false,
    };
    ShownVariables { values, is_whole }
}

/// Reads one entry; says whether it could be read.
fn read_entry(entry: &Value, values: &mut BTreeMap<EnvKey, LiveValue>) -> bool {
    let Some(entry) = entry.as_object() else {
        return false;
    };
    let Some(key) = text_at(entry, "key").or_else(|| text_at(entry, "name")) else {
        return false;
    };
    if let Ok(key) = EnvKey::new(&key) {
        values.insert(key, read_entry_value(entry));
    }
    true
}

fn read_entry_value(entry: &Object) -> LiveValue {
    for (field, kind) in [("from_database", Kind::Database), ("from_service", Kind::Service)] {
        if let Some(source) = entry.get(field).and_then(Value::as_object) {
            return read_reference(kind, source)
                .map_or(LiveValue::Hidden, |it| LiveValue::Shown(it.into()));
        }
    }
    // A secret shown in the clear must not enter a plan (S9): it is compared by what was applied.
    if entry.get("secret").and_then(boolean) == Some(true) {
        return LiveValue::Hidden;
    }
    entry.get("value").map_or(LiveValue::Hidden, read_value)
}

fn read_value(value: &Value) -> LiveValue {
    match text(value) {
        Some(text) if !is_masked(&text) => LiveValue::Shown(FieldValue::Text(text)),
        Some(_) | None => LiveValue::Hidden,
    }
}

fn read_reference(kind: Kind, source: &Object) -> Option<Reference> {
    let env_key = text_at(source, "env_var_key");
    Some(Reference {
        kind,
        name: Name::new(&text_at(source, "name")?).ok()?,
        property: text_at(source, "property")?,
        env_key: env_key.map(|key| EnvKey::new(&key)).transpose().ok()?,
    })
}

/// Whether a value is a mask. When in doubt it is: a value taken for a mask is not compared, a mask
/// taken for a value is "repaired" forever.
pub(super) fn is_masked(value: &str) -> bool {
    let is_mask_char = |c: char| MASK_CHARS.contains(&c);
    let length = value.chars().count();
    if length >= MASK_WHOLE_MIN && value.chars().all(is_mask_char) {
        return true;
    }
    let mut run = 0;
    for c in value.chars() {
        run = if is_mask_char(c) { run + 1 } else { 0 };
        if run >= MASK_RUN_MIN {
            return true;
        }
    }
    let bare = value.strip_prefix(['[', '<', '(', '{']);
    let bare = bare.and_then(|bare| bare.strip_suffix([']', '>', ')', '}']));
    bare.is_some_and(|bare| MASK_WORDS.contains(&bare.to_ascii_lowercase().as_str()))
        || value.eq_ignore_ascii_case("redacted")
}

/// Returns the entry of a variable with a value.
pub(super) fn entry(key: &EnvKey, value: &str, is_secret: bool) -> Value {
    json!({ "key": key.as_str(), "value": value, "secret": is_secret })
}

/// Returns the entry that removes a variable (A5).
pub(super) fn removal(key: &EnvKey) -> Value {
    json!({ "key": key.as_str(), "value": null })
}

/// Returns the entry of a variable that the platform resolves (A17); none for an env group, which
/// has nothing to refer to.
pub(super) fn reference(key: &EnvKey, reference: &Reference) -> Option<Value> {
    let Reference { kind, name, property, env_key } = reference;
    let field = match kind {
        Kind::Database => "from_database",
        Kind::Service => "from_service",
        Kind::EnvGroup => return None,
    };
    let mut source = Map::new();
    source.insert("name".to_owned(), name.as_str().into());
    source.insert("property".to_owned(), property.as_str().into());
    if let Some(env_key) = env_key {
        source.insert("env_var_key".to_owned(), env_key.as_str().into());
    }
    Some(json!({ "key": key.as_str(), field: source }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(entry: Value, expected: &str) {
        let variables = read_variables(&json!([entry]));
        let shown = match variables.values.values().next() {
            Some(LiveValue::Shown(value)) => value.to_string(),
            Some(LiveValue::Hidden) => "hidden".to_owned(),
            Some(LiveValue::Absent) => "absent".to_owned(),
            None => format!("none, whole: {}", variables.is_whole),
        };
        assert_eq!(shown, expected, "{entry}");
    }

    #[test]
    fn a_masked_value_is_hidden_and_never_compared() {
        for mask in ["***", "********", "••••••", "[REDACTED]", "<masked>", "sk_live_****abcd"]
        {
            check(json!({"key": "A", "value": mask}), "hidden");
        }
        check(json!({"key": "A", "value": null}), "hidden");
        check(json!({"key": "A"}), "hidden");
        check(json!({"key": "A", "value": {"odd": 1}}), "hidden");
    }

    #[test]
    fn a_secret_shown_in_the_clear_is_hidden_all_the_same() {
        check(json!({"key": "A", "value": "canary", "secret": true}), "hidden");
        check(json!({"key": "A", "value": "canary", "secret": "true"}), "hidden");
    }

    #[test]
    fn a_value_that_only_looks_a_little_like_a_mask_is_shown() {
        for value in ["*", "**", "* * * * *", "secret", "a**b", "", "/**/*.rs"] {
            check(json!({"key": "A", "value": value}), value);
        }
        check(json!({"key": "A", "value": 8080}), "8080");
        check(json!({"key": "A", "value": true}), "true");
    }

    #[test]
    fn references_are_read_and_odd_ones_hidden() {
        let source = json!({"name": "main", "property": "connectionString"});
        check(
            json!({"key": "A", "from_database": source}),
            "(from database/main:connectionString)",
        );
        check(json!({"key": "A", "from_service": {"name": "../x", "property": "url"}}), "hidden");
    }

    #[test]
    fn an_entry_without_a_key_leaves_open_which_variables_there_are() {
        check(json!({"value": "1"}), "none, whole: false");
        check(json!("A=1"), "none, whole: false");
        check(json!({"key": "not declarable", "value": "1"}), "none, whole: true");
        assert!(!read_variables(&json!("hidden")).is_whole);
        assert!(read_variables(&json!({"A": "1"})).is_whole);
    }
}
