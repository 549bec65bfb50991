//! Platforms on which people have lived: services, databases and env groups with whatever the
//! platform lets them be, also what no manifest may hold and what no version of ours knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, stream};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use stoker::api::{BodyStream, Transport, TransportError};
use stoker::emulator::{Emulator, EmulatorConfig, Fields, Secrets, Shapes};
use stoker::sandbox::{SandboxTransport, emulator_clock};

use crate::stage::Stage;

/// Everything that lives, and how the API shows it.
#[derive(Clone, Debug)]
pub struct World {
    groups: Vec<Item>,
    databases: Vec<Item>,
    services: Vec<Item>,
    secrets: Secrets,
    lists: Fields,
}

/// Something that lives, and what becomes of it: it is the one body first, the other one later.
#[derive(Clone, Debug)]
struct Item {
    name: String,
    bodies: [Body; 2],
}

#[derive(Clone, Debug)]
struct Body {
    type_name: String,
    settings: Map<String, Value>,
    variables: Vec<(String, Value)>,
    /// What answers show beside, or in place of, what the emulator knows.
    dress: Map<String, Value>,
}

/// Texts that readers and writers of YAML like to change, that our checks refuse, or that hold a
/// secret.
const TEXTS: &[&str] = &[
    "plain",
    "",
    " ",
    "no",
    "~",
    "null",
    "0o17",
    "1e3",
    "12:30:00",
    "2026-01-15",
    "<<",
    "- a",
    "a: b",
    "# a",
    "a #b",
    "'",
    "\"",
    "\\",
    "`x`",
    "%a",
    "@a",
    "---",
    "...",
    "{a: b}",
    "${A}",
    "$${A}",
    "a$",
    " a",
    "a ",
    "\ta",
    "a\nb",
    "a\n",
    "\na",
    "a\n\n",
    "  a\nb\n",
    "a\r\nb",
    "a\rb",
    "\u{0}",
    "\u{7}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{a0}a",
    "\u{2028}",
    "\u{202e}a",
    "\u{feff}a",
    "naïve ☃ 🦀",
    "{{ .Values.a }}",
    "<<<<<<< a\n=======\n>>>>>>> b",
    "version https://git-lfs.github.com/spec/v1",
    "********",
    "sk_live_****1234",
    "postgres://user:password@host/db",
    "https://user:ghp_0123456789abcdefghijABCDEFGHIJ012345@host/a.git",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n",
];

const NAMES: &[&str] = &[
    "api", "main", "web", "jobs", "null", "0", "1e3", "Web", "web 2", "naïve", "a/b", "../x", "-",
    "a-", "a_b", "a.b", "con",
];

const KEYS: &[&str] = &[
    "A",
    "LEVEL",
    "PATH",
    "a",
    "a_b",
    "no",
    "Y",
    "null",
    "_",
    "1A",
    "A-B",
    "A.B",
    "A B",
    " ",
    "A=",
    "API_TOKEN",
    "PASSWORD",
    "schlüssel",
    "\"",
    "${A}",
    "#",
];

