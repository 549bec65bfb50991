//! What the fields of each thing are, as far as what was sent and done at the platform tells: by
//! this a write is judged that overwrites what somebody has changed meanwhile (S10).
//!
//! It is no copy of the platform. What nobody ever wrote, and every secret, is not known, and what
//! is not known is never held against anybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::emulator::{Act, Mutation, Quirk, Verb};

/// Fields by the platform's names, of settings and variables each by itself, as `scaling.max` and
/// `env_vars.KEY`. Null for what was taken away.
pub(super) type Fields = BTreeMap<String, Value>;

/// What stands before the name of a variable.
pub(super) const VARIABLE: &str = "env_vars.";

/// What is known of everything, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownFields {
    things: BTreeMap<String, Arc<Fields>>,
    /// What the platform holds otherwise than it was sent: of such a field nothing is known.
    quirks: Vec<Quirk>,
}

impl KnownFields {
    /// Knows nothing yet, of a platform that has these quirks.
    pub fn beneath(quirks: &[Quirk]) -> Self {
        Self { things: BTreeMap::new(), quirks: quirks.to_vec() }
    }

    /// Returns what is known of a thing now.
    pub fn of(&self, id: &str) -> Arc<Fields> {
        self.things.get(id).map(Arc::clone).unwrap_or_default()
    }

    /// Learns from a request that was carried out.
    pub fn hear(&mut self, effects: &[Mutation], body: Option<&Value>) {
        for effect in effects {
            match effect.verb {
                Verb::Created | Verb::Patched => self.write(&effect.id, body),
                Verb::Deleted => drop(self.things.remove(&effect.id)),
                Verb::Deployed | Verb::RolledBack => {}
            }
        }
    }

    /// Learns from what somebody did.
    pub fn see(&mut self, effects: &[Mutation], act: Option<&Act>) {
        match act {
            Some(Act::Create { kind: _, body }) => self.hear(effects, Some(body)),
            Some(Act::SetField { id, field, value }) if !effects.is_empty() => {
                self.set(id, field.clone(), value.clone().unwrap_or_default());
            }
            Some(Act::SetVariable { kind: _, id, key, value }) if !effects.is_empty() => {
                let value = value.clone().map_or(Value::Null, Value::String);
                self.set(id, format!("{VARIABLE}{key}"), value);
            }
            Some(Act::Rename { kind: _, id, name }) if !effects.is_empty() => {
                self.set(id, "name".to_owned(), Value::String(name.clone()));
            }
            Some(
                Act::SetField { .. }
                | Act::SetVariable { .. }
                | Act::Rename { .. }
                | Act::Delete { .. }
                | Act::Rollback { .. }
                | Act::Autoscale { .. }
                | Act::Limit { .. }
                | Act::Quota { .. }
                | Act::FailNext { .. }
                | Act::SetClock { .. },
            )
            | None => {}
        }
    }

    fn set(&mut self, id: &str, field: String, value: Value) {
        if !self.is_vague(&field) {
            Arc::make_mut(self.things.entry(id.to_owned()).or_default()).insert(field, value);
        }
    }

    fn write(&mut self, id: &str, body: Option<&Value>) {
        for (field, value) in body.into_iter().flat_map(flat) {
            match value {
                Some(value) => self.set(id, field, value),
                None => {
                    let fields = self.things.entry(id.to_owned()).or_default();
                    Arc::make_mut(fields).remove(&field);
                }
            }
        }
    }

    fn is_vague(&self, field: &str) -> bool {
        self.quirks.iter().any(|quirk| match quirk {
            Quirk::Setting { field: of, .. } | Quirk::Swings { field: of, .. } => field == of,
            Quirk::Value { key, .. } => field.strip_prefix(VARIABLE) == Some(key),
            Quirk::KeysInCapitals => field.starts_with(VARIABLE),
            Quirk::Adds { key, .. } => {
                field.strip_prefix(VARIABLE).is_some_and(|it| it.starts_with(key.as_str()))
            }
        })
    }
}

/// Takes a body apart; without a value what must not be compared.
pub(super) fn flat(body: &Value) -> Vec<(String, Option<Value>)> {
    let mut fields = Vec::new();
    for (field, value) in body.as_object().into_iter().flatten() {
        match value {
            Value::Array(entries) if field == "env_vars" => {
                fields.extend(entries.iter().filter_map(variable));
            }
            Value::Object(inner) => {
                let inner = inner.iter();
                fields.extend(
                    inner.map(|(name, value)| (format!("{field}.{name}"), Some(value.clone()))),
                );
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => fields.push((field.clone(), Some(value.clone()))),
        }
    }
    fields
}

fn variable(entry: &Value) -> Option<(String, Option<Value>)> {
    let key = format!("{VARIABLE}{}", entry["key"].as_str()?);
    let references = ["from_database", "from_service"];
    let reference = references.into_iter().find_map(|name| entry.get(name));
    let is_secret = entry["secret"].as_bool() == Some(true);
    let value = reference.or_else(|| entry.get("value")).filter(|_| !is_secret);
    Some((key, value.cloned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::emulator::Kind;

    fn effect(verb: Verb) -> [Mutation; 1] {
        [Mutation { verb, kind: Kind::Service, id: "svc_1".into(), name: "web".into() }]
    }

    #[test]
    fn what_was_written_is_known_and_no_secret() {
        let mut known = KnownFields::default();
        let entries = json!([
            {"key": "A", "value": "1"},
            {"key": "B", "value": "hush", "secret": true},
        ]);
        let body = json!({"plan": "small", "scaling": {"min": 1}, "env_vars": entries});
        known.hear(&effect(Verb::Created), Some(&body));
        let fields = known.of("svc_1");
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["env_vars.A", "plan", "scaling.min"]);
        assert!(known.of("svc_2").is_empty());
    }

    #[test]
    fn what_somebody_did_by_hand_is_known_and_what_was_read_before_stays_as_it_was_read() {
        let mut known = KnownFields::default();
        known.hear(&effect(Verb::Created), Some(&json!({"plan": "small"})));
        let read = known.of("svc_1");
        let (kind, id, key) = (Kind::Service, "svc_1".to_owned(), "A".to_owned());
        let act = Act::SetVariable { kind, id, key, value: None };
        known.see(&effect(Verb::Patched), Some(&act));
        assert_eq!(known.of("svc_1").get("env_vars.A"), Some(&Value::Null));
        assert_eq!(read.get("env_vars.A"), None);
        known.hear(&effect(Verb::Deleted), None);
        assert!(known.of("svc_1").is_empty());
    }
}
