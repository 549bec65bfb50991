//! Every fault at every request, once, and faults by chance: afterwards all is as though nothing
//! had happened, and nothing was made or deleted twice.

use std::collections::BTreeMap;

use serde_json::Value;
use stoker::emulator::{EmulatorConfig, Faults, Kind};
use stoker::plan::{Action, Policy};
use stoker::source::Tree;

use crate::laws;
use crate::stage::{Stage, brief, manifests, pruning};

const FIRST: &str = "
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api }
spec:
  type: web
  runtime: node
  repo: github.com/acme/shop
  plan: standard
  envGroups: [shared]
  envVars:
    - { key: NODE_ENV, value: production }
    - { key: DATABASE_URL, fromDatabase: { name: main, property: connectionString } }
    - { key: SALT, generateValue: true }
---
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: jobs }
spec: { type: worker, runtime: node, repo: github.com/acme/shop }
---
apiVersion: stackblaze.cloud/v1
kind: Database
metadata: { name: main }
spec: { type: postgres, version: '16', plan: standard, storageGB: 10 }
---
apiVersion: stackblaze.cloud/v1
kind: EnvGroup
metadata: { name: shared }
spec: { envVars: [ { key: LOG_LEVEL, value: info } ] }
";

/// The usual stack without its first service.
pub fn all_but_api() -> &'static str {
    &FIRST[FIRST.find("---\n").unwrap()..]
}

/// A change of one service, and one less.
pub fn second() -> String {
    let jobs = FIRST.len() - all_but_api().len();
    let database = FIRST.find("---\napiVersion: stackblaze.cloud/v1\nkind: Database").unwrap();
    let fewer = FIRST[..jobs].to_owned() + &FIRST[database..];
    fewer.replace("production", "staging").replace("plan: standard\n", "plan: starter\n")
}

pub fn first() -> Tree {
    manifests(FIRST)
}

/// How often each thing was created and deleted.
pub type Counts = BTreeMap<(Kind, String), (usize, usize)>;

/// What a run without faults does.
pub struct Reference {
    pub requests: usize,
    pub truth: Vec<Value>,
    pub counts: Counts,
}

impl Reference {
    /// Takes a stage as it is, after so many requests that do not count.
    pub fn of(stage: &Stage, before: usize) -> Self {
        Self {
            requests: stage.emulator.record().requests().count() - before,
            truth: laws::truth(&stage.emulator),
            counts: laws::creates_and_deletes(&stage.emulator),
        }
    }
}

/// A run that is disturbed: a platform as it stands before, and what is applied to it.
#[derive(Clone)]
pub struct Scene {
    pub config: EmulatorConfig,
    pub before: Option<Tree>,
    pub tree: Tree,
}

impl Scene {
    pub fn creating(config: EmulatorConfig) -> Self {
        Self { config, before: None, tree: first() }
    }

    pub fn changing(config: EmulatorConfig) -> Self {
        Self { config, before: Some(first()), tree: manifests(&second()) }
    }

    pub async fn stage(&self) -> Stage {
        let mut stage = Stage::in_memory(self.config.clone());
        stage.dialect.deploy_after_patch = self.config.deploy_after_patch;
        if let Some(before) = &self.before {
            stage.apply(before, &Policy::default()).await;
            stage.wait(600).await;
        }
        stage
    }

    pub async fn reference(&self) -> Reference {
        let stage = self.stage().await;
        let before = stage.emulator.record().requests().count();
        stage.apply(&self.tree, &pruning()).await;
        Reference::of(&stage, before)
    }
}

/// Plays faults during one run, then none: the end is the reference's.
async fn endure(scene: &Scene, faults: &str, reference: &Reference) -> Stage {
    let stage = scene.stage().await;
    stage.emulator.play(Faults::parse(faults).unwrap());
    if let Ok((plan, report)) = stage.try_apply(&scene.tree, &pruning()).await {
        laws::the_report_is_honest(&plan, &report, faults);
    }
    stage.emulator.play(Faults::default());
    laws::it_settles(&stage, &scene.tree, &pruning(), faults).await;
    is_as(&stage, reference, faults);
    stage
}

