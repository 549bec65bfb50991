//! Where a resource and its fields come from. Pure: it is told what
//! the manifests say, what we remember, and what an agent knows.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::manifest;
use crate::model::{
    Applied, Desired, Entry, FieldPath, FieldValue, Inventory, Key, Kind, Origin, Resource,
    Setting, ValueSource, canonical, is_secret_at,
};
use crate::status::paper::{field_values, short, telling};
use crate::status::{ConditionReason, Event, ProjectStatus, ResourceStatus};

use super::super::facts;
use super::super::get::claim_word;
use super::{Subject, notes};

/// What an agent adds: its project, the resource as it knows it, the event that touched it last.
#[derive(Clone, Copy)]
pub struct AgentAccount<'a> {
    /// The project.
    pub project: &'a ProjectStatus,
    /// The resource.
    pub resource: &'a ResourceStatus,
    /// The last event about it.
    pub touched: Option<&'a Event>,
}

/// All that is known about a resource, for an explanation.
#[derive(Clone, Copy)]
pub struct KnownFacts<'a> {
    /// What the manifests say.
    pub declared: &'a Desired<ValueSource>,
    /// What we remember.
    pub inventory: &'a Inventory,
    /// What a running agent knows.
    pub witness: Option<AgentAccount<'a>>,
}

/// Where a resource and its fields come from.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The resource.
    pub key: Key,
    /// Where it is declared.
    pub origin: Option<Origin>,
    /// The commit these manifests are, when the agent is at it.
    pub commit: Option<String>,
    /// By what right it is ours.
    pub owned: Option<&'static str>,
    /// How it is, as the agent reports: reason and message.
    pub condition: Option<(ConditionReason, String)>,
    /// The event that touched it last.
    pub touched: Option<Event>,
    /// Why the resource as a whole is not created, changed or deleted; sentences without an end.
    pub notes: Vec<String>,
    /// The fields that are asked about.
    pub fields: Vec<Explained>,
}

/// Where one field comes from.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    /// Which.
    pub path: FieldPath,
    /// Where it is declared.
    pub origin: Option<Origin>,
    /// What is declared; a secret shows that it is one, and where its value is found.
    pub value: Option<String>,
    /// What was last written.
    pub applied: Option<String>,
    /// How what was last written compares.
    pub standing: LastWrite,
    /// What the agent sees on the platform.
    pub live: Option<String>,
    /// Why it is not written.
    pub notes: Vec<String>,
}

/// How what was last written compares with what is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LastWrite {
    /// It is the same.
    Same,
    /// It is another.
    Other,
    /// Both are secrets: only `plan`, which resolves them, can tell.
    Secret,
    /// We never wrote it.
    Never,
}

