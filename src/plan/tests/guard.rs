//! What stands in the way: of changes, of replacements, of deletes.

use super::scene::{check, explain, parse};
use crate::model::{Key, Remembered};
use crate::plan::{BlockedReason, plan};

const KEEP: &str = "want service/keep
     live service/keep#k1
     ours service/keep#k1
     ";

#[test]
fn an_immutable_field_blocks_the_whole_resource_and_names_the_way_out() {
    let scene = "want service/api type=web plan=b
         live service/api#s1 type=worker plan=a
         ours service/api#s1";
    check(scene, "update service/api BLOCKED immutable");
    assert_eq!(
        explain(scene),
        "`type` cannot be changed once a service exists | \
         `--replace service/api=s1` deletes it and creates it again"
    );
    let scene = "want database/main version=17
         live database/main#d1 version=16
         ours database/main#d1";
    assert!(explain(scene).contains("move the data"));
}

#[test]
fn a_replacement_needs_that_very_id_and_every_right_to_delete() {
    let scene = |flag: &str, wish: &str, ours: &str| {
        format!(
            "run replace=service/api={flag}
             want service/api type=web {wish}
             live service/api#s1 type=worker
             ours service/api#s1 {ours}"
        )
    };
    let ok = "replace service/api: type worker -> web requested";
    check(&scene("s1", "", ""), ok);
    check(&scene("s2", "", ""), "update service/api BLOCKED immutable");
    check(&scene("s1", "protect", ""), "replace service/api BLOCKED protected");
    check(&scene("s1", "", "protect"), "replace service/api BLOCKED protected");
    check(&scene("s1", "", "named"), "replace service/api BLOCKED not_owned");
    check(&scene("s1", "", "presumed"), "replace service/api BLOCKED presumed");
    check(
        &format!("{}\npartial services", scene("s1", "", "")),
        "replace service/api BLOCKED incomplete_view",
    );
    check(
        "run replace=service/api=s1
         want service/api type=web
         live service/renamed#s1 type=worker
         ours service/api#s1",
        "replace service/api BLOCKED not_owned",
    );
    check(
        "run replace=database/main=d1
         want database/main version=17
         live database/main#d1 version=16
         ours database/main#d1",
        "update database/main BLOCKED immutable",
    );
}

#[test]
fn a_disk_only_grows() {
    let scene = |wish| {
        format!(
            "want service/api disk.sizeGB={wish}\nlive service/api#s1 disk.sizeGB=10\nours service/api#s1"
        )
    };
    check(&scene(20), "update service/api: disk.sizegb 10 -> 20 requested");
    check(&scene(5), "update service/api BLOCKED immutable");
    assert!(explain(&scene(5)).starts_with("`disk.sizeGB` cannot shrink (10 -> 5)"));
}

#[test]
fn all_other_numbers_go_down_as_well() {
    let fields =
        ["port", "scaling.minInstances", "scaling.maxInstances", "scaling.targetCPUPercent"];
    for field in fields {
        check(
            &format!(
                "want service/api {field}=1\nlive service/api#s1 {field}=10\nours service/api#s1 {field}=10"
            ),
            &format!("update service/api: {} 10 -> 1 requested", field.to_lowercase()),
        );
    }
}

#[test]
fn a_changed_env_group_is_blocked_because_the_api_cannot_change_it() {
    check(
        "want envgroup/env env.A=2\nlive envgroup/env#e1 env.A=1\nours envgroup/env#e1 env.A=1",
        "update envgroup/env BLOCKED env_group",
    );
}

#[test]
fn rights_that_a_manifest_withholds_are_withheld() {
    check("want service/api no-create", "create service/api BLOCKED policy_withheld");
    check(
        "want service/api plan=b no-update\nlive service/api#s1 plan=a\nours service/api#s1",
        "update service/api BLOCKED policy_withheld",
    );
    check(
        &format!("run prune\n{KEEP}live service/x#s1\nours service/x#s1 no-delete"),
        "delete service/x BLOCKED protected",
    );
}

