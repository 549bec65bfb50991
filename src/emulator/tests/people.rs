//! What people and other systems do, what the record says of it, and what is saved.

use serde_json::{Value, json};

use super::{Stage, web};
use crate::emulator::*;

fn act(stage: &Stage, act: Act) -> Option<String> {
    stage.emulator.act(&act).unwrap()
}

#[test]
fn a_person_creates_changes_renames_and_deletes() {
    let stage = Stage::new();
    for (kind, body, path) in [
        (Kind::Service, web("one"), "/services"),
        (Kind::Database, json!({"name": "one", "type": "redis"}), "/databases"),
        (Kind::EnvGroup, json!({"name": "one"}), "/envgroups"),
    ] {
        let id = act(&stage, Act::Create { kind, body }).unwrap();
        act(&stage, Act::Rename { kind, id: id.clone(), name: "two".into() });
        assert_eq!(stage.names(path), "two");
        assert_eq!(stage.emulator.ids(kind, "two"), std::slice::from_ref(&id));
        act(&stage, Act::Delete { kind, id });
        assert_eq!(stage.names(path), "");
        let record = stage.emulator.record();
        assert_eq!((record.creates(kind, "one"), record.deletes(kind, "two")), (0, 0));
    }
}

#[test]
fn a_person_sets_and_unsets_what_a_service_has() {
    let stage = Stage::new();
    let id = stage.service("web");
    let set = |field: &str, value: Option<Value>| Act::SetField {
        id: id.clone(),
        field: field.into(),
        value,
    };
    act(&stage, set("branch", Some(json!("hotfix"))));
    assert_eq!(stage.get(&format!("/services/{id}"))["branch"], "hotfix");
    act(&stage, set("branch", None));
    assert_eq!(stage.get(&format!("/services/{id}")).get("branch"), None);
    assert_eq!(stage.emulator.act(&set("colour", None)), Err("there is no field colour".into()));
    act(&stage, Act::Autoscale { id: id.clone(), replicas: 7 });
    assert_eq!(stage.get("/services")["services"][0]["replicas"], 7);
}

#[test]
fn a_changed_env_group_deploys_what_it_is_attached_to() {
    let stage = Stage::new();
    let group = stage.create("/envgroups", json!({"name": "shared"}));
    let mut body = web("web");
    body["env_groups"] = json!([group]);
    let (user, other) = (stage.create("/services", body), stage.service("other"));
    let value = Some("1".to_owned());
    act(&stage, Act::SetVariable { kind: Kind::EnvGroup, id: group, key: "A".into(), value });
    let deployments = |id: &str| stage.get(&format!("/services/{id}/deployments"))["total"].clone();
    assert_eq!((deployments(&user), deployments(&other)), (json!(2), json!(1)));
    let value = Some("1".to_owned());
    let id = other.clone();
    act(&stage, Act::SetVariable { kind: Kind::Service, id, key: "A".into(), value });
    assert_eq!(deployments(&other), 2);
}

#[test]
fn the_next_deployment_fails_as_it_is_told_and_only_that_one() {
    let stage = Stage::new();
    let id = stage.service("web");
    stage.wait(21_000);
    act(&stage, Act::FailNext { id: id.clone(), log: vec!["error: no such file".into()] });
    let deploy = format!("POST /services/{id}/deploy");
    let (_, answer) = stage.ask(&deploy, json!({}));
    stage.wait(21_000);
    assert_eq!(stage.get("/services")["services"][0]["status"], "failed");
    let deployment = answer["deployment_id"].as_str().unwrap();
    let shown = stage.get(&format!("/services/{id}/deployments/{deployment}"));
    assert_eq!(
        (&shown["status"], &shown["logs"][2]),
        (&json!("failed"), &json!("error: no such file"))
    );
    act(&stage, Act::Rollback { id: id.clone() });
    stage.wait(21_000);
    assert_eq!(stage.get("/services")["services"][0]["status"], "running");
}

