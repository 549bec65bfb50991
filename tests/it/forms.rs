//! The forms of output for programs: what the program prints is what its schema says, no more and no
//! less.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::commands::{Machine, set_by_hand};
use crate::remote::fixture::{Fixture, events, project};

/// Returns the schema of a form, as the program prints it, or of a part of one: `plan#Change`. It
/// lets nothing through that it does not describe.
fn schema(name: &str) -> Value {
    let (form, part) = name.split_once('#').unzip();
    let form = form.unwrap_or(name);
    let printed = Machine::new().run(&format!("schema --of {form}")).says(0, &[]).json();
    let mut schema = match part {
        Some(part) => json!({
            "$schema": printed["$schema"], "$defs": printed["$defs"],
            "$ref": format!("#/$defs/{part}"),
        }),
        None => printed,
    };
    close(&mut schema);
    schema
}

/// Forbids every field that is not described; readers must let them pass, a test must not.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(close);
            if object.contains_key("properties") && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".to_owned(), false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[track_caller]
fn holds(name: &str, printed: &Value) {
    let schema = schema(name);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(printed)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{name}: {wrong:#?}\n{printed:#}");
}

/// Runs a command with `-o json` and looks at what it prints.
#[track_caller]
fn prints(machine: &Machine, arguments: &str, exit: i32, form: &str) -> Value {
    let printed = machine.run(&format!("{arguments} -o json")).says(exit, &[]).json();
    assert_eq!(printed["formatVersion"], "1.0", "{arguments}");
    holds(form, &printed);
    printed
}

/// Runs a command with `-o ndjson` and looks at each line.
#[track_caller]
fn streams(machine: &Machine, arguments: &str, line: &str) {
    let printed = machine.run(&format!("{arguments} -o ndjson")).says(0, &[]).stdout;
    let lines: Vec<Value> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!lines.is_empty(), "{arguments}");
    lines.iter().for_each(|value| holds(line, value));
}

/// A service with a secret, a group it takes from, and a database it refers to.
const STACK: &str = "apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api, labels: { team: shop } }
spec:
  type: web
  image: nginx
  envVars:
    - { key: STRIPE_KEY, value: canary }
    - { key: GREETING, value: hello }
    - { key: DATABASE_URL, fromDatabase: { name: main, property: connectionString } }
  envGroups: [shared]
---
apiVersion: stackblaze.cloud/v1
kind: Database
metadata: { name: main }
spec: { type: postgres, version: '16', plan: standard }
---
apiVersion: stackblaze.cloud/v1
kind: EnvGroup
metadata: { name: shared }
spec: { envVars: [{ key: LOG_LEVEL, value: info }] }
";

fn applied() -> Machine {
    let machine = Machine::new();
    machine.write("all.yaml", STACK);
    machine.run("apply all.yaml --sandbox -y --wait").says(0, &[]);
    machine
}

#[test]
fn what_is_remembered_is_as_its_schemas_say() {
    let machine = applied();
    let shown = prints(&machine, "state show --sandbox", 0, "state-show");
    assert_eq!((&shown["owned"], &shown["holder"]), (&json!(3), &Value::Null));
    prints(&machine, "state list --sandbox", 0, "state-list");
    streams(&machine, "state list --sandbox", "state-list#StateRecord");
    prints(&machine, "state verify --sandbox", 0, "state-verify");
    prints(&machine, "state backup copy --sandbox", 0, "state-verify");
}

#[test]
fn plans_reports_and_errors_are_as_their_schemas_say() {
    let machine = Machine::new();
    machine.write("all.yaml", STACK);
    let plan = prints(&machine, "plan all.yaml --sandbox", 0, "plan");
    assert_eq!(plan["summary"]["add"], 3);
    let report = prints(&machine, "apply all.yaml --sandbox -y --wait", 0, "report");
    assert_eq!(report["deployments"][0]["outcome"], "succeeded");
    set_by_hand(&machine, "GREETING", "by hand");
    let drift = prints(&machine, "drift all.yaml --sandbox", 0, "plan");
    assert_eq!(drift["changes"][0]["reason"], "drift");
    machine.run("plan all.yaml --sandbox --out saved.json").says(0, &[]);
    holds("plan", &serde_json::from_str(&machine.read("saved.json")).unwrap());
    let lines = machine.run("plan all.yaml --sandbox -o ndjson").says(0, &[]).stdout;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (changes, closing) = lines.split_last_chunk::<2>().unwrap();
    assert!(!changes.is_empty());
    changes.iter().for_each(|change| holds("plan#Change", change));
    closing.iter().for_each(|record| holds("closing", record));
    prints(&machine, "destroy --confirm emulator --target service/api --sandbox", 0, "report");
    prints(&machine, "get service/none --sandbox", 1, "error");
    machine.write("bad.yaml", &STACK.replace("type: web", "type: wbe"));
    let failed = prints(&machine, "validate bad.yaml", 65, "error");
    assert_eq!(failed["diagnostics"][0]["code"], "service-type");
    prints(&machine, "validate all.yaml", 0, "validate");
}

