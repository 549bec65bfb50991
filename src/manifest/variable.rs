//! `envVars`: where each variable's value comes from, in both forms.

mod generated;
mod outside;
mod reference;

use super::blueprint::words::{self, MappingKind};
use super::draft::{Drafts, Mention, read_env_key, read_name};
use super::group;
use super::reader::{DocumentForm, DocumentReader, quoted};
use super::tree::Yaml;
use crate::model::{
    EnvKey, Field, FieldPath, FieldValue, Key, Kind, Resource, ValueSource, looks_secret,
};

/// The platform's limit for one service.
const VARIABLES_MAX: usize = 200;

/// The ways to give a value.
const WAYS: [&str; 8] = [
    "value",
    "fromDatabase",
    "fromService",
    "from_service",
    "fromCache",
    "valueFrom",
    "generateValue",
    "sync",
];

/// What may stand in an entry of a native document.
const NATIVE_WORDS: [&str; 7] =
    ["key", "value", "fromDatabase", "fromService", "valueFrom", "generateValue", "sync"];

/// Reads the list of variables of a service or group.
///
/// `engines` are the names that a Blueprint declares among its services although they are
/// databases: a reference to one is a reference to a database.
pub(super) fn read_all(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'_, '_>,
    resource: &mut Resource<ValueSource>,
    drafts: &mut Drafts,
    engines: &[&str],
) {
    resource.declares_env = true;
    if reader.form == DocumentForm::Blueprint && yaml.entries().is_some() {
        let mut entry = EntryReader { reader, resource, drafts, engines };
        yaml.entries().into_iter().flatten().for_each(|(_, key, value)| entry.pair(key, value));
        return;
    }
    if yaml.entries().is_some() {
        let hint = "write a list: `- { key: NAME, value: TEXT }`";
        reader.error_with(yaml, "wrong-type", "`envVars` must be a list, not a mapping", hint);
        return;
    }
    let mut entry = EntryReader { reader, resource, drafts, engines };
    let mut count = 0;
    for item in entry.reader.items(yaml, "envVars") {
        entry.read(item);
        count += 1;
    }
    if count > VARIABLES_MAX {
        // Of what lives already the platform knows better.
        let message = format!("{count} variables are more than the platform's {VARIABLES_MAX}");
        reader.warn(yaml, "too-many-variables", message, "it is documented to accept no more");
    }
}

/// Reads keys whose values people set: a list of them, or a mapping.
pub(super) fn by_hand(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'_, '_>,
    resource: &mut Resource<ValueSource>,
) {
    resource.declares_env = true;
    let mut keys = Vec::new();
    match yaml.entries() {
        Some(entries) => {
            for (text, key, value) in entries {
                if !value.is_null() {
                    let message =
                        format!("the value of `{}` is left out: it is set by hand", quoted(text));
                    reader.leave_out(value, message, "remove it from the file");
                }
                keys.push(key);
            }
        }
        None => keys = reader.items(yaml, "secrets"),
    }
    for key in keys {
        let Some(env_key) = read_env_key(reader, key, "secrets") else {
            continue;
        };
        if !resource.fields.contains_key(&FieldPath::Env(env_key.clone())) {
            let origin = reader.origin(key);
            resource.set_by_hand.entry(env_key).or_insert(origin);
        }
    }
}

struct EntryReader<'r, 'f> {
    reader: &'r mut DocumentReader<'f>,
    resource: &'r mut Resource<ValueSource>,
    drafts: &'r mut Drafts,
    engines: &'r [&'r str],
}

impl EntryReader<'_, '_> {
    fn read(&mut self, item: Yaml<'_, '_>) {
        let item = match self.reader.form {
            DocumentForm::Native => self.reader.mapping(item, "envVars", &NATIVE_WORDS),
            DocumentForm::Blueprint => words::open(self.reader, item, MappingKind::Variable),
        };
        let Some(item) = item else {
            return;
        };
        if self.reader.form == DocumentForm::Blueprint
            && let Some(group) = item.get("fromGroup")
        {
            return self.attach_group(item, group);
        }
        let Some(key) = item.get("key") else {
            self.reader.error(item, "missing-field", "a variable has no `key`");
            return;
        };
        self.declare(key, |entry, env_key| entry.value(item, env_key));
    }

