//! Live state as manifests: planning what is exported must give no changes.
//!
//! So only what the platform shows is written, and settings it does not show that we wrote last:
//! a cron job without its schedule would be no manifest. What it hides, and what looks like a secret, is
//! written as `sync: false`: declared, its value left alone, and no secret lands in a file (S9).

use std::collections::{BTreeMap, BTreeSet};

use super::draft::derived;
use super::exportable;
use super::setting;
use crate::model::{
    Applied, Desired, Diagnostic, Entry, EnvSet, Field, FieldPath, FieldValue, Inventory, Key,
    Kind, LiveObject, LiveValue, Name, Origin, Remembered, RemoteId, Resource, Setting,
    ValueSource, is_secret_at,
};

/// Turns live objects into the desired state that agrees with them and with what we remember.
///
/// Returns a warning for each object that a manifest cannot declare: its name is none, or two have
/// the same one.
#[must_use]
pub fn export(
    objects: &[LiveObject],
    inventory: &Inventory,
) -> (Desired<ValueSource>, Vec<Diagnostic>) {
    let entries = inventory.entries.iter();
    let ours: BTreeMap<(Kind, &RemoteId), (&Key, &Entry)> =
        entries.map(|(key, entry)| ((key.kind, &entry.id), (key, entry))).collect();
    let mut desired = Desired::default();
    let mut diagnostics = Vec::new();
    let mut living: BTreeMap<Key, Vec<(&LiveObject, Option<&Entry>)>> = BTreeMap::new();
    for object in objects {
        let LiveObject { kind, id, name, .. } = object;
        let ours = ours.get(&(*kind, id)).copied().filter(|(key, it)| it.goes_by(key, name));
        let key = match (ours, Name::new(name)) {
            // What is ours keeps the name it is declared by, whatever the platform calls it.
            (Some((key, _)), _) => key.clone(),
            (None, Ok(name)) => Key::new(*kind, name),
            (None, Err(error)) => {
                let message = format!("the {kind} {id} cannot be declared: {error}");
                diagnostics.push(Diagnostic::warning("export-name", message));
                continue;
            }
        };
        living.entry(key).or_default().push((object, ours.map(|(_, entry)| entry)));
    }
    for (key, objects) in living {
        // Whether each of them could be declared is another matter: the name would mean either.
        let [(object, entry)] = objects.as_slice() else {
            let message = format!("{key} exists more than once, so it is left out");
            diagnostics.push(Diagnostic::warning("export-ambiguous", message));
            continue;
        };
        let mut resource = resource(&key, object, *entry, &mut diagnostics);
        if let Some(entry) = entry {
            recall(&mut resource, object, entry);
            carry(&mut resource, entry);
        }
        let fitting = exportable::fit(resource, &mut diagnostics);
        desired.resources.extend(fitting.map(|resource| (key, resource)));
    }
    for resource in desired.resources.values_mut() {
        resource.on_create = derived(resource);
    }
    connect(&mut desired);
    let is_ours = |key: &Key| inventory.entries.contains_key(key);
    if desired.resources.keys().any(is_ours) {
        let message = "for owned resources the state records protection, labels, and whether \
            `managementPolicies` withhold `Delete`, which are exported; it does not record where \
            values come from (`valueFrom`, `generateValue`), nor `ignoreChanges`, `adopt`, \
            `unsettled`, `previousNames` and the other policies";
        diagnostics.push(Diagnostic::warning("export-not-carried", message));
    }
    (desired, diagnostics)
}

