//! A name that is mistyped never reads as "nothing to do": each command that takes one ends with an
//! error, and with the nearest name that is known.

use crate::commands::Machine;

#[test]
fn a_name_that_nothing_bears_is_an_error_wherever_it_is_typed() {
    let machine = Machine::with_api();
    for (command, exit, near) in [
        ("destroy --confirm emulator --target service/apii", 1, "service/api"),
        ("release service/apii", 1, "service/api"),
        ("adopt service/apii", 1, "service/api"),
        ("export service/apii", 1, "service/api"),
        ("deploy service/apii", 1, "service/api"),
        ("plan api.yaml --target service/apii", 64, "service/api"),
        ("plan api.yaml --exclude service/apii", 64, "service/api"),
        ("plan api.yaml --replace service/apii=svc_1", 64, "service/api"),
        ("plan api.yaml --write-unsettled service/apii", 64, "service/api"),
        (
            "plan api.yaml --accept-unsettled service/api:envVars.STRIPE_KEI",
            64,
            "service/api:envVars.STRIPE_KEY",
        ),
        ("apply api.yaml -y --target service/apii", 64, "service/api"),
        ("drift api.yaml --target service/apii", 64, "service/api"),
    ] {
        let ran = machine.run(&format!("{command} --sandbox"));
        ran.says(exit, &[&format!("did you mean {near}?")]);
    }
    machine.run("get --sandbox").says(0, &["service/api", "created"]);
}

#[test]
fn a_project_of_an_agent_is_not_answered_for_by_the_platform() {
    let machine = Machine::with_api();
    for command in ["get", "describe service/api", "wait service/api"] {
        let ran = machine.run(&format!("{command} --project nosuch --sandbox"));
        ran.says(1, &["no agent is running", "without --project nosuch"]);
    }
    machine.run("get --project nosuch --live --sandbox").says(64, &["list no project `nosuch`"]);
    let gone = machine.run("wait service/api --for=delete --project nosuch --sandbox");
    gone.says(64, &["leave out --project"]);
}

#[test]
fn a_kind_behind_a_blank_is_no_path_and_prunes_nothing() {
    let machine = Machine::with_api();
    std::fs::create_dir(machine.path("services")).unwrap();
    machine.write("services/web.yaml", &machine.read("api.yaml").replace("api}", "web}"));
    let ran = machine.run("apply -y --sandbox --prune services");
    ran.says(64, &["write `--prune=services`", "./services"]);
    machine.run("get --sandbox").says(0, &["service/api"]);
}

#[test]
fn what_is_valid_but_declares_nothing_or_warns_is_no_success_for_who_is_strict() {
    let machine = Machine::new();
    std::fs::create_dir(machine.path("empty")).unwrap();
    machine.run("validate empty").says(0, &["no manifest was found"]);
    let ran = machine.run("validate empty --strict");
    ran.says(65, &["no manifest was found", "not valid with --strict: 1 warning"]);
    let failed = machine.run("validate empty --strict -o json").says(65, &[]).json();
    assert_eq!(failed["diagnostics"][0]["code"], "no-manifests");
    let group =
        "apiVersion: stackblaze.cloud/v1\nkind: EnvGroup\nmetadata: {name: api}\nspec: {}\n";
    machine.write("api.yaml", group);
    machine.run("validate api.yaml --strict").says(0, &["Valid: 1 resource."]);
}
