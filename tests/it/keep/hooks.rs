//! Who tells the agent, and whom it tells: webhooks in, notifications out.

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::Value;
use sha2::Sha256;

use super::machine::{Agent, Machine, Request, group, service};
use super::repository::Repository;
use super::sink::{Sent, Sink};

const SECRET: &str = "a secret of more than sixteen bytes";

fn hex_mac(message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends what GitHub sends after a push.
fn push(machine: &Machine, agent: &Agent<'_>, delivery: &str, signature: &str) -> u16 {
    let body = body(delivery);
    let url = agent.url("/webhook");
    let headers = [
        ("content-type", "application/json"),
        ("x-github-event", "push"),
        ("x-github-delivery", delivery),
        ("x-hub-signature-256", signature),
    ];
    machine.ask(Request { method: Method::POST, url: &url, headers: &headers, body: &body }).0
}

fn body(delivery: &str) -> Vec<u8> {
    format!(r#"{{"ref":"refs/heads/main","after":"{delivery}"}}"#).into_bytes()
}

#[test]
fn a_signed_push_is_applied_at_once_and_a_forged_one_is_not_even_looked_at() {
    let machine = Machine::with(&[]);
    let repository = Repository::on(&machine);
    let first = repository.commit("Begin", &[("a.yaml", &group("one"))]);
    machine.write("secret", SECRET);
    let settings = "sandbox: true\nrepo: remote\nbranch: main\ngitPoll: off\ninterval: 1h\n\
                    webhook: { provider: github, secretFile: secret }\n";
    machine.write("stoker.yaml", settings);
    let agent = machine.agent("");
    agent.until_synced();
    let second = repository.commit("Go on", &[("b.yaml", &group("two"))]);
    let forged = format!("sha256={}", hex_mac(b"another body"));
    assert_eq!(push(&machine, &agent, "one", &forged), 401);
    assert_eq!(push(&machine, &agent, "one", ""), 401);
    let status = agent.status();
    assert_eq!(status.history.len(), 1, "{:#?}", status.history);
    assert_eq!(status.source.revision.unwrap().commit.unwrap(), first);
    let signed = format!("sha256={}", hex_mac(&body("two")));
    assert_eq!(push(&machine, &agent, "two", &signed), 202);
    agent.until("what was pushed is applied", |agent| {
        let synced = agent.status().synced?;
        (synced.commit.as_ref() == Some(&second)).then_some(())
    });
    assert_eq!(push(&machine, &agent, "two", &signed), 200, "a replay rings nothing");
    assert!(!agent.log().contains(SECRET));
    agent.end();
}

/// Settings with every kind of sink.
fn telling(sink: &Sink) -> String {
    let url = &sink.url;
    format!(
        "sandbox: true\nrepo: remote\ngitPoll: 500ms\ninterval: 1h\nnotifications:\n\
         - {{ type: webhook, url: '{url}/hook', secretFile: secret }}\n\
         - {{ type: slack, urlFile: slack }}\n\
         - {{ type: github, tokenFile: token, repo: 'https://github.com/acme/shop', apiUrl: '{url}/api' }}\n"
    )
}

/// Returns the words that a path was told, in order. Work has several reasons, and how many of them
/// are seen depends on how quick it is; so equal words in a row count as one, and no message may be
/// there twice.
#[track_caller]
fn told(sink: &Sink, path: &str, word: &str) -> Vec<String> {
    let heard: Vec<Value> = sink.heard(path).iter().map(Sent::json).collect();
    let essence = |it: &Value| format!("{}{}{}", it[word], it["reason"], it["description"]);
    let mut words: Vec<String> = Vec::new();
    for (index, one) in heard.iter().enumerate() {
        let is_new = |before: &Value| {
            before["revision"]["commit"] != one["revision"]["commit"]
                || essence(before) != essence(one)
        };
        assert!(heard[..index].iter().all(is_new), "told twice: {one}");
        let said = one[word].as_str().unwrap().to_owned();
        if words.last() != Some(&said) {
            words.push(said);
        }
    }
    words
}

#[test]
fn each_sink_is_told_of_each_state_once_in_its_own_form() {
    let machine = Machine::with(&[]);
    let repository = Repository::on(&machine);
    let first = repository.commit("Begin", &[("a.yaml", &service("one", ""))]);
    let sink = Sink::on(&machine);
    machine.write("secret", SECRET);
    machine.write("token", "a-token-of-the-forge");
    machine.write("slack", &format!("{}/slack", sink.url));
    machine.write("stoker.yaml", &telling(&sink));
    let agent = machine.agent("");
    let status = format!("/api/repos/acme/shop/statuses/{first}");
    let until_told = |agent: &Agent<'_>, path: &str, word: &str, words: &[&str]| {
        agent.until(&format!("{path} should be told {words:?}"), |_| {
            (told(&sink, path, word) == words).then_some(())
        });
    };
    until_told(&agent, "/hook", "outcome", &["pending", "succeeded"]);
    until_told(&agent, &status, "state", &["pending", "success"]);
    until_told(&agent, "/slack", "text", &[SLACK_OF_SUCCESS]);
    for sent in sink.heard("/hook") {
        check_signature(&sent);
    }
    for sent in sink.heard(&status) {
        assert_eq!(sent.json()["context"], "stoker/default");
        assert_eq!(sent.header("authorization"), "Bearer a-token-of-the-forge");
    }
    // A restart repeats nothing. What is wrong with the newest commit is told once, and never as
    // the status of the good one, which stays.
    agent.end();
    let agent = machine.agent("");
    agent.until_synced();
    repository.commit("Break it", &[("b.yaml", "kind: [")]);
    until_told(&agent, "/hook", "outcome", &["pending", "succeeded", "broken"]);
    let mended = repository.commit("Mend it", &[("b.yaml", &service("two", ""))]);
    let status_of_mended = format!("/api/repos/acme/shop/statuses/{mended}");
    until_told(&agent, &status_of_mended, "state", &["pending", "success"]);
    let all = ["pending", "succeeded", "broken", "pending", "succeeded"];
    until_told(&agent, "/hook", "outcome", &all);
    agent.end();
    assert_eq!(sink.heard("/slack").len(), 3, "success, what is wrong, success");
    assert_eq!(told(&sink, &status, "state"), ["pending", "success"]);
}

/// What Slack shows, where nothing interprets it.
const SLACK_OF_SUCCESS: &str =
    ":white_check_mark: *default* succeeded: Synced: everything is as declared";

/// Checks what a receiver would: the signature over the time and the very bytes.
#[track_caller]
fn check_signature(sent: &Sent) {
    let header = sent.header("x-stoker-signature");
    let (seconds, mac) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let signed = [seconds.as_bytes(), b".", &sent.bytes].concat();
    assert_eq!(mac, hex_mac(&signed));
}
