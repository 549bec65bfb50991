//! Orders: what is sent, what is refused before it is sent, and how a pass that was asked for ends.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use stoker::status::ProjectStatus;

use super::fixture::{Fixture, Ran, ago, events, ordinary, project};

#[test]
fn each_order_is_sent_once_with_what_it_needs() {
    let machine = Fixture::keeping(vec![project("shop")], json!([]));
    machine.run("reconcile").says(0, &["done as told."]);
    machine.run("reconcile service/api --project shop").says(0, &[]);
    machine.run("resume").says(0, &[]);
    machine.run("pin 3f2a1bc").says(0, &[]);
    let said = machine.run("unpin -o json").says(0, &[]).json();
    assert_eq!(said["message"], "done as told");
    let until = ["suspend", "--reason", "a migration", "--until", "2h"];
    Ran::of(machine.command(&until)).says(0, &[]);
    let mut orders = machine.orders();
    let suspended = orders.pop().unwrap();
    assert_eq!(
        orders,
        [
            "/api/orders/reconcile {}",
            r#"/api/orders/reconcile {"project":"shop","key":"service/api"}"#,
            "/api/orders/resume {}",
            r#"/api/orders/pin {"commit":"3f2a1bc"}"#,
            "/api/orders/unpin {}",
        ]
    );
    let body: Value =
        serde_json::from_str(suspended.strip_prefix("/api/orders/suspend ").unwrap()).unwrap();
    assert_eq!(body["reason"], "a migration");
    let until: jiff::Timestamp = body["until"].as_str().unwrap().parse().unwrap();
    let hours = until.duration_since(ago(0)).as_secs().div_euclid(3600);
    assert!((1..=2).contains(&hours), "{until}");
}

#[test]
fn an_agent_is_told_of_a_deployment_that_a_person_begins_beside_it() {
    let machine = Fixture::without_agent();
    let manifest = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {name: api}\n\
        spec: {type: web, repo: 'github.com/acme/shop'}\n";
    std::fs::write(machine.directory.path().join("api.yaml"), manifest).unwrap();
    machine.run("apply api.yaml --sandbox -y --wait").says(0, &[]);
    machine.run("deploy service/api --sandbox --wait").says(0, &["succeeded"]);
    let origin = stoker::sandbox::SANDBOX_ENDPOINT.to_owned();
    let kept = |name: &str, known: &str| ProjectStatus {
        origin: origin.clone(),
        platform_name: Some(known.to_owned()),
        ..project(name)
    };
    let projects = vec![kept("other", "somebody else's"), kept("shop", "emulator")];
    machine.beside_the_sandbox(move |asked| ordinary(asked, &projects, &json!([])));
    machine.run("rollback service/api --sandbox -y --wait").says(0, &["succeeded"]);
    machine.run("deploy service/api --sandbox").says(0, &[]);
    let order = r#"/api/orders/look {"project":"shop","key":"service/api"}"#;
    assert_eq!(machine.orders(), [order, order]);
}

#[test]
fn a_suspension_has_a_reason_and_an_end_or_it_is_not_sent() {
    let machine = Fixture::keeping(vec![project("shop")], json!([]));
    machine.run("suspend --until 2h").says(64, &["--reason"]);
    machine.run("suspend --reason x").says(64, &["--until"]);
    machine.run("suspend --reason x --until 31d").says(64, &["more than 30 days"]);
    machine.run("suspend --reason x --until 2020-01-01T00:00:00Z").says(64, &["in the past"]);
    machine.run("suspend --reason x --until never").says(64, &["`never` is not a time"]);
    Ran::of(machine.command(&["suspend", "--reason", " ", "--until", "2h"])).says(64, &["reason"]);
    assert_eq!(machine.orders(), Vec::<String>::new());
}

#[test]
fn an_order_without_an_agent_names_the_socket_and_what_starts_one() {
    let machine = Fixture::without_agent();
    for command in ["reconcile", "reconcile --wait", "resume", "pin 3f2a", "unpin"] {
        let ran = machine.run(command);
        ran.says(1, &["no agent is running", "state/agent.sock", "`stoker run` starts one"]);
    }
    let sandbox = machine.directory.path().join("state/sandbox");
    std::fs::create_dir(&sandbox).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(sandbox.join("agent.sock")).unwrap();
    machine.run("resume").says(1, &["add --sandbox"]);
}

