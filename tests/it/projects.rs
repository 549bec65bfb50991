//! Several projects of one settings file: what reads answers for all of them where none is named, and
//! `apply --all-projects` asks once.

use serde_json::Value;

use crate::commands::{Machine, Ran};

const SETTINGS: &str = "\
paths: [base.yaml]
projects:
  - { name: dev, overlays: [dev.yaml] }
  - { name: prod }
";

const BASE: &str = "\
apiVersion: stackblaze.cloud/v1
kind: Database
metadata: { name: store }
spec: { type: postgres, version: '16' }
";

const DEV: &str = "\
apiVersion: stackblaze.cloud/v1
kind: Database
metadata: { name: store }
spec: { plan: starter }
";

fn machine() -> Machine {
    let machine = Machine::new();
    machine.write("stoker.yaml", SETTINGS);
    machine.write("base.yaml", BASE);
    machine.write("dev.yaml", DEV);
    machine
}

/// Where a project begins and ends in what was printed for all.
fn of_project<'t>(text: &'t str, name: &str) -> &'t str {
    let begun = text.split_once(&format!("[{name}]\n")).expect("the project is there").1;
    begun.split("\n\n[").next().unwrap_or(begun)
}

fn row<'t>(ran: &'t Ran, project: &str) -> Vec<&'t str> {
    let rows = ran.stdout.lines().rev().take_while(|line| !line.starts_with("PROJECT"));
    let mut rows = rows.map(|row| row.split("   ").map(str::trim).filter(|cell| !cell.is_empty()));
    let row = rows.find_map(|mut row| (row.next() == Some(project)).then(|| row.collect()));
    row.unwrap_or_else(|| panic!("{project} has no row:\n{}", ran.stdout))
}

#[test]
fn what_reads_answers_for_each_project_by_itself() {
    let machine = machine();
    machine.run("apply --project dev --sandbox -y").says(0, &[]);
    let ran = machine.run("plan --sandbox");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(of_project(&ran.stdout, "dev").contains("No changes."), "{}", ran.stdout);
    assert!(of_project(&ran.stdout, "prod").contains("1 to add"), "{}", ran.stdout);
    assert_eq!(row(&ran, "dev"), ["0", "no changes"]);
    assert_eq!(row(&ran, "prod"), ["0", "1 to add"]);
    // The worst code is that of all.
    let ran = machine.run("plan --sandbox --detailed-exitcode");
    assert_eq!((ran.exit, row(&ran, "dev")[0], row(&ran, "prod")[0]), (2, "0", "2"));
    let ran = machine.run("drift --sandbox");
    assert_eq!(ran.stdout.matches("No drift.").count(), 2, "{}", ran.stdout);
    let ran = machine.run("validate");
    assert_eq!(ran.stdout.matches("Valid: 1 resource.").count(), 2, "{}", ran.stdout);
    let ran = machine.run("get databases --sandbox");
    assert!(of_project(&ran.stdout, "dev").contains("database/store"), "{}", ran.stdout);
    assert!(!of_project(&ran.stdout, "prod").contains("database/store"), "{}", ran.stdout);
    let ran = machine.run("doctor --sandbox");
    assert!(ran.stdout.contains("[dev]\n") && ran.stdout.contains("[prod]\n"), "{}", ran.stdout);
    // What is named is answered for alone, and a saved plan is of one project.
    let ran = machine.run("plan --sandbox --project dev");
    assert!(!ran.stdout.contains("[dev]"), "{}", ran.stdout);
    machine.run("plan --sandbox --out plan.json").says(64, &["none is named", "dev, prod"]);
}

#[test]
fn one_that_fails_hides_no_other() {
    let machine = machine();
    machine.write("dev.yaml", &DEV.replace("plan: starter", "pln: starter"));
    let ran = machine.run("plan --sandbox");
    assert_eq!(ran.exit, 65, "{}", ran.stderr);
    assert!(ran.stderr.contains("[dev]\n") && !ran.stderr.contains("[prod]"), "{}", ran.stderr);
    assert_eq!(row(&ran, "dev"), ["65", "manifests invalid"]);
    assert_eq!(row(&ran, "prod"), ["0", "1 to add"]);
}

