//! The JSON Schema of `stoker.yaml`, for editors.
//!
//! It is made of the very types that are decoded, so that it cannot say anything else than reading
//! does; only which key belongs to which level is added here.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::daemon::notify::ProjectOutcome;

use super::keys::{KeyScope, Keys};

/// Returns the JSON Schema (draft-07) of `stoker.yaml`.
#[must_use]
pub fn schema() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut root = generator.into_root_schema_for::<Keys>().to_value();
    let mut project = json!({
        "description": "One of several projects: its name, and what differs for it.",
        "type": "object",
        "additionalProperties": false,
        "required": ["name"],
    });
    let all = root["properties"].as_object().cloned().unwrap_or_default();
    let of = |left_out: KeyScope| {
        let keys = all.iter().filter(move |(key, _)| KeyScope::of(key) != left_out);
        keys.map(|(key, schema)| (key.clone(), schema.clone())).collect::<Value>()
    };
    project["properties"] = of(KeyScope::Process);
    root["properties"] = of(KeyScope::Project);
    root["properties"]["projects"] = json!({
        "description": "Several projects in one process. Keys next to it are the defaults of each.",
        "type": "array",
        "items": project,
    });
    root["title"] = json!("Stoker settings");
    root["description"] = json!("The settings of Stoker: stoker.yaml.");
    root
}

/// `90s`, `5m`, `2h30m`.
pub(super) fn duration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": DURATION })
}

/// A duration, or `off`.
pub(super) fn duration_or_off(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [
        { "type": "string", "pattern": DURATION },
        { "enum": ["off", false] },
    ]})
}

/// A duration, where there may be none.
pub(super) fn duration_or_none(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "pattern": DURATION })
}

/// How a project stands, in one word each.
pub(super) fn outcomes(_: &mut SchemaGenerator) -> Schema {
    let words = ProjectOutcome::ALL.map(ProjectOutcome::as_str);
    json_schema!({ "type": ["array", "null"], "items": { "enum": words }, "minItems": 1 })
}

/// `285/m`, or the bare number.
pub(super) fn rate(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "integer"],
        "pattern": "^[0-9]+(/m)?$",
        "minimum": 0,
        "maximum": 300,
    })
}

/// A boolean, or kinds.
pub(super) fn prune(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["boolean", "string", "array"], "items": { "type": "string" } })
}

/// When what lives already is taken over.
pub(super) fn adopt(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["always", "match", "never"] })
}

const DURATION: &str = "^([0-9]+(ms|s|m|h|d))+$";
