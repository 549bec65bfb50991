//! In which order, at what cost, and what becomes of it.

use super::scene::{check, explain, parse};
use crate::model::Key;
use crate::plan::{Conclusion, FailureCause, Outcome, Plan, Progress, StaleReason, plan, review};

#[test]
fn what_is_referred_to_is_created_first_and_must_succeed() {
    check(
        "want service/a after=service/z,database/main
         want service/z after=envgroup/env
         want database/main
         want envgroup/env",
        "create envgroup/env
         create database/main
         create service/z after envgroup/env
         create service/a after database/main,service/z",
    );
}

#[test]
fn a_failing_update_of_what_is_referred_to_holds_nobody_up() {
    check(
        "want service/a plan=b after=service/z
         want service/z plan=b
         live service/a#s1 plan=a
         live service/z#s2 plan=a
         ours service/a#s1
         ours service/z#s2",
        "update service/z: plan a -> b requested
         update service/a: plan a -> b requested",
    );
}

#[test]
fn what_is_written_refers_to_exactly_one_thing() {
    let group = "want envgroup/env\nours envgroup/env#e1\nlive envgroup/env#e1\n";
    let another = "live envgroup/env#e2\n";
    let refers = "want service/a envGroups=[env] after=envgroup/env\n";
    let two = format!("{refers}want envgroup/env\nlive envgroup/env#e1\n{another}");
    check(
        &two,
        "update envgroup/env BLOCKED ambiguous_name
         create service/a BLOCKED dependency_blocked",
    );
    // One of them is ours, or there is only one: that is the one.
    check(&format!("{refers}{group}{another}"), "create service/a\nunmanaged envgroup/env#e2");
    let external = "want service/a envGroups=[env]\n";
    check(&format!("{external}{another}"), "create service/a\nunmanaged envgroup/env#e2");
    check(external, "create service/a BLOCKED dependency_blocked");
    // What is not seen may be there.
    check(&format!("{external}forbidden envgroups"), "create service/a");
    let databases = "live database/main#d1\nlive database/main#d2";
    let says = explain(&format!("want service/a env.DB=ref:database/main\n{databases}"));
    assert!(says.starts_with("it refers to database/main, and 2 live objects have that name | "));
}

#[test]
fn what_writes_no_reference_needs_none() {
    check(
        "want service/a plan=b envGroups=[env]
         live service/a#s1 plan=a envGroups=[env]
         ours service/a#s1
         live envgroup/env#e1
         live envgroup/env#e2",
        "update service/a: plan a -> b requested
         unmanaged envgroup/env#e1
         unmanaged envgroup/env#e2",
    );
}

#[test]
fn what_will_not_exist_blocks_what_refers_to_it_and_what_lives_does_not() {
    check(
        "want service/a after=service/z
         want service/z after=database/main
         want database/main no-create",
        "create database/main BLOCKED policy_withheld
         create service/z BLOCKED dependency_blocked
         create service/a BLOCKED dependency_blocked",
    );
    check(
        "want service/a after=database/main
         want database/main version=17
         live database/main#d1 version=16
         ours database/main#d1",
        "update database/main BLOCKED immutable
         create service/a",
    );
    check(
        "run exclude=database/main
         want service/a after=database/main
         want database/main",
        "create service/a BLOCKED dependency_blocked",
    );
}

#[test]
fn a_target_takes_what_it_depends_on_and_nothing_else() {
    check(
        "run target=service/a
         want service/a after=database/main
         want service/b
         want database/main",
        "create database/main\ncreate service/a after database/main",
    );
}

#[test]
fn a_cycle_is_carried_out_in_some_fixed_order() {
    check(
        "want service/a after=service/b\nwant service/b after=service/a",
        "create service/a BLOCKED dependency_blocked\ncreate service/b BLOCKED dependency_blocked",
    );
}

const DROPPED: &str = "live service/api#s1 env.U=ref:database/main
     live database/main#d1
     live database/keep#d2
     ours service/api#s1 env.U=ref:database/main after=database/main
     ours database/main#d1 prune=true
     ours database/keep#d2
     want database/keep
     ";

