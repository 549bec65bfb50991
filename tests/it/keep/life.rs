//! The life of the process: signals, a second agent, an address that is taken, the service manager,
//! and a log for machines.

use std::collections::BTreeSet;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use stoker::status::Trigger;

use super::machine::{Agent, Machine, PATIENCE, Ran, group, now, ready, service, since};
use super::served::Served;

/// How long an orderly end may take (L3).
const ORDERLY_END_MAX: Duration = Duration::from_secs(10);

/// So many creates that a signal finds the pass at work.
const MANY: usize = 150;

fn many(count: usize) -> String {
    (0..count).map(|number| group(&format!("group-{number:03}"))).collect::<Vec<_>>().join("---\n")
}

/// Returns the names of all env groups that live; one that lives twice is there twice.
fn groups(agent: &Agent<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for page in 1.. {
        let path = format!("/envgroups?per_page=100&page={page}");
        let list = agent.platform_of("default", Method::GET, &path, &Value::Null);
        let groups = list["envgroups"].as_array().unwrap();
        names.extend(groups.iter().map(|group| group["name"].as_str().unwrap().to_owned()));
        if names.len() >= usize::try_from(list["total"].as_u64().unwrap()).unwrap() {
            break;
        }
    }
    names
}

#[test]
fn a_pass_that_is_told_to_end_is_carried_on_after_a_restart_and_makes_nothing_twice() {
    let machine = Machine::with(&[("all.yaml", &many(MANY))]);
    let agent = machine.agent("--sandbox manifests/ --interval 1h");
    agent.until("the pass is at work", |agent| (groups(agent).len() > 5).then_some(()));
    let told = now();
    let ended = agent.end();
    let took = since(told);
    println!("ended {} ms after SIGTERM, in the midst of a pass", took.as_millis());
    assert!(took < ORDERLY_END_MAX, "{took:?}\n{}", ended.log);
    let agent = machine.agent("--sandbox manifests/ --interval 1h");
    agent.until_synced();
    let names = groups(&agent);
    let distinct: BTreeSet<&String> = names.iter().collect();
    assert_eq!((names.len(), distinct.len()), (MANY, MANY));
    agent.end();
}

#[test]
fn a_pass_that_waits_for_budget_ends_when_it_is_told_to() {
    let machine = Machine::with(&[("all.yaml", &many(60))]);
    let agent = machine.agent("--sandbox manifests/ --rate 20/m --reserve 1/m");
    let spent = agent.until("nothing more is sent for a while", |agent| {
        let count = groups(agent).len();
        let begun = now();
        while count > 0 && groups(agent).len() == count {
            if since(begun) > Duration::from_secs(1) {
                return Some(count);
            }
        }
        None
    });
    assert!(spent < 60);
    let told = now();
    agent.end();
    assert!(since(told) < ORDERLY_END_MAX);
}

#[test]
fn a_hangup_takes_new_settings_and_a_broken_file_leaves_the_old_ones() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    machine.write("stoker.yaml", "sandbox: true\ninterval: 1h\n");
    let agent = machine.agent("");
    agent.until_synced();
    let before = agent.status();
    assert_eq!(before.interval_seconds, 3600);
    machine.write("stoker.yaml", "sandbox: true\ninterval: 20m\n");
    agent.signal("HUP");
    agent
        .until("the new interval", |agent| (agent.status().interval_seconds == 1200).then_some(()));
    let status = agent.until_synced();
    assert_eq!(status.started_at, before.started_at);
    let passes: Vec<u64> = status.history.iter().map(|record| record.pass).collect();
    let counted: Vec<u64> = (1..=passes[0]).rev().collect();
    assert_eq!(passes, counted, "they are counted on, and none is forgotten");
    assert!(passes[0] > before.history[0].pass);
    let numbers = agent.events().into_iter().map(|event| event["sequence"].as_u64().unwrap());
    let numbers: Vec<u64> = numbers.collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    let created = agent.events().into_iter().filter(|event| event["reason"] == "Created").count();
    assert_eq!(created, 1);
    machine.write("stoker.yaml", "sandbox: true\nintervall: 10m\n");
    agent.signal("HUP");
    agent.until("it says what is wrong, and where", |agent| {
        let log = agent.log();
        let is_said =
            log.contains("stoker.yaml:2:1") && log.contains("and the old ones stay in use");
        is_said.then_some(())
    });
    assert_eq!(agent.status().interval_seconds, 1200);
    machine.write("manifests/b.yaml", &group("two"));
    agent.until("it goes on", |agent| (groups(agent).len() == 2).then_some(()));
    agent.end();
}

#[test]
fn what_a_hangup_brought_stands_when_a_file_that_it_named_changes_later() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    machine.write("stoker.yaml", "sandbox: true\ninterval: 1h\n");
    machine.write("hook", "http://127.0.0.1:9/one\n");
    let agent = machine.agent("");
    agent.until_synced();
    let hooked = "notifications: [{ type: slack, urlFile: hook }]\n";
    machine.write("stoker.yaml", &format!("sandbox: true\ninterval: 20m\n{hooked}"));
    agent.signal("HUP");
    agent
        .until("the new interval", |agent| (agent.status().interval_seconds == 1200).then_some(()));
    let passes = agent.until_synced().history[0].pass;
    machine.write("hook", "http://127.0.0.1:9/two\n");
    let status = agent.until("it begins anew with the new secret", |agent| {
        let status = agent.status();
        let last = &status.history[0];
        (last.pass > passes && last.triggers.contains(&Trigger::Signal)).then_some(status)
    });
    assert_eq!(status.interval_seconds, 1200);
    agent.end();
}

