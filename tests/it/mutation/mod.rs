//! Wrong and changed input, made from our own JSON Schema (after Acto, SOSP '23).
//!
//! Every field of every kind is deleted, emptied, made null, changed, set at and beyond its limits
//! and to every word it may be; references dangle, and names go in circles. What is refused leads to no
//! write; what is accepted is what is there afterwards, by whatever path it was reached, and then
//! nothing is written any more.

mod sites;
mod truth;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stoker::emulator::EmulatorConfig;
use stoker::manifest;
use stoker::plan::Policy;
use stoker::secret::{self, Finders, FingerprintKey, FoundValues};
use stoker::source::Tree;

use crate::kept::{Kept, settings};
use crate::laws;
use crate::stage::{Stage, brief, manifests};
use crate::tally;
use sites::{Mutant, Mutation, sites};

/// How many passes must be without a write once everything is as declared (L1).
const QUIET_PASSES: usize = 20;

/// Fields that the base cannot have: a file belongs to a directory, and programs to settings. They have
/// tests of their own.
const NOT_IN_THE_BASE: [&str; 6] = ["file", "path", "provider", "ref", "sops", "unsettled"];

/// The words of draft-07 that limit a value.
const LIMITS: [&str; 14] = [
    "contains",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "uniqueItems",
];

/// Which document of the base is the guard.
const PROJECT: usize = 5;

/// How many mutants of each kind there are at least, and how many of them can be no manifest.
const MUTANTS_MIN: [(Mutation, usize, usize); 13] = [
    (Mutation::Deleted, 137, 47),
    (Mutation::Emptied, 137, 75),
    (Mutation::Null, 137, 69),
    (Mutation::Changed, 74, 0),
    (Mutation::AtLimit, 56, 0),
    (Mutation::BeyondLimit, 79, 79),
    (Mutation::OtherWord, 28, 0),
    (Mutation::UnknownWord, 22, 22),
    (Mutation::OtherType, 137, 137),
    (Mutation::UnknownNeighbour, 30, 30),
    (Mutation::Dangling, 5, 5),
    (Mutation::Mutual, 2, 0),
    (Mutation::Cyclic, 1, 1),
];

/// Manifests with every field there is.
pub fn base() -> Vec<Value> {
    let version = "stackblaze.cloud/v1";
    let reference = |property: &str| json!({"name": "main", "property": property, "type": "x", "external": false});
    vec![
        json!({"apiVersion": version, "kind": "Service",
            "metadata": {"name": "api", "labels": {"team": "payments"}, "previousNames": ["api-old"]},
            "spec": {"state": "Present", "type": "web", "runtime": "node",
                "repo": "github.com/acme/shop", "branch": "main", "rootDir": "packages/api",
                "dockerfilePath": "Dockerfile", "image": "acme/shop", "buildCommand": "make",
                "startCommand": "run", "preDeployCommand": "migrate", "port": 3000,
                "plan": "standard", "region": "eu", "healthCheckPath": "/health",
                "scaling": {"minInstances": 1, "maxInstances": 10, "targetCPUPercent": 70},
                "disk": {"name": "data", "mountPath": "/data", "sizeGB": 10},
                "autoDeploy": true, "domains": ["api.acme.dev", "acme.dev"],
                "envGroups": ["shared", {"name": "other", "external": false}],
                "envVars": [
                    {"key": "PLAIN", "value": "1"},
                    {"key": "URL", "fromDatabase": reference("connectionString")},
                    {"key": "HOST", "fromService": {"name": "jobs", "property": "host"}},
                    {"key": "COPY", "fromService": {"name": "jobs", "property": "envVar", "envVarKey": "PLAIN"}},
                    {"key": "SECRET", "valueFrom": {"env": "SECRET"}},
                    {"key": "SALT", "generateValue": true},
                    {"key": "BY_HAND", "sync": false}]},
            "lifecycle": {"prune": true, "protect": false, "adopt": "always",
                "ignoreChanges": ["spec.envVars.LEGACY"],
                "managementPolicies": ["Observe", "Create", "Update", "Delete"]}}),
        json!({"apiVersion": version, "kind": "Service", "metadata": {"name": "jobs"},
            "spec": {"type": "cron", "runtime": "node", "repo": "github.com/acme/shop",
                "schedule": "0 2 * * *", "envVars": [{"key": "PLAIN", "value": "1"}]}}),
        json!({"apiVersion": version, "kind": "Database", "metadata": {"name": "main"},
            "spec": {"state": "Present", "type": "postgres", "version": "16", "plan": "standard",
                "region": "eu", "storageGB": 10, "databaseName": "acme", "user": "acme"}}),
        json!({"apiVersion": version, "kind": "EnvGroup", "metadata": {"name": "shared"},
            "spec": {"state": "Present", "envVars": [{"key": "LEVEL", "value": "info"}]}}),
        json!({"apiVersion": version, "kind": "EnvGroup", "metadata": {"name": "other"},
            "spec": {"envVars": [{"key": "COLOUR", "value": "red"}]}}),
        json!({"apiVersion": version, "kind": "Project",
            "metadata": {"name": "emulator", "labels": {"team": "payments"}}, "spec": {"id": "prj_emulator"}}),
    ]
}

