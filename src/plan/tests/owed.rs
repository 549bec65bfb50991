//! A change that was written and never deployed, where a PATCH takes effect only with a deploy (A6).

use std::sync::Arc;

use super::scene::{check, parse};
use crate::model::{Effect, RemoteId};
use crate::plan::{Step, plan};

const OWED: &str = "want service/api plan=a
    live service/api#s1 plan=a
    ours service/api#s1 plan=a
    owed s1";

/// Returns the names of the steps of the only change, and what it does to what runs.
fn steps(scene: &str) -> (String, Effect) {
    let (snapshot, policy) = parse(scene);
    let plan = plan(&snapshot, &policy);
    let [change] = plan.changes.as_slice() else { panic!("not one change: {plan:#?}") };
    let names = change.steps.iter().map(|step| match step {
        Step::Create { .. } => "create",
        Step::Patch { .. } => "patch",
        Step::MakeWay { .. } => "make way",
        Step::Complete { .. } => "complete",
        Step::Deploy { id, .. } => {
            assert_eq!(Some(id), change.id.as_ref());
            "deploy"
        }
        Step::Delete { .. } => "delete",
    });
    (names.collect::<Vec<_>>().join(" "), change.effect)
}

#[test]
fn what_was_written_and_never_deployed_is_deployed_though_nothing_differs() {
    let scene = format!("{OWED}\nrun deploys-after-patch");
    check(&scene, "update service/api (deployowed)");
    assert_eq!(steps(&scene), ("deploy".to_owned(), Effect::Restart));
    let (snapshot, policy) = parse(&scene);
    let plan = plan(&snapshot, &policy);
    // The service is looked at once more, because no PATCH has just shown it.
    assert_eq!((plan.cost.reads, plan.cost.writes), (snapshot.live.requests + 1, 1));
}

#[test]
fn a_platform_that_deploys_by_itself_is_owed_nothing() {
    check(OWED, "");
}

#[test]
fn another_service_is_not_deployed_for_it() {
    let scene = OWED.replace("owed s1", "owed s2");
    check(&format!("{scene}\nrun deploys-after-patch"), "");
}

#[test]
fn a_new_change_and_the_owed_one_are_deployed_together() {
    let scene = OWED.replace("want service/api plan=a", "want service/api plan=b");
    let scene = format!("{scene}\nrun deploys-after-patch");
    check(&scene, "update service/api: plan a -> b requested");
    assert_eq!(steps(&scene), ("patch deploy".to_owned(), Effect::Restart));
}

#[test]
fn what_becomes_ours_by_its_name_is_deployed_when_it_is_owed() {
    let scene = "want service/api plan=a
        live service/api#s1 plan=a
        owed s1
        run deploys-after-patch";
    check(scene, "update service/api as named");
    assert_eq!(steps(scene).0, "deploy");
    let (snapshot, policy) = parse(scene);
    assert!(plan(&snapshot, &policy).changes[0].record.is_some());
}

#[test]
fn a_withheld_update_withholds_the_owed_deploy() {
    let scene = OWED.replacen("plan=a", "plan=a no-update", 1);
    let (mut snapshot, policy) = parse(&format!("{scene}\nrun deploys-after-patch"));
    let id = RemoteId::new("s1").unwrap();
    assert!(snapshot.inventory.deploys_owed.contains(&id));
    assert!(plan(&snapshot, &policy).changes[0].blocked.is_some());
    Arc::make_mut(&mut snapshot.inventory).deploys_owed.clear();
    assert!(plan(&snapshot, &policy).changes.is_empty());
}