#[test]
fn what_the_platform_tells_is_as_its_schemas_say() {
    let machine = applied();
    prints(&machine, "get --sandbox", 0, "get");
    streams(&machine, "get --sandbox", "get#Row");
    for key in ["service/api", "database/main", "envgroup/shared"] {
        prints(&machine, &format!("describe {key} --sandbox"), 0, "describe-live");
    }
    prints(&machine, "why service/api all.yaml --sandbox", 0, "why");
    prints(&machine, "secrets all.yaml --sandbox", 0, "secrets");
    streams(&machine, "secrets all.yaml --sandbox", "secrets#SecretRow");
    let begun = prints(&machine, "deploy service/api --sandbox --wait", 0, "deploy");
    let id = begun["deployment"]["id"].as_str().unwrap().to_owned();
    prints(&machine, "deployments service/api --sandbox", 0, "deployments");
    streams(&machine, "deployments service/api --sandbox", "deployments#Deployment");
    prints(&machine, &format!("deployments service/api {id} --sandbox"), 0, "deployment");
    prints(&machine, "logs service/api --sandbox", 0, "logs");
    streams(&machine, "logs service/api --sandbox", "logs#LogLine");
    prints(&machine, "metrics service/api --sandbox", 0, "metrics");
    prints(&machine, "wait service/api --sandbox", 0, "wait");
    prints(&machine, "doctor --probe -y --sandbox", 0, "doctor");
    let status = prints(&machine, "run all.yaml --sandbox --once", 0, "status");
    assert_eq!(status["projects"][0]["resources"].as_array().unwrap().len(), 3);
    streams(&machine, "run all.yaml --sandbox --once", "status#ProjectStatus");
}

#[test]
fn what_needs_no_platform_is_as_its_schemas_say() {
    let machine = Machine::with_api();
    prints(&machine, "version", 0, "version");
    prints(&machine, "config view --sandbox", 0, "config");
    prints(&machine, "simulate api.yaml --days 1 --seed 3 --faults api", 0, "simulate");
    let mut command = machine.command("sandbox --listen 127.0.0.1:0 -o ndjson");
    let mut sandbox = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(sandbox.stdout.take().unwrap()).read_line(&mut line).unwrap();
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
    holds("sandbox", &serde_json::from_str(&line).unwrap());
}

#[test]
fn what_an_agent_tells_is_as_its_schemas_say() {
    let machine = Fixture::keeping(vec![project("shop")], events("shop"));
    for (arguments, form) in [
        ("get", "get"),
        ("describe service/web", "describe"),
        ("events", "events"),
        ("resume", "order"),
        ("wait service/api", "wait"),
    ] {
        let printed = machine.run(&format!("{arguments} -o json")).says(0, &[]).json();
        assert_eq!(printed["formatVersion"], "1.0", "{arguments}");
        holds(form, &printed);
    }
    let told = machine.run("events -o ndjson").says(0, &[]).stdout;
    told.lines()
        .for_each(|line| holds("events#ProjectEvent", &serde_json::from_str(line).unwrap()));
}

/// Who asks an agent and who asks the platform finds the same under the same name.
#[test]
fn a_resource_is_told_in_the_same_words_whoever_answers() {
    let live = applied().run("describe service/api --sandbox -o json").says(0, &[]).json();
    let machine = Fixture::keeping(vec![project("shop")], events("shop"));
    let kept = machine.run("describe service/api -o json").says(0, &[]).json();
    for field in ["formatVersion", "key", "id", "status", "owned"] {
        assert!(live[field].is_string(), "{field}: {live:#}");
        assert!(kept[field].is_string(), "{field}: {kept:#}");
    }
}