    /// Reads an entry of a mapping: `KEY: TEXT`, or `KEY: { from_service: NAME, property: WORD }`.
    fn pair(&mut self, key: Yaml<'_, '_>, value: Yaml<'_, '_>) {
        if value.entries().is_some() {
            words::open(self.reader, value, MappingKind::Variable);
            self.declare(key, |entry, env_key| entry.value(value, env_key));
        } else if value.is_null() {
            self.declare(key, |entry, env_key| {
                entry.is_by_hand(key, env_key.as_str(), &[]).then_some(Given::ByHand)
            });
        } else {
            self.declare(key, |entry, env_key| entry.plain(value, env_key));
        }
    }

    /// Declares a variable, once.
    fn declare(
        &mut self,
        key: Yaml<'_, '_>,
        value: impl FnOnce(&mut Self, &EnvKey) -> Option<Given>,
    ) {
        let Some(env_key) = read_env_key(self.reader, key, "envVars.key") else {
            return;
        };
        let path = FieldPath::Env(env_key.clone());
        let is_known = self.resource.fields.contains_key(&path)
            || self.resource.set_by_hand.contains_key(&env_key);
        if is_known {
            let message = format!("the variable `{}` is given twice", env_key.as_str());
            let again =
                (self.reader.form == DocumentForm::Blueprint).then(|| value(self, &env_key));
            let says_the_same = match again.flatten() {
                Some(Given::Value(again)) => {
                    self.resource.fields.get(&path).is_some_and(|field| field.value == again)
                }
                Some(Given::ByHand) => self.resource.set_by_hand.contains_key(&env_key),
                None => false,
            };
            if says_the_same {
                let hint = "remove one of the two; they say the same";
                self.reader.warn(key, "duplicate-variable", message, hint);
            } else {
                self.reader.error(key, "duplicate-variable", message);
            }
            return;
        }
        let origin = self.reader.origin(key);
        match value(self, &env_key) {
            Some(Given::Value(value)) => {
                self.resource.fields.insert(path, Field { value, origin });
            }
            Some(Given::ByHand) => {
                self.warn_of_group(key, &env_key);
                self.resource.set_by_hand.insert(env_key, origin);
            }
            None => {}
        }
    }

    /// The API cannot change a group, so what its creation leaves out stays out for every tool.
    fn warn_of_group(&mut self, place: Yaml<'_, '_>, key: &EnvKey) {
        if self.resource.key.kind != Kind::EnvGroup {
            return;
        }
        let message =
            format!("`{}` must be set by hand, and the API can never change a group", key.as_str());
        let hint = "set it on the platform, or put it into the services that need it";
        self.reader.warn(place, "by-hand-in-group", message, hint);
    }

    /// Reads the one way in which a value is given.
    fn value(&mut self, item: Yaml<'_, '_>, key: &EnvKey) -> Option<Given> {
        let mut ways = Vec::new();
        for way in WAYS {
            if let Some(yaml) = item.get(way)
                && self.counts(way, yaml)?
            {
                ways.push((way, yaml));
            }
        }
        let name = key.as_str();
        if self.reader.form == DocumentForm::Blueprint && self.is_by_hand(item, name, &ways) {
            return Some(Given::ByHand);
        }
        let (way, yaml) = match ways.as_slice() {
            [one] => *one,
            [] => {
                let message = format!("the variable `{name}` has no value");
                let hint = "give one of `value`, `fromDatabase`, `fromService`, `valueFrom`, \
                            `generateValue: true`, `sync: false`";
                self.reader.error_with(item, "no-value", message, hint);
                return None;
            }
            [(first, _), (second, place), ..] => {
                let message =
                    format!("the variable `{name}` has two values: `{first}` and `{second}`");
                self.reader.error(*place, "two-values", message);
                return None;
            }
        };
        match way {
            "value" => self.plain(yaml, key),
            "fromDatabase" | "fromCache" => self.reference(yaml, way, Kind::Database),
            "fromService" => self.reference(yaml, way, Kind::Service),
            "from_service" => self.beside(item, yaml),
            "valueFrom" => self.outside(yaml),
            "generateValue" => self.generated(yaml),
            _ => Some(Given::ByHand),
        }
    }

