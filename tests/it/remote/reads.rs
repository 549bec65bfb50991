//! What is read from an agent: that nothing else is asked, and what is said when it is no agent.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use stoker::status::{ConditionReason, Mode, Problem};

use super::fixture::{Asked, Fixture, Ran, ago, document, events, ordinary, project};

fn shop() -> Fixture {
    Fixture::keeping(vec![project("shop")], events("shop"))
}

#[test]
fn get_asks_the_agent_and_neither_a_token_nor_the_platform_is_needed() {
    let machine = shop();
    insta::assert_snapshot!(machine.run("get").whole());
    let listed = machine.run("get service/api -o json").says(0, &[]).json();
    assert_eq!(listed["formatVersion"], "1.0");
    assert_eq!(listed["resources"].as_array().unwrap().len(), 1);
    assert_eq!(listed["resources"][0]["owned"], "created");
    assert_eq!(listed["projects"][0]["resources"][0]["key"], "service/api");
    let lines = machine.run("get -o ndjson").says(0, &[]).stdout;
    let reasons = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let reasons: Vec<Value> = reasons.map(|row| row["reason"].clone()).collect();
    assert_eq!(reasons, ["Synced", "DeployFailed"]);
    machine.run("get -o yaml").says(0, &["formatVersion: '1.0'", "key: service/web"]);
}

#[test]
fn broken_manifests_and_what_holds_an_agent_back_stand_in_the_first_lines() {
    let mut status = project("shop");
    status.mode = Mode::Observe;
    status.source.problem = Some(Problem {
        reason: ConditionReason::ManifestsInvalid,
        message: "1 error".to_owned(),
        hints: Vec::new(),
        diagnostics: serde_json::from_value(json!([{
            "severity": "error", "code": "wrong-type", "message": "`port` must be a number",
            "origin": { "file": "manifests/api.yaml", "line": 7 }, "hints": [],
        }]))
        .unwrap(),
    });
    let ran = Fixture::keeping(vec![status], json!([])).run("get");
    ran.says(0, &["never writes", "manifests/api.yaml:7  error[wrong-type]", "stays in force"]);
}

