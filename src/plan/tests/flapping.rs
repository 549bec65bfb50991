//! One rule over time for what will not settle (L1): what is counted, what is forgotten, and when.

use std::time::Duration;

use jiff::Timestamp;

use super::scene::{NOW, check, parse};
use crate::model::{Deployed, Rewrite};
use crate::plan::{FieldReason, Plan, plan};

/// Reads `2`, or `2@5`: repaired twice, and as declared for five minutes.
pub fn rewrite(text: &str) -> Rewrite {
    let (count, age) = text.split_once('@').unwrap_or((text, ""));
    let agreed_since = (!age.is_empty()).then(|| ago(age));
    Rewrite { count: count.parse().unwrap(), read_back: None, agreed_since }
}

/// Reads `3@20`: deployed three times, the last one twenty minutes ago.
pub fn deployed(text: &str) -> Deployed {
    let (count, age) = text.split_once('@').unwrap();
    Deployed { count: count.parse().unwrap(), last: ago(age) }
}

fn ago(minutes: &str) -> Timestamp {
    let now: Timestamp = NOW.parse().unwrap();
    now - Duration::from_secs(60 * minutes.parse::<u64>().unwrap())
}

fn planned(scene: &str) -> Plan {
    let (snapshot, policy) = parse(scene);
    plan(&snapshot, &policy)
}

/// A service that declares plan and branch, as it lives and as it is remembered.
fn service(live: &str, memory: &str) -> String {
    format!(
        "want service/api plan=a branch=main env.A=1
         live service/api#s1 {live}
         ours service/api#s1 plan=a branch=main env.A=1 {memory}"
    )
}

/// Returns what is remembered of repairs after a plan that writes nothing, as `plan:2@5` with the
/// minutes for which it has agreed.
fn remembered(scene: &str) -> String {
    let (snapshot, policy) = parse(scene);
    let plan = plan(&snapshot, &policy);
    assert!(!plan.is_pending(), "{plan:#?}");
    let key = "service/api".parse().unwrap();
    let entry = plan.remember.get(&key).unwrap_or(&snapshot.inventory.entries[&key]);
    let counts = entry.rewrites.iter().map(|(path, it)| {
        let agreed = it.agreed_since.map(|since| {
            let minutes = snapshot.now.duration_since(since).as_mins();
            format!("@{minutes}")
        });
        format!("{path}:{}{}", it.count, agreed.unwrap_or_default())
    });
    counts.collect::<Vec<_>>().join(" ")
}

const AS_DECLARED: &str = "plan=a branch=main env.A=1";

#[test]
fn a_repair_is_counted_with_the_write() {
    for (memory, expected) in [("", 1), ("repaired=plan:1", 2), ("repaired=plan:1@59", 2)] {
        let plan = planned(&service("plan=b branch=main env.A=1", memory));
        let record = plan.changes[0].record.as_ref().unwrap();
        let counts: Vec<(u32, bool)> =
            record.rewrites.values().map(|it| (it.count, it.agreed_since.is_some())).collect();
        assert_eq!(counts, [(expected, false)], "{memory}");
    }
}

#[test]
fn a_repair_is_forgotten_when_reads_have_agreed_for_an_hour_and_not_before() {
    let check = |memory: &str, expected: &str| {
        assert_eq!(remembered(&service(AS_DECLARED, memory)), expected, "{memory}");
    };
    // The first read that agrees clears nothing: it may fall between two swings.
    check("repaired=plan:2", "plan:2@0");
    check("repaired=plan:1@59", "plan:1@59");
    check("repaired=plan:2@60", "");
    check("repaired=plan:2@60 repaired=branch:1@10", "branch:1@10");
    // Nothing is remembered anew while it goes on agreeing.
    let plan = planned(&service(AS_DECLARED, "repaired=plan:2@30"));
    assert!(plan.remember.is_empty() && plan.settled.is_empty());
    let plan = planned(&service(AS_DECLARED, "repaired=plan:2@60"));
    assert_eq!(plan.settled.len(), 1);
}

#[test]
fn one_read_that_differs_begins_the_hour_anew() {
    let differs = "plan=b branch=main env.A=1";
    assert_eq!(remembered(&service(differs, "repaired=plan:2@59")), "plan:2");
    assert_eq!(remembered(&service(differs, "repaired=plan:2")), "plan:2");
}

#[test]
fn what_is_not_shown_neither_agrees_nor_differs() {
    let scene = |live: &str| {
        format!(
            "want service/api plan=a
             live service/api#s1 {live}
             ours service/api#s1 plan=a repaired=plan:2@90"
        )
    };
    assert_eq!(remembered(&scene("")), "plan:2@90");
    assert_eq!(remembered(&scene("plan=hidden")), "plan:2@90");
    assert_eq!(remembered(&scene("plan=a")), "");
}

#[test]
fn a_variable_that_comes_again_and_again_is_counted_while_it_is_away() {
    let scene = |live: &str, memory: &str| service(&format!("{AS_DECLARED} {live}"), memory);
    assert_eq!(remembered(&scene("", "repaired=env.X:2")), "envVars.X:2@0");
    assert_eq!(remembered(&scene("", "repaired=env.X:2@60")), "");
    check(
        &scene("env.X=1", "repaired=env.X:1@5"),
        "update service/api (drift): -env.x (secret) drift",
    );
    check(
        &scene("env.X=1", "repaired=env.X:2@5"),
        "none service/api (drift): ?env.x (secret) flapping",
    );
}

