//! Metrics, read back by a reader that forgives nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::body::Body;
use http::Method;

use crate::api::RequestCounts;
use crate::daemon::server::BudgetNow;
use crate::status::{
    ConditionReason, ConditionType, HealthStatus, ResourceStatus, Revision, Suspension, SyncStatus,
    Truth,
};

use super::stage::{self, Answered, Stage, ask, get, request};

/// The samples of an exposition: name with labels in order, and value.
type Samples = BTreeMap<(String, Vec<(String, String)>), f64>;

/// Reads OpenMetrics 1.0 and panics at what the specification does not allow.
fn read(text: &str) -> Samples {
    let body = text.strip_suffix("# EOF\n").expect("it ends with # EOF and nothing after it");
    let (mut samples, mut families) = (Samples::new(), BTreeSet::new());
    let (mut family, mut kind, mut described) = (String::new(), String::new(), String::new());
    for line in body.split_terminator('\n') {
        assert!(!line.is_empty(), "an empty line");
        if let Some(rest) = line.strip_prefix("# ") {
            let mut parts = rest.splitn(3, ' ');
            let (keyword, name, value) =
                (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
            match keyword {
                "HELP" => {
                    assert!(is_metric_name(name), "{name}");
                    assert!(families.insert(name.to_owned()), "{name} is there twice");
                    described = name.to_owned();
                }
                "TYPE" => {
                    assert_eq!(name, described);
                    (family, kind) = (name.to_owned(), value.to_owned());
                }
                "UNIT" => {
                    assert!(name == family && family.ends_with(&format!("_{value}")), "{line}");
                }
                other => panic!("{other} is no keyword"),
            }
            continue;
        }
        let (name, labels, value) = read_sample(line);
        let suffix = name.strip_prefix(family.as_str()).unwrap_or_else(|| panic!("{line}"));
        let is_allowed = match kind.as_str() {
            "counter" => suffix == "_total",
            "gauge" => suffix.is_empty(),
            "info" => suffix == "_info" && value == 1.0,
            "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
            other => panic!("{other} is no type of ours"),
        };
        assert!(is_allowed, "{line} in a family of type {kind}");
        assert!(samples.insert((name, labels), value).is_none(), "{line} is there twice");
    }
    samples
}

fn is_metric_name(name: &str) -> bool {
    let mut characters = name.chars();
    let first = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn read_sample(line: &str) -> (String, Vec<(String, String)>, f64) {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    assert!(is_metric_name(name), "{line}");
    let mut labels = Vec::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, after) = rest.split_once("=\"").unwrap();
            assert!(is_metric_name(label), "{line}");
            let (value, after) = read_value(after);
            assert!(labels.iter().all(|(known, _)| known != label), "{line}");
            labels.push((label.to_owned(), value));
            if let Some(after) = after.strip_prefix('}') {
                rest = after;
                break;
            }
            rest = after.strip_prefix(',').unwrap_or_else(|| panic!("{line}"));
        }
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    (name.to_owned(), labels, value.parse().unwrap())
}

/// Reads up to the closing quote.
fn read_value(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => match characters.next().unwrap().1 {
                'n' => value.push('\n'),
                escaped @ ('"' | '\\') => value.push(escaped),
                other => panic!("\\{other} is no escape"),
            },
            other => value.push(other),
        }
    }
    panic!("a label that does not end: {text}");
}

fn value(samples: &Samples, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let owned = |(label, value): &(&str, &str)| ((*label).to_owned(), (*value).to_owned());
    samples.get(&(name.to_owned(), labels.iter().map(owned).collect())).copied()
}

fn resource(key: &str, ready: Truth, drifted: Truth) -> ResourceStatus {
    let mut conditions = crate::status::Conditions::default();
    conditions.set(ConditionType::Ready, ready, ConditionReason::Progressing, "", stage::now());
    conditions.set(ConditionType::Drifted, drifted, ConditionReason::Progressing, "", stage::now());
    ResourceStatus {
        key: key.parse().unwrap(),
        id: Some("svc_0123456789".to_owned()),
        owned: None,
        sync_status: SyncStatus::OutOfSync,
        health_status: HealthStatus::Degraded,
        conditions,
        labels: BTreeMap::new(),
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
        failures: 0,
        retry_at: None,
    }
}

const PENDING: &str = r#"[
    { "key": "service/api", "action": "update", "reason": "drift", "origin": null,
      "effect": "none", "requests": 1, "fields": [], "blocked": null },
    { "key": "database/old", "action": "delete", "reason": "not_in_desired", "origin": null,
      "effect": "destroy", "requests": 0, "fields": [],
      "blocked": { "reason": "fuse", "message": "too much", "hint": null } }
]"#;

