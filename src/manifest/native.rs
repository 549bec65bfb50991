//! The native form: `apiVersion`, `kind`, `metadata`, `spec`, `lifecycle`. Strict: what is not known
//! is an error, so that a slip never becomes a setting that is quietly not made.

use std::collections::BTreeMap;

use super::draft::{Drafts, read_name};
use super::foreign;
use super::group;
use super::lifecycle;
use super::reader::{DocumentReader, quoted};
use super::setting;
use super::suggest::nearest;
use super::tree::Yaml;
use super::variable;
use crate::model::{Field, FieldPath, Guard, Key, Kind, Resource, Setting, Tombstone, ValueSource};

/// The version of the native form.
pub(super) const API_VERSION: &str = "stackblaze.cloud/v1";

/// The kinds as native documents spell them; `Project` is the guard.
const KINDS: [(&str, Option<Kind>); 4] = [
    ("Service", Some(Kind::Service)),
    ("Database", Some(Kind::Database)),
    ("EnvGroup", Some(Kind::EnvGroup)),
    ("Project", None),
];

/// Returns the spelling of a kind in native documents.
pub(super) const fn spelling(kind: Kind) -> &'static str {
    match kind {
        Kind::Service => "Service",
        Kind::Database => "Database",
        Kind::EnvGroup => "EnvGroup",
    }
}

/// Returns the kind that native documents call so; `Some(None)` is the guard.
pub(super) fn kind_called(word: &str) -> Option<Option<Kind>> {
    KINDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
}

/// Reads one native document.
pub(super) fn read(reader: &mut DocumentReader<'_>, root: Yaml<'_, '_>, drafts: &mut Drafts) {
    let Some(kind) = head(reader, root) else {
        return;
    };
    let known: &[&str] = match kind {
        Some(_) => &["apiVersion", "kind", "metadata", "spec", "lifecycle"],
        None => &["apiVersion", "kind", "metadata", "spec"],
    };
    reader.mapping(root, "", known);
    let Some(metadata) = root.get("metadata").filter(|yaml| !yaml.is_null()) else {
        let hint = "write `metadata: { name: NAME }`";
        reader.error_with(root, "missing-field", "`metadata` is missing", hint);
        return;
    };
    match kind {
        Some(kind) => resource(reader, root, metadata, kind, drafts),
        None => guard(reader, root, metadata, drafts),
    }
}

/// Reads `apiVersion` and `kind`; `None` when the document cannot be read further.
fn head(reader: &mut DocumentReader<'_>, root: Yaml<'_, '_>) -> Option<Option<Kind>> {
    let version = required(reader, root, "apiVersion")
        .and_then(|yaml| Some((yaml, reader.text(yaml, "apiVersion")?)));
    let kind =
        required(reader, root, "kind").and_then(|yaml| Some((yaml, reader.text(yaml, "kind")?)));
    let (version_place, version) = version?;
    let is_ours = version == API_VERSION;
    if !is_ours {
        let message = format!("unknown API version `{}`", quoted(&version));
        let kind = kind.as_ref().map(|(_, kind)| kind.as_str());
        let hint = foreign::of_another_maker(&version, kind)
            .unwrap_or_else(|| format!("write `apiVersion: {API_VERSION}`"));
        reader.error_with(version_place, "api-version", message, hint);
    }
    let (kind_place, kind) = kind?;
    let found = KINDS.iter().find(|(word, _)| *word == kind);
    // A Deployment of Kubernetes has a foreign version, and that is all to say about it.
    if found.is_none() && is_ours {
        let message = format!("unknown kind `{}`", quoted(&kind));
        let words: Vec<&str> = KINDS.iter().map(|(word, _)| *word).collect();
        let near = nearest(&kind, &words);
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "one of Service, Database, EnvGroup, Project".to_owned(),
        };
        reader.error_with(kind_place, "kind", message, hint);
        // What was meant is read on, for its other mistakes.
        let meant = KINDS.iter().find(|(word, _)| Some(*word) == near);
        return meant.map(|(_, kind)| *kind);
    }
    found.map(|(_, kind)| *kind).filter(|_| is_ours)
}

fn required<'d, 'a>(
    reader: &mut DocumentReader<'_>,
    yaml: Yaml<'d, 'a>,
    path: &str,
) -> Option<Yaml<'d, 'a>> {
    let value = yaml.get(path.rsplit('.').next().unwrap_or(path));
    if value.is_none() {
        reader.error(yaml, "missing-field", format!("`{path}` is missing"));
    }
    value
}

