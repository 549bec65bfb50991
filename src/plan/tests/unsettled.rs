//! Declared values that we never wrote and that the platform does not show.

use super::super::{FieldReason, Plan, Step, plan};
use super::scene::{check, parse};

/// A service that was taken over: of its token and its branch nobody knows whether they are so.
const TAKEN: &str = "want service/api env.TOKEN=secret:new branch=main plan=a
     live service/api#s1 env.TOKEN=hidden plan=a
     ours service/api#s1 named plan=a";

fn planned(scene: &str) -> Plan {
    let (snapshot, policy) = parse(scene);
    plan(&snapshot, &policy)
}

#[test]
fn each_is_counted_and_told_with_the_ways_to_settle_it() {
    let plan = planned(TAKEN);
    assert_eq!(plan.summary().unsettled, 2);
    assert!(plan.is_unsettled() && !plan.is_pending());
    let hints: Vec<&str> =
        plan.changes[0].unsettled().map(|field| field.hint.as_deref().unwrap()).collect();
    assert_eq!(
        hints,
        [
            "`--write-unsettled service/api:branch` writes it, `--accept-unsettled \
             service/api:branch` accepts the live value",
            "`--write-unsettled service/api:envVars.TOKEN` writes it, `--accept-unsettled \
             service/api:envVars.TOKEN` accepts the live value",
        ]
    );
}

/// Green while wrong: a later change of something else must not carry the value along.
#[test]
fn nothing_unsettled_rides_along_with_another_change() {
    let plan = planned(&TAKEN.replace("plan=a\n     live", "plan=b\n     live"));
    let [Step::Patch { fields, .. }] = plan.changes[0].steps.as_slice() else { panic!("{plan:?}") };
    let paths: Vec<String> = fields.keys().map(ToString::to_string).collect();
    assert_eq!(paths, ["plan"]);
    assert_eq!(plan.summary().unsettled, 2);
}

#[test]
fn a_person_has_one_written_or_takes_what_lives_for_it() {
    check(
        &format!("{TAKEN}\nrun write=service/api:envVars.TOKEN"),
        "update service/api: ?branch - -> main unverifiable; env.token (secret) unverifiable",
    );
    check(
        &format!("{TAKEN}\nrun accept=service/api"),
        "none service/api: ?branch - -> main accepted; ?env.token (secret) accepted",
    );
    let accepted = planned(&format!("{TAKEN}\nrun accept=service/api"));
    assert!(!accepted.is_unsettled() && !accepted.is_idle() && !accepted.is_pending());
    check(
        &format!("{TAKEN}\nrun write=service/api:branch accept=service/api"),
        "update service/api: branch - -> main unverifiable; ?env.token (secret) accepted",
    );
    check(
        &format!("{TAKEN}\nrun write=service/other"),
        "none service/api: \
         ?branch - -> main unverifiable; ?env.token (secret) unverifiable",
    );
}

#[test]
fn the_manifest_settles_for_good_what_it_says() {
    let says = |word: &str| {
        TAKEN.replace("want service/api", &format!("want service/api unsettled={word}"))
    };
    check(
        &says("accept"),
        "none service/api: ?branch - -> main accepted; ?env.token (secret) accepted",
    );
    check(
        &says("write"),
        "update service/api: branch - -> main unverifiable; env.token (secret) unverifiable",
    );
    // What is said of a run outweighs it.
    check(
        &format!("{}\nrun write=service/api:branch", says("accept")),
        "update service/api: branch - -> main unverifiable; ?env.token (secret) accepted",
    );
}

/// What was accepted is remembered as if it had been written: the next value is a wish.
#[test]
fn after_that_a_value_that_is_rotated_is_written() {
    let (mut snapshot, policy) = parse(&format!("{TAKEN}\nrun accept=service/api"));
    let accepted = plan(&snapshot, &policy);
    let entries = accepted.remember.clone();
    std::sync::Arc::make_mut(&mut snapshot.inventory).entries.extend(entries);
    let (calm, rotated) = (parse(TAKEN), parse(&TAKEN.replace("secret:new", "secret:newer")));
    snapshot.desired = calm.0.desired;
    assert_eq!(plan(&snapshot, &calm.1).changes, []);
    snapshot.desired = rotated.0.desired;
    let plan = plan(&snapshot, &rotated.1);
    let [field] = plan.changes[0].fields.as_slice() else { panic!("{plan:?}") };
    assert_eq!(
        (field.path.to_string().as_str(), field.reason),
        ("envVars.TOKEN", FieldReason::Requested)
    );
    assert_eq!(plan.changes[0].steps.len(), 1);
}

#[test]
fn what_cannot_be_written_is_not_and_what_is_seen_to_be_other_is_not_taken_for_it() {
    let database =
        "want database/main user=shop\n live database/main#d1\n ours database/main#d1 named";
    check(
        &format!("{database}\nrun write=database/main"),
        "none database/main: ?user - -> shop unverifiable",
    );
    let hint = planned(database).changes[0].fields[0].hint.clone();
    assert_eq!(
        hint.as_deref(),
        Some("`--accept-unsettled database/main:user` accepts the live value")
    );
    let anothers = "want service/api env.K=gen:x\n live service/api#s1 env.K=other\n \
                    ours service/api#s1 named";
    check(
        &format!("{anothers}\nrun accept=service/api"),
        "none service/api: ?env.k (secret) unverifiable",
    );
    let hint = planned(anothers).changes[0].fields[0].hint.clone();
    assert_eq!(
        hint.as_deref(),
        Some(
            "`--write-unsettled service/api:envVars.K` writes it, \
             `ignoreChanges: [spec.envVars.K]` leaves it as it is"
        )
    );
}

/// What is ignored already stays in the line that is to be written.
#[test]
fn the_line_that_leaves_one_alone_keeps_what_is_ignored_already() {
    let anothers = "want service/api env.K=gen:x ignore=plan\n live service/api#s1 env.K=other\n \
                    ours service/api#s1 named";
    let hint = planned(anothers).changes[0].fields[0].hint.clone().unwrap();
    assert!(hint.contains("`ignoreChanges: [spec.plan, spec.envVars.K]` leaves"), "{hint}");
}

/// A state that knows of something else, and of repairs, is a state.
#[test]
fn with_a_history_of_others_they_are_unsettled() {
    let plan = planned(
        "want service/api env.TOKEN=secret:new plan=a
         want service/web plan=a
         live service/api#s1 env.TOKEN=hidden plan=a
         live service/web#s2 plan=a
         ours service/web#s2 plan=a repaired=plan:1",
    );
    assert_eq!((plan.summary().unsettled, plan.summary().unjudged), (1, 0));
    assert!(plan.is_unsettled());
}

#[test]
fn without_any_state_they_are_counted_as_what_cannot_be_judged() {
    let plan = planned(
        "want service/api env.TOKEN=secret:new plan=a
         live service/api#s1 env.TOKEN=hidden plan=a",
    );
    assert_eq!((plan.summary().unsettled, plan.summary().unjudged), (0, 1));
    assert!(!plan.is_unsettled());
}
