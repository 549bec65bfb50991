//! A notation for snapshots and plans, so that a law and its example fit on a few lines.
//!
//! One line states one thing; words after the key are fields (`plan=standard`, `env.A=1`) or flags.
//! A value is a number, a truth, `[a,b]`, `secret:x`, `gen:x`, `ref:database/main`, or a text; live
//! ones may be `hidden` or `null`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::flapping;
use super::paper::print;
use crate::model::*;
use crate::plan::*;

pub const NOW: &str = "2026-03-01T12:00:00Z";
const BORN: &str = "2026-01-15T10:30:00Z";

/// Plans a scene and prints the plan, one line for each change.
#[track_caller]
pub fn check(scene: &str, expected: &str) {
    let (snapshot, policy) = parse(scene);
    let trim = |text: &str| {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(print(&plan(&snapshot, &policy)), trim(expected));
}

/// Returns what a plan says stands in the way of its only blocked change.
pub fn explain(scene: &str) -> String {
    let (snapshot, policy) = parse(scene);
    let plan = plan(&snapshot, &policy);
    let mut blocked = plan.changes.iter().filter_map(|it| it.blocked.as_ref());
    let only = blocked.next().expect("something is blocked");
    let hint = only.hint.as_deref().unwrap_or("-");
    format!("{} | {hint}", only.message)
}

pub fn parse(scene: &str) -> (Snapshot, Policy) {
    let mut snapshot = empty();
    let mut policy = Policy::default();
    for line in scene.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let words: Vec<&str> = line.split(' ').filter(|it| !it.is_empty()).collect();
        let (key, id) = words[1].split_once('#').unwrap_or((words[1], "none"));
        let id = RemoteId::new(id).unwrap();
        match words[0] {
            "want" => {
                let resource = resource(key.parse().unwrap(), &words[2..]);
                let resources = &mut Arc::make_mut(&mut snapshot.desired).resources;
                resources.insert(resource.key.clone(), resource);
            }
            "live" => {
                let (kind, name) = key.split_once('/').unwrap();
                let object = object(kind.parse().unwrap(), name, id, &words[2..]);
                let listing = snapshot.live.listings.get_mut(&object.kind).unwrap();
                listing.objects.push(object);
            }
            "ours" => {
                let entry = entry(id, &words[2..]);
                let entries = &mut Arc::make_mut(&mut snapshot.inventory).entries;
                entries.insert(key.parse().unwrap(), entry);
            }
            "intent" => {
                let intent = intent(snapshot.now, &words[2..]);
                let intents = &mut Arc::make_mut(&mut snapshot.inventory).intents;
                intents.insert(key.parse().unwrap(), intent);
            }
            "gone" => {
                snapshot.live.gone.insert(RemoteId::new(key).unwrap());
            }
            "unread" | "unreadable" => {
                let why = match words[0] {
                    "unread" => Unknown::Incomplete("the API answered 503".into()),
                    _ => Unknown::Forbidden,
                };
                snapshot.live.unread.insert((key.parse().unwrap(), id), why);
            }
            "owed" => {
                let owed = &mut Arc::make_mut(&mut snapshot.inventory).deploys_owed;
                owed.insert(RemoteId::new(key).unwrap());
            }
            "partial" => cover(&mut snapshot, key, Unknown::Incomplete("page 2".into())),
            "forbidden" => cover(&mut snapshot, key, Unknown::Forbidden),
            "tomb" => {
                let key: Key = key.parse().unwrap();
                let approval = words[2..].join(" ");
                let tombstone = Tombstone {
                    key: key.clone(),
                    approval: Some(approval).filter(|it| !it.is_empty()),
                    origin: origin(),
                };
                let tombstones = &mut Arc::make_mut(&mut snapshot.desired).tombstones;
                tombstones.insert(key, tombstone);
            }
            "run" => policy = flags(&words[1..]),
            other => panic!("unknown line `{other}`"),
        }
    }
    (snapshot, policy)
}

pub fn empty() -> Snapshot {
    let complete = |kind| {
        let listing = Listing { coverage: Coverage::Complete, objects: Vec::new(), pages: 1 };
        (kind, listing)
    };
    Snapshot {
        origin: "https://api.test/v1".into(),
        desired: Arc::default(),
        live: Live {
            project: Project {
                id: RemoteId::new("prj_1").ok(),
                name: "acme".into(),
                region: None,
                plan: None,
            },
            listings: Kind::ALL.into_iter().map(complete).collect(),
            gone: BTreeSet::new(),
            unread: BTreeMap::new(),
            requests: 4,
        },
        inventory: Arc::default(),
        now: NOW.parse().unwrap(),
    }
}

