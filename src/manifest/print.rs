//! The way back: what is wanted as native documents, canonical, so that two prints can be compared.
//!
//! Reading what is printed gives the same desired state, but for what `unprinted` tells of. A secret is
//! never printed: where only its resolved value is known, the variable is printed as set by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::native::{API_VERSION, spelling};
use super::setting;
use super::yaml::{double_quoted, write_text};
use crate::model::{
    AdoptMode, Desired, Diagnostic, EnvSet, FieldPath, FieldValue, Guard, Key, Kind, Lifecycle,
    ManagementPolicies, Name, Reference, Resource, Setting, Tombstone, Unsettled, ValueSource,
    holds_command, is_unseen,
};

/// The first line of written manifests: it makes editors check and complete as one types.
///
/// The schema is the file that `stoker schema` writes, beside the manifests.
pub const SCHEMA_LINE: &str = "# yaml-language-server: $schema=./stoker.schema.json";

/// Prints a desired state as native documents in canonical order.
#[must_use]
pub fn print(desired: &Desired<ValueSource>) -> String {
    print_noted(desired, &BTreeMap::new())
}

/// Prints as [`print()`], with comments at the head of each document that is noted upon: what a person
/// has to do about it, one line each.
#[must_use]
pub fn print_noted(desired: &Desired<ValueSource>, notes: &BTreeMap<Key, Vec<String>>) -> String {
    let Desired { resources, tombstones, guard, .. } = desired;
    let known = resources.keys().collect();
    let mut printer = Printer { text: format!("{SCHEMA_LINE}\n"), known: &known, notes };
    if let Some(guard) = guard {
        printer.guard(guard);
    }
    for resource in resources.values() {
        printer.resource(resource);
    }
    for tombstone in tombstones.values() {
        printer.tombstone(tombstone);
    }
    printer.text
}

/// Prints each resource as a document of its own, to be read together with the others, with notes as
/// [`print_noted`] has them.
#[must_use]
pub fn print_each<'d>(
    desired: &'d Desired<ValueSource>,
    notes: &BTreeMap<Key, Vec<String>>,
) -> Vec<(&'d Key, String)> {
    let known = desired.resources.keys().collect();
    let one = |(key, resource)| {
        let mut printer = Printer { text: format!("{SCHEMA_LINE}\n"), known: &known, notes };
        printer.resource(resource);
        (key, printer.text)
    };
    desired.resources.iter().map(one).collect()
}

/// Returns a warning for each service that a native document says less of: a new one of a Blueprint is
/// built from the repository that the Blueprint lies in.
#[must_use]
pub fn unprinted(desired: &Desired<ValueSource>) -> Vec<Diagnostic> {
    let warning = |resource: &Resource<ValueSource>| {
        let derived = [Setting::Repo, Setting::Branch].into_iter().filter_map(|setting| {
            let value = resource.on_create.get(&FieldPath::Setting(setting))?;
            Some(format!("`{}: {value}`", setting.as_str()))
        });
        let derived: Vec<String> = derived.collect();
        if derived.is_empty() {
            return None;
        }
        let message = format!(
            "{} has no repository; a new one is built from the repository of its Blueprint, which \
             its native form does not name",
            resource.key
        );
        let warning = Diagnostic::warning("derived-repo", message).at(resource.origin.clone());
        Some(warning.hint(format!("write {} into its `spec`", derived.join(" and "))))
    };
    desired.resources.values().filter_map(warning).collect()
}

struct Printer<'d> {
    text: String,
    /// What is declared; a reference to anything else says that it is external.
    known: &'d BTreeSet<&'d Key>,
    /// What stands as comments at the head of a document.
    notes: &'d BTreeMap<Key, Vec<String>>,
}

