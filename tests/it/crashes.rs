//! Killed at every request, before it left or after it was carried out: the next runs end in the
//! same state with the same number of creates and deletes (L3).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use stoker::api::{BodyStream, Transport, TransportError};
use stoker::emulator::{Config, Faults, Kind};
use stoker::model::{Key, RemoteId};
use stoker::plan::Policy;
use stoker::source::Tree;
use stoker::store::Store;
use tokio::sync::{Notify, watch};

use crate::faults::{Reference, Scene, first, is_as};
use crate::laws;
use crate::stage::{Stage, edited, pruning};

/// Where in a request the process dies.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// The request never leaves.
    Before,
    /// It is carried out, and its answer never comes.
    After,
    /// Nothing dies: somebody asks for an orderly end.
    Asked,
}

/// Carries requests until one of them kills the process.
struct Mortal {
    inner: Arc<dyn Transport>,
    left: AtomicUsize,
    moment: Moment,
    dead: Arc<Notify>,
    stop: watch::Sender<bool>,
}

impl Transport for Mortal {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        Box::pin(async move {
            let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                Some(left.saturating_sub(1))
            });
            match left.unwrap() {
                0 => std::future::pending().await,
                1 => {
                    match self.moment {
                        Moment::Before => {}
                        Moment::After => drop(self.inner.send(request).await),
                        Moment::Asked => {
                            self.stop.send_replace(true);
                            self.left.store(usize::MAX, Ordering::SeqCst);
                            return self.inner.send(request).await;
                        }
                    }
                    self.dead.notify_one();
                    std::future::pending().await
                }
                _ => self.inner.send(request).await,
            }
        })
    }
}

/// Applies until the n-th request kills the run; says whether it did.
async fn die(stage: &mut Stage, tree: &Tree, policy: &Policy, n: usize, moment: Moment) -> bool {
    let dead = Arc::new(Notify::new());
    let inner = Arc::clone(&stage.transport);
    let mortal = Mortal {
        inner: Arc::clone(&inner),
        left: AtomicUsize::new(n),
        moment,
        dead: Arc::clone(&dead),
        stop: stage.stop.clone(),
    };
    stage.transport = Arc::new(mortal);
    let has_died = tokio::select! {
        biased;
        () = dead.notified() => true,
        done = stage.try_apply(tree, policy) => { done.unwrap(); false }
    };
    stage.transport = inner;
    has_died
}

/// Kills at every request, lets the next run begin at once or later, and compares the end.
async fn survives(scene: &Scene, policy: impl Fn(&Stage) -> Policy, reference: &Reference) {
    for moment in [Moment::Before, Moment::After] {
        for n in 1..=reference.requests {
            for pause in [0, 90] {
                let context = format!("{moment:?} {n} {pause}");
                let mut stage = scene.stage().await;
                let policy = policy(&stage);
                let has_died = die(&mut stage, &scene.tree, &policy, n, moment).await;
                assert!(has_died, "{context}");
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
    for moment in [Moment::Before, Moment::After] {
        for n in 1.. {
            let context = format!("{moment:?} {n}");
            let maker = scene.stage().await;
            maker.apply(&first(), &Policy::default()).await;
            maker.wait(600).await;
            let mut stage = scene.stage().await;
            stage.emulator = maker.emulator.clone();
            stage.transport = Arc::clone(&maker.transport);
            let has_died = die(&mut stage, &scene.tree, &Policy::default(), n, moment).await;
            laws::it_settles(&stage, &scene.tree, &Policy::default(), &context).await;
            laws::what_is_written_runs(&stage, &context);
            if !has_died {
                assert!(n > 6, "{context}: fewer requests than reads, a patch and a deploy");
                break;
            }
        }
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
                die(&mut stage, &scene.tree, &pruning(), n, Moment::Asked).await;
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

/// Looks, whenever a create leaves, whether it stands in the state by then.
struct Witness {
    inner: Arc<dyn Transport>,
    state: PathBuf,
    seen: Arc<Mutex<BTreeMap<String, bool>>>,
}

impl Transport for Witness {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        if request.method() == http::Method::POST {
            let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            let name = body["name"].as_str().unwrap().to_owned();
            let intents = Store::read(&self.state).unwrap().inventory.intents;
            let is_written = intents.keys().any(|key| key.name.as_str() == name);
            self.seen.lock().unwrap().insert(name, is_written);
        }
        self.inner.send(request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_is_written_down_before_its_request_leaves() {
    let mut stage = Stage::new();
    let seen = Arc::new(Mutex::new(BTreeMap::new()));
    stage.transport = Arc::new(Witness {
        inner: Arc::clone(&stage.transport),
        state: stage.directory.path().to_owned(),
        seen: Arc::clone(&seen),
    });
    stage.apply(&first(), &pruning()).await;
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 1 && seen.values().all(|is_written| *is_written), "{seen:?}");
}
