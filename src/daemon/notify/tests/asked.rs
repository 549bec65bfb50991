//! What a sink asks for: which outcomes, and again after how long; and alarms, which go on.

use std::time::Duration;

use jiff::Timestamp;

use super::super::{Notified, ProjectOutcome, Sink, Template, TemplateError, decide, example};
use super::{COMMIT, OTHER, STALLED, SYNCED, WORKING, at, sink, status};
use crate::status::{ProjectStatus, Repair, Rollback};

/// Tells a sink of states, each so many minutes after the beginning; returns what it was told.
fn told(sink: &Sink, states: &[(i64, &[&str])]) -> String {
    let states = states.iter().map(|(minutes, conditions)| {
        let mut status = status(COMMIT, conditions);
        status.updated_at = at(minutes * 60);
        status
    });
    told_of(sink, states.collect())
}

fn told_of(sink: &Sink, states: Vec<ProjectStatus>) -> String {
    let mut memory = Notified::default();
    let mut said = Vec::new();
    for state in states {
        for notice in decide(&state, std::slice::from_ref(sink), &memory) {
            let minute = notice.at.duration_since(at(0)).as_mins();
            said.push(format!("{minute}:{}", notice.outcome.as_str()));
            memory.note(&notice);
        }
    }
    said.join(" ")
}

fn telling(name: &str, outcomes: &[ProjectOutcome]) -> Sink {
    Sink { tell: outcomes.iter().copied().collect(), ..sink(name) }
}

#[test]
fn a_second_outage_of_a_revision_is_told_to_who_asks_for_it_and_not_ever_again() {
    let outages: &[(i64, &[&str])] = &[
        (0, STALLED),
        (1, SYNCED),
        (2, STALLED),
        (9, STALLED),
        (10, STALLED),
        (11, STALLED),
        (40, SYNCED),
        (41, STALLED),
    ];
    assert_eq!(told(&sink("slack"), outages), "0:broken 1:succeeded");
    let again = Sink { again: Some(Duration::from_secs(10 * 60)), ..sink("slack") };
    assert_eq!(told(&again, outages), "0:broken 1:succeeded 10:broken 40:succeeded 41:broken");
}

#[test]
fn who_asks_for_some_outcomes_is_told_of_no_other() {
    let states: &[(i64, &[&str])] = &[(0, WORKING), (1, SYNCED), (2, STALLED), (3, SYNCED)];
    let asked = telling("webhook", &[ProjectOutcome::Failed, ProjectOutcome::Broken]);
    assert_eq!(told(&asked, states), "2:broken");
    let asked = telling("slack", &[ProjectOutcome::Pending, ProjectOutcome::Succeeded]);
    assert_eq!(told(&asked, states), "0:pending 1:succeeded");
}

#[test]
fn drift_that_was_set_back_is_told_once_to_who_asks_for_it() {
    let repaired = |minute: i64| {
        let message = "service/api: replicas was set back".to_owned();
        let last_repair = Some(Repair { at: at(minute * 60), count: 1, message });
        ProjectStatus { last_repair, ..status(COMMIT, SYNCED) }
    };
    let states = || vec![status(COMMIT, SYNCED), repaired(1), repaired(1), repaired(7)];
    let asked = telling("slack", &[ProjectOutcome::Succeeded, ProjectOutcome::Repaired]);
    assert_eq!(told_of(&asked, states()), "0:succeeded 1:repaired 7:repaired");
    assert_eq!(told_of(&sink("slack"), states()), "0:succeeded");
    let only = telling("discord", &[ProjectOutcome::Repaired]);
    assert_eq!(told_of(&only, states()), "1:repaired 7:repaired");
}

#[test]
fn a_rollback_by_people_is_told_once_to_who_asks_for_it() {
    let rolled_back = |minute: i64| {
        let message = "service/api: somebody rolled it back".to_owned();
        let last_rollback = Some(Rollback { at: at(minute * 60), message });
        ProjectStatus { last_rollback, ..status(COMMIT, SYNCED) }
    };
    let states = || vec![status(COMMIT, SYNCED), rolled_back(1), rolled_back(1), rolled_back(7)];
    let asked = telling("slack", &[ProjectOutcome::Succeeded, ProjectOutcome::RolledBack]);
    assert_eq!(told_of(&asked, states()), "0:succeeded 1:rolledback 7:rolledback");
    for sink in ["slack", "webhook", "github"].map(sink) {
        assert!(!told_of(&sink, states()).contains("rolledback"));
    }
}

#[test]
fn an_alarm_is_raised_kept_up_and_taken_back_over_revisions() {
    let states: &[(i64, &[&str])] = &[
        (0, SYNCED),
        (1, STALLED),
        (2, STALLED),
        (3, OTHER),
        (4, WORKING),
        (63, OTHER),
        (64, SYNCED),
        (65, SYNCED),
    ];
    for name in ["alertmanager", "pagerduty"] {
        let said = told(&sink(name), states);
        assert_eq!(said, "1:broken 3:broken 63:broken 64:succeeded", "{name}");
    }
    // A newer commit mends what an older one broke.
    let mended = vec![status("a", STALLED), status("b", WORKING), status("b", SYNCED)];
    assert_eq!(told_of(&sink("pagerduty"), mended), "0:broken 0:succeeded");
}

#[test]
fn an_alarm_ends_by_itself_when_nobody_keeps_it_up_and_at_once_when_it_is_taken_back() {
    let ends = |conditions: &[&str]| {
        let mut memory = Notified::default();
        let sink = sink("alertmanager");
        let sinks = std::slice::from_ref(&sink);
        decide(&status(COMMIT, STALLED), sinks, &memory).iter().for_each(|it| memory.note(it));
        let mut later = status(COMMIT, conditions);
        later.updated_at = at(7_200);
        let notice = decide(&later, sinks, &memory).pop().unwrap();
        let body = super::super::request(&sink, &notice, at(7_200)).unwrap().into_body();
        let alerts: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let ends: Timestamp = alerts[0]["endsAt"].as_str().unwrap().parse().unwrap();
        ends.duration_since(at(7_200)).as_hours()
    };
    assert_eq!(ends(STALLED), 4);
    assert_eq!(ends(SYNCED), 0);
}

#[test]
fn a_template_makes_json_of_whatever_a_message_holds_or_is_refused() {
    let template = Template::new("{\"text\": {{ message }} }", &example()).unwrap();
    let mut document = example();
    document["message"] = serde_json::json!("\"}, \"admin\": true, {{ reason }} \u{1f4a5}\n");
    let body: serde_json::Value = serde_json::from_str(&template.fill(&document).unwrap()).unwrap();
    assert_eq!(body, serde_json::json!({ "text": document["message"] }));
    let refused = |text: &str| Template::new(text, &example()).unwrap_err();
    assert!(matches!(refused("{\"text\": {{ mesage }} }"), TemplateError::Wrong(_)));
    assert!(matches!(refused("{\"text\": {{ message }"), TemplateError::Wrong(_)));
    assert!(matches!(refused("text={{ message }}"), TemplateError::NoJson(_)));
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}1";
    assert!(matches!(refused(endless), TemplateError::Wrong(_)));
}
