//! What each of the nineteen endpoints answers in the default dialect (F4–F7, A1–A17).

use serde_json::{Value, json};

use super::{Stage, web};
use crate::emulator::Kind;
use crate::emulator::answer::{Disposition, HttpReply};
use crate::emulator::world::Payload;

#[test]
fn a_list_looks_as_the_vendor_shows_it() {
    let stage = Stage::new();
    let id = stage.service("my-api");
    stage.wait(60_000);
    assert_eq!(
        stage.get("/services").to_string(),
        json!({
            "services": [{
                "id": id,
                "name": "my-api",
                "type": "web_service",
                "status": "running",
                "url": "https://my-api.stackblaze.app",
                "replicas": 1,
                "created_at": "2026-01-15T10:30:00Z",
            }],
            "total": 1,
            "page": 1,
        })
        .to_string()
    );
}

#[test]
fn a_created_service_shows_its_settings_and_deploys() {
    let stage = Stage::new();
    let mut body = web("web");
    body["scaling"] = json!({"min_instances": 2, "max_instances": 4});
    body["env_vars"] = json!([{"key": "A", "value": "1"}]);
    let id = stage.create("/services", body);
    let shown = stage.get(&format!("/services/{id}"));
    assert_eq!(shown["status"], "deploying");
    assert_eq!(shown["replicas"], 2);
    assert_eq!(shown["plan"], "starter");
    assert_eq!(shown["env_vars"], json!([{"key": "A", "value": "1", "secret": false}]));
    stage.wait(21_000);
    assert_eq!(stage.get(&format!("/services/{id}"))["status"], "running");
}

#[test]
fn a_body_that_makes_no_sense_is_refused() {
    let stage = Stage::new();
    for (body, expected) in [
        (Value::Null, "400 invalid_json"),
        (json!([]), "400 invalid_parameters"),
        (json!({"type": "web_service"}), "400 invalid_parameters"),
        (json!({"name": "", "type": "web_service"}), "400 invalid_parameters"),
        (json!({"name": "a"}), "400 invalid_parameters"),
        (json!({"name": "a", "type": "web"}), "400 invalid_parameters"),
        (json!({"name": "a", "type": "cron_job"}), "400 invalid_parameters"),
        (json!({"name": "a", "type": "web_service", "port": "80"}), "400 invalid_parameters"),
        (
            json!({"name": "a", "type": "web_service", "env_groups": ["evg_0"]}),
            "400 unknown_env_group",
        ),
        (
            json!({"name": "a", "type": "web_service", "env_vars": [
                {"key": "D", "from_database": {"name": "main", "property": "connection_string"}},
            ]}),
            "400 unknown_database",
        ),
        (
            json!({"name": "a", "type": "web_service", "env_vars": [
                {"key": "D", "from_service": {"name": "api", "property": "url"}},
            ]}),
            "400 unknown_service",
        ),
        (
            json!({"name": "a", "type": "web_service",
                "scaling": {"min_instances": 3, "max_instances": 2}}),
            "400 invalid_parameters",
        ),
    ] {
        stage.check("POST /services", body, expected);
    }
    assert!(stage.emulator.truth(Kind::Service).is_empty());
    let odd_runtime = json!({"name": "a", "type": "web_service", "runtime": "cobol"});
    stage.check("POST /services", odd_runtime, "201");
}

#[test]
fn a_patch_merges_and_deploys_only_what_runs_differently() {
    let stage = Stage::new();
    let id = stage.service("web");
    let path = format!("/services/{id}");
    stage.wait(60_000);
    let deployments = || stage.get(&format!("{path}/deployments"))["total"].clone();
    for (patch, expected) in [
        (json!({"branch": "main"}), 1),
        (json!({"auto_deploy": false, "domains": ["a.example"]}), 1),
        (json!({"start_command": "run"}), 2),
        (json!({"env_vars": [{"key": "A", "value": "1"}]}), 3),
        (json!({"env_vars": [{"key": "A", "value": "1"}]}), 3),
        (json!({"env_vars": [{"key": "A", "value": null}]}), 4),
        (json!({"start_command": null}), 5),
    ] {
        stage.check(&format!("PATCH {path}"), patch.clone(), "200");
        assert_eq!(deployments(), expected, "{patch}");
    }
    let shown = stage.get(&path);
    assert_eq!(shown["domains"], json!(["a.example"]));
    assert_eq!(shown.get("start_command"), None);
}

#[test]
fn a_disk_only_grows() {
    let stage = Stage::new();
    let id = stage.service("web");
    let patch = |disk: Value, expected: &str| {
        stage.check(&format!("PATCH /services/{id}"), json!({"disk": disk}), expected);
    };
    patch(json!({"mount_path": "/data", "size_gb": 10}), "200");
    patch(json!({"size_gb": 20}), "200");
    patch(json!({"size_gb": 19}), "400 disk_cannot_shrink");
    patch(Value::Null, "400 disk_cannot_shrink");
    assert_eq!(stage.get(&format!("/services/{id}"))["disk"]["size_gb"], 20);
}

