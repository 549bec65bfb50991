//! The vendor's own `stackblaze.yaml`, read as it is found in the wild.
//!
//! Lenient where meaning is clear: older words, numbers for texts, one item for a list. What the
//! agent does not manage is told by a warning, never passed over.

mod service;

use super::draft::{Drafts, has, read_name, set};
use super::reader::{Reader, quoted};
use super::setting::{self, ENGINES};
use super::tree::Yaml;
use super::variable;
use crate::model::{FieldValue, Guard, Key, Kind, Resource, Setting, Source};

/// Any of these makes a document a Blueprint.
const MARKS: [&str; 6] =
    ["services", "databases", "caches", "envVarGroups", "envGroups", "pipeline"];

/// Everything known at the top.
const TOP: [&str; 11] = [
    "pipeline",
    "version",
    "name",
    "region",
    "domain",
    "previews",
    "services",
    "databases",
    "caches",
    "envVarGroups",
    "envGroups",
];

/// Whether a document is a Blueprint. `services` as a mapping is a Compose file.
pub(super) fn is_blueprint(root: Yaml<'_, '_>) -> bool {
    let is_compose = root.get("services").is_some_and(|yaml| yaml.entries().is_some());
    !is_compose && MARKS.iter().any(|mark| root.get(mark).is_some())
}

/// Reads a Blueprint.
pub(super) fn read(reader: &mut Reader<'_>, root: Yaml<'_, '_>, drafts: &mut Drafts) {
    reader.mapping(root, "", &TOP);
    for key in ["name", "domain", "previews"] {
        if let Some(place) = root.get(key) {
            let message = format!("`{key}` of a Blueprint is not managed by the agent");
            reader.warn(place, "not-managed", message, "set it on the platform");
        }
    }
    guard(reader, root, drafts);
    let engines = engine_names(root);
    let engines: Vec<&str> = engines.iter().map(String::as_str).collect();
    let region = root.get("region").filter(|yaml| !yaml.is_null());
    for (list, fallback) in [("databases", "postgres"), ("caches", "valkey")] {
        for item in items(reader, root, list) {
            database(reader, item, list, fallback, region, drafts);
        }
    }
    for list in ["envVarGroups", "envGroups"] {
        for item in items(reader, root, list) {
            group(reader, item, list, drafts);
        }
    }
    for item in items(reader, root, "services") {
        if engine_of(item).is_some() {
            database(reader, item, "services", "postgres", region, drafts);
        } else {
            service::read(reader, item, region, &engines, drafts);
        }
    }
}

fn items<'d, 'a>(reader: &mut Reader<'_>, root: Yaml<'d, 'a>, list: &str) -> Vec<Yaml<'d, 'a>> {
    match root.get(list).filter(|yaml| !yaml.is_null()) {
        Some(yaml) => reader.items(yaml, list),
        None => Vec::new(),
    }
}

/// `pipeline: NAME`, or an object that holds a name.
fn guard(reader: &mut Reader<'_>, root: Yaml<'_, '_>, drafts: &mut Drafts) {
    let Some(pipeline) = root.get("pipeline").filter(|yaml| !yaml.is_null()) else {
        return;
    };
    let place = pipeline.get("name").unwrap_or(pipeline);
    if let Some(name) = reader.text(place, "pipeline").filter(|name| !name.is_empty()) {
        let origin = reader.origin(pipeline);
        drafts.guards.push(Guard { name, id: None, origin });
    }
}

/// The engine, when an item among the services is a database in the older form.
fn engine_of<'d>(item: Yaml<'d, '_>) -> Option<&'d str> {
    let (text, _) = item.get("type")?.scalar()?;
    ENGINES.contains(&text).then_some(text)
}

/// The names of the databases among the services, as they are used.
fn engine_names(root: Yaml<'_, '_>) -> Vec<String> {
    let Some(services) = root.get("services").and_then(Yaml::items) else {
        return Vec::new();
    };
    let name = |item: Yaml<'_, '_>| {
        engine_of(item)?;
        let (text, _) = item.get("name")?.scalar()?;
        match crate::model::Name::new(text) {
            Ok(name) => Some(name.to_string()),
            Err(error) => error.suggestion,
        }
    };
    services.filter_map(name).collect()
}