fn cover(snapshot: &mut Snapshot, kind: &str, why: Unknown) {
    let kind: Kind = kind.parse().unwrap();
    let listing = snapshot.live.listings.get_mut(&kind).unwrap();
    listing.coverage = Coverage::Unknown(why);
}

pub fn origin() -> Origin {
    Origin { file: "a.yaml".into(), line: 1, column: 1 }
}

fn path(word: &str) -> FieldPath {
    let path = word.replacen("env.", "envVars.", 1);
    path.parse().unwrap()
}

pub fn value(path: &FieldPath, text: &str) -> FieldValue {
    let secret = |text: &str, origin| {
        let mark = Fingerprint::new(format!("mark of {text}"));
        FieldValue::from(Secret::new(SecretString::from(text), mark, origin))
    };
    let is_env = matches!(path, FieldPath::Env(_));
    if let Some(text) = text.strip_prefix("secret:") {
        secret(text, SecretOrigin::Given)
    } else if let Some(text) = text.strip_prefix("gen:") {
        secret(text, SecretOrigin::Generated)
    } else if let Some(key) = text.strip_prefix("ref:") {
        let Key { kind, name } = key.parse().unwrap();
        Reference { kind, name, property: "url".into(), env_key: None }.into()
    } else if let Some(items) = text.strip_prefix('[') {
        let items = items.trim_end_matches(']').split(',');
        let items = items.filter(|it| !it.is_empty()).map(str::to_owned);
        FieldValue::Set(items.collect())
    } else if let (Ok(number), false) = (text.parse(), is_env) {
        FieldValue::Integer(number)
    } else if let (Ok(truth), false) = (text.parse(), is_env) {
        FieldValue::Boolean(truth)
    } else {
        FieldValue::Text(text.to_owned())
    }
}

fn keys(words: &str) -> BTreeSet<Key> {
    words.split(',').map(|it| it.parse().unwrap()).collect()
}

pub fn resource(key: Key, words: &[&str]) -> Resource {
    let mut resource = Resource::new(key, origin());
    let lifecycle = &mut resource.lifecycle;
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("after", others) => resource.depends_on.extend(keys(others)),
            ("was", names) => {
                let names = names.split(',').map(|it| Name::new(it).unwrap());
                resource.previous_names = names.collect();
            }
            ("env", _) => resource.declares_env = true,
            ("hand", key) => {
                let key = EnvKey::new(key).unwrap();
                resource.set_by_hand.insert(key, origin());
                resource.declares_env = true;
            }
            ("protect", _) => lifecycle.protect = true,
            ("prune", truth) => lifecycle.prune = Some(truth.parse().unwrap()),
            ("adopt", mode) => lifecycle.adopt = Some(mode.parse().unwrap()),
            ("ignore", path) => {
                let path = path.replacen("env.", "envVars.", 1);
                lifecycle.ignore_changes.insert(path);
            }
            (field, text) if field.starts_with("new.") => {
                let path = path(&field["new.".len()..]);
                let value = value(&path, text);
                resource.on_create.insert(path, value);
            }
            ("additive", _) => lifecycle.env_vars = EnvSet::Additive,
            ("unsettled", word) => {
                let mut all = Unsettled::ALL.into_iter();
                lifecycle.unsettled = all.find(|it| it.as_str() == word).unwrap();
            }
            ("no-create", _) => lifecycle.policies.create = false,
            ("no-update", _) => lifecycle.policies.update = false,
            ("no-delete", _) => lifecycle.policies.delete = false,
            (field, text) => {
                let path = path(field);
                let value = value(&path, text);
                resource.declares_env |= matches!(path, FieldPath::Env(_));
                let origin = origin();
                resource.fields.insert(path, Field { value, origin });
            }
        }
    }
    resource
}

pub fn object(kind: Kind, name: &str, id: RemoteId, words: &[&str]) -> LiveObject {
    let mut object = LiveObject {
        kind,
        id,
        name: name.to_owned(),
        created_at: Some(BORN.into()),
        status: None,
        url: None,
        replicas: Some(1),
        fields: BTreeMap::new(),
        shows_env: true,
    };
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("born", "unknown") => object.created_at = None,
            ("born", time) => object.created_at = Some(time.into()),
            ("no-env", _) => object.shows_env = false,
            ("going", _) => object.status = Some("deleting".into()),
            (field, text) => {
                let path = path(field);
                let shown = match text {
                    "hidden" => LiveValue::Hidden,
                    "null" => LiveValue::Absent,
                    text => LiveValue::Shown(value(&path, text)),
                };
                object.fields.insert(path, shown);
            }
        }
    }
    object
}

