//! Nothing that is shown, logged or returned holds a secret (S9).

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use super::*;
use crate::model::{Desired, FieldPath, Fingerprint, Kind, Name, Secret, SecretOrigin};

const SECRET: &str = "canary\"s\\ecret of a canary";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Answers that repeat what was sent, as a careless server does.
fn echoes() -> Vec<Reply> {
    let message = format!("value {SECRET} refused for {TOKEN}");
    let echo = |code: u16| {
        let error = json!({"code": TOKEN, "message": message, "request_id": SECRET});
        status(code, json!({ "error": error }))
    };
    let header = vec![("x-request-id", TOKEN.to_owned())];
    vec![
        echo(400),
        echo(500),
        status(400, json!({"statusCode": 400, "message": message, "error": "Bad Request"})),
        status(400, json!({ "error": message })),
        status(201, json!({"id": 1, "message": message})),
        Reply::Head(201, header, message.clone().into()),
        status(422, json!({"errors": {"env_vars": [format!("no {}", percent_encoded(SECRET))]}})),
        status(422, json!({"detail": format!("{:?}", format!("{message:?}"))})),
        status(422, json!({"detail": message.to_ascii_uppercase()})),
        status(422, json!({"detail": base64(&format!("user:{SECRET}@host"))})),
        status(422, json!({"message": &message["value c".len()..]})),
        status(307, json!({})),
        Reply::Head(302, vec![("location", format!("/{TOKEN}?{TOKEN}"))], "".into()),
        lost(),
    ]
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn base64(text: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text)
}

#[tokio::test(start_paused = true)]
async fn no_error_and_no_log_line_at_any_level_holds_a_token_or_a_secret() {
    let log = Log::default();
    let writer_of_log = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer_of_log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    // With a single subscriber alive, a test on another thread that logs first would switch the
    // log line off for all; with two, each line asks every subscriber.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    for reply in echoes() {
        let (client, script) = client([reply]);
        let writer = writer(&client);
        let secret =
            Secret::new(SECRET.into(), Fingerprint::new("mark".to_owned()), SecretOrigin::Given);
        let path: FieldPath = "envVars.KEY".parse().unwrap();
        let fields = BTreeMap::from([(path, secret.into())]);
        let name = Name::new("api").unwrap();
        let (links, answers) = (Links::default(), Answers::default());
        let draft = draft(Kind::Service, &name, &fields, &links, &answers);
        let outcome = writer.create(leave(&writer, &client).await, draft, &|| Ok(())).await;
        assert_eq!(script.body(0)["env_vars"][0]["value"], SECRET, "the API does get it");
        assert_eq!(script.header(0, "authorization"), format!("Bearer {TOKEN}"));
        for shown in [
            format!("{outcome:?}"),
            outcome.err().map(|error| error.to_string()).unwrap_or_default(),
            format!("{client:?} {writer:?} {:?}", client.limits_last_seen()),
        ] {
            let shown = shown.to_ascii_lowercase();
            let forms = [SECRET[1..].to_owned(), percent_encoded("anary"), base64("anary\"s\\")];
            assert!(!shown.contains("canary") && !shown.contains("anary"), "{shown}");
            assert!(forms.iter().all(|form| !shown.contains(&form.to_lowercase())), "{shown}");
        }
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("/services"), "requests are logged: {log}");
    assert!(!log.contains("canary"), "{log}");
}

/// A platform may say which value it had before: one that gave way is as secret as ever (S9).
#[tokio::test(start_paused = true)]
async fn no_error_holds_a_secret_that_was_replaced() {
    let message = format!("cannot change {SECRET}");
    let (client, _script) = client([status(400, json!({ "error": message }))]);
    let mark = Fingerprint::new("mark".to_owned());
    let before = Secret::new(SECRET.into(), mark, SecretOrigin::Generated);
    client.keeps_secret(&Arc::new(Desired { replaced: vec![before], ..Desired::default() }));
    let writer = writer(&client);
    let name = Name::new("api").unwrap();
    let (fields, links, answers) = (BTreeMap::new(), Links::default(), Answers::default());
    let draft = draft(Kind::Service, &name, &fields, &links, &answers);
    let outcome = writer.create(leave(&writer, &client).await, draft, &|| Ok(())).await;
    let shown = outcome.err().map(|error| error.to_string()).unwrap();
    assert!(shown.contains("cannot change") && !shown.contains("anary"), "{shown}");
}
