//! What the documents say, before anyone looked at them together.

use std::collections::BTreeMap;

use super::reader::{DocumentForm, DocumentReader};
use super::tree::Yaml;
use crate::model::{
    EnvKey, Field, FieldPath, FieldValue, Guard, Key, Name, Origin, Resource, Setting, Tombstone,
    ValueSource,
};
use crate::source::Home;

/// Everything of a tree, still with contradictions.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    pub resources: Vec<Resource<ValueSource>>,
    pub tombstones: Vec<Tombstone>,
    pub guards: Vec<Guard>,
    pub mentions: Vec<Mention>,
    /// Where the previous names of resources stand.
    pub renames: Vec<(Key, Name, Origin)>,
    /// The repository the manifests lie in, where that is known.
    pub home: Option<Home>,
    /// The environment of Blueprints that is read, where one was named.
    pub environment: Option<String>,
    /// Whether any Blueprint has environments.
    pub has_environments: bool,
}

/// A resource that speaks of another.
#[derive(Debug)]
pub(super) struct Mention {
    pub from: Key,
    pub to: Key,
    pub origin: Origin,
    /// It says itself that the other lives outside of these manifests.
    pub is_external: bool,
    /// The form of the document it stands in.
    pub form: DocumentForm,
}

/// What a new disk is called and how large it is, where nothing says so.
const DISK_NAME: &str = "data";
const DISK_SIZE_GB: i64 = 10;

/// Returns what a new resource gets beside its declared fields: the name and the size of a disk. One
/// that lives keeps its own.
pub(super) fn derived(resource: &Resource<ValueSource>) -> BTreeMap<FieldPath, FieldValue> {
    if !has(resource, Setting::DiskMountPath) {
        return BTreeMap::new();
    }
    let derived = [
        (Setting::DiskName, FieldValue::Text(DISK_NAME.to_owned())),
        (Setting::DiskSizeGb, FieldValue::Integer(DISK_SIZE_GB)),
    ];
    let missing = derived.into_iter().filter(|(setting, _)| !has(resource, *setting));
    missing.map(|(setting, value)| (FieldPath::Setting(setting), value)).collect()
}

/// Sets a field to a value that stands in the manifest itself.
pub(super) fn set(
    resource: &mut Resource<ValueSource>,
    setting: Setting,
    value: FieldValue,
    origin: Origin,
) {
    let value = ValueSource::Value(value);
    resource.fields.insert(FieldPath::Setting(setting), Field { value, origin });
}

/// Whether a setting is declared.
pub(super) fn has(resource: &Resource<ValueSource>, setting: Setting) -> bool {
    resource.fields.contains_key(&FieldPath::Setting(setting))
}

/// Returns a text that is declared for a setting.
pub(super) fn text_of(resource: &Resource<ValueSource>, setting: Setting) -> Option<&str> {
    match &resource.fields.get(&FieldPath::Setting(setting))?.value {
        ValueSource::Value(FieldValue::Text(text)) => Some(text),
        ValueSource::Value(
            FieldValue::Integer(_)
            | FieldValue::Boolean(_)
            | FieldValue::Set(_)
            | FieldValue::Secret(_)
            | FieldValue::Reference(_),
        )
        | ValueSource::Environment(_)
        | ValueSource::File(_)
        | ValueSource::Provider { .. }
        | ValueSource::Sops { .. }
        | ValueSource::Generated(_) => None,
    }
}

/// Returns a number that is declared for a setting.
pub(super) fn number_of(resource: &Resource<ValueSource>, setting: Setting) -> Option<i64> {
    match &resource.fields.get(&FieldPath::Setting(setting))?.value {
        ValueSource::Value(FieldValue::Integer(number)) => Some(*number),
        ValueSource::Value(
            FieldValue::Text(_)
            | FieldValue::Boolean(_)
            | FieldValue::Set(_)
            | FieldValue::Secret(_)
            | FieldValue::Reference(_),
        )
        | ValueSource::Environment(_)
        | ValueSource::File(_)
        | ValueSource::Provider { .. }
        | ValueSource::Sops { .. }
        | ValueSource::Generated(_) => None,
    }
}

/// Reads a name. The platform would change one with capitals or blanks: in a native document that
/// is an error, in a Blueprint the changed name is taken, here and wherever it is referred to.
pub(super) fn read_name(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'_, '_>,
    path: &str,
) -> Option<Name> {
    let text = reader.text(yaml, path)?;
    let error = match Name::new(&text) {
        Ok(name) => return Some(name),
        Err(error) => error,
    };
    let suggestion = error.suggestion.as_deref().and_then(|text| Name::new(text).ok());
    let shown = super::reader::quoted(&text);
    let message = format!("`{shown}` is not a name: {}", error.reason);
    match (reader.form, suggestion) {
        (DocumentForm::Blueprint, Some(name)) => {
            reader.warn(yaml, "name", message, format!("`{name}` is used instead"));
            Some(name)
        }
        (_, Some(name)) => {
            // The nearest name stands in, so that what refers to it is checked in the same run.
            reader.error_with(yaml, "name", message, format!("`{name}` would be one"));
            Some(name)
        }
        (_, None) => {
            reader.error(yaml, "name", message);
            None
        }
    }
}

/// Reads the key of a variable.
pub(super) fn read_env_key(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'_, '_>,
    path: &str,
) -> Option<EnvKey> {
    let text = reader.text(yaml, path)?;
    match EnvKey::new(&text) {
        Ok(key) => Some(key),
        Err(reason) => {
            reader.error(yaml, "variable-key", reason);
            None
        }
    }
}
