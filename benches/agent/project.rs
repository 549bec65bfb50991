//! One agent in this process: its parts, its life, and a platform that costs it nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use stoker::api::{BodyStream, Transport, TransportError};
use stoker::budget::{self, Millis};
use stoker::daemon::Handle;
use stoker::daemon::agent::{Agent, AgentParts, RunUntil};
use stoker::daemon::settings::Settings;
use stoker::daemon::source::{Secrets, Source};
use stoker::daemon::window::Windows;
use stoker::emulator::{Durations, EmulatorConfig, Fields, Paging, Shapes};
use stoker::ledger::Ledger;
use stoker::plan::Policy;
use stoker::rules::Rules;
use stoker::secret::FingerprintKey;
use stoker::source::Tree;
use stoker::status::{Mode, PassOutcome, PassRecord};
use tokio::sync::{mpsc, watch};

use crate::stage::Stage;
use crate::workload::Workload;

/// A budget that never makes anything wait: what is measured is work.
const PLENTY: u32 = 100_000_000;

/// A platform whose lists show everything, a hundred at a time, and where everything is at once.
pub fn platform() -> EmulatorConfig {
    EmulatorConfig {
        list_fields: Shapes::every(Fields::All),
        paging: Paging { size: 100, size_max: 100, per_page: true },
        limit: PLENTY,
        durations: Durations {
            queued_ms: 0,
            building_ms: 0,
            deploying_ms: 0,
            database_ms: 0,
            log_interval_ms: 0,
        },
        ..EmulatorConfig::default()
    }
}

/// A stage on that platform, with that budget.
pub fn stage() -> Stage {
    let mut stage = Stage::on(platform());
    let now = Millis(u64::try_from(stage.clock.now().as_millisecond()).unwrap());
    let config =
        budget::BudgetConfig { limit: PLENTY, rate: PLENTY, ..budget::BudgetConfig::default() };
    stage.ledger = Arc::new(Ledger::in_memory(config, now));
    stage
}

/// The manifests of so many resources, in one file.
pub fn tree(resources: usize) -> Tree {
    Tree::from_texts([("all.yaml", Workload::of(resources).text().as_str())])
}

/// The manifests of so many resources, one text each.
pub fn documents(resources: usize) -> Vec<String> {
    let text = Workload::of(resources).text();
    text.split("---\n").filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

/// The settings of an agent that looks so often.
pub fn settings(interval: Duration) -> Settings {
    Settings {
        name: "default".to_owned(),
        mode: Mode::Repair,
        policy: Policy::default(),
        interval,
        rate: PLENTY,
        windows: Windows::default(),
        deploys_max: 3,
        rollback_on_failure: false,
        seed: 7,
    }
}

/// What finds the values of the workload, which names none.
pub fn secrets() -> Secrets {
    Secrets {
        environment: Arc::new(|_| None),
        allowed: Arc::default(),
        key: Arc::new(FingerprintKey::from_bytes([7; 32])),
    }
}

/// An agent at work.
pub struct Kept {
    /// From outside.
    pub handle: Handle,
    /// Every pass that ended.
    pub passes: mpsc::UnboundedReceiver<PassRecord>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    _stage: Stage,
}

impl Kept {
    /// Begins to keep what a source says on a stage.
    pub fn begin(stage: Stage, source: Arc<dyn Source>, settings: Settings) -> Self {
        let (tell, passes) = mpsc::unbounded_channel();
        let parts = AgentParts {
            settings,
            source,
            secrets: secrets(),
            rules: Rules::default(),
            project: stage.open(),
            observe: Arc::new(move |pass| drop(tell.send(pass.clone()))),
            beat: Arc::new(|_| {}),
        };
        let mut agent = Agent::new(parts).unwrap();
        let (handle, mut seat) = Handle::new(agent.first_status());
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            drop(agent.run(&mut seat, stopped, RunUntil::Stopped).await);
        });
        Self { handle, passes, stop, task, _stage: stage }
    }

    /// Waits until everything is as declared.
    pub async fn settle(&mut self) {
        while self.passes.recv().await.unwrap().outcome != PassOutcome::Synced {}
    }

    /// Ends it.
    pub async fn end(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }
}

/// Gives the same answer to the same question: a platform at rest, at the price of a copy.
pub struct Replay {
    platform: Arc<dyn Transport>,
    answers: Mutex<BTreeMap<String, (http::StatusCode, Bytes)>>,
}

impl Replay {
    /// Learns the answers from a platform.
    pub fn of(platform: &Arc<dyn Transport>) -> Arc<Self> {
        Arc::new(Self { platform: Arc::clone(platform), answers: Mutex::default() })
    }
}

impl Transport for Replay {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        Box::pin(async move {
            assert_eq!(request.method(), "GET", "nothing is written at rest");
            let question = request.uri().to_string();
            let known = self.answers.lock().unwrap().get(&question).cloned();
            let (status, body) = match known {
                Some(known) => known,
                None => {
                    let answer = self.platform.send(request).await?;
                    let status = answer.status();
                    let pieces: Vec<Bytes> = answer.into_body().try_collect().await?;
                    (status, Bytes::from(pieces.concat()))
                }
            };
            self.answers.lock().unwrap().insert(question, (status, body.clone()));
            let mut response = http::Response::new(stream::iter([Ok(body)]).boxed());
            *response.status_mut() = status;
            response.headers_mut().insert("content-type", "application/json".parse().unwrap());
            Ok(response)
        })
    }
}

/// Notes when the first write left since it was last asked.
pub struct Probe {
    platform: Arc<dyn Transport>,
    first_write: Mutex<Option<Instant>>,
    writes: Mutex<u32>,
}

impl Probe {
    /// Listens before a platform.
    pub fn of(platform: &Arc<dyn Transport>) -> Arc<Self> {
        let platform = Arc::clone(platform);
        Arc::new(Self { platform, first_write: Mutex::default(), writes: Mutex::default() })
    }

    /// Returns when the first write left and how many there were, and forgets them.
    pub fn take(&self) -> (Option<Instant>, u32) {
        let writes = std::mem::take(&mut *self.writes.lock().unwrap());
        (self.first_write.lock().unwrap().take(), writes)
    }
}

impl Transport for Probe {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        if request.method() != "GET" {
            self.first_write.lock().unwrap().get_or_insert_with(Instant::now);
            *self.writes.lock().unwrap() += 1;
        }
        self.platform.send(request)
    }
}
