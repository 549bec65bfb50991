//! Names that are exchanged in one commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{Change, Move, Step, plan};
use super::scene::{check, explain, parse};
use crate::model::{Entry, Key, Snapshot};

const WISH: &str = "want service/a was=b plan=2\nwant service/b was=a plan=1\n";
const BEFORE: &str = "live service/a#s1 plan=1\nlive service/b#s2 plan=2\n\
                      ours service/a#s1 plan=1\nours service/b#s2 plan=2\n";

fn before() -> String {
    format!("{WISH}{BEFORE}")
}

const ROUND: &str = "want service/a was=c\nwant service/b was=a\nwant service/c was=b\n\
                     live service/a#s1\nlive service/b#s2\nlive service/c#s3\n\
                     ours service/a#s1\nours service/b#s2\nours service/c#s3\n";

#[test]
fn one_makes_way_and_each_is_given_its_name() {
    check(
        &before(),
        "update service/a first s1 a -> a-moving for service/b: name b -> a requested
         update service/b after service/a: name a -> b requested",
    );
    check(
        ROUND,
        "update service/a first s1 a -> a-moving for service/b: name c -> a requested
         update service/c after service/a: name b -> c requested
         update service/b after service/c: name a -> b requested",
    );
}

/// Where two may have one name, nothing needs to make way.
#[test]
fn where_names_repeat_nothing_makes_way() {
    check(
        &format!("run names-repeat\n{}", before()),
        "update service/a: name b -> a requested
         update service/b after service/a: name a -> b requested",
    );
}

