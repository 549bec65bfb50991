//! Metrics, read back by a reader that forgives nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::api::Tally;
use crate::status::{
    ConditionReason, ConditionType, HealthStatus, ResourceStatus, SyncStatus, Truth,
};

use super::stage::{self, Stage, get};

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
        deployment: None,
        failures: 0,
        retry_at: None,
    }
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
    status.history = vec![
        stage::pass("Failed", Duration::from_secs(9)),
        stage::pass("Synced", Duration::from_secs(2)),
    ]
    .into();
    stage.seats["shop"].show(status);
    for (outcome, millis) in [("Synced", 50), ("Synced", 51), ("Failed", 1_000_000)] {
        let pass = stage::pass(outcome, Duration::from_millis(millis));
        stage.meters.observe_pass("shop", &pass);
    }
    let key = ("GET".to_owned(), "/services/{id}", 200);
    stage.meters.count_requests_of("shop", move || Tally::from([(key.clone(), 12)]));
    stage
}

#[tokio::test(start_paused = true)]
async fn the_metrics_say_what_was_counted_and_what_is_known() {
    let stage = busy_stage();
    let answered = get(&stage.public, "/metrics").await;
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
                &[shop, ("kind", "database"), ("name", "main"), ("ready", "unknown")],
            ),
            1.0,
        ),
    ] {
        assert_eq!(found, Some(expected), "{}", answered.text);
    }
    assert!(!answered.text.contains("svc_0123456789"), "no id stands in a label");
}

#[tokio::test(start_paused = true)]
async fn every_metric_and_no_other_stands_in_the_documentation() {
    let text = get(&busy_stage().public, "/metrics").await.text;
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
    stage.meters.count_requests_of("shop", move || Tally::from([(key.clone(), 1)]));
    let samples = read(&get(&stage.public, "/metrics").await.text);
    let labels = [("project", "shop"), ("result", word)];
    assert_eq!(value(&samples, "stoker_reconcile_total", &labels), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn before_anything_happened_the_form_holds_and_one_state_is_one_text() {
    let none = Stage::new(&[]);
    read(&get(&none.public, "/metrics").await.text);
    let stage = Stage::new(&["blog", "shop"]);
    for name in ["shop", "blog"] {
        stage.meters.observe_pass(name, &stage::pass("Synced", Duration::ZERO));
        stage.meters.observe_pass(name, &stage::pass("Failed", Duration::ZERO));
    }
    let first = get(&stage.public, "/metrics").await.text;
    let samples = read(&first);
    let never = [("project", "blog")];
    assert_eq!(value(&samples, "stoker_last_success_timestamp_seconds", &never), None);
    assert_eq!(first, get(&stage.public, "/metrics").await.text);
}
