//! The stacks we ship, through their whole life, each request foretold.

use stoker::emulator::Kind;
use stoker::plan::{Conclusion, Plan, Policy};
use stoker::source::Tree;

use crate::laws::{self, set};
use crate::stage::{Stage, brief, edited, pruning, shipped};

/// Applies, and checks that it cost what the plan foretold, to the request.
async fn apply(stage: &Stage, tree: &Tree, policy: &Policy) -> Plan {
    let foretold = stage.plan(tree, policy).await;
    // What the token may spend anew, so that nobody waits for the budget here.
    stage.wait(120).await;
    let before = stage.emulator.record();
    let (plan, report) = stage.apply(tree, policy).await;
    let after = stage.emulator.record();
    assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
    assert_eq!(brief(&plan), brief(&foretold));
    let requests = after.requests().count() - before.requests().count();
    let writes = after.writes() - before.writes();
    let cost = plan.cost;
    let changes = brief(&plan);
    assert_eq!(requests, (cost.reads + cost.writes) as usize, "{cost:?} {changes:?}");
    assert_eq!(writes, cost.writes as usize, "{cost:?} {changes:?}");
    plan
}

/// Leads a stack through its life: born, left alone, changed, repaired, one part gone.
async fn live(path: &str, (before, after): (&str, &str), changed: &str, pruned: Option<&str>) {
    let stage = Stage::new();
    // The vendor's own file is meant for a project of that name.
    stage.emulator.reconfigure(|config| config.project.name = "wiki".to_owned());
    let tree = shipped(path);
    apply(&stage, &tree, &Policy::default()).await;
    assert_eq!(brief(&apply(&stage, &tree, &Policy::default()).await), [""; 0]);

    let edited_tree = edited(&tree, before, after);
    let plan = apply(&stage, &edited_tree, &Policy::default()).await;
    assert_eq!(brief(&plan), [format!("update service/{changed}")], "{plan:#?}");
    assert_eq!(plan.cost.writes, 1);
    assert_eq!(brief(&apply(&stage, &edited_tree, &Policy::default()).await), [""; 0]);

    set(&stage, changed, "plan", "\"premium\"");
    let plan = apply(&stage, &edited_tree, &Policy::default()).await;
    assert_eq!(brief(&plan), [format!("update service/{changed}")], "{plan:#?}");
    assert_eq!(brief(&apply(&stage, &edited_tree, &Policy::default()).await), [""; 0]);

    let Some(pruned) = pruned else { return };
    let fewer = without(&edited_tree, pruned);
    let plan = apply(&stage, &fewer, &pruning()).await;
    assert_eq!(brief(&plan), [format!("delete service/{pruned}")], "{plan:#?}");
    assert_eq!(stage.emulator.record().deletes(Kind::Service, pruned), 1);
    assert_eq!(brief(&apply(&stage, &fewer, &pruning()).await), [""; 0]);
    laws::nothing_is_there_twice(&stage, path);
    laws::the_rate_is_kept(&stage, path);
    let counts = laws::creates_and_deletes(&stage.emulator);
    for ((kind, name), (creates, deletes)) in counts {
        assert_eq!(creates, 1, "{kind:?} {name}");
        assert_eq!(deletes, usize::from(name == pruned), "{kind:?} {name}");
    }
}

/// The manifests less one document.
fn without(tree: &Tree, name: &str) -> Tree {
    let is_it = |document: &str| {
        document.contains(&format!("\n  name: {name}\n"))
            || document.contains(&format!("{{ name: {name} }}\n"))
    };
    let texts: Vec<(String, String)> = tree
        .files()
        .iter()
        .map(|file| {
            let text = String::from_utf8(file.bytes.clone()).unwrap();
            let kept: Vec<&str> = text.split("---\n").filter(|it| !is_it(it)).collect();
            (file.path.clone(), kept.join("---\n"))
        })
        .collect();
    Tree::from_texts(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())))
}

#[tokio::test(start_paused = true)]
async fn the_manifests_of_this_repository_live_as_foretold() {
    live("manifests", ("port: 3000", "port: 3001"), "web", Some("cleanup")).await;
}

#[tokio::test(start_paused = true)]
async fn the_shop_lives_as_foretold() {
    let edit = ("image: ghcr.io/acme/media:1.8.2", "image: ghcr.io/acme/media:1.9.0");
    live("examples/stacks/shop", edit, "media", Some("abandoned-carts")).await;
}

#[tokio::test(start_paused = true)]
async fn the_web_application_lives_as_foretold() {
    live("examples/stacks/web-application", ("port: 8000", "port: 8001"), "notes", None).await;
}

#[tokio::test(start_paused = true)]
async fn the_vendors_own_file_lives_as_foretold() {
    let edit = ("value: 4", "value: 5");
    live("examples/stacks/blueprint-only", edit, "wiki", None).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_service_of_a_stack_is_never_pruned() {
    let stage = Stage::new();
    let tree = shipped("examples/stacks/web-application");
    apply(&stage, &tree, &Policy::default()).await;
    let (plan, _) = stage.apply(&without(&tree, "notes"), &pruning()).await;
    assert_eq!(brief(&plan), ["blocked service/notes: fuse"]);
}

#[tokio::test(start_paused = true)]
async fn protected_databases_outlive_their_manifests() {
    let stage = Stage::new();
    let tree = shipped("examples/stacks/shop");
    apply(&stage, &tree, &Policy::default()).await;
    let services = ["payments", "admin", "checkout", "nightly-report", "order-worker"];
    let fewer = services.iter().fold(tree, |tree, name| without(&tree, name));
    let fewer = without(&fewer, "orders-db");
    let mut policy = pruning();
    policy.permissions.deletes_max = Some(10);
    let (plan, _) = stage.apply(&fewer, &policy).await;
    assert!(
        brief(&plan).contains(&"blocked database/orders-db: protected".to_owned()),
        "{plan:#?}"
    );
    assert_eq!(stage.emulator.record().deletes(Kind::Database, "orders-db"), 0);
    let deleted = services.map(|name| stage.emulator.record().deletes(Kind::Service, name));
    assert_eq!(deleted, [1; 5]);
}
