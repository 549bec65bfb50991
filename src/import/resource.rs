//! Resources as an import makes them, field by field.

use crate::manifest::quoted;
use crate::model::{
    EnvKey, Field, FieldPath, FieldValue, Key, Name, Origin, Reference, Resource, Setting,
    ValueSource,
};

use super::ForeignFolder;
use super::report::ImportReport;

/// Sets a field.
pub(super) fn set(
    resource: &mut Resource<ValueSource>,
    setting: Setting,
    value: FieldValue,
    origin: Origin,
) {
    let field = Field { value: ValueSource::Value(value), origin };
    resource.fields.insert(FieldPath::Setting(setting), field);
}

/// Sets a field to a text.
pub(super) fn set_text(
    resource: &mut Resource<ValueSource>,
    setting: Setting,
    text: impl Into<String>,
    origin: Origin,
) {
    set(resource, setting, FieldValue::Text(text.into()), origin);
}

/// Says that a service is built from the repository its files lie in, where that is known.
pub(super) fn sources(
    service: &mut Resource<ValueSource>,
    folder: &ForeignFolder<'_>,
    origin: &Origin,
    report: &mut ImportReport,
) {
    match folder.home {
        Some(home) => set_text(service, Setting::Repo, home.repo.as_str(), origin.clone()),
        None => report.note(&service.key, "`repo` is to be given: the repository with the sources"),
    }
    if let Some(branch) = folder.home.and_then(|home| home.branch.as_ref()) {
        set_text(service, Setting::Branch, branch.as_str(), origin.clone());
    }
}

/// Gives a variable a value.
pub(super) fn set_variable(
    resource: &mut Resource<ValueSource>,
    key: EnvKey,
    value: FieldValue,
    origin: Origin,
) {
    resource.declares_env = true;
    resource.set_by_hand.remove(&key);
    let field = Field { value: ValueSource::Value(value), origin };
    resource.fields.insert(FieldPath::Env(key), field);
}

/// Declares a variable whose value a person sets.
pub(super) fn by_hand(resource: &mut Resource<ValueSource>, key: EnvKey, origin: Origin) {
    resource.declares_env = true;
    resource.fields.remove(&FieldPath::Env(key.clone()));
    resource.set_by_hand.insert(key, origin);
}

/// Makes a reference to what the platform knows of another resource.
pub(super) fn reference(key: &Key, property: &str) -> FieldValue {
    let reference = Reference {
        kind: key.kind,
        name: key.name.clone(),
        property: property.to_owned(),
        env_key: None,
    };
    reference.into()
}

/// Makes a name of a text as the platform would, and says so where that changes it.
pub(super) fn name(text: &str, origin: &Origin, report: &mut ImportReport) -> Option<Name> {
    let error = match Name::new(text) {
        Ok(name) => return Some(name),
        Err(error) => error,
    };
    let near = error.suggestion.as_deref().and_then(|text| Name::new(text).ok());
    let message = format!("`{}` is not a name: {}", quoted(text), error.reason);
    match near {
        Some(name) => {
            let hint = format!("`{name}` is used instead");
            report.mind(origin.clone(), "name", message, &hint);
            Some(name)
        }
        None => {
            report.error(origin.clone(), "name", message, "lower-case letters, digits and `-`");
            None
        }
    }
}

/// Makes the key of a variable, or says why there is none.
pub(super) fn env_key(text: &str, origin: &Origin, report: &mut ImportReport) -> Option<EnvKey> {
    match EnvKey::new(text) {
        Ok(key) => Some(key),
        Err(reason) => {
            let hint = "it is left out; the platform does not accept such a variable";
            report.mind(origin.clone(), "variable-key", reason, hint);
            None
        }
    }
}