fn guard(
    reader: &mut DocumentReader<'_>,
    root: Yaml<'_, '_>,
    metadata: Yaml<'_, '_>,
    drafts: &mut Drafts,
) {
    let Some(metadata) = reader.mapping(metadata, "metadata", &["name", "labels"]) else {
        return;
    };
    let place = required(reader, metadata, "metadata.name");
    let name = place.and_then(|yaml| reader.text(yaml, "metadata.name"));
    // A guard that names nobody would guard nothing, and nobody would know (S5).
    if let (Some(place), Some("")) = (place, name.as_deref()) {
        reader.error(place, "malformed", "`metadata.name` is empty");
    }
    labels(reader, metadata);
    let spec = root.get("spec").filter(|yaml| !yaml.is_null());
    let spec = spec.and_then(|spec| reader.mapping(spec, "spec", &["id"]));
    let id = match spec.and_then(|spec| spec.get("id")) {
        Some(yaml) => match reader.text(yaml, "spec.id") {
            Some(id) => Some(id),
            None => return,
        },
        None => None,
    };
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        let origin = reader.origin(root);
        drafts.guards.push(Guard { name, id, origin });
    }
}

fn resource(
    reader: &mut DocumentReader<'_>,
    root: Yaml<'_, '_>,
    metadata: Yaml<'_, '_>,
    kind: Kind,
    drafts: &mut Drafts,
) {
    let known = ["name", "labels", "previousNames"];
    let Some(metadata) = reader.mapping(metadata, "metadata", &known) else {
        return;
    };
    let name = required(reader, metadata, "metadata.name")
        .and_then(|yaml| read_name(reader, yaml, "metadata.name"));
    // Without a name the rest is still read, so that its mistakes are told in the same run.
    let is_named = name.is_some();
    let stand_in = || crate::model::Name::new("unnamed").expect("`unnamed` is a name");
    let key = Key::new(kind, name.unwrap_or_else(stand_in));
    let mut resource = Resource::new(key, reader.origin(root));
    resource.labels = labels(reader, metadata);
    previous_names(reader, metadata, &mut resource, drafts);
    if let Some(yaml) = root.get("lifecycle").filter(|yaml| !yaml.is_null()) {
        resource.lifecycle = lifecycle::read(reader, yaml, kind);
    }
    let spec = root.get("spec").filter(|yaml| !yaml.is_null());
    let state = spec.and_then(|spec| spec.get("state"));
    let is_absent = state.is_some_and(|state| is_absent(reader, state));
    if is_absent {
        if let Some(tombstone) = spec.and_then(|spec| tombstone(reader, spec, &resource))
            && is_named
        {
            drafts.tombstones.push(tombstone);
        }
        return;
    }
    let mentions = drafts.mentions.len();
    match spec {
        Some(spec) => read_spec(reader, spec, &mut resource, drafts),
        None => reader.error(root, "missing-field", "`spec` is missing"),
    }
    if is_named {
        drafts.resources.push(resource);
    } else {
        drafts.mentions.truncate(mentions);
    }
}

fn is_absent(reader: &mut DocumentReader<'_>, state: Yaml<'_, '_>) -> bool {
    match reader.text(state, "spec.state").as_deref() {
        Some("Absent") => return true,
        Some("Present") | None => {}
        Some(other) => {
            let message = format!("unknown value `{}` for `spec.state`", quoted(other));
            reader.error_with(state, "state", message, "either `Absent` or `Present`");
        }
    }
    false
}

/// Reads a document that says that something must go.
fn tombstone(
    reader: &mut DocumentReader<'_>,
    spec: Yaml<'_, '_>,
    resource: &Resource<ValueSource>,
) -> Option<Tombstone> {
    let spec = reader.mapping(spec, "spec", &["state", "approval"])?;
    let approval = match spec.get("approval") {
        Some(yaml) => {
            let text = reader.text(yaml, "spec.approval")?;
            let begin = format!("delete {} id=", resource.key);
            if !text.starts_with(&begin) {
                let message = format!("the approval is not for {}", resource.key);
                let hint = "`stoker plan` prints the line to paste";
                reader.error_with(yaml, "approval", message, hint);
                return None;
            }
            Some(text)
        }
        None => None,
    };
    Some(Tombstone { key: resource.key.clone(), approval, origin: resource.origin.clone() })
}

fn labels(reader: &mut DocumentReader<'_>, metadata: Yaml<'_, '_>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let Some(yaml) = metadata.get("labels").filter(|yaml| !yaml.is_null()) else {
        return labels;
    };
    let Some(entries) = yaml.entries() else {
        reader.wrong_type(yaml, "metadata.labels", "a mapping");
        return labels;
    };
    for (key, place, value) in entries {
        let is_key = !key.is_empty() && !key.chars().any(|c| c.is_whitespace() || c.is_control());
        if !is_key {
            reader.error(place, "malformed", "a label's key is empty or contains a space");
        } else if let Some(text) = reader.text(value, &format!("metadata.labels.{}", quoted(key))) {
            labels.insert(key.to_owned(), text);
        }
    }
    labels
}