/// The header with which a collector asks for OpenMetrics.
const OPEN: [(&str, &str); 1] = [("accept", "application/openmetrics-text;version=1.0.0")];

/// Asks for the metrics as OpenMetrics.
async fn open_metrics(stage: &Stage) -> Answered {
    ask(&stage.public, request(Method::GET, "/metrics", &OPEN, Body::empty())).await
}

/// A project with two resources, a past and counted requests.
fn busy_stage() -> Stage {
    let stage = Stage::new(&["shop"]);
    let mut status = stage::status("shop");
    status.resources = vec![
        resource("service/api", Truth::True, Truth::True),
        resource("database/main", Truth::Unknown, Truth::False),
    ]
    .into();
    // What a pass applied was not yet seen to be so.
    status.history = vec![
        stage::pass("Applied", Duration::from_secs(9)),
        stage::pass("Synced", Duration::from_secs(2)),
    ]
    .into();
    status.seen_synced_at = Some(stage::now() + Duration::from_secs(2));
    status.sync_status = SyncStatus::OutOfSync;
    let (ready, reason) = (ConditionType::Ready, ConditionReason::Fuse);
    status.conditions.set(ready, Truth::False, reason, "too much", stage::now());
    status.source.revision = Some(Revision {
        commit: Some("4f5e6d7c8b9a0011".to_owned()),
        subject: Some("a subject".to_owned()),
        author: None,
        digest: "9c1a".to_owned(),
        at: stage::now(),
    });
    let (since, until) = (stage::now(), stage::now() + Duration::from_secs(60));
    status.steering.suspension = Some(Suspension { reason: "a move".to_owned(), since, until });
    status.pending = serde_json::from_str(PENDING).unwrap();
    status.counts.drift_repaired = 3;
    status.counts.deployments.insert("failed".to_owned(), 2);
    stage.seats["shop"].show(status);
    stage.meters.count_untold_of("shop", || BTreeMap::from([("chat".to_owned(), 4)]));
    for (outcome, millis) in [("Synced", 50), ("Synced", 51), ("Failed", 1_000_000)] {
        let pass = stage::pass(outcome, Duration::from_millis(millis));
        stage.meters.observe_pass("shop", &pass);
    }
    let key = ("GET".to_owned(), "/services/{id}", 200);
    stage.meters.count_requests_of("shop", move || RequestCounts::from([(key.clone(), 12)]));
    stage
}

