//! The laws of `safety.md` as assertions over the emulator's record, for every scenario.

use std::collections::{BTreeMap, BTreeSet};

use stoker::emulator::{Act, Emulator, Kind, Mutation, RecordEntry, RecordedEvent, Verb};
use stoker::plan::{Action, Conclusion, Outcome, Plan, Policy, Report};
use stoker::source::Tree;

use crate::stage::{Stage, brief};

const KINDS: [Kind; 3] = [Kind::Service, Kind::Database, Kind::EnvGroup];

/// How many passes without faults a project may need until it is as declared (L1).
const PASSES_MAX: usize = 3;

/// What the API was made to do by the agent, in the record's order.
pub fn effects(emulator: &Emulator) -> Vec<Mutation> {
    let record = emulator.record();
    let entries = record.entries().filter(|entry| !matches!(entry.event, RecordedEvent::Act(_)));
    entries.flat_map(|entry| entry.effects.clone()).collect()
}

/// The most deletes that were carried out within any hour.
pub fn deletes_in_an_hour(stage: &Stage) -> usize {
    let record = stage.emulator.record();
    let is_delete = |entry: &&RecordEntry| entry.effects.iter().any(|it| it.verb == Verb::Deleted);
    let times: Vec<u64> = record.entries().filter(is_delete).map(|entry| entry.at).collect();
    let within =
        |from: &u64| times.iter().filter(|at| (*from..*from + 3_600_000).contains(*at)).count();
    times.iter().map(within).max().unwrap_or_default()
}

/// How often each thing was created and deleted through the API.
pub fn creates_and_deletes(emulator: &Emulator) -> BTreeMap<(Kind, String), (usize, usize)> {
    let mut counts: BTreeMap<(Kind, String), (usize, usize)> = BTreeMap::new();
    for effect in effects(emulator) {
        let count = counts.entry((effect.kind, effect.name)).or_default();
        match effect.verb {
            Verb::Created => count.0 += 1,
            Verb::Deleted => count.1 += 1,
            Verb::Patched | Verb::Deployed | Verb::RolledBack => {}
        }
    }
    counts.retain(|_, count| *count != (0, 0));
    counts
}

/// S3: at most one thing made by us lives for each kind and name.
pub fn nothing_is_there_twice(stage: &Stage, context: &str) {
    let made: BTreeSet<String> = effects(&stage.emulator)
        .into_iter()
        .filter(|effect| effect.verb == Verb::Created)
        .map(|effect| effect.id)
        .collect();
    for kind in KINDS {
        let mut names = BTreeSet::new();
        for thing in stage.emulator.truth(kind) {
            let (id, name) = (thing["id"].as_str().unwrap(), thing["name"].as_str().unwrap());
            let is_new = !made.contains(id) || names.insert(name.to_owned());
            assert!(is_new, "{context}: two of {kind:?} {name}");
        }
    }
}

/// A6: where a PATCH takes effect only with a deploy, each service was deployed after its last one.
pub fn what_is_written_runs(stage: &Stage, context: &str) {
    let mut waiting = BTreeSet::new();
    for effect in effects(&stage.emulator) {
        match effect.verb {
            // By its id: its name may be another by then.
            Verb::Patched => drop(waiting.insert(effect.id)),
            Verb::Created | Verb::Deployed | Verb::Deleted => drop(waiting.remove(&effect.id)),
            Verb::RolledBack => {}
        }
    }
    assert!(waiting.is_empty(), "{context}: never deployed: {waiting:?}");
}

/// S4: never more than the rate in any minute.
pub fn the_rate_is_kept(stage: &Stage, context: &str) {
    let most = stage.emulator.record().requests_max_in_a_minute();
    assert!(most <= 285, "{context}: {most} requests in a minute");
}

