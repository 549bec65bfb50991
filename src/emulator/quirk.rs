//! What the platform makes of what it is given, where it holds something else than it was sent.
//!
//! Reads show what it holds. Whether the answer to a write shows that, or echoes what was sent, is
//! chosen apart from it ([`EmulatorConfig::echoes`]): only both together are what a client has to live with.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::config::EmulatorConfig;
use super::service::Service;
use super::variable::{Variable, VariableSource};

/// One way in which the platform holds something else than it was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quirk {
    /// A setting is held in another form; a part of one is `scaling.max_instances`, and `name` the
    /// name itself.
    Setting {
        /// The API's name of it.
        field: String,
        /// The form.
        form: ValueForm,
    },
    /// The value of a variable is held in another form.
    Value {
        /// Its key.
        key: String,
        /// The form.
        form: ValueForm,
    },
    /// The keys of variables are held in capitals.
    KeysInCapitals,
    /// Each deployment puts a variable on.
    Adds {
        /// Its key, or how it begins.
        key: String,
        /// Whether each deployment has a key of its own.
        anew: bool,
    },
    /// A setting is shown as it is and as something else by turns.
    Swings {
        /// The API's name of it.
        field: String,
        /// What it is shown as instead.
        value: Value,
        /// For how long it is shown as one of both.
        every_ms: u64,
    },
}

/// Another form of a value. What has it already is left as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueForm {
    /// A text begins so.
    Begins(String),
    /// A text ends so.
    Ends(String),
    /// A text does not end so.
    Cut(String),
    /// A text is without blanks at its ends, and has single ones within.
    Trimmed,
    /// A text is in small letters.
    Small,
    /// A number is no greater.
    AtMost(u64),
    /// A number is no less.
    AtLeast(u64),
    /// A list has this item, too.
    With(String),
    /// Whatever was sent, it is this.
    Is(Value),
}

impl ValueForm {
    fn of(&self, value: &Value) -> Value {
        match (self, value) {
            (Self::Is(other), _) => other.clone(),
            (Self::AtMost(most), Value::Number(number)) => {
                number.as_u64().map_or(value.clone(), |number| json!(number.min(*most)))
            }
            (Self::AtLeast(least), Value::Number(number)) => {
                number.as_u64().map_or(value.clone(), |number| json!(number.max(*least)))
            }
            (Self::With(item), Value::Array(items)) if !items.contains(&json!(item)) => {
                items.iter().cloned().chain([json!(item)]).collect()
            }
            (_, Value::String(text)) => Value::String(self.of_text(text)),
            (_, _) => value.clone(),
        }
    }

    fn of_text(&self, text: &str) -> String {
        match self {
            Self::Begins(with) if !text.starts_with(with.as_str()) => format!("{with}{text}"),
            Self::Ends(with) if !text.ends_with(with.as_str()) => format!("{text}{with}"),
            Self::Cut(with) => text.strip_suffix(with.as_str()).unwrap_or(text).to_owned(),
            Self::Trimmed => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Self::Small => text.to_lowercase(),
            Self::Begins(_)
            | Self::Ends(_)
            | Self::AtMost(_)
            | Self::AtLeast(_)
            | Self::With(_)
            | Self::Is(_) => text.to_owned(),
        }
    }
}

/// Makes of a service that was given what the platform holds.
pub(crate) fn hold(config: &EmulatorConfig, service: &mut Service) {
    for quirk in &config.quirks {
        match quirk {
            Quirk::Setting { field, form } if field == "name" => {
                service.name = form.of_text(&service.name);
            }
            Quirk::Setting { field, form } => {
                if let Some(value) = part(&mut service.settings, field) {
                    *value = form.of(value);
                }
            }
            Quirk::Value { key, form } => {
                for variable in service.variables.iter_mut().filter(|it| it.key == *key) {
                    if let VariableSource::Value { value, secret: _ } = &mut variable.source {
                        *value = form.of_text(value);
                    }
                }
            }
            Quirk::KeysInCapitals => {
                let mut keys = BTreeSet::new();
                service.variables.retain_mut(|variable| {
                    variable.key = variable.key.to_uppercase();
                    keys.insert(variable.key.clone())
                });
            }
            Quirk::Adds { .. } | Quirk::Swings { .. } => {}
        }
    }
}

/// Puts on what a deployment puts on.
pub(crate) fn put_on(config: &EmulatorConfig, service: &mut Service, commit: &str) {
    for quirk in &config.quirks {
        let Quirk::Adds { key, anew } = quirk else { continue };
        let own = commit.get(..8).unwrap_or(commit).to_uppercase();
        let key = if *anew { format!("{key}_{own}") } else { key.clone() };
        let is_there = service.variables.iter().any(|variable| variable.key == key);
        if !is_there {
            let source = VariableSource::Value { value: "1".into(), secret: false };
            service.variables.push(Variable { key, source });
        }
    }
}

/// Shows in settings what swings, as it is shown at that time.
pub(crate) fn swing(config: &EmulatorConfig, settings: &mut Map<String, Value>, now: u64) {
    for quirk in &config.quirks {
        let Quirk::Swings { field, value, every_ms } = quirk else { continue };
        let is_other = now / every_ms.max(&1) % 2 == 1;
        if let Some(place) = part(settings, field).filter(|_| is_other) {
            *place = value.clone();
        }
    }
}

/// Finds a setting, or a part of one.
fn part<'s>(settings: &'s mut Map<String, Value>, field: &str) -> Option<&'s mut Value> {
    match field.split_once('.') {
        Some((whole, part)) => settings.get_mut(whole)?.get_mut(part),
        None => settings.get_mut(field),
    }
}
