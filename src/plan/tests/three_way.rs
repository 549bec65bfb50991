//! The table of `docs/platform.md`: declared, live, last applied.

use super::super::{FieldReason, Step, plan};
use super::scene::{check, parse};

/// Compares one field of a service of ours; `applied` and `live` may be empty.
#[track_caller]
fn field(applied: &str, live: &str, declared: &str, expected: &str) {
    let scene = format!(
        "want service/api {declared}\nlive service/api#s1 no-env {live}\nours service/api#s1 {applied}"
    );
    check(&scene, expected);
}

#[test]
fn what_live_shows_is_compared_with_live() {
    field("plan=a", "plan=a", "plan=a", "");
    field("", "plan=a", "plan=a", "");
    field("plan=b", "plan=a", "plan=a", "");
    field("plan=b", "plan=a", "plan=b", "update service/api (drift): plan a -> b drift");
    field("plan=a", "plan=a", "plan=b", "update service/api: plan a -> b requested");
    field("", "plan=a", "plan=b", "update service/api: plan a -> b requested");
    field("plan=b", "plan=null", "plan=b", "update service/api (drift): +plan - -> b drift");
    field("", "plan=null", "plan=b", "update service/api: +plan - -> b requested");
}

#[test]
fn what_live_does_not_show_is_compared_with_what_was_last_applied() {
    for live in ["", "plan=hidden"] {
        field("plan=a", live, "plan=a", "");
        field("plan=a", live, "plan=b", "update service/api: plan - -> b requested");
        field("adopted", live, "plan=b", "none service/api: ?plan - -> b unverifiable");
    }
}

/// A service we made has no settings but the ones we wrote and the platform's own defaults.
#[test]
fn a_field_that_is_new_in_the_manifest_of_what_we_made_is_written_though_it_is_not_shown() {
    for live in ["", "plan=hidden"] {
        field("", live, "plan=b", "update service/api: plan - -> b requested");
    }
    field("", "env.K=hidden", "env.K=secret:y", "update service/api: env.k (secret) requested");
    field("", "", "env.K=gen:x", "update service/api: env.k (secret) requested");
    field("", "env.K=hidden", "env.K=gen:x", "none service/api: ?env.k (secret) unverifiable");
    // What a PATCH cannot change would only block the rest.
    field("", "", "type=web", "none service/api: ?type - -> web unverifiable");
    for claim in ["named", "presumed"] {
        field(claim, "", "plan=b", "none service/api: ?plan - -> b unverifiable");
    }
}

#[test]
fn a_secret_is_known_again_by_its_mark_and_never_shown() {
    let changed = "update service/api: env.k (secret) requested";
    field("env.K=secret:x", "env.K=hidden", "env.K=secret:x", "");
    field("env.K=secret:x", "env.K=hidden", "env.K=secret:y", changed);
    field(
        "adopted",
        "env.K=hidden",
        "env.K=secret:y",
        "none service/api: ?env.k (secret) unverifiable",
    );
    // Echoed in plain.
    field("", "env.K=x", "env.K=secret:x", "");
    field("env.K=secret:x", "env.K=x", "env.K=secret:y", changed);
    field(
        "env.K=secret:y",
        "env.K=x",
        "env.K=secret:y",
        "update service/api (drift): env.k (secret) drift",
    );
    // It was a secret, and is declared in plain now: what lives is still a secret.
    field("env.K=secret:x", "env.K=x", "env.K=plain", changed);
}

#[test]
fn what_cannot_be_compared_is_written_only_when_that_is_asked_for() {
    field(
        "adopted plan=a",
        "plan=a",
        "plan=b branch=main",
        "update service/api: ?branch - -> main unverifiable; plan a -> b requested",
    );
    check(
        "run write-unverifiable
         want service/api branch=main
         live service/api#s1
         ours service/api#s1 adopted",
        "update service/api: branch - -> main unverifiable",
    );
}

