//! One object of any kind, as it is listed or detailed (A2, A3, A14, A16) → [`LiveObject`].
//!
//! One table of settings serves all kinds. What is not there is not shown; what is `null` is
//! absent; what has a form nobody expects is not shown either, because it cannot be compared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::json::{Object, boolean, id_of, integer, lookup, text, text_at, time_at, whole_number};
use super::variable::read_variables;
use crate::api::dialect::{Dialect, GroupNaming};
use crate::model::{FieldPath, FieldValue, Kind, LiveObject, LiveValue, RemoteId, Setting};

/// The longest name that is kept: it is foreign text, perhaps none a manifest could declare.
const NAME_LENGTH_MAX: usize = 1024;

/// The names of the env groups by id, as far as they are known (A14).
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Groups {
    /// The names.
    pub names: BTreeMap<RemoteId, String>,
    /// Whether these are all there are: then an id that is not among them is of a group that is
    /// gone, and its service must be given another one.
    pub are_all: bool,
    /// What we call groups that the platform gave another name than the declared one (A22).
    pub called: BTreeMap<RemoteId, String>,
}

impl Groups {
    /// Returns the name of a group, or the id of one that is gone: no declared name equals it.
    fn name(&self, id: &str) -> Option<String> {
        let name = self.names.get(&RemoteId::new(id).ok()?).cloned();
        name.or_else(|| self.are_all.then(|| id.to_owned()))
    }
}

/// Reads one object.
///
/// # Errors
/// When it has no usable id or no name: then it cannot even be counted as something we know.
pub(in crate::api) fn read_object(
    kind: Kind,
    dialect: &Dialect,
    groups: &Groups,
    object: &Object,
) -> Result<LiveObject, String> {
    let id = id_of(object, &["id"]).ok_or_else(|| format!("a {kind} has no usable id"))?;
    let name = dialect
        .field_name(kind, Setting::Name)
        .and_then(|path| lookup(object, path))
        .and_then(text)
        .filter(|name| !name.is_empty() && name.len() <= NAME_LENGTH_MAX)
        .ok_or_else(|| format!("{kind} {id} has no usable name"))?;
    let mut fields = BTreeMap::new();
    for setting in Setting::ALL.iter().filter(|setting| **setting != Setting::Name) {
        let path = dialect.field_name(kind, *setting);
        let Some(value) = path.and_then(|path| lookup(object, path)) else {
            continue;
        };
        if let Some(value) = read_setting(kind, *setting, dialect, groups, value) {
            fields.insert(FieldPath::Setting(*setting), value);
        }
    }
    let mut shows_env = false;
    if let (Kind::Service | Kind::EnvGroup, Some(value)) = (kind, object.get("env_vars")) {
        let variables = read_variables(value);
        shows_env = variables.is_whole;
        let shown = variables.values.into_iter();
        fields.extend(shown.map(|(key, value)| (FieldPath::Env(key), value)));
    }
    Ok(LiveObject {
        kind,
        id,
        name,
        created_at: time_at(object, "created"),
        status: text_at(object, "status"),
        url: text_at(object, "url"),
        replicas: object
            .get("replicas")
            .and_then(whole_number)
            .and_then(|count| u32::try_from(count).ok()),
        fields,
        shows_env,
    })
}

fn read_setting(
    kind: Kind,
    setting: Setting,
    dialect: &Dialect,
    groups: &Groups,
    value: &Value,
) -> Option<LiveValue> {
    if value.is_null() {
        return Some(LiveValue::Absent);
    }
    let shown = match setting {
        Setting::EnvGroups => return read_group_names(dialect, groups, value),
        Setting::Type if kind == Kind::Service => {
            FieldValue::Text(dialect.type_from_api(&text(value)?))
        }
        Setting::Port
        | Setting::MinInstances
        | Setting::MaxInstances
        | Setting::TargetCpuPercent
        | Setting::DiskSizeGb
        | Setting::StorageGb => FieldValue::Integer(integer(value)?),
        Setting::AutoDeploy => FieldValue::Boolean(boolean(value)?),
        Setting::Domains => FieldValue::Set(names(value, &["name", "domain", "hostname"])?),
        Setting::Name
        | Setting::Type
        | Setting::Runtime
        | Setting::Repo
        | Setting::Branch
        | Setting::RootDir
        | Setting::DockerfilePath
        | Setting::Image
        | Setting::BuildCommand
        | Setting::StartCommand
        | Setting::PreDeployCommand
        | Setting::Plan
        | Setting::Region
        | Setting::Schedule
        | Setting::HealthCheckPath
        | Setting::DiskName
        | Setting::DiskMountPath
        | Setting::Version
        | Setting::DatabaseName
        | Setting::User => FieldValue::Text(text(value)?),
    };
    Some(LiveValue::Shown(shown))
}

/// Reads the env groups of a service; one whose name we do not know hides them all, because a set
/// can only be compared whole.
fn read_group_names(dialect: &Dialect, groups: &Groups, value: &Value) -> Option<LiveValue> {
    let known = |id: &str| groups.name(id);
    let mut named = BTreeSet::new();
    for item in value.as_array()? {
        let name = match (item, dialect.env_groups) {
            (Value::Object(group), _) => {
                text_at(group, "name").or_else(|| known(&text_at(group, "id")?))
            }
            (Value::String(id), GroupNaming::Id) => known(id),
            (Value::String(name), GroupNaming::Name) => Some(name.clone()),
            _ => None,
        };
        match name {
            Some(name) => named.insert(name),
            None => return Some(LiveValue::Hidden),
        };
    }
    Some(LiveValue::Shown(FieldValue::Set(named)))
}

/// Reads a list of names, each a text or an object that holds one.
fn names(value: &Value, keys: &[&str]) -> Option<BTreeSet<String>> {
    let name = |item: &Value| match item {
        Value::Object(inner) => keys.iter().find_map(|key| text_at(inner, key)),
        other => text(other),
    };
    value.as_array()?.iter().map(name).collect()
}
