//! Notifications: who is told what, and the exact requests.

mod asked;
mod mailing;
mod sending;

use jiff::Timestamp;
use secrecy::SecretString;

use super::*;
use crate::status::{
    BudgetStatus, ConditionReason, ConditionType, Conditions, HealthStatus, LifetimeCounts, Mode,
    Problem, ProjectStatus, ResourceStatus, Revision, SharedList, SourceStatus, Steering,
    SyncStatus, Truth,
};

const COMMIT: &str = "4f5e6d7c8b9a00112233445566778899aabbccdd";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_782_896_400 + seconds).unwrap()
}

/// A project at a commit, with these conditions: `Ready=True/Synced`.
fn status(commit: &str, conditions: &[&str]) -> ProjectStatus {
    let mut all = Conditions::default();
    for text in conditions {
        let (kind, rest) = text.split_once('=').unwrap();
        let (truth, reason) = rest.split_once('/').unwrap();
        let kind = ConditionType::ALL.into_iter().find(|one| one.as_str() == kind).unwrap();
        let truth = match truth {
            "True" => Truth::True,
            "False" => Truth::False,
            _ => Truth::Unknown,
        };
        all.set(kind, truth, reason.to_owned().into(), format!("because of {reason}"), at(0));
    }
    let revision = Revision {
        commit: Some(commit.to_owned()),
        subject: Some("Raise the <!channel> limit".to_owned()),
        author: Some("Ada".to_owned()),
        digest: "9c1a".to_owned(),
        at: at(0),
    };
    ProjectStatus {
        name: "shop".to_owned(),
        origin: "https://api.stackblaze.cloud/v1".to_owned(),
        platform_name: None,
        platform_id: None,
        mode: Mode::Repair,
        switches: None,
        started_at: at(0),
        updated_at: at(5),
        sync_status: SyncStatus::Synced,
        health_status: HealthStatus::Healthy,
        conditions: all,
        source: SourceStatus {
            location: "git".to_owned(),
            revision: Some(revision),
            problem: None,
        },
        synced: None,
        seen_synced_at: None,
        steering: Steering::default(),
        resources: SharedList::default(),
        pending: SharedList::default(),
        unmanaged: 0,
        unmanaged_things: Vec::new(),
        deployments: SharedList::default(),
        counts: LifetimeCounts::default(),
        last_repair: None,
        last_rollback: None,
        history: SharedList::default(),
        budget: BudgetStatus::default(),
        interval_seconds: 300,
        passing_since: None,
        next_pass_at: None,
    }
}

fn address(text: &str) -> SinkAddress {
    SinkAddress::parse(text).unwrap()
}

const TEMPLATE: &str = r#"{"text": {{ project }}, "why": [{{ reason }}, {{ message }}],
    "by": {{ revision.author }}, "is_bad": {{ outcome in ["failed", "broken"] }}}"#;

fn sink(name: &str) -> Sink {
    let token = || SecretString::from("canary-token".to_owned());
    let commit = |forge: Forge, repo: &str| SinkTarget::Commit {
        at: CommitTarget::new(forge, repo, None).unwrap(),
        token: token(),
    };
    let target = match name {
        "webhook" => SinkTarget::Webhook {
            address: address("https://hooks.dev/a?k=canary"),
            secret: Some(SecretString::from("key".to_owned())),
            body: None,
        },
        "templated" => SinkTarget::Webhook {
            address: address("https://hooks.dev/a"),
            secret: None,
            body: Some(Template::new(TEMPLATE, &example()).unwrap()),
        },
        "teams" => SinkTarget::Teams { address: address("https://flow.dev/canary") },
        "discord" => SinkTarget::Discord { address: address("https://discord.dev/api/canary") },
        "alertmanager" => SinkTarget::Alertmanager {
            address: address("https://alerts.dev/base/"),
            token: Some(token()),
            labels: [("severity".to_owned(), "page".to_owned())].into(),
        },
        "pagerduty" => SinkTarget::PagerDuty {
            address: address("https://events.dev/v2/enqueue"),
            key: SecretString::from("canary-key".to_owned()),
        },
        "slack" => {
            SinkTarget::Slack { address: address("https://hooks.slack.dev/services/canary") }
        }
        "github" => commit(Forge::Github, "https://github.com/acme/shop.git"),
        "gitlab" => commit(Forge::Gitlab, "ssh://git@git.dev:22/acme/web/shop.git"),
        _ => commit(Forge::Gitea, "git@forge.dev:acme/shop"),
    };
    let link = Some("https://stoker.dev/#shop".to_owned());
    Sink { name: name.to_owned(), tell: target.tells(), target, again: None, link }
}