    /// Whether an entry of a Blueprint is set by hand: it says so, whatever else stands there, or it
    /// says nothing. A value beside `sync: false` is a placeholder more often than not, and would
    /// overwrite the one that was set.
    fn is_by_hand(
        &mut self,
        item: Yaml<'_, '_>,
        name: &str,
        ways: &[(&str, Yaml<'_, '_>)],
    ) -> bool {
        let is_nothing = |way: &str, yaml: &Yaml<'_, '_>| way == "value" && yaml.is_null();
        if ways.iter().all(|(way, yaml)| is_nothing(way, yaml)) {
            let message =
                format!("the variable `{name}` has no value, and is treated as set by hand");
            let hint = "write `sync: false`, or `value: \"\"` for an empty one";
            self.reader.warn(item, "no-value", message, hint);
            return true;
        }
        if !ways.iter().any(|(way, _)| *way == "sync") {
            return false;
        }
        for (way, yaml) in ways.iter().filter(|(way, _)| *way != "sync") {
            let message = format!("`{way}` of `{name}` is left out: `sync: false` sets it by hand");
            self.reader.leave_out(*yaml, message, "remove one of the two");
        }
        true
    }

    /// Whether a way counts: `generateValue: false` and `sync: true` say nothing.
    fn counts(&mut self, way: &str, yaml: Yaml<'_, '_>) -> Option<bool> {
        match way {
            "generateValue" if self.is_rotated(yaml) => Some(true),
            "generateValue" => self.reader.boolean(yaml, "envVars.generateValue"),
            "sync" => self.reader.boolean(yaml, "envVars.sync").map(|is_synced| !is_synced),
            _ => Some(true),
        }
    }

    fn plain(&mut self, yaml: Yaml<'_, '_>, key: &EnvKey) -> Option<Given> {
        let path = "envVars.value";
        let is_secret =
            yaml.scalar().is_some_and(|(text, _)| looks_secret(key, text) && !text.is_empty());
        let text = if is_secret {
            let text = self.reader.text_as_written(yaml, path)?;
            let message = format!("the value of `{}` looks like a secret", key.as_str());
            let hint =
                "take it from `valueFrom: { env: NAME }`, or use `generateValue` or `sync: false`";
            self.reader.warn(yaml, "plain-secret", message, hint);
            self.reader.tell_mark(yaml, path, &text);
            text
        } else {
            self.reader.text(yaml, path)?
        };
        Some(Given::Value(ValueSource::Value(FieldValue::Text(text))))
    }

    fn external(&mut self, yaml: Yaml<'_, '_>, path: &str) -> Option<bool> {
        match yaml.get("external") {
            Some(place) => self.reader.boolean(place, &format!("{path}.external")),
            None => Some(false),
        }
    }

    fn mention(&mut self, to: Key, place: Yaml<'_, '_>, is_external: bool) {
        self.drafts.mentions.push(Mention {
            from: self.resource.key.clone(),
            to,
            origin: self.reader.origin(place),
            is_external,
            form: self.reader.form,
        });
    }

    /// `- fromGroup: NAME` of a Blueprint is an attached group.
    fn attach_group(&mut self, item: Yaml<'_, '_>, group: Yaml<'_, '_>) {
        let Some(is_external) = self.external(item, "envVars") else {
            return;
        };
        for way in WAYS {
            if let Some(yaml) = item.get(way) {
                let message = format!("an entry has both `fromGroup` and `{way}`");
                let hint = "write two entries: the group, and the variable";
                self.reader.error_with(yaml, "two-values", message, hint);
            }
        }
        if let Some(key) = item.get("key") {
            let message = "`key` is left out: `fromGroup` takes the whole group";
            self.reader.leave_out(key, message, "remove the key");
        }
        if let Some(name) = read_name(self.reader, group, "envVars.fromGroup") {
            self.mention(Key::new(Kind::EnvGroup, name.clone()), group, is_external);
            group::attach(self.resource, name.as_str(), self.reader.origin(group));
        }
    }
}

enum Given {
    Value(ValueSource),
    ByHand,
}
