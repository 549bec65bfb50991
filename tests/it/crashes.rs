//! Killed at every point of a run, and at every two points of small ones: the next runs end in the
//! same state with the same number of creates and deletes (L3).
//!
//! A point is a request (it never leaves; it is carried out late; it is carried out and its answer
//! never comes) or a write of the state (not begun; torn; done, and nothing after it). To die with an
//! answer in hand is to die before the write that follows on it.

use std::collections::BTreeMap;

use stoker::emulator::{Config, Faults, Kind};
use stoker::model::{Key, RemoteId};
use stoker::plan::Policy;
use stoker::source::Tree;

use crate::faults::{Reference, Scene, first, is_as};
use crate::laws;
use crate::mortal::{Cut, Moment, Point, die};
use crate::stage::{Stage, edited, manifests, pruning};

/// Returns every point at which this run can die, each with the stage that is left of it, until a
/// run is too short to die there. What only reads is the same whether it is carried out or not.
async fn at_every_point<S: Future<Output = Stage>>(
    stage: impl Fn() -> S,
    tree: &Tree,
    policy: &impl Fn(&Stage) -> Policy,
) -> Vec<(Point, Stage, Policy)> {
    let mut ends = Vec::new();
    for number in 1.. {
        let before = ends.len();
        for moment in [Moment::Before, Moment::Sent, Moment::Applied] {
            let mut stage = stage().await;
            let policy = policy(&stage);
            let point = Point::Request(number, moment);
            let death = die(&mut stage, tree, &policy, point).await;
            if death.has_died {
                ends.push((point, stage, policy));
            }
            if !death.has_died || death.method == http::Method::GET {
                break;
            }
        }
        if ends.len() == before {
            break;
        }
    }
    for line in 1.. {
        for cut in [Cut::Before, Cut::Inside, Cut::Unbroken, Cut::After] {
            let mut stage = stage().await;
            let policy = policy(&stage);
            let point = Point::Write(line, cut);
            if !die(&mut stage, tree, &policy, point).await.has_died {
                return ends;
            }
            ends.push((point, stage, policy));
        }
    }
    ends
}

/// Kills at every point, lets the next run begin at once or later, and compares the end.
async fn survives(scene: &Scene, policy: impl Fn(&Stage) -> Policy, reference: &Reference) {
    for pause in [0, 90] {
        let ends = at_every_point(|| scene.stage(), &scene.tree, &policy).await;
        assert!(ends.len() > reference.requests, "{}", ends.len());
        for (point, stage, policy) in ends {
            let context = format!("{point:?} {pause}");
            stage.wait(pause).await;
            let (plan, report) = stage.apply(&scene.tree, &policy).await;
            laws::the_report_is_honest(&plan, &report, &context);
            laws::it_settles(&stage, &scene.tree, &policy, &context).await;
            is_as(&stage, reference, &context);
            if scene.config.deploy_after_patch {
                laws::what_is_written_runs(&stage, &context);
            }
        }
    }
}

