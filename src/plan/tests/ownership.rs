//! Whose is it: names, ids, lost answers, renames.

use super::scene::{check, explain, parse};
use crate::model::Key;
use crate::plan::{AfterLook, after_look, settled_at, sight};

#[test]
fn what_is_wanted_and_proven_absent_is_created() {
    check("want service/api plan=a", "create service/api");
}

#[test]
fn nothing_is_created_from_a_listing_that_is_not_complete() {
    check("want service/api\npartial services", "create service/api BLOCKED incomplete_view");
    let why = explain("want service/api\nforbidden services");
    assert_eq!(
        why,
        "the token may not list services (403) | give the token read access to services"
    );
    // Another kind's listing does not matter.
    check(
        "want service/api env.U=ref:database/main after=database/main
         want database/main
         forbidden databases",
        "create database/main BLOCKED incomplete_view
         create service/api",
    );
}

#[test]
fn a_declared_name_that_lives_is_taken_over_without_a_write() {
    check("want service/api plan=a\nlive service/api#s1 plan=a", "adopt service/api as named");
    check(
        "want service/api plan=b\nlive service/api#s1 plan=a",
        "update service/api as named: plan a -> b requested",
    );
}

#[test]
fn a_declared_name_that_is_being_deleted_is_waited_for_and_not_taken_over() {
    let scene = "want service/api plan=a\nlive service/api#s1 plan=a going";
    check(scene, "create service/api BLOCKED in_flight");
    assert_eq!(explain(scene), "s1 has the name and is being deleted | -");
    let ours = format!("{scene}\nours service/api#s1 plan=b");
    check(&ours, "create service/api (missing) BLOCKED in_flight");
}

#[test]
fn an_adopted_service_keeps_the_variables_it_had() {
    let scene = "want service/api env.A=1\nlive service/api#s1 env.A=1 env.THEIRS=2";
    check(scene, "adopt service/api as named");
    let (snapshot, policy) = super::scene::parse(scene);
    let plan = crate::plan::plan(&snapshot, &policy);
    let record = plan.changes[0].record.as_ref().unwrap();
    let tolerated: Vec<&str> = record.tolerated_env.iter().map(|key| key.as_str()).collect();
    assert_eq!(tolerated, ["THEIRS"]);
    assert!(record.env_managed);
}

#[test]
fn adoption_can_be_refused_altogether_or_when_something_differs() {
    let live = "live service/api#s1 plan=a";
    let refused = "update service/api as named BLOCKED adoption_refused";
    check(&format!("run adopt=match\nwant service/api plan=b\n{live}"), refused);
    check(
        &format!("run adopt=match\nwant service/api plan=a branch=x\n{live}"),
        "adopt service/api as named: ?branch - -> x unverifiable",
    );
    check(
        &format!("run adopt=never\nwant service/api plan=a\n{live}"),
        "adopt service/api as named BLOCKED adoption_refused",
    );
    check(
        &format!("run adopt=never\nwant service/api plan=a adopt=always\n{live}"),
        "adopt service/api as named",
    );
}

#[test]
fn two_live_with_one_name_are_ambiguous_unless_one_is_ours() {
    let two = "want service/api plan=b\nlive service/api#s1 plan=a\nlive service/api#s2 plan=a";
    check(two, "update service/api BLOCKED ambiguous_name");
    check(
        &format!("{two}\nours service/api#s2 plan=a"),
        "update service/api: plan a -> b requested
         unmanaged service/api#s1",
    );
}

#[test]
fn after_a_lost_answer_the_single_match_is_presumed_with_what_was_sent() {
    check(
        "want service/api plan=a env.K=secret:x
         live service/api#s1 plan=a env.K=hidden
         intent service/api 180s plan=a env.K=secret:x",
        "adopt service/api as presumed (answerlost)",
    );
    check(
        "want service/api plan=a
         live service/api#s1 plan=a
         live service/api#s2 plan=a
         intent service/api 180s plan=a",
        "update service/api BLOCKED ambiguous_name",
    );
}

