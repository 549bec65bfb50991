//! Reading a whole project with the fewest requests.

use crate::api::Recollection;
use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::{
    Applied, Claim, Desired, Entry, Field, FieldPath, FieldValue, Inventory, Key, Kind, Live,
    LiveValue, Origin, Remembered, RemoteId, Resource, Unknown,
};

fn desired(key: &str, fields: Vec<(&str, FieldValue)>) -> Desired {
    let key: Key = key.parse().unwrap();
    let origin = Origin { file: "a.yaml".to_owned(), line: 1, column: 1 };
    let field = |value| Field { value, origin: origin.clone() };
    let fields = fields.into_iter().map(|(path, value)| (path.parse().unwrap(), field(value)));
    let resource =
        Resource { fields: fields.collect(), ..Resource::new(key.clone(), origin.clone()) };
    Desired { resources: BTreeMap::from([(key, resource)]), ..Desired::default() }
}

fn owning(key: &str, id: &str, created_at: &str) -> Inventory {
    let entry = Entry {
        id: RemoteId::new(id).unwrap(),
        created_at: Some(created_at.to_owned()),
        made_at: None,
        given_name: None,
        interim_name: None,
        previous_names: BTreeSet::new(),
        claim: Claim::Created,
        remembered: Remembered::default(),
        labels: BTreeMap::new(),
        applied: BTreeMap::new(),
        changed_at: BTreeMap::new(),
        generated: BTreeMap::new(),
        tolerated_env: BTreeSet::new(),
        env_managed: false,
        env_additive: false,
        rewrites: BTreeMap::new(),
        deployed: None,
        depends_on: BTreeSet::new(),
    };
    Inventory { entries: BTreeMap::from([(key.parse().unwrap(), entry)]), ..Inventory::default() }
}

/// Reads with these three lists and what follows them.
async fn read(
    lists: [&[Value]; 3],
    then: Vec<Reply>,
    desired: &Desired,
    inventory: &Inventory,
) -> (Live, Vec<String>) {
    let project = ok(json!({"id": "prj_1", "name": "acme"}));
    // The budget sends the first request alone, and the rest in the order they are asked for.
    let replies = std::iter::once(project).chain(lists.map(list)).chain(then);
    let (client, script) = client(replies);
    let live =
        client.reader().live(desired, inventory, &mut Recollection::default()).await.unwrap();
    let asked = script.asked().split_off(4);
    assert_eq!(live.requests as usize, script.asked().len());
    (live, asked)
}

fn text(text: &str) -> FieldValue {
    FieldValue::Text(text.to_owned())
}

#[tokio::test(start_paused = true)]
async fn details_are_read_only_where_the_list_hides_what_is_declared() {
    let inventory = Inventory::default();
    let items = [service("svc_1", "api"), service("svc_2", "other")];
    let shown = desired("service/api", vec![("type", text("web"))]);
    let (_, asked) = read([&[], &[], &items], vec![], &shown, &inventory).await;
    assert_eq!(asked, Vec::<String>::new());
    let hidden = desired("service/api", vec![("plan", text("standard"))]);
    let details = json!({"id": "svc_1", "name": "api", "plan": "standard", "replicas": 3});
    let (live, asked) = read([&[], &[], &items], vec![ok(details)], &hidden, &inventory).await;
    assert_eq!(asked, ["GET /v1/services/svc_1"]);
    let object = &live.listing(Kind::Service).objects[0];
    let shown = |path: &str| object.shows(&path.parse::<FieldPath>().unwrap()).cloned();
    assert_eq!(shown("plan"), Some(LiveValue::Shown(text("standard"))));
    assert_eq!(shown("type"), Some(LiveValue::Shown(text("web"))), "the list's word is kept");
    assert_eq!((object.replicas, object.status.as_deref()), (Some(3), Some("running")));
}