fn previous_names(
    reader: &mut DocumentReader<'_>,
    metadata: Yaml<'_, '_>,
    resource: &mut Resource<ValueSource>,
    drafts: &mut Drafts,
) {
    let Some(yaml) = metadata.get("previousNames") else {
        return;
    };
    for item in reader.items(yaml, "metadata.previousNames") {
        let Some(name) = read_name(reader, item, "metadata.previousNames") else {
            continue;
        };
        let origin = reader.origin(item);
        drafts.renames.push((resource.key.clone(), name.clone(), origin));
        resource.previous_names.push(name);
    }
}

fn read_spec(
    reader: &mut DocumentReader<'_>,
    spec: Yaml<'_, '_>,
    resource: &mut Resource<ValueSource>,
    drafts: &mut Drafts,
) {
    let kind = resource.key.kind;
    let mut known = keys_of(kind);
    if let Some(rotation) = spec.get("rotation").filter(|_| kind == Kind::EnvGroup) {
        let message = "`spec.rotation` is not supported by this version";
        let hint = "remove the line; a changed group is then blocked with an explanation";
        reader.error_with(rotation, "unsupported", message, hint);
        // It was named; what else is wrong is told beside it.
        known.push("rotation");
    }
    let Some(spec) = reader.mapping(spec, "spec", &known) else {
        return;
    };
    for group in ["scaling", "disk"] {
        if let Some(yaml) = spec.get(group).filter(|_| kind == Kind::Service) {
            let leaves = leaves_of(group);
            reader.mapping(yaml, &format!("spec.{group}"), &leaves);
        }
    }
    for setting in setting::settings_of(kind) {
        if let Some(yaml) = find(spec, setting) {
            read_setting(reader, setting, yaml, resource, drafts);
        }
    }
    let is_typed = spec.get("type").is_some() || kind == Kind::EnvGroup;
    if !is_typed {
        let hint = match kind {
            Kind::Service => "one of web, worker, cron, static",
            Kind::Database | Kind::EnvGroup => "for example `type: postgres`",
        };
        reader.error_with(spec, "missing-field", "`spec.type` is missing", hint);
    }
    if let Some(yaml) = spec.get("envVars").filter(|_| kind != Kind::Database) {
        variable::read_all(reader, yaml, resource, drafts, &[]);
    }
    if let Some(disk) = spec.get("disk").filter(|disk| disk.entries().is_some())
        && disk.get("mountPath").is_none()
    {
        reader.error(disk, "missing-field", "`spec.disk.mountPath` is missing");
    }
}

fn read_setting(
    reader: &mut DocumentReader<'_>,
    setting: Setting,
    yaml: Yaml<'_, '_>,
    resource: &mut Resource<ValueSource>,
    drafts: &mut Drafts,
) {
    if setting == Setting::EnvGroups {
        group::read_all(reader, yaml, resource, drafts);
    } else if let Some(value) = setting::read(reader, resource.key.kind, setting, yaml) {
        let field = Field { value: ValueSource::Value(value), origin: reader.origin(yaml) };
        resource.fields.insert(FieldPath::Setting(setting), field);
    }
}

/// Returns the keys that may stand directly below `spec`.
pub(super) fn keys_of(kind: Kind) -> Vec<&'static str> {
    let mut keys = vec!["state", "approval"];
    if kind != Kind::Database {
        keys.push("envVars");
    }
    for setting in setting::settings_of(kind) {
        let text = setting.as_str();
        let key = text.split_once('.').map_or(text, |(group, _)| group);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// Returns the keys below `scaling` or `disk`.
fn leaves_of(group: &str) -> Vec<&'static str> {
    let leaf = |setting: &Setting| match setting.as_str().split_once('.') {
        Some((first, leaf)) if first == group => Some(leaf),
        Some(_) | None => None,
    };
    Setting::ALL.iter().filter_map(leaf).collect()
}

/// Finds a setting by its path: `scaling.minInstances` lies in two steps.
fn find<'d, 'a>(spec: Yaml<'d, 'a>, setting: Setting) -> Option<Yaml<'d, 'a>> {
    let mut steps = setting.as_str().split('.');
    let first = spec.get(steps.next()?)?;
    steps.try_fold(first, |yaml, step| yaml.get(step))
}
