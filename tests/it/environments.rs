//! One of several environments of a Blueprint, by its name: flag, variable and settings file name it, and
//! a saved plan stays with the one it was made of.

use crate::commands::Machine;

const BLUEPRINT: &str = "\
projects:
  - name: shop
    environments:
      - { name: production, services: [{ type: web, name: shop, image: { url: nginx } }] }
      - { name: staging, services: [{ type: web, name: shop-next, image: { url: nginx } }] }
";

#[test]
fn flag_variable_and_settings_file_name_the_environment_that_is_read() {
    let machine = Machine::new();
    machine.write("app.yaml", BLUEPRINT);
    let ran = machine.run("validate app.yaml").says(65, &["shop/production", "--environment NAME"]);
    assert!(!ran.stderr.contains("Valid"), "{}", ran.stderr);
    machine.run("validate app.yaml --environment stagin").says(65, &["did you mean `staging`?"]);
    for command in ["render", "convert", "plan --sandbox", "apply --sandbox -y"] {
        let ran = machine.run(&format!("{command} app.yaml --environment shop/staging"));
        assert!(ran.exit == 0 && ran.stdout.contains("shop-next"), "{command}: {}", ran.stderr);
        assert!(!ran.stdout.contains("production"), "{command}: {}", ran.stdout);
    }
    let ran = machine.run("drift app.yaml --sandbox --environment staging");
    assert!(ran.exit == 0 && ran.stdout.contains("No drift."), "{}", ran.stderr);
    machine.write("stoker.yaml", "environment: production\n");
    let ran = machine.run("render app.yaml");
    assert!(ran.stdout.contains("name: shop\n"), "{}", ran.stdout);
    let mut command = machine.command("render app.yaml");
    command.env("STOKER_ENVIRONMENT", "staging");
    let ran = crate::commands::Ran::of(command);
    assert!(ran.stdout.contains("name: shop-next\n"), "{}", ran.stdout);
}

#[test]
fn a_saved_plan_is_applied_to_the_environment_it_was_made_of_and_to_no_other() {
    let machine = Machine::new();
    machine.write("app.yaml", BLUEPRINT);
    let ran = machine.run("plan app.yaml --sandbox --environment staging --out plan.json");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    for other in ["production", "shop/staging"] {
        let ran = machine.run(&format!("apply plan.json --sandbox --environment {other}"));
        assert_eq!(ran.exit, 7, "{}", ran.stderr);
        assert!(ran.stderr.contains("of the environment `staging`"), "{}", ran.stderr);
    }
    // What the settings say now is for new plans.
    machine.write("stoker.yaml", "environment: production\n");
    let ran = machine.run("apply plan.json --sandbox");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let ran = machine.run("get --sandbox");
    assert!(ran.stdout.contains("shop-next"), "{}", ran.stdout);
    let ran = machine.run("plan app.yaml --sandbox --out other.json");
    assert!(ran.exit == 0 && ran.stdout.contains("service/shop "), "{}", ran.stdout);
    machine.run("apply other.json --sandbox --environment staging").says(7, &["production"]);
}
