//! Many projects in one process, what it says of its health, and one pass for cron.

use serde_json::Value;

use super::machine::{Machine, Ran, group, ready, service};
use super::served::Served;

#[test]
fn no_project_stops_or_delays_another() {
    let machine = Machine::new();
    let platform = Served::begin(&machine, "");
    machine.prepare("state/projects/shop");
    machine.prepare("state/projects/blog");
    machine.write("shop/a.yaml", &group("one"));
    machine.write("blog/a.yaml", &service("api", ""));
    machine.write("broken/a.yaml", "apiVersion: stackblaze.cloud/v1\nkind: Servise\n");
    machine.write("token", "sb_live_wrong");
    let settings = format!(
        "interval: 10s\nprojects:\n\
         - {{ name: shop, sandbox: true, paths: [shop] }}\n\
         - {{ name: blog, sandbox: true, paths: [blog] }}\n\
         - {{ name: broken, sandbox: true, paths: [broken] }}\n\
         - {{ name: denied, apiUrl: '{}', tokenFile: token, paths: [shop] }}\n",
        platform.url
    );
    machine.write("stoker.yaml", &settings);
    let agent = machine.agent("");
    let says = [
        ("shop", "Synced"),
        ("blog", "Synced"),
        ("broken", "ManifestsInvalid"),
        ("denied", "Unauthorized"),
    ];
    for (project, reason) in says {
        agent.until(&format!("{project} should say {reason}"), |agent| {
            (ready(&agent.status_of(project)).0 == reason).then_some(())
        });
    }
    // The two that are well go on.
    machine.write("shop/b.yaml", &group("two"));
    agent.until("a save is applied", |agent| {
        (agent.status_of("shop").synced.is_some() && agent.status_of("shop").resources.len() == 2)
            .then_some(())
    });
    assert_eq!(machine.get(&agent.url("/livez")).0, 200);
    assert_eq!(machine.get(&agent.url("/readyz")), (200, "ok\n".to_owned()));
    check_metrics(&machine.get(&agent.url("/metrics")).1);
    let socket = machine.path("state/projects/shop/sandbox/agent.sock");
    let at = format!("--agent unix:{}", socket.display());
    machine.run(&format!("get {at}")).says(0, &["shop", "blog", "broken", "denied"]);
    machine.run(&format!("get --project blog {at}")).says(0, &["service/api"]);
    // The same settings lead to the same agent.
    machine.run("get --project blog").says(0, &["service/api"]);
    machine.run("reconcile --wait --project shop").says(0, &[]);
    machine.run(&format!("reconcile {at}")).says(1, &["project"]);
    machine.run(&format!("reconcile --wait --project shop {at}")).says(0, &[]);
    agent.end();
}

