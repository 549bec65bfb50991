//! What is listed and was not seen in its details: nothing is concluded from it (S2).

use super::scene::{check, explain, parse};
use crate::plan::plan;

const UNREAD: &str = "live service/api#s1 no-env\nunread service#s1\n";

#[test]
fn what_was_not_seen_is_neither_unchanged_nor_changed() {
    for (declared, expected) in [
        ("plan=a", "none service/api BLOCKED unseen"),
        // A manifest asks for it: who knows what it would overwrite.
        ("plan=b", "update service/api BLOCKED unseen"),
    ] {
        let scene = format!("want service/api {declared}\n{UNREAD}ours service/api#s1 plan=a");
        check(&scene, expected);
        let (snapshot, policy) = parse(&scene);
        let plan = plan(&snapshot, &policy);
        assert_eq!((plan.summary().unknown, plan.unchanged.len()), (1, 0));
        assert!(plan.is_held_back() && plan.is_idle());
    }
}

#[test]
fn what_was_not_seen_is_not_taken_over() {
    check(
        &format!("want service/api plan=a\n{UNREAD}"),
        "adopt service/api as named BLOCKED unseen",
    );
    check(
        &format!("want service/api plan=a\n{UNREAD}intent service/api 600s plan=a"),
        "adopt service/api as presumed (answerlost) BLOCKED unseen",
    );
}

#[test]
fn what_was_not_seen_teaches_nothing() {
    let scene =
        format!("want service/api plan=a\n{UNREAD}ours service/api#s1 plan=a repaired=plan:2");
    let (snapshot, policy) = parse(&scene);
    let plan = plan(&snapshot, &policy);
    assert!(plan.settled.is_empty() && plan.remember.is_empty(), "{plan:#?}");
}

#[test]
fn a_right_that_is_missing_is_told_with_what_to_do() {
    let ours = "ours service/api#s1 plan=a\nwant service/api plan=a\nlive service/api#s1 no-env\n";
    assert_eq!(
        explain(&format!("{ours}unread service#s1")),
        "its details could not be read: the API answered 503 | -"
    );
    assert_eq!(
        explain(&format!("{ours}unreadable service#s1")),
        "the token may not read its details (403) | \
         give the token the right to read each of the services"
    );
}

#[test]
fn env_groups_without_their_list_are_unknown_and_hold_nothing_else_up() {
    let scene = |declared: &str, list: &str| {
        format!(
            "want service/api envGroups=[shared] {declared}\n\
             live service/api#s1 no-env envGroups=hidden plan=a\n\
             ours service/api#s1 envGroups=[shared] plan=a\n{list}"
        )
    };
    check(&scene("plan=a", ""), "");
    check(&scene("plan=a", "forbidden envgroups"), "none service/api BLOCKED unseen");
    check(&scene("plan=a", "partial envgroups"), "none service/api BLOCKED unseen");
    check(&scene("plan=b", "forbidden envgroups"), "update service/api: plan a -> b requested");
    check(&scene("plan=a ignore=envGroups", "forbidden envgroups"), "");
}
