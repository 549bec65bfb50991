//! Names that are exchanged in one commit: on a platform where names are unique and on one where they
//! are not, with what deaths, refusals and people leave on the way.

use std::collections::BTreeMap;

use stoker::emulator::{EmulatorConfig, Faults, Kind, Rename};
use stoker::model::Key;
use stoker::plan::{Outcome, Policy};
use stoker::source::Tree;

use crate::killed::Case;
use crate::stage::{Stage, manifests, pruning};

fn service(metadata: &str, plan: &str) -> String {
    format!(
        "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ {metadata} }}\n\
         spec: {{ type: worker, runtime: node, repo: github.com/acme/shop, plan: {plan} }}\n"
    )
}

/// Each has a plan of its own, by which it is known again.
fn before(names: &[&str]) -> Tree {
    let plans = ["starter", "standard", "pro"];
    let services = names.iter().zip(plans);
    manifests(
        &services.map(|(name, plan)| service(&format!("name: {name}"), plan)).collect::<String>(),
    )
}

fn exchanged() -> Tree {
    let (a, b) = ("name: a, previousNames: [b]", "name: b, previousNames: [a]");
    manifests(&(service(a, "standard") + &service(b, "starter")))
}

/// A name alone takes effect without a deployment; what is changed along with it does not.
fn exchanged_and_changed() -> Tree {
    let (a, b) = ("name: a, previousNames: [b]", "name: b, previousNames: [a]");
    let (a, b) = (service(a, "standard"), service(b, "starter"));
    let changed = |service: String| {
        let (head, spec) = service.rsplit_once(" }").unwrap();
        format!("{head}, envVars: [{{ key: ROUND, value: two }}] }}{spec}")
    };
    manifests(&(changed(a) + &changed(b)))
}

fn gone_round() -> Tree {
    let names = [
        "name: b, previousNames: [a]",
        "name: c, previousNames: [b]",
        "name: a, previousNames: [c]",
    ];
    let services = names.into_iter().zip(["starter", "standard", "pro"]);
    manifests(&services.map(|(metadata, plan)| service(metadata, plan)).collect::<String>())
}

async fn stage(config: &EmulatorConfig, names: &[&str]) -> Stage {
    let mut stage = Stage::in_memory(config.clone());
    stage.dialect.names_unique = config.names_unique;
    stage.dialect.deploy_after_patch = config.deploy_after_patch;
    stage.apply(&before(names), &Policy::default()).await;
    stage.wait(600).await;
    stage
}

/// What lives, as `name plan`, in the order of the plans.
fn living(stage: &Stage) -> Vec<String> {
    let truth = stage.emulator.truth(Kind::Service);
    let place = |plan: &str| ["starter", "standard", "pro"].iter().position(|it| *it == plan);
    let mut things: Vec<_> = truth
        .iter()
        .map(|thing| {
            let [name, plan] = ["name", "plan"].map(|field| thing[field].as_str().unwrap());
            (place(plan), format!("{name} {plan}"))
        })
        .collect();
    things.sort();
    things.into_iter().map(|(_, told)| told).collect()
}

fn remembered(stage: &Stage) -> BTreeMap<Key, String> {
    let inventory = stage.inventory();
    let entries = inventory.entries.iter();
    entries.map(|(key, entry)| (key.clone(), entry.id.to_string())).collect()
}

