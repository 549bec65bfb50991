//! The commands that ask and steer a running agent, against one that really runs.

use serde_json::{Value, json};

use super::machine::{Machine, Ran, Request, group, ready, service};

#[test]
fn what_it_knows_is_read_at_its_socket_and_at_its_address() {
    let machine = Machine::with(&[("api.yaml", &service("api", "")), ("env.yaml", &group("env"))]);
    let agent = machine.agent("--sandbox manifests/");
    agent.until_synced();
    let at_socket = "--sandbox".to_owned();
    let at_address = format!("--agent {}", agent.url(""));
    for at in [&at_socket, &at_address] {
        machine.run(&format!("get {at}")).says(0, &["service/api", "envgroup/env", "Synced"]);
        let ran = machine.run(&format!("get services {at} -o json")).says(0, &[]).json();
        assert!(ran.to_string().contains("service/api"), "{ran}");
        let ran = machine.run(&format!("describe service/api {at}"));
        ran.says(0, &["manifests/api.yaml:1", "InSync", "Created"]);
        machine.run(&format!("events {at}")).says(0, &["Created", "Synced", "envgroup/env"]);
        let ran = machine.run(&format!("why service/api.port manifests/ {at}"));
        ran.says(0, &["8080", "manifests/api.yaml:7"]);
        let ran = machine.run(&format!("why service/api nowhere {at}"));
        ran.says(65, &["the agent reads the manifests of default from manifests"]);
        let ran = machine.run(&format!("wait service/api --for=condition=Ready {at}"));
        ran.says(0, &["service/api"]);
        machine.run(&format!("describe service/apii {at}")).says(1, &["service/api"]);
    }
    agent.end();
}

#[test]
fn orders_are_taken_at_the_socket_and_refused_at_the_address() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    let agent = machine.agent("--sandbox manifests/ --interval 1h");
    agent.until_synced();
    let passes = agent.status().history.len();
    machine.run("reconcile --wait --sandbox").says(0, &["Synced"]);
    assert_eq!(agent.status().history.len(), passes + 1);
    for order in ["reconcile", "resume", "unpin", "pin 0123456789"] {
        let ran = machine.run(&format!("{order} --agent {}", agent.url("")));
        ran.says(64, &["takes orders only at its socket"]);
        let word = order.split(' ').next().unwrap();
        let url = agent.url(&format!("/api/orders/{word}"));
        let (method, headers) = (reqwest::Method::POST, [("content-type", "application/json")]);
        let request = Request { method, url: &url, headers: &headers, body: b"{}" };
        let (code, body) = machine.ask(request);
        assert!([403, 404, 405].contains(&code), "{code} {body}");
    }
    assert_eq!(agent.status().history.len(), passes + 1);
    machine.run("pin 0123456789 --sandbox").says(1, &["have no commits"]);
    machine.run("reconcile service/none --sandbox").says(1, &["service/none"]);
    machine.run("reconcile envgroup/onee --sandbox").says(1, &["did you mean envgroup/one?"]);
    machine.run("events envgroup/onee --sandbox").says(1, &["did you mean envgroup/one?"]);
    for command in
        ["get", "events", "describe envgroup/one", "suspend --reason r --until 1h", "resume"]
    {
        let ran = machine.run(&format!("{command} --project defualt --sandbox"));
        ran.says(1, &["did you mean default?"]);
    }
    agent.end();
}

#[test]
fn suspended_it_looks_and_reports_over_a_restart_until_it_is_resumed() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    let agent = machine.agent("--sandbox manifests/ --interval 1h");
    agent.until_synced();
    let mut suspend = machine.command("suspend --sandbox --until 2h");
    suspend.args(["--reason", "a migration"]);
    Ran::of(suspend).says(0, &["a migration"]);
    machine.write("manifests/b.yaml", &group("two"));
    let check = |status: &stoker::status::ProjectStatus| {
        assert!(ready(status).1.contains("a migration"), "{status:#?}");
        let pending: Vec<Value> =
            status.pending.iter().map(|it| json!(it)["key"].clone()).collect();
        assert_eq!(pending, ["envgroup/two"]);
    };
    check(&agent.until_ready_says("Suspended"));
    machine.run("get --sandbox").says(0, &["suspended", "a migration"]);
    machine.run("reconcile --wait --sandbox").says(5, &["a migration"]);
    agent.end();
    // Who makes the pass makes no difference to how it ends.
    machine.run("run --once --sandbox manifests/").says(5, &["a migration"]);
    let agent = machine.agent("--sandbox manifests/ --interval 1h");
    check(&agent.until_ready_says("Suspended"));
    machine.run("resume --sandbox").says(0, &["it writes again"]);
    assert_eq!(agent.until_synced().resources.len(), 2);
    machine.run("resume --sandbox").says(1, &["not suspended"]);
    agent.end();
}

#[test]
fn one_pass_that_may_not_write_ends_by_why_it_may_not() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    let once = "run --once --sandbox manifests/";
    machine.run(&format!("{once} --observe")).says(0, &["1 change pending", "it only observes"]);
    // One minute of the 29th of February.
    let windows = "windows: [ { kind: allow, schedule: '0 0 29 2 *', duration: 1m } ]";
    machine.write("stoker.yaml", windows);
    machine.run(once).says(5, &["1 change pending", "the sync window is closed"]);
    machine.run(&format!("{once} --observe")).says(0, &["it only observes"]);
    std::fs::remove_file(machine.path("stoker.yaml")).unwrap();
    machine.run(once).says(0, &["1 change written"]);
}