#[test]
fn what_is_deleted_is_gone() {
    let stage = Stage::new();
    let (service, database) = (
        stage.service("web"),
        stage.create("/databases", json!({"name": "main", "type": "postgres"})),
    );
    stage.check(&format!("DELETE /services/{service}"), Value::Null, "204");
    stage.check(&format!("DELETE /databases/{database}"), Value::Null, "204");
    for method in ["GET", "DELETE"] {
        stage.check(&format!("{method} /services/{service}"), Value::Null, "404 service_not_found");
        let expected = "404 database_not_found";
        stage.check(&format!("{method} /databases/{database}"), Value::Null, expected);
    }
    stage.check(&format!("PATCH /services/{service}"), json!({}), "404 service_not_found");
}

#[test]
fn a_deploy_by_hand_waits_for_none_and_stands_in_the_way_of_the_next() {
    let stage = Stage::new();
    let deploy = format!("POST /services/{}/deploy", stage.service("web"));
    stage.check(&deploy, json!({}), "409 deploy_in_progress");
    stage.wait(21_000);
    let (status, answer) = stage.ask(&deploy, json!({"branch": "next", "clear_cache": false}));
    assert_eq!(status, 202);
    assert_eq!((&answer["status"], &answer["branch"]), (&json!("queued"), &json!("next")));
    assert_eq!(answer["created_at"], "2026-01-15T10:30:21Z");
    stage.wait(21_000);
    stage.check(&deploy, Value::Null, "202");
    stage.check(&deploy, json!({"clear_cache": 1}), "400 invalid_parameters");
}

#[test]
fn a_rollback_deploys_what_ran_before() {
    let stage = Stage::new();
    let path = format!("/services/{}", stage.service("web"));
    stage.wait(21_000);
    let rollback = format!("POST {path}/rollback");
    stage.check(&rollback, Value::Null, "409 no_previous_deployment");
    stage.check(&format!("POST {path}/deploy"), json!({"branch": "bad"}), "202");
    stage.check(&rollback, Value::Null, "409 deploy_in_progress");
    stage.wait(21_000);
    stage.check(&rollback, Value::Null, "202");
    let list = stage.get(&format!("{path}/deployments"));
    let commits: Vec<&Value> =
        list["deployments"].as_array().unwrap().iter().map(|one| &one["commit"]).collect();
    assert_eq!(commits.len(), 3);
    assert_eq!(commits[0], commits[2]);
    assert_ne!(commits[0], commits[1]);
}

#[test]
fn the_details_of_a_deployment_hold_its_log() {
    let stage = Stage::new();
    let path = format!("/services/{}/deployments", stage.service("web"));
    let id = stage.get(&path)["deployments"][0]["id"].as_str().unwrap().to_owned();
    stage.wait(21_000);
    let shown = stage.get(&format!("{path}/{id}"));
    assert_eq!(shown["status"], "succeeded");
    assert_eq!(shown["finished_at"], "2026-01-15T10:30:21Z");
    assert_eq!(shown["logs"][3], "live");
    stage.check(&format!("GET {path}/dep_0"), Value::Null, "404 deployment_not_found");
}

#[test]
fn a_log_begins_with_its_last_lines() {
    let stage = Stage::new();
    let id = stage.service("web");
    stage.wait(21_000);
    let logs =
        |query: &str| match stage.send(&format!("GET /services/{id}/logs{query}"), &json!({})) {
            Disposition::Answer(HttpReply { payload: Payload::Logs(logs), .. }) => logs,
            outcome => panic!("{outcome:?}"),
        };
    assert_eq!(logs("").past.len(), 4);
    assert_eq!(logs("").interval_ms, Some(1_000));
    assert_eq!(logs("?tail=1&follow=false").past[0].message, "live");
    assert_eq!(logs("?follow=false").interval_ms, None);
    let wrong = format!("GET /services/{id}/logs?tail=-1");
    stage.check(&wrong, Value::Null, "400 invalid_parameters");
}

#[test]
fn metrics_hold_numbers_and_series_and_do_not_change_within_a_minute() {
    let stage = Stage::new();
    let path = format!("/services/{}/metrics", stage.service("web"));
    let first = stage.get(&path);
    assert!(first["cpu_percent"].as_u64().unwrap() < 100);
    assert_eq!(first["series"]["memory_mb"].as_array().unwrap().len(), 10);
    stage.wait(59_999);
    assert_eq!(stage.get(&path), first);
    stage.wait(1);
    assert_ne!(stage.get(&path), first);
}