/// The base's mutants: each field of the schema in each way, references that lead nowhere or back,
/// and names that go in a circle. What the schema itself does not take is wrong, whatever was done to it.
fn mutants(base: &[Value]) -> Vec<Mutant> {
    let schema = manifest::schema();
    let (sites, _) = sites(&schema, base);
    let of = |site: &sites::Site| {
        let value = base[site.document].pointer(&site.pointer).unwrap();
        site.mutants(value)
    };
    let mut mutants: Vec<Mutant> = sites.iter().flat_map(of).collect();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for mutant in &mut mutants {
        mutant.is_wrong |= !schema.is_valid(&mutant.of(base)[mutant.document]);
    }
    let mut add = |kind, document, pointer: &str, value| {
        let pointer = pointer.to_owned();
        let is_wrong = kind != Mutation::Mutual;
        mutants.push(Mutant { document, pointer, kind, value: Some(value), is_wrong });
    };
    let from =
        |name: &str| json!([{"key": "A", "fromService": {"name": name, "property": "host"}}]);
    add(Mutation::Dangling, 1, "/spec/envVars", from("nobody"));
    add(Mutation::Dangling, 0, "/spec/envGroups", json!(["nobody"]));
    add(Mutation::Dangling, 0, "/spec/envGroups/1/name", json!("nobody"));
    add(Mutation::Dangling, 0, "/spec/envVars/1/fromDatabase/name", json!("nobody"));
    // There is one of that name, of another kind.
    add(Mutation::Dangling, 0, "/spec/envVars/1/fromDatabase/name", json!("api"));
    add(Mutation::Mutual, 1, "/spec/envVars", from("jobs"));
    add(Mutation::Mutual, 1, "/spec/envVars", from("api"));
    add(Mutation::Cyclic, 0, "/metadata/previousNames", json!(["api"]));
    mutants
}

fn tree(documents: &[Value]) -> Tree {
    let texts: Vec<String> = documents.iter().map(|it| format!("---\n{it:#}\n")).collect();
    manifests(&texts.concat())
}

fn variable(name: &str) -> Option<String> {
    (name == "SECRET").then(|| "hunter2".to_owned())
}

/// Whether the manifests are taken, values from outside included.
fn is_accepted(tree: &Tree) -> bool {
    let loaded = manifest::load(tree);
    let findings = loaded.diagnostics.iter().filter(|finding| finding.is_error()).count();
    assert_eq!(findings == 0, loaded.desired.is_some(), "{:#?}", loaded.diagnostics);
    let key = FingerprintKey::from_bytes([7; 32]);
    loaded.desired.is_some_and(|it| {
        let found = FoundValues::of(&it, tree, &Finders::of_environment(&variable));
        secret::resolve(it, tree, &found, &key).is_ok()
    })
}

/// The base, applied and settled.
async fn begun(base: &Tree) -> Stage {
    let mut stage = Stage::in_memory(EmulatorConfig::default());
    stage.variables = vec![("SECRET".to_owned(), "hunter2".to_owned())];
    stage.apply(base, &Policy::default()).await;
    let left = brief(&stage.plan(base, &Policy::default()).await);
    assert_eq!(left, [""; 0], "the base settles in one pass");
    stage
}