/// Settings of a service, each with values that it may well have.
const SERVICE: &[(&str, &[&str])] = &[
    ("runtime", &[r#""node""#, r#""static""#, r#""image""#, r#""nodejs""#, r#""fortran""#]),
    ("repo", &[r#""github.com/acme/shop""#, r#""git@github.com:acme/shop.git""#]),
    ("branch", &[r#""main""#, r#""feature/a b""#, r#""1.0""#]),
    ("root_dir", &[r#"".""#, r#""a b""#]),
    ("dockerfile_path", &[r#""Dockerfile""#, r#""a b""#]),
    ("image", &[r#""nginx""#, r#""nginx:1@sha256:00""#]),
    ("build_command", &[r#""make""#, r#""set -e\nmake ${A}\n""#]),
    ("start_command", &[r#""run""#, r#""run --password=hunter2hunter2""#]),
    ("pre_deploy_command", &[r#""migrate""#]),
    ("port", &["3000", "0", "70000", "-1", "1.5", r#""3000""#]),
    ("plan", &[r#""starter""#, r#""pro plus""#, r#""Pro""#]),
    ("region", &[r#""eu""#]),
    ("schedule", &[r#""0 3 * * *""#, r#""@daily""#, r#""61 * * * *""#, r#""0 0 L * ?""#]),
    ("health_check_path", &[r#""/""#, r#""health""#, r#""/a?b=c d""#]),
    (
        "scaling",
        &[
            r#"{"min_instances":1,"max_instances":3,"target_cpu_percent":70}"#,
            r#"{"min_instances":3,"max_instances":1}"#,
            r#"{"min_instances":0,"max_instances":0}"#,
            r#"{"max_instances":5000}"#,
            r#"{"target_cpu_percent":50}"#,
            r#"{"min_instances":null,"max_instances":2}"#,
            "{}",
        ],
    ),
    (
        "disk",
        &[
            r#"{"name":"data","mount_path":"/data","size_gb":5}"#,
            r#"{"mount_path":"/data"}"#,
            r#"{"name":"data"}"#,
            r#"{"size_gb":5}"#,
            r#"{"name":"","mount_path":"data","size_gb":0}"#,
            r#"{"name":"a b","mount_path":"/","size_gb":99999999}"#,
            "{}",
        ],
    ),
    ("auto_deploy", &["true", "false", r#""true""#, r#""maybe""#]),
    (
        "domains",
        &[
            r#"["a.test"]"#,
            "[]",
            r#"["a.test","b.test","*.c.test"]"#,
            r#"["a.test","a.test"]"#,
            r#"["localhost"]"#,
            r#"["ä.test","A.TEST","a_b.test"]"#,
            r#"[{"name":"a.test"}]"#,
            r#"[{"odd":1}]"#,
        ],
    ),
    (
        "env_groups",
        &[
            r#"["evg_0"]"#,
            "[]",
            r#"["evg_0","evg_1"]"#,
            r#"["evg_0","evg_0"]"#,
            r#"["evg_9"]"#,
            r#"["evg_0","evg_9"]"#,
            r#"[{"id":"evg_1"}]"#,
            r#"[{"name":"shared"}]"#,
            "[1]",
        ],
    ),
];

const DATABASE: &[(&str, &[&str])] = &[
    ("type", &[r#""postgresql""#, r#""valkey""#, r#""mariadb""#, r#""keyvalue""#, r#""oracle""#]),
    ("version", &[r#""16""#, r#""16.4""#, "16", "16.4"]),
    ("plan", &[r#""starter""#, r#""pro plus""#]),
    ("region", &[r#""eu""#]),
    ("storage_gb", &["10", "0", "99999999", r#""10""#]),
    ("database_name", &[r#""acme""#, r#""acme db""#]),
    ("user", &[r#""acme""#, r#""no""#]),
];

/// What the API may show that we did not ask for, and odd forms of what we know.
const DRESSES: &[&str] = &[
    "{}",
    r#"{"status":"suspended","suspended":"suspended","suspenders":["user"]}"#,
    r#"{"status":null,"url":null,"replicas":null,"created_at":null}"#,
    r#"{"status":"Something New","replicas":"2","updated_at":"2026-01-01T00:00:00Z"}"#,
    r#"{"owner":{"id":"usr_1","env_vars":[]},"tags":["a"],"notify":{"name":"x"}}"#,
    r#"{"replicas":-1,"url":"","type_label":"Web Service"}"#,
    r#"{"env_vars":null}"#,
    r#"{"env_vars":{"A":"1","B":null,"a b":"2"}}"#,
    r#"{"env_vars":[{"key":"A"},"odd",{"value":"1"}]}"#,
    r#"{"env_vars":[{"name":"A","value":1},{"key":"B","value":true},{"key":"C","value":{}}]}"#,
];

/// The API's words for types, and one that it may have tomorrow.
const TYPES: &[&str] =
    &["web_service", "background_worker", "cron_job", "static_site", "private_service", ""];

/// Any platform.
pub fn world() -> impl Strategy<Value = World> {
    let secrets = [Secrets::Masked, Secrets::Omitted, Secrets::Echoed, Secrets::Hidden];
    (
        vec(item(&[]), 0..=3),
        vec(item(DATABASE), 0..=2),
        vec(item(SERVICE), 0..=3),
        select(secrets.to_vec()),
        select(vec![Fields::Summary, Fields::All]),
    )
        .prop_map(|(groups, databases, services, secrets, lists)| World {
            groups,
            databases,
            services,
            secrets,
            lists,
        })
}

fn item(table: &'static [(&'static str, &'static [&'static str])]) -> impl Strategy<Value = Item> {
    (name(), body(table), body(table))
        .prop_map(|(name, first, second)| Item { name, bodies: [first, second] })
}

fn body(table: &'static [(&'static str, &'static [&'static str])]) -> impl Strategy<Value = Body> {
    let fields = table.iter().map(|(field, usual)| {
        option::weighted(0.4, setting(usual)).prop_map(|value| Some((*field, value?)))
    });
    (select(TYPES), fields.collect::<Vec<_>>(), variables(), select(DRESSES)).prop_map(
        |(type_name, fields, variables, dress)| Body {
            type_name: type_name.to_owned(),
            settings: fields.into_iter().flatten().map(|(key, it)| (key.to_owned(), it)).collect(),
            variables,
            dress: serde_json::from_str(dress).unwrap(),
        },
    )
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(NAMES).prop_map(str::to_owned),
        1 => "[a-z][a-z0-9-]{0,70}",
        1 => "\\PC{1,100}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => select(TEXTS).prop_map(str::to_owned),
        2 => any::<String>(),
        1 => Just("x".repeat(70_000)),
    ]
}

fn setting(usual: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => select(usual).prop_map(|text| serde_json::from_str(text).unwrap()),
        3 => text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => select(&["0", "true", "[]", "{}", r#"["a"]"#][..])
            .prop_map(|text| serde_json::from_str(text).unwrap()),
    ]
}

fn variables() -> impl Strategy<Value = Vec<(String, Value)>> {
    let key = || {
        prop_oneof![
            6 => select(KEYS).prop_map(str::to_owned),
            1 => "[A-Za-z_][A-Za-z0-9_]{0,20}",
            1 => any::<String>(),
        ]
    };
    let value = (text(), any::<bool>())
        .prop_map(|(value, secret)| json!({"value": {"value": value, "secret": secret}}));
    let word = select(&["host", "connectionString", "odd word", "", "envVar"][..]);
    let reference = (name(), word, option::of(key()), any::<bool>()).prop_map(
        |(name, word, key, is_service)| {
            let mut reference = json!({"name": name, "property": word});
            if let Some(key) = key {
                reference["env_var_key"] = key.into();
            }
            json!({ if is_service { "service" } else { "database" }: reference })
        },
    );
    let many = (0..250).map(|number| (format!("K{number}"), number)).map(|(key, number)| {
        (key, json!({"value": {"value": number.to_string(), "secret": false}}))
    });
    prop_oneof![
        12 => vec((key(), prop_oneof![3 => value, 1 => reference]), 0..=5),
        1 => Just(many.collect()),
    ]
}

impl World {
    /// Sets a stage on which all of it lives.
    pub fn stage(&self) -> Stage {
        let mut stage = Stage::on(self.config());
        self.populate(&mut stage, 0);
        stage
    }

    /// Lets people go on: each thing is something else, under its name and its id.
    pub fn move_on(&self, stage: &mut Stage) {
        self.populate(stage, 1);
    }

    fn config(&self) -> EmulatorConfig {
        let list_fields = Shapes { env_groups: Fields::All, ..Shapes::every(self.lists) };
        EmulatorConfig { secrets: self.secrets, list_fields, ..EmulatorConfig::default() }
    }

    fn populate(&self, stage: &mut Stage, body: usize) {
        let clock = || emulator_clock(&stage.clock);
        let mut saved = Emulator::new(self.config(), clock()).save();
        let mut dresses = BTreeMap::new();
        for (shelf, prefix, items) in [
            ("groups", "evg", &self.groups),
            ("databases", "db", &self.databases),
            ("services", "svc", &self.services),
        ] {
            let things: Vec<Value> = items
                .iter()
                .enumerate()
                .map(|(place, item)| {
                    let id = format!("{prefix}_{place}");
                    dresses.insert(id.clone(), item.bodies[body].dress.clone());
                    item.thing(shelf, &id, body)
                })
                .collect();
            saved["world"][shelf] = shelved(&things);
        }
        let emulator = Emulator::restore(&saved, clock()).unwrap();
        let inner = Arc::new(SandboxTransport::new(emulator.clone()));
        stage.emulator = emulator;
        stage.transport = Arc::new(Dressed { inner, dresses });
    }
}

impl Item {
    /// The thing as the emulator keeps it.
    fn thing(&self, shelf: &str, id: &str, body: usize) -> Value {
        let Body { type_name, settings, variables, dress: _ } = &self.bodies[body];
        let variables: Value =
            variables.iter().map(|(key, source)| json!({"key": key, "source": source})).collect();
        let name = &self.name;
        match shelf {
            "groups" => json!({"id": id, "name": name, "variables": variables, "created": 0}),
            "databases" => json!({
                "id": id, "name": name, "settings": settings, "created": 0, "ready_at": 0,
                "password": "pw", "is_deleting": false,
            }),
            _ => json!({
                "id": id, "name": name, "type_name": type_name, "created": 0, "replicas": 1,
                "settings": settings, "variables": variables, "deployments": [],
                "next_failure": null, "is_deleting": false,
            }),
        }
    }
}

/// Things in the form in which the emulator is saved.
fn shelved(things: &[Value]) -> Value {
    let (mut items, mut places) = (Map::new(), Map::new());
    let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, thing) in things.iter().enumerate() {
        let kept = json!({"born": 0, "gone": null, "value": thing, "past": []});
        items.insert(place.to_string(), kept);
        places.insert(thing["id"].as_str().unwrap().to_owned(), place.into());
        names.entry(thing["name"].as_str().unwrap().to_owned()).or_default().push(place);
    }
    json!({"next": things.len(), "items": items, "places": places, "names": names})
}

/// Shows each thing in its dress.
struct Dressed {
    inner: Arc<SandboxTransport>,
    dresses: BTreeMap<String, Map<String, Value>>,
}

impl Dressed {
    fn dress(&self, value: &mut Value) {
        if let Value::Object(object) = value {
            let dress =
                object.get("id").and_then(Value::as_str).and_then(|id| self.dresses.get(id));
            if let Some(dress) = dress {
                object.extend(dress.clone());
                return;
            }
        }
        match value {
            Value::Object(object) => object.values_mut().for_each(|inner| self.dress(inner)),
            Value::Array(items) => items.iter_mut().for_each(|inner| self.dress(inner)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

impl Transport for Dressed {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        Box::pin(async move {
            let (mut head, mut body) = self.inner.send(request).await?.into_parts();
            let mut bytes = Vec::new();
            while let Some(piece) = body.next().await {
                bytes.extend_from_slice(&piece?);
            }
            if let Ok(mut answer) = serde_json::from_slice::<Value>(&bytes) {
                self.dress(&mut answer);
                bytes = answer.to_string().into_bytes();
                head.headers.remove(http::header::CONTENT_LENGTH);
            }
            let body = stream::iter([Ok(Bytes::from(bytes))]).boxed();
            Ok(http::Response::from_parts(head, body))
        })
    }
}
