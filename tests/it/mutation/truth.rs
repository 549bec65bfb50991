//! What is declared, looked for in the platform's own truth: a second reading of the manifest,
//! which shares nothing with the program's.

use serde_json::Value;
use stoker::emulator::Kind;

use crate::stage::Stage;

/// Asserts that every plain field of a document is on the platform as declared.
pub fn is_as_declared(stage: &Stage, document: &Value, context: &str) {
    let kind = match document["kind"].as_str() {
        Some("Service") => Kind::Service,
        Some("Database") => Kind::Database,
        Some("EnvGroup") => Kind::EnvGroup,
        _ => return,
    };
    let things = stage.emulator.truth(kind);
    let named = things.iter().filter(|thing| thing["name"] == document["metadata"]["name"]);
    let [thing] = named.collect::<Vec<_>>()[..] else {
        panic!("{context}: not there exactly once: {document:#}");
    };
    for (field, value) in document["spec"].as_object().unwrap() {
        match (field.as_str(), value) {
            ("state", _) | (_, Value::Null) => {}
            ("envVars", _) => variables_are(thing, value, context),
            ("envGroups", _) => {
                let count = thing["env_groups"].as_array().map_or(0, Vec::len);
                assert_eq!(count, value.as_array().unwrap().len(), "{context}: {thing:#}");
            }
            ("type", _) => {
                let word = in_words_of_the_api(value.as_str().unwrap());
                assert_eq!(thing["type"], word, "{context}: {thing:#}");
            }
            (field, value) => is_shown(&thing[snake(field)], value, &format!("{context}: {field}")),
        }
    }
}

/// Compares a value with what is there: numbers by what they say, lists as sets.
fn is_shown(there: &Value, declared: &Value, context: &str) {
    match declared {
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                is_shown(&there[snake(name)], value, &format!("{context}.{name}"));
            }
        }
        Value::Array(items) => {
            let there = there.as_array().map_or(&[][..], Vec::as_slice);
            assert!(items.iter().all(|item| there.contains(item)), "{context}: {there:?}");
            assert!(there.iter().all(|item| items.contains(item)), "{context}: {there:?}");
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            assert_eq!(text(there), text(declared), "{context}");
        }
    }
}

fn variables_are(thing: &Value, declared: &Value, context: &str) {
    let there = thing["env_vars"].as_array().map_or(&[][..], Vec::as_slice);
    let declared = declared.as_array().unwrap();
    for variable in declared.iter().filter(|variable| !variable["value"].is_null()) {
        let found = there.iter().find(|it| it["key"] == variable["key"]);
        let found = found.unwrap_or_else(|| panic!("{context}: {variable} is not there"));
        assert_eq!(text(&found["value"]), text(&variable["value"]), "{context}");
    }
    // A variable that no manifest declares any more is gone.
    let is_declared = |it: &&Value| declared.iter().any(|variable| variable["key"] == it["key"]);
    assert_eq!(there.iter().filter(is_declared).count(), there.len(), "{context}: {there:?}");
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn in_words_of_the_api(word: &str) -> &str {
    match word {
        "web" => "web_service",
        "worker" => "background_worker",
        "cron" => "cron_job",
        "static" => "static_site",
        // The platform's own name for it.
        "postgres" => "postgresql",
        other => other,
    }
}

/// Writes `targetCPUPercent` as `target_cpu_percent`.
fn snake(field: &str) -> String {
    let field = field.replace("CPU", "Cpu").replace("GB", "Gb");
    let mut out = String::new();
    for letter in field.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
