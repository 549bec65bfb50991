//! Any text as a schedule of faults: read or refused with a reason, printed and read again the
//! same, and whatever it is, playing it ends.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use stoker::clock::Clock;
use stoker::emulator::{Emulator, EmulatorConfig, Fault, Faults, TOKEN, Verb};
use stoker::sandbox::emulator_clock;

use super::scripted::{START, quietly};

/// The requests that are made under the faults.
const REQUESTS: [(&str, &str, &str); 6] = [
    ("GET", "/v1/project", ""),
    ("POST", "/v1/services", r#"{"name":"api","type":"web_service","runtime":"node"}"#),
    ("GET", "/v1/services?page=1&per_page=1", ""),
    ("POST", "/v1/databases", r#"{"name":"main","type":"postgres"}"#),
    ("GET", "/v1/databases", ""),
    ("DELETE", "/v1/databases/db_1", ""),
];

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// Reads a schedule and plays it.
pub fn faults(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(fault) = Fault::parse(text) {
        assert_eq!(Fault::parse(&fault.to_string()).as_ref(), Ok(&fault), "{fault}");
    }
    match Faults::parse(text) {
        Ok(faults) => quietly(play(faults)),
        Err(reason) => assert!(!reason.is_empty()),
    }
}

async fn play(faults: Faults) {
    let clock = Clock::starting_at(START.parse().expect("it is a time"));
    let emulator = Emulator::new(EmulatorConfig::default(), emulator_clock(&clock));
    emulator.play(faults);
    for (method, path, body) in REQUESTS {
        let request = http::Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        let request = request.header("content-type", "application/json");
        let request = request.body(Bytes::from_static(body.as_bytes())).expect("it is a request");
        // Some faults never answer; nothing else is at stake here.
        let answer = tokio::time::timeout(PATIENCE, async {
            let mut body = emulator.answer(request).await.ok()?.into_body();
            while let Some(Ok(_)) = body.next().await {}
            Some(())
        });
        drop(answer.await);
    }
    let record = Arc::new(emulator.record());
    let effects = record.entries().flat_map(|entry| entry.effects.iter());
    let made = effects.filter(|effect| effect.verb == Verb::Created && effect.name == "main");
    assert!(made.count() <= 1, "one request made two databases");
}
