//! The vendor's own `stackblaze.yaml`, read as it is found in the wild.
//!
//! Lenient where meaning is clear: older words, numbers for texts, one item for a list. What is not
//! written is not declared: no default of any platform is filled in. What has no place in the API is
//! told by a warning (`words`), never passed over.

mod environment;
mod schema;
mod service;
pub(super) mod words;

#[cfg(test)]
mod tests;

pub use schema::blueprint_schema;

use self::words::MappingKind;
use super::draft::{Drafts, has, read_name, set};
use super::reader::{DocumentReader, quoted};
use super::setting::{self, ENGINES};
use super::tree::Yaml;
use super::variable;
use crate::model::{FieldValue, Guard, Key, Kind, Resource, Setting, ValueSource};

/// Any of these makes a document a Blueprint.
const MARKS: [&str; 8] = [
    "services",
    "databases",
    "caches",
    "envVarGroups",
    "envGroups",
    "pipeline",
    "projects",
    "ungrouped",
];

/// Whether a document is a Blueprint. `services` as a mapping of which none has a `type` is a Compose
/// file.
pub(super) fn is_blueprint(root: Yaml<'_, '_>) -> bool {
    let entries = root.get("services").and_then(Yaml::entries);
    let is_typed = |yaml: Yaml<'_, '_>| yaml.get("type").and_then(Yaml::scalar).is_some();
    let is_compose = entries.is_some_and(|mut all| !all.any(|(_, _, item)| is_typed(item)));
    !is_compose && MARKS.iter().any(|mark| root.get(mark).is_some())
}

/// One of several resources: an item of a list, or the value of a mapping whose keys are the names.
#[derive(Clone, Copy)]
struct Item<'d, 'a> {
    yaml: Yaml<'d, 'a>,
    key: Option<Yaml<'d, 'a>>,
}

impl<'d, 'a> Item<'d, 'a> {
    fn name(self) -> Option<Yaml<'d, 'a>> {
        self.key.or_else(|| self.yaml.get("name"))
    }

    /// Returns the values of a mapping of mappings; none when it is none.
    fn by_name(yaml: Yaml<'d, 'a>) -> Option<Vec<Self>> {
        let items = yaml.entries()?.map(|(_, key, yaml)| Self { yaml, key: Some(key) });
        let items: Vec<Self> = items.collect();
        items.iter().all(|item| item.yaml.entries().is_some()).then_some(items)
    }
}

/// A mapping that may hold lists of resources: the document, `ungrouped`, a project, an environment.
#[derive(Clone, Copy)]
struct Holder<'d, 'a> {
    yaml: Yaml<'d, 'a>,
    place: MappingKind,
}

impl<'d, 'a> Holder<'d, 'a> {
    /// Returns a list of it. One that may not stand there was told of as such, and is not read.
    fn list(self, list: &str) -> Option<Yaml<'d, 'a>> {
        let is_known = self.place.words().iter().any(|(word, _)| *word == list);
        given(self.yaml, list).filter(|_| is_known)
    }
}

/// Reads a Blueprint.
pub(super) fn read(reader: &mut DocumentReader<'_>, root: Yaml<'_, '_>, drafts: &mut Drafts) {
    words::open(reader, root, MappingKind::Top);
    if let Some(version) = given(root, "version") {
        reader.text_as_written(version, "version");
    }
    guard(reader, root, drafts);
    let mut holders = vec![Holder { yaml: root, place: MappingKind::Top }];
    if let Some(ungrouped) = given(root, "ungrouped") {
        let place = MappingKind::Ungrouped;
        let yaml = words::open(reader, ungrouped, place);
        holders.extend(yaml.map(|yaml| Holder { yaml, place }));
    }
    holders.extend(environment::chosen(reader, root, drafts));
    let engines: Vec<String> = holders.iter().flat_map(|holder| engine_names(*holder)).collect();
    let engines: Vec<&str> = engines.iter().map(String::as_str).collect();
    let region = given(root, "region");
    if let Some(region) = region {
        // Where everything has a region of its own, this one was read all the same.
        reader.text_as_written(region, "region");
    }
    for holder in holders {
        resources(reader, holder, region, &engines, drafts);
    }
}