/// What is looked at before each write is as the writes before have left it.
#[test]
fn what_made_way_is_looked_for_under_that_name() {
    let (snapshot, policy) = parse(&before());
    let plan = plan(&snapshot, &policy);
    let names = plan.changes.iter().flat_map(|change| &change.steps).map(|step| match step {
        Step::MakeWay { precondition, .. } | Step::Patch { precondition, .. } => {
            precondition.name.as_str()
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(names.collect::<Vec<_>>(), ["a", "b", "a-moving"]);
    // Each is looked at, and each is written.
    assert_eq!((plan.cost.reads, plan.cost.writes), (4 + 3, 3));
}

#[test]
fn the_name_for_the_moment_is_free_and_fits() {
    check(
        &format!("{}live service/a-moving#s3\nwant service/a-moving-2", before()),
        "update service/a first s1 a -> a-moving-3 for service/b: name b -> a requested
         create service/a-moving-2
         update service/b after service/a: name a -> b requested
         unmanaged service/a-moving#s3",
    );
    let long = "a".repeat(63);
    let scene = before().replace("service/a", &format!("service/{long}"));
    let (snapshot, policy) = parse(&scene.replace("was=a", &format!("was={long}")));
    let Some(Step::MakeWay { name, .. }) =
        plan(&snapshot, &policy).changes[0].steps.first().cloned()
    else {
        panic!("nothing makes way");
    };
    assert_eq!(name.as_str(), format!("{}-moving", "a".repeat(56)));
}

/// Wherever the run died, the next one goes on: first what made way has another name, then the other
/// one has its name and nothing remembers that, then that is remembered.
#[test]
fn after_a_crash_it_goes_on_where_it_was() {
    let known = "ours service/a#s1 interim=a-moving plan=1\nours service/b#s2 plan=2\n";
    check(
        &format!("{WISH}{known}live service/a#s1 plan=1\nlive service/b#s2 plan=2"),
        "update service/a first s1 a -> a-moving for service/b: name b -> a requested
         update service/b after service/a: name a -> b requested",
    );
    check(
        &format!("{WISH}{known}live service/a-moving#s1 plan=1\nlive service/b#s2 plan=2"),
        "update service/a: name b -> a requested
         update service/b after service/a: name a-moving -> b requested",
    );
    check(
        &format!("{WISH}{known}live service/a-moving#s1 plan=1\nlive service/a#s2 plan=2"),
        "adopt service/a as created
         update service/b after service/a: name a-moving -> b requested",
    );
    let moved = "ours service/a#s2 was=b plan=2\nours service/b#s1 was=a interim=a-moving plan=1\n";
    check(
        &format!("{WISH}{moved}live service/a-moving#s1 plan=1\nlive service/a#s2 plan=2"),
        "update service/b: name a-moving -> b requested",
    );
    check(&format!("{WISH}{moved}live service/b#s1 plan=1\nlive service/a#s2 plan=2"), "");
}

/// Of three the last follows on the one whose name is yet to move.
#[test]
fn what_is_known_by_its_new_name_and_has_its_old_one_moves_on_first() {
    let wish = ROUND.lines().take(3).collect::<Vec<_>>().join("\n");
    let scene = format!(
        "{wish}
         ours service/a#s3 was=c
         ours service/b#s1 was=a interim=a-moving
         ours service/c#s2 was=b interim=b
         live service/a#s3
         live service/a-moving#s1
         live service/b#s2"
    );
    check(
        &scene,
        "update service/c: name b -> c requested
         update service/b after service/c: name a-moving -> b requested",
    );
    // What must go is known by the name it has for the moment.
    check(
        &format!("run prune\n{}", scene.replace("want service/b was=a\n", "").replace("was=c", "")),
        "update service/c: name b -> c requested\ndelete service/b",
    );
}

/// The lines stay in the manifests, and nothing moves again.
#[test]
fn once_it_is_done_the_names_stay_where_they_are() {
    let live = "live service/a#s2 plan=2\nlive service/b#s1 plan=1\n";
    let done = format!("{WISH}ours service/a#s2 was=b plan=2\nours service/b#s1 was=a plan=1\n");
    check(&format!("{done}{live}"), "");
    // Not even when one of them is gone, or forgotten.
    check(&format!("{done}gone s2\nlive service/b#s1 plan=1"), "create service/a (missing)");
    let without = done.replace("ours service/a#s2 was=b plan=2\n", "");
    check(&format!("{without}live service/b#s1 plan=1"), "create service/a");
    check(&format!("{without}{live}"), "adopt service/a as named");
    // What is new was never another.
    check(WISH, "create service/a\ncreate service/b");
}

/// Lines that were taken back ask for nothing: the name for the moment is taken back as well.
#[test]
fn a_wish_that_is_taken_back_halfway_gives_the_name_back() {
    check(
        "want service/a plan=1
         want service/b plan=2
         live service/a-moving#s1 plan=1
         live service/b#s2 plan=2
         ours service/a#s1 interim=a-moving plan=1
         ours service/b#s2 plan=2",
        "update service/a: name a-moving -> a requested",
    );
}

#[test]
fn without_a_memory_nobody_knows_whether_they_have_exchanged_them() {
    let live = "live service/a#s1 plan=1\nlive service/b#s2 plan=2\n";
    let blocked = "update service/a BLOCKED ambiguous_name
                   update service/b BLOCKED ambiguous_name";
    check(&format!("{WISH}{live}"), blocked);
    check(&format!("{WISH}{live}ours service/a#s1 plan=1"), blocked);
    // One line was done and the other is new.
    let half = format!("{WISH}{live}ours service/a#s1 plan=1\nours service/b#s2 was=a plan=2");
    check(&half, blocked);
    assert!(explain(&half).contains("not all of these lines are new"), "{}", explain(&half));
    // Somebody else's has one of the names.
    check(&format!("{}live service/a#s9", before()), &format!("{blocked}\nunmanaged service/a#s9"));
}

#[test]
fn what_is_gone_is_made_anew_under_its_name() {
    check(
        &format!("{WISH}gone s1\nlive service/b#s2 plan=2\n{}", ours()),
        "update service/a: name b -> a requested
         create service/b after service/a",
    );
    check(
        &format!("{WISH}gone s1\ngone s2\n{}", ours()),
        "create service/a (missing)
         create service/b (missing)",
    );
    // Not seen is not gone.
    check(
        &format!("{WISH}live service/b#s2 plan=2\n{}", ours()),
        "update service/a BLOCKED incomplete_view
         update service/b BLOCKED incomplete_view",
    );
    check(
        &before().replace("live service/a#s1", "live service/a#s1 going"),
        "update service/a BLOCKED in_flight
         update service/b BLOCKED in_flight",
    );
}

fn ours() -> String {
    BEFORE.lines().filter(|line| line.starts_with("ours")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_create_that_was_never_answered_is_settled_first() {
    check(
        &format!(
            "{WISH}live service/a#s1 plan=1\nlive service/b#s2 plan=2\n\
             ours service/a#s1 plan=1\nintent service/b 600s plan=2"
        ),
        "update service/a BLOCKED in_flight
         adopt service/b as presumed (answerlost)",
    );
    check(
        &format!("{WISH}live service/a#s1 plan=1\nours service/a#s1 plan=1\nintent service/b 600s"),
        "update service/a BLOCKED in_flight
         forget service/b (missing)",
    );
}

/// Half of it would leave one without a name of its own.
#[test]
fn where_one_cannot_none_does() {
    let blocked = |extra: &str, one: &str, other: &str| {
        check(
            &format!("{extra}\n{}", before()),
            &format!("update service/a BLOCKED {one}\nupdate service/b BLOCKED {other}"),
        );
    };
    blocked("run cannot-rename", "immutable", "immutable");
    check(
        &before().replace("want service/b was=a", "want service/b no-update was=a"),
        "update service/a BLOCKED dependency_blocked
         update service/b BLOCKED policy_withheld",
    );
    check(
        &before()
            .replace("want service/b was=a plan=1", "want service/b was=a plan=1 type=worker")
            .replace("live service/a#s1", "live service/a#s1 type=web"),
        "update service/a BLOCKED dependency_blocked
         update service/b BLOCKED immutable",
    );
    check(
        &before().replace("want service/b was=a", "want service/b ignore=name was=a"),
        "update service/a BLOCKED dependency_blocked
         adopt service/b as created BLOCKED dependency_blocked",
    );
    check(
        &before().replace("service/", "database/"),
        "update database/a BLOCKED immutable
         update database/b BLOCKED immutable",
    );
}

#[test]
fn both_must_be_selected() {
    for run in ["run target=service/a", "run exclude=service/b"] {
        let scene = format!("{run}\n{}", before());
        check(&scene, "update service/a BLOCKED dependency_blocked");
        assert_eq!(
            explain(&scene),
            "it exchanges its name with service/b, which is not selected | select service/b as well"
        );
    }
}

/// Both may need each other, and what needs them is as it was.
#[test]
fn both_may_need_each_other() {
    check(
        "want service/a was=b env.B=ref:service/b after=service/b
         want service/b was=a env.A=ref:service/a after=service/a
         want service/web env.A=ref:service/a after=service/a
         live service/a#s1
         live service/b#s2
         live service/web#s3 env.A=ref:service/a
         ours service/a#s1
         ours service/b#s2
         ours service/web#s3 env.A=ref:service/a",
        "update service/a then after service/b: envVars.B first s1 a -> a-moving for service/b: \
         name b -> a requested; +env.b - -> (from service/b:url) later
         update service/b after service/a: \
         name a -> b requested; +env.a - -> (from service/a:url) requested",
    );
}

/// All are remembered under their new keys at once, and none is forgotten.
#[test]
fn the_memory_of_all_goes_round_in_one_event() {
    let (mut snapshot, policy) = parse(ROUND);
    let changes = plan(&snapshot, &policy).changes;
    let entries = |moved: Move| match moved {
        Move::Exchange(entries) => entries,
        other => panic!("{other:?}"),
    };
    let first = entries(moves(&changes[0], &snapshot));
    let ids = |entries: &BTreeMap<Key, Entry>| {
        entries.values().map(|entry| entry.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&first), ["s3", "s1", "s2"]);
    let names: Vec<Option<&str>> =
        first.values().map(|entry| entry.interim_name.as_deref()).collect();
    assert_eq!(names, [None, Some("a"), Some("b")]);
    Arc::make_mut(&mut snapshot.inventory).entries.extend(first);
    // The others are under theirs already, and take nothing away from anybody.
    assert_eq!(moves(&changes[1], &snapshot), Move::None);
    assert_eq!(moves(&changes[2], &snapshot), Move::None);
}

fn moves(change: &Change, snapshot: &Snapshot) -> Move {
    let record = change.record.clone().unwrap();
    let entry = record.clone().into_entry(change.id.clone().unwrap(), None);
    record.moves(&change.key, &entry, &snapshot.inventory.entries)
}
