//! A name that moves on, and what takes its place.

use super::super::{Sight, plan};
use super::scene::{check, explain, parse};

const WISH: &str = "want service/api plan=b\nwant service/api-v1 was=api plan=a\n";

#[test]
fn what_lives_is_renamed_and_then_the_new_one_is_created() {
    check(
        &format!("{WISH}live service/api#s1 plan=a\nours service/api#s1 plan=a"),
        "update service/api-v1: name api -> api-v1 requested
         create service/api after service/api-v1",
    );
}

#[test]
fn after_a_crash_it_goes_on_where_it_was() {
    check(
        &format!("{WISH}live service/api-v1#s1 plan=a\nours service/api#s1 plan=a"),
        "adopt service/api-v1 as created
         create service/api after service/api-v1",
    );
    check(
        &format!("{WISH}live service/api-v1#s1 plan=a\nours service/api-v1#s1 plan=a"),
        "create service/api",
    );
}

/// The line stays in the manifest, and nothing moves again.
#[test]
fn once_it_is_done_the_name_stays_where_it_is() {
    let done = format!("{WISH}live service/api#s2 plan=b\nours service/api#s2 plan=b\n");
    check(&format!("{done}live service/api-v1#s1 plan=a\nours service/api-v1#s1 plan=a"), "");
    // Not even when what was renamed is gone.
    check(
        &format!("{done}gone s1\nours service/api-v1#s1 plan=a"),
        "create service/api-v1 (missing)",
    );
    // Nor when the state is lost.
    check(
        &format!("{WISH}live service/api#s2 plan=b\nlive service/api-v1#s1 plan=a"),
        "adopt service/api as named\nadopt service/api-v1 as named",
    );
}

/// What names two declared ones as its previous names becomes of one of them: the other stays.
#[test]
fn of_two_previous_names_the_first_that_lives_moves_on() {
    let wish = "want service/a plan=1\nwant service/b plan=1\nwant service/c was=a,b plan=1\n";
    let b = "live service/b#s2 plan=1\nours service/b#s2 plan=1\n";
    check(
        &format!("{wish}{b}live service/a#s1 plan=1\nours service/a#s1 plan=1"),
        "update service/c: name a -> c requested
         create service/a after service/c",
    );
    check(
        &format!("{wish}{b}gone s1\nours service/a#s1 plan=1"),
        "create service/a (missing)
         update service/c: name b -> c requested
         create service/b after service/c",
    );
    // Before the rename is remembered, too.
    check(
        &format!("{wish}{b}live service/c#s1 plan=1\nours service/a#s1 plan=1"),
        "adopt service/c as created
         create service/a after service/c",
    );
}

#[test]
fn without_a_memory_nobody_knows_which_of_both_it_is() {
    let scene = format!("{WISH}live service/api#s1 plan=a");
    check(
        &scene,
        "update service/api BLOCKED ambiguous_name\nupdate service/api-v1 BLOCKED ambiguous_name",
    );
    let said = explain(&format!("{scene}\nrun target=service/api"));
    assert!(said.ends_with("| `stoker adopt service/api=s1` allows it to be renamed"), "{said}");
    check(WISH, "create service/api\ncreate service/api-v1");
}

#[test]
fn names_move_on_in_a_row() {
    check(
        "want service/a
         want service/b was=a
         want service/c was=b
         live service/a#s1
         live service/b#s2
         ours service/a#s1
         ours service/b#s2",
        "update service/c: name b -> c requested
         update service/b after service/c: name a -> b requested
         create service/a after service/b",
    );
}

#[test]
fn nothing_follows_on_what_cannot_move() {
    check(
        &format!("run cannot-rename\n{WISH}live service/api#s1 plan=a\nours service/api#s1 plan=a"),
        "update service/api-v1 BLOCKED immutable
         create service/api BLOCKED dependency_blocked",
    );
}

/// What is renamed may need what takes its place: it gets that once it is there.
#[test]
fn what_moves_on_is_completed_with_what_follows_it() {
    let wish = "want service/api plan=b
         want service/api-v1 was=api plan=a env.NEXT=ref:service/api after=service/api\n";
    check(
        &format!("{wish}live service/api#s1 plan=a\nours service/api#s1 plan=a"),
        "update service/api-v1 then after service/api: envVars.NEXT: \
         name api -> api-v1 requested; +env.next - -> (from service/api:url) later
         create service/api after service/api-v1",
    );
    // The run died when the name had been written and was not remembered.
    check(
        &format!("{wish}live service/api-v1#s1 plan=a\nours service/api#s1 plan=a"),
        "update service/api-v1 then after service/api: envVars.NEXT: \
         +env.next - -> (from service/api:url) later
         create service/api after service/api-v1",
    );
    // It refers to its own name, and that is another's from then on.
    let known = "plan=a env.NEXT=ref:service/api";
    check(
        &format!("{wish}live service/api-v1#s1 {known}\nours service/api#s1 {known}"),
        "adopt service/api-v1 as created
         create service/api after service/api-v1",
    );
}