#[test]
fn a_protection_is_remembered_whatever_else_is_done() {
    for wish in ["plan=a protect", "plan=b no-update protect", "plan=b protect"] {
        let scene = format!(
            "want service/api {wish}\nlive service/api#s1 plan=a\nours service/api#s1 plan=a"
        );
        let (snapshot, policy) = parse(&scene);
        let plan = plan(&snapshot, &policy);
        assert!(plan.remember.values().any(|entry| entry.remembered.protect), "{wish}");
    }
}

#[test]
fn a_protection_is_remembered_though_nothing_may_be_written() {
    let ours = "want service/api protect\nours service/api#s1\n";
    let unseen = format!("{ours}partial services\n");
    let remembers = |scene: &str| {
        let (snapshot, policy) = parse(scene);
        let plan = plan(&snapshot, &policy);
        plan.remember.values().any(|entry| entry.remembered.protect)
    };
    assert!(remembers(&unseen));
    assert!(remembers(&format!("run destroy\n{KEEP}live service/api#s1\n{ours}")));
    // A create that is open is not ended by it: what it made would be a hidden orphan (L4).
    assert!(!remembers(&format!("{unseen}intent service/api 10s")));
}

/// Plans the removal of one service, which others of ours outlive, in a run with these flags.
#[track_caller]
fn removal(flags: &str, ours: &str, expected: &str) {
    let scene = format!("run {flags}\n{KEEP}live service/x#s1\nours service/x#s1 {ours}");
    check(&scene, &format!("delete service/x{expected}"));
}

#[test]
fn nothing_is_deleted_unless_pruning_was_asked_for() {
    removal("adopt=always", "", " BLOCKED prune_off");
    removal("prune", "", "");
    removal("prune target=service/x", "", " BLOCKED prune_off");
    removal("prune exclude=service/y", "", " BLOCKED prune_off");
    let off = format!("{KEEP}live service/x#s1\nours service/x#s1");
    assert!(explain(&off).ends_with("`--prune=services` deletes it"));
}

#[test]
fn a_name_alone_gives_no_right_to_delete() {
    removal("prune", "named", " BLOCKED not_owned");
    removal("prune prune-adopted", "named", "");
    removal("prune", "adopted", "");
    removal("prune prune-adopted", "presumed", " BLOCKED presumed");
    removal("prune", "born=unknown", " BLOCKED not_owned");
}

#[test]
fn what_is_not_proven_says_what_is_not_known_and_what_is_otherwise() {
    let why = |live: &str, ours: &str| {
        explain(&format!("run prune\n{KEEP}live service/x#s1 {live}\nours service/x#s1 {ours}"))
    };
    let unshown = why("born=unknown", "");
    assert!(unshown.contains("the platform does not show its creation time |"), "{unshown}");
    assert!(unshown.ends_with("delete it on the platform, which does not show its creation time"));
    let unknown = why("", "born=unknown");
    assert!(
        unknown.contains("the creation time of ours was never shown | `stoker adopt"),
        "{unknown}"
    );
    // Two seconds are two objects, whoever gives an id again.
    let born = "born=2026-01-15T10:30:02Z";
    assert!(why(born, "").starts_with("s1 was created at a different time than ours |"));
    removal("prune", "born=2026-01-15T10:29:58.001Z", "");
}

#[test]
fn a_foreign_resource_is_never_deleted() {
    check(&format!("run prune\n{KEEP}live service/x#s1"), "unmanaged service/x#s1");
    check(
        &format!("run prune\n{KEEP}tomb service/x\nlive service/x#s1"),
        "delete service/x (tombstone) BLOCKED not_owned",
    );
    check(&format!("run prune\n{KEEP}tomb service/x"), "");
    check(
        &format!("run prune\n{KEEP}ours service/x#s1\nlive service/renamed#s1"),
        "delete service/x BLOCKED not_owned",
    );
}

