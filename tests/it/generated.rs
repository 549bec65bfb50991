//! Stacks that nobody wrote: services of every type, databases and env groups that refer to each
//! other, each as native documents and as a Blueprint.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::{Map, Value, json};

const SERVICES: [&str; 5] = ["api", "jobs", "mail", "site", "work"];
const DATABASES: [&str; 3] = ["cache", "main", "queue"];
const GROUPS: [&str; 2] = ["other", "shared"];

const TYPES: &[&str] = &["web", "worker", "cron", "static"];
const ENGINES: &[&str] = &["postgres", "valkey"];

/// Settings that any service may have, each with two values.
const SERVICE: &[(&str, [&str; 2])] = &[
    ("runtime", [r#""node""#, r#""docker""#]),
    ("repo", [r#""github.com/acme/shop""#, r#""github.com/acme/mail""#]),
    ("branch", [r#""main""#, r#""release/2026""#]),
    ("rootDir", [r#""packages/api""#, r#"".""#]),
    ("dockerfilePath", [r#""Dockerfile""#, r#""./docker/Dockerfile""#]),
    ("buildCommand", [r#""make""#, r##""echo 'a: b' # c""##]),
    ("startCommand", [r#""run""#, r#""set -e\n./run --port 80\n""#]),
    ("preDeployCommand", [r#""migrate""#, r#""true && [ -d x ]""#]),
    ("plan", [r#""starter""#, r#""standard""#]),
    ("region", [r#""eu""#, r#""us""#]),
    ("healthCheckPath", [r#""/""#, r#""/health?deep=1""#]),
    ("autoDeploy", ["true", "false"]),
    (
        "scaling",
        [
            r#"{"minInstances":1,"maxInstances":3}"#,
            r#"{"minInstances":2,"maxInstances":2,"targetCPUPercent":70}"#,
        ],
    ),
    (
        "disk",
        [
            r#"{"name":"data","mountPath":"/data","sizeGB":5}"#,
            r#"{"name":"data","mountPath":"/srv","sizeGB":10}"#,
        ],
    ),
];

const DATABASE: &[(&str, [&str; 2])] = &[
    ("version", [r#""16""#, r#""15""#]),
    ("plan", [r#""starter""#, r#""standard""#]),
    ("region", [r#""eu""#, r#""us""#]),
    ("storageGB", ["10", "20"]),
    ("databaseName", [r#""acme""#, r#""acme_2""#]),
    ("user", [r#""acme""#, r#""no""#]),
];

/// Texts that readers of YAML like to change.
const TRAPS: &[&str] =
    &["", "no", "~", "null", "0o17", "1e3", "12:30:00", "2026-01-15", "<<", "- a", "a: b", "`x`"];

/// How a stack is written.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    Native,
    Blueprint,
}

/// A stack: what its resources say, by name. References lead to what is there, never in a circle.
#[derive(Clone, Debug)]
pub struct Stack {
    services: BTreeMap<&'static str, Service>,
    databases: BTreeMap<&'static str, Map<String, Value>>,
    groups: BTreeMap<&'static str, Vec<Value>>,
}

#[derive(Clone, Debug)]
struct Service {
    settings: Map<String, Value>,
    /// Each with its key; nothing where variables are not declared.
    variables: Option<Vec<Value>>,
    groups: Vec<&'static str>,
    /// Which of what is there it refers to.
    picks: Vec<Index>,
}

/// Any stack.
pub fn stack() -> impl Strategy<Value = Stack> {
    let services = subsequence(&SERVICES, 0..=SERVICES.len());
    let databases = subsequence(&DATABASES, 0..=DATABASES.len());
    let groups = subsequence(&GROUPS, 0..=GROUPS.len());
    (services, databases, groups).prop_flat_map(|(services, databases, groups)| {
        let count = services.len();
        let services = proptest::collection::vec(service(groups.clone()), count)
            .prop_map(move |specs| services.iter().copied().zip(specs).collect());
        let count = databases.len();
        let databases = proptest::collection::vec(database(), count)
            .prop_map(move |specs| databases.iter().copied().zip(specs).collect());
        let count = groups.len();
        let groups = proptest::collection::vec(plain(), count)
            .prop_map(move |specs| groups.iter().copied().zip(specs).collect());
        (services, databases, groups).prop_map(|(services, databases, groups)| {
            Stack { services, databases, groups }.connected()
        })
    })
}

/// Some of the settings of a table, each with one of its values.
fn settings(
    table: &'static [(&'static str, [&'static str; 2])],
) -> impl Strategy<Value = Map<String, Value>> {
    (subsequence(table, 0..=table.len()), any::<[bool; 16]>()).prop_map(|(rows, choices)| {
        let value = |text: &str| serde_json::from_str(text).unwrap();
        let rows = rows.into_iter().zip(choices);
        rows.map(|((key, values), second)| (key.to_owned(), value(values[usize::from(second)])))
            .collect()
    })
}

fn service(groups: Vec<&'static str>) -> impl Strategy<Value = Service> {
    let groups = subsequence(groups.clone(), 0..=groups.len());
    let picks = proptest::collection::vec(any::<Index>(), 0..=2);
    let variables = proptest::option::weighted(0.8, variables());
    (select(TYPES), settings(SERVICE), variables, groups, picks).prop_map(
        |(kind, mut settings, variables, groups, picks)| {
            settings.insert("type".to_owned(), kind.into());
            match kind {
                // A Blueprint means this port where it names none.
                "web" => drop(settings.insert("port".to_owned(), json!(8080))),
                "cron" => drop(settings.insert("schedule".to_owned(), json!("*/5 2 * * 1-5"))),
                _ => {}
            }
            Service { settings, variables, groups, picks }
        },
    )
}

fn database() -> impl Strategy<Value = Map<String, Value>> {
    (select(ENGINES), settings(DATABASE)).prop_map(|(engine, mut settings)| {
        settings.insert("type".to_owned(), engine.into());
        settings
    })
}

/// Variables whose values stand in the manifest.
fn plain() -> impl Strategy<Value = Vec<Value>> {
    let text = prop_oneof!["[ -#%-~ä-ü€\\n\\t]{0,20}", select(TRAPS).prop_map(str::to_owned),];
    proptest::collection::btree_map("[A-Q][A-Z0-9_]{0,3}", text, 0..=4).prop_map(|values| {
        values.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
    })
}

fn variables() -> impl Strategy<Value = Vec<Value>> {
    let made = subsequence(
        vec![json!({"key": "SALT", "generateValue": true}), json!({"key": "SET", "sync": false})],
        0..=2,
    );
    (plain(), made).prop_map(|(plain, made)| plain.into_iter().chain(made).collect())
}

impl Stack {
    /// Lets each service refer to databases, and to services that stand before it.
    fn connected(mut self) -> Self {
        let mut ways: Vec<Value> = Vec::new();
        for name in self.databases.keys() {
            let from = json!({"name": name, "property": "connectionString"});
            ways.push(json!({"fromDatabase": from}));
        }
        for (name, service) in &mut self.services {
            if let Some(variables) = service.variables.as_mut().filter(|_| !ways.is_empty()) {
                for (number, pick) in service.picks.iter().enumerate() {
                    let mut variable = ways[pick.index(ways.len())].clone();
                    variable["key"] = format!("REFERENCE_{number}").into();
                    variables.push(variable);
                }
            }
            ways.push(json!({"fromService": {"name": name, "property": "host"}}));
        }
        self
    }

    /// The documents of a form: one for each resource, or one for all.
    pub fn documents(&self, form: Form) -> Vec<Value> {
        match form {
            Form::Native => self.native(),
            Form::Blueprint => vec![self.blueprint()],
        }
    }

    fn native(&self) -> Vec<Value> {
        let document = |kind: &str, name: &str, spec: Value| {
            json!({"apiVersion": "stackblaze.cloud/v1", "kind": kind,
                "metadata": {"name": name}, "spec": spec})
        };
        let services = self.services.iter().map(|(name, service)| {
            let mut spec = service.settings.clone();
            if !service.groups.is_empty() {
                spec.insert("envGroups".to_owned(), json!(service.groups));
            }
            if let Some(variables) = &service.variables {
                spec.insert("envVars".to_owned(), json!(variables));
            }
            document("Service", name, spec.into())
        });
        let databases = self.databases.iter();
        let databases =
            databases.map(|(name, spec)| document("Database", name, spec.clone().into()));
        let groups = self.groups.iter();
        let groups =
            groups.map(|(name, values)| document("EnvGroup", name, json!({"envVars": values})));
        services.chain(databases).chain(groups).collect()
    }

    /// The same in the vendor's words: caches apart, and groups among the variables.
    fn blueprint(&self) -> Value {
        let named = |name: &str, spec: &Map<String, Value>| {
            let mut item = spec.clone();
            item.insert("name".to_owned(), name.into());
            item
        };
        let services = self.services.iter().map(|(name, service)| {
            let mut item = named(name, &service.settings);
            match &service.variables {
                Some(variables) => {
                    let groups = service.groups.iter().map(|group| json!({"fromGroup": group}));
                    let all: Vec<Value> = variables.iter().cloned().chain(groups).collect();
                    item.insert("envVars".to_owned(), all.into());
                }
                None if service.groups.is_empty() => {}
                None => drop(item.insert("envGroups".to_owned(), json!(service.groups))),
            }
            item
        });
        let engines = |is_cache: bool| -> Vec<_> {
            let of_kind =
                self.databases.iter().filter(|(_, it)| (it["type"] == "valkey") == is_cache);
            of_kind.map(|(name, spec)| named(name, spec)).collect()
        };
        let groups = self.groups.iter();
        let groups = groups.map(|(name, values)| json!({"name": name, "envVars": values}));
        json!({
            "services": services.collect::<Vec<_>>(),
            "databases": engines(false),
            "caches": engines(true),
            "envVarGroups": groups.collect::<Vec<_>>(),
        })
    }
}
