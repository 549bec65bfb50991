//! `stoker secrets`: every secret by name, what is missing, and never a value.

use serde_json::{Value, json};

use crate::commands::{Machine, Ran};

const STACK: &str = "\
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api }
spec:
  type: web
  image: nginx
  envGroups: [shared]
  envVars:
    - { key: STRIPE, valueFrom: { env: STRIPE_KEY } }
    - { key: PEM, valueFrom: { file: key.pem } }
    - { key: VAULT, valueFrom: { provider: vault, ref: a/b } }
    - { key: SALT, generateValue: { rotate: 90d } }
    - { key: API_PASSWORD, value: canary-in-plain }
    - { key: BY_HAND, sync: false }
    - { key: DATABASE_URL, fromDatabase: { name: main, property: connectionString } }
    - { key: LEVEL, value: info }
---
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: jobs }
spec:
  type: worker
  image: nginx
  envVars:
    - { key: STRIPE_TOO, valueFrom: { env: STRIPE_KEY } }
    - { key: SALT, fromService: { name: api, envVarKey: SALT } }
---
apiVersion: stackblaze.cloud/v1
kind: Database
metadata: { name: main }
spec: { type: postgres, version: '16' }
---
apiVersion: stackblaze.cloud/v1
kind: EnvGroup
metadata: { name: shared }
spec: { envVars: [{ key: GROUP_TOKEN, generateValue: true }] }
";

const SETTINGS: &str = "\
secrets:
  providers:
    vault: { command: [/bin/sh, -c, 'echo {\\\"values\\\": {\\\"a/b\\\": \\\"canary-of-vault\\\"}}'] }
";

fn machine() -> Machine {
    let machine = Machine::new();
    std::fs::create_dir(machine.place("manifests")).unwrap();
    machine.write("manifests/stack.yaml", STACK);
    machine.write("manifests/key.pem", "canary-in-a-file\n");
    machine.write("stoker.yaml", SETTINGS);
    machine
}

/// Runs a command where the environment holds a secret, and finds no value in what it prints.
#[track_caller]
fn run(machine: &Machine, arguments: &str) -> Ran {
    let mut command = machine.command(arguments);
    command.env("STRIPE_KEY", "canary-of-stripe");
    let ran = Ran::of(command);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("canary"), "{}", ran.stdout);
    ran
}

fn named<'v>(document: &'v Value, name: &str) -> &'v Value {
    let rows = document["secrets"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {document:#}"))
}

#[test]
fn every_secret_is_listed_with_its_source_its_age_and_its_users_and_without_its_value() {
    let machine = machine();
    let before = run(&machine, "secrets --sandbox -o json").says(0, &[]).json();
    assert_eq!(before["secrets"].as_array().unwrap().len(), 8, "{before:#}");
    assert!(before["secrets"].as_array().unwrap().iter().all(|row| row["changedAt"].is_null()));
    run(&machine, "apply --sandbox -y").says(0, &[]);
    let after = run(&machine, "secrets --sandbox -o json").says(0, &[]).json();
    for (name, source, state, is_known) in [
        ("STRIPE_KEY", "environment", "found", true),
        ("manifests/key.pem", "file", "found", true),
        ("vault a/b", "provider", "found", true),
        ("service/api:envVars.SALT", "generated", "found", true),
        ("envgroup/shared:envVars.GROUP_TOKEN", "generated", "found", true),
        ("service/api:envVars.API_PASSWORD", "manifest", "found", true),
        ("service/api:envVars.BY_HAND", "hand", "unseen", false),
        ("database/main:connectionString", "platform", "unseen", false),
    ] {
        let row = named(&after, name);
        assert_eq!((&row["source"], &row["state"]), (&json!(source), &json!(state)), "{row:#}");
        assert_eq!(row["changedAt"].is_string(), is_known, "{row:#}");
        assert!(row["missing"].is_null(), "{row:#}");
    }
    let users = |name: &str| {
        let uses = named(&after, name)["usedBy"].as_array().unwrap();
        uses.iter().map(|it| it["key"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(users("STRIPE_KEY"), ["service/api", "service/jobs"]);
    assert_eq!(users("service/api:envVars.SALT"), ["service/api", "service/jobs"]);
    assert_eq!(users("envgroup/shared:envVars.GROUP_TOKEN"), ["envgroup/shared", "service/api"]);
    assert_eq!(named(&after, "service/api:envVars.SALT")["rotate"], "90d");
    run(&machine, "secrets --sandbox").says(
        0,
        &["generated, every 90d", "service/jobs (by service/api)", "not looked at", " ago"],
    );
}

/// The time is that of the last other value, not that of the last run.
#[test]
fn a_secret_is_as_old_as_its_value() {
    let machine = machine();
    run(&machine, "apply --sandbox -y").says(0, &[]);
    let at = |document: &Value, name: &str| named(document, name)["changedAt"].clone();
    let first = run(&machine, "secrets --sandbox -o json").says(0, &[]).json();
    machine.write("manifests/key.pem", "canary-of-another-file\n");
    run(&machine, "apply --sandbox -y").says(0, &["Applied: 1 done"]);
    let second = run(&machine, "secrets --sandbox -o json").says(0, &[]).json();
    assert_ne!(at(&first, "manifests/key.pem"), at(&second, "manifests/key.pem"));
    assert_eq!(at(&first, "vault a/b"), at(&second, "vault a/b"));
}

#[test]
fn what_is_missing_is_told_with_its_place_and_the_exit_code_says_so() {
    let machine = machine();
    let mut command = machine.command("secrets --sandbox");
    command.env_remove("STRIPE_KEY");
    let ran = Ran::of(command).says(
        65,
        &["missing", "the environment variable `STRIPE_KEY` is not set", "manifests/stack.yaml:9"],
    );
    assert!(ran.stdout.contains("vault a/b"), "the others are listed as well: {}", ran.stdout);
    let listed = machine.run("secrets --sandbox -o json").says(65, &[]).json();
    let row = named(&listed, "STRIPE_KEY");
    assert_eq!(row["state"], "missing");
    assert_eq!(row["missing"], "the environment variable `STRIPE_KEY` is not set");
}

#[test]
fn it_asks_no_platform_and_makes_no_state() {
    let machine = machine();
    // No token, and nobody there.
    let ran = run(&machine, "secrets");
    ran.says(0, &["STRIPE_KEY", "unknown"]);
    assert!(!machine.place("state/fingerprint.key").exists());
}

#[test]
fn several_projects_answer_side_by_side() {
    let machine = machine();
    let projects =
        "projects:\n  - { name: one, paths: [manifests] }\n  - { name: two, paths: [other] }\n";
    machine.write("stoker.yaml", &format!("{SETTINGS}{projects}"));
    std::fs::create_dir(machine.place("other")).unwrap();
    let other = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: api }\n\
                 spec: { type: web, image: nginx, envVars: [{ key: A, valueFrom: { env: GONE } }] }\n";
    machine.write("other/api.yaml", other);
    run(&machine, "secrets --sandbox").says(65, &["[one]", "[two]", "GONE"]);
    run(&machine, "secrets --sandbox --project one").says(0, &["STRIPE_KEY"]);
}
