//! Lists: whole, or incomplete with the reason; never less than they are (S2).

use super::*;
use crate::model::{Coverage, Kind, Listing, Unknown};

fn page(items: std::ops::Range<u32>, total: Value, number: u32) -> Reply {
    ok(json!({"services": services(items), "total": total, "page": number}))
}

fn shown(listing: &Listing) -> String {
    let coverage = match &listing.coverage {
        Coverage::Complete => "complete".to_owned(),
        Coverage::Unknown(Unknown::Incomplete(reason)) => format!("incomplete: {reason}"),
        Coverage::Unknown(other) => format!("{other:?}"),
    };
    format!("{} of {} pages, {coverage}", listing.objects.len(), listing.pages)
}

async fn check_with(dialect: &[&str], replies: Vec<Reply>, expected: &str) {
    let (client, _) = speaking(dialect, replies);
    let listing = client.reader().list(Kind::Service).await.unwrap();
    assert_eq!(shown(&listing), expected);
}

async fn check(replies: Vec<Reply>, expected: &str) {
    check_with(&[], replies, expected).await;
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_to_its_end() {
    check(vec![page(0..0, json!(0), 1)], "0 of 1 pages, complete").await;
    check(vec![page(0..3, json!(3), 1)], "3 of 1 pages, complete").await;
    check(vec![page(0..3, json!("3"), 1)], "3 of 1 pages, complete").await;
    let pages = vec![page(0..2, json!(5), 1), page(2..4, json!(5), 2), page(4..5, json!(5), 3)];
    check(pages, "5 of 3 pages, complete").await;
}

#[tokio::test(start_paused = true)]
async fn the_first_page_tells_the_size_and_the_hint_is_only_a_hint() {
    let (client, script) = client([page(0..2, json!(3), 1), page(2..3, json!(3), 2)]);
    client.reader().list(Kind::Service).await.unwrap();
    assert_eq!(
        script.asked(),
        ["GET /v1/services?page=1&per_page=100", "GET /v1/services?page=2&per_page=100"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_that_moves_or_lies_is_incomplete() {
    let first = || page(0..2, json!(3), 1);
    check(vec![first(), page(1..2, json!(3), 2)], "2 of 2 pages, incomplete: svc_1 is in it twice")
        .await;
    check(vec![first(), page(0..2, json!(3), 2)], "2 of 2 pages, incomplete: svc_0 is in it twice")
        .await;
    check(
        vec![first(), page(0..2, json!(3), 1)],
        "2 of 2 pages, incomplete: page 2 was requested, and another one arrived",
    )
    .await;
    check(vec![first(), page(2..2, json!(3), 2)], "2 of 2 pages, incomplete: 2 of 3 items arrived")
        .await;
    check(vec![first(), page(2..4, json!(3), 2)], "4 of 2 pages, incomplete: 4 of 3 items arrived")
        .await;
    check(
        vec![first(), page(2..3, json!(4), 2)],
        "2 of 2 pages, incomplete: its total changed while it was read",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_total_that_cannot_be_is_incomplete() {
    check(vec![page(0..0, json!(3), 1)], "0 of 1 pages, incomplete: 0 of 3 items arrived").await;
    check(vec![page(0..3, json!(2), 1)], "3 of 1 pages, incomplete: 3 of 2 items arrived").await;
    check(
        vec![page(0..3, json!(-1), 1)],
        "0 of 1 pages, incomplete: `total` is not a sensible number",
    )
    .await;
    check(
        vec![page(0..3, json!(1e300), 1)],
        "0 of 1 pages, incomplete: `total` is not a sensible number",
    )
    .await;
    check(vec![page(0..3, Value::Null, 1)], "0 of 1 pages, incomplete: `total` is missing").await;
    check(
        vec![page(0..1, json!(99_000), 1)],
        "1 of 1 pages, incomplete: it has more than 1000 pages",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_missing_key_or_an_odd_item_is_incomplete_and_not_empty() {
    let check = |body: Value, expected: &'static str| check(vec![ok(body)], expected);
    check(json!({"total": 0}), "0 of 1 pages, incomplete: `services` is missing, or is not a list")
        .await;
    check(
        json!({"items": [], "total": 0}),
        "0 of 1 pages, incomplete: `services` is missing, or is not a list",
    )
    .await;
    check(
        json!({"services": null, "total": 0}),
        "0 of 1 pages, incomplete: `services` is missing, or is not a list",
    )
    .await;
    check(
        json!({"services": [1], "total": 1}),
        "0 of 1 pages, incomplete: an item of `services` is not an object",
    )
    .await;
    check(
        json!({"services": [{"name": "a"}], "total": 1}),
        "0 of 1 pages, incomplete: an item on page 1 has no usable id",
    )
    .await;
    check(
        json!({"services": [{"id": "..", "name": "a"}], "total": 1}),
        "0 of 1 pages, incomplete: an item on page 1 has no usable id",
    )
    .await;
    check(
        json!({"services": [{"id": "svc_1"}], "total": 1}),
        "0 of 1 pages, incomplete: service svc_1 has no usable name",
    )
    .await;
    check(
        json!({"services": [{"id": "svc_1", "name": "a"}], "total": 1, "has_more": true}),
        "0 of 1 pages, incomplete: `total` counts only one page",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn without_a_total_a_list_ends_with_an_empty_page_if_the_dialect_says_so() {
    let total_missing = "total_required=false";
    let pages =
        vec![page(0..2, Value::Null, 1), page(2..3, Value::Null, 2), page(3..3, Value::Null, 3)];
    check_with(&[total_missing], pages, "3 of 3 pages, complete").await;
    let ignored = vec![page(0..2, Value::Null, 1), page(0..2, Value::Null, 2)];
    check_with(&[total_missing], ignored, "2 of 2 pages, incomplete: svc_0 is in it twice").await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_unknown_and_a_wrong_token_ends_the_run() {
    check(vec![problem(403, "forbidden")], "0 of 1 pages, Forbidden").await;
    check(
        vec![html(200)],
        "0 of 1 pages, incomplete: something that is not the API answered 200 with a web page",
    )
    .await;
    let failing = (0..4).map(|_| problem(500, "internal")).collect();
    check(
        failing,
        "0 of 1 pages, incomplete: the API answered 500 internal: about internal (request req_1)",
    )
    .await;
    let (client, _) = client([page(0..1, json!(2), 1), problem(401, "unauthorized")]);
    let error = client.reader().list(Kind::Service).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
}

#[tokio::test(start_paused = true)]
async fn a_list_cut_at_any_byte_is_never_complete() {
    let body = json!({"services": [service("svc_1", "a")], "total": 1, "page": 1}).to_string();
    for end in 0..body.len() {
        let cut = Bytes::copy_from_slice(&body.as_bytes()[..end]);
        let shortened = || Reply::Head(200, json_type(), cut.clone());
        let dropped = || Reply::Cut(cut.clone());
        for replies in [
            vec![shortened(), shortened(), shortened(), shortened()],
            vec![dropped(), dropped(), dropped(), dropped()],
        ] {
            let (client, _) = client(replies);
            let listing = client.reader().list(Kind::Service).await.unwrap();
            assert!(!listing.coverage.is_complete(), "cut after {end} bytes");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_of_several_pages_is_steady_when_two_passes_agree() {
    let pass =
        |from: u32| vec![page(from..from + 2, json!(3), 1), page(from + 2..from + 3, json!(3), 2)];
    let (steady, _) = client([pass(0), pass(1), pass(1)].into_iter().flatten());
    let listing = steady.reader().list_steadily(Kind::Service).await.unwrap();
    assert_eq!(shown(&listing), "3 of 6 pages, complete");
    let (moving, _) = client((0..4).flat_map(pass));
    let listing = moving.reader().list_steadily(Kind::Service).await.unwrap();
    assert_eq!(shown(&listing), "3 of 8 pages, incomplete: it changed each time it was read");
    let (one, script) = client([page(0..3, json!(3), 1)]);
    one.reader().list_steadily(Kind::Service).await.unwrap();
    assert_eq!(script.asked().len(), 1, "one page is one moment");
}

#[tokio::test(start_paused = true)]
async fn the_dialect_names_parameters_and_keys() {
    let body = json!({"apps": [service("svc_1", "a")], "count": 1});
    let settings =
        ["page_param=p", "per_page_param=none", "total_field=count", "list_keys.services=apps"];
    let (client, script) = speaking(&settings, [ok(body)]);
    let listing = client.reader().list(Kind::Service).await.unwrap();
    assert_eq!(shown(&listing), "1 of 1 pages, complete");
    assert_eq!(script.asked(), ["GET /v1/services?p=1"]);
}