/// Reads the lists of resources of a holder.
fn resources(
    reader: &mut DocumentReader<'_>,
    holder: Holder<'_, '_>,
    region: Option<Yaml<'_, '_>>,
    engines: &[&str],
    drafts: &mut Drafts,
) {
    for (list, fallback) in [("databases", "postgres"), ("caches", "valkey")] {
        for item in items(reader, holder, list) {
            database(reader, item, list, fallback, region, drafts);
        }
    }
    for list in ["envVarGroups", "envGroups"] {
        for item in items(reader, holder, list) {
            group(reader, item, list, drafts);
        }
    }
    for item in items(reader, holder, "services") {
        if engine_of(item).is_some() {
            database(reader, item, "services", "postgres", region, drafts);
        } else if type_of(item) == Some("workflow") {
            let message = "a service of the type `workflow` is left out: the API has no workflows";
            reader.leave_out(item.yaml, message, "set it up on the platform, if it supports it");
        } else {
            service::read(reader, item, region, engines, drafts);
        }
    }
}

/// Returns what stands under a key, when it is not nothing.
fn given<'d, 'a>(yaml: Yaml<'d, 'a>, key: &str) -> Option<Yaml<'d, 'a>> {
    yaml.get(key).filter(|yaml| !yaml.is_null())
}

fn items<'d, 'a>(
    reader: &mut DocumentReader<'_>,
    holder: Holder<'d, 'a>,
    list: &str,
) -> Vec<Item<'d, 'a>> {
    let Some(yaml) = holder.list(list) else {
        return Vec::new();
    };
    let by_name = Item::by_name(yaml);
    let listed = |yaml| Item { yaml, key: None };
    by_name.unwrap_or_else(|| reader.items(yaml, list).into_iter().map(listed).collect())
}

/// `pipeline: NAME`, or an object that holds a name and perhaps the id.
fn guard(reader: &mut DocumentReader<'_>, root: Yaml<'_, '_>, drafts: &mut Drafts) {
    let Some(pipeline) = given(root, "pipeline") else {
        return;
    };
    let is_mapping = pipeline.entries().is_some();
    let (mut place, mut id) = (Some(pipeline), None);
    if is_mapping {
        words::open(reader, pipeline, MappingKind::Pipeline);
        place = given(pipeline, "name");
        id = given(pipeline, "id").and_then(|yaml| reader.text(yaml, "pipeline.id"));
    }
    // A guard that names nobody would guard nothing, and nobody would know (S5).
    let name = place.and_then(|yaml| reader.text(yaml, "pipeline")).filter(|it| !it.is_empty());
    match name {
        Some(name) => drafts.guards.push(Guard { name, id, origin: reader.origin(pipeline) }),
        None if is_mapping || pipeline.scalar().is_some() => {
            reader.error(pipeline, "malformed", "`pipeline` has no name");
        }
        None => {}
    }
}

/// The engine, when an item among the services is a database in the older form.
fn engine_of<'d>(item: Item<'d, '_>) -> Option<&'d str> {
    type_of(item).filter(|text| ENGINES.contains(text))
}

fn type_of<'d>(item: Item<'d, '_>) -> Option<&'d str> {
    Some(item.yaml.get("type")?.scalar()?.0)
}

/// The names of the databases among the services, as they are used.
fn engine_names(holder: Holder<'_, '_>) -> Vec<String> {
    let Some(services) = holder.list("services") else {
        return Vec::new();
    };
    let listed = || services.items().into_iter().flatten().map(|yaml| Item { yaml, key: None });
    let services = Item::by_name(services).unwrap_or_else(|| listed().collect());
    let name = |item: Item<'_, '_>| {
        engine_of(item)?;
        let (text, _) = item.name()?.scalar()?;
        match crate::model::Name::new(text) {
            Ok(name) => Some(name.to_string()),
            Err(error) => error.suggestion,
        }
    };
    services.into_iter().filter_map(name).collect()
}

/// Takes an item, and begins its resource.
fn open(
    reader: &mut DocumentReader<'_>,
    item: Item<'_, '_>,
    place: MappingKind,
    kind: Kind,
    list: &str,
) -> Option<Resource<ValueSource>> {
    words::open(reader, item.yaml, place)?;
    begin(reader, item, kind, list)
}

/// Begins a resource that has a name.
fn begin(
    reader: &mut DocumentReader<'_>,
    item: Item<'_, '_>,
    kind: Kind,
    list: &str,
) -> Option<Resource<ValueSource>> {
    let Some(name) = item.name() else {
        reader.error(item.yaml, "missing-field", format!("an item of `{list}` has no `name`"));
        return None;
    };
    let name = read_name(reader, name, &format!("{list}.name"))?;
    Some(Resource::new(Key::new(kind, name), reader.origin(item.key.unwrap_or(item.yaml))))
}