/// Whichever of both the walk over the references meets first.
#[test]
fn what_moves_on_may_stand_before_what_follows_it() {
    check(
        "want service/a was=b env.NEXT=ref:service/b after=service/b
         want service/b plan=b
         live service/b#s1 plan=a
         ours service/b#s1 plan=a",
        "update service/a then after service/b: envVars.NEXT: \
         name b -> a requested; +env.next - -> (from service/b:url) later
         create service/b after service/a",
    );
    // Also by way of another.
    check(
        "want service/a was=c env.NEXT=ref:service/b after=service/b
         want service/b env.NEXT=ref:service/c after=service/c
         want service/c
         live service/c#s1
         ours service/c#s1",
        "create service/b then after service/c: envVars.NEXT
         update service/a after service/b: \
         name c -> a requested; +env.next - -> (from service/b:url) requested
         create service/c after service/a",
    );
}

#[test]
fn both_may_need_each_other() {
    check(
        "want service/api plan=b env.OLD=ref:service/api-v1 after=service/api-v1
         want service/api-v1 was=api plan=a env.NEXT=ref:service/api after=service/api
         live service/api#s1 plan=a
         ours service/api#s1 plan=a",
        "update service/api-v1 then after service/api: envVars.NEXT: \
         name api -> api-v1 requested; +env.next - -> (from service/api:url) later
         create service/api after service/api-v1",
    );
}

/// What is yet to take a name is not what has it now.
#[test]
fn what_needs_one_that_cannot_follow_waits_as_well() {
    let scene = format!(
        "run cannot-rename
         {WISH}want service/web env.API=ref:service/api after=service/api
         live service/api#s1 plan=a
         ours service/api#s1 plan=a"
    );
    check(
        &scene,
        "update service/api-v1 BLOCKED immutable
         create service/api BLOCKED dependency_blocked
         create service/web BLOCKED dependency_blocked",
    );
    let scene = scene.replace("was=api", "was=api env.NEXT=ref:service/api after=service/api");
    check(
        &scene,
        "update service/api-v1 BLOCKED immutable
         create service/api BLOCKED dependency_blocked
         create service/web BLOCKED dependency_blocked",
    );
}

#[test]
fn nothing_moves_on_for_what_will_not_be_there() {
    check(
        "want service/api no-create
         want service/api-v1 was=api env.NEXT=ref:service/api after=service/api
         live service/api#s1
         ours service/api#s1",
        "update service/api-v1 BLOCKED dependency_blocked
         create service/api BLOCKED policy_withheld",
    );
}

#[test]
fn a_row_of_names_without_a_memory_is_in_doubt_as_a_whole() {
    let wish = "want service/a plan=1\nwant service/b was=a plan=2\nwant service/c was=b plan=3\n";
    check(
        &format!("{wish}live service/a#s1 plan=2\nlive service/b#s2 plan=3"),
        "update service/a BLOCKED ambiguous_name
         update service/b BLOCKED ambiguous_name
         update service/c BLOCKED ambiguous_name",
    );
    // Once all of them live, each is what it is called.
    check(
        &format!(
            "{wish}live service/a#s1 plan=1\nlive service/b#s2 plan=2\nlive service/c#s3 plan=3"
        ),
        "adopt service/a as named
         adopt service/b as named
         adopt service/c as named",
    );
    // And so is one at whose name the row ends: nothing lives that it could become.
    check(
        &format!("{wish}live service/b#s1 plan=2\nlive service/c#s2 plan=3"),
        "create service/a
         adopt service/b as named
         adopt service/c as named",
    );
}

/// What people set goes with the object, and the new one has nothing yet.
#[test]
fn what_people_set_is_seen_where_the_object_goes() {
    let hand = WISH.replace("plan=", "hand=TOKEN plan=");
    let live = "live service/api#s1 plan=a env.TOKEN=hidden\nours service/api#s1 plan=a";
    let (snapshot, policy) = parse(&format!("{hand}{live}"));
    let seen = plan(&snapshot, &policy).by_hand;
    let seen: Vec<(&str, Vec<&Sight>)> =
        seen.iter().map(|it| (it.key.name.as_str(), it.variables.values().collect())).collect();
    assert_eq!(seen, [("api", vec![&Sight::Unset]), ("api-v1", vec![&Sight::Set])]);
}
