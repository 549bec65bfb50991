//! Statuses on paper: one ordinary, one in trouble, one that wants to do harm to a terminal.

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::status::{Event, HealthStatus, ProjectStatus, SyncStatus};

fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> serde_json::Value {
    json!({ "type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": "2026-11-25T09:00:00Z" })
}

/// All is as declared.
fn synced() -> ProjectStatus {
    let revision = json!({
        "commit": "3f2a1bc9d07755aa", "subject": "Raise the port", "digest": "d1d1d1d1d1d1d1d1",
        "at": "2026-11-25T11:00:00Z",
    });
    let service = json!({
        "key": "service/api", "id": "svc_1", "owned": "created", "health": "running",
        "url": "https://api.shop.dev", "replicas": 3, "labels": { "team": "shop" },
        "syncStatus": "Synced", "healthStatus": "Healthy",
        "conditions": [condition("Ready", "True", "Synced", "as declared")],
        "declaredAt": { "file": "manifests/api.yaml", "line": 3, "column": 1 },
        "dependsOn": ["database/main"], "observedRevision": "d1d1d1d1d1d1d1d1", "failures": 0,
    });
    serde_json::from_value(json!({
        "name": "shop", "origin": "https://api.stackblaze.cloud/v1", "platformName": "shop",
        "syncStatus": "Synced", "healthStatus": "Healthy", "seenSyncedAt": "2026-11-25T11:59:48Z",
        "mode": "repair", "startedAt": "2026-11-20T12:00:00Z", "updatedAt": "2026-11-25T11:59:58Z",
        "conditions": [condition("Ready", "True", "Synced", "all is as declared")],
        "source": { "location": "https://git.dev/acme/shop main manifests/", "revision": revision },
        "synced": revision, "steering": {}, "resources": [service], "pending": [], "unmanaged": 0,
        "history": [{
            "pass": 12, "triggers": ["git", "timer"], "startedAt": "2026-11-25T11:59:48Z",
            "durationMs": 800, "digest": "d1d1d1d1d1d1d1d1", "outcome": "Synced",
            "message": "", "requests": 4, "written": 0, "failed": 0,
        }],
        "budget": { "limit": 300, "remaining": 290, "rate": 285, "samples": [] },
        "intervalSeconds": 300, "nextPassAt": "2026-11-25T12:04:48Z",
    }))
    .unwrap()
}

/// Broken manifests, a failed deployment, drift that must not be repaired now.
fn troubled() -> ProjectStatus {
    let mut status = synced();
    status.conditions = serde_json::from_value(json!([
        condition("Ready", "False", "ManifestsInvalid", ""),
        condition("Stalled", "True", "ManifestsInvalid", "the newest manifests cannot be used"),
    ]))
    .unwrap();
    status.mode = crate::status::Mode::Observe;
    status.source.problem = serde_json::from_value(json!({
        "reason": "ManifestsInvalid", "message": "2 errors", "hints": ["mend them and commit"],
        "diagnostics": [
            { "severity": "error", "code": "wrong-type", "message": "`port` must be a number",
              "origin": { "file": "manifests/api.yaml", "line": 7, "column": 9 }, "hints": [] },
            { "severity": "warning", "code": "unused", "message": "nobody refers to it",
              "origin": null, "hints": ["remove it"] },
        ],
    }))
    .unwrap();
    status.steering = serde_json::from_value(json!({
        "suspension": { "reason": "a migration", "since": "2026-11-25T10:00:00Z",
                        "until": "2026-11-25T18:00:00Z" },
        "pinnedTo": "3f2a1bc",
        "window": { "open": false, "because": "deny Fri 16:00 to Mon 08:00",
                    "until": "2026-11-30T08:00:00Z" },
    }))
    .unwrap();
    status.synced.as_mut().unwrap().commit = Some("0000000000000000".to_owned());
    status.unmanaged = 3;
    status.unmanaged_things = serde_json::from_value(json!([
        { "kind": "service", "name": "legacy", "id": "svc_7" },
        { "kind": "database", "name": "old", "id": "db_1" },
    ]))
    .unwrap();
    status.sync_status = SyncStatus::Unknown;
    status.health_status = HealthStatus::Degraded;
    status.seen_synced_at = Some("2026-11-25T11:30:00Z".parse().unwrap());
    let service = &mut status.resources[0];
    service.conditions = serde_json::from_value(json!([
        condition("Ready", "False", "DeployFailed", "the deployment failed"),
        condition("Stalled", "True", "DeployFailed", &"it failed three times; ".repeat(9)),
        condition("Drifted", "True", "FieldsDiffer", "1 field was changed by hand"),
    ]))
    .unwrap();
    service.sync_status = SyncStatus::OutOfSync;
    service.health_status = HealthStatus::Degraded;
    service.failures = 3;
    service.retry_at = Some("2026-11-25T12:00:30Z".parse().unwrap());
    service.deployment = serde_json::from_value(json!({
        "id": "dep_9", "status": "failed", "since": "2026-11-25T11:50:00Z", "commit": "3f2a1bc9d07755aa",
        "log": ["npm ERR! missing script: start", "exit 1"],
    }))
    .unwrap();
    status.pending = serde_json::from_value(json!([{
        "key": "service/api", "action": "update", "reason": "drift", "origin": null,
        "effect": "restart", "requests": 1,
        "fields": [
            { "path": "scaling.maxInstances", "action": "change", "before": 6, "after": 10,
              "reason": "drift", "sensitive": false },
            { "path": "envVars.STRIPE_KEY", "action": "change", "reason": "requested",
              "sensitive": true },
            { "path": "envVars.OLD", "action": "remove", "before": "x ", "reason": "drift",
              "sensitive": false },
            { "path": "schedule", "action": "leave", "after": {"from": "database/main:port"},
              "reason": "flapping", "sensitive": false, "hint": "ignoreChanges: [spec.schedule]" },
        ],
        "blocked": { "reason": "suspended", "message": "the agent is suspended",
                     "hint": "`stoker resume`" },
    }]))
    .unwrap();
    status
}

