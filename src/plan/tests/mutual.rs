//! Services that need each other.

use super::scene::{check, parse};
use crate::model::{Key, LiveValue};
use crate::plan::{Action, Outcome, Part, Plan, Progress, StaleReason, Step, plan, review};

const PAIR: &str = "want service/a env.B=ref:service/b after=service/b
     want service/b env.A=ref:service/a after=service/a";

fn made(scene: &str) -> Plan {
    let (snapshot, policy) = parse(scene);
    plan(&snapshot, &policy)
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

#[test]
fn one_of_two_is_made_without_the_other_and_completed_once_that_is_there() {
    check(
        PAIR,
        "create service/b then after service/a: envVars.A
         create service/a after service/b",
    );
    let plan = made(PAIR);
    let [Step::Create { fields }, Step::Complete { shown, .. }] = plan.changes[0].steps.as_slice()
    else {
        panic!("{:?}", plan.changes[0].steps);
    };
    assert!(fields.is_empty(), "it is made without what is not there: {fields:?}");
    // Nobody else may have set it in the meantime (S10).
    assert_eq!(shown.values().collect::<Vec<_>>(), [&Some(LiveValue::Absent)]);
    // The snapshot, both lists' second look, and the look before the PATCH.
    assert_eq!((plan.cost.reads, plan.cost.writes), (4 + 1 + 1, 3));
}

#[test]
fn a_service_gets_its_own_address_once_it_has_one() {
    check(
        "want service/a env.ME=ref:service/a after=service/a",
        "create service/a then after service/a: envVars.ME",
    );
}

#[test]
fn a_ring_takes_one_patch() {
    check(
        "want service/a env.X=ref:service/b after=service/b
         want service/b env.X=ref:service/c after=service/c
         want service/c env.X=ref:service/a env.D=ref:database/d after=service/a,database/d
         want database/d",
        "create database/d
         create service/c after database/d then after service/a: envVars.X
         create service/b after service/c
         create service/a after service/b",
    );
}

#[test]
fn what_lives_is_no_reason_to_put_anything_off() {
    check(
        &format!("{PAIR}\nlive service/a#s1\nours service/a#s1"),
        "create service/b
         update service/a after service/b: +env.b - -> (from service/b:url) requested",
    );
    let both = format!("{PAIR}\nlive service/a#s1\nlive service/b#s2\nours service/a#s1");
    check(
        &format!("{both}\nours service/b#s2"),
        "update service/a: +env.b - -> (from service/b:url) requested
         update service/b: +env.a - -> (from service/a:url) requested",
    );
}

#[test]
fn names_that_are_given_in_a_circle_are_given_first() {
    check(
        "want service/a was=x env.B=ref:service/b after=service/b
         want service/b was=y env.A=ref:service/a after=service/a
         live service/x#s1 env.B=ref:service/y
         live service/y#s2 env.A=ref:service/x
         ours service/x#s1 env.B=ref:service/y
         ours service/y#s2 env.A=ref:service/x",
        "update service/b then after service/a: envVars.A: \
         name y -> b requested; env.a (from service/x:url) -> (from service/a:url) later
         update service/a after service/b: \
         name x -> a requested; env.b (from service/y:url) -> (from service/b:url) requested",
    );
}

/// What a variable shows of a service may be plain text, which is not shown on.
#[test]
fn what_is_put_off_need_not_be_shown() {
    let scene = "want service/a was=x env.B=ref:service/b after=service/b
         want service/b was=y env.A=ref:service/a after=service/a
         live service/x#s1 env.B=https://y
         live service/y#s2 env.A=https://x
         ours service/x#s1 env.B=ref:service/y
         ours service/y#s2 env.A=ref:service/x";
    check(
        scene,
        "update service/b then after service/a: envVars.A: \
         name y -> b requested; env.a (secret) later
         update service/a after service/b: \
         name x -> a requested; env.b (secret) requested",
    );
    let plan = made(scene);
    let [Step::Patch { fields, .. }, Step::Complete { shown, .. }] =
        plan.changes[0].steps.as_slice()
    else {
        panic!("{:?}", plan.changes[0].steps);
    };
    assert_eq!(fields.len(), 1, "its name alone: {fields:?}");
    assert_eq!(shown.values().collect::<Vec<_>>(), [&Some(LiveValue::Hidden)]);
}

/// The POST of what is deleted first must not name it.
#[test]
fn a_service_that_takes_its_own_address_is_replaced_without_it_and_completed() {
    let scene = "run replace=service/a=s1
         want service/a type=web env.ME=ref:service/a after=service/a
         live service/a#s1 type=cron";
    // New in the manifest, or written before.
    for (known, is_known) in [("", false), ("env.ME=ref:service/a", true)] {
        let scene = format!("{scene} {known}\nours service/a#s1 type=cron {known}");
        check(
            &scene,
            "replace service/a then after service/a: envVars.ME: \
             type cron -> web requested; +env.me - -> (from service/a:url) later",
        );
        let plan = made(&scene);
        let change = &plan.changes[0];
        let [Step::Delete { .. }, Step::Create { fields }, Step::Complete { shown, .. }] =
            change.steps.as_slice()
        else {
            panic!("{:?}", change.steps);
        };
        assert_eq!(fields.len(), 1, "its type alone: {fields:?}");
        assert_eq!(shown.values().collect::<Vec<_>>(), [&Some(LiveValue::Absent)], "{is_known}");
        let record = change.record.as_ref().unwrap();
        assert_eq!((record.applied.len(), record.kept.len()), (1, 0), "{is_known}");
    }
}

#[test]
fn a_name_that_is_given_in_a_circle_by_a_replacement_is_completed_as_of_a_new_service() {
    let plan = made(
        "run replace=service/b=s2
         want service/a was=x env.B=ref:service/b after=service/b
         want service/b type=web env.A=ref:service/a after=service/a
         live service/x#s1 env.B=ref:service/b
         live service/b#s2 type=cron env.A=ref:service/x
         ours service/x#s1 env.B=ref:service/b
         ours service/b#s2 type=cron env.A=ref:service/x",
    );
    let change = &plan.changes[0];
    assert_eq!((change.key.clone(), change.action), (key("service/b"), Action::Replace));
    let Some(Step::Complete { shown, .. }) = change.steps.last() else {
        panic!("{:?}", change.steps);
    };
    assert_eq!(shown.values().collect::<Vec<_>>(), [&Some(LiveValue::Absent)]);
    let record = change.record.as_ref().unwrap();
    assert!(!record.applied.keys().any(|path| path.env_key().is_some()), "{record:?}");
}

#[test]
fn nothing_is_made_that_could_never_be_completed() {
    let needs_it = "want service/c env.X=ref:service/b after=service/b";
    let withheld = PAIR.replacen("service/a ", "service/a no-create ", 1);
    check(
        &format!("{withheld}\n{needs_it}"),
        "create service/b BLOCKED dependency_blocked
         create service/a BLOCKED policy_withheld
         create service/c BLOCKED dependency_blocked",
    );
}

#[test]
fn a_change_is_ready_again_for_its_rest_and_only_then() {
    let mut progress = Progress::new(&made(PAIR));
    let (a, b) = (key("service/a"), key("service/b"));
    assert_eq!(progress.ready().collect::<Vec<_>>(), [&b]);
    assert_eq!(progress.part(&b), Part::First);
    assert!(progress.begin(&b));
    progress.finish(&b, Outcome::Applied);
    assert!(!progress.begin(&b), "not before the other is there");
    assert!(progress.begin(&a));
    progress.finish(&a, Outcome::Applied);
    assert!(!progress.is_finished());
    assert_eq!((progress.part(&b), progress.begin(&b)), (Part::Completion, true));
    progress.finish(&b, Outcome::Applied);
    assert!(progress.is_finished());
    assert_eq!(progress.report().counts().written, 2, "each change counts once");
}

#[test]
fn what_was_made_and_not_completed_is_told_as_both() {
    let mut progress = Progress::new(&made(PAIR));
    let (a, b) = (key("service/a"), key("service/b"));
    progress.begin(&b);
    progress.finish(&b, Outcome::Applied);
    progress.begin(&a);
    progress.finish(&a, Outcome::Stale { message: "moved".into() });
    assert!(progress.is_finished());
    let outcomes: Vec<Outcome> =
        progress.report().results.into_iter().map(|it| it.outcome).collect();
    let skipped = Outcome::Skipped { because_of: a };
    assert_eq!(outcomes, [Outcome::Applied, skipped, Outcome::Stale { message: "moved".into() }]);
    // Of what was never begun, only that is told.
    let mut progress = Progress::new(&made(PAIR));
    progress.begin(&b);
    progress.finish(&b, Outcome::Stale { message: "moved".into() });
    assert_eq!(progress.report().results.len(), 2);
}

#[test]
fn a_reviewed_change_that_could_not_be_completed_is_stale() {
    let saved = made(PAIR).changes;
    let saved = saved.iter().map(|it| (it.key.clone(), it.signature()));
    // What comes last is another now, and what comes first was to be completed with it.
    let (snapshot, policy) = parse(&PAIR.replacen("service/a ", "service/a plan=b ", 1));
    let reviewed = review(&saved.collect(), plan(&snapshot, &policy), &snapshot.live);
    assert_eq!(reviewed.plan.changes, []);
    let why = [("a", StaleReason::Changed), ("b", StaleReason::NeedsStale)];
    let why = why.map(|(name, why)| (key(&format!("service/{name}")), why));
    assert_eq!(reviewed.stale.into_iter().collect::<Vec<_>>(), why);
}

#[test]
fn five_thousand_pairs_are_planned_at_once() {
    let mut scene = String::new();
    for n in 0..5_000 {
        scene += &format!("want service/a{n} env.X=ref:service/b{n} after=service/b{n}\n");
        scene += &format!("want service/b{n} env.X=ref:service/a{n} after=service/a{n}\n");
    }
    let plan = made(&scene);
    assert_eq!((plan.summary().add, plan.cost.writes), (10_000, 15_000));
}

#[test]
fn what_could_never_be_completed_is_not_begun() {
    // Whether the database lives is not known, so it is neither made nor called missing (S2).
    check(
        "want service/a env.D=ref:database/a
         want service/b env.A=ref:service/a after=service/a
         want database/a env.P=ref:service/a after=service/a
         want service/a env.D=ref:database/a after=database/a
         forbidden databases",
        "create service/a BLOCKED dependency_blocked
         create database/a BLOCKED incomplete_view
         create service/b BLOCKED dependency_blocked",
    );
}
