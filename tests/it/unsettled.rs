//! Green while wrong: a declared value that was never written and is not shown is never said to be
//! as declared, and never written unasked. What the platform holds is read from its own record.

use stoker::store::{Medium, Simulated};

use crate::commands::{Machine, Ran};
use crate::kept::{Kept, keep_for, settings};
use crate::stage::{Stage, manifests};

const MANIFEST: &str = "\
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api }
spec:
  type: web
  image: nginx
  envVars:
    - { key: TOKEN, valueFrom: { env: TOKEN } }
    - { key: LEVEL, value: info }
";

/// Where the sandbox keeps its own record.
const WORLD: &str = "state/sandbox/world.json";

/// Runs a command where the token has a value.
fn run(machine: &Machine, arguments: &str, token: &str) -> Ran {
    let mut command = machine.command(arguments);
    command.env("TOKEN", token);
    Ran::of(command)
}

/// A machine that has not the state with which the service was made.
fn elsewhere() -> Machine {
    let machine = Machine::new();
    machine.write("api.yaml", MANIFEST);
    assert_eq!(run(&machine, "apply api.yaml --sandbox -y", "old-token").exit, 0);
    let world = machine.read(WORLD);
    std::fs::remove_dir_all(machine.place("state")).unwrap();
    std::fs::create_dir_all(machine.place("state/sandbox")).unwrap();
    machine.write(WORLD, &world);
    machine
}

/// Whether the platform holds a value, by its own record.
fn holds(machine: &Machine, value: &str) -> bool {
    machine.read(WORLD).contains(value)
}

#[test]
fn without_a_state_one_line_tells_of_them_and_the_exit_code_is_as_without() {
    let machine = elsewhere();
    let ran = run(&machine, "plan api.yaml --sandbox --detailed-exitcode", "new-token");
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("1 value cannot be judged"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("--write-unsettled"), "{}", ran.stdout);
}

#[test]
fn a_rotated_secret_of_what_was_taken_over_is_unsettled_until_a_person_settles_it() {
    let machine = elsewhere();
    let ran = run(&machine, "apply api.yaml --sandbox -y", "new-token");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let advice = "--write-unsettled service/api:envVars.TOKEN";
    assert!(ran.stdout.contains(advice), "{}", ran.stdout);
    // The plan says so with its exit code, and another change takes nothing along.
    let ran = run(&machine, "plan api.yaml --sandbox --detailed-exitcode", "new-token");
    assert_eq!(ran.exit, 5, "{}", ran.stdout);
    assert!(ran.stdout.contains("1 unsettled") && ran.stdout.contains(advice), "{}", ran.stdout);
    machine.write("api.yaml", &MANIFEST.replace("info", "debug"));
    assert_eq!(run(&machine, "apply api.yaml --sandbox -y", "new-token").exit, 0);
    assert!(holds(&machine, "debug") && holds(&machine, "old-token"));
    assert!(!holds(&machine, "new-token"));
    // The agent does not call it ready.
    let ran = run(&machine, "run api.yaml --once --sandbox -o json", "new-token");
    assert_eq!(ran.exit, 5, "{} {}", ran.stdout, ran.stderr);
    let status: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let resource = &status["projects"][0]["resources"][0];
    let ready = resource["conditions"].as_array().unwrap().iter().find(|it| it["type"] == "Ready");
    assert_ne!(ready.unwrap()["status"], "True");
    assert_eq!(resource["unsettled"][0]["field"], "envVars.TOKEN");
    // It is written when that is asked for, once and no more.
    let write = format!("apply api.yaml --sandbox -y {advice}");
    assert_eq!(run(&machine, &write, "new-token").exit, 0);
    assert!(holds(&machine, "new-token"));
    let ran = run(&machine, "plan api.yaml --sandbox --detailed-exitcode", "new-token");
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
}

#[test]
fn what_lives_is_taken_for_it_where_the_manifest_says_so_and_the_next_value_is_written() {
    let machine = elsewhere();
    machine.write("api.yaml", &format!("{MANIFEST}lifecycle: {{ unsettled: accept }}\n"));
    assert_eq!(run(&machine, "apply api.yaml --sandbox -y", "old-token").exit, 0);
    let ran = run(&machine, "plan api.yaml --sandbox --detailed-exitcode", "old-token");
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    assert_eq!(run(&machine, "apply api.yaml --sandbox -y", "new-token").exit, 0);
    assert!(holds(&machine, "new-token"));
}

/// A saved plan remembers what was said of single values.
#[test]
fn what_a_plan_settles_is_settled_when_it_is_carried_out() {
    let machine = elsewhere();
    assert_eq!(run(&machine, "apply api.yaml --sandbox -y", "new-token").exit, 0);
    let plan = "plan api.yaml --sandbox --out plan.json --write-unsettled service/api";
    assert_eq!(run(&machine, plan, "new-token").exit, 0);
    let ran = run(&machine, "apply plan.json --sandbox", "new-token");
    assert_eq!(ran.exit, 0, "{} {}", ran.stdout, ran.stderr);
    assert!(holds(&machine, "new-token"));
}

/// An agent that came later, without the state: day after day it calls nothing as declared of which
/// it cannot tell, and writes nothing.
#[tokio::test(start_paused = true)]
async fn an_agent_never_calls_ready_what_it_cannot_tell() {
    let tree = manifests(
        "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: api }\n\
         spec: { type: web, image: nginx, envVars: [{ key: TOKEN, generateValue: true }] }\n",
    );
    let stage = Stage::in_memory(stoker::emulator::EmulatorConfig::default());
    keep_for(&stage, settings(), &tree, 600).await;
    let stage = Stage { state: Medium::Memory(Simulated::default()), ..stage };
    let kept = Kept::begin(stage, settings(), tree);
    let before = kept.writes();
    kept.stage.wait(3_600).await;
    assert_eq!(kept.ready_of("service/api"), "Unknown Unsettled");
    assert_eq!(kept.ready(), "Unknown Unsettled");
    assert_eq!(kept.writes(), before);
    let status = kept.status();
    let is_open = |pass: &stoker::status::PassRecord| {
        pass.outcome == stoker::status::PassOutcome::Pending
            && pass.reason == Some(stoker::status::ConditionReason::Unsettled)
    };
    assert!(status.history.iter().all(is_open), "{:#?}", status.history);
    assert_eq!(status.synced, None);
}
