//! The settings of a service (A3): which there are, what each may hold, what changes what runs.
//!
//! One table, read by the validation of bodies, by the decision whether a patch deploys (A6),
//! and by the OpenAPI document, so the three cannot disagree.

use serde_json::{Map, Value, json};

use super::choice::Normalises;
use super::config::EmulatorConfig;
use super::problem::ApiProblem;

/// One setting.
pub(crate) struct SettingRow {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// A change of it needs a deployment (A6).
    pub(crate) runs: bool,
}

/// What a setting may hold.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Text,
    Texts,
    Flag,
    Whole { min: u64, max: u64 },
    Parts(&'static [(&'static str, Shape)]),
}

/// The largest whole number a body may hold: beyond it JSON readers differ.
const WHOLE_MAX: u64 = 1 << 53;

const POSITIVE: Shape = Shape::Whole { min: 1, max: WHOLE_MAX };

const SCALING: Shape = Shape::Parts(&[
    ("min_instances", Shape::Whole { min: 0, max: 1_000 }),
    ("max_instances", Shape::Whole { min: 1, max: 1_000 }),
    ("target_cpu_percent", Shape::Whole { min: 1, max: 100 }),
]);

const DISK: Shape =
    Shape::Parts(&[("name", Shape::Text), ("mount_path", Shape::Text), ("size_gb", POSITIVE)]);

/// The settings in the order in which an answer shows them.
pub(crate) const SETTINGS: [SettingRow; 18] = [
    runs("runtime", Shape::Text),
    runs("repo", Shape::Text),
    runs("branch", Shape::Text),
    runs("root_dir", Shape::Text),
    runs("dockerfile_path", Shape::Text),
    runs("image", Shape::Text),
    runs("build_command", Shape::Text),
    runs("start_command", Shape::Text),
    runs("pre_deploy_command", Shape::Text),
    runs("port", Shape::Whole { min: 1, max: 65_535 }),
    runs("plan", Shape::Text),
    runs("region", Shape::Text),
    beside("schedule", Shape::Text),
    runs("health_check_path", Shape::Text),
    beside("scaling", SCALING),
    runs("disk", DISK),
    beside("auto_deploy", Shape::Flag),
    beside("domains", Shape::Texts),
];

/// The names of a service's env groups (A14): checked against what exists, not only by shape.
pub(crate) const ENV_GROUPS: SettingRow = runs("env_groups", Shape::Texts);

/// What a database is created with beside its name (A16).
pub(crate) const DATABASE: [SettingRow; 7] = [
    runs("type", Shape::Text),
    runs("version", Shape::Text),
    runs("plan", Shape::Text),
    runs("region", Shape::Text),
    runs("storage_gb", POSITIVE),
    runs("database_name", Shape::Text),
    runs("user", Shape::Text),
];

const fn runs(name: &'static str, shape: Shape) -> SettingRow {
    SettingRow { name, shape, runs: true }
}

const fn beside(name: &'static str, shape: Shape) -> SettingRow {
    SettingRow { name, shape, runs: false }
}

/// Returns the settings of a service, env groups last.
pub(crate) fn of_service() -> impl Iterator<Item = &'static SettingRow> {
    SETTINGS.iter().chain([&ENV_GROUPS])
}

/// Merges one patched field, as RFC 7396 says: `null` removes, objects merge.
pub(crate) fn merge(target: &mut Map<String, Value>, field: &str, patch: &Value) {
    match patch {
        Value::Null => {
            target.remove(field);
        }
        Value::Object(parts) => {
            let mut merged = match target.get(field) {
                Some(Value::Object(old)) => old.clone(),
                _ => Map::new(),
            };
            for (part, value) in parts {
                merge(&mut merged, part, value);
            }
            target.insert(field.into(), Value::Object(merged));
        }
        other => {
            target.insert(field.into(), other.clone());
        }
    }
}

