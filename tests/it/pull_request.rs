//! A plan that is reviewed in one place and carried out in another: what the state of each says is
//! ours is no change of the platform, and is not told as one.

use crate::commands::{Machine, Ran};

/// Where the sandbox keeps its own record.
const WORLD: &str = "state/sandbox/world.json";

fn image(image: &str) -> String {
    format!(
        "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{name: api}}\n\
         spec: {{type: web, image: {image}}}\n"
    )
}

/// A machine whose state made the service.
fn home() -> Machine {
    let machine = Machine::new();
    machine.write("api.yaml", &image("nginx"));
    machine.run("apply api.yaml --sandbox -y").says(0, &["1 done"]);
    machine.write("api.yaml", &image("httpd"));
    machine
}

/// A machine before the same platform, with the same manifests and without the state.
fn elsewhere(home: &Machine) -> Machine {
    let machine = Machine::new();
    std::fs::create_dir_all(machine.place("state/sandbox")).unwrap();
    machine.write(WORLD, &home.read(WORLD));
    machine.write("api.yaml", &home.read("api.yaml"));
    machine
}

/// Plans on one machine and carries that out on another.
fn carried(planned: &Machine, applied: &Machine) -> Ran {
    planned.run("plan api.yaml --sandbox --out plan.json").says(0, &["service/api"]);
    applied.write("plan.json", &planned.read("plan.json"));
    applied.run("apply plan.json --sandbox")
}

#[test]
fn a_plan_made_without_the_state_of_the_apply_is_refused_for_that_and_not_as_stale() {
    let home = home();
    let job = elsewhere(&home);
    let before = home.read(WORLD);
    let ran = carried(&job, &home);
    assert!(!ran.stderr.contains("stale") && !ran.stderr.contains("changed since"));
    ran.says(5, &["made without the state that is used now", "service/api", "nothing was written"]);
    let ran = home.run("apply plan.json --sandbox -o json");
    assert_eq!(ran.json()["error"]["code"], "other_state", "{}", ran.stdout);
    assert_eq!(home.read(WORLD), before);
    // With a copy of the state, as the shipped workflow plans, it is the same plan.
    let state = std::process::Command::new("cp")
        .args(["-r"])
        .args([home.place("state"), job.place("copy")])
        .status();
    assert!(state.unwrap().success());
    std::fs::remove_dir_all(job.place("state")).unwrap();
    std::fs::rename(job.place("copy"), job.place("state")).unwrap();
    carried(&job, &home).says(0, &["1 done"]);
}

#[test]
fn what_moved_is_stale_whichever_state_the_plan_was_made_with() {
    let home = home();
    let job = elsewhere(&home);
    job.run("plan api.yaml --sandbox --out plan.json").says(0, &[]);
    home.write("plan.json", &job.read("plan.json"));
    home.write(WORLD, &home.read(WORLD).replace("nginx", "caddy"));
    home.run("apply plan.json --sandbox").says(7, &["is stale: service/api changed since"]);
}

#[test]
fn a_plan_made_with_a_state_is_not_carried_out_as_reviewed_with_another_or_none() {
    let home = home();
    let stranger = elsewhere(&home);
    carried(&home, &stranger).says(5, &["with a state, and none is used now"]);
    // It begins a state of its own: the service is taken over, and is then to change.
    stranger.write("api.yaml", &image("nginx"));
    stranger.run("apply api.yaml --sandbox -y").says(0, &[]);
    stranger.write("api.yaml", &image("httpd"));
    // What neither state sees otherwise is carried out, whoever planned it.
    carried(&home, &stranger).says(0, &["1 done"]);
}

#[test]
fn what_no_state_says_otherwise_is_carried_out() {
    let home = home();
    let job = elsewhere(&home);
    for machine in [&home, &job] {
        machine.write("api.yaml", &image("nginx").replace("name: api", "name: web"));
    }
    job.run("plan api.yaml --sandbox --out plan.json").says(0, &["1 to add"]);
    home.write("plan.json", &job.read("plan.json"));
    home.run("apply plan.json --sandbox").says(0, &["1 done"]);
}