/// Reads a setting from the first of several spellings that is given; the others give way.
fn take(
    reader: &mut DocumentReader<'_>,
    item: Yaml<'_, '_>,
    keys: &[&'static str],
    setting: Setting,
    resource: &mut Resource<ValueSource>,
) {
    let spellings = keys.iter().filter_map(|key| Some((*key, given(item, key)?)));
    let spellings: Vec<(&str, Yaml<'_, '_>)> = spellings.collect();
    let Some(((key, yaml), others)) = spellings.split_first() else {
        if let Some((key, nothing)) = keys.iter().find_map(|key| Some((key, item.get(key)?))) {
            let message = format!("`{key}` has no value and is left out");
            reader.warn(nothing, "no-value", message, "remove the line");
        }
        return;
    };
    for other in others {
        gives_way(reader, *other, (key, *yaml));
    }
    if yaml.scalar().is_some_and(|(text, _)| text.is_empty()) {
        yaml.take();
        let message = format!("`{key}` has no value and is left out");
        reader.warn(*yaml, "no-value", message, "remove the line");
    } else if let Some(value) = setting::read(reader, resource.key.kind, setting, *yaml) {
        set(resource, setting, value, reader.origin(*yaml));
    }
}

/// Of two spellings of one thing the present one is read; the other is told of unless it says the
/// same.
fn gives_way(
    reader: &mut DocumentReader<'_>,
    (key, yaml): (&str, Yaml<'_, '_>),
    (winner, read): (&str, Yaml<'_, '_>),
) {
    let text = |yaml: Yaml<'_, '_>| yaml.scalar().map(|(text, _)| text.to_owned());
    if text(yaml).is_some() && text(yaml) == text(read) {
        yaml.take();
    } else {
        let message = format!("`{key}` is ignored in favour of `{winner}`");
        reader.leave_out(yaml, message, "remove one of the two");
    }
}

fn database(
    reader: &mut DocumentReader<'_>,
    item: Item<'_, '_>,
    list: &str,
    fallback: &str,
    region: Option<Yaml<'_, '_>>,
    drafts: &mut Drafts,
) {
    let Some(mut database) = open(reader, item, MappingKind::Database, Kind::Database, list) else {
        return;
    };
    let item = item.yaml;
    take(reader, item, &["type"], Setting::Type, &mut database);
    if !has(&database, Setting::Type) {
        let origin = database.origin.clone();
        set(&mut database, Setting::Type, FieldValue::Text(fallback.to_owned()), origin);
    }
    for setting in [Setting::DatabaseName, Setting::User, Setting::Plan] {
        take(reader, item, &[setting.as_str()], setting, &mut database);
    }
    take(reader, item, &["version", "postgresMajorVersion"], Setting::Version, &mut database);
    storage(reader, item, &mut database);
    take_region(reader, item, region, &mut database);
    drafts.resources.push(database);
}

fn storage(
    reader: &mut DocumentReader<'_>,
    item: Yaml<'_, '_>,
    database: &mut Resource<ValueSource>,
) {
    let spellings = ["storageGB", "diskSizeGB"];
    let read = spellings.iter().find_map(|key| Some((*key, given(item, key)?)));
    take(reader, item, &spellings, Setting::StorageGb, database);
    match (given(item, "storage"), read) {
        (Some(storage), Some(read)) => gives_way(reader, ("storage", storage), read),
        (Some(storage), None) => storage_size(reader, storage, database),
        (None, _) => {}
    }
}

/// `10Gi`, `10GB`, `10`.
fn storage_size(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'_, '_>,
    database: &mut Resource<ValueSource>,
) {
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
            let message = format!("invalid size `{}`", quoted(&text));
            reader.error_with(yaml, "size", message, "for example `10Gi`");
        }
    }
}

fn take_region(
    reader: &mut DocumentReader<'_>,
    item: Yaml<'_, '_>,
    region: Option<Yaml<'_, '_>>,
    resource: &mut Resource<ValueSource>,
) {
    take(reader, item, &["region"], Setting::Region, resource);
    if let Some(yaml) = region
        && !has(resource, Setting::Region)
        && let Some(value) = setting::read(reader, resource.key.kind, Setting::Region, yaml)
    {
        set(resource, Setting::Region, value, reader.origin(yaml));
    }
}

fn group(reader: &mut DocumentReader<'_>, item: Item<'_, '_>, list: &str, drafts: &mut Drafts) {
    let Some(mut group) = open(reader, item, MappingKind::Group, Kind::EnvGroup, list) else {
        return;
    };
    if let Some(yaml) = given(item.yaml, "envVars") {
        variable::read_all(reader, yaml, &mut group, drafts, &[]);
    }
    drafts.resources.push(group);
}
