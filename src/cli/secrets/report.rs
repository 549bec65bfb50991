//! Which secrets there are, by what they are called where they come from. Pure: it is told what the
//! manifests say, what was found, and what we remember. It is told no value, and no mark of one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::model::{
    Desired, FieldPath, FieldValue, Inventory, Key, Kind, Origin, Reference, Resource, Setting,
    ValueSource, is_secret_at,
};
use crate::secret::{FoundValues, MissingValue, NamedValue};

/// What of a database is secret.
const SECRET_PROPERTIES: [&str; 2] = ["connectionString", "password"];

/// One secret.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SecretRow")]
pub struct SecretRow {
    /// What it is called where it comes from: a variable, a file, `PROVIDER REF`, `FILE PATH`; else the
    /// field that has it, `KIND/NAME:FIELD`.
    pub name: String,
    /// Where it comes from.
    pub source: SecretSourceWord,
    /// Whether its value is there.
    pub state: SecretState,
    /// Why it is not; `null` where nothing is missing.
    #[serde(serialize_with = "message")]
    #[schemars(with = "Option<String>")]
    pub missing: Option<MissingValue>,
    /// When it was last written with another value; `null` if that is not known.
    #[schemars(with = "Option<String>")]
    pub changed_at: Option<Timestamp>,
    /// How long each value is used, as `90d`; `null` for what is not rotated.
    pub rotate: Option<String>,
    /// Who uses it.
    pub used_by: Vec<SecretUse>,
}

/// Where a secret comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretSourceWord {
    /// A variable of Stoker's environment.
    Environment,
    /// A file.
    File,
    /// A program of the settings.
    Provider,
    /// A file that SOPS has encrypted.
    Sops,
    /// Derived from the key of the state.
    Generated,
    /// The manifest itself.
    Manifest,
    /// A person sets it on the platform.
    Hand,
    /// The platform, of a database.
    Platform,
}

impl SecretSourceWord {
    /// Returns the words for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::File => "file",
            Self::Provider => "provider",
            Self::Sops => "SOPS",
            Self::Generated => "generated",
            Self::Manifest => "manifest",
            Self::Hand => "set by hand",
            Self::Platform => "platform",
        }
    }
}

/// Whether a value is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretState {
    /// It is.
    Found,
    /// It is not: nothing can be planned.
    Missing,
    /// It is on the platform, which is not asked.
    Unseen,
}

/// One use of a secret.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretUse {
    /// The resource.
    pub key: Key,
    /// The field that has it.
    pub path: FieldPath,
    /// What it has it from: an env group, or a service whose variable it takes; `null` if from nothing
    /// in between.
    pub via: Option<Key>,
    /// Where that is declared.
    pub origin: Origin,
    /// When it was last written there with another value; `null` if that is not known.
    #[schemars(with = "Option<String>")]
    pub changed_at: Option<Timestamp>,
}

/// What a secret is called, among those of one source.
type SecretName = (SecretSourceWord, String);

/// Lists the secrets.
pub fn rows(
    declared: &Desired<ValueSource>,
    found: &FoundValues,
    inventory: &Inventory,
) -> Vec<SecretRow> {
    let mut rows: BTreeMap<SecretName, SecretRow> = BTreeMap::new();
    for resource in declared.resources.values() {
        for (path, field) in &resource.fields {
            let Some((source, name)) = identity(resource, path) else { continue };
            let row = rows.entry((source, name.clone()));
            let row =
                row.or_insert_with(|| row_of(source, name, &field.value, &field.origin, found));
            row.used_by.extend(uses(declared, inventory, resource, path, &field.origin));
        }
        for (env_key, origin) in &resource.set_by_hand {
            let path = FieldPath::Env(env_key.clone());
            let (source, name) = (SecretSourceWord::Hand, address(&resource.key, &path));
            let used_by = uses(declared, inventory, resource, &path, origin);
            let row = SecretRow { used_by, ..row_named(source, name, SecretState::Unseen) };
            rows.insert((source, row.name.clone()), row);
        }
    }
    let mut rows: Vec<SecretRow> = rows.into_values().collect();
    for row in &mut rows {
        // Of one that is used in several places, the last one counts.
        row.changed_at = row.used_by.iter().filter_map(|it| it.changed_at).max();
    }
    rows
}

