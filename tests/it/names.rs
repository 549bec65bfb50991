//! Platforms that change the names they are given (A22): nothing is made twice, and what was made is
//! ours by its id, whatever it is called.

use std::collections::BTreeMap;

use stoker::emulator::{EmulatorConfig, Faults, Kind, Mutation, Naming, Verb};
use stoker::plan::{Action, BlockedReason, Plan};
use stoker::source::Tree;

use crate::faults::all_but_api;
use crate::laws;
use crate::stage::{Stage, brief, edited, manifests, pruning};

/// Every way to change a name that the emulator knows, each where names are unique and where not.
fn platforms() -> Vec<EmulatorConfig> {
    let namings = [Naming::Numbered, Naming::Capitals, Naming::Cut(2)];
    let config =
        |(names, names_unique)| EmulatorConfig { names, names_unique, ..EmulatorConfig::default() };
    namings.into_iter().flat_map(|naming| [(naming, true), (naming, false)]).map(config).collect()
}

/// The names that nothing refers to by name: on such a platform a reference by name means nothing.
fn stack() -> Tree {
    let api = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: api }\n\
               spec: { type: web, runtime: node, repo: github.com/acme/shop, plan: standard }\n";
    manifests(&(api.to_owned() + all_but_api()))
}

/// The same, with the group attached: that is by id, and needs no name.
fn attached() -> Tree {
    edited(
        &stack(),
        "plan: standard }\n---\napiVersion: stackblaze.cloud/v1\nkind: Service",
        "plan: \
        standard, envGroups: [shared] }\n---\napiVersion: stackblaze.cloud/v1\nkind: Service",
    )
}

/// What was made for each declared resource: whatever a platform does to these four names, their
/// first two letters tell them apart.
fn made(stage: &Stage) -> BTreeMap<(Kind, String), usize> {
    let mut made = BTreeMap::new();
    let effects = laws::effects(&stage.emulator);
    for Mutation { kind, name, .. } in effects.into_iter().filter(|it| it.verb == Verb::Created) {
        let stem = name.to_lowercase()[..2].to_owned();
        *made.entry((kind, stem)).or_default() += 1;
    }
    made
}

fn asked(plan: &Plan) -> Vec<String> {
    let is_asked = |it: &&stoker::plan::Change| {
        it.blocked.as_ref().is_some_and(|it| it.reason == BlockedReason::PerhapsOurs)
    };
    plan.changes.iter().filter(is_asked).map(|change| change.key.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_lost_create_is_not_made_twice_where_names_change() {
    let lost = ["lose-answer", "apply-late:100000", "cut:17", "fail-after:500", "no-id", "malice"];
    let places = ["services#1", "services#2", "databases#1", "envgroups#1"];
    for config in platforms() {
        for fault in lost {
            for place in places {
                let context = format!("{:?} {fault} {place}", config.names);
                let stage = Stage::in_memory(config.clone());
                stage.emulator.play(Faults::parse(&format!("{fault}@POST /{place}")).unwrap());
                let (plan, report) = stage.apply(&stack(), &pruning()).await;
                laws::the_report_is_honest(&plan, &report, &context);
                stage.emulator.play(Faults::default());
                let mut last = plan;
                for _ in 0..3 {
                    stage.wait(200).await;
                    last = stage.apply(&stack(), &pruning()).await.0;
                }
                let made = made(&stage);
                assert!(made.len() == 4 && made.values().all(|it| *it == 1), "{context}: {made:?}");
                // A person is asked about that one, and told about nothing else.
                assert_eq!(asked(&last).len(), 1, "{context}: {last:#?}");
                assert_eq!(last.changes.len(), 1, "{context}: {last:#?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_lost_creates_are_told_apart_by_nobody_and_made_once() {
    for config in platforms() {
        let stage = Stage::in_memory(config);
        stage.emulator.play(Faults::parse("lose-answer@POST /services#1-2").unwrap());
        for _ in 0..3 {
            stage.apply(&stack(), &pruning()).await;
            stage.wait(200).await;
        }
        let (plan, _) = stage.apply(&stack(), &pruning()).await;
        assert_eq!(asked(&plan), ["service/api", "service/jobs"], "{plan:#?}");
        assert!(made(&stage).values().all(|it| *it == 1), "{:?}", made(&stage));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_under_another_name_is_ours_and_no_drift() {
    for config in platforms() {
        let context = format!("{:?}", config.names);
        let stage = Stage::in_memory(config);
        stage.apply(&attached(), &pruning()).await;
        laws::it_settles(&stage, &attached(), &pruning(), &context).await;
        let writes = stage.emulator.record().writes();
        assert_eq!(writes, 4, "{context}");
        assert_eq!(stage.inventory().entries.len(), 4, "{context}");
        // It goes as it came.
        let text = String::from_utf8(attached().files()[0].bytes.clone()).unwrap();
        let jobs = text.split("---\n").nth(1).unwrap();
        let fewer = manifests(&text.replace(jobs, "").replace("---\n---\n", "---\n"));
        let (plan, _) = stage.apply(&fewer, &pruning()).await;
        assert_eq!(brief(&plan), ["delete service/jobs"], "{context}");
        let left = stage.emulator.truth(Kind::Service);
        assert!(left.len() == 1 && stage.emulator.record().writes() == 5, "{context}: {left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_did_not_happen_is_made_where_nothing_else_appeared() {
    for config in platforms() {
        let stage = Stage::in_memory(config);
        // What is refused before it is carried out, and answered as though nobody knew.
        stage.emulator.play(Faults::parse("fail:500@POST /services#1").unwrap());
        let (plan, _) = stage.apply(&stack(), &pruning()).await;
        assert!(plan.changes.iter().all(|it| it.action == Action::Create), "{plan:#?}");
        stage.emulator.play(Faults::default());
        for _ in 0..2 {
            stage.wait(200).await;
            stage.apply(&stack(), &pruning()).await;
        }
        assert!(made(&stage).values().all(|it| *it == 1), "{:?}", made(&stage));
        assert_eq!(made(&stage).len(), 4);
    }
}