#[tokio::test(start_paused = true)]
async fn the_metrics_say_what_was_counted_and_what_is_known() {
    let stage = busy_stage();
    let answered = open_metrics(&stage).await;
    assert_eq!(
        answered.header("content-type"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let samples = read(&answered.text);
    let shop = ("project", "shop");
    let histogram = "stoker_reconcile_duration_seconds";
    let bucket = |bound| value(&samples, &format!("{histogram}_bucket"), &[("le", bound), shop]);
    let start = f64::from(u32::try_from(stage::now().as_second()).unwrap());
    for (found, expected) in [
        (value(&samples, "stoker_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0),
        (bucket("0.05"), 1.0),
        (bucket("0.1"), 2.0),
        (bucket("900.0"), 2.0),
        (bucket("+Inf"), 3.0),
        (value(&samples, &format!("{histogram}_count"), &[shop]), 3.0),
        (value(&samples, &format!("{histogram}_sum"), &[shop]), 1_000.101),
        (value(&samples, "stoker_reconcile_total", &[shop, ("result", "Synced")]), 2.0),
        (value(&samples, "stoker_reconcile_total", &[shop, ("result", "Failed")]), 1.0),
        (value(&samples, "stoker_drifted_resources", &[shop]), 1.0),
        (value(&samples, "stoker_api_budget_remaining", &[shop]), 211.0),
        (value(&samples, "stoker_last_success_timestamp_seconds", &[shop]), start + 2.0),
        (
            value(
                &samples,
                "stoker_api_requests_total",
                &[shop, ("method", "GET"), ("route", "/services/{id}"), ("code", "200")],
            ),
            12.0,
        ),
        (
            value(
                &samples,
                "stoker_resource_info",
                &[
                    shop,
                    ("kind", "database"),
                    ("name", "main"),
                    ("ready", "unknown"),
                    ("sync", "OutOfSync"),
                    ("health", "Degraded"),
                    ("reason", "Progressing"),
                ],
            ),
            1.0,
        ),
        (
            value(
                &samples,
                "stoker_project_info",
                &[shop, ("sync", "OutOfSync"), ("health", "Healthy")],
            ),
            1.0,
        ),
        (
            value(
                &samples,
                "stoker_condition",
                &[shop, ("type", "Ready"), ("status", "false"), ("reason", "Fuse")],
            ),
            1.0,
        ),
        (value(&samples, "stoker_source_info", &[shop, ("revision", "4f5e6d7c8b")]), 1.0),
        (value(&samples, "stoker_source_timestamp_seconds", &[shop]), start),
        (value(&samples, "stoker_suspended", &[shop]), 1.0),
        (value(&samples, "stoker_pending_changes", &[shop]), 1.0),
        (value(&samples, "stoker_blocked_changes", &[shop, ("reason", "fuse")]), 1.0),
        (value(&samples, "stoker_drift_repaired_total", &[shop]), 3.0),
        (value(&samples, "stoker_deployments_total", &[shop, ("result", "failed")]), 2.0),
        (value(&samples, "stoker_deployments_total", &[shop, ("result", "succeeded")]), 0.0),
        (value(&samples, "stoker_notification_failures_total", &[shop, ("sink", "chat")]), 4.0),
        (value(&samples, "stoker_api_budget_limit", &[shop]), 300.0),
    ] {
        assert_eq!(found, Some(expected), "{}", answered.text);
    }
    assert!(!answered.text.contains("svc_0123456789"), "no id stands in a label");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_ask_for_open_metrics_gets_what_every_collector_reads() {
    let stage = busy_stage();
    let answered = get(&stage.public, "/metrics").await;
    assert_eq!(answered.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(answered.header("vary"), "Accept");
    let samples = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(samples(&answered.text), samples(&open_metrics(&stage).await.text));
    for line in answered.text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
        assert!((kind == "counter") == name.ends_with("_total"), "{line}");
    }
    assert!(!answered.text.contains("# EOF") && !answered.text.contains("# UNIT"));
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_read_when_somebody_asks() {
    let stage = busy_stage();
    let left = Arc::new(AtomicU32::new(200));
    let source = Arc::clone(&left);
    stage.meters.read_budget_of("shop", move || {
        Some(BudgetNow { limit: 300, remaining: source.load(Ordering::Relaxed) })
    });
    for expected in [200, 17] {
        left.store(expected, Ordering::Relaxed);
        let samples = read(&open_metrics(&stage).await.text);
        let found = value(&samples, "stoker_api_budget_remaining", &[("project", "shop")]);
        assert_eq!(found, Some(f64::from(expected)));
    }
}

#[tokio::test(start_paused = true)]
async fn every_metric_and_no_other_stands_in_the_documentation() {
    let text = open_metrics(&busy_stage()).await.text;
    let strip = |name: &str| {
        let ends = ["_bucket", "_sum", "_count"];
        ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    };
    let told: BTreeSet<_> = read(&text).keys().map(|(name, _)| strip(name)).collect();
    let documentation = include_str!("../../../../docs/server.md");
    let rows = documentation.lines().filter_map(|line| line.strip_prefix("| `stoker_"));
    let rows = rows.map(|row| format!("stoker_{}", row.split('`').next().unwrap()));
    assert_eq!(rows.collect::<BTreeSet<_>>(), told);
}

#[tokio::test(start_paused = true)]
async fn a_hostile_word_stays_inside_its_label() {
    let stage = Stage::new(&["shop"]);
    let word = "a\"} 1\n# EOF\n\\evil{x=\"\u{202e}\\n";
    stage.meters.observe_pass("shop", &stage::pass(word, Duration::ZERO));
    let key = (word.to_owned(), "/services", 0);
    stage.meters.count_requests_of("shop", move || RequestCounts::from([(key.clone(), 1)]));
    let samples = read(&open_metrics(&stage).await.text);
    let labels = [("project", "shop"), ("result", word)];
    assert_eq!(value(&samples, "stoker_reconcile_total", &labels), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn before_anything_happened_the_form_holds_and_one_state_is_one_text() {
    let none = Stage::new(&[]);
    read(&open_metrics(&none).await.text);
    let stage = Stage::new(&["blog", "shop"]);
    for name in ["shop", "blog"] {
        stage.meters.observe_pass(name, &stage::pass("Synced", Duration::ZERO));
        stage.meters.observe_pass(name, &stage::pass("Failed", Duration::ZERO));
    }
    let first = open_metrics(&stage).await.text;
    let samples = read(&first);
    let never = [("project", "blog")];
    assert_eq!(value(&samples, "stoker_last_success_timestamp_seconds", &never), None);
    assert_eq!(first, open_metrics(&stage).await.text);
}