/// Applies once, then looks on for so many passes without a write; returns what is left as it is,
/// because it is blocked or cannot be compared.
async fn settle(stage: &Stage, tree: &Tree, passes: usize, context: &str) -> BTreeSet<String> {
    stage.apply(tree, &Policy::default()).await;
    let mut left = BTreeSet::new();
    for _ in 0..passes {
        let (plan, _) = stage.apply(tree, &Policy::default()).await;
        assert!(plan.changes.iter().all(|it| it.steps.is_empty()), "{context}: {plan:#?}");
        assert!(plan.remember.is_empty(), "{context}: {:#?}", plan.remember);
        left = plan.changes.iter().map(|it| it.key.to_string()).collect();
    }
    left
}

#[test]
fn every_field_of_the_schema_is_changed() {
    let base = base();
    let (sites, unmet) = sites(&manifest::schema(), &base);
    assert_eq!(unmet, NOT_IN_THE_BASE.map(str::to_owned).into());
    assert!(is_accepted(&tree(&base)));
    tally::at_least(137, sites.len(), "mutation: places");
    let mutants = mutants(&base);
    for (kind, mutants_min, wrong_min) in MUTANTS_MIN {
        let of_kind = || mutants.iter().filter(|it| it.kind == kind);
        tally::at_least(mutants_min, of_kind().count(), &format!("mutation: {kind:?}"));
        let wrong = of_kind().filter(|it| it.is_wrong).count();
        tally::at_least(wrong_min, wrong, &format!("mutation: {kind:?}, no manifest"));
    }
    let is_counted = |it: &Mutant| MUTANTS_MIN.iter().any(|(kind, ..)| *kind == it.kind);
    assert!(mutants.iter().all(is_counted), "nobody says how many of a kind there are");
}

#[test]
fn what_the_schema_forbids_is_refused_and_what_it_allows_at_a_limit_is_taken() {
    let base = base();
    let mut taken = Vec::new();
    for mutant in mutants(&base) {
        let is_accepted = is_accepted(&tree(&mutant.of(&base)));
        if mutant.is_wrong && is_accepted {
            taken.push(mutant.to_string());
        }
        // The fewest instances may not be more than the most, and all but `api` are referred to.
        let contradicts = mutant.pointer == "/spec/scaling/minInstances"
            || (mutant.pointer == "/metadata/name" && mutant.document > 0);
        let is_at_limit = mutant.kind == Mutation::AtLimit && !contradicts;
        assert!(!is_at_limit || is_accepted, "{mutant} was refused");
    }
    assert_eq!(taken, [""; 0]);
}

