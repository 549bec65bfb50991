//! Who tells the agent, and whom it tells: webhooks in, notifications out.

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use sha2::Sha256;

use super::machine::{Agent, Machine, Request, group};
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

/// Returns the words that a path was told at a commit, in order.
fn told(sink: &Sink, path: &str, word: &str) -> Vec<String> {
    let heard = sink.heard(path);
    heard.iter().map(|sent| sent.json()[word].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_sink_is_told_of_each_state_once_in_its_own_form() {
    let machine = Machine::with(&[]);
    let repository = Repository::on(&machine);
    let first = repository.commit("Begin", &[("a.yaml", &group("one"))]);
    let sink = Sink::on(&machine);
    machine.write("secret", SECRET);
    machine.write("token", "a-token-of-the-forge");
    machine.write("slack", &format!("{}/slack", sink.url));
    machine.write("stoker.yaml", &telling(&sink));
    let agent = machine.agent("");
    let status = format!("/api/repos/acme/shop/statuses/{first}");
    agent.until("all are told", |_| {
        let counts = ["/hook", "/slack", &status].map(|path| sink.heard(path).len());
        (counts == [2, 1, 2]).then_some(())
    });
    assert_eq!(told(&sink, "/hook", "outcome"), ["pending", "succeeded"]);
    assert_eq!(told(&sink, &status, "state"), ["pending", "success"]);
    for sent in sink.heard("/hook") {
        check_signature(&sent);
    }
    for sent in sink.heard(&status) {
        assert_eq!(sent.json()["context"], "stoker/default");
        assert_eq!(sent.header("authorization"), "Bearer a-token-of-the-forge");
    }
    let slack = &sink.heard("/slack")[0].json();
    assert!(slack["text"].as_str().unwrap().contains("*default* succeeded"), "{slack}");
    // A restart repeats nothing; a failure is told once, with its reason, on the good commit's
    // own status never.
    agent.end();
    let agent = machine.agent("");
    agent.until_synced();
    repository.commit("Break it", &[("b.yaml", "kind: [")]);
    agent.until("the fault is told", |_| (sink.heard("/slack").len() == 2).then_some(()));
    agent.until_ready_says("ManifestsInvalid");
    let mended = repository.commit("Mend it", &[("b.yaml", &group("two"))]);
    let status_of_mended = format!("/api/repos/acme/shop/statuses/{mended}");
    agent.until("it is told that it is mended", |_| {
        let counts = ["/slack", &status_of_mended].map(|path| sink.heard(path).len());
        (counts == [3, 2]).then_some(())
    });
    agent.end();
    let outcomes = told(&sink, "/hook", "outcome");
    assert_eq!(outcomes, ["pending", "succeeded", "broken", "pending", "succeeded"]);
    assert_eq!(sink.heard(&status).len(), 2);
    assert_eq!(told(&sink, &status_of_mended, "state"), ["pending", "success"]);
}

/// Checks what a receiver would: the signature over the time and the very bytes.
#[track_caller]
fn check_signature(sent: &Sent) {
    let header = sent.header("x-stoker-signature");
    let (seconds, mac) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let signed = [seconds.as_bytes(), b".", &sent.bytes].concat();
    assert_eq!(mac, hex_mac(&signed));
}