fn events() -> Vec<Event> {
    serde_json::from_value(json!([
        { "sequence": 7, "at": "2026-11-25T11:50:00.123Z", "severity": "Normal",
          "key": "service/api", "reason": "Applied", "message": "1 field was written", "pass": 12 },
        { "sequence": 8, "at": "2026-11-25T11:55:00Z", "severity": "Warning",
          "key": "service/api", "reason": "DeployFailed", "message": "the deployment failed" },
    ]))
    .unwrap()
}

#[test]
fn a_project_says_in_its_first_lines_what_it_stands_at_and_what_holds_it_back() {
    insta::assert_snapshot!("synced", project_as_text(&synced(), now()).to_plain());
    insta::assert_snapshot!("troubled", project_as_text(&troubled(), now()).to_plain());
}

#[test]
fn resources_stand_in_a_table_with_what_says_most_about_each() {
    let all = |_: &crate::status::ResourceStatus| true;
    let mut text = resources_as_table(&synced(), &all, now()).to_plain();
    text += &resources_as_table(&troubled(), &all, now()).to_plain();
    insta::assert_snapshot!(text);
    let none = resources_as_table(&synced(), &|_| false, now());
    assert_eq!(none.to_plain().lines().count(), 1);
}

#[test]
fn a_resource_is_shown_with_its_conditions_what_is_pending_and_what_happened_to_it() {
    let (project, events) = (troubled(), events());
    let around = ResourceContext { project: &project, events: &events, now: now() };
    insta::assert_snapshot!(resource_as_text(&project.resources[0], &around).to_plain());
}

/// A status in which texts that come from outside want to do harm.
fn hostile(text: &str) -> ProjectStatus {
    let poison = serde_json::to_string(text).unwrap();
    let places = [
        "Raise the port",
        "legacy",
        "running",
        "a migration",
        "2 errors",
        "dep_9",
        "wrong-type",
        "exit 1",
        "mend them and commit",
        "the agent is suspended",
        "x ",
        "the deployment failed",
        "it failed three times; ",
    ];
    let poisoned =
        places.iter().fold(serde_json::to_string(&troubled()).unwrap(), |status, place| {
            assert!(status.contains(place), "{place}");
            status.replace(place, poison.trim_matches('"'))
        });
    serde_json::from_str(&poisoned).unwrap()
}

#[test]
fn nothing_of_a_status_moves_the_cursor_or_breaks_a_line() {
    let text = "\u{1b}[2J\u{202e}x\r\ny\u{7}";
    let status = hostile(text);
    let mut events = events();
    events[0].message = text.to_owned();
    let around = ResourceContext { project: &status, events: &events, now: now() };
    let papers = [
        project_as_text(&status, now()),
        resources_as_table(&status, &|_| true, now()),
        resource_as_text(&status.resources[0], &around),
    ];
    for paper in papers {
        let text = paper.to_plain();
        assert!(text.contains("[2Jx\\r\\ny"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r', '\u{7}']), "{text}");
    }
}
