//! Every switch of the configuration: what changes when an assumption is false.

use serde_json::{Value, json};

use super::{Stage, web};
use crate::emulator::*;

#[test]
fn pages_have_the_size_that_is_asked_for_where_the_server_listens() {
    let list = |paging: Paging, query: &str| {
        let stage = Stage::with(|config| config.paging = paging);
        for number in 0..5 {
            stage.service(&format!("s{number}"));
        }
        stage.names(&format!("/services{query}"))
    };
    let paging = || Paging { size: 2, size_max: 3, per_page: true };
    assert_eq!(list(paging(), ""), "s0 s1");
    assert_eq!(list(paging(), "?page=3"), "s4");
    assert_eq!(list(paging(), "?page=4"), "");
    assert_eq!(list(paging(), "?per_page=100"), "s0 s1 s2");
    assert_eq!(list(paging(), "?page=2&per_page=1"), "s1");
    assert_eq!(list(Paging { per_page: false, ..paging() }, "?per_page=100"), "s0 s1");
    let stage = Stage::new();
    for query in ["page=0", "page=-1", "page=x", "per_page=0"] {
        let request = format!("GET /services?{query}");
        stage.check(&request, Value::Null, "400 invalid_parameters");
    }
}

#[test]
fn lists_and_details_show_what_they_are_told_to() {
    let stage = Stage::with(|config| {
        config.list_fields = Shapes { services: Fields::All, ..Shapes::every(Fields::Summary) };
        config.detail_fields = Shapes::every(Fields::Summary);
    });
    let id = stage.service("web");
    stage.create("/databases", json!({"name": "main", "type": "redis"}));
    stage.create("/envgroups", json!({"name": "shared"}));
    assert_eq!(stage.get("/services")["services"][0]["branch"], "main");
    assert_eq!(stage.get(&format!("/services/{id}")).as_object().unwrap().len(), 7);
    assert_eq!(stage.get("/databases")["databases"][0].get("plan"), None);
    assert_eq!(stage.get("/envgroups")["envgroups"][0].get("env_vars"), None);
}

#[test]
fn one_object_may_come_in_a_wrapper() {
    let stage = Stage::with(|config| config.wrapped = true);
    let (_, created) = stage.ask("POST /services", web("web"));
    assert_eq!(created["service"]["name"], "web");
    let (_, database) = stage.ask("POST /databases", json!({"name": "main", "type": "redis"}));
    assert_eq!(database["database"]["type"], "valkey");
    assert_eq!(stage.get("/project")["project"]["name"], "emulator");
    let id = created["service"]["id"].as_str().unwrap();
    let deployments = stage.get(&format!("/services/{id}/deployments"));
    assert!(deployments["deployments"].is_array());
}

#[test]
fn env_vars_may_replace_instead_of_merge() {
    let keys = |env_patch| {
        let stage = Stage::with(|config| config.env_patch = env_patch);
        let id = stage.service("web");
        for key in ["A", "B"] {
            let patch = json!({"env_vars": [{"key": key, "value": "1"}]});
            stage.check(&format!("PATCH /services/{id}"), patch, "200");
        }
        stage.get(&format!("/services/{id}"))["env_vars"].as_array().unwrap().len()
    };
    assert_eq!((keys(EnvPatch::Merge), keys(EnvPatch::Replace)), (2, 1));
}

#[test]
fn a_patch_may_not_deploy_by_itself() {
    let stage = Stage::with(|config| config.deploy_after_patch = true);
    let id = stage.service("web");
    stage.wait(21_000);
    stage.check(&format!("PATCH /services/{id}"), json!({"branch": "next"}), "200");
    assert_eq!(stage.get(&format!("/services/{id}/deployments"))["total"], 1);
}

#[test]
fn names_are_unique_or_not() {
    let stage = Stage::new();
    stage.service("web");
    stage.check("POST /services", web("web"), "409 service_name_taken");
    stage.create("/databases", json!({"name": "web", "type": "redis"}));
    let stage = Stage::with(|config| config.names_unique = false);
    assert_ne!(stage.service("web"), stage.service("web"));
}