/// A run that left something undone does not say that it is done.
pub fn the_report_is_honest(plan: &Plan, report: &Report, context: &str) {
    let undone = report.results.iter().find(|result| match result.outcome {
        Outcome::Applied => false,
        Outcome::Blocked { reason } => reason.is_asked_for(),
        Outcome::Failed { .. }
        | Outcome::Stale { .. }
        | Outcome::Unresolved { .. }
        | Outcome::Skipped { .. }
        | Outcome::NotStarted => true,
    });
    let is_group_left = undone.is_some_and(|it| it.action == Action::Delete);
    if let Some(undone) = undone.filter(|_| !is_group_left) {
        assert_ne!(report.conclusion(), Conclusion::Done, "{context}: {undone:?}\n{plan:#?}");
    }
}

/// L1: within three passes there is nothing left to do, and then nothing is written any more.
pub async fn it_settles(stage: &Stage, tree: &Tree, policy: &Policy, context: &str) {
    let mut last = Vec::new();
    for _ in 0..PASSES_MAX {
        // Longer than the settle time, so that each pass can know more than the one before.
        stage.wait(200).await;
        let (plan, report) = stage.apply(tree, policy).await;
        the_report_is_honest(&plan, &report, context);
        last = brief(&plan);
    }
    stage.wait(200).await;
    let writes = stage.emulator.record().writes();
    let (plan, _) = stage.apply(tree, policy).await;
    // What nobody can compare is shown and left alone.
    let left = plan.changes.iter().any(|it| it.action != Action::None || it.blocked.is_some());
    assert!(!left, "{context}: before: {last:?}\n{plan:#?}");
    assert_eq!(stage.emulator.record().writes(), writes, "{context}");
}

/// What is there, without what differs from run to run: ids, times and what is under way.
pub fn truth(emulator: &Emulator) -> Vec<serde_json::Value> {
    let mut things = Vec::new();
    for kind in KINDS {
        let mut kind_things = emulator.truth(kind);
        kind_things.sort_by_key(|thing| thing["name"].to_string());
        for mut thing in kind_things {
            let object = thing.as_object_mut().unwrap();
            let fleeting = [
                "id",
                "created_at",
                "status",
                "url",
                "replicas",
                "connection_string",
                "env_groups",
            ];
            object.retain(|field, _| !fleeting.contains(&field.as_str()));
            if let Some(variables) = object.get_mut("env_vars").and_then(|it| it.as_array_mut()) {
                variables.sort_by_key(|variable| variable["key"].to_string());
            }
            things.push(thing);
        }
    }
    things
}

/// Sets a field of a service by a person's hand.
pub fn set(stage: &Stage, service: &str, field: &str, value: &str) {
    let id = stage.emulator.ids(Kind::Service, service).remove(0);
    let value = Some(serde_json::from_str(value).unwrap());
    stage.emulator.act(&Act::SetField { id, field: field.to_owned(), value }).unwrap();
}

/// S1, S2, S10 at the wire: each write is the first request after a good look at its object, at most
/// two seconds after it; each create leaves at most ten seconds after a list of its kind.
pub fn looks_are_young(stage: &Stage, context: &str) {
    let record = stage.emulator.record();
    let mut last: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
    for (at, asked) in record.requests() {
        let (method, path) = (asked.method.as_str(), asked.path.as_str());
        let object = path.match_indices('/').nth(2).map_or(path, |(end, _)| &path[..end]);
        let is_create = method == "POST" && object.matches('/').count() == 1;
        if method != "GET" {
            let age = last.get(object).filter(|(_, is_good)| *is_good).map(|(then, _)| at - then);
            let most = if is_create { 10_000 } else { 2_000 };
            let is_young = age.is_some_and(|age| age <= most);
            assert!(is_young, "{context}: {method} {path} left {age:?} ms after its look");
        }
        let is_good = asked.answered && (200..300).contains(&asked.status);
        // One list serves many creates; one look serves one write.
        if method == "GET" && path == object || method != "GET" && !is_create {
            last.insert(object, (at, is_good));
        }
    }
}