#[tokio::test(start_paused = true)]
async fn each_keeps_its_object_and_gets_the_others_name() {
    for names_unique in [true, false] {
        let config = EmulatorConfig { names_unique, ..EmulatorConfig::default() };
        for (names, tree) in [(&["a", "b"][..], exchanged()), (&["a", "b", "c"], gone_round())] {
            let stage = stage(&config, names).await;
            let ids = remembered(&stage);
            let sent = stage.emulator.record().requests().count();
            let (plan, report) = stage.apply(&tree, &Policy::default()).await;
            assert!(report.results.iter().all(|it| it.outcome == Outcome::Applied), "{report:#?}");
            let cost = plan.cost.reads + plan.cost.writes;
            let sent = stage.emulator.record().requests().count() - sent;
            assert_eq!(u32::try_from(sent).unwrap(), cost, "{names:?} {names_unique}");
            assert_eq!(plan.cost.writes as usize, names.len() + usize::from(names_unique));

            let next = |name: &str| {
                let place = names.iter().position(|it| *it == name).unwrap();
                names[(place + 1) % names.len()]
            };
            let plans = ["starter", "standard", "pro"];
            let wanted =
                names.iter().zip(plans).map(|(name, plan)| format!("{} {plan}", next(name)));
            assert_eq!(living(&stage), wanted.collect::<Vec<_>>());
            let moved = ids.into_iter().map(|(key, id)| {
                let key: Key = format!("service/{}", next(key.name.as_str())).parse().unwrap();
                (key, id)
            });
            assert_eq!(remembered(&stage), moved.collect::<BTreeMap<_, _>>());
            // The lines stay, and nothing moves again.
            let (plan, _) = stage.apply(&tree, &Policy::default()).await;
            assert!(plan.is_idle(), "{plan:#?}");
            assert!(plan.changes.is_empty() && plan.remember.is_empty(), "{plan:#?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_names_are_exchanged_ends_the_same() {
    let deployed = EmulatorConfig { deploy_after_patch: true, ..EmulatorConfig::default() };
    for (config, tree) in [
        (EmulatorConfig::default(), exchanged()),
        (deployed, exchanged_and_changed()),
        (EmulatorConfig { names_unique: false, ..EmulatorConfig::default() }, exchanged()),
    ] {
        let stage = async || stage(&config, &["a", "b"]).await;
        let case = Case { name: "exchanging names", stage, tree, policy: |_| pruning() };
        let reference = case.survives(12).await;
        assert!(reference.counts.values().all(|count| *count == (1, 0)), "{:?}", reference.counts);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_three_names_go_round_ends_the_same() {
    let stage = async || stage(&EmulatorConfig::default(), &["a", "b", "c"]).await;
    let tree = gone_round();
    let case = Case { name: "names go round", stage, tree, policy: |_| pruning() };
    let reference = case.survives(16).await;
    assert!(reference.counts.values().all(|count| *count == (1, 0)), "{:?}", reference.counts);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_killed_while_names_are_exchanged_ends_the_same() {
    let stage = async || stage(&EmulatorConfig::default(), &["a", "b"]).await;
    let tree = exchanged();
    let case = Case { name: "exchanging names", stage, tree, policy: |_| pruning() };
    case.an_agent_survives(12).await;
}

/// What made way is called so until the next run, whichever PATCH is refused.
#[tokio::test(start_paused = true)]
async fn a_refusal_on_the_way_is_made_up_for_by_the_next_run() {
    for number in 1..=3 {
        let stage = stage(&EmulatorConfig::default(), &["a", "b"]).await;
        stage.emulator.play(Faults::parse(&format!("fail:422@PATCH /**#{number}")).unwrap());
        let (_, report) = stage.apply(&exchanged(), &pruning()).await;
        assert!(report.results.iter().any(|it| it.outcome != Outcome::Applied), "{report:#?}");
        let way = [
            ["a starter", "b standard"],
            ["a-moving starter", "b standard"],
            ["a-moving starter", "a standard"],
        ];
        assert_eq!(living(&stage), way[number - 1], "{number}");
        stage.emulator.play(Faults::default());
        // Whoever takes the wish back gets the names back that were not exchanged yet.
        if number == 2 {
            stage.apply(&before(&["a", "b"]), &pruning()).await;
            assert_eq!(living(&stage), ["a starter", "b standard"]);
        }
        stage.apply(&exchanged(), &pruning()).await;
        assert_eq!(living(&stage), ["b starter", "a standard"], "{number}");
    }
}

/// The name for the moment is ours, and was on disk before it was sent.
#[tokio::test(start_paused = true)]
async fn what_made_way_and_is_declared_no_more_goes() {
    let stage = stage(&EmulatorConfig::default(), &["a", "b"]).await;
    stage.emulator.play(Faults::parse("fail:422@PATCH /**#2").unwrap());
    stage.apply(&exchanged(), &pruning()).await;
    stage.emulator.play(Faults::default());
    let only_b = manifests(&service("name: b", "standard"));
    stage.apply(&only_b, &pruning()).await;
    stage.wait(60).await;
    assert_eq!(living(&stage), ["b standard"]);
}

/// A platform that says yes and does not rename: nothing is remembered under another name.
#[tokio::test(start_paused = true)]
async fn nothing_follows_on_a_name_that_was_not_changed() {
    let config = EmulatorConfig { rename: Rename::Ignored, ..EmulatorConfig::default() };
    let stage = stage(&config, &["a", "b"]).await;
    let ids = remembered(&stage);
    for _ in 0..2 {
        let (_, report) = stage.apply(&exchanged(), &pruning()).await;
        assert!(report.results.iter().all(|it| it.outcome != Outcome::Applied), "{report:#?}");
        assert_eq!(living(&stage), ["a starter", "b standard"]);
        assert_eq!(remembered(&stage), ids);
    }
}

/// Without a memory nobody knows whether they have exchanged their names; a person does.
#[tokio::test(start_paused = true)]
async fn with_a_lost_state_nothing_is_renamed_and_nothing_is_written() {
    let maker = stage(&EmulatorConfig::default(), &["a", "b"]).await;
    let fresh = Stage::in_memory(EmulatorConfig::default());
    let stage = Stage { emulator: maker.emulator, transport: maker.transport, ..fresh };
    let (plan, _) = stage.apply(&exchanged(), &pruning()).await;
    assert!(plan.changes.iter().all(|change| change.blocked.is_some()), "{plan:#?}");
    assert_eq!(living(&stage), ["a starter", "b standard"]);
}