#[test]
fn types_have_the_words_of_the_dialect() {
    let words = TypeNames { web: "web".into(), ..TypeNames::default() };
    let stage = Stage::with(|config| config.type_names = words);
    stage.check("POST /services", web("a"), "400 invalid_parameters");
    stage.check("POST /services", json!({"name": "a", "type": "web"}), "201");
}

#[test]
fn env_groups_are_named_by_id_or_by_name() {
    let stage = Stage::with(|config| config.env_groups = GroupNaming::Name);
    let id = stage.create("/envgroups", json!({"name": "shared"}));
    let attach = |group: &str| json!({"name": group, "type": "web_service", "env_groups": [group]});
    stage.check("POST /services", attach(&id), "400 unknown_env_group");
    stage.check("POST /services", attach("shared"), "201");
}

#[test]
fn references_may_be_left_to_the_agent() {
    let body = json!({"name": "web", "type": "web_service", "env_vars": [
        {"key": "D", "from_database": {"name": "main", "property": "connection_string"}},
    ]});
    for (resolver, expected) in
        [(Resolver::Platform, "201"), (Resolver::Agent, "400 references_not_supported")]
    {
        let stage = Stage::with(|config| config.resolve_references = resolver);
        stage.create("/databases", json!({"name": "main", "type": "postgres"}));
        stage.check("POST /services", body.clone(), expected);
    }
}

#[test]
fn what_is_deleted_slowly_shows_it_and_cannot_be_changed() {
    let stage =
        Stage::with(|config| config.deletion = DeletionMode::Gradual { gone_after_ms: 10_000 });
    let service = format!("/services/{}", stage.service("web"));
    let database = stage.create("/databases", json!({"name": "main", "type": "redis"}));
    let database = format!("/databases/{database}");
    for path in [&service, &database] {
        stage.check(&format!("DELETE {path}"), Value::Null, "202");
        assert_eq!(stage.get(path)["status"], "deleting");
    }
    stage.check(&format!("PATCH {service}"), json!({}), "409 service_deleting");
    stage.check("POST /services", web("web"), "409 service_name_taken");
    stage.wait(5_000);
    stage.check(&format!("DELETE {service}"), Value::Null, "202");
    stage.wait(5_000);
    stage.check(&format!("GET {service}"), Value::Null, "404 service_not_found");
    stage.check(&format!("GET {database}"), Value::Null, "404 database_not_found");
    assert_eq!(stage.emulator.record().deletes(Kind::Service, "web"), 1);
    stage.check("POST /services", web("web"), "201");
}

#[test]
fn a_rename_is_honoured_ignored_or_refused() {
    for (rename, expected, name) in [
        (Rename::Honoured, "200", "new"),
        (Rename::Ignored, "200", "old"),
        (Rename::Refused, "400 invalid_parameters", "old"),
    ] {
        let stage = Stage::with(|config| config.rename = rename);
        let id = stage.service("old");
        stage.check(&format!("PATCH /services/{id}"), json!({"name": "new"}), expected);
        stage.check(&format!("PATCH /services/{id}"), json!({"name": name}), "200");
        assert_eq!(stage.names("/services"), name);
    }
}

#[test]
fn the_platform_rewrites_what_it_is_told_to() {
    for (normalises, expected) in [
        (Normalises::Nothing, json!(["Main", "https://git.example/a/", [" A.Example"], "mysql"])),
        (Normalises::Types, json!(["Main", "https://git.example/a/", [" A.Example"], "mariadb"])),
        (
            Normalises::Everything,
            json!(["main", "https://git.example/a", ["a.example"], "mariadb"]),
        ),
    ] {
        let stage = Stage::with(|config| config.normalises = normalises);
        let (_, service) = stage.ask(
            "POST /services",
            json!({
                "name": "web", "type": "web_service", "branch": "Main",
                "repo": "https://git.example/a/", "domains": [" A.Example"],
            }),
        );
        let (_, database) = stage.ask("POST /databases", json!({"name": "a", "type": "mysql"}));
        let shown =
            json!([service["branch"], service["repo"], service["domains"], database["type"]]);
        assert_eq!(shown, expected);
    }
}