#[test]
fn describe_shows_conditions_what_is_pending_the_failed_deployment_and_what_happened() {
    let machine = shop();
    let ran = machine.run("describe service/web");
    for (heading, word) in [
        ("conditions", "it failed 3 times"),
        ("pending", "6 -> 10"),
        ("deployment", "npm ERR! missing script: start"),
        ("passes", "#12"),
        ("events", "the deployment failed"),
    ] {
        let section = ran.stdout.split(&format!("\n{heading}\n")).nth(1);
        assert!(section.is_some_and(|text| text.contains(word)), "{heading}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("it was created"), "an event of another resource is shown");
    let shown = machine.run("describe service/web -o json").says(0, &[]).json();
    assert_eq!(shown["key"], "service/web");
    assert_eq!(shown["pending"]["fields"][0]["after"], 10);
    assert_eq!(shown["events"].as_array().unwrap().len(), 1);
}

#[test]
fn a_name_the_agent_does_not_know_is_met_with_the_nearest_one() {
    let machine = shop();
    for command in ["get service/apii", "describe service/apii", "wait service/apii"] {
        let ran = machine.run(command);
        ran.says(1, &["there is no service/apii", "did you mean service/api?", "--live"]);
    }
}

#[test]
fn where_several_projects_are_kept_one_is_named() {
    let machine = Fixture::keeping(vec![project("shop"), project("blog")], events("shop"));
    machine.run("get").says(0, &["shop: ", "blog: "]);
    machine.run("describe service/api").says(64, &["shop, blog", "--project"]);
    let ran = machine.run("describe service/api --project blog").says(0, &["blog"]);
    assert!(!ran.stdout.contains("shop\n"), "{}", ran.stdout);
    machine.run("get --project blgo").says(1, &["it does not manage a project `blgo`"]);
    machine.run("events").says(0, &["shop service/api"]);
}

#[test]
fn events_are_those_asked_for() {
    let machine = shop();
    machine.run("events").says(0, &["Created", "DeployFailed"]);
    let recent = machine.run("events --since 1h -o json").says(0, &[]).json();
    assert_eq!(recent["events"].as_array().unwrap().len(), 1);
    assert_eq!(recent["events"][0]["project"], "shop");
    let of_api = machine.run("events service/api").says(0, &["Created"]);
    assert_eq!(of_api.stdout.lines().count(), 1);
    machine.run("events database/main").says(1, &["there is no database/main"]);
}

#[test]
fn following_goes_on_after_a_break_and_shows_nothing_twice() {
    // Each connection tells one more event and breaks off.
    let told = AtomicUsize::new(1);
    let event = |number: usize| {
        let at = ago(100).checked_add(Duration::from_secs(number as u64)).unwrap();
        json!({ "project": "shop", "sequence": number, "at": at, "severity": "Normal",
                "reason": format!("Event{number}"), "message": "" })
    };
    let known: Vec<Value> = (0..100).map(event).collect();
    let machine = Fixture::answering(move |asked: &Asked| {
        if asked.accept == "text/event-stream" {
            told.fetch_add(1, Ordering::SeqCst);
        }
        let known = json!(known[..told.load(Ordering::SeqCst).min(100)]);
        ordinary(asked, &[project("shop")], &known)
    });
    let mut command = machine.command(&["events", "--follow", "-o", "ndjson"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines: Vec<String> = lines.take(4).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let sequences = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let sequences: Vec<_> = sequences.map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, [0, 1, 2, 3]);
}

#[test]
fn without_an_agent_the_platform_is_asked_and_what_only_an_agent_knows_is_refused() {
    let machine = Fixture::without_agent();
    machine.run("get").says(3, &["there is no token"]);
    machine.run("get --sandbox").says(0, &["There are no resources"]);
    for command in ["events", "events -f", "wait service/api --for=condition=Drifted"] {
        let ran = machine.run(command);
        ran.says(1, &["no agent is running", "state/agent.sock", "`stoker run` starts one"]);
    }
    let failed = machine.run("events -o json").says(1, &[]).json();
    assert_eq!(failed["error"]["code"], "no_agent");
}

#[test]
fn a_socket_nobody_listens_at_is_said_and_passed_over() {
    let machine = Fixture::without_agent();
    drop(std::os::unix::net::UnixListener::bind(machine.socket()).unwrap());
    assert!(machine.socket().exists());
    machine.run("get --sandbox").says(0, &["There are no resources"]);
    machine.run("get").says(3, &["nothing answers at state/agent.sock any more", "no token"]);
    machine.run("resume").says(1, &["failed to reach an agent", "`stoker run`"]);
}

#[test]
fn live_asks_the_platform_although_an_agent_runs() {
    let machine = shop();
    for command in ["get --live", "describe service/api --live", "wait service/api --live"] {
        machine.run(command).says(3, &["there is no token"]);
    }
}

#[test]
fn what_is_no_agent_of_ours_is_explained_and_never_obeyed() {
    let check = |status: u16, form: &'static str, body: &str| -> Ran {
        let body = body.to_owned();
        Fixture::answering(move |asked| {
            assert_ne!(asked.path, "/api/elsewhere", "a redirect was followed");
            (status, form, body.clone())
        })
        .run("get")
    };
    let newer = r#"{"formatVersion":"2.0","projects":"otherwise"}"#;
    check(200, "application/json", newer).says(1, &["it has format 2.0", "--live"]);
    check(200, "text/html", "<html>").says(1, &["understand the answer"]);
    check(302, "text/plain", "").says(1, &["it said 302"]);
    check(500, "text/plain", "oh").says(1, &["it said 500"]);
    let huge = format!(r#"{{"formatVersion":"1.0","x":"{}"}}"#, "x".repeat(70 * 1024 * 1024));
    check(200, "application/json", &huge).says(1, &["larger than"]);
    let mut unknown = document(&[project("shop")]);
    unknown["formatVersion"] = json!("1.9");
    unknown["projects"][0]["new"] = json!({ "of": ["a", "later", "version"] });
    check(200, "application/json", &unknown.to_string()).says(0, &["service/api"]);
}

#[test]
fn a_token_guards_an_address_and_is_shown_nowhere() {
    let machine = Fixture::without_agent();
    let url = machine.on_a_port(|asked| match asked.bearer.as_deref() {
        Some("Bearer canary") => ordinary(asked, &[project("shop")], &json!([])),
        _ => (401, "application/json", r#"{"error":{"code":"a","message":"no"}}"#.to_owned()),
    });
    let run = |variables: &[(&str, &str)]| {
        let mut command = machine.command(&["get", "-vv"]);
        command.env("STOKER_AGENT", &url).envs(variables.iter().copied());
        let ran = Ran::of(command);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("canary"), "{}", ran.stderr);
        ran
    };
    run(&[]).says(3, &["sign in", "STOKER_AGENT_TOKEN"]);
    run(&[("STOKER_AGENT_TOKEN", "wrong")]).says(3, &["sign in"]);
    run(&[("STOKER_AGENT_TOKEN", "canary")]).says(0, &["service/api"]);
    let file = machine.directory.path().join("token");
    std::fs::write(&file, "canary\n").unwrap();
    run(&[("STOKER_AGENT_TOKEN_FILE", file.to_str().unwrap())]).says(0, &["service/api"]);
    run(&[("STOKER_AGENT_TOKEN", "cana ry")])
        .says(3, &["the variable STOKER_AGENT_TOKEN contains a space"]);
    machine.run("get --agent http://agent.dev").says(64, &["use https"]);
    machine.run("get --agent http://127.0.0.1:1").says(1, &["failed to reach an agent"]);
}

#[test]
fn nothing_an_agent_says_moves_the_cursor() {
    let hostile = "\u{1b}[2J\u{202e}x\r\ny";
    let mut status = project("shop");
    status.name = hostile.to_owned();
    status.source.location = hostile.to_owned();
    status.resources[0].health = Some(hostile.to_owned());
    let mut told = events("shop");
    told[0]["message"] = json!(hostile);
    told[0]["project"] = json!(hostile);
    let machine = Fixture::keeping(vec![status], told);
    for command in ["get", "get -o json", "describe service/api", "events", "events -o ndjson"] {
        let ran = machine.run(command).says(0, &[]);
        assert!(ran.stdout.contains("[2J"), "{command}: {}", ran.stdout);
        assert!(!ran.stdout.contains(['\u{1b}', '\u{202e}', '\r']), "{command}: {:?}", ran.stdout);
    }
}

#[test]
fn waiting_looks_at_the_agents_conditions_and_ends_as_they_do() {
    let looks = AtomicUsize::new(0);
    let machine = Fixture::answering(move |asked| {
        let mut status = project("shop");
        let first = looks.fetch_add(1, Ordering::SeqCst) == 0;
        if first {
            let conditions = json!([super::fixture::condition("Ready", "False", "Deploying", "")]);
            status.resources[0].conditions = serde_json::from_value(conditions).unwrap();
        }
        ordinary(asked, &[status], &json!([]))
    });
    machine.run("wait service/api").says(0, &["Deploying", "service/api is ready"]);
    machine.run("wait service/web").says(1, &["will not become ready", "it failed 3 times"]);
    machine.run("wait service/web --for=condition=Stalled").says(0, &["Stalled=True"]);
    let late = machine.run("wait service/api --for=condition=Drifted --timeout 1s");
    late.says(6, &["the time ran out before service/api was Drifted=True", "--timeout"]);
    machine
        .run("wait service/api --for=condition=Good")
        .says(64, &["unknown condition `condition=Good`"]);
}

#[test]
fn why_joins_manifests_memory_and_the_agent_and_works_without_one() {
    let machine = shop();
    let manifest = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {name: api}\n\
        spec:\n  type: web\n  image: nginx\n  envVars: [{key: STRIPE_KEY, value: canary}]\n";
    std::fs::write(machine.directory.path().join("api.yaml"), manifest).unwrap();
    let ran = machine.run("why service/api api.yaml");
    let ran = ran.says(0, &["api.yaml:6", "it is at 3f2a1bc9d0", "Synced", "it was created"]);
    assert!(!ran.stdout.contains("canary"), "{}", ran.stdout);
    machine.run("why service/apu api.yaml").says(1, &["did you mean service/api?"]);
    machine.run("why service/api.imagee api.yaml").says(1, &["did you mean service/api.image?"]);
    std::fs::remove_file(machine.socket()).unwrap();
    let alone = machine.run("why service/api.image api.yaml -o json").says(0, &[]).json();
    assert_eq!(alone["fields"][0]["origin"]["line"], 6);
    assert_eq!(alone["fields"][0]["standing"], "never");
    assert_eq!(alone["condition"], Value::Null);
}

#[test]
fn get_takes_labels_short_kinds_and_prints_names() {
    let mut status = project("shop");
    let mut resources: Vec<_> = status.resources.iter().cloned().collect();
    resources[0].labels.insert("tier".to_owned(), "api".to_owned());
    status.resources = resources.into();
    let machine = Fixture::keeping(vec![status], events("shop"));
    let names = |arguments: &str| machine.run(arguments).says(0, &[]).stdout;
    assert_eq!(names("get -o name"), "service/api\nservice/web\n");
    assert_eq!(names("get svc -l tier=api -o name"), "service/api\n");
    assert_eq!(names("get -l tier!=api -o name"), "service/web\n");
    let listed = machine.run("get -l tier=api -o json").says(0, &[]).json();
    assert_eq!(listed["resources"].as_array().unwrap().len(), 1);
    assert_eq!(listed["resources"][0]["labels"]["tier"], "api");
    machine.run("get -l tier").says(64, &["KEY in (VALUE,VALUE)"]);
    machine.run("plan -o name").says(64, &["`stoker plan` cannot print `name`"]);
}

#[test]
fn a_watched_resource_is_shown_again_when_it_changes_and_not_before() {
    let asked = std::sync::Arc::new(AtomicUsize::new(0));
    let machine = Fixture::answering(move |it: &Asked| {
        let mut status = project("shop");
        if it.path == "/api/status" && asked.fetch_add(1, Ordering::SeqCst) >= 2 {
            let mut resources: Vec<_> = status.resources.iter().cloned().collect();
            resources[0].replicas = Some(3);
            status.resources = resources.into();
        }
        // The times of a status are of the moment; a test's do not move.
        ordinary(it, &[status], &json!([]))
    });
    let mut command = machine.command(&["get", "service/api", "--watch", "-o", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let replicas = |row: &Value| row["replicas"].as_u64();
    let first = next();
    assert_eq!((first["name"].as_str(), replicas(&first)), (Some("api"), Some(2)));
    while replicas(&next()) != Some(3) {}
    child.kill().unwrap();
    child.wait().unwrap();
    let ran = Fixture::without_agent().run("get --watch");
    ran.says(1, &["only a running agent can be watched"]);
}
