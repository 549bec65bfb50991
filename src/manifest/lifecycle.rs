//! `lifecycle`: how the agent may treat a resource.

use std::collections::BTreeSet;

use super::reader::{DocumentReader, quoted};
use super::setting;
use super::suggest::nearest;
use super::tree::Yaml;
use crate::model::{AdoptMode, EnvKey, EnvSet, Kind, Lifecycle, ManagementPolicies, Unsettled};

/// The words of `managementPolicies`.
const POLICIES: [&str; 4] = ["Observe", "Create", "Update", "Delete"];

/// The words of `adopt`.
const ADOPT_MODES: [&str; 3] = ["always", "match", "never"];

/// Reads a `lifecycle`.
pub(super) fn read(reader: &mut DocumentReader<'_>, yaml: Yaml<'_, '_>, kind: Kind) -> Lifecycle {
    let known = [
        "prune",
        "protect",
        "adopt",
        "ignoreChanges",
        "envVars",
        "unsettled",
        "managementPolicies",
    ];
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
    if let Some(set) = yaml.get("envVars") {
        lifecycle.env_vars =
            read_word(reader, set, "lifecycle.envVars", EnvSet::ALL, EnvSet::as_str);
    }
    if let Some(unsettled) = yaml.get("unsettled") {
        let path = "lifecycle.unsettled";
        lifecycle.unsettled = read_word(reader, unsettled, path, Unsettled::ALL, Unsettled::as_str);
    }
    if let Some(policies) = yaml.get("managementPolicies") {
        lifecycle.policies = read_policies(reader, policies);
    }
    lifecycle
}

fn read_adopt(reader: &mut DocumentReader<'_>, yaml: Yaml<'_, '_>) -> Option<AdoptMode> {
    let text = reader.text(yaml, "lifecycle.adopt")?;
    match text.parse() {
        Ok(mode) => Some(mode),
        Err(_) => {
            let message = format!("unknown adoption mode `{}`", quoted(&text));
            let hint = match nearest(&text, &ADOPT_MODES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "one of always, match, never".to_owned(),
            };
            reader.error_with(yaml, "lifecycle", message, hint);
            None
        }
    }
}

/// Reads one of a closed set of words.
fn read_word<T: Copy + Default, const N: usize>(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'_, '_>,
    path: &str,
    all: [T; N],
    word: fn(T) -> &'static str,
) -> T {
    let Some(text) = reader.text(yaml, path) else {
        return T::default();
    };
    if let Some(meant) = all.into_iter().find(|it| word(*it) == text) {
        return meant;
    }
    let words = all.map(word);
    let message = format!("unknown value `{}` of `{path}`", quoted(&text));
    let hint = match nearest(&text, &words) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of {}", words.join(", ")),
    };
    reader.error_with(yaml, "lifecycle", message, hint);
    T::default()
}

/// Reads paths such as `spec.scaling` and keeps them as they lie below `spec`; and the name.
fn read_ignored(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'_, '_>,
    kind: Kind,
) -> BTreeSet<String> {
    let mut ignored = BTreeSet::new();
    for item in reader.items(yaml, "lifecycle.ignoreChanges") {
        let Some(text) = reader.text(item, "lifecycle.ignoreChanges") else {
            continue;
        };
        let path = text.strip_prefix("spec.").unwrap_or(&text);
        if text == "metadata.name" {
            ignored.insert("name".to_owned());
            continue;
        }
        if is_path(kind, path) {
            ignored.insert(path.to_owned());
            continue;
        }
        let message = format!("unknown field `{}` of a {kind}", quoted(&text));
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

fn read_policies(reader: &mut DocumentReader<'_>, yaml: Yaml<'_, '_>) -> ManagementPolicies {
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
                let message = format!("unknown management policy `{}`", quoted(&text));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Setting;
    use crate::source::Tree;

    /// Whether a manifest of a kind with that line in its `lifecycle` is right.
    fn check(kind: Kind, line: &str) -> Vec<String> {
        let spec = match kind {
            Kind::Service => "{ type: web, image: nginx }",
            Kind::Database => "{ type: postgres }",
            Kind::EnvGroup => "{ envVars: [] }",
        };
        let word = match kind {
            Kind::Service => "Service",
            Kind::Database => "Database",
            Kind::EnvGroup => "EnvGroup",
        };
        let text = format!(
            "apiVersion: stackblaze.cloud/v1\nkind: {word}\nmetadata: {{ name: api }}\n\
             spec: {spec}\nlifecycle:\n  ignoreChanges: [{line}]\n"
        );
        let loaded = crate::manifest::load(&Tree::from_texts([("a.yaml", text.as_str())]));
        let errors = loaded.diagnostics.iter().filter(|it| it.code == "ignore-changes");
        errors.map(|diagnostic| diagnostic.message.clone()).collect()
    }

    #[test]
    fn every_line_that_a_field_prints_that_does_not_settle_is_a_line_that_is_read() {
        for kind in [Kind::Service, Kind::Database, Kind::EnvGroup] {
            let settings = setting::settings_of(kind).chain([Setting::Name]);
            for setting in settings {
                let line = Lifecycle::ignored_as(setting.as_str());
                assert_eq!(check(kind, &line), [""; 0], "{kind} {line}");
            }
        }
        assert_eq!(check(Kind::Service, &Lifecycle::ignored_as("envVars.KEY")), [""; 0]);
        assert_eq!(check(Kind::Service, "spec.name").len(), 1);
    }
}