#[test]
fn a_database_becomes_available_and_then_says_how_to_reach_it() {
    let stage = Stage::new();
    let id =
        stage.create("/databases", json!({"name": "main", "type": "postgres", "version": "17"}));
    let path = format!("/databases/{id}");
    let young = stage.get(&path);
    assert_eq!((&young["status"], &young["type"]), (&json!("creating"), &json!("postgresql")));
    assert_eq!(young.get("connection_string"), None);
    stage.wait(30_000);
    let ready = stage.get(&path);
    assert_eq!((&ready["status"], &ready["version"]), (&json!("available"), &json!("17")));
    assert!(ready["connection_string"].as_str().unwrap().starts_with("postgresql://main:"));
    stage.check(&format!("PATCH {path}"), json!({}), "405 method_not_allowed");
    let unknown = json!({"name": "b", "type": "oracle"});
    stage.check("POST /databases", unknown, "400 invalid_parameters");
}

#[test]
fn an_env_group_is_created_and_listed_and_nothing_else() {
    let stage = Stage::new();
    let variables = json!([{"key": "S", "value": "hunter2", "secret": true}]);
    let id = stage.create("/envgroups", json!({"name": "shared", "env_vars": variables}));
    let masked = json!([{"key": "S", "value": "********", "secret": true}]);
    assert_eq!(stage.get("/envgroups")["envgroups"][0]["env_vars"], masked);
    for method in ["GET", "PATCH", "DELETE"] {
        stage.check(&format!("{method} /envgroups/{id}"), json!({}), "404 not_found");
    }
    let mut body = web("web");
    body["env_groups"] = json!([id]);
    stage.check("POST /services", body, "201");
}

#[test]
fn the_project_and_its_members_are_told() {
    let stage = Stage::new();
    let expected = json!({
        "id": "prj_emulator", "name": "emulator", "region": "eu-central", "plan": "team",
    });
    assert_eq!(stage.get("/project"), expected);
    let members = stage.get("/project/members");
    assert_eq!((&members["total"], &members["members"][0]["name"]), (&json!(1), &json!("Ada")));
}

#[test]
fn what_is_no_endpoint_is_refused() {
    let stage = Stage::new();
    stage.check("GET /nothing", Value::Null, "404 not_found");
    stage.check("GET /services/", Value::Null, "404 not_found");
    stage.check("GET /services/%2e%2e%2fproject", Value::Null, "404 service_not_found");
    match stage.send("PUT /services", &json!({})) {
        Disposition::Answer(HttpReply { status: 405, headers, .. }) => {
            assert!(headers.contains(&("allow", "GET, POST".into())));
        }
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn every_error_has_the_form_of_the_reference() {
    let stage = Stage::new();
    let (_, answer) = stage.ask("GET /services/svc_xyz", Value::Null);
    assert!(answer["error"]["request_id"].as_str().unwrap().starts_with("req_"));
    assert_eq!(answer["error"]["message"], "No service with ID svc_xyz exists in this project");
    assert_eq!(answer["error"]["status"], 404);
    for token in [None, Some("sb_live_other")] {
        match stage.send_as(token, "GET /services", &Value::Null) {
            Disposition::Answer(HttpReply { status, .. }) => assert_eq!(status, 401),
            outcome => panic!("{outcome:?}"),
        }
    }
}

#[test]
fn no_request_makes_the_server_fall() {
    let stage = Stage::with(|config| config.limit = u32::MAX);
    let id = stage.service("web");
    stage.play("seed=5,shift-vanish=0.3,shift-repeat=0.3,apply-late:18446744073709551615=0.3");
    let most = usize::MAX;
    let paths = [
        format!("/services?page={most}&per_page={most}"),
        format!("/services?page={most}"),
        "/services?page=%".into(),
        "/services/%ff%00%2f?%=%&&=".into(),
        format!("/services/{id}/logs?tail={most}"),
        format!("/services/{id}/deployments?page=2"),
        format!("/services/{id}"),
        "/".into(),
        String::new(),
    ];
    let bodies = [
        Value::Null,
        json!(1e300),
        json!({"name": "\u{202e}\u{0}", "type": "web_service", "port": 1e300}),
        json!({"env_vars": [[]], "scaling": {"min_instances": -1}}),
        json!({"disk": {"size_gb": 1.0}, "env_groups": [null], "name": null}),
    ];
    for method in ["GET", "POST", "PATCH", "DELETE", "HEAD"] {
        for path in &paths {
            for body in &bodies {
                stage.send(&format!("{method} {path}"), body);
                stage.wait(1);
            }
        }
    }
    assert_eq!(stage.emulator.record().requests().count(), 1 + 5 * 9 * 5);
}
