//! Platforms that change names (A22): what may be ours under another one, and what is called so.

use super::scene::{check, explain, parse};
use crate::model::Key;
use crate::plan::{AfterLook, after_look, plan, sight};

const LOST: &str = "want service/api\nintent service/api 180s\n";

#[test]
fn what_appeared_after_a_lost_create_under_another_name_stops_the_second_one() {
    let stranger = format!("{LOST}live service/api-x7#s1 born=2026-03-01T11:58:00Z");
    check(&stranger, "create service/api (answerlost) BLOCKED perhaps_ours");
    let untimed = format!("{LOST}live service/API#s1 born=unknown");
    check(&untimed, "create service/api (answerlost) BLOCKED perhaps_ours");
    // The platform's clock may be hours behind.
    let behind = format!("{LOST}live service/api-x7#s1 born=2026-03-01T08:00:00Z");
    check(&behind, "create service/api (answerlost) BLOCKED perhaps_ours");
    let kept = format!("run keeps-names\n{stranger}");
    check(&kept, "create service/api\nunmanaged service/api-x7#s1");
}

#[test]
fn what_is_known_stops_nothing() {
    for known in [
        "live service/old#s1 born=2026-02-01T00:00:00Z",
        "live service/api-x7#s1 born=2026-03-01T11:58:00Z going",
        "live database/api-x7#s1 born=2026-03-01T11:58:00Z",
    ] {
        let (snapshot, policy) = parse(&format!("{LOST}{known}"));
        let plan = plan(&snapshot, &policy);
        assert!(plan.changes.iter().all(|change| change.blocked.is_none()), "{known}: {plan:#?}");
    }
    check(
        "want service/api
         intent service/api 180s beside=s1
         live service/api-x7#s1 born=2026-03-01T11:58:00Z",
        "create service/api\nunmanaged service/api-x7#s1",
    );
    let ours = "ours service/b#s1 born=2026-03-01T11:58:00Z";
    let live = "live service/b#s1 born=2026-03-01T11:58:00Z";
    check(&format!("{LOST}want service/b\n{ours}\n{live}"), "create service/api");
}

#[test]
fn what_has_the_name_of_another_lost_create_belongs_to_that_one() {
    check(
        "want service/a
         want service/b
         intent service/a 180s
         intent service/b 180s
         live service/b#s1 born=2026-03-01T11:58:00Z",
        "create service/a
         adopt service/b as presumed (answerlost)",
    );
}

#[test]
fn whoever_is_asked_is_told_what_it_is_and_what_answers() {
    let one = explain(&format!("{LOST}live service/api-x7#s1 born=2026-03-01T11:58:00Z"));
    assert_eq!(
        one,
        "its create of 2026-03-01T11:57:00Z was never answered and nothing has its name; s1 \
         `api-x7` (created 2026-03-01T11:58:00Z) was not there before, and is perhaps its result \
         under another name | `stoker adopt service/api=s1` confirms that it is; `stoker release \
         service/api` says that none is, and then it is created"
    );
    let several: String =
        (1..=5).map(|it| format!("live service/x#s{it} born=unknown\n")).collect();
    let several = explain(&format!("{LOST}{several}"));
    assert!(several.contains("s3 `x` (created at an unknown time) and 2 more were"), "{several}");
    assert!(several.contains("`stoker adopt service/api=ID`"), "{several}");
}

#[test]
fn a_lost_create_that_nobody_wants_any_more_is_not_forgotten_while_it_may_have_happened() {
    check(
        "intent service/api 180s\nlive service/api-x7#s1 born=2026-03-01T11:58:00Z",
        "adopt service/api (answerlost) BLOCKED perhaps_ours",
    );
}

#[test]
fn a_look_that_shows_a_stranger_never_sends_again_and_never_gives_up() {
    let scene = format!("{LOST}live service/api-x7#s1 born=unknown");
    let (snapshot, policy) = parse(&scene);
    let key: Key = "service/api".parse().unwrap();
    for attempt in 1..=3 {
        let mut intent = snapshot.inventory.intents[&key].clone();
        intent.attempt = attempt;
        let listing = snapshot.live.listing(key.kind);
        let sighting = sight(listing, &key, &intent, &snapshot.inventory, false);
        let after = after_look(sighting, &intent, policy.permissions.settle, snapshot.now);
        assert!(matches!(after, AfterLook::AskWhose(_)), "{attempt}: {after:?}");
    }
}

#[test]
fn the_name_that_the_platform_gave_is_no_drift_and_no_reason_not_to_delete() {
    let given = "ours service/api#s1 given=api-x7\nlive service/api-x7#s1\n";
    check(&format!("want service/api\n{given}"), "");
    check(
        &format!(
            "run prune max-deletes=1\nwant service/b\nours service/b#s2\nlive service/b#s2\n{given}"
        ),
        "delete service/api",
    );
    // Whoever renames it afterwards is a person.
    check(
        "want service/api\nours service/api#s1 given=api-x7\nlive service/mine#s1",
        "update service/api (drift): name mine -> api drift",
    );
    // And a manifest may.
    check(
        &format!("want service/web was=api\n{given}"),
        "update service/web: name api-x7 -> web requested",
    );
}

#[test]
fn a_name_that_cannot_be_changed_back_is_kept_by_a_person() {
    let hint = explain("want database/main\nours database/main#d1\nlive database/MAIN#d1");
    assert!(
        hint.ends_with("`stoker adopt database/main=d1` keeps the name it has on the platform")
    );
    let hint =
        explain("run cannot-rename\nwant service/web\nours service/web#s1\nlive service/WEB#s1");
    assert!(hint.ends_with("`stoker adopt service/web=s1` keeps the name it has on the platform"));
}
