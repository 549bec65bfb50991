//! A name that moves on, and what takes its place.

use super::scene::{check, explain};

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

#[test]
fn without_a_memory_nobody_knows_which_of_both_it_is() {
    let scene = format!("{WISH}live service/api#s1 plan=a");
    check(
        &scene,
        "update service/api BLOCKED ambiguous_name\nupdate service/api-v1 BLOCKED ambiguous_name",
    );
    let said = explain(&format!("{scene}\nrun target=service/api"));
    assert!(said.ends_with("| `stoker adopt service/api=s1` lets it be renamed"), "{said}");
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