fn entry(id: RemoteId, words: &[&str]) -> Entry {
    let mut entry = Entry {
        id,
        created_at: Some(BORN.into()),
        made_at: None,
        given_name: None,
        interim_name: None,
        previous_names: BTreeSet::new(),
        claim: Claim::Created,
        remembered: Remembered::default(),
        labels: BTreeMap::new(),
        applied: BTreeMap::new(),
        changed_at: BTreeMap::new(),
        generated: BTreeMap::new(),
        tolerated_env: BTreeSet::new(),
        env_managed: true,
        env_additive: false,
        rewrites: BTreeMap::new(),
        deployed: None,
        depends_on: BTreeSet::new(),
    };
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("born", "unknown") => entry.created_at = None,
            ("born", time) => entry.created_at = Some(time.into()),
            ("given", name) => entry.given_name = Some(name.into()),
            ("interim", name) => entry.interim_name = Some(name.into()),
            ("was", names) => {
                let names = names.split(',').map(|it| Name::new(it).unwrap());
                entry.previous_names = names.collect();
            }
            ("adopted", _) => entry.claim = Claim::Adopted,
            ("named", _) => entry.claim = Claim::Named,
            ("presumed", _) => entry.claim = Claim::Presumed,
            ("protect", _) => entry.remembered.protect = true,
            ("no-delete", _) => entry.remembered.delete_withheld = true,
            ("prune", truth) => entry.remembered.prune = Some(truth.parse().unwrap()),
            ("after", others) => entry.depends_on = keys(others),
            ("tolerates", key) => {
                entry.tolerated_env.insert(EnvKey::new(key).unwrap());
            }
            ("additive", _) => entry.env_additive = true,
            ("env-unmanaged", _) => entry.env_managed = false,
            ("repaired", text) => {
                let (field, count) = text.split_once(':').unwrap();
                entry.rewrites.insert(path(field), flapping::rewrite(count));
            }
            ("deployed", text) => entry.deployed = Some(flapping::deployed(text)),
            (field, text) => {
                let path = path(field);
                let applied = Applied::from(&value(&path, text));
                entry.applied.insert(path, applied);
            }
        }
    }
    entry
}

fn intent(now: jiff::Timestamp, words: &[&str]) -> Intent {
    let seconds: u64 = words[0].trim_end_matches('s').parse().unwrap();
    let (beside, words): (Vec<&str>, Vec<&str>) =
        words.iter().partition(|word| word.starts_with("beside="));
    let ids = beside.iter().flat_map(|word| word["beside=".len()..].split(','));
    let Entry { applied, remembered, depends_on, .. } =
        entry(RemoteId::new("none").unwrap(), &words[1..]);
    Intent {
        started_at: now - Duration::from_secs(seconds),
        attempt: 1,
        applied,
        remembered,
        depends_on,
        bystanders: ids.map(|id| RemoteId::new(id).unwrap()).collect(),
    }
}

fn flags(words: &[&str]) -> Policy {
    let mut policy = Policy::default();
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("prune", _) => {
                policy.permissions.prune = Prune::Kinds(Kind::ALL.into_iter().collect())
            }
            ("prune-adopted", _) => policy.permissions.prune_adopted = true,
            ("max-deletes", most) => policy.permissions.deletes_max = Some(most.parse().unwrap()),
            ("destroy", _) => policy.request.destroy = true,
            ("adopt", mode) => policy.permissions.adopt = mode.parse().unwrap(),
            ("target", key) => {
                policy.request.selection.targets.insert(key.parse().unwrap());
            }
            ("exclude", key) => {
                policy.request.selection.excluded.insert(key.parse().unwrap());
            }
            ("replace", text) => {
                let (key, id) = text.split_once('=').unwrap();
                let id = RemoteId::new(id).unwrap();
                policy.request.replace.insert(key.parse().unwrap(), id);
            }
            ("forgive", key) => policy.learned.forgiven = keys(key),
            ("write", place) => {
                policy.request.settlements.write.insert(place.parse().unwrap());
            }
            ("accept", place) => {
                policy.request.settlements.accept.insert(place.parse().unwrap());
            }
            ("write-unverifiable", _) => policy.permissions.write_unverifiable = true,
            ("deploys-after-patch", _) => policy.platform.deploys_after_patch = true,
            ("keeps-names", _) => policy.platform.keeps_names = true,
            ("cannot-rename", _) => policy.platform.renames = false,
            ("names-repeat", _) => policy.platform.unique_names = false,
            (other, _) => panic!("unknown flag `{other}`"),
        }
    }
    policy
}