#[test]
fn what_is_seen_before_the_settle_time_is_over_may_be_somebody_elses() {
    let seen = "live service/api#s1 plan=a\nintent service/api 179s plan=a\n";
    check(
        &format!("want service/api plan=a\n{seen}"),
        "create service/api (answerlost) BLOCKED in_flight",
    );
    check(seen, "adopt service/api (answerlost) BLOCKED in_flight");
}

#[test]
fn after_a_lost_answer_nothing_is_created_until_the_settle_time_is_over() {
    check(
        "want service/api\nintent service/api 179s",
        "create service/api (answerlost) BLOCKED in_flight",
    );
    check("want service/api\nintent service/api 180s", "create service/api");
    check(
        "want service/api\nintent service/api 180s\npartial services",
        "create service/api BLOCKED incomplete_view",
    );
    assert!(explain("want service/api\nintent service/api 60s").contains("2026-03-01T12:02:00Z"));
}

#[test]
fn what_a_lost_answer_made_is_never_a_hidden_orphan() {
    check(
        "live service/api#s1\nintent service/api 180s",
        "adopt service/api as presumed (answerlost)",
    );
    // What has its name is another one of ours: nobody knows yet what the create made.
    check(
        "want service/web\nours service/web#s1\nlive service/api#s1\nintent service/api 180s",
        "adopt service/api (answerlost) BLOCKED ambiguous_name
         update service/web (drift): name api -> web drift",
    );
    check("intent service/api 10s", "adopt service/api (answerlost) BLOCKED in_flight");
    check("intent service/api 500s", "forget service/api (missing)");
}

#[test]
fn what_was_made_anew_and_is_not_wanted_any_more_is_no_hidden_orphan_either() {
    let gone = "ours service/api#s1\ngone s1\n";
    check(
        &format!("{gone}live service/api#s2\nintent service/api 500s"),
        "adopt service/api as presumed (answerlost)",
    );
    check(
        &format!("{gone}intent service/api 10s"),
        "adopt service/api (answerlost) BLOCKED in_flight",
    );
    check(&format!("{gone}intent service/api 500s"), "forget service/api (missing)");
}

#[test]
fn ours_that_is_proven_gone_is_created_again() {
    check("want service/api\nours service/api#s1\ngone s1", "create service/api (missing)");
    check("want envgroup/env\nours envgroup/env#e1", "create envgroup/env (missing)");
}

#[test]
fn ours_that_is_merely_not_listed_is_unknown_and_nothing_is_done() {
    for kind in ["service", "database"] {
        check(
            &format!("want {kind}/x\nours {kind}/x#s1"),
            &format!("update {kind}/x (missing) BLOCKED incomplete_view"),
        );
        check(
            &format!("run prune\nwant service/other no-create\nours {kind}/x#s1"),
            &format!(
                "create service/other BLOCKED policy_withheld
                 delete {kind}/x BLOCKED incomplete_view"
            ),
        );
    }
}

#[test]
fn a_reused_name_is_adopted_anew_and_a_reused_id_is_foreign() {
    check(
        "want service/api\nours service/api#s1\ngone s1\nlive service/api#s2",
        "adopt service/api as named",
    );
    check(
        "want service/api\nours service/api#s1\nlive service/api#s1 born=2026-02-02T00:00:00Z",
        "adopt service/api as named",
    );
    check(
        "run prune
         want service/z no-create
         ours service/api#s1
         live service/api#s1 born=2026-02-02T00:00:00Z",
        "create service/z BLOCKED policy_withheld
         delete service/api BLOCKED not_owned",
    );
}