/// Tells a sink one state after the other; returns what it was told, `outcome/reason` each.
fn told(name: &str, states: &[(&str, &[&str])]) -> String {
    let sinks = [sink(name)];
    let mut memory = Notified::default();
    let mut said = Vec::new();
    for (commit, conditions) in states {
        for notice in decide(&status(commit, conditions), &sinks, &memory) {
            said.push(format!("{}/{}", notice.outcome.as_str(), notice.reason));
            memory.note(&notice);
        }
        // It survives a restart.
        let kept = serde_json::to_string(&memory).unwrap();
        memory = serde_json::from_str(&kept).unwrap();
    }
    said.join(" ")
}

const SYNCED: &[&str] = &["Ready=True/Synced"];
const WORKING: &[&str] = &["Ready=False/Reconciling", "Reconciling=True/Reconciling"];
const STALLED: &[&str] = &["Ready=False/DeployFailed", "Stalled=True/DeployFailed"];
const OTHER: &[&str] = &["Ready=False/FieldFlapping", "Stalled=True/FieldFlapping"];

#[test]
fn a_message_goes_out_once_for_a_revision_and_a_reason() {
    assert_eq!(
        told("slack", &[("a", WORKING), ("a", SYNCED), ("a", SYNCED), ("b", SYNCED)]),
        "succeeded/Synced succeeded/Synced"
    );
    assert_eq!(
        told("webhook", &[("a", WORKING), ("a", SYNCED), ("a", WORKING), ("a", SYNCED)]),
        "pending/Reconciling succeeded/Synced"
    );
    // It flaps: the second failure for the same reason is no news, nor is the recovery from it.
    assert_eq!(
        told(
            "slack",
            &[("a", STALLED), ("a", SYNCED), ("a", STALLED), ("a", SYNCED), ("a", OTHER)]
        ),
        "broken/DeployFailed succeeded/Synced broken/FieldFlapping"
    );
    assert_eq!(
        told("slack", &[("a", STALLED), ("a", OTHER), ("a", STALLED), ("b", STALLED)]),
        "broken/DeployFailed broken/FieldFlapping broken/DeployFailed"
    );
}

#[test]
fn a_commits_status_is_pending_first_and_then_follows_what_becomes_of_it() {
    assert_eq!(
        told("github", &[("a", SYNCED), ("a", SYNCED), ("a", STALLED), ("a", SYNCED)]),
        "pending/Reconciling succeeded/Synced broken/DeployFailed succeeded/Synced"
    );
    assert_eq!(
        told("github", &[("a", WORKING), ("a", WORKING), ("a", SYNCED)]),
        "pending/Reconciling succeeded/Synced"
    );
    // A routine look at the platform does not take the answer back.
    assert_eq!(
        told("github", &[("a", SYNCED), ("a", WORKING), ("a", SYNCED), ("b", WORKING)]),
        "pending/Reconciling succeeded/Synced pending/Reconciling"
    );
}

#[test]
fn how_a_project_stands_follows_from_its_conditions() {
    for (conditions, expected) in [
        (&["Ready=False/WindowClosed"][..], "held/WindowClosed"),
        (&["Ready=False/Drifted", "Drifted=True/FieldsDiffer"], "drifted/FieldsDiffer"),
        (&["Ready=Unknown/Starting"], ""),
        (&[], ""),
    ] {
        assert_eq!(told("webhook", &[("a", conditions)]), expected);
    }
    let mut failed = status("a", STALLED);
    failed.resources.push(ResourceStatus {
        key: "service/api".parse().unwrap(),
        id: None,
        owned: None,
        sync_status: SyncStatus::Synced,
        health_status: HealthStatus::Degraded,
        labels: std::collections::BTreeMap::new(),
        conditions: failed.conditions.clone(),
        health: None,
        url: None,
        replicas: None,
        declared_at: None,
        depends_on: Vec::new(),
        by_hand: Vec::new(),
        unsettled: Vec::new(),
        observed_revision: None,
        runs: None,
        deployment: None,
        failures: 1,
        retry_at: None,
    });
    let notices = decide(&failed, &[sink("webhook")], &Notified::default());
    assert_eq!(notices[0].outcome, ProjectOutcome::Failed, "a resource is to blame");
}

#[test]
fn nobody_is_told_of_what_was_never_read_and_no_commit_of_one_that_cannot_be_used() {
    let sinks = ["webhook", "slack", "github"].map(sink);
    let mut unread = status("a", SYNCED);
    unread.source.revision = None;
    assert_eq!(decide(&unread, &sinks, &Notified::default()), []);
    let mut broken = status("a", &["Ready=False/Invalid", "Stalled=True/ManifestsInvalid"]);
    broken.source.problem = Some(Problem {
        reason: ConditionReason::ManifestsInvalid,
        message: "the manifests are invalid".to_owned(),
        hints: Vec::new(),
        diagnostics: Vec::new(),
    });
    let names: Vec<String> = decide(&broken, &sinks, &Notified::default())
        .into_iter()
        .map(|notice| notice.sink)
        .collect();
    assert_eq!(names, ["webhook", "slack"]);
    let mut files = status("a", SYNCED);
    files.source.revision.as_mut().unwrap().commit = None;
    let named: Vec<String> =
        decide(&files, &sinks, &Notified::default()).into_iter().map(|one| one.sink).collect();
    assert_eq!(named, ["webhook", "slack"], "plain files have no commit");
}