#[test]
fn what_replaced_manifests_protected_is_remembered_even_if_nothing_of_them_was_done() {
    let key: Key = "service/x".parse().unwrap();
    let scene = format!("run prune\n{KEEP}live service/x#s1\n");
    let planned = |ours: &str, said: Remembered| {
        let (snapshot, mut policy) = parse(&format!("{scene}ours service/x#s1{ours}"));
        policy.learned.protections.insert(key.clone(), said);
        plan(&snapshot, &policy)
    };
    for said in [
        Remembered { protect: true, ..Remembered::default() },
        Remembered { prune: Some(false), ..Remembered::default() },
        Remembered { delete_withheld: true, ..Remembered::default() },
    ] {
        let first = planned("", said);
        assert_eq!(first.changes[0].blocked.as_ref().unwrap().reason, BlockedReason::Protected);
        assert_eq!(first.remember[&key].remembered, said);
    }
    // What is remembered already is not written down again.
    let said = Remembered { protect: true, ..Remembered::default() };
    let known = planned(" protect", said);
    assert_eq!(known.changes[0].blocked.as_ref().unwrap().reason, BlockedReason::Protected);
    assert!(!known.remember.contains_key(&key));
}

#[test]
fn protection_outlives_its_manifest() {
    removal("prune", "protect", " BLOCKED protected");
    removal("prune", "prune=false", " BLOCKED protected");
    removal("destroy", "protect", " (destroy) BLOCKED protected\ndelete service/keep (destroy)");
}

#[test]
fn nothing_is_deleted_from_a_listing_that_is_not_complete() {
    removal("prune", "\npartial services", " BLOCKED incomplete_view");
}

/// Plans the removal of a database, which another of ours outlives.
#[track_caller]
fn database(line: &str, ours: &str, expected: &str) {
    let scene = format!(
        "run prune
         want database/keep
         live database/keep#d0
         ours database/keep#d0
         {line}
         live database/main#d1
         ours database/main#d1 {ours}"
    );
    check(&scene, &format!("delete database/main{expected}"));
}

#[test]
fn a_database_goes_only_with_its_own_word_or_an_approval_of_that_very_object() {
    let tomb = |words: &str| format!("tomb database/main {words}");
    let missing = " (tombstone) BLOCKED approval_missing";
    database("", "", " BLOCKED approval_missing");
    database("", "prune=true", "");
    database("", "prune=true named", " BLOCKED not_owned");
    database(&tomb(""), "", missing);
    let line = "delete database/main id=d1 created=2026-01-15 before=2026-03-01";
    database(&tomb(line), "", " (tombstone)");
    database(&tomb(line), "protect", " (tombstone) BLOCKED protected");
    for wrong in [
        "delete database/main id=d2 created=2026-01-15 before=2026-12-31",
        "delete database/keep id=d1 created=2026-01-15 before=2026-12-31",
        "delete database/main id=d1 created=2026-01-16 before=2026-12-31",
        "delete database/main id=d1 created=2026-01 before=2026-12-31",
        "delete database/main id=d1 created=2026-01-15 before=2026-02-28",
        "delete database/main id=d1 created=2026-01-15 before=never",
        "delete database/main id=d1 created=2026-01-15",
        "yes",
    ] {
        database(&tomb(wrong), "", missing);
    }
}

#[test]
fn the_approval_line_to_paste_is_the_one_that_works() {
    let scene = |line: &str| {
        format!(
            "run prune\nwant database/keep\nlive database/keep#d0\nours database/keep#d0
             live database/main#d1\nours database/main#d1\ntomb database/main {line}"
        )
    };
    let said = explain(&scene(""));
    let (_, line) = said.split_once(" | ").unwrap();
    assert_eq!(line, "delete database/main id=d1 created=2026-01-15 before=2026-03-15");
    check(&scene(line), "delete database/main (tombstone)");
}

#[test]
fn an_env_group_cannot_be_deleted_and_is_listed_as_left_behind() {
    check(
        &format!("run prune\n{KEEP}live envgroup/env#e1\nours envgroup/env#e1"),
        "delete envgroup/env BLOCKED env_group",
    );
}