fn row_named(source: SecretSourceWord, name: String, state: SecretState) -> SecretRow {
    SecretRow {
        name,
        source,
        state,
        missing: None,
        changed_at: None,
        rotate: None,
        used_by: Vec::new(),
    }
}

fn row_of(
    source: SecretSourceWord,
    name: String,
    value: &ValueSource,
    origin: &Origin,
    found: &FoundValues,
) -> SecretRow {
    let named = NamedValue::of(value, origin);
    let missing = named.and_then(|named| found.get(&named)?.as_ref().err().cloned());
    let state = match (source, &missing) {
        (SecretSourceWord::Platform, _) => SecretState::Unseen,
        (_, Some(_)) => SecretState::Missing,
        (_, None) => SecretState::Found,
    };
    let rotate = match value {
        ValueSource::Generated(period) => period.map(|period| period.to_string()),
        _ => None,
    };
    SecretRow { missing, rotate, ..row_named(source, name, state) }
}

/// Returns what the secret of a field is called; nothing where the field holds none of its own.
fn identity(resource: &Resource<ValueSource>, path: &FieldPath) -> Option<SecretName> {
    let field = resource.fields.get(path)?;
    let beside = |file: &str| match field.origin.file.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/{file}"),
        None => file.to_owned(),
    };
    let own = || address(&resource.key, path);
    Some(match &field.value {
        ValueSource::Environment(name) => (SecretSourceWord::Environment, name.clone()),
        ValueSource::File(file) if file.starts_with('/') => (SecretSourceWord::File, file.clone()),
        ValueSource::File(file) => (SecretSourceWord::File, beside(file)),
        ValueSource::Provider { provider, reference } => {
            (SecretSourceWord::Provider, format!("{provider} {reference}"))
        }
        ValueSource::Sops { file, path } => {
            (SecretSourceWord::Sops, format!("{} {path}", beside(file)))
        }
        ValueSource::Generated(_) => (SecretSourceWord::Generated, own()),
        ValueSource::Value(FieldValue::Reference(reference)) => {
            let is_secret = SECRET_PROPERTIES.contains(&reference.property.as_str());
            if !is_secret || reference.kind != Kind::Database {
                return None;
            }
            let Reference { property, .. } = &**reference;
            (SecretSourceWord::Platform, format!("{}:{property}", reference.target()))
        }
        ValueSource::Value(value) if is_secret_at(path, value) => {
            (SecretSourceWord::Manifest, own())
        }
        ValueSource::Value(_) => return None,
    })
}

/// Returns who uses the secret of a field: its resource, and whoever has it from there.
fn uses(
    declared: &Desired<ValueSource>,
    inventory: &Inventory,
    resource: &Resource<ValueSource>,
    path: &FieldPath,
    origin: &Origin,
) -> Vec<SecretUse> {
    let of_field = |user: &Key, path: &FieldPath| {
        inventory.entries.get(user).and_then(|entry| entry.changed_at.get(path)).copied()
    };
    let key = &resource.key;
    let mut uses = vec![SecretUse {
        key: key.clone(),
        path: path.clone(),
        via: None,
        origin: origin.clone(),
        changed_at: of_field(key, path),
    }];
    for other in declared.resources.values() {
        for (user_path, field) in &other.fields {
            if takes(&field.value, user_path, key, path) {
                uses.push(SecretUse {
                    key: other.key.clone(),
                    path: user_path.clone(),
                    via: Some(key.clone()),
                    origin: field.origin.clone(),
                    changed_at: None,
                });
            }
        }
    }
    uses
}

/// Whether a field takes a variable of another resource: it attaches the group, or names the variable.
fn takes(value: &ValueSource, at: &FieldPath, key: &Key, path: &FieldPath) -> bool {
    match (value, path) {
        (ValueSource::Value(value @ FieldValue::Set(_)), _) => {
            *at == FieldPath::Setting(Setting::EnvGroups) && value.refers_to(at).contains(key)
        }
        (ValueSource::Value(FieldValue::Reference(reference)), FieldPath::Env(env_key)) => {
            reference.target() == *key && reference.env_key.as_ref() == Some(env_key)
        }
        _ => false,
    }
}

fn address(key: &Key, path: &FieldPath) -> String {
    format!("{key}:{path}")
}

fn message<S: Serializer>(
    missing: &Option<MissingValue>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    missing.as_ref().map(|missing| missing.message.as_str()).serialize(serializer)
}
