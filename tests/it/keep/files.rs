//! Manifests in a directory: saved, broken, mended, removed; and things moved behind the agent's
//! back.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::machine::{Agent, Machine, group, now, ready, ready_of, service, since};

/// How long a save may take to reach the platform here. Two seconds are meant; this is for a
/// busy machine.
const SAVE_TO_PLATFORM_MAX: Duration = Duration::from_secs(10);

/// Waits until a service has a port, and says how long that took.
#[track_caller]
#[expect(clippy::print_stdout, reason = "a measurement, for whoever runs it with --nocapture")]
fn until_port(agent: &Agent<'_>, name: &str, port: u16, how: &str) {
    let saved = now();
    agent.until("the port should change", |agent| {
        let service = agent.service(name)?;
        (service["port"] == port).then_some(())
    });
    let took = since(saved);
    println!("{how}: on the platform {} ms after the save", took.as_millis());
    assert!(took < SAVE_TO_PLATFORM_MAX, "{took:?}\n{}", agent.log());
}

#[test]
fn a_save_is_on_the_platform_within_seconds() {
    let (api, web) = (service("api", ""), service("web", ""));
    let machine = Machine::with(&[("api.yaml", &api), ("web.yaml", &web)]);
    let agent = machine.agent("--sandbox manifests/ --interval 1h");
    agent.until_synced();
    machine.write("manifests/api.yaml", &api.replace("8080", "8081"));
    until_port(&agent, "api", 8081, "written in place");
    machine.replace("manifests/web.yaml", &web.replace("8080", "8082"));
    until_port(&agent, "web", 8082, "replaced");
    machine.write("manifests/jobs.yaml", &service("jobs", ""));
    agent.until("a new file is a new service", |agent| agent.service("jobs"));
    let passes = agent.until_synced().history;
    assert!(passes.iter().all(|pass| pass.failed == 0), "{passes:#?}");
    agent.end();
}

#[test]
fn what_is_deleted_or_changed_behind_its_back_is_back_within_a_resync() {
    let machine = Machine::with(&[("all.yaml", &service("api", ""))]);
    machine.write("manifests/web.yaml", &service("web", ""));
    machine.prepare_with("state", &["api", "web"]);
    let agent = machine.agent("--sandbox manifests/ --interval 10s");
    agent.until_synced();
    let id = |service: &Value| service["id"].as_str().unwrap().to_owned();
    let (api, web) = (agent.service("api").unwrap(), agent.service("web").unwrap());
    let path = |service: &Value| format!("/services/{}", id(service));
    agent.platform_of("default", Method::DELETE, &path(&api), &Value::Null);
    agent.platform_of("default", Method::PATCH, &path(&web), &json!({ "port": 1 }));
    let again = agent.until("it should be back", |agent| agent.service("api"));
    assert_ne!(id(&again), id(&api));
    agent.until("the port should be back", |agent| {
        (agent.service("web")?["port"] == 8080).then_some(())
    });
    agent.until("both are told as drift", |agent| {
        let events = agent.events();
        let repaired = events.iter().filter(|event| event["reason"] == "DriftRepaired");
        (repaired.count() == 2).then_some(())
    });
    agent.until_synced();
    agent.end();
}

#[test]
fn an_observer_reports_what_moved_and_writes_nothing() {
    let machine = Machine::with(&[("api.yaml", &service("api", ""))]);
    machine.prepare_with("state", &["api"]);
    machine.run("adopt service/api --sandbox").says(0, &[]);
    let agent = machine.agent("--sandbox manifests/ --observe --interval 10s");
    let api = agent.until("it is there", |agent| agent.service("api"));
    let path = format!("/services/{}", api["id"].as_str().unwrap());
    agent.platform_of("default", Method::DELETE, &path, &Value::Null);
    let status = agent.until_ready_says("Observed");
    assert!(ready(&status).1.contains("--observe"), "{status:#?}");
    assert_eq!(status.pending.len(), 1);
    assert_eq!(agent.until_event("DriftDetected"), "it was deleted");
    assert_eq!(agent.service_names(), [""; 0]);
    agent.end();
}