/// Plans with so many owned services kept and removed.
fn fuse(flags: &str, kept: usize, removed: usize) -> usize {
    let mut scene = format!("run {flags}");
    for n in 0..kept {
        scene += &format!("\nwant service/k{n}\nlive service/k{n}#k{n}\nours service/k{n}#k{n}");
    }
    for n in 0..removed {
        scene += &format!("\nlive service/x{n}#x{n}\nours service/x{n}#x{n}");
    }
    let (snapshot, policy) = parse(&scene);
    let plan = plan(&snapshot, &policy);
    plan.summary().destroy
}

#[test]
fn the_fuse_lets_three_deletes_through_and_a_third_of_what_is_owned() {
    assert_eq!(fuse("prune", 20, 3), 3);
    assert_eq!(fuse("prune", 20, 4), 0);
    assert_eq!(fuse("prune max-deletes=4", 20, 4), 4);
    assert_eq!(fuse("prune max-deletes=3", 20, 4), 0);
    assert_eq!(fuse("prune", 5, 2), 2);
    assert_eq!(fuse("prune", 4, 2), 0);
    assert_eq!(fuse("prune", 1, 1), 1);
    assert_eq!(fuse("prune max-deletes=0", 20, 1), 0);
}

#[test]
fn never_is_every_one_of_a_kind_deleted_but_by_destroy() {
    let scene = "run prune max-deletes=9
         want database/main
         live database/main#d1
         ours database/main#d1
         live service/x#s1
         ours service/x#s1";
    check(scene, "delete service/x BLOCKED fuse");
    assert!(explain(scene).ends_with("`stoker destroy --target service/x` does it"));
}

#[test]
fn what_is_being_deleted_already_is_not_what_would_be_left_of_a_kind() {
    let scene = |live: &str| {
        format!(
            "run prune max-deletes=9
             want service/y
             live service/x#s1
             ours service/x#s1
             live service/y#s2 {live}
             ours service/y#s2"
        )
    };
    check(&scene(""), "delete service/x");
    let waits = "create service/y (missing) BLOCKED in_flight";
    check(&scene("going"), &format!("{waits}\ndelete service/x BLOCKED fuse"));
}

#[test]
fn an_empty_desired_state_deletes_nothing() {
    assert_eq!(fuse("prune max-deletes=99", 0, 1), 0);
    let scene = "run prune\nlive service/x#s1\nours service/x#s1";
    assert!(explain(scene).contains("not mounted"));
}

#[test]
fn destroy_deletes_what_is_ours_in_reverse_and_keeps_every_other_law() {
    check(
        "run destroy
         want service/api after=database/main
         want database/main
         live service/api#s1
         live service/foreign#s9
         live database/main#d1
         live database/cache#d2
         ours service/api#s1 after=database/main
         ours database/main#d1 prune=true
         ours database/cache#d2",
        "delete service/api (destroy)
         delete database/main (destroy) after service/api
         delete database/cache (destroy) BLOCKED approval_missing
         unmanaged service/foreign#s9",
    );
    // A target goes alone, and not while something that stays refers to it.
    check(
        "run destroy target=database/main
         want service/api env.U=ref:database/main after=database/main
         want database/main
         live service/api#s1 env.U=ref:database/main
         live database/main#d1
         ours service/api#s1 after=database/main
         ours database/main#d1 prune=true",
        "delete database/main (destroy) BLOCKED dependency_blocked",
    );
}

/// The line that is told is of what shrinks, not of what would have changed beside it.
#[test]
fn what_shrinks_is_told_with_its_own_line_alone() {
    let said = explain(
        "want service/a disk.sizeGB=5 plan=b
         live service/a#s1 disk.sizeGB=10 plan=a
         ours service/a#s1 disk.sizeGB=10 plan=a",
    );
    assert!(said.contains("| `disk.sizeGB: 10` declares the live value; or `--replace"), "{said}");
}
