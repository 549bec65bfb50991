//! Services that take a value from each other, on a platform that refuses a reference to what is
//! not there: what is sent, and what is left by deaths and faults on the way.

use std::collections::BTreeMap;

use stoker::api::{EnvPatch, Resolver};
use stoker::emulator::{self, EmulatorConfig, Faults, Kind, Secrets};
use stoker::model::{Key, RemoteId};
use stoker::plan::{Outcome, Policy};
use stoker::source::Tree;

use crate::faults::{Scene, endure_each};
use crate::kept::{Kept, settings};
use crate::killed::Case;
use crate::laws;
use crate::stage::{Stage, edited, manifests, pruning};

/// Each needs the other, and one of them itself.
pub const PAIR: &str = "
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api }
spec:
  type: web
  runtime: node
  repo: github.com/acme/shop
  envVars:
    - { key: LEVEL, value: info }
    - { key: ME, fromService: { name: api, property: url } }
    - { key: JOBS, fromService: { name: jobs, property: url } }
---
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: jobs }
spec:
  type: web
  runtime: node
  repo: github.com/acme/shop
  envVars: [{ key: API, fromService: { name: api, property: url } }]
";

fn pair() -> Tree {
    manifests(PAIR)
}

/// Platforms that differ in how variables are shown, written and resolved.
fn platforms() -> [(&'static str, EmulatorConfig); 5] {
    let default = EmulatorConfig::default;
    [
        ("as assumed", default()),
        ("variables are hidden", EmulatorConfig { secrets: Secrets::Hidden, ..default() }),
        ("a PATCH has all variables", {
            EmulatorConfig { env_patch: emulator::EnvPatch::Replace, ..default() }
        }),
        ("a PATCH needs a deploy", EmulatorConfig { deploy_after_patch: true, ..default() }),
        (
            "the agent resolves",
            EmulatorConfig { resolve_references: emulator::Resolver::Agent, ..default() },
        ),
    ]
}

fn stage_on(config: &EmulatorConfig) -> Stage {
    let mut stage = Stage::in_memory(config.clone());
    stage.dialect.deploy_after_patch = config.deploy_after_patch;
    if config.env_patch == emulator::EnvPatch::Replace {
        stage.dialect.env_patch = EnvPatch::Replace;
    }
    if config.resolve_references == emulator::Resolver::Agent {
        stage.dialect.resolve_references = Resolver::Agent;
    }
    stage
}

#[tokio::test(start_paused = true)]
async fn one_is_made_without_the_other_and_gets_it_by_one_patch() {
    let stage = Stage::in_memory(EmulatorConfig::default());
    let before = stage.emulator.record().requests().count();
    let pair = edited(&pair(), "- { key: ME, fromService: { name: api, property: url } }", "");
    let (plan, report) = stage.apply(&pair, &Policy::default()).await;
    assert!(report.results.iter().all(|it| it.outcome == Outcome::Applied), "{report:#?}");
    let record = stage.emulator.record();
    let asked: Vec<_> = record.requests().map(|(_, asked)| asked).collect();
    let writes = asked.iter().filter(|it| it.method != "GET").map(|it| it.method.as_str());
    assert_eq!(writes.collect::<Vec<_>>(), ["POST", "POST", "PATCH"]);
    let requests = record.requests().count() - before;
    assert_eq!(requests, usize::try_from(plan.cost.reads + plan.cost.writes).unwrap());
}

#[tokio::test(start_paused = true)]
async fn all_is_as_declared_after_one_run_whatever_the_platform_is_like() {
    for (name, config) in platforms() {
        let stage = stage_on(&config);
        let (_, report) = stage.apply(&pair(), &Policy::default()).await;
        assert!(
            report.results.iter().all(|it| it.outcome == Outcome::Applied),
            "{name}: {report:#?}"
        );
        let (plan, _) = stage.apply(&pair(), &Policy::default()).await;
        assert!(plan.is_idle(), "{name}: {plan:#?}");
        for service in ["api", "jobs"] {
            let record = stage.emulator.record();
            assert_eq!(record.creates(Kind::Service, service), 1, "{name}");
        }
        if config.deploy_after_patch {
            laws::what_is_written_runs(&stage, name);
        }
    }
}

/// What is deleted first has no address to give.
#[tokio::test(start_paused = true)]
async fn what_needs_itself_and_another_is_made_again_without_both_and_completed() {
    for (name, config) in platforms() {
        let stage = stage_on(&config);
        stage.apply(&pair(), &Policy::default()).await;
        let others = edited(&pair(), "type: web", "type: web\n  region: us-east");
        let ids: BTreeMap<Key, RemoteId> = stage
            .inventory()
            .entries
            .iter()
            .map(|(key, it)| (key.clone(), it.id.clone()))
            .collect();
        let mut policy = Policy::default();
        policy.request.replace = ids;
        let (_, report) = stage.apply(&others, &policy).await;
        assert!(
            report.results.iter().all(|it| it.outcome == Outcome::Applied),
            "{name}: {report:#?}"
        );
        let (plan, _) = stage.apply(&others, &Policy::default()).await;
        assert!(plan.is_idle(), "{name}: {plan:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_it_makes_them_ends_the_same_on_every_platform() {
    for (name, config) in platforms() {
        let stage = async || stage_on(&config);
        let case = Case { name, stage, tree: pair(), policy: |_| pruning() };
        case.survives(30).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_killed_while_it_makes_them_ends_the_same() {
    let stage = async || Stage::in_memory(EmulatorConfig::default());
    let case = Case { name: "needing each other", stage, tree: pair(), policy: |_| pruning() };
    case.an_agent_survives(60).await;
}

#[tokio::test(start_paused = true)]
async fn every_fault_at_every_request_is_survived() {
    endure_each(Scene { config: EmulatorConfig::default(), before: None, tree: pair() }).await;
}

/// What was `api` becomes `api-v1`, a new `api` takes its place, and each needs the other.
const MOVED_ON: &str = "
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api }
spec:
  type: web
  runtime: node
  repo: github.com/acme/shop
  envVars: [{ key: OLD, fromService: { name: api-v1, property: url } }]
---
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api-v1, previousNames: [api] }
spec:
  type: web
  runtime: node
  repo: github.com/acme/shop
  envVars: [{ key: NEXT, fromService: { name: api, property: url } }]
";

async fn before_it_moves_on(config: &EmulatorConfig) -> Stage {
    let stage = stage_on(config);
    let (api, _) = MOVED_ON.split_once("---").unwrap();
    let (alone, _) = api.split_once("  envVars").unwrap();
    stage.apply(&manifests(alone), &Policy::default()).await;
    stage.wait(600).await;
    stage
}

#[tokio::test(start_paused = true)]
async fn what_moves_on_and_what_takes_its_place_may_need_each_other() {
    for (name, config) in platforms() {
        let stage = before_it_moves_on(&config).await;
        let (_, report) = stage.apply(&manifests(MOVED_ON), &Policy::default()).await;
        assert!(
            report.results.iter().all(|it| it.outcome == Outcome::Applied),
            "{name}: {report:#?}"
        );
        let (plan, _) = stage.apply(&manifests(MOVED_ON), &Policy::default()).await;
        assert!(plan.is_idle(), "{name}: {plan:#?}");
        if config.resolve_references == emulator::Resolver::Agent {
            // Each has the other's, and not what had its name before.
            let truth = stage.emulator.truth(Kind::Service);
            let given = truth.iter().map(|it| it["env_vars"][0]["value"].as_str().unwrap());
            let given: Vec<&str> = given.collect();
            assert_eq!(given, ["https://api.stackblaze.app", "https://api-v1.stackblaze.app"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_what_moves_on_needs_what_follows_ends_the_same() {
    // As assumed, and where a PATCH needs a deploy.
    for (name, config) in platforms().into_iter().step_by(3) {
        let before = config.clone();
        let stage = async || before_it_moves_on(&before).await;
        let case = Case { name, stage, tree: manifests(MOVED_ON), policy: |_| pruning() };
        let reference = case.survives(20).await;
        assert!(reference.counts.values().all(|count| *count == (2, 0)), "{:?}", reference.counts);
    }
}

/// What was made is history, and what it still lacks is left to do.
#[tokio::test(start_paused = true)]
async fn the_rest_of_what_was_made_is_pending() {
    let stage = Stage::in_memory(EmulatorConfig::default());
    stage.emulator.play(Faults::parse("fail:422@PATCH /**").unwrap());
    let kept = Kept::begin(stage, settings(), pair());
    kept.stage.wait(4).await;
    let status = kept.status();
    let pending = status.pending.iter().map(|it| {
        let fields: Vec<&str> = it.fields.iter().map(|field| field.path.as_str()).collect();
        format!("{} {}: {}", it.action, it.key, fields.join(", "))
    });
    let pending: Vec<String> = pending.collect();
    assert_eq!(pending, ["update service/jobs: envVars.API", "update service/api: envVars.ME"]);
    kept.end().await;
}