#[test]
fn an_address_takes_no_orders_and_the_agent_beside_it_is_not_taken_instead() {
    let machine = Fixture::keeping(vec![project("shop")], json!([]));
    let ran = machine.run("resume --agent https://agent.dev");
    ran.says(64, &["takes orders only at its socket", "STOKER_AGENT"]);
    assert_eq!(machine.orders(), Vec::<String>::new());
    let socket = format!("resume --agent unix:{}", machine.socket().display());
    machine.run(&socket).says(0, &[]);
}

#[test]
fn a_refusal_is_passed_on_with_its_hints() {
    let machine = Fixture::answering(|_| {
        let error = json!({ "error": {
            "code": "not_git", "message": "only a repository has commits", "hints": ["use --repo"],
        } });
        (409, "application/json", error.to_string())
    });
    machine.run("pin 3f2a").says(1, &["only a repository has commits", "hint: use --repo"]);
}

/// An agent that makes a pass once it is told to, with this outcome, and for this reason if any.
fn reconciling(before: ProjectStatus, outcome: &'static str, written: usize) -> Fixture {
    let (outcome, reason) = outcome.split_once(' ').unwrap_or((outcome, ""));
    let is_told = AtomicBool::new(false);
    Fixture::answering(move |asked| {
        let mut status = before.clone();
        if asked.method == "POST" {
            is_told.store(true, Ordering::SeqCst);
        } else if is_told.load(Ordering::SeqCst) {
            // One pass was under way before the order came, and ends after it: it is not meant.
            for (pass, trigger, outcome) in [(13, "timer", "Failed"), (14, "order", outcome)] {
                let mut record = json!(status.history[0]);
                record["pass"] = json!(pass);
                record["triggers"] = json!([trigger]);
                record["startedAt"] = json!(if pass == 13 { ago(60) } else { ago(-1) });
                record["outcome"] = json!(outcome);
                record["written"] = json!(written);
                if !reason.is_empty() {
                    record["reason"] = json!(reason);
                }
                record["message"] = json!(format!("pass {pass} says so"));
                status.history.insert(0, serde_json::from_value(record).unwrap());
            }
        }
        ordinary(asked, &[status], &events("shop"))
    })
}

#[test]
fn reconcile_and_wait_ends_as_the_pass_does_that_was_asked_for() {
    for (outcome, written, exit) in [
        ("Synced", 0, 0),
        ("Applied", 2, 0),
        ("Pending", 0, 0),
        ("Pending Observed", 0, 0),
        ("Pending Suspended", 0, 5),
        ("Pending WindowClosed", 0, 5),
        ("Pending DeployFailed", 0, 1),
        ("Stopped", 0, 1),
        ("Blocked", 0, 5),
        ("Failed", 0, 1),
        ("Failed Denied", 0, 3),
        ("Failed", 1, 4),
        ("Unreadable", 0, 1),
        ("Otherwise", 0, 1),
    ] {
        let ran = reconciling(project("shop"), outcome, written).run("reconcile --wait");
        ran.says(exit, &[outcome.split(' ').next().unwrap(), "pass 14 says so"]);
    }
    let said = reconciling(project("shop"), "Synced", 0)
        .run("reconcile --wait -o json")
        .says(0, &[])
        .json();
    assert_eq!(said["pass"]["pass"], 14);
}

#[test]
fn a_pass_over_the_last_good_manifests_is_no_success() {
    let mut broken = project("shop");
    let finding = json!({ "severity": "error", "code": "c", "message": "m", "origin": null,
                          "hints": [] });
    broken.source.problem = serde_json::from_value(json!({
        "reason": "ManifestsInvalid", "message": "1 error", "hints": [], "diagnostics": [finding],
    }))
    .unwrap();
    reconciling(broken, "Synced", 0)
        .run("reconcile --wait")
        .says(65, &["Synced", "the newest manifests cannot be used"]);
}

#[test]
fn a_pass_that_does_not_end_in_time_is_said_to_be_still_to_come() {
    let machine = Fixture::keeping(vec![project("shop")], json!([]));
    machine.run("reconcile --wait --timeout 1s").says(6, &["has not ended yet"]);
    let two = Fixture::keeping(vec![project("shop"), project("blog")], json!([]));
    two.run("reconcile --wait").says(64, &["--project"]);
    assert_eq!(two.orders(), Vec::<String>::new());
}
