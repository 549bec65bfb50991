//! What a plan reads: with `--target` the lists and what is selected, with `--refresh=false` nothing.
//! What is not read is neither absent nor as declared (S2).

use serde_json::Value;

use crate::commands::{Machine, set_by_hand};

fn service(name: &str, more: &str) -> String {
    format!(
        "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{name: {name}}}\nspec:\n  \
         type: web\n  image: nginx\n{more}---\n"
    )
}

fn services(count: usize) -> String {
    (0..count).map(|number| service(&format!("s{number}"), "")).collect()
}

/// Returns the last record, and how many requests were sent and promised.
#[track_caller]
fn cost(machine: &Machine, arguments: &str, exit: i32) -> (u64, u64) {
    let ran = machine.run(&format!("{arguments} --sandbox -o ndjson")).says(exit, &[]);
    let last: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    let number = |name: &str| last["cost"][name].as_u64().unwrap_or_default();
    (number("sent"), number("reads") + number("writes"))
}

#[test]
fn a_target_costs_the_lists_and_its_own_details_and_apply_keeps_to_it() {
    let machine = Machine::new();
    machine.write("all.yaml", &services(12));
    machine.run("apply all.yaml -y --sandbox").says(0, &["12 done"]);
    // The project, three lists, twelve services.
    assert_eq!(cost(&machine, "plan all.yaml", 0), (16, 16));
    assert_eq!(cost(&machine, "plan all.yaml --target service/s3", 0), (5, 5));
    assert_eq!(cost(&machine, "plan all.yaml --exclude service/s3", 0), (15, 15));
    assert_eq!(cost(&machine, "drift all.yaml --target service/s3", 0), (5, 5));
    // What it leans on is read as well.
    let api = "  envVars: [{key: A, fromService: {name: s1, property: host}}]\n";
    machine.write("all.yaml", &(services(12) + &service("api", api)));
    let (sent, promised) = cost(&machine, "plan all.yaml --target service/api", 0);
    assert_eq!(sent, 5, "s1 alone lives");
    assert_eq!(cost(&machine, "apply all.yaml -y --target service/api", 0), (promised, promised));
    let (sent, promised) = cost(&machine, "destroy --confirm emulator --target service/api", 0);
    assert_eq!(sent, promised);
}

#[test]
fn what_a_target_leaves_out_is_not_judged() {
    let machine = Machine::new();
    machine.write("all.yaml", &services(3));
    machine.run("apply all.yaml -y --sandbox").says(0, &["3 done"]);
    machine.write("all.yaml", &services(3).replace("nginx", "nginx:2"));
    let plan = machine.run("plan all.yaml --target service/s1 --sandbox -o json").says(0, &[]);
    let plan = plan.json();
    let keys: Vec<&str> =
        plan["changes"].as_array().unwrap().iter().map(|it| it["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["service/s1"]);
    assert_eq!(plan["summary"]["unchanged"], 0, "what was not read is not as declared");
    // Of two that are gone only the one that is looked at is missed.
    for name in ["s0", "s1"] {
        machine.run(&format!("destroy --confirm emulator --target service/{name} --sandbox"));
    }
    machine.write("all.yaml", &services(3));
    machine.run("plan all.yaml --target service/s1 --sandbox").says(0, &["1 to add, 0 to change"]);
    machine.run("apply all.yaml -y --target service/s1 --sandbox").says(0, &["1 done"]);
    machine.run("plan all.yaml --sandbox").says(0, &["1 to add", "2 unchanged"]);
}

#[test]
fn a_plan_without_a_refresh_sends_nothing_and_says_how_old_its_look_is() {
    let machine = Machine::new();
    machine.write("all.yaml", &services(3));
    let blind = "plan all.yaml --refresh=false";
    machine
        .run(&format!("{blind} --sandbox"))
        .says(1, &["no saved live state", "reads it and saves"]);
    machine.run("apply all.yaml -y --sandbox").says(0, &["3 done"]);
    // What was written down since makes of the look before it none.
    machine
        .run(&format!("{blind} --sandbox"))
        .says(1, &["has changed since the live state was read"]);
    machine.run("plan all.yaml --sandbox").says(0, &["No changes. 3 unchanged."]);
    let ran = machine.run(&format!("{blind} --sandbox"));
    ran.says(0, &["No changes. 3 unchanged.", "ago, at 20", "no request was sent"]);
    machine.write("all.yaml", &services(3).replacen("nginx", "nginx:2", 2));
    let ran = machine.run(&format!("{blind} --sandbox --detailed-exitcode"));
    ran.says(2, &["nginx -> nginx:2", "2 to change"]);
    assert_eq!(cost(&machine, blind, 0).0, 0);
    let plan = machine.run(&format!("{blind} --sandbox -o json")).says(0, &[]).json();
    assert_eq!(plan["options"]["refreshed"], false);
    assert!(plan["options"]["lookedAt"].is_string(), "{plan:#}");
    // It is never applied.
    machine.write("blind.json", &plan.to_string());
    machine.run("apply blind.json --sandbox").says(64, &["--refresh=false", "never applied"]);
    machine.run(&format!("{blind} --out p.json --sandbox")).says(64, &["never applied"]);
    machine.run("apply all.yaml -y --refresh=false --sandbox").says(64, &["--refresh"]);
    // A look at a part leaves the look at all in its place; a damaged one is none.
    machine.run("plan all.yaml --target service/s1 --sandbox").says(0, &[]);
    machine.run(&format!("{blind} --sandbox")).says(0, &["2 to change"]);
    let place = "state/sandbox/last-look.json";
    machine.write(place, &machine.read(place).replace("nginx", "nginx:2"));
    machine.run(&format!("{blind} --sandbox")).says(1, &["no saved live state", "damaged"]);
}

#[test]
fn what_was_not_looked_at_in_detail_is_unknown_to_a_plan_without_a_refresh() {
    let machine = Machine::new();
    machine.write("all.yaml", &services(2));
    machine.run("apply all.yaml -y --sandbox").says(0, &["2 done"]);
    machine.write("one.yaml", &services(1));
    machine.run("plan one.yaml --sandbox").says(0, &["1 unchanged"]);
    let ran = machine.run("plan all.yaml --refresh=false --sandbox");
    ran.says(0, &["service/s1  is unknown: its details were not read", "1 unchanged"]);
}

#[test]
fn the_last_look_holds_no_secret() {
    let machine = Machine::new();
    let more = "  envVars:\n  - {key: STRIPE_KEY, value: CANARYdeclared}\n  \
                - {key: LICENCE, sync: false}\n  - {key: LOG_LEVEL, value: info}\n";
    machine.write("api.yaml", &service("api", more));
    machine.run("apply api.yaml -y --sandbox").says(0, &["1 done"]);
    set_by_hand(&machine, "LICENCE", "CANARYbyhand");
    machine.run("plan api.yaml --sandbox").says(0, &["1 unchanged"]);
    let kept = machine.read("state/sandbox/last-look.json");
    assert!(kept.contains("LICENCE") && kept.contains("info"), "{kept}");
    assert!(!kept.contains("CANARY"), "{kept}");
    machine.run("plan api.yaml --refresh=false --sandbox").says(0, &["1 unchanged"]);
}
