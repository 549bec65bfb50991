//! A Blueprint that names no source means the repository it lies in, for what is new.

use serde_json::Value;

use crate::commands::{Machine, Ran};

const SITE: &str = "services:\n  - { name: web, type: web, runtime: node, plan: starter }\n";

fn checkout(head: &str, url: &str) -> Machine {
    let machine = Machine::new();
    std::fs::create_dir_all(machine.path(".git")).unwrap();
    machine.write(".git/HEAD", head);
    machine.write(".git/config", &format!("[remote \"origin\"]\n\turl = {url}\n"));
    machine.write("stackblaze.yaml", SITE);
    machine
}

/// What the plan would give to `web` that nobody wrote.
fn derived(ran: &Ran) -> Vec<(String, String)> {
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    let fields = plan["changes"][0]["fields"].as_array().unwrap().clone();
    let derived = fields.into_iter().filter(|field| field["reason"] == "derived");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    derived.map(|field| (text(&field["path"]), text(&field["after"]))).collect()
}

const URL: &str = "https://bot:CANARY@github.com/acme/shop.git";
const MAIN: &str = "ref: refs/heads/main\n";

fn pair(path: &str, value: &str) -> (String, String) {
    (path.to_owned(), value.to_owned())
}

#[test]
fn a_new_service_without_a_source_gets_that_of_the_checkout_and_keeps_it() {
    let machine = checkout(MAIN, URL);
    let ran = machine.run("plan --sandbox -o json");
    assert_eq!(derived(&ran), [pair("repo", "github.com/acme/shop"), pair("branch", "main")]);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("CANARY"));
    machine.run("apply --sandbox -y");
    // It is no wish: somewhere else the file means another repository, and what lives keeps its own.
    machine.write(".git/HEAD", "ref: refs/heads/other\n");
    let again = machine.run("plan --sandbox -o json");
    let plan: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(plan["changes"].as_array().map(Vec::len), Some(0), "{}", again.stdout);
}

#[test]
fn what_the_native_form_does_not_say_of_the_checkout_is_told() {
    let machine = checkout(MAIN, URL);
    for command in ["convert stackblaze.yaml", "render -o json stackblaze.yaml"] {
        let ran = machine.run(command);
        assert!(ran.stderr.contains("warning[derived-repo]"), "{}", ran.stderr);
        let hint = "write `repo: github.com/acme/shop` and `branch: main` into its `spec`";
        assert!(ran.stderr.contains(hint), "{}", ran.stderr);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("CANARY"));
    }
    // As the hint says, the native form means the same for what is new.
    let native = machine.run("convert stackblaze.yaml").stdout;
    let spec = "spec:\n  repo: github.com/acme/shop\n  branch: main\n";
    machine.write("stackblaze.yaml", &native.replace("spec:\n", spec));
    let ran = machine.run("convert stackblaze.yaml");
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    let machine = Machine::new();
    machine.write("stackblaze.yaml", SITE);
    assert!(!machine.run("convert stackblaze.yaml").stderr.contains("warning"));
}

#[test]
fn a_pull_request_and_a_fork_give_no_branch_and_no_repository() {
    let run = |url: &str| {
        let machine = checkout("ref: refs/heads/feature\n", url);
        let mut command = machine.command("plan --sandbox -o json");
        command.env("GITHUB_HEAD_REF", "feature").env("GITHUB_REPOSITORY", "acme/shop");
        Ran::of(command)
    };
    assert_eq!(derived(&run(URL)), [pair("repo", "github.com/acme/shop")]);
    let fork = run("https://github.com/eve/shop.git");
    assert_eq!(derived(&fork), []);
    assert!(fork.stderr.contains("warning[no-source]"), "{}", fork.stderr);
}

#[test]
fn what_would_be_made_with_nothing_to_run_is_told_of_in_both_forms() {
    let native = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: web }\n\
                  spec: { type: web, runtime: node }\n";
    for text in [SITE, native] {
        let machine = Machine::new();
        machine.write("stackblaze.yaml", text);
        let ran = machine.run("plan --sandbox -o json");
        assert!(ran.stderr.contains("warning[no-source]"), "{}", ran.stderr);
        let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(plan["diagnostics"][0]["code"], "no-source", "{}", ran.stdout);
        // Once it lives, it is the platform's to say what it runs.
        machine.run("apply --sandbox -y");
        let again = machine.run("plan --sandbox");
        assert!(!again.stderr.contains("no-source"), "{}", again.stderr);
    }
}

#[test]
fn the_sandbox_stands_for_the_project_that_the_manifests_are_for() {
    let machine = Machine::new();
    machine.write("stackblaze.yaml", &format!("pipeline: acme-shop\n{SITE}"));
    let ran = machine.run("plan --sandbox -o json");
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(plan["project"]["name"], "acme-shop", "{}", ran.stderr);
    let applied = machine.run("apply --sandbox -y");
    assert!(applied.stdout.contains("1 done"), "{}{}", applied.stdout, applied.stderr);
    // The sandbox is one place, whatever it stands for.
    machine.write("stackblaze.yaml", SITE);
    let again = machine.run("plan --sandbox -o json");
    let plan: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(plan["changes"].as_array().map(Vec::len), Some(0), "{}", again.stdout);
    machine.write("stackblaze.yaml", &format!("pipeline: {{ name: acme-shop }}\n{SITE}"));
    let once = machine.run("run --once --sandbox --listen off stackblaze.yaml");
    assert!(!once.stderr.contains("WrongProject"), "{}{}", once.stdout, once.stderr);
    assert!(once.stderr.contains("a pass ended"), "{}{}", once.stdout, once.stderr);
}
