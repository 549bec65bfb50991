//! What is sent again, and what never is.

use std::collections::BTreeMap;

use super::*;
use crate::model::{Kind, Name, RemoteId};

fn writer(client: &Client) -> Writer {
    let project: crate::model::Project =
        serde_json::from_value(json!({"id": "prj_1", "name": "acme"})).unwrap();
    let pin = crate::model::Pin { origin: client.origin(), project: project.clone() };
    client.writer(&pin, &project).unwrap()
}

async fn create(replies: Vec<Reply>) -> (String, usize) {
    let (client, script) = client(replies);
    let name = Name::new("main").unwrap();
    let outcome = writer(&client)
        .create(Kind::Database, &name, &BTreeMap::new(), &Links::default(), &|| Ok(()))
        .await;
    let word = match outcome {
        Ok(object) => format!("done {}", object.id),
        Err(error) => format!("{error:?}").split('(').next().unwrap().to_owned(),
    };
    (word, script.asked().len())
}

fn created() -> Reply {
    status(201, json!({"id": "db_1", "name": "main"}))
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_fate_is_open_is_never_sent_again() {
    for reply in [
        lost(),
        Reply::Silence,
        Reply::Cut(r#"{"id":"#.into()),
        problem(500, "internal"),
        problem(503, "busy"),
        problem(408, "slow"),
        status(201, json!({"name": "main"})),
        status(201, json!({"id": "..", "status": "a b"})),
        status(201, json!({"id": " ", "name": "main"})),
        Reply::Head(201, Vec::new(), "".into()),
        html(200),
        Reply::Head(303, Vec::new(), "".into()),
    ] {
        assert_eq!(create(vec![reply]).await, ("Ambiguous".to_owned(), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_did_not_happen_is_sent_again() {
    assert_eq!(create(vec![never_left(), created()]).await, ("done db_1".to_owned(), 2));
    let refusal = problem(429, "rate_limited");
    assert_eq!(create(vec![refusal, created()]).await, ("done db_1".to_owned(), 2));
}

#[tokio::test(start_paused = true)]
async fn a_refused_create_is_refused_once() {
    for code in [400, 401, 402, 403, 404, 409, 422] {
        assert_eq!(create(vec![problem(code, "no")]).await, ("Refused".to_owned(), 1));
    }
    let never: Vec<Reply> = (0..4).map(|_| never_left()).collect();
    assert_eq!(create(never).await, ("NotApplied".to_owned(), 4));
}

#[tokio::test(start_paused = true)]
async fn a_create_is_ambiguous_where_its_answer_ends_at_any_byte() {
    let body = json!({"id": "db_1", "name": "main"}).to_string();
    for end in 0..body.len() {
        let cut = Bytes::copy_from_slice(&body.as_bytes()[..end]);
        let shortened = Reply::Head(201, json_type(), cut.clone());
        assert_eq!(create(vec![shortened]).await, ("Ambiguous".to_owned(), 1), "{end}");
        assert_eq!(create(vec![Reply::Cut(cut)]).await, ("Ambiguous".to_owned(), 1), "{end}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_outlasts_a_short_outage_and_waits_between_tries() {
    let (client, script) =
        client([lost(), problem(502, "gateway"), never_left(), ok(json!({"name": "acme"}))]);
    let began = tokio::time::Instant::now();
    assert_eq!(client.reader().project().await.unwrap().name, "acme");
    assert_eq!(script.asked().len(), 4);
    assert_eq!(client.calls(), 4, "every try is counted");
    assert!(began.elapsed().as_secs() < 20);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_drips_is_given_up_in_time() {
    let drip = || Reply::Drip(json!({"name": "a".repeat(100)}).to_string().into());
    let (client, _) = client([drip(), drip(), drip(), drip()]);
    let began = tokio::time::Instant::now();
    let error = client.reader().project().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "read the project: no complete answer within 30 s (at https://api.dev/v1/project)"
    );
    assert!(began.elapsed().as_secs() < 180);
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_refusals_ends_the_request_and_not_the_patience_of_the_server() {
    let (client, script) = client((0..10).map(|_| problem(429, "rate_limited")));
    let began = tokio::time::Instant::now();
    let error = client.reader().project().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(script.asked().len(), 10);
    assert!(began.elapsed().as_secs() >= 60, "the budget froze in between");
}

#[tokio::test(start_paused = true)]
async fn a_run_sends_no_more_than_it_may() {
    let config = Config { calls_max: Some(2), ..Config::default() };
    let (client, script) = client_of([lost(), lost()], Dialect::default(), config);
    let error = client.reader().project().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OverBudget);
    assert_eq!(
        error.to_string(),
        "read the project: all 2 requests that are allowed have been sent"
    );
    assert_eq!(script.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_request_leaves_after_the_deadline_and_nobody_waits_for_it_in_vain() {
    let deadline = Some("2026-11-24T00:00:10Z".parse().unwrap());
    let config = Config { deadline, ..Config::default() };
    let refusal = || {
        let head = vec![("retry-after", "60".to_owned())];
        Reply::Head(429, head, "".into())
    };
    let (client, script) = client_of([refusal()], Dialect::default(), config);
    let began = tokio::time::Instant::now();
    let error = client.reader().project().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OverBudget);
    assert!(began.elapsed().as_secs() < 2, "it says so at once");
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_earlier_try_that_may_have_happened_outweighs_a_later_one() {
    let id = RemoteId::new("svc_1").unwrap();
    let changes = BTreeMap::from([("port".parse().unwrap(), None)]);
    let links = Links::default();
    let patch = Patch { changes: &changes, env_whole: None, links: &links };
    let (client, _) = client([lost(), problem(400, "invalid")]);
    let error = writer(&client).patch(&id, patch).await.unwrap_err();
    assert!(matches!(error, WriteError::Ambiguous(_)), "{error:?}");
}