/// Begins a resource of a list item that has a name.
fn begin(
    reader: &mut Reader<'_>,
    item: Yaml<'_, '_>,
    kind: Kind,
    list: &str,
) -> Option<Resource<Source>> {
    let Some(name) = item.get("name") else {
        reader.error(item, "missing-field", format!("an item of `{list}` has no `name`"));
        return None;
    };
    let name = read_name(reader, name, &format!("{list}.name"))?;
    Some(Drafts::begin(Key::new(kind, name), reader.origin(item)))
}

/// Reads a setting from the first of several keys that stands there.
fn take(
    reader: &mut Reader<'_>,
    item: Yaml<'_, '_>,
    keys: &[&str],
    setting: Setting,
    resource: &mut Resource<Source>,
) {
    let Some(yaml) = keys.iter().find_map(|key| item.get(key)) else {
        return;
    };
    let is_empty = yaml.scalar().is_some_and(|(text, _)| text.is_empty());
    if yaml.is_null() || is_empty {
        let message = format!("`{}` has no value and is left out", keys[0]);
        reader.warn(yaml, "no-value", message, "remove the line");
    } else if let Some(value) = setting::read(reader, resource.key.kind, setting, yaml) {
        set(resource, setting, value, reader.origin(yaml));
    }
}

fn database(
    reader: &mut Reader<'_>,
    item: Yaml<'_, '_>,
    list: &str,
    fallback: &str,
    region: Option<Yaml<'_, '_>>,
    drafts: &mut Drafts,
) {
    let known = [
        "name",
        "type",
        "databaseName",
        "user",
        "plan",
        "version",
        "storage",
        "storageGB",
        "region",
    ];
    let Some(item) = reader.mapping(item, list, &known) else {
        return;
    };
    let Some(mut database) = begin(reader, item, Kind::Database, list) else {
        return;
    };
    take(reader, item, &["type"], Setting::Type, &mut database);
    if !has(&database, Setting::Type) {
        let origin = database.origin.clone();
        set(&mut database, Setting::Type, FieldValue::Text(fallback.to_owned()), origin);
    }
    for setting in [Setting::DatabaseName, Setting::User, Setting::Plan, Setting::Version] {
        take(reader, item, &[setting.as_str()], setting, &mut database);
    }
    take(reader, item, &["storageGB"], Setting::StorageGb, &mut database);
    if let Some(storage) = item.get("storage").filter(|_| item.get("storageGB").is_none()) {
        storage_size(reader, storage, &mut database);
    }
    take_region(reader, item, region, &mut database);
    drafts.resources.push(database);
}

/// `10Gi`, `10GB`, `10`.
fn storage_size(reader: &mut Reader<'_>, yaml: Yaml<'_, '_>, database: &mut Resource<Source>) {
    let Some(text) = reader.text_as_written(yaml, "storage") else {
        return;
    };
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let factor = match text[digits.len()..].trim() {
        "" | "Gi" | "GiB" | "G" | "GB" => 1,
        "Ti" | "TiB" | "T" | "TB" => 1024,
        _ => 0,
    };
    let size = digits.parse::<i64>().ok().and_then(|number| number.checked_mul(factor));
    match size.filter(|size| (1..=setting::SIZE_GB_MAX).contains(size)) {
        Some(size) => {
            let origin = reader.origin(yaml);
            set(database, Setting::StorageGb, FieldValue::Integer(size), origin);
        }
        None => {
            let message = format!("`{}` is no size", quoted(&text));
            reader.error_with(yaml, "size", message, "for example `10Gi`");
        }
    }
}

fn take_region(
    reader: &mut Reader<'_>,
    item: Yaml<'_, '_>,
    region: Option<Yaml<'_, '_>>,
    resource: &mut Resource<Source>,
) {
    take(reader, item, &["region"], Setting::Region, resource);
    if let Some(yaml) = region
        && !has(resource, Setting::Region)
        && let Some(value) = setting::read(reader, resource.key.kind, Setting::Region, yaml)
    {
        set(resource, Setting::Region, value, reader.origin(yaml));
    }
}

fn group(reader: &mut Reader<'_>, item: Yaml<'_, '_>, list: &str, drafts: &mut Drafts) {
    let Some(item) = reader.mapping(item, list, &["name", "envVars"]) else {
        return;
    };
    let Some(mut group) = begin(reader, item, Kind::EnvGroup, list) else {
        return;
    };
    if let Some(yaml) = item.get("envVars").filter(|yaml| !yaml.is_null()) {
        variable::read_all(reader, yaml, &mut group, drafts, &[]);
    }
    drafts.resources.push(group);
}