#[test]
fn what_is_asked_for_no_more_or_otherwise_is_forgotten_at_once() {
    let check = |wish: &str| {
        let plan = planned(&format!(
            "want service/api {wish}
             live service/api#s1 plan=b
             ours service/api#s1 plan=a repaired=plan:2"
        ));
        let change = plan.changes.first();
        let record = change.and_then(|change| change.record.as_ref()).map(|it| &it.rewrites);
        let entry = plan.remember.values().next().map(|it| &it.rewrites);
        assert!(record.or(entry).unwrap().is_empty(), "{wish}: {plan:#?}");
    };
    check("plan=c");
    check("branch=main");
    check("plan=a ignore=plan");
}

#[test]
fn a_name_that_does_not_stay_is_counted_as_any_field() {
    let scene = |memory: &str| {
        format!(
            "want service/api plan=a
             live service/api-live#s1 plan=a
             ours service/api#s1 plan=a {memory}"
        )
    };
    check(&scene("repaired=name:1"), "update service/api (drift): name api-live -> api drift");
    check(&scene("repaired=name:2"), "none service/api (drift): ?name api-live -> api flapping");
    let plan = planned(&scene("repaired=name:2"));
    let hint = plan.changes[0].fields[0].hint.as_deref();
    assert_eq!(hint, Some("metadata: { name: api-live, previousNames: [api] }"));
}

#[test]
fn one_line_mends_all_that_does_not_settle() {
    let live = "plan=b branch=x env.A=1 env.X=1";
    let plan = planned(&service(live, "repaired=plan:2 repaired=branch:2 repaired=env.X:2"));
    let hints = plan.changes[0].fields.iter().map(|field| field.hint.as_deref());
    let line = Some("ignoreChanges: [spec.branch, spec.plan, spec.envVars.X]");
    assert_eq!(hints.collect::<Vec<_>>(), [line; 3]);
}

#[test]
fn a_state_is_deployed_three_times_at_most_whatever_drifts_each_time() {
    let scene = |memory: &str, more: &str| {
        format!("{}\n{more}", service(&format!("{AS_DECLARED} env.R3=1"), memory))
    };
    let third = "deployed=3@20 repaired=env.R1:1@15 repaired=env.R2:1@5";
    let removed = "update service/api (drift): -env.r3 (secret) drift";
    let left = "none service/api (drift): ?env.r3 (secret) flapping";
    check(&scene(third, ""), left);
    check(&scene("deployed=2@20 repaired=env.R1:1@15", ""), removed);
    // Not while anything is unsettled, however long ago; then it begins anew.
    check(&scene("deployed=3@900 repaired=env.R2:1@5", ""), left);
    check(&scene("deployed=3@59", ""), left);
    check(&scene("deployed=3@60", ""), removed);
    // It is what was left that is unsettled.
    assert_eq!(remembered(&scene(third, "")), "envVars.R1:1@15 envVars.R2:1@5 envVars.R3:0");
}

#[test]
fn a_new_wish_is_written_whatever_was_deployed_and_what_needs_no_deployment_too() {
    let memory = "deployed=3@20 repaired=env.R1:1@15";
    let scene = |wish: &str, live: &str| {
        format!(
            "want service/api env.A=1 {wish}
             live service/api#s1 env.A=1 {live}
             ours service/api#s1 env.A=1 plan=a schedule=x {memory}"
        )
    };
    let wish = scene("plan=c schedule=x", "plan=a schedule=x env.R2=1");
    check(&wish, "update service/api: plan a -> c requested; -env.r2 (secret) drift");
    let deployed = planned(&wish).changes[0].record.as_ref().unwrap().deployed.unwrap();
    assert_eq!(deployed.count, 1);
    check(
        &scene("plan=a schedule=x", "plan=a schedule=y env.R2=1"),
        "update service/api (drift): schedule y -> x drift; ?env.r2 (secret) flapping",
    );
    let plan = planned(&scene("plan=a schedule=x", "plan=b schedule=x"));
    let fields: Vec<FieldReason> = plan.changes[0].fields.iter().map(|it| it.reason).collect();
    assert_eq!(fields, [FieldReason::Flapping]);
    assert!(plan.is_held_back() && !plan.is_pending(), "what was given up is not as declared");
    // What was not written is not remembered as written now, nor is it forgotten.
    let entry = plan.remember.values().next().unwrap();
    assert!(entry.applied.contains_key(&"plan".parse().unwrap()));
}

#[test]
fn a_persons_order_begins_all_counts_of_one_resource_anew() {
    let memory = "repaired=plan:2 repaired=env.X:2@10 deployed=3@5";
    let scene = service("plan=b branch=main env.A=1", memory);
    check(&scene, "none service/api (drift): ?plan b -> a flapping");
    check(
        &format!("{scene}\nrun forgive=service/api"),
        "update service/api (drift): plan b -> a drift",
    );
    check(
        &format!("{scene}\nrun forgive=service/other"),
        "none service/api (drift): ?plan b -> a flapping",
    );
    let plan = planned(&format!("{scene}\nrun forgive=service/api"));
    let record = plan.changes[0].record.as_ref().unwrap();
    let counts: Vec<u32> = record.rewrites.values().map(|it| it.count).collect();
    assert_eq!((counts, record.deployed.unwrap().count), (vec![1], 1));
}