#[test]
fn an_unknown_field_is_remembered_or_refused() {
    let mut body = web("web");
    body["colour"] = json!("red");
    let stage = Stage::new();
    stage.check("POST /services", body.clone(), "201");
    let record = stage.emulator.record();
    assert_eq!(record.requests().last().unwrap().1.ignored, ["colour"]);
    let stage = Stage::with(|config| config.unknown_fields = UnknownFields::Refuse);
    stage.check("POST /services", body, "400 invalid_parameters");
    let database = json!({"name": "a", "type": "redis", "colour": 1});
    stage.check("POST /databases", database, "400 invalid_parameters");
    let group = json!({"name": "a", "colour": 1});
    stage.check("POST /envgroups", group, "400 invalid_parameters");
}

#[test]
fn a_quota_blocks_creation_and_nothing_else() {
    let quotas = Quotas { services: Some(1), status: 403, ..Quotas::default() };
    let stage = Stage::with(|config| config.quotas = quotas);
    let id = stage.service("a");
    stage.check("POST /services", web("b"), "403 quota_exceeded");
    stage.check(&format!("PATCH /services/{id}"), json!({"branch": "next"}), "200");
    stage.check("POST /envgroups", json!({"name": "a"}), "201");
}

#[test]
fn a_project_may_have_no_id() {
    let project =
        ProjectConfig { id: None, name: "shop".into(), region: None, plan: Some("team".into()) };
    let stage = Stage::with(|config| config.project = project);
    assert_eq!(stage.get("/project"), json!({"name": "shop", "plan": "team"}));
}

#[test]
fn logs_may_be_text() {
    let stage = Stage::with(|config| {
        config.deployment_logs = DeploymentLogs::Text;
        config.log_events = LogEvents::Plain;
    });
    let path = format!("/services/{}/deployments", stage.service("web"));
    let id = stage.get(&path)["deployments"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(stage.get(&format!("{path}/{id}"))["logs"], "queued");
}

#[test]
fn the_other_generation_answers_in_its_own_form() {
    let stage = Stage::with(|config| config.generation = Generation::Second);
    let (status, answer) = stage.ask("GET /services", Value::Null);
    assert_eq!(status, 404);
    let expected =
        json!({"statusCode": 404, "message": "Cannot GET /v1/services", "error": "Not Found"});
    assert_eq!(answer, expected);
}

#[test]
fn a_scheduled_service_must_keep_its_schedule() {
    let stage = Stage::new();
    let body = json!({"name": "nightly", "type": "cron_job", "schedule": "0 3 * * *"});
    let id = stage.create("/services", body);
    let patch = json!({"schedule": null});
    stage.check(&format!("PATCH /services/{id}"), patch, "400 invalid_parameters");
    assert_eq!(stage.get("/services")["services"][0]["url"], Value::Null);
}

#[test]
fn a_token_may_read_or_write_each_type_of_resource() {
    let stage = Stage::with(|config| {
        let access = config.tokens.get_mut(TOKEN).unwrap();
        access.services = Permission::Read;
        access.databases = Permission::None;
        access.project = Permission::None;
    });
    stage.check("GET /services", Value::Null, "200");
    stage.check("POST /services", web("web"), "403 forbidden");
    stage.check("GET /databases", Value::Null, "403 forbidden");
    stage.check("GET /project/members", Value::Null, "403 forbidden");
    stage.check("POST /envgroups", json!({"name": "a"}), "201");
}

#[test]
fn a_developer_may_not_delete() {
    let stage = Stage::with(|config| config.tokens.get_mut(TOKEN).unwrap().may_delete = false);
    let id = stage.service("web");
    stage.check(&format!("PATCH /services/{id}"), json!({"branch": "next"}), "200");
    stage.check(&format!("DELETE /services/{id}"), Value::Null, "403 forbidden");
}

#[test]
fn a_configuration_reads_back_and_refuses_what_it_does_not_know() {
    let config = EmulatorConfig::default();
    let written = serde_json::to_value(&config).unwrap();
    assert_eq!(serde_json::from_value::<EmulatorConfig>(written).unwrap(), config);
    assert_eq!(serde_json::from_value::<EmulatorConfig>(json!({})).unwrap(), config);
    assert!(serde_json::from_value::<EmulatorConfig>(json!({"colour": "red"})).is_err());
}
