//! A database whose address is taken outside the manifests.

use super::super::plan;
use super::scene::{check, explain, parse};

/// A database that would go, beside one that stays and one service that is nobody's.
fn scene(legacy: &str, more: &str) -> String {
    format!(
        "run prune
         want database/other
         live database/other#d2
         ours database/other#d2
         live database/main#db_main01
         ours database/main#db_main01 prune=true
         live service/legacy#s9 {legacy}
         {more}"
    )
}

const BLOCKED: &str = "delete database/main BLOCKED approval_missing\nunmanaged service/legacy#s9";

#[test]
fn it_is_not_pruned_and_the_plan_says_who_takes_it() {
    for legacy in
        ["env.URL=ref:database/main", "env.URL=postgres://u:p@db_main01.shop.db.internal/main"]
    {
        check(&scene(legacy, ""), BLOCKED);
        let said = explain(&scene(legacy, ""));
        assert!(
            said.starts_with("service/legacy (s9) is in no manifest and takes its address |"),
            "{said}"
        );
        assert!(said.contains("| delete database/main id=db_main01 created=2026-01-15"), "{said}");
    }
}

/// A value that is written out, also one that is a secret, and an address without the id in it.
#[test]
fn a_literal_takes_it_as_a_reference_does() {
    check(&scene("env.URL=secret:postgres://u:p@db_main01.shop/main", ""), BLOCKED);
    let (mut snapshot, policy) = parse(&scene("env.URL=postgres://u:p@main.shop.internal/x", ""));
    let goes = |snapshot: &crate::model::Snapshot| {
        let plan = plan(snapshot, &policy);
        plan.changes.iter().any(|change| !change.steps.is_empty() && change.id.is_some())
    };
    assert!(goes(&snapshot), "nothing says whose address that is");
    let databases =
        &mut snapshot.live.listings.get_mut(&crate::model::Kind::Database).unwrap().objects;
    databases[1].url = Some("main.shop.internal".to_owned());
    assert!(!goes(&snapshot));
}

#[test]
fn what_is_not_shown_may_hold_it() {
    check(&scene("env.URL=hidden", ""), BLOCKED);
    let said = explain(&scene("env.URL=hidden", ""));
    assert!(said.contains("may take its address: 1 of its values is not shown"), "{said}");
    check(&scene("no-env", "unreadable service#s9"), BLOCKED);
    assert!(explain(&scene("no-env", "unreadable service#s9")).contains("(403)"));
}

#[test]
fn what_nobody_takes_goes_and_so_does_what_a_person_approved_by_its_id() {
    let goes = "delete database/main (notindesired)\nunmanaged service/legacy#s9";
    let goes = goes.replace(" (notindesired)", "");
    check(&scene("env.URL=postgres://elsewhere", ""), &goes);
    check(&scene("env.URL=ref:database/other", ""), &goes);
    check(&scene("env.URL=ref:database/main going", ""), &goes);
    let line =
        "tomb database/main delete database/main id=db_main01 created=2026-01-15 before=2026-12-31";
    check(
        &scene("env.URL=ref:database/main", line),
        "delete database/main (tombstone)\nunmanaged service/legacy#s9",
    );
}

/// Details of what is not ours cost requests, so they are asked for only where it matters.
#[test]
fn details_of_others_are_wanted_only_when_a_database_would_go() {
    let wants = |scene: &str| {
        let (snapshot, policy) = parse(scene);
        plan(&snapshot, &policy).wants.len()
    };
    assert_eq!(wants(&scene("no-env", "")), 1);
    check(&scene("no-env", ""), BLOCKED);
    assert_eq!(wants(&scene("no-env", "").replace("run prune", "")), 0);
    assert_eq!(wants(&scene("no-env", "").replace("prune=true", "")), 0);
    assert_eq!(wants(&scene("no-env", "want database/main")), 0);
    let many: String = (0..60).map(|n| format!("live service/x{n}#x{n} no-env\n")).collect();
    assert_eq!(wants(&scene("no-env", &many)), 0);
    assert!(explain(&scene("no-env", &many)).contains("61 such services are too many"));
}
