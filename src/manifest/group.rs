//! `envGroups`: which groups a service uses.

use std::collections::BTreeSet;

use super::draft::{Drafts, Mention, read_name, set};
use super::reader::DocumentReader;
use super::tree::Yaml;
use crate::model::{FieldPath, FieldValue, Key, Kind, Origin, Resource, Setting, ValueSource};

/// Reads `envGroups`: names, or `{ name, external: true }`.
pub(super) fn read_all(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'_, '_>,
    resource: &mut Resource<ValueSource>,
    drafts: &mut Drafts,
) {
    let path = "spec.envGroups";
    let origin = reader.origin(yaml);
    let is_list = yaml.items().is_some();
    for item in reader.items(yaml, path) {
        let (place, is_external) = if item.entries().is_some() {
            let Some(item) = reader.mapping(item, path, &["name", "external"]) else {
                continue;
            };
            let Some(name) = item.get("name") else {
                reader.error(item, "missing-field", format!("`{path}.name` is missing"));
                continue;
            };
            let external = item.get("external");
            (name, external.and_then(|place| reader.boolean(place, "external")).unwrap_or(false))
        } else {
            (item, false)
        };
        let Some(name) = read_name(reader, place, path) else {
            continue;
        };
        let to = Key::new(Kind::EnvGroup, name.clone());
        let from = resource.key.clone();
        let mention =
            Mention { from, to, origin: reader.origin(place), is_external, form: reader.form };
        drafts.mentions.push(mention);
        if !attach(resource, name.as_str(), origin.clone()) {
            reader.error(place, "duplicate-item", format!("the group `{name}` is given twice"));
        }
    }
    // An empty list is declared too: it takes every group away.
    if is_list {
        let groups = groups_of(resource);
        set(resource, Setting::EnvGroups, FieldValue::Set(groups), origin);
    }
}

/// Attaches a group; whether it was not attached before.
pub(super) fn attach(resource: &mut Resource<ValueSource>, name: &str, origin: Origin) -> bool {
    let mut groups = groups_of(resource);
    let is_new = groups.insert(name.to_owned());
    set(resource, Setting::EnvGroups, FieldValue::Set(groups), origin);
    is_new
}

fn groups_of(resource: &Resource<ValueSource>) -> BTreeSet<String> {
    let field = resource.fields.get(&FieldPath::Setting(Setting::EnvGroups));
    match field.map(|field| &field.value) {
        Some(ValueSource::Value(FieldValue::Set(groups))) => groups.clone(),
        _ => BTreeSet::new(),
    }
}
