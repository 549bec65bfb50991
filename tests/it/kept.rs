//! An agent that keeps a stage, in memory and on a paused clock: days pass in milliseconds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use stoker::daemon::Handle;
use stoker::daemon::agent::{Agent, AgentParts, RunUntil};
use stoker::daemon::settings::Settings;
use stoker::daemon::source::{Reading, Secrets, Source};
use stoker::daemon::window::Windows;
use stoker::emulator::EmulatorConfig;
use stoker::model::Key;
use stoker::rules::Rules;
use stoker::secret::FingerprintKey;
use stoker::source::Tree;
use stoker::status::{ConditionType, Mode, Problem, ProjectStatus, Trigger};

use crate::faults::first;
use crate::stage::{Stage, pruning};

/// Manifests that a test writes, how often they were read, and how long that takes.
#[derive(Clone)]
struct Editable {
    read: Arc<Mutex<Result<Tree, Problem>>>,
    reads: Arc<AtomicUsize>,
    takes: Duration,
}

impl Editable {
    fn new(read: Result<Tree, Problem>) -> Self {
        let (reads, takes) = (Arc::default(), Duration::ZERO);
        Self { read: Arc::new(Mutex::new(read)), reads, takes }
    }
}

impl Source for Editable {
    fn location(&self) -> String {
        "a test".to_owned()
    }

    fn read<'a>(
        &'a self,
        _known: Option<&'a str>,
        _pinned: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Reading, Problem>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let read = self.read.lock().unwrap().clone();
        Box::pin(async move {
            if !self.takes.is_zero() {
                tokio::time::sleep(self.takes).await;
            }
            read.map(|tree| Reading { tree, commit: None })
        })
    }

    fn has_commits(&self) -> bool {
        false
    }
}

/// An agent at work.
pub struct Kept {
    pub stage: Stage,
    pub handle: Handle,
    source: Editable,
    stop: tokio::sync::watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

pub fn settings() -> Settings {
    Settings {
        name: "default".to_owned(),
        mode: Mode::Repair,
        policy: pruning(),
        interval: Duration::from_secs(300),
        rate: 285,
        windows: Windows::default(),
        deploys_max: 3,
        rollback_on_failure: false,
        seed: 7,
    }
}

fn parts(stage: &Stage, settings: Settings, source: &Editable) -> AgentParts {
    AgentParts {
        source: Arc::new(source.clone()),
        secrets: Secrets {
            environment: Arc::new(|_| None),
            allowed: Arc::default(),
            key: Arc::new(FingerprintKey::from_bytes([7; 32])),
        },
        rules: Rules::default(),
        project: stage.open(),
        observe: Arc::new(|_| {}),
        beat: Arc::new(|_| {}),
        settings,
    }
}

/// Lets an agent keep a stage for so many seconds, and ends it in an orderly way.
pub async fn keep_for(stage: &Stage, settings: Settings, tree: &Tree, seconds: u64) {
    let source = Editable::new(Ok(tree.clone()));
    let mut agent = Agent::new(parts(stage, settings, &source)).unwrap();
    let (_handle, mut seat) = Handle::new(agent.first_status());
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let ending = async {
        stage.wait(seconds).await;
        stop.send_replace(true);
    };
    tokio::join!(agent.run(&mut seat, stopped, RunUntil::Stopped), ending);
}

impl Kept {
    pub fn begin(stage: Stage, settings: Settings, tree: Tree) -> Self {
        Self::reading(stage, settings, Editable::new(Ok(tree)))
    }

    /// Begins with manifests that cannot be read.
    pub fn failing(stage: Stage, settings: Settings, problem: Problem) -> Self {
        Self::reading(stage, settings, Editable::new(Err(problem)))
    }

    /// The same, and it takes so long to find that out.
    pub fn failing_slowly(stage: Stage, settings: Settings, problem: Problem, takes: u64) -> Self {
        let takes = Duration::from_secs(takes);
        Self::reading(stage, settings, Editable { takes, ..Editable::new(Err(problem)) })
    }

    fn reading(stage: Stage, settings: Settings, source: Editable) -> Self {
        let mut agent = Agent::new(parts(&stage, settings, &source)).unwrap();
        let (handle, mut seat) = Handle::new(agent.first_status());
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let task = tokio::spawn(async move {
            drop(agent.run(&mut seat, stopped, RunUntil::Stopped).await);
        });
        Self { stage, handle, source, stop, task }
    }

    pub async fn on(config: EmulatorConfig, settings: Settings) -> Self {
        let kept = Self::begin(Stage::on(config), settings, first());
        kept.stage.wait(120).await;
        kept
    }

    pub fn write(&self, read: Result<Tree, Problem>) {
        self.write_silently(read);
        self.handle.trigger(Trigger::Files);
    }

    /// Writes what nothing tells of.
    pub fn write_silently(&self, read: Result<Tree, Problem>) {
        *self.source.read.lock().unwrap() = read;
    }

    /// Returns how often the manifests were read.
    pub fn reads(&self) -> usize {
        self.source.reads.load(Ordering::SeqCst)
    }

    pub async fn end(self) -> Stage {
        self.stop.send_replace(true);
        self.task.await.unwrap();
        self.stage
    }

    pub fn status(&self) -> Arc<ProjectStatus> {
        self.handle.status()
    }

    /// The project's `Ready`, as `True Synced`.
    pub fn ready(&self) -> String {
        let status = self.status();
        let ready = status.conditions.get(ConditionType::Ready).unwrap();
        format!("{:?} {}", ready.status, ready.reason)
    }

    /// Sync and health of the project, as `Synced Healthy`.
    pub fn standing(&self) -> String {
        let status = self.status();
        format!("{} {}", status.sync_status, status.health_status)
    }

    /// The same of a resource.
    pub fn standing_of(&self, key: &str) -> String {
        let status = self.status();
        let resource = status.resources.iter().find(|it| it.key.to_string() == key).unwrap();
        format!("{} {}", resource.sync_status, resource.health_status)
    }

    /// A resource's `Ready`, in the same form.
    pub fn ready_of(&self, key: &str) -> String {
        let key: Key = key.parse().unwrap();
        let status = self.status();
        let resource = status.resources.iter().find(|resource| resource.key == key);
        let resource = resource.unwrap_or_else(|| panic!("{key} is not in {status:#?}"));
        let ready = resource.conditions.get(ConditionType::Ready).unwrap();
        format!("{:?} {}", ready.status, ready.reason)
    }

    pub fn writes(&self) -> usize {
        self.stage.emulator.record().writes()
    }

    /// The reasons of all events so far.
    pub fn told(&self) -> Vec<String> {
        self.handle.recent_events().into_iter().map(|event| event.reason.to_string()).collect()
    }
}