#[test]
fn a_database_goes_after_what_referred_to_it_and_not_before_it_let_go() {
    check(
        &format!("run prune\n{DROPPED} want service/api env"),
        "update service/api: -env.u ref -> - requested
         delete database/main after service/api"
            .replace("ref ->", "(from database/main:url) ->")
            .as_str(),
    );
    // Its variables are not ours to remove, so it refers to it still.
    check(
        &format!("run prune\n{DROPPED} want service/api"),
        "delete database/main BLOCKED dependency_blocked",
    );
    check(
        &format!("run prune\n{DROPPED} want service/api env no-update"),
        "update service/api BLOCKED policy_withheld
         delete database/main BLOCKED dependency_blocked",
    );
    // Declared to be somebody else's, and referred to.
    check(
        &format!("run prune\n{DROPPED} want service/api env.U=ref:database/main"),
        "delete database/main BLOCKED dependency_blocked",
    );
}

#[test]
fn a_plan_costs_what_the_laws_demand_and_not_a_request_more() {
    let cost = |scene: &str| {
        let (snapshot, policy) = parse(scene);
        let cost = plan(&snapshot, &policy).cost;
        (cost.reads, cost.writes)
    };
    // Four requests read the snapshot; every listing is one page.
    assert_eq!(cost("want service/a\nlive service/a#s1"), (4, 0));
    assert_eq!(cost("want service/a\nwant service/b"), (4 + 1, 2));
    assert_eq!(cost("want service/a\nwant database/b"), (4 + 2, 2));
    let patch = "want service/a plan=b\nlive service/a#s1 plan=a\nours service/a#s1";
    assert_eq!(cost(patch), (4 + 1, 1));
    let replace = "run replace=service/a=s1
         want service/a type=web\nlive service/a#s1 type=cron\nours service/a#s1";
    assert_eq!(cost(replace), (4 + 1 + 1, 2));
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

fn ready(progress: &Progress) -> Vec<String> {
    progress.ready().map(Key::to_string).collect()
}

fn made(scene: &str) -> Plan {
    let (snapshot, policy) = parse(scene);
    plan(&snapshot, &policy)
}

const CHAIN: &str = "want database/main
     want service/api after=database/main
     want service/web after=service/api
     want service/other";

fn failed() -> Outcome {
    Outcome::Failed {
        cause: crate::plan::FailureCause::Other,
        message: "refused".into(),
        request_id: None,
    }
}

#[test]
fn a_change_begins_once_what_it_comes_after_is_applied() {
    let mut progress = Progress::new(&made(CHAIN));
    assert_eq!(ready(&progress), ["database/main", "service/other"]);
    assert!(progress.begin(&key("database/main")));
    assert!(!progress.begin(&key("database/main")), "once only");
    assert!(!progress.begin(&key("service/api")), "not before its turn");
    assert_eq!(ready(&progress), ["service/other"]);
    progress.finish(&key("database/main"), Outcome::Applied);
    assert_eq!(ready(&progress), ["service/api", "service/other"]);
}

#[test]
fn what_follows_on_a_failure_is_skipped_and_the_rest_goes_on() {
    let mut progress = Progress::new(&made(CHAIN));
    progress.begin(&key("database/main"));
    progress.finish(&key("database/main"), failed());
    assert_eq!(ready(&progress), ["service/other"]);
    progress.begin(&key("service/other"));
    progress.finish(&key("service/other"), Outcome::Applied);
    assert!(progress.is_finished());
    let report = progress.report();
    let skipped = |because: &str| Outcome::Skipped { because_of: key(because) };
    let outcomes: Vec<Outcome> = report.results.iter().map(|it| it.outcome.clone()).collect();
    let expected = [failed(), skipped("database/main"), Outcome::Applied, skipped("service/api")];
    assert_eq!(outcomes, expected);
    assert_eq!(report.conclusion(), Conclusion::Partial);
}

#[test]
fn after_stop_nothing_begins_and_what_runs_is_waited_for() {
    let mut progress = Progress::new(&made(CHAIN));
    progress.begin(&key("database/main"));
    progress.stop();
    assert!(!progress.begin(&key("service/other")));
    assert!(!progress.is_finished());
    progress.finish(&key("database/main"), Outcome::Applied);
    assert!(progress.is_finished() && ready(&progress).is_empty());
    let report = progress.report();
    assert_eq!(report.conclusion(), Conclusion::Stopped);
    assert_eq!((report.counts().written, report.counts().not_started), (1, 3));
}

#[test]
fn a_run_is_concluded_by_its_worst_news() {
    let run = |scene: &str, outcome: Outcome| {
        let mut progress = Progress::new(&made(scene));
        while let Some(next) = progress.begin_next() {
            progress.finish(&next, outcome.clone());
        }
        assert!(progress.is_finished());
        progress.report().conclusion()
    };
    let stale = || Outcome::Stale { message: "moved".into() };
    let unresolved =
        || Outcome::Unresolved { cause: FailureCause::Other, message: "no answer".into() };
    assert_eq!(run("want service/a", Outcome::Applied), Conclusion::Done);
    assert_eq!(run("want service/a", failed()), Conclusion::Failed);
    assert_eq!(run("want service/a", unresolved()), Conclusion::Failed);
    assert_eq!(run("want service/a", stale()), Conclusion::Stale);
    let refused = "want service/a\nwant service/b\nlive service/b#s1\nlive service/b#s2";
    assert_eq!(run(refused, Outcome::Applied), Conclusion::Refused);
    let declined = "want service/a\nlive service/b#s1\nours service/b#s1";
    assert_eq!(run(declined, Outcome::Applied), Conclusion::Done);
}

/// Reviews the fresh scene with what was saved of the first, and prints both sides.
fn reviewed(saved: &str, fresh: &str) -> (Vec<String>, Vec<(String, StaleReason)>) {
    let saved = made(saved).changes;
    let saved = saved.iter().map(|it| (it.key.clone(), it.signature()));
    let (snapshot, policy) = parse(fresh);
    let reviewed = review(&saved.collect(), plan(&snapshot, &policy), &snapshot.live);
    let kept = reviewed.plan.changes.iter().map(|it| it.key.to_string());
    let stale = reviewed.stale.iter().map(|(key, why)| (key.to_string(), *why));
    (kept.collect(), stale.collect())
}

#[test]
fn a_saved_plan_is_carried_out_as_reviewed_and_no_further() {
    let plan = "want service/a plan=b\nours service/a#s1\nlive service/a#s1";
    let (kept, stale) =
        reviewed(&format!("{plan} plan=a"), &format!("{plan} plan=a\nwant service/new"));
    assert_eq!((kept.len(), stale.len()), (1, 0));
    let one = |why| (Vec::<String>::new(), vec![("service/a".to_owned(), why)]);
    let fresh = |live: &str| reviewed(&format!("{plan} plan=a"), &format!("{plan} {live}"));
    assert_eq!(fresh("plan=c"), one(StaleReason::Changed));
    assert_eq!(fresh("plan=b"), one(StaleReason::NotNeeded));
    assert_eq!(fresh("plan=a born=2026-01-15"), one(StaleReason::Changed));
    // What was blocked when it was reviewed is not done when it is blocked no longer.
    let two = "want service/a\nlive service/a#s1\nlive service/a#s2";
    assert_eq!(reviewed(two, "want service/a"), one(StaleReason::Changed));
}

#[test]
fn what_needs_an_unreviewed_change_is_stale_too() {
    let scene = "want service/a after=database/main\nwant database/main";
    let (kept, stale) = reviewed(&format!("{scene}\nlive database/main#d1"), scene);
    assert_eq!(kept, Vec::<String>::new());
    let why: Vec<StaleReason> = stale.into_iter().map(|(_, why)| why).collect();
    assert_eq!(why, [StaleReason::Changed, StaleReason::NeedsStale]);
}

#[test]
fn a_signature_does_not_depend_on_a_secret() {
    let sign = |secret: &str| {
        let plan = made(&format!("want service/a env.K=secret:{secret}"));
        plan.changes[0].signature()
    };
    assert_eq!(sign("x"), sign("y"));
    assert_eq!(sign("x").len(), 64);
}

#[test]
fn no_secret_stands_in_a_plan_as_it_is_printed() {
    let plan = made(
        "want service/a env.K=secret:hush env.R=ref:database/d plan=b
         live service/a#s1 env.K=hush-live env.R=postgres://hush env.X=hush-theirs plan=a
         ours service/a#s1 env.K=secret:hush-old env.X=secret:hush-theirs",
    );
    let text = format!("{plan:?}").replace("mark of hush", "");
    assert!(!text.contains("hush"), "{text}");
}
