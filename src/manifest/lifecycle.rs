//! `lifecycle`: how the agent may treat a resource.

use std::collections::BTreeSet;

use super::reader::{Reader, quoted};
use super::setting;
use super::suggest::nearest;
use super::tree::Yaml;
use crate::model::{AdoptMode, EnvKey, Kind, Lifecycle, ManagementPolicies};

/// The words of `managementPolicies`.
const POLICIES: [&str; 4] = ["Observe", "Create", "Update", "Delete"];

/// The words of `adopt`.
const ADOPT_MODES: [&str; 3] = ["always", "match", "never"];

/// Reads a `lifecycle`.
pub(super) fn read(reader: &mut Reader<'_>, yaml: Yaml<'_, '_>, kind: Kind) -> Lifecycle {
    let known = ["prune", "protect", "adopt", "ignoreChanges", "managementPolicies"];
    let mut lifecycle = Lifecycle::default();
    let Some(yaml) = reader.mapping(yaml, "lifecycle", &known) else {
        return lifecycle;
    };
    if let Some(prune) = yaml.get("prune") {
        lifecycle.prune = reader.boolean(prune, "lifecycle.prune");
    }
    if let Some(protect) = yaml.get("protect") {
        lifecycle.protect = reader.boolean(protect, "lifecycle.protect").unwrap_or(true);
    }
    if let Some(adopt) = yaml.get("adopt") {
        lifecycle.adopt = read_adopt(reader, adopt);
    }
    if let Some(ignored) = yaml.get("ignoreChanges") {
        lifecycle.ignore_changes = read_ignored(reader, ignored, kind);
    }
    if let Some(policies) = yaml.get("managementPolicies") {
        lifecycle.policies = read_policies(reader, policies);
    }
    lifecycle
}

fn read_adopt(reader: &mut Reader<'_>, yaml: Yaml<'_, '_>) -> Option<AdoptMode> {
    let text = reader.text(yaml, "lifecycle.adopt")?;
    match text.parse() {
        Ok(mode) => Some(mode),
        Err(_) => {
            let message = format!("`{}` is no way to adopt", quoted(&text));
            let hint = match nearest(&text, &ADOPT_MODES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "one of always, match, never".to_owned(),
            };
            reader.error_with(yaml, "lifecycle", message, hint);
            None
        }
    }
}

/// Reads paths such as `spec.scaling` and keeps them as they lie below `spec`.
fn read_ignored(reader: &mut Reader<'_>, yaml: Yaml<'_, '_>, kind: Kind) -> BTreeSet<String> {
    let mut ignored = BTreeSet::new();
    for item in reader.items(yaml, "lifecycle.ignoreChanges") {
        let Some(text) = reader.text(item, "lifecycle.ignoreChanges") else {
            continue;
        };
        let path = text.strip_prefix("spec.").unwrap_or(&text);
        if is_path(kind, path) {
            ignored.insert(path.to_owned());
            continue;
        }
        let message = format!("`{}` is no field of a {kind}", quoted(&text));
        let known: Vec<&str> = paths(kind).collect();
        let hint = match nearest(path, &known) {
            Some(near) => format!("did you mean `spec.{near}`?"),
            None => "for example `spec.scaling` or `spec.envVars.KEY`".to_owned(),
        };
        reader.error_with(item, "ignore-changes", message, hint);
    }
    ignored
}

/// Whether a path names a field, or several: `scaling`, `scaling.minInstances`, `envVars.KEY`.
fn is_path(kind: Kind, path: &str) -> bool {
    match path.strip_prefix("envVars.") {
        Some(key) => kind != Kind::Database && EnvKey::new(key).is_ok(),
        None => paths(kind).any(|known| known == path),
    }
}

fn paths(kind: Kind) -> impl Iterator<Item = &'static str> {
    let settings = setting::settings_of(kind).map(|setting| setting.as_str());
    let groups = super::native::keys_of(kind)
        .into_iter()
        .filter(|key| !matches!(*key, "state" | "approval"));
    settings.chain(groups)
}

fn read_policies(reader: &mut Reader<'_>, yaml: Yaml<'_, '_>) -> ManagementPolicies {
    let path = "lifecycle.managementPolicies";
    let mut policies = ManagementPolicies { create: false, update: false, delete: false };
    for item in reader.items(yaml, path) {
        let Some(text) = reader.text(item, path) else {
            continue;
        };
        match text.as_str() {
            // Looking is always allowed, said or not.
            "Observe" => {}
            "Create" => policies.create = true,
            "Update" => policies.update = true,
            "Delete" => policies.delete = true,
            _ => {
                let message = format!("`{}` is no management policy", quoted(&text));
                let hint = match nearest(&text, &POLICIES) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "any of Observe, Create, Update, Delete".to_owned(),
                };
                reader.error_with(item, "lifecycle", message, hint);
            }
        }
    }
    policies
}