/// Kills at every point, and the next run again at every point of its own.
async fn survives_twice(scene: &Scene, reference: &Reference) {
    let policy = |_: &Stage| pruning();
    let mut pairs = 0;
    let firsts: Vec<Point> = at_every_point(|| scene.stage(), &scene.tree, &policy)
        .await
        .into_iter()
        .map(|(point, ..)| point)
        .collect();
    for once in firsts {
        let again = || async {
            let mut stage = scene.stage().await;
            assert!(die(&mut stage, &scene.tree, &pruning(), once).await.has_died, "{once:?}");
            stage
        };
        for (twice, stage, _) in at_every_point(again, &scene.tree, &policy).await {
            let context = format!("{once:?}, then {twice:?}");
            laws::it_settles(&stage, &scene.tree, &pruning(), &context).await;
            is_as(&stage, reference, &context);
            pairs += 1;
        }
    }
    assert!(pairs > reference.requests * reference.requests, "{pairs}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_creating_ends_the_same() {
    for names_unique in [true, false] {
        let scene = Scene::creating(Config { names_unique, ..Config::default() });
        let reference = scene.reference().await;
        survives(&scene, |_| pruning(), &reference).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_changing_and_deleting_ends_the_same() {
    let scene = Scene::changing(Config::default());
    let reference = scene.reference().await;
    survives(&scene, |_| pruning(), &reference).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_between_a_patch_and_its_deploy_leaves_it_deployed() {
    let config = Config { deploy_after_patch: true, ..Config::default() };
    let scene = Scene::changing(config);
    let reference = scene.reference().await;
    survives(&scene, |_| pruning(), &reference).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_adopting_and_changing_leaves_it_deployed() {
    // Nothing is ours yet, so nothing can be remembered beside a resource of ours.
    let config = Config { deploy_after_patch: true, ..Config::default() };
    let tree = edited(&first(), "production", "staging");
    let scene = Scene { config, before: None, tree };
    let made_by_others = || async {
        let maker = scene.stage().await;
        maker.apply(&first(), &Policy::default()).await;
        maker.wait(600).await;
        let mut stage = scene.stage().await;
        stage.emulator = maker.emulator.clone();
        stage.transport = std::sync::Arc::clone(&maker.transport);
        stage
    };
    let ends = at_every_point(made_by_others, &scene.tree, &|_: &Stage| Policy::default()).await;
    assert!(ends.len() > 6, "fewer points than reads, a patch and a deploy");
    for (point, stage, policy) in ends {
        let context = format!("{point:?}");
        laws::it_settles(&stage, &scene.tree, &policy, &context).await;
        laws::what_is_written_runs(&stage, &context);
        // What others made is taken over: nothing is made beside it, and nothing goes.
        let counts = laws::creates_and_deletes(&stage.emulator);
        assert!(counts.values().all(|count| *count == (1, 0)), "{context}: {counts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_renaming_ends_the_same() {
    let renamed = edited(&first(), "{ name: jobs }", "{ name: main, previousNames: [jobs] }");
    let before = Some(first());
    let scene = Scene { config: Config::default(), before, tree: renamed };
    let reference = scene.reference().await;
    assert_eq!(reference.counts.values().map(|count| count.1).sum::<usize>(), 0);
    survives(&scene, |_| pruning(), &reference).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_while_replacing_ends_the_same() {
    let moved = edited(&first(), "type: worker,", "type: worker, region: us-east,");
    let scene = Scene { config: Config::default(), before: Some(first()), tree: moved };
    let stage = scene.stage().await;
    let before = stage.emulator.record().requests().count();
    stage.apply(&scene.tree, &replacing(&stage)).await;
    let reference = Reference {
        requests: stage.emulator.record().requests().count() - before,
        truth: laws::truth(&stage.emulator),
        counts: laws::creates_and_deletes(&stage.emulator),
    };
    assert_eq!(reference.counts[&(Kind::Service, "jobs".to_owned())], (2, 1));
    survives(&scene, replacing, &reference).await;
}

fn replacing(stage: &Stage) -> Policy {
    let id = RemoteId::new(&stage.emulator.ids(Kind::Service, "jobs")[0]).unwrap();
    let key: Key = "service/jobs".parse().unwrap();
    Policy { replace: BTreeMap::from([(key, id)]), ..pruning() }
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
    let config = Config { names_unique: false, ..Config::default() };
    let scene = Scene { config, before: None, tree: jobs() };
    survives_twice(&scene, &scene.reference().await).await;
}

#[tokio::test(start_paused = true)]
async fn two_runs_in_a_row_that_are_killed_while_deleting_end_the_same() {
    let before = Some(first());
    let scene = Scene { config: Config::default(), before, tree: without_jobs() };
    let reference = scene.reference().await;
    assert_eq!(reference.counts[&(Kind::Service, "jobs".to_owned())], (1, 1));
    survives_twice(&scene, &reference).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_create_that_nobody_wants_any_more_is_not_forgotten_for_one_torn_list() {
    let mut config = Config { names_unique: false, ..Config::default() };
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
async fn a_run_that_is_asked_to_end_does_so_within_ten_seconds_and_begins_nothing_new() {
    for scene in [Scene::creating(Config::default()), Scene::changing(Config::default())] {
        let reference = scene.reference().await;
        for fault in ["", "lose-answer@POST /**", "apply-late:30000@POST /**", "fail:409@PATCH /**"]
        {
            for n in 1..=reference.requests {
                let context = format!("{n} {fault}");
                let mut stage = scene.stage().await;
                stage.emulator.play(Faults::parse(fault).unwrap());
                let began = stage.clock.now();
                die(&mut stage, &scene.tree, &pruning(), Point::Asked(n)).await;
                let took = stage.clock.now().duration_since(began);
                assert!(took.as_secs() <= 10, "{context}: {took}");
                stage.stop.send_replace(false);
                stage.emulator.play(Faults::default());
                laws::it_settles(&stage, &scene.tree, &pruning(), &context).await;
                is_as(&stage, &reference, &context);
            }
        }
    }
}
