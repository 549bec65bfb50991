//! Explanations, from manifests and memory to paper.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::explain::{AgentAccount, KnownFacts, explain};
use super::paper;
use crate::manifest;
use crate::model::{Claim, Desired, Entry, Inventory, Remembered, RemoteId, ValueSource};
use crate::source::Tree;
use crate::status::{Event, ProjectStatus};

const MANIFESTS: &str = "\
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api }
spec:
  type: web
  image: nginx
  plan: standard
  region: eu
  scaling: { minInstances: 2, maxInstances: 8 }
  envVars:
    - { key: STRIPE_KEY, value: canary }
    - { key: SALT, generateValue: true }
    - { key: PEM, valueFrom: { env: PEM } }
    - { key: LOG_LEVEL, value: debug }
    - { key: BY_HAND, sync: false }
lifecycle:
  protect: true
  prune: false
  ignoreChanges: [spec.scaling]
  managementPolicies: [Observe, Create, Update]
---
apiVersion: stackblaze.cloud/v1
kind: Database
metadata: { name: old }
spec: { state: Absent }
";

fn declared() -> Desired<ValueSource> {
    let loaded = manifest::load(&Tree::from_texts([("api.yaml", MANIFESTS)]));
    loaded.desired.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

fn entry(remembered: Remembered, applied: serde_json::Value) -> Entry {
    Entry {
        id: RemoteId::new("svc_1").unwrap(),
        created_at: None,
        made_at: None,
        given_name: None,
        interim_name: None,
        previous_names: BTreeSet::new(),
        claim: Claim::Created,
        remembered,
        labels: BTreeMap::new(),
        applied: serde_json::from_value(applied).unwrap(),
        changed_at: BTreeMap::new(),
        generated: BTreeMap::new(),
        tolerated_env: BTreeSet::from([crate::model::EnvKey::new("LEGACY").unwrap()]),
        env_managed: true,
        env_additive: false,
        rewrites: BTreeMap::new(),
        deployed: None,
        depends_on: BTreeSet::new(),
    }
}

fn inventory() -> Inventory {
    let applied = json!({
        "image": { "text": "nginx" }, "plan": { "text": "starter" }, "region": { "text": "us" },
        "scaling.minInstances": { "integer": 1 }, "envVars.STRIPE_KEY": { "text": "canary" },
        "envVars.LOG_LEVEL": { "text": "info" }, "envVars.GONE": { "text": "x" },
        "port": { "integer": 80 },
    });
    let remembered = Remembered { prune: Some(false), protect: true, delete_withheld: false };
    let entries = BTreeMap::from([
        ("service/api".parse().unwrap(), entry(Remembered::default(), applied)),
        ("service/web".parse().unwrap(), entry(remembered, json!({}))),
    ]);
    Inventory { entries, ..Inventory::default() }
}

/// Explains and returns what is printed; or what is said when nobody knows.
fn check(subject: &str, witness: Option<AgentAccount<'_>>) -> String {
    let (declared, inventory) = (declared(), inventory());
    let known = KnownFacts { declared: &declared, inventory: &inventory, witness };
    match explain(&subject.parse().unwrap(), known) {
        Ok(explanation) => {
            let shown = paper::text(&explanation).to_plain();
            let all = format!("{shown}{explanation:?}{}", json!(explanation));
            assert!(!all.contains("canary"), "{all}");
            shown
        }
        Err(unknown) => format!("{}; {}", unknown.message, unknown.hint),
    }
}

#[test]
fn a_resource_is_explained_field_by_field_and_no_secret_is_shown() {
    insta::assert_snapshot!(check("service/api", None));
}

#[test]
fn one_field_or_what_lies_below_one_is_explained_alone() {
    let shown = check("service/api.spec.scaling", None);
    assert!(shown.contains("scaling.minInstances") && shown.contains("scaling.maxInstances"));
    assert!(!shown.contains("image"), "{shown}");
}

#[test]
fn what_no_manifest_declares_any_more_is_explained_from_memory() {
    let shown = check("service/web", None);
    assert!(shown.contains("no manifest declares it"), "{shown}");
    assert!(shown.contains("said `protect: true`, and that still counts: it stays"), "{shown}");
    assert!(check("database/old", None).contains("without an approval"));
}

#[test]
fn a_slip_is_met_with_what_was_meant() {
    for (subject, expected) in [
        (
            "service/apu",
            "no manifest declares service/apu, and it is not ours; did you mean service/api?",
        ),
        (
            "service/api.imagee",
            "no manifest declares `imagee` of service/api; did you mean service/api.image?",
        ),
        ("service/api.startCommand", "undeclared fields are left alone"),
        ("service/api.envVars.LOG_LEVLE", "did you mean service/api.envVars.LOG_LEVEL?"),
        ("service/api.colour-of-the-moon", "`stoker why service/api` shows all of its fields"),
    ] {
        let shown = check(subject, None);
        assert!(shown.contains(expected), "{subject}: {shown}");
    }
}

#[test]
fn an_agent_adds_what_it_sees_and_what_holds_it_back() {
    let digest = declared().digest;
    let mut project: ProjectStatus = serde_json::from_value(json!({
        "name": "shop", "origin": "https://api.dev/v1", "mode": "observe",
        "startedAt": "2026-11-25T10:00:00Z", "updatedAt": "2026-11-25T12:00:00Z",
        "conditions": [], "source": { "location": "manifests/", "revision": {
            "commit": "3f2a1bc9d07755aa", "digest": digest, "at": "2026-11-25T10:00:00Z" } },
        "steering": { "suspension": { "reason": "a migration", "since": "2026-11-25T10:00:00Z",
            "until": "2026-11-25T18:00:00Z" }, "pinnedTo": "3f2a1bc" },
        "resources": [{
            "key": "service/api", "dependsOn": [], "failures": 0, "observedRevision": digest,
            "conditions": [{ "type": "Drifted", "status": "True", "reason": "FieldsDiffer",
                "message": "1 field", "lastTransitionTime": "2026-11-25T11:00:00Z" }],
        }],
        "pending": [{ "key": "service/api", "action": "update", "reason": "drift", "origin": null,
            "effect": "none", "requests": 1, "fields": [{ "path": "plan", "action": "change",
                "before": "starter", "after": "standard", "reason": "drift", "sensitive": false }],
            "blocked": { "reason": "x", "message": "too much", "hint": "less" } }],
        "unmanaged": 0, "history": [], "intervalSeconds": 300,
        "budget": { "limit": 300, "remaining": 300, "rate": 285, "samples": [] },
    }))
    .unwrap();
    let touched: Event = serde_json::from_value(json!({
        "sequence": 1, "at": "2026-11-25T11:00:00Z", "severity": "Warning", "key": "service/api",
        "reason": "Drifted", "message": "`plan` was changed by hand",
    }))
    .unwrap();
    let resource = &project.resources[0];
    let witness = AgentAccount { project: &project, resource, touched: Some(&touched) };
    insta::assert_snapshot!(check("service/api.plan", Some(witness)));
    assert!(check("service/api.image", Some(witness)).contains("as declared"));
    project.source.revision.as_mut().unwrap().digest = "d2".to_owned();
    let resource = &project.resources[0];
    let shown = check(
        "service/api.image",
        Some(AgentAccount { project: &project, resource, touched: None }),
    );
    assert!(!shown.contains("as declared") && !shown.contains("(commit"), "{shown}");
    assert!(shown.contains("reads different manifests: it is at 3f2a1bc9d0"), "{shown}");
}
