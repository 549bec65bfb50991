//! The JSON Schema of documents of overlays: that of native documents, which demands less and allows
//! what only an overlay says.

use serde_json::{Value, json};

use super::schema::schema;

/// What a document of an overlay has, too: everything else may come from below.
const ALWAYS: [&str; 2] = ["kind", "key"];

/// Returns the JSON Schema (draft-07) of one document of an overlay.
#[must_use]
pub fn overlay_schema() -> Value {
    let mut root = schema();
    root["$id"] = json!("urn:stoker:schema:overlay");
    root["title"] = json!("Stoker overlay");
    root["description"] =
        json!("A document that is laid over one, or over several, of the manifests.");
    for part in ["oneOf", "definitions"] {
        match &mut root[part] {
            Value::Array(parts) => parts.iter_mut().for_each(loosen),
            Value::Object(parts) => parts.values_mut().for_each(loosen),
            _ => {}
        }
    }
    for document in root["oneOf"].as_array_mut().into_iter().flatten() {
        if document["properties"]["kind"]["const"] != "Project" {
            head(document);
        }
    }
    root
}

/// Demands nothing that may come from below, and lets `null` take it away.
fn loosen(object: &mut Value) {
    let Some(required) = object["required"].as_array().cloned() else { return };
    let is_always = |name: &Value| ALWAYS.iter().any(|always| name == always);
    let (always, others): (Vec<Value>, Vec<Value>) = required.into_iter().partition(is_always);
    for name in others.iter().filter_map(Value::as_str) {
        let demanded = object["properties"][name].take();
        object["properties"][name] = json!({ "anyOf": [demanded, { "type": "null" }] });
    }
    object["required"] = always.into();
}

/// Adds what the head of a resource may say: which it is laid over, and that it is left out.
fn head(document: &mut Value) {
    document["properties"]["select"] = json!({
        "description": "Labels: the document is laid over every resource of its kind that has them.",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": { "$ref": "#/definitions/Scalar" },
    });
    document["properties"]["omit"] = json!({
        "description": "`true`: the resource is left out of this environment.",
        "const": true,
    });
    let named = json!({
        "required": ["metadata"],
        "properties": { "metadata": { "type": "object", "required": ["name"] } },
    });
    document["oneOf"] = json!([named, { "required": ["select"] }]);
    document["allOf"] = json!([
        { "not": { "required": ["omit", "spec"] } },
        { "not": { "required": ["omit", "lifecycle"] } },
    ]);
}