/// The end state, the creates and the deletes are those of the reference.
pub fn is_as(stage: &Stage, reference: &Reference, context: &str) {
    // Somebody else's things may have come meanwhile: they are none of ours.
    let is_ours = |thing: &Value| thing["name"].as_str().is_some_and(is_ours_name);
    let mut truth = laws::truth(&stage.emulator);
    truth.retain(is_ours);
    assert_eq!(truth, reference.truth, "{context}");
    let mut counts = laws::creates_and_deletes(&stage.emulator);
    counts.retain(|(_, name), _| is_ours_name(name));
    assert_eq!(counts, reference.counts, "{context}");
    laws::nothing_is_there_twice(stage, context);
    laws::the_rate_is_kept(stage, context);
}

fn is_ours_name(name: &str) -> bool {
    ["api", "jobs", "main", "shared"].contains(&name)
}

/// Every word of the grammar, with telling arguments.
const FAULTS: &str = "refuse lose-answer apply-late:30000 apply-late:100000 hang cut:0 cut:17 \
    truncate:0 truncate:17 drip 429 429:none 429:30 429:5|7 429:-3 fail:400 fail:401 fail:403 \
    fail:404 fail:408 fail:409 fail:425 fail:500 fail:503 fail-after:500 fail-after:504 \
    fail-after:408 html html-after empty no-id stale:60000 hide-new:60000 shift-repeat shift-vanish \
    page-ignored total:missing total:wrong total:negative rename-key duplicate malice strange \
    redirect:https://evil.example/v1 skew:3600000 skew:-3600000 quote:cut";

