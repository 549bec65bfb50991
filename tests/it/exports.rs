//! What lives, as manifests: planning an export changes nothing, and it carries what is remembered.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stoker::manifest;
use stoker::model::{Desired, Kind, ValueSource};
use stoker::plan::{Action, Change, Policy};
use stoker::source::Tree;

use crate::commands::Machine;
use crate::populated::{World, world};
use crate::stage::{Stage, manifests};

/// How many platforms are tried: seconds of time. `PROPTEST_CASES` says how many else.
const CASES: u32 = 32;

#[test]
fn an_export_carries_protection_and_labels_and_says_what_it_cannot() {
    let machine = Machine::new();
    let manifest = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata:\n  name: api\n  \
        labels: { team: shop }\nspec: { type: web, image: nginx, envVars: [{ key: A, value: a }] }\n\
        lifecycle: { protect: true, prune: false, envVars: additive }\n";
    machine.write("api.yaml", manifest);
    assert_eq!(machine.run("apply api.yaml --sandbox -y").exit, 0);
    let ran = machine.run("export --sandbox --to live");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("ignoreChanges"), "{}", ran.stderr);
    let text = machine.read("live/services/api.yaml");
    for said in ["team: shop", "protect: true", "prune: false", "envVars: additive"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let ran = machine.run("plan live --sandbox --detailed-exitcode");
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("No changes."), "{}", ran.stdout);
    // What is there is somebody's.
    let ran = machine.run("export --sandbox --to live");
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing was written"), "{}", ran.stderr);
}

/// Reads everything there is, as `stoker export` does.
async fn exported(stage: &Stage) -> Desired<ValueSource> {
    let reader = stage.open().reader();
    let mut objects = Vec::new();
    for kind in Kind::ALL {
        let listing = reader.list(kind).await.unwrap();
        assert!(listing.coverage.is_complete(), "{kind}: {:?}", listing.coverage);
        for object in listing.objects {
            objects.push(reader.detailed(object).await.unwrap());
        }
    }
    manifest::export(&objects, &stage.inventory()).0
}

/// Exports, and sees that planning it gives nothing to do, as one stream and as a file for each
/// resource, and that a second export says the same. Returns the stream.
async fn agrees(stage: &Stage) -> Tree {
    let desired = exported(stage).await;
    let text = manifest::print(&desired);
    assert_eq!(text, manifest::print(&exported(stage).await), "a second export");
    let each = manifest::print_each(&desired, &BTreeMap::new());
    let each: Vec<(String, String)> = each
        .into_iter()
        .map(|(key, text)| (format!("{}/{}.yaml", key.kind.plural(), key.name), text))
        .collect();
    let each = each.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let stream = manifests(&text);
    for tree in [&stream, &Tree::from_texts(each)] {
        let plan = stage.plan(tree, &Policy::default()).await;
        let is_nothing = |change: &Change| {
            let is_left = matches!(change.action, Action::Adopt | Action::None);
            is_left && change.blocked.is_none() && change.fields.is_empty()
        };
        // What is ours and no manifest can hold is left out; it is not deleted for that.
        let is_kept = |change: &Change| {
            !desired.resources.contains_key(&change.key) && change.blocked.is_some()
        };
        for change in plan.changes.iter().filter(|change| !is_kept(change)) {
            assert!(is_nothing(change), "{text}\n{change:#?}");
        }
        let summary = plan.summary();
        assert!(
            !plan.is_pending() && summary.unsettled + summary.unjudged == 0,
            "{text}\n{plan:#?}"
        );
    }
    stream
}

/// Exports what lives, before it is ours, when it is, and when people went on with it.
async fn check(world: &World) {
    let mut stage = world.stage();
    let stream = agrees(&stage).await;
    stage.apply(&stream, &Policy::default()).await;
    assert_eq!(stage.emulator.record().writes(), 0, "to take over is to write nothing");
    agrees(&stage).await;
    world.move_on(&mut stage);
    agrees(&stage).await;
}

/// The number that `PROPTEST_CASES` gives, else ours in place of proptest's.
fn cases() -> u32 {
    match ProptestConfig::default().cases {
        256 => CASES,
        given => given,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn planning_an_export_gives_no_changes_whatever_lives(world in world()) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(check(&world));
    }
}
