//! Killed at every point of a run, and at every two points of small ones: the next runs end in the
//! same state with the same number of creates and deletes of each object (L3).
//!
//! A point is a request (it never leaves; it is carried out late; it is carried out and its answer
//! never comes) or a step of the disk, with each content that a death or a loss of power in it may
//! leave: nothing of what was being written, a part, all but the line break, all; the old name of a
//! file, or the new one. To die with an answer in hand is to die before the write that follows on
//! it. What is killed is one run of `apply`, or an agent at work.
//!
//! Each test prints how many points it found, and fails when there are fewer than there were.

use std::collections::{BTreeMap, BTreeSet};

use stoker::emulator::{Act, EmulatorConfig, Faults, Kind};
use stoker::model::{Applied, EnvKey, FieldPath, Intent, Key, Remembered, RemoteId};
use stoker::plan::Policy;
use stoker::source::Tree;

use crate::faults::{Scene, first};
use crate::killed::{Case, is_exactly};
use crate::laws;
use crate::mortal::{Moment, Point, die};
use crate::stage::{Stage, edited, manifests, pruning};
use crate::tally;

fn case(name: &'static str, scene: Scene) -> Case<impl AsyncFn() -> Stage> {
    let tree = scene.tree.clone();
    Case { name, stage: async move || scene.stage().await, tree, policy: |_| pruning() }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_creating_ends_the_same() {
    for (name, names_unique) in [("creating", true), ("creating where names repeat", false)] {
        let scene = Scene::creating(EmulatorConfig { names_unique, ..EmulatorConfig::default() });
        case(name, scene).survives(60).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_changing_and_deleting_ends_the_same() {
    case("changing and deleting", Scene::changing(EmulatorConfig::default())).survives(24).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_between_a_patch_and_its_deploy_leaves_it_deployed() {
    let config = EmulatorConfig { deploy_after_patch: true, ..EmulatorConfig::default() };
    case("changing and deploying", Scene::changing(config)).survives(36).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_adopting_and_changing_leaves_it_deployed() {
    // Nothing is ours yet, so nothing can be remembered beside a resource of ours.
    let config = EmulatorConfig { deploy_after_patch: true, ..EmulatorConfig::default() };
    let tree = edited(&first(), "production", "staging");
    let stage = async || {
        let maker = Stage::in_memory(config.clone());
        maker.apply(&first(), &Policy::default()).await;
        maker.wait(600).await;
        let stage = Stage::in_memory(config.clone());
        let mut dialect = stage.dialect.clone();
        dialect.deploy_after_patch = true;
        Stage { emulator: maker.emulator, transport: maker.transport, dialect, ..stage }
    };
    let case = Case { name: "adopting", stage, tree, policy: |_| Policy::default() };
    let reference = case.survives(45).await;
    // What others made is taken over: nothing is made beside it, and nothing goes.
    assert!(reference.counts.values().all(|count| *count == (1, 0)), "{:?}", reference.counts);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_renaming_ends_the_same() {
    let tree = edited(&first(), "{ name: jobs }", "{ name: main, previousNames: [jobs] }");
    let scene = Scene { config: EmulatorConfig::default(), before: Some(first()), tree };
    let reference = case("renaming", scene).survives(15).await;
    assert_eq!(reference.counts.values().map(|count| count.1).sum::<usize>(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_replacing_ends_the_same() {
    let tree = edited(&first(), "type: worker,", "type: worker, region: us-east,");
    let scene = Scene { config: EmulatorConfig::default(), before: Some(first()), tree };
    let case = Case { policy: replacing, ..case("replacing", scene) };
    let reference = case.survives(30).await;
    assert_eq!(reference.counts[&(Kind::Service, "jobs".to_owned())], (2, 1));
}

fn replacing(stage: &Stage) -> Policy {
    let id = RemoteId::new(&stage.emulator.ids(Kind::Service, "jobs")[0]).unwrap();
    let key: Key = "service/jobs".parse().unwrap();
    let mut policy = pruning();
    policy.request.replace = BTreeMap::from([(key, id)]);
    policy
}

/// A state whose journal has grown so long that the next run begins a new generation; it began one
/// before, so that there is an old one to remove.
async fn long_remembered() -> Stage {
    let stage = Stage::in_memory(EmulatorConfig::default());
    lengthen(&stage);
    stage.apply(&first(), &Policy::default()).await;
    stage.wait(600).await;
    lengthen(&stage);
    stage
}

/// Remembers something long, and that it never came about.
fn lengthen(stage: &Stage) {
    let key: Key = "service/of-old".parse().unwrap();
    let long = Applied::Text("x".repeat(64 * 1024));
    let intent = Intent {
        started_at: stage.clock.now(),
        attempt: 1,
        applied: [(FieldPath::Env(EnvKey::new("LONG").unwrap()), long)].into(),
        remembered: Remembered::default(),
        depends_on: BTreeSet::new(),
        bystanders: BTreeSet::new(),
    };
    let mut store = stage.state.open("a test").unwrap();
    store.begin_intent(key.clone(), intent).unwrap();
    store.abandon_intent(key).unwrap();
}

fn beginning_a_generation() -> Case<impl AsyncFn() -> Stage> {
    let tree = Scene::changing(EmulatorConfig::default()).tree;
    Case { name: "beginning a generation", stage: long_remembered, tree, policy: |_| pruning() }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_it_writes_its_memory_whole_ends_the_same() {
    let case = beginning_a_generation();
    let (mut stage, policy) = case.begun().await;
    let death = die(&mut stage, &case.tree, &policy, Point::Step(usize::MAX / 2, 0)).await;
    let names: Vec<&str> = death.remains[0].keys().map(String::as_str).collect();
    let generations =
        ["inventory-1.json", "inventory-2.json", "journal-1.ndjson", "journal-2.ndjson"];
    assert_eq!(names, generations, "a generation is begun, and the oldest removed");
    case.survives(34).await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_killed_anywhere_ends_the_same() {
    case("creating", Scene::creating(EmulatorConfig::default())).an_agent_survives(80).await;
    case("changing", Scene::changing(EmulatorConfig::default())).an_agent_survives(40).await;
    beginning_a_generation().an_agent_survives(50).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_a_generated_value_gives_way_makes_one_value() {
    let stack = service("name: api", "starter")
        .replace("plan: starter", "envVars: [{ key: SALT, generateValue: true }]");
    let tree = manifests(&stack);
    let before = tree.clone();
    let stage = async move || {
        let stage = Stage::in_memory(EmulatorConfig::default());
        stage.apply(&before, &Policy::default()).await;
        // By order and not by age: all stages of a test live on one clock.
        let mut store = stage.state.open("a test").unwrap();
        let (key, mut entry) = store.inventory().entries.clone().pop_first().unwrap();
        entry.generated.values_mut().for_each(|generation| generation.is_ordered = true);
        store.record(key, entry).unwrap();
        store.compact().unwrap();
        drop(store);
        stage
    };
    let case = Case { name: "a generated value gives way", stage, tree, policy: |_| pruning() };
    let (stage, _) = case.begun().await;
    let salt = |things: &[serde_json::Value]| things[0]["env_vars"][0]["value"].clone();
    let first = salt(&stage.emulator.truth(Kind::Service));
    let reference = case.survives(10).await;
    assert_ne!(salt(&reference.truth), first);
}

/// One service of the usual stack.
fn jobs() -> Tree {
    let stack = String::from_utf8(first().files()[0].bytes.clone()).unwrap();
    manifests(stack.split("---\n").nth(1).unwrap())
}

/// All the others.
fn without_jobs() -> Tree {
    let stack = String::from_utf8(first().files()[0].bytes.clone()).unwrap();
    let documents: Vec<&str> = stack.split("---\n").collect();
    manifests(&[documents[0], documents[2], documents[3]].join("---\n"))
}

#[tokio::test(start_paused = true)]
async fn two_runs_in_a_row_that_are_killed_while_creating_end_the_same() {
    let config = EmulatorConfig { names_unique: false, ..EmulatorConfig::default() };
    let scene = Scene { config, before: None, tree: jobs() };
    case("creating one", scene).survives_twice(540).await;
}

#[tokio::test(start_paused = true)]
async fn two_runs_in_a_row_that_are_killed_while_deleting_end_the_same() {
    let before = Some(first());
    let scene = Scene { config: EmulatorConfig::default(), before, tree: without_jobs() };
    let reference = case("deleting one", scene).survives_twice(215).await;
    assert_eq!(reference.counts[&(Kind::Service, "jobs".to_owned())], (1, 1));
}

fn service(metadata: &str, plan: &str) -> String {
    format!(
        "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ {metadata} }}\n\
         spec: {{ type: worker, runtime: node, repo: github.com/acme/shop, plan: {plan} }}\n"
    )
}

/// Ours are `api` and `jobs`; `web` is somebody else's. Then `api` is changed, `jobs` gets another
/// name, and `web` is taken over with another plan.
fn changing_renaming_and_adopting() -> Case<impl AsyncFn() -> Stage> {
    let before = service("name: api", "starter") + &service("name: jobs", "starter");
    let after = service("name: api", "standard")
        + &service("name: work, previousNames: [jobs]", "starter")
        + &service("name: web", "standard");
    let stage = async move || {
        let stage = Stage::in_memory(EmulatorConfig::default());
        stage.apply(&manifests(&before), &Policy::default()).await;
        let body = serde_json::json!({
            "name": "web", "type": "background_worker", "runtime": "node",
            "repo": "github.com/acme/shop", "plan": "starter",
        });
        stage.emulator.act(&Act::Create { kind: Kind::Service, body }).unwrap();
        stage.wait(600).await;
        stage
    };
    let name = "changing, renaming and adopting";
    Case { name, stage, tree: manifests(&after), policy: |_| pruning() }
}

#[tokio::test(start_paused = true)]
async fn two_runs_in_a_row_that_are_killed_while_changing_renaming_and_adopting_end_the_same() {
    let reference = changing_renaming_and_adopting().survives_twice(880).await;
    let names: Vec<&str> =
        reference.truth.iter().map(|thing| thing["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["api", "web", "work"]);
    let plans: Vec<&str> =
        reference.truth.iter().map(|thing| thing["plan"].as_str().unwrap()).collect();
    assert_eq!(plans, ["standard", "standard", "starter"]);
    assert!(reference.counts.values().all(|count| *count == (1, 0)), "{:?}", reference.counts);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_a_name_moves_on_ends_the_same() {
    let before = service("name: api", "starter");
    let after = service("name: api", "standard")
        + &service("name: api-v1, previousNames: [api]", "starter");
    let stage = async move || {
        let stage = Stage::in_memory(EmulatorConfig::default());
        stage.apply(&manifests(&before), &Policy::default()).await;
        stage.wait(600).await;
        stage
    };
    let tree = manifests(&after);
    let case = Case { name: "a name moves on", stage, tree, policy: |_| pruning() };
    let reference = case.survives(20).await;
    let told = |thing: &serde_json::Value| format!("{} {}", thing["name"], thing["plan"]);
    let things: Vec<String> = reference.truth.iter().map(told).collect();
    assert_eq!(things, ["\"api\" \"standard\"", "\"api-v1\" \"starter\""]);
    // The old one was made under that name, and so was the new one.
    assert!(reference.counts.values().all(|count| *count == (2, 0)), "{:?}", reference.counts);
}

#[tokio::test(start_paused = true)]
async fn two_agents_in_a_row_that_are_killed_while_creating_or_deleting_end_the_same() {
    let config = EmulatorConfig { names_unique: false, ..EmulatorConfig::default() };
    let scene = Scene { config, before: None, tree: jobs() };
    case("creating one", scene).an_agent_survives_twice(1_000).await;
    let before = Some(first());
    let scene = Scene { config: EmulatorConfig::default(), before, tree: without_jobs() };
    case("deleting one", scene).an_agent_survives_twice(390).await;
}

#[tokio::test(start_paused = true)]
async fn two_agents_in_a_row_that_are_killed_while_changing_renaming_and_adopting_end_the_same() {
    changing_renaming_and_adopting().an_agent_survives_twice(1_690).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_create_that_nobody_wants_any_more_is_not_forgotten_for_one_torn_list() {
    let mut config = EmulatorConfig { names_unique: false, ..EmulatorConfig::default() };
    config.paging.size_max = 1;
    let scene = Scene { config, before: Some(without_jobs()), tree: first() };
    let reference = scene.reference().await;
    let mut orphans = 0;
    for number in 1..=reference.requests {
        let mut stage = scene.stage().await;
        let point = Point::Request(number, Moment::Applied);
        die(&mut stage, &scene.tree, &pruning(), point).await;
        let jobs: Key = "service/jobs".parse().unwrap();
        let is_open = stage.inventory().intents.contains_key(&jobs);
        if !is_open || stage.emulator.ids(Kind::Service, "jobs").is_empty() {
            continue;
        }
        orphans += 1;
        stage.wait(600).await;
        // It stands on the second page, is passed over, and a stranger is counted for it.
        stage.emulator.play(Faults::parse("shift-vanish@GET /services#2").unwrap());
        stage.apply(&without_jobs(), &pruning()).await;
        stage.emulator.play(Faults::default());
        let memory = stage.inventory();
        let is_known = memory.entries.contains_key(&jobs) || memory.intents.contains_key(&jobs);
        assert!(is_known, "{number}: {memory:#?}");
    }
    assert!(orphans > 0, "no run died between the create of jobs and its record");
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_was_sent_counts_wherever_its_run_is_killed() {
    let some = |count: usize| {
        let service = |number| {
            format!(
                "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: s{number} }}\n\
                 spec: {{ type: worker, runtime: node, repo: github.com/acme/shop }}\n"
            )
        };
        manifests(&(0..count).map(service).collect::<String>())
    };
    let stage = async || {
        let stage = Stage::in_memory(EmulatorConfig::default());
        stage.apply(&some(10), &Policy::default()).await;
        stage.wait(600).await;
        stage
    };
    let case = Case { name: "vanishing", stage, tree: some(8), policy: |_| pruning() };
    case.leaves(20, async |stage, context| {
        for left in [8, 7, 6, 5] {
            stage.apply(&some(left), &pruning()).await;
            // What was sent may be carried out half a minute later.
            stage.wait(40).await;
        }
        // To be killed may have taken hours.
        let gone = laws::deletes_in_an_hour(&stage);
        assert!((2..=3).contains(&gone), "{context}: {gone}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_asked_to_end_does_so_within_ten_seconds_and_begins_nothing_new() {
    let mut asked = 0;
    for scene in
        [Scene::creating(EmulatorConfig::default()), Scene::changing(EmulatorConfig::default())]
    {
        let reference = scene.reference().await;
        for fault in ["", "lose-answer@POST /**", "apply-late:30000@POST /**", "fail:409@PATCH /**"]
        {
            for n in 1..=reference.requests {
                let context = format!("{n} {fault}");
                let mut stage = scene.stage().await;
                stage.emulator.play(Faults::parse(fault).unwrap());
                let death = die(&mut stage, &scene.tree, &pruning(), Point::Asked(n)).await;
                if let Some(asked_at) = death.asked_at {
                    let took = asked_at.elapsed();
                    assert!(took.as_secs() <= 10, "{context}: {took:?}");
                    asked += 1;
                }
                stage.stop.send_replace(false);
                stage.emulator.play(Faults::default());
                laws::it_settles(&stage, &scene.tree, &pruning(), &context).await;
                is_exactly(&stage, &reference, &context);
            }
        }
    }
    tally::at_least(84, asked, "crashes: asked to end");
}
