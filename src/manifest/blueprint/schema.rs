//! The JSON Schema of Blueprints, made of the table of their words.

use serde_json::{Map, Value, json};

use super::words::{Fate, MappingKind};

/// How the mappings of a word are written.
#[derive(Clone, Copy, Debug)]
enum Written {
    /// One mapping.
    One(MappingKind),
    /// A text, or a mapping.
    TextOr(MappingKind),
    /// A list of mappings, or one mapping of their names to them.
    List(MappingKind),
    /// A list of mappings with a `key`, or one mapping of keys to texts or mappings.
    Pairs(MappingKind),
}

/// Returns the JSON Schema (draft-07) of a Blueprint.
///
/// What `validate` would warn of as unknown does not match it. A word that is left out is described
/// as such; it matches, since a Blueprint may be written for another platform as well.
#[must_use]
pub fn blueprint_schema() -> Value {
    let definitions: Map<String, Value> = MappingKind::ALL
        .into_iter()
        .filter(|place| *place != MappingKind::Top)
        .map(|place| (definition(place).to_owned(), mapping(place)))
        .collect();
    let mut root = mapping(MappingKind::Top);
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    root["$id"] = json!("urn:stoker:schema:blueprint");
    root["title"] = json!("Blueprint");
    root["description"] = json!("A file of the vendor's form, as Stoker reads it.");
    root["definitions"] = definitions.into();
    root
}

fn mapping(place: MappingKind) -> Value {
    let properties: Map<String, Value> = place
        .words()
        .iter()
        .map(|(word, fate)| ((*word).to_owned(), property(place, word, *fate)))
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn property(place: MappingKind, word: &str, fate: Fate) -> Value {
    let description = match fate {
        Fate::Home(home) => format!("Becomes {home}."),
        Fate::Without(reason) => format!("Left out: {reason}."),
    };
    let mut property = json!({ "description": description });
    if let Some(written) = written(place, word) {
        property["anyOf"] = json!(forms(written));
    }
    property
}

fn forms(written: Written) -> Vec<Value> {
    let text = || json!({ "type": ["string", "number", "boolean"] });
    let mut forms = match written {
        Written::One(place) => vec![reference(place)],
        Written::TextOr(place) => vec![text(), reference(place)],
        Written::List(place) => vec![
            json!({ "type": "array", "items": item(place) }),
            json!({ "type": "object", "additionalProperties": item(place) }),
        ],
        Written::Pairs(place) => {
            let value = json!({ "anyOf": [text(), reference(place), { "type": "null" }] });
            vec![
                // `env: docker` is a runtime.
                text(),
                json!({ "type": "array", "items": reference(place) }),
                json!({ "type": "object", "additionalProperties": value }),
            ]
        }
    };
    // An empty value says the same as none.
    forms.push(json!({ "type": "null" }));
    forms
}

/// Returns what may stand in a list. The older form has databases among the services.
fn item(place: MappingKind) -> Value {
    match place {
        MappingKind::Service => {
            json!({ "anyOf": [reference(place), reference(MappingKind::Database)] })
        }
        place => reference(place),
    }
}

fn reference(place: MappingKind) -> Value {
    json!({ "$ref": format!("#/definitions/{}", definition(place)) })
}

/// Returns how a word is written whose value is made of mappings.
fn written(place: MappingKind, word: &str) -> Option<Written> {
    use MappingKind as At;
    Some(match (place, word) {
        (At::Top, "pipeline") => Written::TextOr(At::Pipeline),
        (At::Top, "projects") => Written::List(At::Project),
        (At::Top, "ungrouped") => Written::One(At::Ungrouped),
        (At::Project, "environments") => Written::List(At::Environment),
        (At::Top | At::Environment | At::Ungrouped, "services") => Written::List(At::Service),
        (At::Top | At::Environment | At::Ungrouped, "databases" | "caches") => {
            Written::List(At::Database)
        }
        (At::Top | At::Project | At::Environment | At::Ungrouped, "envVarGroups" | "envGroups") => {
            Written::List(At::Group)
        }
        (At::Service, "image") => Written::TextOr(At::Image),
        (At::Service, "healthCheck" | "healthcheck") => Written::TextOr(At::HealthCheck),
        (At::Service, "scaling") => Written::One(At::Scaling),
        (At::Service, "disk") => Written::One(At::Disk),
        (At::Service | At::Group, "envVars") | (At::Service, "env") => Written::Pairs(At::Variable),
        (At::Variable, "fromDatabase" | "fromService" | "fromCache") => Written::One(At::Reference),
        _ => return None,
    })
}

const fn definition(place: MappingKind) -> &'static str {
    match place {
        MappingKind::Top => "Blueprint",
        MappingKind::Pipeline => "Pipeline",
        MappingKind::Project => "Project",
        MappingKind::Environment => "Environment",
        MappingKind::Ungrouped => "Ungrouped",
        MappingKind::Service => "Service",
        MappingKind::Image => "Image",
        MappingKind::HealthCheck => "HealthCheck",
        MappingKind::Scaling => "Scaling",
        MappingKind::Disk => "Disk",
        MappingKind::Database => "Database",
        MappingKind::Group => "EnvGroup",
        MappingKind::Variable => "Variable",
        MappingKind::Reference => "Reference",
    }
}
