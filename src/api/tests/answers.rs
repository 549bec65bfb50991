//! What an answer is taken for.

use super::*;
use crate::model::{Kind, RemoteId};

async fn look(reply: Reply) -> String {
    let (client, _) = client([reply]);
    let id = RemoteId::new("svc_1").unwrap();
    match client.reader().get(Kind::Service, &id).await {
        Ok(Lookup::Found(object)) => format!("found {}", object.name),
        Ok(Lookup::Gone) => "gone".to_owned(),
        Err(error) => format!("{:?}: {error}", error.kind()),
    }
}

async fn check(reply: Reply, expected: &str) {
    assert_eq!(look(reply).await, expected);
}

#[tokio::test(start_paused = true)]
async fn only_the_apis_own_404_proves_that_something_is_gone() {
    check(problem(404, "service_not_found"), "gone").await;
    check(
        status(404, json!({"message": "no route"})),
        "Refused: read service svc_1: the API answered 404: no route \
         (at https://api.dev/v1/services/svc_1)",
    )
    .await;
    check(
        html(404),
        "NotTheApi: read service svc_1: something that is not the API answered 404 with a web \
         page (at https://api.dev/v1/services/svc_1)",
    )
    .await;
    let cut = Reply::Head(404, json_type(), r#"{"error":{"code":"service_not_fo"#.into());
    check(
        cut,
        "Refused: read service svc_1: the API answered 404 (at https://api.dev/v1/services/svc_1)",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_error_is_read_in_every_form_and_says_its_request() {
    check(
        problem(403, "forbidden"),
        "Permission: read service svc_1: the API answered 403 forbidden: about forbidden \
         (request req_1)",
    )
    .await;
    let header = vec![("x-request-id", "req_h".to_owned())];
    check(
        Reply::Head(401, header, "".into()),
        "Authentication: read service svc_1: the API answered 401 (request req_h)",
    )
    .await;
    check(
        status(400, json!({"error": "bad region"})),
        "Refused: read service svc_1: the API answered 400: bad region",
    )
    .await;
    check(
        status(409, json!({"error": {"code": 17, "message": "taken"}})),
        "Refused: read service svc_1: the API answered 409 17: taken",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_other_generation_of_the_api_is_recognised() {
    let body = json!({"statusCode": 404, "message": "Cannot GET", "error": "Not Found"});
    check(
        status(404, body),
        "NotTheApi: read service svc_1: another generation of the API answered: the API answered \
         404: Cannot GET (at https://api.dev/v1/services/svc_1)",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_web_page_or_a_redirect_is_not_the_api() {
    check(
        html(200),
        "NotTheApi: read service svc_1: something that is not the API answered 200 with a web \
         page (at https://api.dev/v1/services/svc_1)",
    )
    .await;
    // What stands behind a `?` may be a secret.
    let head = vec![("location", "https://evil.dev/v1/services/svc_1?code=x1".to_owned())];
    check(
        Reply::Head(302, head, "".into()),
        "NotTheApi: read service svc_1: the answer is a redirect (302) to \
         https://evil.dev/v1/services/svc_1, and none is followed (at \
         https://api.dev/v1/services/svc_1)",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn another_object_than_the_one_asked_for_is_no_answer() {
    check(
        ok(service("svc_2", "api")),
        "Unreadable: read service svc_1: the answer cannot be read: another object was returned",
    )
    .await;
    check(ok(json!({"service": service("svc_1", "api")})), "found api").await;
}

#[tokio::test(start_paused = true)]
async fn an_error_message_is_bounded() {
    let long = "é".repeat(100_000);
    let shown = look(status(400, json!({"error": {"code": "x", "message": long}}))).await;
    assert!(shown.chars().count() < 1_200, "{}", shown.len());
}

#[tokio::test(start_paused = true)]
async fn an_answer_larger_than_its_limit_is_not_read_to_its_end() {
    let huge = Bytes::from(vec![b' '; 17 * 1024 * 1024]);
    let (client, _) = client([Reply::Head(200, json_type(), huge)]);
    let error = client.reader().project().await.unwrap_err();
    assert_eq!(error.to_string(), "read the project: the answer is larger than 16 MiB");
}

#[tokio::test(start_paused = true)]
async fn a_body_shorter_than_declared_is_found_out() {
    let head = vec![("content-length", "400".to_owned())];
    let reply = || Reply::Head(200, head.clone(), json!({"name": "acme"}).to_string().into());
    let (client, script) = client([reply(), reply(), reply(), reply()]);
    let error = client.reader().project().await.unwrap_err();
    assert!(error.to_string().contains("15 of 400 bytes arrived"), "{error}");
    assert_eq!(script.asked().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn every_form_of_the_limit_headers_reaches_the_budget_as_it_came() {
    for (reset, retry) in [
        ("1764000000", "5"),
        ("1764000000000", "-1"),
        ("12", "Tue, 24 Nov 2026 00:00:05 GMT"),
        ("Tue, 24 Nov 2026 00:00:30 GMT", "99999999999"),
    ] {
        let head = vec![
            ("x-ratelimit-remaining", "280".to_owned()),
            ("x-ratelimit-reset", reset.to_owned()),
            ("retry-after", retry.to_owned()),
            ("retry-after", "7".to_owned()),
            ("date", "Tue, 24 Nov 2026 00:00:00 GMT".to_owned()),
        ];
        let body = json!({"name": "acme"}).to_string();
        let (client, _) = client([Reply::Head(200, head, body.into())]);
        client.reader().project().await.unwrap();
        let limits = client.limits_last_seen().unwrap();
        assert_eq!(limits.remaining.as_deref(), Some("280"));
        assert_eq!(limits.reset.as_deref(), Some(reset));
        assert_eq!(limits.retry_after, Some(format!("{retry}, 7")));
        assert_eq!(limits.date.as_deref(), Some("Tue, 24 Nov 2026 00:00:00 GMT"));
    }
}

#[tokio::test(start_paused = true)]
async fn every_reason_of_a_refusal_is_told_and_a_forced_coding_is_called_that() {
    check(
        status(422, json!({"message": ["plan is unknown", "port must be a number"]})),
        "Refused: read service svc_1: the API answered 422: plan is unknown; port must be a number",
    )
    .await;
    check(
        status(
            400,
            json!({"error": {"code": "invalid", "message": "no", "details": {"plan": "?"}}}),
        ),
        "Refused: read service svc_1: the API answered 400 invalid: no: plan: ?",
    )
    .await;
    let coded = vec![("content-encoding", "br".to_owned())];
    // What cannot be read is asked for again, as it may have been cut.
    let replies = (0..10).map(|_| Reply::Head(200, coded.clone(), "\u{1}\u{2}".into()));
    let (client, _) = client(replies.collect::<Vec<_>>());
    let error = client.reader().project().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "read the project: the answer cannot be read: it is encoded as `br`, which was not \
         requested"
    );
    check(
        Reply::Head(400, coded, "\u{1}\u{2}".into()),
        "Refused: read service svc_1: the API answered 400: its reason is encoded as `br`, which \
         was not requested",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_error_about_an_object_says_what_it_is_called() {
    let (client, _) = client([list(&[service("svc_1", "web")]), problem(403, "forbidden")]);
    let reader = client.reader();
    reader.list(Kind::Service).await.unwrap();
    let error = reader.get(Kind::Service, &RemoteId::new("svc_1").unwrap()).await.unwrap_err();
    assert!(error.to_string().starts_with("read service/web (svc_1): "), "{error}");
}