/// Why nothing can be explained.
#[derive(Debug, PartialEq, Eq)]
pub struct Unexplained {
    /// What is not there, a fragment.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Explains.
///
/// # Errors
/// When nobody knows the resource, or the field.
pub fn explain(subject: &Subject, known: KnownFacts<'_>) -> Result<Explanation, Unexplained> {
    let KnownFacts { declared, inventory, witness } = known;
    let key = &subject.key;
    let resource = declared.resources.get(key);
    let tombstone = declared.tombstones.get(key);
    let (entry, intent) = (inventory.entries.get(key), inventory.intents.get(key));
    let is_known = resource.is_some() || tombstone.is_some() || entry.is_some();
    if !is_known && intent.is_none() && witness.is_none() {
        return Err(unknown_resource(key, known));
    }
    let subject_paths = paths(resource, entry);
    let asked = subject_paths.iter().filter(|path| subject.covers(path));
    let fields = asked.map(|path| Explained {
        live: witness.and_then(|witness| live(path, witness, &declared.digest)),
        ..field(path, key.kind, resource, entry)
    });
    let fields: Vec<Explained> = fields.collect();
    if let (Some(asked), true) = (&subject.field, fields.is_empty()) {
        return Err(unknown_field(key, asked, &subject_paths));
    }
    let declared_at = resource.map(|it| &it.origin).or(tombstone.map(|it| &it.origin));
    let seen_at = witness.and_then(|it| it.resource.declared_at.as_ref());
    let revision = witness.and_then(|it| it.project.source.revision.as_ref());
    let condition = witness.and_then(|it| telling(&it.resource.conditions));
    let mut notes = notes::of_resource(key, resource, tombstone, (entry, intent), witness);
    // The agent may be at an earlier commit, or at a later one, than what lies here.
    let elsewhere = revision.filter(|it| it.digest != declared.digest && declared_at.is_some());
    if let Some(at) = elsewhere {
        let name = short(at.commit.as_deref().unwrap_or(&at.digest));
        notes.push(format!("the agent reads different manifests: it is at {name}"));
    }
    let commit = revision.filter(|_| elsewhere.is_none()).and_then(|it| it.commit.as_deref());
    Ok(Explanation {
        key: key.clone(),
        origin: declared_at.or(seen_at).cloned(),
        commit: commit.map(short),
        owned: entry.map(|entry| claim_word(entry.claim)),
        condition: condition.map(|it| (it.reason.clone(), it.message.clone())),
        touched: witness.and_then(|it| it.touched).cloned(),
        notes,
        fields,
    })
}

/// The fields anybody speaks of: the manifest, or our memory.
fn paths(resource: Option<&Resource<ValueSource>>, entry: Option<&Entry>) -> BTreeSet<FieldPath> {
    let mut paths = BTreeSet::new();
    if let Some(resource) = resource {
        paths.extend(resource.fields.keys().cloned());
        paths.extend(resource.set_by_hand.keys().cloned().map(FieldPath::Env));
    }
    if let Some(entry) = entry {
        paths.extend(entry.applied.keys().cloned());
        paths.extend(entry.tolerated_env.iter().cloned().map(FieldPath::Env));
    }
    paths
}

fn field(
    path: &FieldPath,
    kind: Kind,
    resource: Option<&Resource<ValueSource>>,
    entry: Option<&Entry>,
) -> Explained {
    let declared = resource.and_then(|resource| resource.fields.get(path));
    let by_hand = resource.zip(path.env_key()).and_then(|(it, key)| it.set_by_hand.get(key));
    let applied = entry.and_then(|entry| entry.applied.get(path));
    let value = declared.map(|field| value(path, &field.value));
    let standing = standing(kind, path, declared.map(|field| &field.value), applied);
    Explained {
        path: path.clone(),
        origin: declared.map(|field| &field.origin).or(by_hand).cloned(),
        value: value.or_else(|| by_hand.map(|_| "(set by hand: `sync: false`)".to_owned())),
        applied: applied.map(|applied| facts::applied_value(path, applied)),
        standing,
        live: None,
        notes: notes::of_field(path, kind, resource, entry, standing),
    }
}

/// Shows what is declared; never the value of a secret (S9).
fn value(path: &FieldPath, source: &ValueSource) -> String {
    match source {
        ValueSource::Value(value) => facts::shown(path, value),
        ValueSource::Environment(name) => format!("(secret, from the variable {name})"),
        ValueSource::File(file) => format!("(secret, from the file {file})"),
        ValueSource::Provider { provider, reference } => {
            format!("(secret, {reference} of the provider {provider})")
        }
        ValueSource::Sops { file, path } => format!("(secret, {path} of the SOPS file {file})"),
        ValueSource::Generated(None) => "(secret, generated)".to_owned(),
        ValueSource::Generated(Some(period)) => format!("(secret, generated every {period})"),
    }
}

fn standing(
    kind: Kind,
    path: &FieldPath,
    declared: Option<&ValueSource>,
    applied: Option<&Applied>,
) -> LastWrite {
    let plain = match declared {
        Some(ValueSource::Value(value)) if is_secret_at(path, value) => None,
        Some(ValueSource::Value(value)) => Some(value),
        Some(
            ValueSource::Environment(_)
            | ValueSource::File(_)
            | ValueSource::Provider { .. }
            | ValueSource::Sops { .. }
            | ValueSource::Generated(_),
        )
        | None => None,
    };
    match (plain, applied) {
        (_, None) => LastWrite::Never,
        (Some(value), Some(applied)) => {
            let is_same = Applied::from(&canonical(kind, path, value))
                == canonical_applied(kind, path, applied);
            if is_same { LastWrite::Same } else { LastWrite::Other }
        }
        (None, Some(_)) if declared.is_some() => LastWrite::Secret,
        (None, Some(_)) => LastWrite::Other,
    }
}

fn canonical_applied(kind: Kind, path: &FieldPath, applied: &Applied) -> Applied {
    let plain = match applied {
        Applied::Text(text) => FieldValue::Text(text.clone()),
        Applied::Integer(number) => FieldValue::Integer(*number),
        Applied::Boolean(truth) => FieldValue::Boolean(*truth),
        Applied::Set(items) => FieldValue::Set(items.clone()),
        Applied::Reference(reference) => FieldValue::Reference(reference.clone()),
        Applied::Secret(_) => return applied.clone(),
    };
    Applied::from(&canonical(kind, path, &plain))
}

/// What the agent sees: a difference that is pending, or that there is none.
fn live(path: &FieldPath, witness: AgentAccount<'_>, digest: &str) -> Option<String> {
    let AgentAccount { project, resource, touched: _ } = witness;
    let path = path.to_string();
    let change = project.pending.iter().find(|change| change.key == resource.key);
    let field = change.and_then(|change| change.fields.iter().find(|field| field.path == path));
    if let Some(field) = field {
        return Some(match field.action.as_str() {
            "leave" => format!("left alone: {}", field.reason),
            _ => format!("{} ({})", field_values(field), field.reason),
        });
    }
    let newest = project.source.revision.as_ref().map(|revision| &revision.digest);
    let observed = resource.observed_revision.as_deref();
    let is_up_to_date = observed == Some(digest) && newest.is_some_and(|it| it == digest);
    is_up_to_date.then(|| "as declared".to_owned())
}

fn unknown_resource(key: &Key, known: KnownFacts<'_>) -> Unexplained {
    let KnownFacts { declared, inventory, witness: _ } = known;
    let keys = declared.resources.keys().chain(declared.tombstones.keys());
    let keys: BTreeSet<String> =
        keys.chain(inventory.entries.keys()).map(ToString::to_string).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let hint = match manifest::nearest(&key.to_string(), &keys) {
        Some(near) => format!("did you mean {near}?"),
        None => "`stoker render` prints what is declared".to_owned(),
    };
    Unexplained { message: format!("no manifest declares {key}, and it is not ours"), hint }
}

fn unknown_field(key: &Key, asked: &str, paths: &BTreeSet<FieldPath>) -> Unexplained {
    let known: Vec<String> = paths.iter().map(ToString::to_string).collect();
    let settings = Setting::ALL.iter().map(|setting| setting.as_str());
    let is_setting = settings.clone().any(|setting| setting == asked);
    let known = known.iter().map(String::as_str);
    let words: Vec<&str> = known.chain(settings).collect();
    let hint = match manifest::nearest(asked, &words) {
        _ if is_setting => "undeclared fields are left alone".to_owned(),
        Some(near) => format!("did you mean {key}.{near}?"),
        None => format!("`stoker why {key}` shows all of its fields"),
    };
    Unexplained { message: format!("no manifest declares `{asked}` of {key}"), hint }
}
