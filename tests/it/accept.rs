//! Drift is written into the manifest it comes from, in the layer it comes from, and nowhere else; what
//! cannot be written is refused at its line, and then nothing is written at all.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use stoker::clock::Clock;
use stoker::emulator::{Act, Emulator, Kind};
use stoker::sandbox::emulator_clock;

use crate::commands::Machine;

const API: &str = "\
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api }
spec:
  type: web
  image: nginx
  plan: standard   # until March
  port: 3000
  envVars:
    - { key: LOG_LEVEL, value: info }   # quiet
    - { key: MODE, value: \"${MODE}\" }
    - { key: TOKEN, valueFrom: { env: TOKEN } }
";

/// A machine on which the service lives as it is declared.
fn machine(name: &str, text: &str) -> Machine {
    let machine = Machine::new();
    machine.write(name, text);
    let ran = call(&machine, &format!("apply {name} --sandbox -y"));
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    machine
}

fn call(machine: &Machine, arguments: &str) -> crate::commands::Ran {
    let mut command = machine.command(arguments);
    command.args(["--var", "MODE=quick"]).env("TOKEN", "canary-of-the-manifest");
    crate::commands::Ran::of(command)
}

/// Changes the platform behind our back.
fn by_hand(machine: &Machine, act: impl Fn(String) -> Act) {
    in_the_sandbox(machine, |emulator| {
        let id = emulator.ids(Kind::Service, "api").remove(0);
        emulator.act(&act(id)).unwrap();
    });
}

fn in_the_sandbox(machine: &Machine, change: impl Fn(&Emulator)) {
    let world = "state/sandbox/world.json";
    let saved: serde_json::Value = serde_json::from_str(&machine.read(world)).unwrap();
    let emulator = Emulator::restore(&saved, emulator_clock(&Clock::system())).unwrap();
    change(&emulator);
    machine.write(world, &emulator.save().to_string());
}

fn set(machine: &Machine, field: &str, value: impl Into<serde_json::Value>) {
    let value: serde_json::Value = value.into();
    let field = field.to_owned();
    by_hand(machine, |id| Act::SetField { id, field: field.clone(), value: Some(value.clone()) });
}

fn set_variable(machine: &Machine, key: &str, value: Option<&str>) {
    by_hand(machine, |id| {
        let (key, value) = (key.to_owned(), value.map(str::to_owned));
        Act::SetVariable { kind: Kind::Service, id, key, value }
    });
}

#[test]
fn drift_becomes_what_the_manifest_says_and_comments_stay() {
    let machine = machine("api.yaml", API);
    let path = machine.path("api.yaml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let ran = call(&machine, "accept service/api --from api.yaml --sandbox");
    ran.says(0, &["Nothing drifted"]);
    set(&machine, "plan", "starter");
    set_variable(&machine, "LOG_LEVEL", Some("debug"));
    let ran = call(&machine, "accept service/api --from api.yaml --sandbox --dry-run");
    let lines = [
        "--- api.yaml",
        "-  plan: standard   # until March",
        "+  plan: starter   # until March",
        "+    - { key: LOG_LEVEL, value: debug }   # quiet",
        "2 values of 1 resource would be written into 1 file",
    ];
    ran.says(0, &lines);
    assert_eq!(machine.read("api.yaml"), API);
    let ran = call(&machine, "accept svc/api.plan --from api.yaml --sandbox");
    ran.says(0, &["1 value of 1 resource written into 1 file"]);
    let one = API.replace("plan: standard", "plan: starter");
    assert_eq!(machine.read("api.yaml"), one);
    let ran = call(&machine, "accept service/api --from api.yaml --sandbox -o json");
    let told = ran.says(0, &[]).json();
    assert_eq!(told["accepted"][0]["path"], "envVars.LOG_LEVEL");
    assert_eq!(told["accepted"][0]["to"], "debug");
    assert_eq!(told["accepted"][0]["line"], 10);
    assert_eq!(told["written"], true);
    assert_eq!(machine.read("api.yaml"), one.replace("value: info", "value: debug"));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    call(&machine, "plan api.yaml --sandbox").says(0, &["No changes."]);
}

#[test]
fn what_cannot_be_written_is_refused_at_its_line_and_nothing_is_written() {
    let machine = machine("api.yaml", API);
    set(&machine, "plan", "starter");
    set_variable(&machine, "MODE", Some("slow"));
    set_variable(&machine, "LOG_LEVEL", Some("postgres://shop:canary-login@db/shop"));
    set_variable(&machine, "ADDED", Some("x"));
    let ran = call(&machine, "accept service/api --from api.yaml --sandbox");
    let said = [
        "--> api.yaml:11:",
        "its value comes from a variable",
        "change this to `slow`",
        "its value is a secret",
        "it was added on the platform",
        "its value may be a secret",
        "nothing was written",
    ];
    let ran = ran.says(5, &said);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("canary"), "{}", ran.stderr);
    assert_eq!(machine.read("api.yaml"), API);
    let refused = call(&machine, "accept service/api.envVars --from api.yaml --sandbox -o json");
    let refused = refused.says(5, &[]).json();
    assert_eq!(refused["error"]["code"], "not_accepted");
    // What was named can be.
    call(&machine, "accept service/api.plan --from api.yaml --sandbox").says(0, &["1 value"]);
    assert_eq!(machine.read("api.yaml"), API.replace("standard", "starter"));
}

#[test]
fn a_secret_beside_the_value_is_not_shown_by_the_difference() {
    let text = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: api }\nspec: { \
        type: web, image: nginx, plan: standard, envVars: [{ key: STRIPE_KEY, value: canaries }] }\n";
    let machine = machine("api.yaml", text);
    set(&machine, "plan", "starter");
    let ran = call(&machine, "accept service/api --from api.yaml --sandbox");
    let ran = ran.says(0, &["plan: starter"]);
    assert!(!ran.stdout.contains("canaries"), "{}", ran.stdout);
    assert!(
        machine
            .read("api.yaml")
            .contains("plan: starter, envVars: [{ key: STRIPE_KEY, value: canaries")
    );
}