/// Method, address, headers in order of their names, and body of the first request.
fn sent(name: &str, conditions: &[&str]) -> String {
    let sink = sink(name);
    let notices =
        decide(&status(COMMIT, conditions), std::slice::from_ref(&sink), &Notified::default());
    let request = request(&sink, notices.last().unwrap(), at(9)).unwrap();
    let (head, body) = request.into_parts();
    let mut headers: Vec<String> = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    let body = String::from_utf8(body.to_vec()).unwrap();
    format!("{} {}\n{}\n\n{body}\n", head.method, head.uri, headers.join("\n"))
}

#[test]
fn the_requests_are_as_documented() {
    insta::assert_snapshot!(sent("webhook", STALLED));
    insta::assert_snapshot!(sent("slack", STALLED));
    insta::assert_snapshot!(sent("github", STALLED));
    insta::assert_snapshot!(sent("gitlab", STALLED));
    insta::assert_snapshot!(sent("gitea", SYNCED));
    insta::assert_snapshot!(sent("templated", STALLED));
    insta::assert_snapshot!(sent("teams", STALLED));
    insta::assert_snapshot!(sent("discord", STALLED));
    insta::assert_snapshot!(sent("alertmanager", STALLED));
    insta::assert_snapshot!(sent("pagerduty", STALLED));
}

#[test]
fn what_others_wrote_cannot_call_a_channel() {
    let mut loud = status(COMMIT, SYNCED);
    loud.conditions.set(
        ConditionType::Ready,
        Truth::True,
        ConditionReason::Synced,
        "<!channel> & \u{202e}",
        at(0),
    );
    let sink = sink("slack");
    let notices = decide(&loud, std::slice::from_ref(&sink), &Notified::default());
    let body = request(&sink, &notices[0], at(0)).unwrap().into_body();
    let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let text = value["text"].as_str().unwrap();
    assert!(text.ends_with("Synced: &lt;!channel&gt; &amp; "), "{text}");
    for block in value["blocks"].as_array().unwrap() {
        let text = block["text"].to_string() + &block["elements"].to_string();
        // What is interpreted is ours alone.
        let is_ours = |it: &serde_json::Value| !it["text"].to_string().contains("channel");
        let interpreted = block["elements"].as_array().into_iter().flatten();
        let mut interpreted = interpreted.filter(|it| it["type"] == "mrkdwn");
        assert!(
            interpreted.all(is_ours)
                && !(block["text"]["type"] == "mrkdwn" && text.contains("channel")),
            "{text}"
        );
    }
}

#[test]
fn the_api_of_a_forge_follows_from_the_repository() {
    let check = |forge: Forge, repo: &str| match CommitTarget::new(forge, repo, None) {
        Ok(at) => format!("{} {}", at.api.expose(), at.repository.join("/")),
        Err(error) => error.to_string(),
    };
    assert_eq!(check(Forge::Github, "git@github.com:a/b.git"), "https://api.github.com/ a/b");
    assert_eq!(check(Forge::Github, "https://git.dev/a/b"), "https://git.dev/api/v3 a/b");
    assert_eq!(check(Forge::Gitlab, "https://u@git.dev/a/b/c.git"), "https://git.dev/api/v4 a/b/c");
    assert_eq!(
        check(Forge::Gitea, "http://127.0.0.1:3000/a/b"),
        "http://127.0.0.1:3000/api/v1 a/b"
    );
    for repo in ["https://git.dev/a", "/srv/git/a", "https://git.dev/a/../b", "ftp://git.dev/a/b"] {
        assert!(check(Forge::Gitea, repo).contains("has no owner"), "{repo}");
    }
    assert!(check(Forge::Gitea, "http://git.dev/a/b").contains("neither https nor http"));
    let own = CommitTarget::new(Forge::Gitea, "git@git.dev:a/b", Some("https://git.dev/x/api/v1"));
    assert_eq!(own.unwrap().api, address("https://git.dev/x/api/v1"));
}

#[test]
fn an_address_is_private_and_shows_only_its_host() {
    for text in ["http://hooks.dev/a", "ftp://a.dev", "/a", "", "https://me:canary@a.dev/"] {
        let error = SinkAddress::parse(text).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{text}");
    }
    let shown = format!(
        "{0} {0:?} {1:?} {2:?}",
        address("https://a.dev/canary"),
        sink("slack"),
        sink("github")
    );
    assert!(shown.contains("a.dev") && !shown.contains("canary"), "{shown}");
    assert!(SinkAddress::parse("http://[::1]:80/a").is_ok());
}