/// Plays each fault at each request of a run, one at a time.
pub async fn endure_each(scene: Scene) {
    let reference = scene.reference().await;
    for fault in FAULTS.split_whitespace() {
        for request in 1..=reference.requests {
            endure(&scene, &format!("{fault}@* **#{request}"), &reference).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_fault_at_every_request_of_a_creation_is_survived() {
    endure_each(Scene::creating(EmulatorConfig::default())).await;
}

#[tokio::test(start_paused = true)]
async fn every_fault_at_every_request_of_a_change_is_survived() {
    endure_each(Scene::changing(EmulatorConfig::default())).await;
}

#[tokio::test(start_paused = true)]
async fn where_a_change_must_be_deployed_every_fault_leaves_it_deployed() {
    let scene =
        Scene::changing(EmulatorConfig { deploy_after_patch: true, ..EmulatorConfig::default() });
    let reference = scene.reference().await;
    // What is carried out late is written once more after its deploy, and has nothing new.
    for fault in FAULTS.split_whitespace().filter(|fault| !fault.starts_with("apply-late")) {
        for request in ["PATCH /**", "POST /**"] {
            let stage = endure(&scene, &format!("{fault}@{request}"), &reference).await;
            laws::what_is_written_runs(&stage, fault);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_may_have_happened_is_not_sent_twice_where_names_are_not_unique() {
    let mut config = EmulatorConfig { names_unique: false, ..EmulatorConfig::default() };
    config.paging.size_max = 1;
    let scene = Scene::creating(config);
    let reference = scene.reference().await;
    for fault in [
        "lose-answer",
        "apply-late:30000",
        "apply-late:100000",
        "hang",
        "cut:0",
        "cut:17",
        "truncate:17",
        "fail-after:500",
        "fail:500",
        "html",
        "html-after",
        "empty",
        "no-id",
        "malice",
        "redirect:https://evil.example/v1",
    ] {
        for place in ["services#1", "services#2", "databases", "envgroups"] {
            endure(&scene, &format!("{fault}@POST /{place}"), &reference).await;
        }
        // And with a replica behind, for as long as replicas may be.
        for stale in ["stale:55000", "hide-new:55000"] {
            let faults = format!("{fault}@POST /services#1; {stale}@GET /services");
            endure(&scene, &faults, &reference).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_right_after_a_lost_create_makes_no_second_one() {
    let scene =
        Scene::creating(EmulatorConfig { names_unique: false, ..EmulatorConfig::default() });
    let reference = scene.reference().await;
    let stage = scene.stage().await;
    let faults = "apply-late:100000@POST /services#1";
    stage.emulator.play(Faults::parse(faults).unwrap());
    for _ in 0..2 {
        stage.apply(&scene.tree, &pruning()).await;
    }
    stage.emulator.play(Faults::default());
    laws::it_settles(&stage, &scene.tree, &pruning(), faults).await;
    is_as(&stage, &reference, faults);
}

#[tokio::test(start_paused = true)]
async fn faults_by_chance_leave_nothing_behind() {
    for seed in 0..60 {
        let context = format!("seed={seed},rate=0.1");
        let names_unique = seed % 2 == 0;
        let mut config = EmulatorConfig { seed, names_unique, ..EmulatorConfig::default() };
        config.paging.size_max = [1, 2, 100][usize::try_from(seed % 3).unwrap()];
        let stage = Stage::in_memory(config.clone());
        let play = |faults: &str| stage.emulator.play(Faults::parse(faults).unwrap());
        play(&context);
        for _ in 0..3 {
            if let Ok((plan, report)) = stage.try_apply(&first(), &pruning()).await {
                laws::the_report_is_honest(&plan, &report, &context);
            }
        }
        play("");
        laws::it_settles(&stage, &first(), &pruning(), &context).await;
        is_as(&stage, &Scene::creating(config.clone()).reference().await, &context);

        play(&format!("seed={},rate=0.1", seed + 1_000));
        let changed = manifests(&second());
        for _ in 0..3 {
            if let Ok((plan, report)) = stage.try_apply(&changed, &pruning()).await {
                laws::the_report_is_honest(&plan, &report, &context);
            }
        }
        play("");
        for _ in 0..3 {
            stage.wait(200).await;
            stage.apply(&changed, &pruning()).await;
        }
        let (plan, _) = stage.apply(&changed, &pruning()).await;
        // What only may be ours stays until a person confirms it (S3).
        let is_presumed = brief(&plan) == ["blocked service/jobs: presumed"];
        assert!(is_presumed || plan.changes.is_empty(), "{context}: {plan:#?}");
        assert!(plan.changes.iter().all(|it| it.action == Action::Delete), "{context}");
        let deletes = stage.emulator.record().deletes(Kind::Service, "jobs");
        assert_eq!(deletes, usize::from(!is_presumed), "{context}");
        let reference = Scene::changing(config).reference().await;
        let mut truth = laws::truth(&stage.emulator);
        truth.retain(|thing| is_presumed_or_else(thing, is_presumed));
        assert_eq!(truth, reference.truth, "{context}");
        laws::nothing_is_there_twice(&stage, &context);
        laws::the_rate_is_kept(&stage, &context);
    }
}

fn is_presumed_or_else(thing: &Value, is_presumed: bool) -> bool {
    !is_presumed || thing["name"] != "jobs"
}

#[tokio::test(start_paused = true)]
async fn a_create_that_waited_for_the_budget_settles_from_when_it_left() {
    let config = EmulatorConfig { names_unique: false, ..EmulatorConfig::default() };
    let jobs = first().files()[0].bytes.clone();
    let jobs = String::from_utf8(jobs).unwrap();
    let jobs = manifests(jobs.split("---\n").nth(1).unwrap());
    let scene = Scene { config, before: None, tree: jobs };
    let reference = scene.reference().await;
    // Refused for almost two minutes, it leaves, is carried out late, and nobody hears of it.
    for late in ["lose-answer", "apply-late:50000", "apply-late:100000"] {
        let faults = format!("429:110@POST /services#1; {late}@POST /services#2");
        endure(&scene, &faults, &reference).await;
    }
}
