//! The body of a create or a change: fields → JSON (A4, A5, A17).
//!
//! A change is a merge patch (RFC 7396): only what changes is in it, nested settings nested, what
//! is taken away `null`. Variables are entries of a list, which the dialect gives its meaning.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::json::{Object, text};
use super::variable;
use crate::api::body::Body;
use crate::api::dialect::{Dialect, GroupNaming, Resolver};
use crate::model::{
    EnvKey, FieldPath, FieldValue, Kind, LiveValue, Name, Reference, RemoteId, Setting,
};

/// The ids of what a resource refers to by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Env groups, for `envGroups` where the API names them by id (A14).
    pub env_groups: BTreeMap<Name, RemoteId>,
    /// Databases, for references the agent resolves (A17).
    pub databases: BTreeMap<Name, RemoteId>,
    /// Services, for the same.
    pub services: BTreeMap<Name, RemoteId>,
}

/// The values of references that the agent resolved itself (A17).
pub(in crate::api) type ResolvedReferences = BTreeMap<Reference, SecretString>;

/// A body in the making.
pub(in crate::api) struct BodyDraft<'a> {
    kind: Kind,
    dialect: &'a Dialect,
    links: &'a Links,
    resolved: &'a ResolvedReferences,
    object: Object,
    variables: Vec<Value>,
    has_variables: bool,
    secrets: Vec<SecretString>,
}

impl<'a> BodyDraft<'a> {
    pub(in crate::api) fn new(
        kind: Kind,
        dialect: &'a Dialect,
        links: &'a Links,
        resolved: &'a ResolvedReferences,
    ) -> Self {
        Self {
            kind,
            dialect,
            links,
            resolved,
            object: Map::new(),
            variables: Vec::new(),
            has_variables: false,
            secrets: Vec::new(),
        }
    }

    /// Puts a field in; `None` takes it away on the platform.
    pub(in crate::api) fn field(
        &mut self,
        path: &FieldPath,
        value: Option<&FieldValue>,
    ) -> Result<(), String> {
        match path {
            FieldPath::Setting(setting) => self.setting(*setting, value),
            FieldPath::Env(key) => self.variable(key, value),
        }
    }

    /// Says that the list of variables stands in the body even when it is empty.
    pub(in crate::api) fn with_variables(&mut self) {
        self.has_variables = true;
    }

    fn setting(&mut self, setting: Setting, value: Option<&FieldValue>) -> Result<(), String> {
        let path = self
            .dialect
            .field_name(self.kind, setting)
            .ok_or_else(|| format!("a {} has no `{}`", self.kind, setting.as_str()))?;
        let value = match value {
            None => Value::Null,
            Some(value) => self.setting_value(setting, value)?,
        };
        insert(&mut self.object, path, value);
        Ok(())
    }

    fn setting_value(&mut self, setting: Setting, value: &FieldValue) -> Result<Value, String> {
        Ok(match value {
            FieldValue::Text(word) if setting == Setting::Type && self.kind == Kind::Service => {
                self.dialect.type_to_api(word).into()
            }
            FieldValue::Text(text) => text.as_str().into(),
            FieldValue::Integer(number) => (*number).into(),
            FieldValue::Boolean(truth) => (*truth).into(),
            FieldValue::Set(names)
                if setting == Setting::EnvGroups && self.dialect.env_groups == GroupNaming::Id =>
            {
                names.iter().map(|name| self.group_id(name)).collect::<Result<_, _>>()?
            }
            FieldValue::Set(items) => items.iter().map(String::as_str).collect(),
            FieldValue::Secret(secret) => {
                self.secrets.push(SecretString::from(secret.expose()));
                secret.expose().into()
            }
            FieldValue::Reference(_) => {
                return Err(format!("`{}` cannot be a reference", setting.as_str()));
            }
        })
    }

    fn group_id(&self, name: &str) -> Result<Value, String> {
        Name::new(name)
            .ok()
            .and_then(|name| self.links.env_groups.get(&name))
            .map(|id| id.as_str().into())
            .ok_or_else(|| format!("the id of env group `{name}` is not known yet"))
    }

    fn variable(&mut self, key: &EnvKey, value: Option<&FieldValue>) -> Result<(), String> {
        let entry = match value {
            None => variable::removal(key),
            Some(FieldValue::Secret(secret)) => self.secret_entry(key, secret.expose()),
            Some(FieldValue::Reference(reference)) => self.reference_entry(key, reference)?,
            Some(
                value @ (FieldValue::Text(_) | FieldValue::Integer(_) | FieldValue::Boolean(_)),
            ) => variable::entry(key, &value.to_string(), false),
            Some(FieldValue::Set(_)) => {
                return Err(format!("the variable {} cannot be a set", key.as_str()));
            }
        };
        self.variables.push(entry);
        self.has_variables = true;
        Ok(())
    }

    fn reference_entry(&mut self, key: &EnvKey, reference: &Reference) -> Result<Value, String> {
        match self.dialect.resolve_references {
            Resolver::Platform => variable::reference(key, reference)
                .ok_or_else(|| format!("the variable {} refers to an env group", key.as_str())),
            Resolver::Agent => match self.resolved.get(reference) {
                Some(value) => Ok(self.secret_entry(key, value.expose_secret())),
                None => Err(format!("`{reference}` was not resolved")),
            },
        }
    }

    fn secret_entry(&mut self, key: &EnvKey, value: &str) -> Value {
        self.secrets.push(SecretString::from(value));
        variable::entry(key, value, true)
    }

    /// Returns the body.
    pub(in crate::api) fn finish(mut self) -> Body {
        if self.has_variables {
            self.object.insert("env_vars".to_owned(), self.variables.into());
        }
        let mut whole = Value::Object(self.object);
        if self.dialect.wrapper {
            whole = Value::Object(Map::from_iter([(self.kind.as_str().to_owned(), whole)]));
        }
        Body::new(&whole, self.secrets)
    }
}

/// Inserts under a path such as `scaling.min_instances`.
fn insert(object: &mut Object, path: &str, value: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        object.insert(path.to_owned(), value);
        return;
    };
    let inner = object.entry(first).or_insert_with(|| Value::Object(Map::new()));
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    if let Value::Object(inner) = inner {
        insert(inner, rest, value);
    }
}

/// Returns the API's spelling of a property: `connectionString` → `connection_string` (A17).
fn api_spelling(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// Returns what a reference leads to in an object's details, where they show it (A17).
pub(in crate::api) fn resolve(object: &Object, reference: &Reference) -> Option<SecretString> {
    if let Some(wanted) = &reference.env_key {
        let variables = variable::read_variables(object.get("env_vars")?);
        return match variables.values.get(wanted)? {
            LiveValue::Shown(FieldValue::Text(text)) => Some(SecretString::from(text.as_str())),
            LiveValue::Shown(_) | LiveValue::Hidden | LiveValue::Absent => None,
        };
    }
    let name = &reference.property;
    let value = object.get(&api_spelling(name)).or_else(|| object.get(name))?;
    text(value).filter(|text| !variable::is_masked(text)).map(SecretString::from)
}