fn resource(
    key: &Key,
    object: &LiveObject,
    entry: Option<&Entry>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Resource<ValueSource> {
    let origin = Origin { file: format!("<live {key}>"), line: 1, column: 1 };
    let mut resource =
        Resource { declares_env: object.shows_env, ..Resource::new(key.clone(), origin.clone()) };
    for (path, value) in &object.fields {
        let may_show = entry.is_none_or(|entry| entry.may_show(path));
        match (path, value) {
            (_, LiveValue::Absent) => {}
            (FieldPath::Env(env_key), LiveValue::Shown(value))
                if may_show && !is_secret_at(path, value) =>
            {
                let value = match value {
                    FieldValue::Reference(_) => value.clone(),
                    other => FieldValue::Text(other.to_string()),
                };
                insert(&mut resource, FieldPath::Env(env_key.clone()), value, &origin);
                resource.declares_env = true;
            }
            (FieldPath::Env(env_key), LiveValue::Shown(_) | LiveValue::Hidden) => {
                resource.set_by_hand.insert(env_key.clone(), origin.clone());
                resource.declares_env = true;
            }
            (FieldPath::Setting(setting), LiveValue::Shown(value)) => {
                if setting::belongs(key.kind, *setting) && is_secret_at(path, value) {
                    diagnostics.push(left_out(key, path));
                } else if setting::belongs(key.kind, *setting)
                    && is_declarable(key, *setting, value, diagnostics)
                {
                    insert(&mut resource, path.clone(), value.clone(), &origin);
                }
            }
            (FieldPath::Setting(_), LiveValue::Hidden) => {}
        }
    }
    resource
}

/// Adds the settings that we wrote last and the platform does not show. A variable that we wrote, where
/// not all of them are shown, may be there still: it is declared, and its value left alone.
fn recall(resource: &mut Resource<ValueSource>, object: &LiveObject, entry: &Entry) {
    let origin = resource.origin.clone();
    for (path, applied) in &entry.applied {
        let is_unseen = match object.shows(path) {
            None | Some(LiveValue::Hidden) => true,
            Some(LiveValue::Shown(_) | LiveValue::Absent) => false,
        };
        let setting = match path {
            FieldPath::Setting(setting) => setting,
            FieldPath::Env(key) => {
                if is_unseen && resource.declares_env {
                    resource.set_by_hand.insert(key.clone(), origin.clone());
                }
                continue;
            }
        };
        let value = match applied {
            Applied::Text(text) => FieldValue::Text(text.clone()),
            Applied::Integer(number) => FieldValue::Integer(*number),
            Applied::Boolean(truth) => FieldValue::Boolean(*truth),
            Applied::Set(items) => FieldValue::Set(items.clone()),
            Applied::Secret(_) | Applied::Reference(_) => continue,
        };
        let is_plain = !is_secret_at(path, &value);
        if is_unseen && is_plain && setting::belongs(resource.key.kind, *setting) {
            insert(resource, path.clone(), value, &origin);
        }
    }
}

/// Adds what our memory says of a resource and the platform cannot hold: what protects it, and its
/// labels. What it does not remember is said at the end of an export.
fn carry(resource: &mut Resource<ValueSource>, entry: &Entry) {
    let Remembered { prune, protect, delete_withheld } = entry.remembered;
    let lifecycle = &mut resource.lifecycle;
    lifecycle.prune = prune;
    lifecycle.protect = protect;
    lifecycle.policies.delete = !delete_withheld;
    if entry.env_additive {
        lifecycle.env_vars = EnvSet::Additive;
    }
    resource.labels = entry.labels.clone();
}

/// A setting cannot be declared without its value, so one that holds a secret is left out, which
/// leaves it alone.
fn left_out(key: &Key, path: &FieldPath) -> Diagnostic {
    let message = format!("`{path}` of {key} contains a secret, so it is left out");
    Diagnostic::warning("export-secret", message)
}

/// An env group's name may be one that no manifest can hold. Without it the set would be another one,
/// and planning it would take the group away: then none is declared.
fn is_declarable(
    key: &Key,
    setting: Setting,
    value: &FieldValue,
    diagnostics: &mut Vec<Diagnostic>,
) -> bool {
    let FieldValue::Set(items) = value else {
        return true;
    };
    if setting != Setting::EnvGroups {
        return true;
    }
    let bad: Vec<&String> = items.iter().filter(|name| Name::new(name).is_err()).collect();
    for name in &bad {
        let message = format!(
            "{key} uses the env group `{name}`, whose name cannot be declared; its `envGroups` are \
             left out, and so left alone"
        );
        diagnostics.push(Diagnostic::warning("export-name", message));
    }
    bad.is_empty()
}

fn insert(
    resource: &mut Resource<ValueSource>,
    path: FieldPath,
    value: FieldValue,
    origin: &Origin,
) {
    let value = ValueSource::Value(value);
    resource.fields.insert(path, Field { value, origin: origin.clone() });
}

/// Notes what each exported resource needs among the exported ones.
fn connect(desired: &mut Desired<ValueSource>) {
    let known: BTreeSet<Key> = desired.resources.keys().cloned().collect();
    for resource in desired.resources.values_mut() {
        let mut needed = BTreeSet::new();
        for field in resource.fields.values() {
            match &field.value {
                ValueSource::Value(FieldValue::Reference(reference)) => {
                    needed.insert(reference.target());
                }
                ValueSource::Value(FieldValue::Set(items)) => {
                    let names = items.iter().filter_map(|item| Name::new(item).ok());
                    needed.extend(names.map(|name| Key::new(Kind::EnvGroup, name)));
                }
                ValueSource::Value(_)
                | ValueSource::Environment(_)
                | ValueSource::File(_)
                | ValueSource::Provider { .. }
                | ValueSource::Sops { .. }
                | ValueSource::Generated(_) => {}
            }
        }
        needed.retain(|key| known.contains(key) && *key != resource.key);
        resource.depends_on = needed;
    }
}