#[test]
fn a_generated_value_never_overwrites_another_machines() {
    let left = "none service/api: ?env.k (secret) unverifiable";
    field("", "env.K=hidden", "env.K=gen:x", left);
    field("adopted", "", "env.K=gen:x", left);
    field("", "env.K=other", "env.K=gen:x", left);
    field("env.K=gen:other", "env.K=hidden", "env.K=gen:x", left);
    field(
        "plan=a",
        "env.K=hidden plan=a",
        "env.K=gen:x plan=b",
        "update service/api: plan a -> b requested; ?env.k (secret) unverifiable",
    );
    field("", "env.K=null", "env.K=gen:x", "update service/api: +env.k (secret) requested");
    field(
        "env.K=gen:x",
        "env.K=null",
        "env.K=gen:x",
        "update service/api (drift): +env.k (secret) drift",
    );
    check(
        "run write-unverifiable
         want service/api env.K=gen:x
         live service/api#s1 env.K=hidden
         ours service/api#s1",
        "update service/api: env.k (secret) unverifiable",
    );
}

#[test]
fn null_empty_and_unset_are_one_for_settings_and_not_for_variables() {
    field("", "domains=null", "domains=[]", "");
    field("", "buildCommand=null", "buildCommand=", "");
    field("", "env.K=null", "env.K=", "update service/api: +env.k - ->  requested");
}

#[test]
fn two_spellings_of_one_thing_are_no_difference() {
    field("", "repo=github.com/acme/shop", "repo=https://GitHub.com/acme/shop.git", "");
    field("", "domains=[b.dev,a.dev]", "domains=[A.dev,b.dev]", "");
    check(
        "want database/main type=redis version=7
         live database/main#d1 type=valkey version=7
         ours database/main#d1",
        "",
    );
}

#[test]
fn what_is_not_declared_is_left_alone() {
    field(
        "adopted plan=a",
        "plan=b env.X=1",
        "branch=x",
        "none service/api: ?branch - -> x unverifiable",
    );
}

#[test]
fn a_variable_we_wrote_is_removed_when_it_is_no_longer_declared() {
    field(
        "env.A=1 env.B=2",
        "env.A=1 env.B=2",
        "env.A=1",
        "update service/api: -env.b 2 -> - requested",
    );
    // Also when the platform does not show variables.
    field("env.A=1 env.B=2", "", "env.A=1", "update service/api: -env.b - -> - requested");
    field("env.A=1 env.B=secret:x", "", "env.A=1", "update service/api: -env.b (secret) requested");
    // Gone already.
    field("env.A=1 env.B=2", "env.A=1 env.B=null", "env.A=1", "");
}

/// Returns what a plan says that people set: `A Unset, B Set`.
fn by_hand(scene: &str) -> String {
    let (snapshot, policy) = parse(scene);
    let plan = plan(&snapshot, &policy);
    let variables = plan.by_hand.iter().flat_map(|it| &it.variables);
    let told = variables.map(|(key, sight)| format!("{} {sight:?}", key.as_str()));
    told.collect::<Vec<_>>().join(", ")
}

#[test]
fn what_people_must_set_is_told_with_what_the_platform_shows_of_it() {
    let want = "want service/api type=web hand=A hand=B hand=C";
    assert_eq!(by_hand(want), "A Unset, B Unset, C Unset");
    let live = format!("{want}\nlive service/api#s1 type=web env.A=hidden env.B=x");
    assert_eq!(by_hand(&live), "A Set, B Set, C Unset");
    let unseen = format!("{want}\nlive service/api#s1 type=web no-env");
    assert_eq!(by_hand(&unseen), "A Unseen, B Unseen, C Unseen");
    assert_eq!(by_hand(&format!("{want}\npartial service")), "A Unseen, B Unseen, C Unseen");
    assert_eq!(by_hand(&format!("{want}\nrun exclude=service/api")), "");
}