/// Checks that a value has the shape of its setting.
pub(crate) fn check(field: &str, shape: Shape, value: &Value) -> Result<(), ApiProblem> {
    let wrong = |expected: &str| Err(ApiProblem::invalid(format!("{field} must be {expected}")));
    match (shape, value) {
        (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Bool(_)) => Ok(()),
        (Shape::Text, _) => wrong("a string"),
        (Shape::Flag, _) => wrong("true or false"),
        (Shape::Texts, Value::Array(items)) if items.iter().all(Value::is_string) => Ok(()),
        (Shape::Texts, _) => wrong("an array of strings"),
        (Shape::Whole { min, max }, number) => match whole(number) {
            Some(number) if (min..=max).contains(&number) => Ok(()),
            _ => wrong(&format!("a whole number from {min} to {max}")),
        },
        (Shape::Parts(parts), Value::Object(given)) => {
            for (part, value) in given {
                let Some((_, shape)) = parts.iter().find(|(name, _)| name == part) else {
                    return Err(ApiProblem::invalid(format!("{field}.{part} is not a setting")));
                };
                check(&format!("{field}.{part}"), *shape, value)?;
            }
            Ok(())
        }
        (Shape::Parts(_), _) => wrong("an object"),
    }
}

/// Reads a whole number, also one that is written like `3.0`, which JSON Schema calls an integer.
fn whole(number: &Value) -> Option<u64> {
    let as_float = || number.as_f64().filter(|float| float.fract() == 0.0 && *float >= 0.0);
    number.as_u64().or_else(|| as_float().map(|float| float as u64))
}

/// Rewrites settings as the platform does, if it does.
pub(crate) fn normalise(config: &EmulatorConfig, settings: &mut Map<String, Value>) {
    if config.normalises != Normalises::Everything {
        return;
    }
    if let Some(Value::String(branch)) = settings.get_mut("branch") {
        *branch = branch.to_lowercase();
    }
    if let Some(Value::String(repo)) = settings.get_mut("repo") {
        *repo = repo.trim_end_matches('/').into();
    }
    if let Some(Value::Array(domains)) = settings.get_mut("domains") {
        for domain in domains {
            *domain =
                domain.as_str().map(|text| json!(text.trim().to_lowercase())).unwrap_or_default();
        }
    }
}

/// Writes the JSON Schema of a shape; each setting may be `null`, which is to be unset.
pub(crate) fn schema(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({"type": ["string", "null"]}),
        Shape::Texts => json!({"type": ["array", "null"], "items": {"type": "string"}}),
        Shape::Flag => json!({"type": ["boolean", "null"]}),
        Shape::Whole { min, max } => {
            json!({"type": ["integer", "null"], "minimum": min, "maximum": max})
        }
        Shape::Parts(parts) => {
            let properties: Map<String, Value> =
                parts.iter().map(|(name, shape)| ((*name).into(), schema(*shape))).collect();
            json!({
                "type": ["object", "null"],
                "properties": properties,
                "additionalProperties": false,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_merge(before: Value, patch: Value, expected: Value) {
        let mut target = before.as_object().unwrap().clone();
        for (field, value) in patch.as_object().unwrap() {
            merge(&mut target, field, value);
        }
        assert_eq!(Value::Object(target), expected);
    }

    #[test]
    fn a_patch_merges_objects_replaces_arrays_and_removes_nulls() {
        check_merge(
            json!({"port": 80, "scaling": {"min_instances": 1, "max_instances": 3}, "domains": ["a"]}),
            json!({"port": null, "scaling": {"max_instances": 5, "min_instances": null}, "domains": []}),
            json!({"scaling": {"max_instances": 5}, "domains": []}),
        );
    }

    #[test]
    fn a_value_of_the_wrong_shape_is_refused_by_name() {
        for (name, value, expected) in [
            ("branch", json!(1), "branch must be a string"),
            ("port", json!(0), "port must be a whole number from 1 to 65535"),
            ("port", json!(1.5), "port must be a whole number from 1 to 65535"),
            ("auto_deploy", json!("yes"), "auto_deploy must be true or false"),
            ("domains", json!([1]), "domains must be an array of strings"),
            (
                "scaling",
                json!({"max_instances": 0}),
                "scaling.max_instances must be a whole number from 1 to 1000",
            ),
            ("scaling", json!({"max": 1}), "scaling.max is not a setting"),
            ("disk", json!(3), "disk must be an object"),
        ] {
            let setting = of_service().find(|setting| setting.name == name).unwrap();
            assert_eq!(check(name, setting.shape, &value).unwrap_err().message, expected);
        }
    }
}
