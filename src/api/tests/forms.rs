//! Forms of lists and objects that the dialect can say: read whole when it says so, unknown when not.

use super::*;
use crate::model::{Coverage, Kind, Listing, RemoteId, Unknown};

fn shown(listing: &Listing) -> String {
    match &listing.coverage {
        Coverage::Complete => format!("{} complete", listing.objects.len()),
        Coverage::Unknown(Unknown::Incomplete(reason)) => reason.clone(),
        Coverage::Unknown(other) => format!("{other:?}"),
    }
}

async fn read(dialect: &[&str], pages: &[Value]) -> (String, Vec<String>) {
    let (client, script) = speaking(dialect, pages.iter().cloned().map(ok));
    let listing = client.reader().list(Kind::Service).await.unwrap();
    (shown(&listing), script.asked())
}

async fn check(dialect: &[&str], pages: &[Value], expected: &str) {
    assert_eq!(read(dialect, pages).await.0, expected, "{dialect:?}");
}

#[tokio::test(start_paused = true)]
async fn a_total_and_items_are_found_at_their_paths_and_missed_without_them() {
    let meta = [json!({"services": services(0..2), "meta": {"total": 2}})];
    check(&["total_field=meta.total"], &meta, "2 complete").await;
    check(&[], &meta, "`total` is missing").await;
    let short = [
        json!({"services": services(0..2), "meta": {"total": 3}}),
        json!({"services": [],
        "meta": {"total": 3}}),
    ];
    check(&["total_field=meta.total"], &short, "2 of 3 items arrived").await;
    let deep = [json!({"result": {"list": services(0..1)}, "total": 1})];
    check(&["list_keys.services=result.list"], &deep, "1 complete").await;
}

#[tokio::test(start_paused = true)]
async fn an_envelope_is_taken_off_lists_and_objects() {
    let dialect = ["envelope=data", "total_field=meta.total"];
    check(&dialect, &[json!({"data": services(0..2), "meta": {"total": 2}})], "2 complete").await;
    let inner = json!({"data": {"services": services(0..2), "total": 2, "page": 1}});
    check(&["envelope=data"], &[inner], "2 complete").await;
    check(
        &dialect,
        &[json!({"services": services(0..2), "meta": {"total": 2}})],
        "`data` is missing, or is not a list",
    )
    .await;
    let (client, _) = speaking(&["envelope=data"], [ok(json!({"data": service("svc_1", "web")}))]);
    let id = RemoteId::new("svc_1").unwrap();
    let found = client.reader().get(Kind::Service, &id).await.unwrap();
    assert!(matches!(found, Lookup::Found(object) if object.name == "web"));
}

#[tokio::test(start_paused = true)]
async fn a_bare_list_is_read_until_a_page_is_empty_and_is_unknown_unless_said() {
    let pages = [json!(services(0..2)), json!(services(2..3)), json!([])];
    check(&["list_form=array"], &pages, "3 complete").await;
    check(&[], &pages, "it is a list, not an object").await;
    check(
        &["list_form=array"],
        &[json!({"services": [], "total": 0})],
        "it is an object, not a list",
    )
    .await;
    // A list that knows no pages comes again and again.
    let same = [json!(services(0..2)), json!(services(0..2))];
    check(&["list_form=array"], &same, "svc_0 is in it twice").await;
    let (said, asked) = read(&["list_form=array", "page_param=none"], &same[..1]).await;
    assert_eq!(
        (said.as_str(), asked),
        ("2 complete", vec!["GET /v1/services?per_page=100".into()])
    );
}

#[tokio::test(start_paused = true)]
async fn one_page_is_all_only_where_nothing_says_otherwise() {
    let dialect = ["page_param=none", "total_required=false"];
    check(&dialect, &[json!({"services": services(0..2)})], "2 complete").await;
    let more = [json!({"services": services(0..2), "meta": {"next": "/v1/services?page=2"}})];
    check(&dialect, &more, "it says that there is more").await;
    let total = [json!({"services": services(0..2), "total": 3})];
    check(&dialect, &total, "2 of 3 items arrived").await;
}