#[test]
fn a_value_is_written_into_the_layer_it_comes_from() {
    let machine = Machine::new();
    let overlay = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: api }\nspec: { \
        plan: starter }\n";
    machine.write("api.yaml", API);
    machine.write("small.yaml", overlay);
    let ran = call(&machine, "apply api.yaml --overlay small.yaml --sandbox -y");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    set(&machine, "plan", "pro");
    set(&machine, "port", 8080);
    let ran = call(&machine, "accept service/api --from api.yaml --overlay small.yaml --sandbox");
    ran.says(0, &["2 values of 1 resource written into 2 files"]);
    assert_eq!(machine.read("small.yaml"), overlay.replace("starter", "pro"));
    assert_eq!(machine.read("api.yaml"), API.replace("3000", "8080"));
}

#[test]
fn a_link_is_followed_within_the_folder_and_stays_a_link() {
    let machine = Machine::new();
    std::fs::create_dir_all(machine.path("manifests/real")).unwrap();
    machine.write("manifests/real/.api.txt", API);
    symlink("real/.api.txt", machine.path("manifests/api.yaml")).unwrap();
    let ran = call(&machine, "apply --sandbox -y");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    set(&machine, "plan", "starter");
    call(&machine, "accept service/api --sandbox").says(0, &["+++ manifests/api.yaml"]);
    assert!(std::fs::symlink_metadata(machine.path("manifests/api.yaml")).unwrap().is_symlink());
    assert_eq!(machine.read("manifests/real/.api.txt"), API.replace("standard", "starter"));
}

#[test]
fn what_the_manifest_asks_for_is_no_drift_to_accept() {
    let machine = machine("api.yaml", API);
    machine.write("api.yaml", &API.replace("3000", "8080"));
    let ran = call(&machine, "accept service/api.port --from api.yaml --sandbox");
    ran.says(5, &["api.yaml:8:", "it did not drift", "`stoker apply` writes it"]);
    call(&machine, "accept service/api --from api.yaml --sandbox").says(0, &["Nothing drifted"]);
    call(&machine, "accept service/apj --from api.yaml --sandbox").says(64, &["did you mean"]);
    let ran = call(&machine, "accept service/api.prot --from api.yaml --sandbox");
    ran.says(64, &["did you mean service/api.port?"]);
}

#[test]
fn what_is_gone_is_no_drift_to_accept() {
    let machine = machine("web.yaml", &API.replace("name: api", "name: web"));
    machine.write("api.yaml", API);
    // What is not in a list is not gone as long as it is new: this one is an hour old.
    in_the_sandbox(&machine, |emulator| {
        let body = serde_json::json!({
            "name": "api", "type": "web_service", "runtime": "node",
            "repo": "github.com/acme/shop", "plan": "standard",
        });
        emulator.act(&Act::SetClock { off_ms: -3_600_000 }).unwrap();
        emulator.act(&Act::Create { kind: Kind::Service, body }).unwrap();
        emulator.act(&Act::SetClock { off_ms: 0 }).unwrap();
    });
    call(&machine, "adopt service/api --sandbox -y").says(0, &["service/api is ours now"]);
    by_hand(&machine, |id| Act::Delete { kind: Kind::Service, id });
    let ran = call(&machine, "accept service/api --from api.yaml --sandbox");
    ran.says(5, &["no longer exists on the platform"]);
    assert_eq!(machine.read("api.yaml"), API);
}
