//! Why something was refused, in the words of whatever refused it.
//!
//! The vendor documents `error.message` (F7). Frameworks and gateways say it in `message`, which may
//! be a list, in `detail`, `details` or `errors`, or in a map of fields; all of it is told, because
//! a refusal without its reason helps nobody.

use serde_json::{Map, Value};

/// Where the sentence stands, the most telling first.
const SENTENCES: [&str; 5] = ["message", "detail", "title", "error_description", "msg"];

/// Where single mistakes stand.
const MISTAKES: [&str; 5] = ["details", "errors", "violations", "issues", "invalid_params"];

/// Where a mistake names its field.
const FIELDS: [&str; 7] = ["field", "path", "loc", "param", "property", "name", "pointer"];

/// Where a mistake says what it is; `constraints` is a map from rule to sentence.
const WORDS: [&str; 6] = ["message", "msg", "reason", "detail", "description", "constraints"];

/// What is said of every refusal, and is no reason.
const BESIDE: [&str; 12] = [
    "code",
    "status",
    "statusCode",
    "request_id",
    "requestId",
    "timestamp",
    "type",
    "instance",
    "error",
    "success",
    "trace_id",
    "path",
];

/// How deep a reason is looked for: fields of fields, no further.
const DEPTH_MAX: u32 = 4;

/// How much of one part is told; whoever shows it all bounds it again.
const PART_BYTES_MAX: usize = 16 * 1024;

/// Returns the reason that a body gives; empty where it gives none.
pub(super) fn of(body: Option<&Value>) -> String {
    let Some(object) = body.and_then(Value::as_object) else {
        return body.map_or_else(String::new, |body| said(body, DEPTH_MAX));
    };
    let error = object.get("error");
    let mut parts: Vec<String> = Vec::new();
    for place in error.and_then(Value::as_object).into_iter().chain([object]) {
        let sentence = SENTENCES.iter().find_map(|key| spoken(place, key));
        let mistakes = MISTAKES.iter().filter_map(|key| spoken(place, key));
        for part in sentence.into_iter().chain(mistakes) {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
    }
    if parts.is_empty() {
        let word = error.map(|error| said(error, DEPTH_MAX)).filter(|word| !word.is_empty());
        parts.extend(word.or_else(|| Some(fields(object, DEPTH_MAX))));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(": ")
}

fn spoken(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key).map(|value| said(value, DEPTH_MAX)).filter(|text| !text.is_empty())
}

/// Says a value: a text as it is, a list one after the other, an object as its mistake.
fn said(value: &Value, depth: u32) -> String {
    let Some(deeper) = depth.checked_sub(1) else {
        return String::new();
    };
    match value {
        Value::String(text) => text.chars().take(PART_BYTES_MAX).collect(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => joined(items.iter().map(|item| said(item, deeper))),
        Value::Object(object) => {
            let field = FIELDS.iter().find_map(|key| object.get(*key)).map(place);
            let words = WORDS.iter().find_map(|key| object.get(*key));
            match (field, words) {
                (Some(field), Some(words)) => format!("{field}: {}", said(words, deeper)),
                (None, Some(words)) => said(words, deeper),
                (_, None) => fields(object, depth),
            }
        }
        Value::Null | Value::Bool(_) => String::new(),
    }
}

/// Says where a mistake is: `loc` is a list of steps.
fn place(value: &Value) -> String {
    match value {
        Value::Array(steps) => {
            let steps = steps.iter().map(|step| said(step, 1));
            steps.collect::<Vec<_>>().join(".")
        }
        one => said(one, 1),
    }
}

/// Says a map from field to mistake.
fn fields(object: &Map<String, Value>, depth: u32) -> String {
    let Some(deeper) = depth.checked_sub(1) else {
        return String::new();
    };
    let mistakes = object.iter().filter(|(key, _)| !BESIDE.contains(&key.as_str()));
    joined(mistakes.map(|(key, value)| match said(value, deeper) {
        text if text.is_empty() => text,
        text => format!("{key}: {text}"),
    }))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for part in parts.filter(|part| !part.is_empty()) {
        if text.len() > PART_BYTES_MAX {
            break;
        }
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&part);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reason_is_found_wherever_a_server_gives_it() {
        for (body, reason) in [
            (json!({"error": {"code": "x", "message": "bad region"}}), "bad region"),
            (json!({"error": "bad region"}), "bad region"),
            (
                json!({"statusCode": 400, "message": ["a is bad", "b too"], "error": "Bad Request"}),
                "a is bad; b too",
            ),
            (
                json!({"message": "Validation failed", "errors": [
                {"field": "plan", "message": "is unknown"}]}),
                "Validation failed: plan: is unknown",
            ),
            (
                json!({"detail": [{"loc": ["body", "port"], "msg": "no number", "type": "int"}]}),
                "body.port: no number",
            ),
            (json!({"detail": "Not authenticated"}), "Not authenticated"),
            (
                json!({"name": ["This field is required."], "scaling": {"min": ["too small"]}}),
                "name: This field is required.; scaling: min: too small",
            ),
            (
                json!({"error": {"message": "invalid", "details": {"plan": "no such plan"}}}),
                "invalid: plan: no such plan",
            ),
            (
                json!({"title": "Bad", "violations": [{"property": "a", "constraints":
                {"isInt": "a must be whole"}}]}),
                "Bad: a: isInt: a must be whole",
            ),
            (json!({"error": ["a is bad", "b too"]}), "a is bad; b too"),
            (json!({"error": {"code": "invalid", "plan": ["is unknown"]}}), "plan: is unknown"),
            (json!({"error": {"code": "invalid"}, "hint": "ask"}), "hint: ask"),
            (json!({"code": 3, "status": 400, "timestamp": "now"}), ""),
            (json!(["one", "two"]), "one; two"),
            (json!(null), ""),
        ] {
            assert_eq!(of(Some(&body)), reason, "{body}");
        }
        assert_eq!(of(None), "");
    }
}