/// Every word of the schema that limits a value is one that mutants go to and beyond.
#[test]
fn every_limit_of_the_schema_is_known() {
    let mut ahead = vec![manifest::schema()];
    let mut met = BTreeSet::new();
    while let Some(node) = ahead.pop() {
        match node {
            Value::Object(fields) => {
                met.extend(fields.keys().filter(|name| LIMITS.contains(&name.as_str())).cloned());
                ahead.extend(fields.into_iter().map(|(_, value)| value));
            }
            Value::Array(items) => ahead.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let known = ["maxLength", "maximum", "minLength", "minimum", "pattern"];
    assert_eq!(met, known.map(str::to_owned).into());
}

/// S6, seen from the agent: whatever is refused changes nothing, and what is right again is taken
/// up as though nothing had been.
#[tokio::test(start_paused = true)]
async fn what_is_refused_leads_to_no_write_and_what_is_right_afterwards_is_applied() {
    let base: Vec<Value> = base();
    // The agent of these tests has no environment.
    let mut agents = base.clone();
    agents[0]["spec"]["envVars"].as_array_mut().unwrap().remove(4);
    let kept = Kept::begin(Stage::new(), settings(), tree(&agents));
    kept.stage.wait(600).await;
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.told());
    let writes = kept.writes();
    let mutants = mutants(&agents);
    let refused: Vec<&Mutant> =
        mutants.iter().filter(|it| !is_accepted(&tree(&it.of(&agents)))).collect();
    tally::at_least(590, refused.len(), "mutation: refused, without a write");
    for mutant in refused {
        kept.write(Ok(tree(&mutant.of(&agents))));
        kept.stage.wait(30).await;
        assert_eq!(kept.writes(), writes, "{mutant}");
        assert!(kept.ready().starts_with("False"), "{mutant}: {}", kept.ready());
    }
    agents[0]["spec"]["plan"] = json!("pro");
    kept.write(Ok(tree(&agents)));
    kept.stage.wait(600).await;
    assert_eq!((kept.writes(), kept.ready().as_str()), (writes + 1, "True Synced"));
    kept.stage.wait(300 * QUIET_PASSES as u64).await;
    assert_eq!(kept.writes(), writes + 1);
    kept.end().await;
}

/// Consistency, recovery and quiet: what is accepted is there as declared, what is left is as it
/// was, the way back leads to where it began, and at each end nothing is written any more.
#[tokio::test(start_paused = true)]
async fn what_is_accepted_is_what_is_there_and_the_way_back_is_open() {
    let base = base();
    let ground = tree(&base);
    let mut stage = begun(&ground).await;
    let start = laws::truth(&stage.emulator);
    let mut seen: BTreeMap<Mutation, usize> = BTreeMap::new();
    for mutant in accepted(&base) {
        let documents = mutant.of(&base);
        let (changed, context) = (tree(&documents), mutant.to_string());
        let count = seen.entry(mutant.kind).or_default();
        *count += 1;
        let left = settle(&stage, &changed, QUIET_PASSES, &context).await;
        for document in documents.iter().filter(|it| !left.contains(&key_of(it))) {
            truth::is_as_declared(&stage, document, &context);
        }
        let there = laws::truth(&stage.emulator);
        for before in start.iter().filter(|it| left.iter().any(|key| key.ends_with(&name_of(it)))) {
            assert!(there.contains(before), "{context}: {before:#} {there:#?}");
        }
        if mutant.has_no_way_back() {
            stage = begun(&ground).await;
            continue;
        }
        // The base was quiet from the same truth before: once for each kind is enough.
        let passes = if *count == 1 { QUIET_PASSES } else { 1 };
        settle(&stage, &ground, passes, &context).await;
        assert_eq!(laws::truth(&stage.emulator), start, "{context}");
    }
    let accepted = seen.values().sum();
    tally::at_least(220, accepted, "mutation: accepted, there and back, with 20 quiet passes");
    laws::nothing_is_there_twice(&stage, "there and back");
    laws::the_rate_is_kept(&stage, "there and back");
}

/// The same end by another path: the base and then the mutant, or the mutant at once.
#[tokio::test(start_paused = true)]
async fn the_end_does_not_depend_on_the_way_there() {
    let base = base();
    let ground = tree(&base);
    let mut stage = begun(&ground).await;
    let mut count = 0;
    for mutant in accepted(&base).into_iter().filter(Mutant::says_all) {
        let (changed, context) = (tree(&mutant.of(&base)), mutant.to_string());
        if !settle(&stage, &changed, 1, &context).await.is_empty() {
            continue;
        }
        let direct = Stage::in_memory(EmulatorConfig::default());
        let direct = Stage { variables: stage.variables.clone(), ..direct };
        direct.apply(&changed, &Policy::default()).await;
        let ends = [&stage, &direct].map(|stage| laws::truth(&stage.emulator));
        assert_eq!(ends[0], ends[1], "{context}");
        count += 1;
        // The next one is reached from here, unless something cannot be undone.
        if mutant.has_no_way_back() {
            stage = begun(&ground).await;
        }
    }
    tally::at_least(80, count, "mutation: the same end by another path");
}

/// The mutants that a pass begins with: accepted, and meant for this project.
fn accepted(base: &[Value]) -> Vec<Mutant> {
    let mutants = mutants(base).into_iter();
    let is_for_us = |mutant: &Mutant| {
        let guard = &mutant.of(base)[PROJECT];
        guard["metadata"]["name"] == "emulator"
            && [&json!("prj_emulator"), &Value::Null].contains(&&guard["spec"]["id"])
    };
    mutants.filter(|it| is_for_us(it) && is_accepted(&tree(&it.of(base)))).collect()
}

fn key_of(document: &Value) -> String {
    let kind = document["kind"].as_str().unwrap().to_lowercase();
    format!("{kind}{}", name_of(&document["metadata"]))
}

fn name_of(thing: &Value) -> String {
    format!("/{}", thing["name"].as_str().unwrap())
}