#[test]
fn a_name_changed_on_the_platform_is_changed_back_and_never_created_twice() {
    check(
        "want service/api\nours service/api#s1\nlive service/api-x#s1",
        "update service/api (drift): name api-x -> api drift",
    );
    check(
        "want service/api\nours service/api#s1\nlive service/api-x#s1\nlive service/api#s2",
        "update service/api BLOCKED ambiguous_name\nunmanaged service/api#s2",
    );
    check(
        "want database/main\nours database/main#d1\nlive database/x#d1",
        "update database/main (drift) BLOCKED immutable",
    );
    check(
        "want service/a\nwant service/b\nours service/a#s1\nlive service/b#s1",
        "update service/a (drift): name b -> a drift
         update service/b BLOCKED ambiguous_name",
    );
}

#[test]
fn a_previous_name_is_a_rename_and_not_a_delete_with_a_create() {
    check(
        "run prune\nwant service/api was=old\nours service/old#s1\nlive service/old#s1",
        "update service/api: name old -> api requested",
    );
    check(
        "want service/api was=old\nlive service/old#s1",
        "update service/api as named: name old -> api requested",
    );
    check(
        "want database/db was=old\nours database/old#d1\nlive database/old#d1",
        "update database/db BLOCKED immutable",
    );
    check(
        "want service/api was=old\nlive service/old#s1\nlive service/api#s2",
        "update service/api BLOCKED ambiguous_name\nunmanaged service/old#s1",
    );
    check(
        "want service/a was=old\nwant service/b was=old\nlive service/old#s1",
        "update service/a BLOCKED ambiguous_name
         update service/b BLOCKED ambiguous_name
         unmanaged service/old#s1",
    );
    // Nothing of it lives any more.
    check(
        "want service/api was=old\nours service/old#s1\ngone s1",
        "create service/api\nforget service/old (missing)",
    );
}

#[test]
fn a_rename_that_was_not_remembered_is_remembered_without_a_write() {
    check(
        "run prune\nwant service/api was=old\nours service/old#s1\nlive service/api#s1",
        "adopt service/api as created",
    );
}

#[test]
fn foreign_names_can_be_anything() {
    check(
        "want service/api\nlive service/../../\u{1b}[31m#s1",
        "create service/api\nunmanaged service/../../\u{1b}[31m#s1",
    );
}

#[test]
fn what_was_renamed_by_hand_and_declared_so_is_adopted_and_its_old_entry_forgotten() {
    check(
        "run prune\nwant service/b\nours service/a#s1\nlive service/b#s1",
        "adopt service/b as named\nforget service/a (missing)",
    );
}

#[test]
fn of_two_entries_for_one_object_the_one_with_its_name_owns_it() {
    check(
        "run prune
         want service/b
         live service/b#s1
         ours service/a#s1
         ours service/b#s1",
        "forget service/a (missing)",
    );
    check(
        "want service/a
         want service/b
         live service/b#s1
         ours service/a#s1
         ours service/b#s1",
        "update service/a BLOCKED ambiguous_name",
    );
}

#[test]
fn a_look_decides_nothing_before_the_settle_time_is_over() {
    let (snapshot, policy) = parse("live service/api#s1\nintent service/api 10s");
    let key: Key = "service/api".parse().unwrap();
    let intent = &snapshot.inventory.intents[&key];
    let listing = snapshot.live.listing(key.kind);
    let inventory = &snapshot.inventory;
    let seen = || sight(listing, &key, intent, inventory, policy.platform.keeps_names);
    let look = |at| after_look(seen(), intent, policy.permissions.settle, at);
    assert_eq!(look(snapshot.now), AfterLook::LookAgain);
    let settled_at = settled_at(intent.started_at, policy.permissions.settle);
    assert!(matches!(look(settled_at), AfterLook::Presume(_)));
}

#[test]
fn what_is_ours_under_one_name_is_not_taken_over_under_a_former_name_of_another() {
    check(
        "want service/api
         want service/next was=old
         live service/old#s1
         ours service/api#s1",
        "update service/api (drift): name old -> api drift
         create service/next",
    );
}
