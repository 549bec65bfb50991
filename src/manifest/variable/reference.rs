//! Values that the platform takes from another resource.

use super::super::blueprint::words::{self, MappingKind};
use super::super::draft::{read_env_key, read_name};
use super::super::reader::DocumentForm;
use super::super::setting::ENGINES;
use super::super::suggest::nearest;
use super::super::tree::Yaml;
use super::{EntryReader, Given};
use crate::model::{Key, Kind, Reference, ValueSource};

/// What can be taken of another resource, as far as documents tell. The set is open.
const PROPERTIES: [&str; 9] = [
    "connectionString",
    "host",
    "port",
    "user",
    "password",
    "database",
    "hostport",
    "url",
    "envVar",
];

/// What may stand in a reference of a native document.
const REFERENCE_WORDS: [&str; 5] = ["name", "type", "property", "envVarKey", "external"];

impl EntryReader<'_, '_> {
    pub(super) fn reference(&mut self, yaml: Yaml<'_, '_>, way: &str, kind: Kind) -> Option<Given> {
        let path = format!("envVars.{way}");
        self.check_may_refer(yaml)?;
        let yaml = match self.reader.form {
            DocumentForm::Native => self.reader.mapping(yaml, &path, &REFERENCE_WORDS)?,
            DocumentForm::Blueprint => words::open(self.reader, yaml, MappingKind::Reference)?,
        };
        let Some(name_place) = yaml.get("name") else {
            self.reader.error(yaml, "missing-field", format!("`{path}.name` is missing"));
            return None;
        };
        let name = read_name(self.reader, name_place, &format!("{path}.name"))?;
        let env_key = match yaml.get("envVarKey") {
            Some(place) => Some(read_env_key(self.reader, place, &format!("{path}.envVarKey"))?),
            None => None,
        };
        let property = self.property(yaml, &path, env_key.is_some())?;
        let engine = match yaml.get("type") {
            Some(place) => Some(self.reader.text_as_written(place, &format!("{path}.type"))?),
            None => None,
        };
        let is_engine = self.engines.contains(&name.as_str())
            || engine.is_some_and(|engine| ENGINES.contains(&engine.as_str()));
        let kind = if kind == Kind::Service && is_engine { Kind::Database } else { kind };
        let is_external = self.external(yaml, &path)?;
        self.mention(Key::new(kind, name.clone()), name_place, is_external);
        let reference = Reference { kind, name, property, env_key };
        Some(Given::Value(ValueSource::Value(reference.into())))
    }

    /// Reads `from_service: NAME` with its property beside it.
    pub(super) fn beside(&mut self, item: Yaml<'_, '_>, place: Yaml<'_, '_>) -> Option<Given> {
        self.check_may_refer(place)?;
        let name = read_name(self.reader, place, "envVars.from_service")?;
        let property = self.property(item, "envVars", false)?;
        let is_engine = self.engines.contains(&name.as_str());
        let kind = if is_engine { Kind::Database } else { Kind::Service };
        let is_external = self.external(item, "envVars")?;
        self.mention(Key::new(kind, name.clone()), place, is_external);
        let reference = Reference { kind, name, property, env_key: None };
        Some(Given::Value(ValueSource::Value(reference.into())))
    }

    /// An env group cannot refer to anything: the API takes plain values of it.
    fn check_may_refer(&mut self, place: Yaml<'_, '_>) -> Option<()> {
        if self.resource.key.kind != Kind::EnvGroup {
            return Some(());
        }
        let hint = "put the variable into the services that need it";
        let message = "an env group contains only plain values, no references";
        self.reader.error_with(place, "reference-in-group", message, hint);
        None
    }

    fn property(&mut self, yaml: Yaml<'_, '_>, path: &str, names_variable: bool) -> Option<String> {
        let path = format!("{path}.property");
        let Some(place) = yaml.get("property") else {
            if names_variable {
                return Some("envVar".to_owned());
            }
            let hint = "for example `property: connectionString`";
            self.reader.error_with(yaml, "missing-field", format!("`{path}` is missing"), hint);
            return None;
        };
        let property = self.reader.text(place, &path)?;
        let property = match self.reader.form {
            DocumentForm::Native => property,
            DocumentForm::Blueprint => camel(&property),
        };
        let is_word = !property.is_empty()
            && property.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_word {
            self.reader.error(place, "malformed", format!("`{path}` is not a single word"));
            return None;
        }
        if !PROPERTIES.contains(&property.as_str())
            && let Some(near) = nearest(&property, &PROPERTIES)
        {
            let message = format!("unknown property `{property}`");
            self.reader.warn(place, "unknown-word", message, format!("did you mean `{near}`?"));
        }
        if property == "envVar" && !names_variable {
            let message = "`property: envVar` needs `envVarKey`";
            self.reader.error(place, "missing-field", message);
            return None;
        }
        Some(property)
    }
}

/// Returns a word as it is spelt elsewhere: `connection_string` is `connectionString`.
fn camel(word: &str) -> String {
    let mut parts = word.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |whole, part| match part.split_at_checked(1) {
        Some((initial, rest)) => whole + &initial.to_ascii_uppercase() + rest,
        None => whole,
    })
}