impl Printer<'_> {
    fn line(&mut self, indent: usize, text: &str) {
        for _ in 0..indent {
            self.text.push(' ');
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Writes a comment of one line in which nothing is unseen (S12).
    fn comment(&mut self, note: &str) {
        let is_tricky = note.contains(is_unseen) || holds_command(note);
        let text = if is_tricky { double_quoted(note) } else { note.to_owned() };
        self.line(0, &format!("# {text}"));
    }

    /// Writes a key and a text; `${` is escaped as it is read.
    fn entry(&mut self, indent: usize, key: &str, text: &str) {
        let written = write_text(&text.replace("${", "$${"), indent);
        self.line(indent, &format!("{key}: {written}"));
    }

    fn head(&mut self, kind: &str) {
        self.line(0, "---");
        self.line(0, &format!("apiVersion: {API_VERSION}"));
        self.line(0, &format!("kind: {kind}"));
    }

    fn guard(&mut self, guard: &Guard) {
        let Guard { name, id, origin: _ } = guard;
        self.head("Project");
        self.line(0, "metadata:");
        self.entry(2, "name", name);
        if let Some(id) = id {
            self.line(0, "spec:");
            self.entry(2, "id", id);
        }
    }

    fn tombstone(&mut self, tombstone: &Tombstone) {
        let Tombstone { key, approval, origin: _ } = tombstone;
        self.head(spelling(key.kind));
        self.line(0, "metadata:");
        self.entry(2, "name", key.name.as_str());
        self.line(0, "spec:");
        self.line(2, "state: Absent");
        if let Some(approval) = approval {
            self.entry(2, "approval", approval);
        }
    }

    fn resource(&mut self, resource: &Resource<ValueSource>) {
        let Resource {
            key,
            origin: _,
            labels,
            previous_names,
            fields,
            // Of a disk it is derived again when it is read; of the rest `unprinted` tells.
            on_create: _,
            declares_env,
            set_by_hand,
            // It stands with the fields.
            generated: _,
            lifecycle,
            depends_on: _,
        } = resource;
        self.head(spelling(key.kind));
        for note in self.notes.get(key).into_iter().flatten() {
            self.comment(note);
        }
        self.line(0, "metadata:");
        self.entry(2, "name", key.name.as_str());
        if !labels.is_empty() {
            self.line(2, "labels:");
            for (label, text) in labels {
                let label = write_text(label, 4);
                self.entry(4, &label, text);
            }
        }
        if !previous_names.is_empty() {
            self.line(2, "previousNames:");
            for name in previous_names {
                let name = write_text(name.as_str(), 4);
                self.line(4, &format!("- {name}"));
            }
        }
        if fields.is_empty() && !declares_env {
            self.line(0, "spec: {}");
        } else {
            self.line(0, "spec:");
            self.settings(resource);
        }
        if *declares_env {
            let has_any = !set_by_hand.is_empty()
                || fields.keys().any(|path| matches!(path, FieldPath::Env(_)));
            self.line(2, if has_any { "envVars:" } else { "envVars: []" });
            self.variables(resource);
        }
        self.lifecycle(lifecycle);
    }

    fn settings(&mut self, resource: &Resource<ValueSource>) {
        let mut group_open = "";
        for setting in setting::settings_of(resource.key.kind) {
            let Some(field) = resource.fields.get(&FieldPath::Setting(setting)) else {
                continue;
            };
            let ValueSource::Value(value) = &field.value else {
                continue;
            };
            let text = setting.as_str();
            let (indent, key) = match text.split_once('.') {
                Some((group, leaf)) => {
                    if group != group_open {
                        self.line(2, &format!("{group}:"));
                        group_open = group;
                    }
                    (4, leaf)
                }
                None => (2, text),
            };
            self.setting(indent, key, setting, value);
        }
    }

    fn setting(&mut self, indent: usize, key: &str, setting: Setting, value: &FieldValue) {
        match value {
            FieldValue::Text(text) => self.entry(indent, key, text),
            FieldValue::Integer(number) => self.line(indent, &format!("{key}: {number}")),
            FieldValue::Boolean(truth) => self.line(indent, &format!("{key}: {truth}")),
            FieldValue::Set(items) if items.is_empty() => self.line(indent, &format!("{key}: []")),
            FieldValue::Set(items) => {
                self.line(indent, &format!("{key}:"));
                for item in items {
                    let is_foreign = setting == Setting::EnvGroups && !self.knows_group(item);
                    let item = write_text(item, indent);
                    let item = if is_foreign {
                        format!("- {{ name: {item}, external: true }}")
                    } else {
                        format!("- {item}")
                    };
                    self.line(indent + 2, &item);
                }
            }
            // No setting holds one of these; a secret would not be printed anyway.
            FieldValue::Secret(_) | FieldValue::Reference(_) => {}
        }
    }

    fn knows_group(&self, name: &str) -> bool {
        Name::new(name).is_ok_and(|name| self.known.contains(&Key::new(Kind::EnvGroup, name)))
    }

    fn variables(&mut self, resource: &Resource<ValueSource>) {
        let given = resource.fields.iter().filter_map(|(path, field)| match path {
            FieldPath::Env(key) => Some((key, Some(&field.value))),
            FieldPath::Setting(_) => None,
        });
        let by_hand = resource.set_by_hand.keys().map(|key| (key, None));
        let mut all: Vec<_> = given.chain(by_hand).collect();
        all.sort_by_key(|(key, _)| *key);
        for (key, value) in all {
            let key = write_text(key.as_str(), 6);
            self.line(4, &format!("- key: {}", key.replace("${", "$${")));
            match value {
                None | Some(ValueSource::Value(FieldValue::Secret(_))) => {
                    self.line(6, "sync: false")
                }
                Some(ValueSource::Generated(None)) => self.line(6, "generateValue: true"),
                Some(ValueSource::Generated(Some(period))) => {
                    self.line(6, "generateValue:");
                    self.entry(8, "rotate", &period.to_string());
                }
                Some(ValueSource::Environment(name)) => {
                    self.line(6, "valueFrom:");
                    self.entry(8, "env", name);
                }
                Some(ValueSource::File(path)) => {
                    self.line(6, "valueFrom:");
                    self.entry(8, "file", path);
                }
                Some(ValueSource::Provider { provider, reference }) => {
                    self.line(6, "valueFrom:");
                    self.entry(8, "provider", provider);
                    self.entry(8, "ref", reference);
                }
                Some(ValueSource::Sops { file, path }) => {
                    self.line(6, "valueFrom:");
                    self.entry(8, "sops", file);
                    self.entry(8, "path", path);
                }
                Some(ValueSource::Value(FieldValue::Reference(reference))) => {
                    self.reference(reference)
                }
                Some(ValueSource::Value(FieldValue::Text(text))) => self.entry(6, "value", text),
                Some(ValueSource::Value(
                    value @ (FieldValue::Integer(_) | FieldValue::Boolean(_) | FieldValue::Set(_)),
                )) => self.entry(6, "value", &value.to_string()),
            }
        }
    }

    fn reference(&mut self, reference: &Reference) {
        let Reference { kind, name, property, env_key } = reference;
        let way = match kind {
            Kind::Database => "fromDatabase",
            Kind::Service | Kind::EnvGroup => "fromService",
        };
        self.line(6, &format!("{way}:"));
        self.entry(8, "name", name.as_str());
        self.entry(8, "property", property);
        if let Some(env_key) = env_key {
            self.entry(8, "envVarKey", env_key.as_str());
        }
        if !self.known.contains(&Key::new(*kind, name.clone())) {
            self.line(8, "external: true");
        }
    }

    fn lifecycle(&mut self, lifecycle: &Lifecycle) {
        if *lifecycle == Lifecycle::default() {
            return;
        }
        let Lifecycle { prune, protect, adopt, ignore_changes, env_vars, unsettled, policies } =
            lifecycle;
        self.line(0, "lifecycle:");
        if let Some(prune) = prune {
            self.line(2, &format!("prune: {prune}"));
        }
        if *protect {
            self.line(2, "protect: true");
        }
        if let Some(adopt) = adopt {
            let word = match adopt {
                AdoptMode::Always => "always",
                AdoptMode::Match => "match",
                AdoptMode::Never => "never",
            };
            self.line(2, &format!("adopt: {word}"));
        }
        if !ignore_changes.is_empty() {
            self.line(2, "ignoreChanges:");
            for path in ignore_changes {
                let path = write_text(&Lifecycle::ignored_as(path).replace("${", "$${"), 4);
                self.line(4, &format!("- {path}"));
            }
        }
        if *env_vars != EnvSet::default() {
            self.line(2, &format!("envVars: {}", env_vars.as_str()));
        }
        if *unsettled != Unsettled::default() {
            self.line(2, &format!("unsettled: {}", unsettled.as_str()));
        }
        if *policies != ManagementPolicies::default() {
            let ManagementPolicies { create, update, delete } = policies;
            let mut words = String::from("Observe");
            for (is_allowed, word) in [(create, "Create"), (update, "Update"), (delete, "Delete")] {
                if *is_allowed {
                    // Writing to a `String` cannot fail.
                    let _ = write!(words, ", {word}");
                }
            }
            self.line(2, &format!("managementPolicies: [{words}]"));
        }
    }
}
