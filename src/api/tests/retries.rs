//! What is sent again, and what never is.

use std::collections::BTreeMap;

use super::*;
use crate::model::{Kind, LiveObject, Name, RemoteId};

/// Creates a database.
async fn make(
    writer: &Writer,
    leave: Leave,
    leaving: Leaving<'_>,
) -> Result<LiveObject, WriteError> {
    let name = Name::new("main").unwrap();
    let (fields, links, answers) = (BTreeMap::new(), Links::default(), Answers::default());
    let draft = draft(Kind::Database, &name, &fields, &links, &answers);
    writer.create(leave, draft, leaving).await
}

async fn create(replies: Vec<Reply>) -> (String, usize) {
    let (client, script) = client(replies);
    let writer = writer(&client);
    let word = match make(&writer, leave(&writer, &client).await, &|| Ok(())).await {
        Ok(object) => format!("done {}", object.id),
        Err(error) => format!("{error:?}").split('(').next().unwrap().to_owned(),
    };
    (word, script.asked().len())
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
async fn a_write_that_did_not_happen_is_not_sent_again_without_another_look() {
    assert_eq!(create(vec![never_left()]).await, ("NotApplied".to_owned(), 1));
    assert_eq!(create(vec![problem(429, "rate_limited")]).await, ("NotApplied".to_owned(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_refused_create_is_refused_once() {
    for code in [400, 401, 402, 403, 404, 409, 422] {
        assert_eq!(create(vec![problem(code, "no")]).await, ("Refused".to_owned(), 1));
    }
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

/// Nobody is there for so many seconds; then there are answers.
async fn read_after_an_absence(seconds: u64) -> (Result<(), Error>, u64) {
    let begun = tokio::time::Instant::now();
    let absence = Reply::Absence(begun + std::time::Duration::from_secs(seconds));
    let (client, _) = client([absence, problem(502, "gateway"), ok(json!({"name": "acme"}))]);
    let read = client.reader().project().await.map(drop);
    (read, begun.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_restart_on_the_other_side_is_outlasted() {
    for seconds in [1, 3, 6, 10, 13] {
        let (read, took) = read_after_an_absence(seconds).await;
        assert!(read.is_ok() && took <= seconds + 4, "{seconds} s: {read:?} after {took} s");
    }
    let (read, took) = read_after_an_absence(60).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Unavailable);
    assert!((13..=15).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn an_absence_ends_when_somebody_answers_and_another_has_its_own_time() {
    let begun = tokio::time::Instant::now();
    let until = |seconds| Reply::Absence(begun + std::time::Duration::from_secs(seconds));
    let replies = [until(10), problem(502, "gateway"), until(20), ok(json!({"name": "acme"}))];
    let (client, _) = client(replies);
    let read = client.reader().project().await.map(drop);
    let took = begun.elapsed().as_secs();
    assert!(read.is_ok() && (20..=22).contains(&took), "{read:?} after {took} s");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_finds_nobody_there_looks_again_for_a_quarter_of_a_minute() {
    let (client, _) = client([]);
    let writer = writer(&client);
    let nobody = TransportError::never_left("connection refused");
    let error = Error::new("create service/web", Cause::Transport(nobody));
    let mut rounds = writer.rounds();
    let begun = tokio::time::Instant::now();
    // Even what must not be done twice, because nothing was done.
    while let Some(at) = rounds.after_write(&error, false) {
        assert!(client.may_wait_until(at).await);
    }
    assert!((13..=15).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert!(!rounds.is_over() && !rounds.may_have_happened());
    let error = Error::new("deploy", Cause::Transport(TransportError::lost("connection reset")));
    assert!(writer.rounds().after_write(&error, false).is_none(), "that one left");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_drips_is_given_up_in_time() {
    let drip = || Reply::Drip(json!({"name": "a".repeat(100)}).to_string().into());
    let (client, script) = client([drip(), drip()]);
    let began = tokio::time::Instant::now();
    let error = client.reader().project().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "read the project: no complete answer within 30 s (at https://api.dev/v1/project)"
    );
    assert_eq!(script.asked().len(), 2);
    assert!(began.elapsed().as_secs() <= 63, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_read_that_is_not_answered_is_asked_once_more_and_costs_three_quarters_of_a_minute() {
    let (client, script) = client([Reply::Silence, Reply::Silence]);
    let began = tokio::time::Instant::now();
    let error = client.reader().project().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "read the project: no complete answer within 20 s (at https://api.dev/v1/project)"
    );
    assert_eq!(script.asked().len(), 2);
    assert!(began.elapsed().as_secs() <= 43, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_not_answered_has_all_of_its_time() {
    let began = tokio::time::Instant::now();
    assert_eq!(create(vec![Reply::Silence]).await, ("Ambiguous".to_owned(), 1));
    assert_eq!(began.elapsed().as_secs(), 30);
}

fn until_ten_seconds() -> ClientConfig {
    let deadline = Some("2026-11-24T00:00:10Z".parse().unwrap());
    ClientConfig { deadline, ..ClientConfig::default() }
}

#[tokio::test(start_paused = true)]
async fn a_read_under_way_ends_at_the_deadline_and_says_so() {
    let drip = Reply::Drip(json!({"name": "a".repeat(100)}).to_string().into());
    for reply in [Reply::Silence, drip] {
        let (client, script) = client_of([reply], Dialect::default(), until_ten_seconds());
        let began = tokio::time::Instant::now();
        let error = client.reader().project().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OverBudget);
        assert!(error.is_out_of_time());
        let words = "read the project: no complete answer before the deadline, \
                     2026-11-24T00:00:10Z (at https://api.dev/v1/project)";
        assert_eq!(error.to_string(), words);
        assert_eq!((began.elapsed().as_secs(), script.asked().len()), (10, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_the_deadline_ends_may_have_happened() {
    let (client, script) = client_of([Reply::Silence], Dialect::default(), until_ten_seconds());
    let began = tokio::time::Instant::now();
    let writer = writer(&client);
    let made = make(&writer, leave(&writer, &client).await, &|| Ok(())).await;
    let WriteError::Ambiguous(error) = made.unwrap_err() else {
        panic!("it left, and nobody knows what became of it (S3)");
    };
    assert!(error.is_out_of_time());
    assert_eq!((began.elapsed().as_secs(), script.asked().len()), (10, 1));
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
    let config = ClientConfig { calls_max: Some(2), ..ClientConfig::default() };
    let (client, script) = client_of([lost(), lost()], Dialect::default(), config);
    let error = client.reader().project().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OverBudget);
    assert_eq!(error.to_string(), "read the project: all 2 allowed requests have been sent");
    assert_eq!(script.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_request_leaves_after_the_deadline_and_nobody_waits_for_it_in_vain() {
    let deadline = Some("2026-11-24T00:00:10Z".parse().unwrap());
    let config = ClientConfig { deadline, ..ClientConfig::default() };
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
async fn a_write_that_comes_too_late_after_its_look_does_not_leave() {
    let (client, script) = client([ok(service("svc_1", "api"))]);
    let (writer, id) = (writer(&client), RemoteId::new("svc_1").unwrap());
    let pair = writer.pair().await.unwrap();
    let (_, leave) = pair.look(Kind::Service, &id).await.unwrap();
    tokio::time::sleep(LOOK_AGE_MAX + std::time::Duration::from_millis(1)).await;
    let error = writer.delete(leave, Kind::Service, &id).await.unwrap_err();
    assert!(matches!(error, WriteError::NotApplied(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "delete service svc_1: it could not be sent soon enough after the read before it"
    );
    assert_eq!(script.asked(), ["GET /v1/services/svc_1"]);
    assert_eq!(client.calls(), 1, "what did not leave is not counted");
}

#[tokio::test(start_paused = true)]
async fn of_a_create_on_an_old_list_not_even_the_intent_is_written() {
    let (client, script) = client([]);
    let writer = writer(&client);
    let place = writer.reserve().await.unwrap();
    let old = client.now().checked_sub(LOOK_AGE_MAX).unwrap();
    let leave = place.resting_on(old, LOOK_AGE_MAX);
    tokio::time::advance(std::time::Duration::from_millis(1)).await;
    let told = std::sync::atomic::AtomicBool::new(false);
    let leaving = || {
        told.store(true, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    };
    let error = make(&writer, leave, &leaving).await.unwrap_err();
    assert!(matches!(error, WriteError::NotApplied(_)), "{error:?}");
    assert!(script.asked().is_empty());
    assert!(!told.into_inner(), "no intent is written for what will not leave");
}

#[tokio::test(start_paused = true)]
async fn a_look_and_its_write_need_two_requests_or_none_is_sent() {
    let config = ClientConfig { calls_max: Some(1), ..ClientConfig::default() };
    let (client, script) = client_of([], Dialect::default(), config);
    let error = writer(&client).pair().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OverBudget);
    assert!(script.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_write_is_given_up_after_three_looks() {
    let (client, _) = client([]);
    let writer = writer(&client);
    let error = Error::new("update service svc_1", Cause::LookTooOld);
    let mut rounds = writer.rounds();
    assert!(rounds.after_write(&error, true).is_some());
    assert!(rounds.after_write(&error, true).is_some());
    assert!(rounds.after_write(&error, true).is_none() && rounds.is_over());
    // What may have happened is tried again only where that does no harm.
    let lost = Error::new("deploy", Cause::TimedOut(std::time::Duration::from_secs(30)));
    assert!(writer.rounds().after_write(&lost, true).is_some());
    assert!(writer.rounds().after_write(&lost, false).is_none());
}