/// Reads the exposition as one reads it who asks for no form.
#[track_caller]
fn check_metrics(text: &str) {
    assert!(text.starts_with("# HELP") && !text.contains("# EOF"), "{text}");
    let value = |line: &str| {
        let found = text.lines().find_map(|it| it.strip_prefix(line));
        found.map(|value| value.trim().parse::<f64>().unwrap())
    };
    assert_eq!(
        value(concat!(
            r#"stoker_resource_info{project="shop",kind="envgroup",name="one",ready="true","#,
            r#"sync="Synced",health="Healthy",reason="InSync"}"#
        )),
        Some(1.0),
        "{text}"
    );
    for line in [
        r#"stoker_reconcile_total{project="shop",result="Applied"}"#,
        r#"stoker_reconcile_total{project="denied",result="Unreadable"}"#,
        r#"stoker_last_success_timestamp_seconds{project="blog"}"#,
        r#"stoker_api_budget_remaining{project="shop"}"#,
    ] {
        assert!(value(line).is_some_and(|value| value > 0.0), "{line}:\n{text}");
    }
    assert_eq!(value(r#"stoker_last_success_timestamp_seconds{project="denied"}"#), None);
    assert!(!text.contains("sb_live"));
}

#[test]
fn one_pass_ends_with_the_code_of_what_became_of_it() {
    let machine = Machine::with(&[("a.yaml", &service("a", "")), ("b.yaml", &service("b", ""))]);
    let once = "run --once --sandbox manifests/ --prune";
    machine.run(once).says(0, &["default: 2 changes written"]);
    let status = machine.run(&format!("{once} -o json")).says(0, &[]).json();
    assert_eq!(status["projects"][0]["history"][0]["pass"], 1, "{status}");
    for command in ["run --once", "plan"] {
        let nowhere = format!("{command} --sandbox nowhere");
        machine.run(&nowhere).says(65, &["there is no such file or directory"]);
    }
    machine.run("run --once --sandbox --repo nowhere").says(1, &["nowhere"]);
    machine.write("manifests/a.yaml", "kind: [");
    machine.run(once).says(65, &["manifests/a.yaml:2:1: while parsing"]);
    // Both gone at once is more than the fuse lets through.
    std::fs::remove_file(machine.path("manifests/a.yaml")).unwrap();
    std::fs::remove_file(machine.path("manifests/b.yaml")).unwrap();
    machine.write("manifests/c.yaml", &group("other"));
    machine.run(once).says(5, &["blocked"]);
    machine.run("get --sandbox").says(0, &["service/a", "service/b"]);
    machine.run("run --once manifests/").says(3, &["there is no token", "STACKBLAZE_TOKEN"]);
    let platform = Served::begin(&machine, "");
    let mut denied = machine.command("run --once manifests/");
    denied.envs(platform.variables()).env("STACKBLAZE_TOKEN", "sb_live_wrong");
    Ran::of(denied).says(3, &["401"]);
    let mut unreachable = machine.command("run --once manifests/ --timeout 3s");
    unreachable
        .envs([("STACKBLAZE_TOKEN", "sb_live_x"), ("STACKBLAZE_API_URL", "http://127.0.0.1:9/v1")]);
    let ran = Ran::of(unreachable);
    assert!([1, 6].contains(&ran.exit), "{}", ran.stderr);
    // The worst of several is what cron sees.
    machine.write("good/a.yaml", &group("one"));
    let settings = "projects:\n- { name: good, sandbox: true, paths: [good] }\n\
                    - { name: bad, sandbox: true, paths: [bad] }\n";
    machine.write("bad/a.yaml", "kind: [");
    machine.write("stoker.yaml", settings);
    machine.run("run --once").says(65, &["good: 1 change", "bad/a.yaml"]);
}

#[test]
fn how_a_deployment_ended_is_said_once() {
    let machine = Machine::with(&[("a.yaml", &service("a", ""))]);
    machine.run("apply --sandbox manifests/ --auto-approve --wait").says(0, &[]);
    let ran = machine.run("deploy service/a --sandbox --wait").says(0, &["succeeded"]);
    assert_eq!(ran.stderr.matches("service/a: succeeded").count(), 1, "{}", ran.stderr);
}

#[test]
fn beyond_loopback_a_token_guards_all_but_health() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    machine.run("run --sandbox manifests/ --listen 0.0.0.0:0").says(64, &["token"]);
    machine.write("token", "a-token-of-more-than-sixteen-bytes\n");
    let agent = machine.agent("--sandbox manifests/ --agent-token-file token");
    agent.until("it is ready", |agent| (machine.get(&agent.url("/readyz")).0 == 200).then_some(()));
    for path in ["/", "/metrics", "/api/status", "/api/events"] {
        assert_eq!(machine.get(&agent.url(path)).0, 401, "{path}");
    }
    let get = |token: Option<&str>| {
        let mut command = machine.command_at("elsewhere", "get -o json");
        command.env("STOKER_AGENT", agent.url(""));
        if let Some(token) = token {
            command.env("STOKER_AGENT_TOKEN", token);
        }
        Ran::of(command)
    };
    get(None).says(3, &["STOKER_AGENT_TOKEN"]);
    get(Some("another-token-of-that-length")).says(3, &["agentTokenFile"]);
    let seen: Value = get(Some("a-token-of-more-than-sixteen-bytes")).says(0, &[]).json();
    assert!(seen.to_string().contains("envgroup/one"), "{seen}");
    agent.end();
}