/// The name and size of a disk are the platform's as soon as it lives.
#[test]
fn what_is_derived_is_written_on_creation_and_never_again() {
    let want = "want service/api type=web disk.mountPath=/d new.disk.sizeGB=10";
    let (snapshot, policy) = parse(want);
    let created = plan(&snapshot, &policy);
    let change = &created.changes[0];
    let derived = change.fields.iter().filter(|it| it.reason == FieldReason::Derived);
    let derived: Vec<String> = derived.map(|it| it.path.to_string()).collect();
    assert_eq!(derived, ["disk.sizeGB"]);
    let Step::Create { fields } = &change.steps[0] else { panic!("{change:?}") };
    assert_eq!(fields.len(), 3, "{fields:?}");
    let live = format!("{want}\nlive service/api#s1 type=web disk.mountPath=/d disk.sizeGB=50");
    check(&format!("{live}\nours service/api#s1 type=web disk.mountPath=/d disk.sizeGB=10"), "");
    let moved = live.replace("web disk.mountPath=/d disk.sizeGB=50", "web disk.mountPath=/x");
    check(
        &format!("{moved}\nours service/api#s1 type=web disk.mountPath=/d"),
        "update service/api (drift): disk.mountpath /x -> /d drift",
    );
}

#[test]
fn a_variable_added_by_hand_is_drift_unless_it_is_tolerated_ignored_or_set_by_hand() {
    let added = "update service/api (drift): -env.x (secret) drift";
    field("env.A=1", "env.A=1 env.X=2", "env.A=1", added);
    field("env.A=1 tolerates=X", "env.A=1 env.X=2", "env.A=1", "");
    field("env.A=1", "env.A=1 env.X=2", "env.A=1 ignore=env.X", "");
    field("env.A=1", "env.A=1 env.X=2", "env.A=1 hand=X", "");
    field("env.A=1 env.X=1", "env.A=1 env.X=2", "env.A=1 hand=X", "");
    field(
        "adopted env.A=1",
        "env.A=1 env.X=2",
        "plan=a",
        "none service/api: ?plan - -> a unverifiable",
    );
}

#[test]
fn variables_that_were_never_seen_before_are_tolerated_and_not_removed() {
    check(
        "want service/api env.A=1
         live service/api#s1 env.A=1 env.THEIRS=2
         ours service/api#s1 env-unmanaged",
        "",
    );
}

#[test]
fn an_ignored_field_is_set_on_creation_and_then_left_alone() {
    field("plan=a", "plan=b", "plan=a ignore=plan", "");
    field("", "scaling.minInstances=9", "scaling.minInstances=1 ignore=scaling", "");
    let (snapshot, policy) = super::scene::parse("want service/api plan=a ignore=plan");
    let plan = crate::plan::plan(&snapshot, &policy);
    let crate::plan::Step::Create { fields } = &plan.changes[0].steps[0] else {
        panic!("a create");
    };
    assert_eq!(fields.len(), 1);
}

#[test]
fn a_field_repaired_twice_and_read_back_different_twice_is_left_and_its_remedy_is_shown() {
    let scene = |count| {
        format!(
            "want service/api plan=a ignore=branch
             live service/api#s1 plan=b
             ours service/api#s1 plan=a repaired=plan:{count}"
        )
    };
    check(&scene(1), "update service/api (drift): plan b -> a drift");
    check(&scene(2), "none service/api (drift): ?plan b -> a flapping");
    let (snapshot, policy) = super::scene::parse(&scene(2));
    let plan = crate::plan::plan(&snapshot, &policy);
    let hint = plan.changes[0].fields[0].hint.as_deref();
    assert_eq!(hint, Some("ignoreChanges: [spec.branch, spec.plan]"));
    // A new wish is written at once.
    field(
        "plan=a repaired=plan:2",
        "plan=b",
        "plan=c",
        "update service/api: plan b -> c requested",
    );
}
