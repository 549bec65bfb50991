//! What ordinary servers answer: frameworks' own errors, and bodies that are not there.

use super::*;
use crate::model::{Kind, RemoteId};

/// Makes an answer of the API.
type Answered = fn() -> Reply;

fn framework(code: u16, message: &str) -> Reply {
    status(code, json!({"statusCode": code, "message": message}))
}

fn empty(code: u16, more: &[(&'static str, &str)]) -> Reply {
    let html = ("content-type", "text/html; charset=utf-8".to_owned());
    let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
    Reply::Head(code, std::iter::once(html).chain(more).collect(), Bytes::new())
}

/// Looks at a service after these answers, of which the last comes as often as it is asked for.
async fn look(before: Vec<Reply>, last: fn() -> Reply) -> (String, usize) {
    let reads = before.len();
    let (client, script) = client(before.into_iter().chain((0..9).map(|_| last())));
    let (reader, id) = (client.reader(), RemoteId::new("svc_1").unwrap());
    for _ in 0..reads {
        drop(reader.project().await);
    }
    let error = reader.get(Kind::Service, &id).await.unwrap_err();
    (format!("{:?}: {error}", error.kind()), script.asked().len() - reads)
}

#[tokio::test(start_paused = true)]
async fn the_status_decides_and_not_the_form_of_an_error() {
    let all: [(Answered, &str, &str, usize); 6] = [
        (|| framework(500, "Internal server error"), "Unavailable", "answered 500: Internal", 4),
        (|| framework(502, "no"), "Unavailable", "answered 502: no", 4),
        (|| framework(503, "busy"), "Unavailable", "answered 503: busy", 4),
        (|| framework(408, "late"), "Unavailable", "answered 408: late", 4),
        (|| framework(413, "too large"), "Refused", "answered 413: too large", 1),
        (|| framework(400, "bad"), "Refused", "answered 400: bad", 1),
    ];
    for (reply, kind, says, asked) in all {
        let (said, count) = look(vec![], reply).await;
        assert!(said.starts_with(kind) && said.contains(says), "{said}");
        assert_eq!(count, asked, "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_generation_is_judged_by_what_answered_before() {
    let known: [Answered; 2] =
        [|| ok(json!({"id": "prj_1", "name": "acme"})), || problem(403, "forbidden")];
    let forms: [(Answered, &str); 3] = [
        (|| framework(401, "no"), "Authentication"),
        (|| framework(403, "no"), "Permission"),
        (|| framework(404, "no"), "Refused"),
    ];
    for (reply, kind) in forms {
        let said = look(vec![], reply).await.0;
        assert!(said.starts_with("NotTheApi") && said.contains("another generation"), "{said}");
        for answered in known {
            let said = look(vec![answered()], reply).await.0;
            assert!(said.starts_with(kind) && !said.contains("generation"), "{said}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_called_that_by_whoever_refuses_it() {
    for (reply, says) in [
        (html as fn(u16) -> Reply, "the body of the request is larger than the server accepts"),
        (|code| empty(code, &[]), "the body of the request is larger than the server accepts"),
        (|code| framework(code, "request entity too large"), "request entity too large"),
    ] {
        let (client, script) = client([reply(413)]);
        let error = client.reader().project().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.to_string().contains(&format!("answered 413: {says}")), "{error}");
        assert_eq!(script.asked().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_error_of_a_type_is_judged_by_its_status() {
    for (code, kind) in [(401, "Authentication"), (403, "Permission"), (404, "Refused")] {
        let (client, _) = client([empty(code, &[])]);
        let error = client.reader().project().await.unwrap_err();
        assert_eq!(format!("{:?}", error.kind()), kind);
    }
}

async fn delete(reply: Reply) -> String {
    let (client, _) = client([reply]);
    let (writer, id) = (writer(&client), RemoteId::new("svc_1").unwrap());
    match writer.delete(leave(&writer, &client).await, Kind::Service, &id).await {
        Ok(deletion) => deletion.to_string(),
        Err(WriteError::Ambiguous(error)) => format!("open: {}", error.cause()),
        Err(error) => format!("{error:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_answered_with_nothing_is_done_and_one_answered_with_a_page_is_open() {
    for reply in [
        empty(204, &[]),
        empty(204, &[("content-length", "17"), ("content-encoding", "gzip")]),
        empty(200, &[]),
        empty(200, &[("content-encoding", "gzip")]),
        ok(json!({"deleted": true})),
    ] {
        assert_eq!(delete(reply).await, "gone");
    }
    assert_eq!(delete(empty(202, &[])).await, "going");
    for reply in [
        html(200),
        html(202),
        Reply::Head(200, Vec::new(), "You are offline".into()),
        ok(json!("deleted")),
        empty(200, &[("content-length", "17")]),
    ] {
        let said = delete(reply).await;
        assert!(said.starts_with("open: "), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_patch_answered_with_nothing_is_done() {
    for reply in [empty(204, &[]), empty(200, &[])] {
        let (client, _) = client([reply]);
        let (writer, id) = (writer(&client), RemoteId::new("svc_1").unwrap());
        let (changes, links, answers) = (BTreeMap::new(), Links::default(), Answers::default());
        let patch = Patch { changes: &changes, env_whole: None, links: &links, answers: &answers };
        let answer = writer.patch(leave(&writer, &client).await, &id, patch).await;
        assert_eq!(answer.unwrap(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_obeyed_in_every_form_of_what_is_busy_and_of_nothing_else() {
    let waited = async |code: u16, wait: &str| {
        let date = "Tue, 24 Nov 2026 00:00:00 GMT".to_owned();
        let head = vec![("retry-after", wait.to_owned()), ("date", date)];
        let body = json!({"name": "acme"}).to_string();
        // A body cut short is what goes wrong with a good status.
        let first = if code == 200 { "{".to_owned() } else { body.clone() };
        let replies = [Reply::Head(code, head, first.into()), ok(json!({"name": "acme"}))];
        let (client, _) = client(replies);
        let began = tokio::time::Instant::now();
        client.reader().project().await.unwrap();
        began.elapsed().as_secs_f64()
    };
    for (wait, least) in [
        ("20", 20.0),
        ("12.5", 12.5),
        ("Tue, 24 Nov 2026 00:00:20 GMT", 20.0),
        ("2026-11-24T00:00:20Z", 20.0),
    ] {
        for code in [429, 503] {
            let waited = waited(code, wait).await;
            assert!((least..least * 1.5 + 2.0).contains(&waited), "{code} {wait}: {waited}");
        }
        for code in [200, 408, 500, 502] {
            let waited = waited(code, wait).await;
            assert!(waited < 5.0, "{code} {wait}: {waited}");
        }
    }
}