#[tokio::test(start_paused = true)]
async fn a_time_that_no_list_shows_is_read_of_what_is_ours_and_may_go() {
    let item = |time: Option<&str>| {
        let mut item = json!({"id": "svc_1", "name": "api", "type": "web_service"});
        if let Some(name) = time {
            item[name] = LONG_AGO.into();
        }
        [item]
    };
    let inventory = owning("service/api", "svc_1", LONG_AGO);
    let nothing = Desired::default();
    let details = || vec![ok(json!({"id": "svc_1", "name": "api", "created": LONG_AGO}))];
    let (live, asked) = read([&[], &[], &item(None)], details(), &nothing, &inventory).await;
    assert_eq!(asked, ["GET /v1/services/svc_1"]);
    let shown = |live: &Live| live.listing(Kind::Service).objects[0].created_at.clone();
    assert_eq!(shown(&live).as_deref(), Some(LONG_AGO));
    for name in ["created_at", "createdAt", "created"] {
        let items = item(Some(name));
        let (live, asked) = read([&[], &[], &items], vec![], &nothing, &inventory).await;
        assert_eq!((shown(&live).as_deref(), asked.len()), (Some(LONG_AGO), 0), "{name}");
    }
    let foreign = Inventory::default();
    let (_, asked) = read([&[], &[], &item(None)], vec![], &nothing, &foreign).await;
    assert_eq!(asked, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_database_is_detailed_unless_it_is_declared_as_we_wrote_it() {
    let item = json!({"id": "db_1", "name": "main", "type": "postgres", "status": "available",
        "created_at": "2026-01-15T10:30:00Z"});
    let wanted = desired("database/main", vec![("version", text("16"))]);
    let details = json!({"id": "db_1", "name": "main", "version": "15"});
    let foreign = Inventory::default();
    let lists: [&[Value]; 3] = [&[], std::slice::from_ref(&item), &[]];
    let adopted = owning("database/main", "db_1", "2026-01-15T10:30:00Z");
    let ours = |value: &str| {
        let mut inventory = adopted.clone();
        for entry in inventory.entries.values_mut() {
            entry.applied.insert("version".parse().unwrap(), Applied::Text(value.to_owned()));
        }
        inventory
    };
    for looked_at in [&foreign, &adopted, &ours("15")] {
        let (live, asked) = read(lists, vec![ok(details.clone())], &wanted, looked_at).await;
        assert_eq!(asked, ["GET /v1/databases/db_1"]);
        let version = "version".parse().unwrap();
        let shown = live.listing(Kind::Database).objects[0].shows(&version).cloned();
        assert_eq!(shown, Some(LiveValue::Shown(text("15"))));
    }
    let (_, asked) = read(lists, vec![], &wanted, &ours("16")).await;
    assert_eq!(asked, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_detailed_where_the_list_shows_all() {
    let mut item = service("svc_1", "api");
    item["schedule"] = Value::Null;
    item["env_vars"] = json!([{"key": "A", "value": "1"}]);
    let declared = vec![("schedule", text("@daily")), ("envVars.B", text("2"))];
    let desired = desired("service/api", declared);
    let (live, asked) = read([&[], &[], &[item]], vec![], &desired, &Inventory::default()).await;
    assert!(asked.is_empty(), "{asked:?}");
    let object = &live.listing(Kind::Service).objects[0];
    assert_eq!(object.shows(&"schedule".parse().unwrap()), Some(&LiveValue::Absent));
    assert_eq!(object.shows(&"envVars.B".parse().unwrap()), Some(&LiveValue::Absent));
}

#[tokio::test(start_paused = true)]
async fn env_groups_are_shown_by_name_or_hidden() {
    let groups = [json!({"id": "evg_1", "name": "shared", "env_vars": []})];
    let with = |ids: Value| {
        let mut item = service("svc_1", "api");
        item["env_groups"] = ids;
        [item]
    };
    for (ids, expected) in [
        (json!(["evg_1"]), LiveValue::Shown(FieldValue::Set(["shared".to_owned()].into()))),
        (json!([{"id": "evg_1"}]), LiveValue::Shown(FieldValue::Set(["shared".to_owned()].into()))),
        (json!([]), LiveValue::Shown(FieldValue::Set(BTreeSet::new()))),
        // The list of groups is complete: what is not in it is gone, and is no declared name.
        (
            json!(["evg_1", "evg_9"]),
            LiveValue::Shown(FieldValue::Set(["shared".to_owned(), "evg_9".to_owned()].into())),
        ),
        (json!([7]), LiveValue::Hidden),
    ] {
        let (live, _) =
            read([&groups, &[], &with(ids)], vec![], &Desired::default(), &Inventory::default())
                .await;
        let object = &live.listing(Kind::Service).objects[0];
        assert_eq!(object.shows(&"envGroups".parse().unwrap()), Some(&expected));
    }
}

async fn look_for(created_at: &str, reply: Reply) -> (Live, Vec<String>) {
    let inventory = owning("database/main", "db_1", created_at);
    read([&[], &[], &[]], vec![reply], &Desired::default(), &inventory).await
}

const LONG_AGO: &str = "2026-01-15T10:30:00Z";

#[tokio::test(start_paused = true)]
async fn what_is_ours_and_not_listed_is_asked_for_by_its_id() {
    let (live, asked) = look_for(LONG_AGO, problem(404, "database_not_found")).await;
    assert_eq!(asked, ["GET /v1/databases/db_1"]);
    assert!(live.gone.contains(&RemoteId::new("db_1").unwrap()));
    assert!(live.listing(Kind::Database).coverage.is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_leaves_out_what_is_there_is_not_trusted() {
    let (live, _) = look_for(LONG_AGO, ok(json!({"id": "db_1", "name": "main"}))).await;
    assert!(live.gone.is_empty());
    assert_eq!(live.listing(Kind::Database).objects.len(), 1);
    assert!(!live.listing(Kind::Database).coverage.is_complete());
    let going = json!({"id": "db_1", "name": "main", "status": "deleting"});
    let (live, _) = look_for(LONG_AGO, ok(going)).await;
    assert!(live.listing(Kind::Database).coverage.is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_404_proves_nothing_of_what_was_just_created_or_without_a_code() {
    for (created_at, reply) in [
        ("2026-11-23T23:59:30Z", problem(404, "database_not_found")),
        ("2026-11-24T00:05:00Z", problem(404, "database_not_found")),
        (LONG_AGO, html(404)),
    ] {
        let (live, _) = look_for(created_at, reply).await;
        assert!(live.gone.is_empty());
        assert!(!live.listing(Kind::Database).coverage.is_complete());
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_token_ends_the_run_with_the_first_answer() {
    let (client, script) = client([problem(401, "unauthorized")]);
    let error = client
        .reader()
        .live(&Desired::default(), &Inventory::default(), &mut Recollection::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(script.asked(), ["GET /v1/project"]);
}

fn declared_web() -> (Desired, Value) {
    (desired("service/api", vec![("plan", text("standard"))]), service("svc_1", "api"))
}

#[tokio::test(start_paused = true)]
async fn details_that_do_not_come_are_noted_with_why() {
    let (desired, item) = declared_web();
    let id = (Kind::Service, RemoteId::new("svc_1").unwrap());
    for (reply, is_forbidden) in [
        (problem(403, "forbidden"), true),
        (html(200), false),
        (ok(json!({"id": "svc_2", "name": "another"})), false),
    ] {
        let lists: [&[Value]; 3] = [&[], &[], std::slice::from_ref(&item)];
        let (live, _) = read(lists, vec![reply], &desired, &Inventory::default()).await;
        assert_eq!(live.unread.get(&id) == Some(&Unknown::Forbidden), is_forbidden);
        assert!(live.unread.contains_key(&id));
        assert!(live.listing(Kind::Service).coverage.is_complete());
    }
}

#[tokio::test(start_paused = true)]
async fn details_that_did_not_come_are_asked_for_again_and_not_recalled_as_they_were() {
    let (desired, item) = declared_web();
    let details = || ok(json!({"id": "svc_1", "name": "api", "plan": "standard"}));
    // Seen, recalled, denied, and denied where nothing but what failed is read.
    let answers = [Some(details()), None, Some(html(200)), Some(html(200)), Some(details()), None];
    let looks = answers.into_iter().flat_map(|answer| {
        let lists = [&[][..], &[], std::slice::from_ref(&item)].map(list);
        let project = ok(json!({"id": "prj_1", "name": "acme"}));
        std::iter::once(project).chain(lists).chain(answer)
    });
    let (client, script) = client(looks.collect::<Vec<_>>());
    let mut recollection = Recollection::default();
    let mut seen = Vec::new();
    for details_max in [9, 0, 9, 0, 0, 0] {
        recollection = recollection.allowing(details_max);
        let inventory = Inventory::default();
        let live = client.reader().live(&desired, &inventory, &mut recollection).await.unwrap();
        seen.push(live.unread.is_empty());
    }
    assert_eq!(seen, [true, true, false, false, true, true]);
    let asked = script.asked().into_iter().filter(|it| it.ends_with("svc_1")).count();
    assert_eq!(asked, 4);
}