#[test]
fn a_hangup_reads_the_token_again() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    let platform = Served::begin(&machine, "");
    machine.write("token", "sb_live_wrong\n");
    let settings = format!(
        "apiUrl: {}\nprojects:\n  - {{ name: shop, tokenFile: token, paths: [manifests] }}\n",
        platform.url
    );
    machine.write("stoker.yaml", &settings);
    let agent = machine.agent("");
    agent.until("the token was refused", |agent| {
        (ready(&agent.status_of("shop")).0 == "Unauthorized").then_some(())
    });
    machine.write("token", "sb_live_emulator\n");
    agent.signal("HUP");
    agent.until("the new token is used", |agent| {
        (ready(&agent.status_of("shop")).0 == "Synced").then_some(())
    });
    std::fs::remove_file(machine.path("token")).unwrap();
    agent.signal("HUP");
    agent.until("it goes on with what it has", |agent| {
        agent.log().contains("it continues with its old settings").then_some(())
    });
    machine.write("manifests/b.yaml", &group("two"));
    agent.until("the old token serves", |agent| {
        let status = agent.status_of("shop");
        (status.resources.len() == 2 && ready(&status).0 == "Synced").then_some(())
    });
    agent.end();
}

#[test]
fn a_second_agent_and_a_taken_address_are_refused_with_what_to_do() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    let agent = machine.agent("--sandbox manifests/");
    agent.until_synced();
    let second = "run --sandbox manifests/ --listen 127.0.0.1:0";
    machine.run(second).says(1, &["the sandbox is in use by another run", "hint: "]);
    let rollback = "rollback service/api --sandbox --auto-approve";
    machine.run(rollback).says(1, &["in use by another run", "STACKBLAZE_API_URL"]);
    let platform = Served::begin(&machine, "");
    let real = machine.agent_with("manifests/", &platform.variables());
    real.until_synced();
    let mut second = machine.command("run manifests/ --listen 127.0.0.1:0");
    second.envs(platform.variables());
    Ran::of(second).says(1, &["another agent uses the state directory", "hint: "]);
    // Its address is another's.
    let taken = real.url("").rsplit('/').next().unwrap().to_owned();
    let run = format!("run --sandbox manifests/ --listen {taken}");
    Ran::of(machine.command_at("other", &run)).says(1, &[&taken, "in use", "hint: "]);
    assert_eq!(real.status().resources.len(), 1, "the first goes on");
    real.end();
    agent.end();
    // An orderly end leaves nothing in the way, and neither does a death.
    let agent = machine.agent("--sandbox manifests/");
    agent.until_synced();
    agent.signal("KILL");
    drop(agent);
    machine.agent("--sandbox manifests/").until_synced();
}

#[test]
fn the_service_manager_hears_of_readiness_life_reloading_and_the_end() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    let place = machine.path("notify");
    let socket = UnixDatagram::bind(&place).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let place = place.display().to_string();
    let variables = [("NOTIFY_SOCKET", place.as_str()), ("WATCHDOG_USEC", "600000")];
    let agent = machine.agent_with("--sandbox manifests/", &variables);
    let hear = |word: &str| {
        let (begun, mut bytes) = (now(), [0; 1_000]);
        loop {
            let length = socket.recv(&mut bytes).unwrap();
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if text.contains(word) {
                return text;
            }
            assert!(since(begun) < PATIENCE, "{word} is not said");
        }
    };
    hear("READY=1");
    hear("STATUS=1 project, 1 as declared");
    hear("WATCHDOG=1");
    hear("WATCHDOG=1");
    agent.signal("HUP");
    assert!(hear("RELOADING=1").contains("MONOTONIC_USEC="));
    hear("READY=1");
    hear("WATCHDOG=1");
    agent.signal("TERM");
    hear("STOPPING=1");
    assert_eq!(agent.ended().exit, 143);
}

#[test]
fn a_log_for_machines_is_one_document_a_line_that_names_project_and_pass() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    machine.write("manifests/b.yaml", &service("api", ""));
    let agent = machine.agent("--sandbox manifests/ --log-format json -v");
    agent.until_synced();
    machine.write("manifests/b.yaml", "kind: [");
    agent.until_ready_says("ManifestsInvalid");
    machine.write("stoker.yaml", "wrong: true\n");
    agent.signal("HUP");
    agent.until("the reload is in the log", |agent| {
        agent.log().contains("and the old ones stay in use").then_some(())
    });
    let log = agent.end().log;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    // Of two equal keys a parser takes the last, and hides the first.
    assert!(log.lines().all(|line| line.matches("\"message\":").count() == 1), "{log}");
    let spans = |line: &Value| line["spans"].as_array().cloned().unwrap_or_default();
    let is_of_project = |line: &Value| spans(line).iter().any(|span| span["project"] == "default");
    let is_of_pass = |line: &Value| spans(line).iter().any(|span| span["pass"] == 1);
    assert!(lines.iter().any(|line| is_of_project(line) && is_of_pass(line)), "{log}");
    let message = |line: &Value| line["fields"]["message"].as_str().unwrap_or_default().to_owned();
    let ended = lines.iter().find(|line| message(line).starts_with("a pass ended: 2 changes"));
    assert!(ended.is_some_and(|line| line["fields"]["pass"] == 1), "{log}");
    let finding = lines.iter().find(|line| line["fields"]["code"] == "unknown-key").unwrap();
    assert_eq!(
        (&finding["fields"]["file"], &finding["fields"]["line"]),
        (&json!("stoker.yaml"), &json!(1))
    );
}
