//! What leaves when something is written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::model::{
    EnvKey, FieldPath, FieldValue, Fingerprint, Kind, Name, Pin, Project, Reference, RemoteId,
    Secret, SecretOrigin,
};

fn id(text: &str) -> RemoteId {
    RemoteId::new(text).unwrap()
}

fn text(text: &str) -> FieldValue {
    FieldValue::Text(text.to_owned())
}

fn secret(value: &str) -> FieldValue {
    let fingerprint = Fingerprint::new("mark".to_owned());
    Secret::new(value.into(), fingerprint, SecretOrigin::Given).into()
}

fn reference() -> FieldValue {
    let name = Name::new("main").unwrap();
    let property = "connectionString".to_owned();
    Reference { kind: Kind::Database, name, property, env_key: None }.into()
}

fn fields(fields: Vec<(&str, FieldValue)>) -> BTreeMap<FieldPath, FieldValue> {
    fields.into_iter().map(|(path, value)| (path.parse().unwrap(), value)).collect()
}

fn links() -> Links {
    Links {
        env_groups: BTreeMap::from([(Name::new("shared").unwrap(), id("evg_1"))]),
        databases: BTreeMap::from([(Name::new("main").unwrap(), id("db_1"))]),
        services: BTreeMap::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_sends_every_field_under_the_apis_name() {
    let (client, script) = client([status(201, service("svc_1", "api"))]);
    let fields = fields(vec![
        ("type", text("web")),
        ("port", FieldValue::Integer(3000)),
        ("autoDeploy", FieldValue::Boolean(true)),
        ("scaling.minInstances", FieldValue::Integer(1)),
        ("scaling.maxInstances", FieldValue::Integer(3)),
        ("disk.sizeGB", FieldValue::Integer(10)),
        ("envGroups", FieldValue::Set(["shared".to_owned()].into())),
        ("envVars.PLAIN", text("1")),
        ("envVars.KEY", secret("hush")),
        ("envVars.URL", reference()),
    ]);
    let name = Name::new("api").unwrap();
    let (writer, links, answers) = (writer(&client), links(), Answers::default());
    let draft = draft(Kind::Service, &name, &fields, &links, &answers);
    let made = writer.create(leave(&writer, &client).await, draft, &|| Ok(())).await.unwrap();
    assert_eq!(made.id, id("svc_1"));
    assert_eq!(
        script.body(0),
        json!({"name": "api", "type": "web_service", "port": 3000,
        "scaling": {"min_instances": 1, "max_instances": 3}, "disk": {"size_gb": 10},
        "auto_deploy": true, "env_groups": ["evg_1"],
        "env_vars": [
            {"key": "KEY", "value": "hush", "secret": true},
            {"key": "PLAIN", "value": "1", "secret": false},
            {"key": "URL", "from_database": {"name": "main", "property": "connectionString"}},
        ]})
    );
}

async fn patch(
    dialect: &[&str],
    changes: Vec<(&str, Option<FieldValue>)>,
    env_whole: Option<&BTreeMap<EnvKey, FieldValue>>,
) -> Result<Value, String> {
    let replies = [ok(service("svc_1", "api"))];
    let (client, script) = speaking(dialect, replies);
    let changes = changes.into_iter().map(|(path, value)| (path.parse().unwrap(), value)).collect();
    let links = links();
    let answers = Answers::default();
    let patch = Patch { changes: &changes, env_whole, links: &links, answers: &answers };
    let writer = writer(&client);
    match writer.patch(leave(&writer, &client).await, &id("svc_1"), patch).await {
        Ok(_) => Ok(script.body(0)),
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_patch_holds_only_what_changes_and_null_for_what_goes() {
    let changes = vec![
        ("schedule", None),
        ("scaling.maxInstances", Some(FieldValue::Integer(5))),
        ("envVars.OLD", None),
        ("envVars.NEW", Some(text(""))),
    ];
    let body = json!({"schedule": null, "scaling": {"max_instances": 5}, "env_vars": [
        {"key": "NEW", "value": "", "secret": false}, {"key": "OLD", "value": null}]});
    assert_eq!(patch(&[], changes, None).await, Ok(body));
    let body = json!({"service": {"port": 80}});
    let changes = vec![("port", Some(FieldValue::Integer(80)))];
    assert_eq!(patch(&["wrapper=true"], changes, None).await, Ok(body));
}

#[tokio::test(start_paused = true)]
async fn a_patch_that_shows_nothing_afterwards_is_done_and_not_sent_again() {
    let changes = BTreeMap::from([("port".parse().unwrap(), Some(FieldValue::Integer(80)))]);
    let links = links();
    let answers = Answers::default();
    let patch = Patch { changes: &changes, env_whole: None, links: &links, answers: &answers };
    for answer in ["", "{}", "{\"ok\":true}", "{\"service\":{}}"] {
        let (client, script) = client([Reply::Head(200, json_type(), answer.into())]);
        let writer = writer(&client);
        let leave = leave(&writer, &client).await;
        assert_eq!(writer.patch(leave, &id("svc_1"), patch).await.unwrap(), None, "{answer}");
        assert_eq!(script.asked().len(), 1, "{answer}");
    }
    for answer in ["{\"id\":\"svc_2\",\"name\":\"api\"}", "{\"id\":\"\"}", "{\"ok\":tr", "[]", "ok"]
    {
        let (client, _) = client([Reply::Head(200, json_type(), answer.into())]);
        let writer = writer(&client);
        let leave = leave(&writer, &client).await;
        let error = writer.patch(leave, &id("svc_1"), patch).await.unwrap_err();
        assert!(matches!(error, WriteError::Ambiguous(_)), "{answer}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_list_of_variables_is_replaced_all_of_them_are_sent_or_nothing() {
    let replace = ["env_patch=replace"];
    let changes = || vec![("envVars.OLD", None), ("port", Some(FieldValue::Integer(80)))];
    let kept = BTreeMap::from([(EnvKey::new("KEPT").unwrap(), text("1"))]);
    let body = json!({"port": 80,
        "env_vars": [{"key": "KEPT", "value": "1", "secret": false}]});
    assert_eq!(patch(&replace, changes(), Some(&kept)).await, Ok(body));
    let body = json!({"port": 80, "env_vars": []});
    assert_eq!(patch(&replace, changes(), Some(&BTreeMap::new())).await, Ok(body));
    let refused = patch(&replace, changes(), None).await.unwrap_err();
    assert!(refused.contains("not all are known"), "{refused}");
    let body = json!({"port": 80});
    let changes = vec![("port", Some(FieldValue::Integer(80)))];
    assert_eq!(patch(&replace, changes, None).await, Ok(body));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_not_known_yet_stops_the_write_before_it_leaves() {
    let groups = FieldValue::Set(["other".to_owned()].into());
    let refused = patch(&[], vec![("envGroups", Some(groups.clone()))], None).await.unwrap_err();
    assert_eq!(refused, "update service svc_1: the id of env group `other` is not known yet");
    let body = json!({"env_groups": ["other"]});
    let changes = vec![("envGroups", Some(groups))];
    assert_eq!(patch(&["env_groups=name"], changes, None).await, Ok(body));
}

#[tokio::test(start_paused = true)]
async fn the_agent_resolves_references_where_the_platform_does_not() {
    let agent = ["resolve_references=agent"];
    let database = json!({"id": "db_1", "name": "main", "connection_string": "postgres://x"});
    let (client, script) = speaking(&agent, [ok(database), ok(service("svc_1", "api"))]);
    let changes = BTreeMap::from([("envVars.URL".parse().unwrap(), Some(reference()))]);
    let links = links();
    let speaker = writer(&client);
    let answers = speaker.resolve("update", changes.values().flatten(), &links).await.unwrap();
    let patch = Patch { changes: &changes, env_whole: None, links: &links, answers: &answers };
    let now = leave(&speaker, &client).await;
    speaker.patch(now, &id("svc_1"), patch).await.unwrap();
    assert_eq!(script.asked(), ["GET /v1/databases/db_1", "PATCH /v1/services/svc_1"]);
    let entry = json!({"key": "URL", "value": "postgres://x", "secret": true});
    assert_eq!(script.body(1), json!({ "env_vars": [entry] }));
    let masked = json!({"id": "db_1", "name": "main", "connection_string": "********"});
    let (client, script) = speaking(&agent, [ok(masked)]);
    let speaker = writer(&client);
    let resolved = speaker.resolve("update", changes.values().flatten(), &links).await;
    let error = resolved.unwrap_err();
    assert!(matches!(error, WriteError::NotApplied(_)), "{error:?}");
    assert_eq!(script.asked().len(), 1, "the write did not leave");
}

#[tokio::test(start_paused = true)]
async fn a_deploy_in_progress_is_a_reason_to_wait() {
    let codes = ["deploy_in_progress", "name_taken", "no_previous_deployment"];
    let (client, _) = client(codes.map(|code| problem(409, code)));
    let writer = writer(&client);
    for expected in ["Busy", "Refused", "Refused"] {
        let leave = leave(&writer, &client).await;
        let error = writer.deploy(leave, &id("svc_1"), Some("main"), false).await.unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deploy_and_a_rollback_return_the_deployment() {
    let answer = || status(202, json!({"deployment_id": "dep_1", "status": "queued"}));
    let (client, script) = client([answer(), answer()]);
    let writer = writer(&client);
    let now = leave(&writer, &client).await;
    let made = writer.deploy(now, &id("svc_1"), Some("main"), true).await.unwrap();
    assert_eq!((made.id, made.status.as_deref()), (id("dep_1"), Some("queued")));
    assert_eq!(script.body(0), json!({"clear_cache": true, "branch": "main"}));
    writer.rollback(leave(&writer, &client).await, &id("svc_1")).await.unwrap();
    assert_eq!(script.asked()[1], "POST /v1/services/svc_1/rollback");
}

#[tokio::test(start_paused = true)]
async fn a_delete_is_done_underway_or_was_done_before() {
    let none = |code| Reply::Head(code, Vec::new(), "".into());
    for (replies, expected) in [
        (vec![none(204)], "gone"),
        (vec![none(202)], "going"),
        (vec![problem(404, "service_not_found")], "gone before"),
        (vec![problem(403, "forbidden")], "Refused"),
        (vec![html(404)], "Refused"),
        (vec![lost()], "Ambiguous"),
    ] {
        let (client, _) = client(replies);
        let writer = writer(&client);
        let leave = leave(&writer, &client).await;
        let outcome = writer.delete(leave, Kind::Service, &id("svc_1")).await;
        let shown = outcome.map_or_else(|error| format!("{error:?}"), |done| done.to_string());
        assert!(shown.starts_with(expected), "{expected}: {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_env_group_cannot_be_deleted_and_nothing_is_sent() {
    let (client, script) = client([]);
    let writer = writer(&client);
    let leave = leave(&writer, &client).await;
    assert!(writer.delete(leave, Kind::EnvGroup, &id("evg_1")).await.is_err());
    assert!(script.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn there_is_no_writer_for_another_project_or_another_origin() {
    let (client, _) = client([]);
    let pin = |origin: &str, project: Project| Pin { origin: origin.to_owned(), project };
    let ours = client.origin();
    for (pin, found) in [
        (pin(&ours, project(Some("prj_1"))), project(Some("prj_2"))),
        (pin(&ours, project(Some("prj_1"))), project(None)),
        (pin("https://api.other/v1", project(None)), project(None)),
    ] {
        let refused = client.writer(&pin, &found).unwrap_err();
        assert!(refused.to_string().contains("this state belongs to acme"), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_may_have_lost_the_seat_sends_nothing() {
    let (client, script) = client([status(200, json!({})), status(201, service("svc_1", "api"))]);
    let is_ours = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&is_ours);
    let tenure: TenureCheck = Arc::new(move || told.load(Ordering::SeqCst));
    let writer = writer(&client).under(Some(tenure));
    let kept = leave(&writer, &client).await;
    writer.delete(leave(&writer, &client).await, Kind::Service, &id("svc_1")).await.unwrap();
    is_ours.store(false, Ordering::SeqCst);
    let error = writer.delete(kept, Kind::Service, &id("svc_2")).await.unwrap_err();
    assert!(matches!(error, WriteError::NotApplied(_)), "{error:?}");
    // It may be lost while the intent is written down.
    is_ours.store(true, Ordering::SeqCst);
    let (name, fields) = (Name::new("api").unwrap(), BTreeMap::new());
    let (links, answers) = (links(), Answers::default());
    let draft = draft(Kind::Service, &name, &fields, &links, &answers);
    let append = || {
        is_ours.store(false, Ordering::SeqCst);
        Ok(())
    };
    let leave = leave(&writer, &client).await;
    assert!(writer.create(leave, draft, &append).await.is_err());
    assert_eq!(script.asked(), ["DELETE /v1/services/svc_1"]);
}
