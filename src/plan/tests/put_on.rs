//! Variables that others put on: the platform, env groups, and whoever may where the manifest says
//! so.

use std::sync::Arc;

use super::super::{PutOn, plan};
use super::scene::{check, parse};

/// A service of ours with these variables beside the declared one.
fn with(wish: &str, live: &str, ours: &str, expected: &str) {
    check(
        &format!(
            "want service/api env.A=1 {wish}\nlive service/api#s1 env.A=1 {live}\n\
             ours service/api#s1 env.A=1 {ours}"
        ),
        expected,
    );
}

#[test]
fn what_the_platform_puts_on_is_neither_drift_nor_removed() {
    with("", "env.PORT=1", "", "");
    with("", "env.STACKBLAZE_SERVICE_ID=hidden", "", "");
    with("", "env.PORTS=1", "", "update service/api (drift): -env.ports (secret) drift");
    // What is declared is compared as ever, and what we wrote ourselves goes.
    with("env.PORT=2", "env.PORT=1", "", "update service/api: env.port 1 -> 2 requested");
    with("", "env.PORT=1", "env.PORT=1", "update service/api: -env.port 1 -> - requested");
}

#[test]
fn the_platforms_names_can_be_set() {
    let scene = "want service/api env.A=1\nlive service/api#s1 env.A=1 env.PORT=1 env.ADDON_URL=1\n\
                 ours service/api#s1 env.A=1";
    let (snapshot, mut policy) = parse(scene);
    policy.platform.put_on = PutOn::of("ADDON_*, PORT");
    assert_eq!(plan(&snapshot, &policy).changes, []);
    policy.platform.put_on = PutOn::of("none");
    assert_eq!(plan(&snapshot, &policy).changes[0].fields.len(), 2);
}

#[test]
fn the_variables_of_an_attached_group_are_not_drift() {
    check(
        "want envgroup/shared env.LEVEL=info
         want service/api env.A=1 envGroups=[shared,theirs] after=envgroup/shared
         live envgroup/shared#g1 env.LEVEL=info
         live envgroup/theirs#g2 env.ZONE=eu
         live service/api#s1 env.A=1 env.LEVEL=info env.ZONE=eu env.X=1 envGroups=[shared,theirs]
         ours envgroup/shared#g1 env.LEVEL=info
         ours service/api#s1 env.A=1 envGroups=[shared,theirs]",
        "update service/api (drift): -env.x (secret) drift
         unmanaged envgroup/theirs#g2",
    );
}

#[test]
fn where_others_may_add_only_what_we_wrote_is_removed() {
    with("additive", "env.THEIRS=1", "", "");
    with("additive", "env.B=1", "env.B=1", "update service/api: -env.b 1 -> - requested");
    with("additive env.A=2", "", "", "update service/api: env.a 1 -> 2 requested");
}

/// What came while others might add was theirs to put there.
#[test]
fn what_others_have_added_stays_when_they_no_longer_may() {
    let (mut snapshot, policy) = parse(
        "want service/api env.A=1 additive
         live service/api#s1 env.A=1 env.THEIRS=1
         ours service/api#s1 env.A=1",
    );
    let remember = plan(&snapshot, &policy).remember;
    assert!(remember.values().all(|entry| entry.env_additive && entry.env_managed));
    Arc::make_mut(&mut snapshot.inventory).entries.extend(remember);
    let (exact, _) = parse("want service/api env.A=1");
    snapshot.desired = exact.desired;
    let then = plan(&snapshot, &policy);
    assert_eq!(then.changes, []);
    Arc::make_mut(&mut snapshot.inventory).entries.extend(then.remember);
    // From then on the set is ours.
    let objects =
        &mut snapshot.live.listings.get_mut(&crate::model::Kind::Service).unwrap().objects;
    let value = objects[0].fields.values().next().unwrap().clone();
    objects[0].fields.insert("envVars.LATER".parse().unwrap(), value);
    let paths: Vec<String> =
        plan(&snapshot, &policy).changes[0].fields.iter().map(|it| it.path.to_string()).collect();
    assert_eq!(paths, ["envVars.LATER"]);
}