#[tokio::test(start_paused = true)]
async fn what_says_that_there_is_more_is_heard_wherever_the_items_stand() {
    let one_page = ["envelope=data", "page_param=none", "total_required=false"];
    let more = json!({"has_more": true});
    for (setting, list) in [
        ("envelope=data", json!({"data": {"services": services(0..2), "meta": more}})),
        ("envelope=data", json!({"data": {"services": services(0..2), "has_more": true}})),
        ("envelope=data.list", json!({"data": {"list": services(0..2), "meta": more}})),
        (
            "envelope=answer.data",
            json!({"answer": {"data": {"services": services(0..2), "has_more": true}}}),
        ),
        (
            "list_keys.services=page.list.items",
            json!({"data": {"page": {"list": {"items": services(0..2), "next": "p2"}}}}),
        ),
    ] {
        let dialect = [one_page.as_slice(), &[setting]].concat();
        check(&dialect, &[list], "it says that there is more").await;
    }
    let page =
        json!({"services": services(0..2), "total": 2, "meta": {"next": "/v1/services?page=2"}});
    check(&["envelope=data"], &[json!({ "data": page })], "`total` counts only one page").await;
    // A page that was filtered may be empty and not the last.
    let page = |range, more: bool| json!({"services": services(range), "has_more": more});
    let counted = ["total_required=false"];
    check(&counted, &[page(0..0, true)], "it says that there is more").await;
    check(&counted, &[page(0..2, true), page(0..0, true)], "it says that there is more").await;
    check(&counted, &[page(0..2, true), page(0..0, false)], "2 complete").await;
    let last = json!({"services": services(0..2), "meta": {"has_more": false}});
    check(&one_page, &[json!({ "data": last })], "2 complete").await;
}

#[tokio::test(start_paused = true)]
async fn the_name_of_the_next_page_is_found_in_the_envelope() {
    let dialect =
        ["envelope=data", "cursor_field=after", "cursor_param=after", "total_required=false"];
    let page = |range, next: Value| json!({"data": {"services": services(range), "after": next}});
    let pages = [page(0..2, json!("b")), page(2..3, Value::Null)];
    let (said, asked) = read(&dialect, &pages).await;
    assert_eq!((said.as_str(), asked.len()), ("3 complete", 2));
    // One page's count is not that of the list.
    let page = json!({"data": {"services": services(0..2), "after": "b", "total": 2}});
    check(&dialect, &[page], "`total` counts only one page").await;
}

#[tokio::test(start_paused = true)]
async fn a_list_goes_on_by_the_name_of_its_next_page() {
    let dialect = ["cursor_field=next_cursor", "cursor_param=after", "total_required=false"];
    let page = |range, next: Value| json!({"services": services(range), "next_cursor": next});
    let pages = [page(0..2, json!("b")), page(2..4, json!("c")), page(4..5, Value::Null)];
    let (said, asked) = read(&dialect, &pages).await;
    assert_eq!(said, "5 complete");
    assert_eq!(
        asked,
        [
            "GET /v1/services?per_page=100",
            "GET /v1/services?after=b&per_page=100",
            "GET /v1/services?after=c&per_page=100",
        ]
    );
    for (pages, why) in [
        (vec![page(0..2, json!("b")), page(2..4, json!("b"))], "a page is repeated"),
        (vec![page(0..2, json!("b")), page(1..3, Value::Null)], "svc_1 is in it twice"),
        (vec![page(0..2, json!("https://evil.dev/"))], "`next_cursor` is an address"),
        // The field may have another name: nothing says that this is all.
        (vec![json!({"services": services(0..2)})], "`next_cursor` is missing"),
    ] {
        check(&dialect, &pages, why).await;
    }
    // What was named is not asked for again to find that out.
    let named = [page(0..2, json!("b")), page(2..4, json!("b"))];
    assert_eq!(read(&dialect, &named).await.1.len(), 2);
    let total = |total| json!({"services": services(0..2), "total": total});
    let strict = &dialect[..2];
    check(strict, &[total(2)], "2 complete").await;
    check(strict, &[total(3)], "2 of 3 items arrived").await;
    check(strict, &[page(0..2, Value::Null)], "`total` is missing").await;
}

#[tokio::test(start_paused = true)]
async fn pages_are_counted_from_where_the_dialect_says() {
    let page = |range, number| json!({"services": services(range), "total": 3, "page": number});
    let (said, asked) = read(&["page_first=0"], &[page(0..2, 0), page(2..3, 1)]).await;
    assert_eq!(said, "3 complete");
    assert_eq!(
        asked,
        ["GET /v1/services?page=0&per_page=100", "GET /v1/services?page=1&per_page=100"]
    );
    // The second page of an API that counts from 0 is not taken for all there is.
    check(&[], &[page(2..3, 1), page(0..0, 2), page(0..0, 3)], "1 of 3 items arrived").await;
}