#[test]
fn programs_get_one_document_with_a_key_each_and_records_that_name_their_project() {
    let machine = machine();
    machine.write("dev.yaml", &DEV.replace("plan: starter", "pln: starter"));
    for form in ["json", "yaml"] {
        let ran = machine.run(&format!("plan --sandbox -o {form}"));
        let document: Value = match form {
            "json" => serde_json::from_str(&ran.stdout).expect("it is JSON"),
            _ => serde_yaml::from_str(&ran.stdout).expect("it is YAML"),
        };
        assert_eq!((ran.exit, &document["exitCode"]), (65, &Value::from(65)));
        let names: Vec<_> = document["projects"].as_object().expect("projects").keys().collect();
        assert_eq!(names, ["dev", "prod"]);
        let [dev, prod] = ["dev", "prod"].map(|name| &document["projects"][name]);
        assert_eq!((&dev["exitCode"], &prod["exitCode"]), (&65.into(), &0.into()));
        assert_eq!(dev["failure"]["error"]["code"], "manifests", "{dev}");
        assert_eq!(prod["document"]["summary"]["add"], 1, "{prod}");
    }
    let ran = machine.run("plan --sandbox -o ndjson");
    let lines = ran.stdout.lines().map(|line| serde_json::from_str(line).expect("a record"));
    let lines: Vec<Value> = lines.collect();
    let (of_all, of_each) = (&lines[lines.len() - 2..], &lines[..lines.len() - 2]);
    assert!(of_each.iter().all(|line| line["record"].is_object()), "{}", ran.stdout);
    assert_eq!(of_each.iter().filter(|line| line["record"]["summary"].is_object()).count(), 2);
    assert_eq!(of_all[0]["summary"]["add"], 1);
    assert_eq!(of_all[0]["summary"]["exitCode"], 65);
    assert_eq!(of_all[1]["cost"]["sent"], 4);
}

#[test]
fn all_projects_are_applied_one_after_the_other_after_one_answer() {
    let machine = machine();
    machine.run("apply --sandbox -y").says(64, &["none is named"]);
    machine.run("apply --sandbox --all-projects").says(64, &["not a terminal", "--auto-approve"]);
    let ran = machine.run("plan --sandbox");
    assert_eq!((row(&ran, "dev")[1], row(&ran, "prod")[1]), ("1 to add", "1 to add"));
    let ran = machine.run("apply --sandbox --all-projects -y");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert_eq!(
        (row(&ran, "dev"), row(&ran, "prod")),
        (vec!["0", "1 applied"], vec!["0", "1 applied"])
    );
    // Each has its own state.
    let ran = machine.run("plan --sandbox");
    assert_eq!((row(&ran, "dev")[1], row(&ran, "prod")[1]), ("no changes", "no changes"));
    let ran = machine.run("apply --sandbox --all-projects -y -o json");
    let document: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(document["projects"]["prod"]["document"]["summary"]["applied"], 0);
}

#[test]
fn where_one_cannot_be_planned_none_is_begun_and_after_one_that_is_held_back_no_other_is() {
    let machine = machine();
    machine.write("dev.yaml", &DEV.replace("plan: starter", "pln: starter"));
    let ran = machine.run("apply --sandbox --all-projects -y");
    assert_eq!((ran.exit, row(&ran, "prod")), (65, vec!["—", "not begun"]));
    machine.write("dev.yaml", DEV);
    machine.run("apply --sandbox --project dev -y").says(0, &[]);
    // No database is made again for another version.
    machine.write("dev.yaml", &DEV.replace("plan: starter", "version: '15'"));
    let ran = machine.run("apply --sandbox --all-projects -y");
    assert_eq!(
        (ran.exit, row(&ran, "dev")[0], row(&ran, "prod")),
        (5, "5", vec!["—", "not begun"])
    );
    let ran = machine.run("get databases --sandbox --project prod");
    assert!(!ran.stdout.contains("database/store"), "{}", ran.stdout);
}

#[test]
fn all_projects_are_neither_one_nor_a_saved_plan() {
    let machine = machine();
    machine.run("apply --sandbox --all-projects --project dev -y").says(64, &["cannot be used"]);
    machine.run("plan --sandbox --project dev --out plan.json").says(0, &[]);
    machine
        .run("apply plan.json --sandbox --all-projects")
        .says(64, &["a saved plan is for one project", "--project"]);
    machine.write("stoker.yaml", "paths: [base.yaml]\n");
    machine.run("apply --sandbox --all-projects -y").says(64, &["do not list several projects"]);
}