#[test]
fn a_broken_manifest_deletes_nothing_and_is_shown_with_its_place_until_it_is_mended() {
    let (api, web) = (service("api", ""), service("web", ""));
    let machine = Machine::with(&[("api.yaml", &api), ("web.yaml", &web)]);
    let agent = machine.agent("--sandbox manifests/ --prune --interval 10s");
    agent.until_synced();
    let before = agent.services();
    machine.write("manifests/web.yaml", &web.replace("port: 8080", "prot: 8080"));
    let status = agent.until_ready_says("ManifestsInvalid");
    let problem = status.source.problem.unwrap();
    let place = "manifests/web.yaml:7:3";
    assert!(problem.message.contains(place), "{problem:#?}");
    let origin = problem.diagnostics[0].origin.as_ref().unwrap();
    assert_eq!((origin.line, origin.column), (7, Some(3)));
    assert!(agent.until_event("ManifestsInvalid").contains(place));
    machine
        .run("get --sandbox")
        .says(0, &["ManifestsInvalid", place, "service/api", "service/web"]);
    machine.run("events --sandbox").says(0, &["ManifestsInvalid", place]);
    machine.run("reconcile --sandbox --wait").says(65, &[place]);
    // A file that is gone in a state that cannot be used is no reason to delete.
    std::fs::remove_file(machine.path("manifests/api.yaml")).unwrap();
    machine.run("reconcile --sandbox --wait").says(65, &[place]);
    assert_eq!(agent.services(), before);
    machine.write("manifests/api.yaml", &api);
    machine.write("manifests/web.yaml", &web.replace("8080", "8081"));
    until_port(&agent, "web", 8081, "mended");
    assert!(agent.until_synced().source.problem.is_none());
    agent.until_event("SourceRecovered");
    agent.end();
}

#[test]
fn a_directory_that_vanishes_and_comes_back_is_heard_again() {
    let machine = Machine::with(&[("a.yaml", &group("first"))]);
    let agent = machine.agent("--sandbox manifests/ --prune --interval 1h");
    agent.until_synced();
    let groups = || {
        let list = agent.platform_of("default", Method::GET, "/envgroups", &Value::Null);
        list["total"].as_u64().unwrap()
    };
    std::fs::rename(machine.path("manifests"), machine.path("elsewhere")).unwrap();
    let status = agent.until("it says that the source is gone", |agent| {
        let status = agent.status();
        status.source.problem.is_some().then_some(status)
    });
    assert_eq!(ready(&status).0, "SourceUnreadable");
    assert_eq!(groups(), 1);
    std::fs::rename(machine.path("elsewhere"), machine.path("manifests")).unwrap();
    agent.until_synced();
    machine.write("manifests/b.yaml", &group("second"));
    agent.until("what comes later is heard, too", |_| (groups() == 2).then_some(()));
    agent.end();
}

#[test]
fn what_is_no_longer_declared_stays_and_waits_for_quiet_where_pruning_is_on() {
    for (flag, ready, reason) in
        [("", "Synced", "PruneOff"), ("--prune", "SourceShrinking", "SourceShrinking")]
    {
        let machine = Machine::with(&[("a.yaml", &service("api", "")), ("b.yaml", &group("env"))]);
        machine.write("manifests/c.yaml", &service("web", ""));
        let agent = machine.agent(&format!("--sandbox manifests/ {flag}"));
        agent.until_synced();
        std::fs::remove_file(machine.path("manifests/a.yaml")).unwrap();
        agent.until("it is said why it stays", |agent| {
            (ready_of(&agent.status(), "service/api") == reason).then_some(())
        });
        agent.until_ready_says(ready);
        assert_eq!(agent.services().len(), 2, "{flag}");
        agent.end();
    }
}