#[test]
fn a_token_is_limited_and_revoked_and_a_quota_set() {
    let stage = Stage::new();
    act(&stage, Act::Quota { kind: Kind::Service, most: Some(0) });
    stage.check("POST /services", web("web"), "402 quota_exceeded");
    let access = Access { services: Permission::None, ..Access::default() };
    act(&stage, Act::Limit { token: TOKEN.into(), access: Some(access) });
    stage.check("GET /services", Value::Null, "403 forbidden");
    let access = Access { may_read_details: false, ..Access::default() };
    act(&stage, Act::Limit { token: TOKEN.into(), access: Some(access) });
    stage.check("GET /services", Value::Null, "200");
    stage.check("GET /services/svc_1", Value::Null, "403 forbidden");
    act(&stage, Act::Limit { token: TOKEN.into(), access: None });
    stage.check("GET /services", Value::Null, "401 unauthorized");
}

#[test]
fn a_clock_that_went_back_tells_an_earlier_time_of_what_is_newer() {
    let stage = Stage::new();
    let (first, _) = (stage.service("first"), stage.wait(60_000));
    act(&stage, Act::SetClock { off_ms: -3_600_000 });
    let second = stage.service("second");
    let created = |id: &str| {
        let things = stage.emulator.truth(Kind::Service);
        let thing = things.iter().find(|thing| thing["id"] == *id).unwrap();
        thing["created_at"].as_str().unwrap().to_owned()
    };
    assert!(created(&second) < created(&first));
    // What takes its time takes no longer: the first one runs meanwhile.
    let things = stage.emulator.truth(Kind::Service);
    assert_eq!(things[0]["status"], "running");
}

#[test]
fn the_record_tells_who_did_what_and_no_token() {
    let stage = Stage::new();
    let id = stage.service("web");
    stage.wait(5);
    act(&stage, Act::Delete { kind: Kind::Service, id: id.clone() });
    let record = stage.emulator.record();
    let told: Vec<_> = record.entries().map(|one| (one.actor.as_str(), &one.effects[0])).collect();
    let effect = |verb| Mutation { verb, kind: Kind::Service, id: id.clone(), name: "web".into() };
    assert_eq!(told, [("agent", &effect(Verb::Created)), ("person", &effect(Verb::Deleted))]);
    assert_eq!((record.creates(Kind::Service, "web"), record.writes()), (1, 1));
    assert!(!serde_json::to_string(&record).unwrap().contains(TOKEN));
}

#[test]
fn what_is_saved_goes_on_as_though_nothing_had_happened() {
    let stage = Stage::new();
    stage.play("seed=3,rate=0.3; apply-late:60000@POST /databases");
    for number in 0..20 {
        stage.send("POST /services", &web(&format!("s{number}")));
    }
    stage.send("POST /databases", &json!({"name": "main", "type": "redis"}));
    let saved = stage.emulator.save();
    let now = stage.now();
    let restored = Emulator::restore(&saved, std::sync::Arc::new(move || now + 60_000)).unwrap();
    assert_eq!(restored.save(), saved);
    stage.wait(60_000);
    assert_eq!(restored.truth(Kind::Database).len(), 1);
    assert_eq!(restored.truth(Kind::Service), stage.emulator.truth(Kind::Service));
    stage.emulator.truth(Kind::Database);
    assert_eq!(restored.save(), stage.emulator.save());
    let wrong = Emulator::restore(&json!({"version": 2}), std::sync::Arc::new(|| 0));
    assert_eq!(wrong.unwrap_err(), "the saved emulator is not of version 1");
}

#[test]
fn a_dialect_may_change_while_it_runs() {
    let stage = Stage::new();
    stage.service("web");
    stage.emulator.reconfigure(|config| config.names_unique = false);
    stage.service("web");
    assert_eq!(stage.emulator.ids(Kind::Service, "web").len(), 2);
}
