//! Environment variables of services and env groups (A5, A14, A17).
//!
//! Values, references and how secrets look in an answer. Whether a reference points at
//! something that exists is asked of the world, not here.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::choice::{EnvPatch, Secrets};
use super::config::EmulatorConfig;
use super::problem::ApiProblem;

/// The most variables of one service, as documented.
pub(crate) const VARIABLES_MAX: usize = 200;

/// The most bytes of one value, as documented.
pub(crate) const VALUE_BYTES_MAX: usize = 65_535;

/// What stands in place of a secret.
pub(crate) const MASK: &str = "********";

/// One variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Variable {
    pub(crate) key: String,
    pub(crate) source: VariableSource,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VariableSource {
    Value { value: String, secret: bool },
    Database(PropertyReference),
    Service(PropertyReference),
}

/// A property of something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PropertyReference {
    pub(crate) name: String,
    pub(crate) property: String,
    /// Which variable of a service, where a variable is what is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) env_var_key: Option<String>,
}

/// One entry of a body.
enum Entry {
    Set(Variable),
    Remove(String),
}

/// Applies the `env_vars` of a body.
pub(crate) fn apply(
    meaning: EnvPatch,
    variables: &mut Vec<Variable>,
    body: &Value,
) -> Result<(), ApiProblem> {
    let entries = match body {
        Value::Null => &Vec::new(),
        Value::Array(entries) => entries,
        _ => return Err(ApiProblem::invalid("env_vars must be an array")),
    };
    if meaning == EnvPatch::Replace || body.is_null() {
        variables.clear();
    }
    for entry in entries {
        match (parse(entry)?, meaning) {
            (Entry::Set(new), _) => upsert(variables, new),
            (Entry::Remove(key), EnvPatch::Merge) => variables.retain(|old| old.key != key),
            (Entry::Remove(key), EnvPatch::Replace) => {
                return Err(ApiProblem::invalid(format!("the value of {key} must be a string")));
            }
        }
    }
    if variables.len() > VARIABLES_MAX {
        let message = format!("a service has at most {VARIABLES_MAX} variables");
        return Err(ApiProblem::new(400, "too_many_variables", message));
    }
    Ok(())
}

/// Writes the variables as an answer shows them, or nothing where the API hides them.
pub(crate) fn show(config: &EmulatorConfig, variables: &[Variable]) -> Option<Value> {
    let mode = config.secrets;
    (mode != Secrets::Hidden).then(|| variables.iter().map(|one| show_one(mode, one)).collect())
}

fn show_one(mode: Secrets, variable: &Variable) -> Value {
    let Variable { key, source } = variable;
    match source {
        VariableSource::Value { value, secret: false } => {
            json!({"key": key, "value": value, "secret": false})
        }
        VariableSource::Value { value, secret: true } => match mode {
            Secrets::Masked => json!({"key": key, "value": MASK, "secret": true}),
            Secrets::Omitted | Secrets::Hidden => json!({"key": key, "secret": true}),
            Secrets::Echoed => json!({"key": key, "value": value, "secret": true}),
        },
        VariableSource::Database(reference) => json!({"key": key, "from_database": reference}),
        VariableSource::Service(reference) => json!({"key": key, "from_service": reference}),
    }
}

fn upsert(variables: &mut Vec<Variable>, new: Variable) {
    match variables.iter_mut().find(|old| old.key == new.key) {
        Some(old) => *old = new,
        None => variables.push(new),
    }
}