#[tokio::test(start_paused = true)]
async fn a_404_without_a_code_proves_only_what_a_person_said_it_does() {
    let bare = || status(404, json!({"detail": "Service not found"}));
    let coded = || problem(404, "service_not_found");
    let id = RemoteId::new("svc_1").unwrap();
    let gone = async |dialect: &[&str], reply| {
        let project = ok(json!({"id": "prj_1", "name": "acme"}));
        let (client, _) = speaking(dialect, [project, reply]);
        client.reader().project().await.unwrap();
        matches!(client.reader().get(Kind::Service, &id).await, Ok(Lookup::Gone))
    };
    assert!(!gone(&[], bare()).await && gone(&[], coded()).await);
    let said = ["not_found=status"];
    assert!(gone(&said, bare()).await && gone(&said, coded()).await);
    // Nothing but the API says that: neither a page nor an empty body, and no other status.
    for reply in [html(404), Reply::Head(404, Vec::new(), "".into()), status(403, json!({}))] {
        assert!(!gone(&said, reply).await);
    }
}

/// Surveys an API by these answers: the project, a page of services, page 0 where it is asked for, and
/// what is not there.
async fn survey(dialect: &[&str], replies: Vec<Reply>) -> Vec<String> {
    let (client, _) = speaking(dialect, replies);
    let surveyed = client.survey().await;
    surveyed.into_iter().filter_map(|it| it.set.filter(|_| it.holds == Some(false))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_survey_names_the_setting_for_each_form_and_none_for_the_documented_one() {
    let project = || ok(json!({"id": "prj_1", "name": "acme"}));
    let coded = || problem(404, "service_not_found");
    let one = || ok(json!({"services": services(0..1), "total": 1, "page": 1}));
    assert_eq!(survey(&[], vec![project(), one(), coded()]).await, Vec::<String>::new());
    let bare = || status(404, json!({"detail": "no"}));
    assert_eq!(survey(&[], vec![project(), one(), bare()]).await, ["not_found=status"]);
    let said = ["not_found=status"];
    assert_eq!(survey(&said, vec![project(), one(), bare()]).await, Vec::<String>::new());
    for (list, settings) in [
        (json!({"services": services(0..1), "meta": {"total": 1}}), vec!["total_field=meta.total"]),
        (json!({"data": services(0..1), "total": 1}), vec!["envelope=data"]),
        (
            json!({"data": {"services": services(0..1), "total": 1}}),
            vec!["envelope=data", "total_field=data.total"],
        ),
        (
            json!({"result": {"list": services(0..1)}, "total": 1}),
            vec!["list_keys.services=result.list"],
        ),
        (json!(services(0..1)), vec!["list_form=array"]),
        (
            json!({"services": services(0..1), "nextPageToken": "x"}),
            vec!["total_required=false", "cursor_field=nextPageToken", "cursor_param=pageToken"],
        ),
    ] {
        let found = survey(&[], vec![project(), ok(list.clone()), coded()]).await;
        assert_eq!(found, settings, "{list}");
    }
    let wrapped = ok(json!({"data": {"id": "prj_1", "name": "acme"}}));
    let list = ok(json!({"data": services(0..1), "meta": {"total": 1}}));
    let found = survey(&[], vec![wrapped, list, coded()]).await;
    assert_eq!(found, ["envelope=data", "total_field=meta.total"]);
    let page = |range, number| ok(json!({"services": services(range), "total": 2, "page": number}));
    let from_zero = vec![project(), page(1..2, 1), page(0..1, 0), coded()];
    assert_eq!(survey(&[], from_zero).await, ["page_first=0"]);
    let from_one = vec![project(), page(0..1, 1), problem(400, "invalid"), coded()];
    assert_eq!(survey(&[], from_one).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_survey_finds_only_what_is_found_when_it_is_read() {
    let coded = || problem(404, "service_not_found");
    let project = || ok(json!({"id": "prj_1", "name": "acme"}));
    let wrapped = || ok(json!({"data": {"id": "prj_1", "name": "acme"}}));
    let list = json!({"services": services(0..1), "total": 1});
    let alone = std::slice::from_ref(&list);
    check(&["envelope=data"], alone, "`data` is missing, or is not a list").await;
    let said = ["envelope=data"];
    let found = survey(&said, vec![project(), ok(list.clone()), coded()]).await;
    assert_eq!(found, ["envelope=none"]);
    check(&["envelope=none"], alone, "1 complete").await;
    // The project stands in it and the list beside it, and no setting says that.
    let (client, _) = speaking(&said, [wrapped(), ok(list), coded()]);
    let surveyed = client.survey().await;
    let items_found = surveyed.iter().find(|it| it.fact.contains("under their plural")).unwrap();
    assert_eq!((items_found.holds, items_found.set.as_deref()), (None, None), "{items_found:?}");
    let inside = json!({"data": {"services": services(0..1), "total": 1}});
    let found = survey(&said, vec![wrapped(), ok(inside), coded()]).await;
    assert_eq!(found, Vec::<String>::new());
}