fn parse(entry: &Value) -> Result<Entry, ApiProblem> {
    let key = match entry.get("key").and_then(Value::as_str) {
        Some(key) if !key.is_empty() => key.to_owned(),
        _ => return Err(ApiProblem::invalid("each of env_vars must have a key")),
    };
    for (field, source) in [
        ("from_database", VariableSource::Database as fn(PropertyReference) -> VariableSource),
        ("from_service", VariableSource::Service),
    ] {
        if let Some(reference) = entry.get(field) {
            let reference = serde_json::from_value(reference.clone()).map_err(|_| {
                ApiProblem::invalid(format!("{field} of {key} must have a name and a property"))
            })?;
            return Ok(Entry::Set(Variable { key, source: source(reference) }));
        }
    }
    let secret = match entry.get("secret") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(secret)) => *secret,
        Some(_) => {
            return Err(ApiProblem::invalid(format!("secret of {key} must be a boolean")));
        }
    };
    match entry.get("value") {
        Some(Value::Null) => Ok(Entry::Remove(key)),
        Some(Value::String(value)) if value.len() > VALUE_BYTES_MAX => {
            let message = format!("the value of {key} is longer than {VALUE_BYTES_MAX} bytes");
            Err(ApiProblem::new(400, "value_too_long", message))
        }
        Some(Value::String(value)) => Ok(Entry::Set(Variable {
            key,
            source: VariableSource::Value { value: value.clone(), secret },
        })),
        _ => Err(ApiProblem::invalid(format!("the value of {key} must be a string"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(meaning: EnvPatch, bodies: &[Value], expected: &str) {
        let mut variables = Vec::new();
        let outcome = bodies.iter().try_for_each(|body| apply(meaning, &mut variables, body));
        let shown = match outcome {
            Ok(()) => variables.iter().map(|one| one.key.as_str()).collect::<Vec<_>>().join(" "),
            Err(problem) => problem.message,
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_merge_keeps_what_it_does_not_name() {
        let first = json!([{"key": "A", "value": "1"}, {"key": "B", "value": "2"}]);
        let second = json!([{"key": "B", "value": null}, {"key": "C", "value": "3"}]);
        check(EnvPatch::Merge, &[first.clone(), second], "A C");
        check(EnvPatch::Replace, &[first, json!([{"key": "C", "value": "3"}])], "C");
    }

    #[test]
    fn a_list_that_replaces_cannot_remove() {
        let body = json!([{"key": "A", "value": null}]);
        check(EnvPatch::Replace, &[body], "the value of A must be a string");
    }

    #[test]
    fn limits_are_those_of_the_platform() {
        let many = |count: usize| -> Value {
            (0..count).map(|number| json!({"key": format!("K{number}"), "value": ""})).collect()
        };
        let mut variables = Vec::new();
        assert!(apply(EnvPatch::Merge, &mut variables, &many(200)).is_ok());
        check(EnvPatch::Merge, &[many(201)], "a service has at most 200 variables");
        let long = |bytes: usize| json!([{"key": "A", "value": "x".repeat(bytes)}]);
        check(EnvPatch::Merge, &[long(65_535)], "A");
        check(EnvPatch::Merge, &[long(65_536)], "the value of A is longer than 65535 bytes");
    }

    #[test]
    fn a_wrong_entry_is_refused() {
        for (body, expected) in [
            (json!("A=1"), "env_vars must be an array"),
            (json!([{"value": "1"}]), "each of env_vars must have a key"),
            (json!([{"key": "A"}]), "the value of A must be a string"),
            (json!([{"key": "A", "value": 1}]), "the value of A must be a string"),
            (json!([{"key": "A", "value": "", "secret": 1}]), "secret of A must be a boolean"),
            (
                json!([{"key": "A", "from_database": {"name": "main"}}]),
                "from_database of A must have a name and a property",
            ),
        ] {
            check(EnvPatch::Merge, &[body], expected);
        }
    }

    #[test]
    fn secrets_look_as_the_dialect_says() {
        let mut variables = Vec::new();
        let body = json!([{"key": "S", "value": "hunter2", "secret": true}]);
        apply(EnvPatch::Merge, &mut variables, &body).unwrap();
        for (secrets, expected) in [
            (Secrets::Masked, Some(json!([{"key": "S", "value": "********", "secret": true}]))),
            (Secrets::Omitted, Some(json!([{"key": "S", "secret": true}]))),
            (Secrets::Echoed, Some(json!([{"key": "S", "value": "hunter2", "secret": true}]))),
            (Secrets::Hidden, None),
        ] {
            let config = EmulatorConfig { secrets, ..EmulatorConfig::default() };
            assert_eq!(show(&config, &variables), expected);
        }
    }
}
