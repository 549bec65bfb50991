//! The loop of one project: waits, reads and writes what the mind says, and tells it what came.
//!
//! One `select!` over a closed set of events. At most one reading, one pass and one look at the
//! deployments are under way, and orders are heard while they are. A panic in any of them is a
//! failure of that one, not of the agent.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::api::{Client, ErrorKind};
use crate::apply::Happening;
use crate::budget::{Lane, View};
use crate::clock::Clock;
use crate::follow::{Ending, Watch};
use crate::ledger::Ledger;
use crate::model::{Key, Project, RemoteId};
use crate::reconcile::{CarryError, PassError, Passed, Reconciler, RefreshError, Wish};
use crate::status::{BudgetSample, BudgetStatus, PassRecord, Problem, Trigger};
use crate::store::StoreError;

use super::handle::{Ordered, Seat};
use super::memory::MemoryFile;
use super::mind::{Beginning, Mind, PassAsk, PassFailure, ReadAsk};
use super::settings::Settings;
use super::source::{Declared, Secrets, Source, declare, problem};

/// The time between two samples of the budget.
const SAMPLE_SECONDS: i64 = 30;

/// How many samples are kept: two hours.
const SAMPLES_MAX: usize = 240;

/// What an agent is made of.
pub struct Parts {
    /// How the project is kept.
    pub settings: Settings,
    /// Where its manifests come from.
    pub source: Arc<dyn Source>,
    /// Finds the values they only name.
    pub secrets: Secrets,
    /// Makes its passes.
    pub reconciler: Reconciler,
    /// The budget it spends.
    pub ledger: Arc<Ledger>,
    /// Told of every pass that ended.
    pub observe: Arc<dyn Fn(&PassRecord) + Send + Sync>,
    /// Told that the loop lives, at least every quarter of a minute.
    pub beat: Arc<dyn Fn(Timestamp) + Send + Sync>,
}

/// How long an agent runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until it is told to stop.
    Stopped,
    /// Until its first pass has ended, or the manifests turned out to be unusable.
    FirstPass,
}

/// The agent of one project.
pub struct Agent {
    parts: Parts,
    mind: Mind,
    memory: MemoryFile,
    clock: Clock,
    samples: Vec<BudgetSample>,
    sampled_calls: u32,
    stop_pass: watch::Sender<bool>,
}

/// What happens to a loop.
enum Happened {
    Stop,
    Order(Ordered),
    Rung(BTreeSet<Trigger>),
    Read(Result<Declared, Problem>),
    Passed(Box<Result<Passed, PassFailure>>, u32),
    Looked(Looked),
    RolledBack(Key, Result<(), String>),
    Time,
}

/// What a look at the deployments showed.
struct Looked {
    watch: Watch,
    statuses: Vec<(Key, String)>,
    endings: Result<std::collections::BTreeMap<Key, Ending>, String>,
}

/// What is under way; at most one of each.
#[derive(Default)]
struct Slots {
    reading: Option<BoxFuture<'static, Result<Declared, Problem>>>,
    passing: Option<BoxFuture<'static, (Result<Passed, PassFailure>, u32)>>,
    looking: Option<BoxFuture<'static, Looked>>,
    returning: Option<BoxFuture<'static, (Key, Result<(), String>)>>,
}

impl Agent {
    /// Makes an agent; it reads what outlived the last one.
    ///
    /// # Errors
    /// When that cannot be read: a suspension must not be forgotten silently.
    pub fn new(parts: Parts) -> Result<Self, std::io::Error> {
        let memory = MemoryFile::beneath(&parts.reconciler.state);
        let clock = parts.reconciler.clock.clone();
        let beginning = Beginning {
            settings: parts.settings.clone(),
            memory: memory.read()?,
            location: parts.source.location(),
            has_commits: parts.source.has_commits(),
            origin: parts.reconciler.client.origin(),
        };
        let mind = Mind::new(beginning, clock.now());
        let (stop_pass, _) = watch::channel(false);
        Ok(Self { parts, mind, memory, clock, samples: Vec::new(), sampled_calls: 0, stop_pass })
    }

    /// Returns what is known before anything was read.
    pub fn first_status(&mut self) -> crate::status::ProjectStatus {
        self.mind.status(self.clock.now())
    }

    /// Keeps the project until it is told to stop.
    ///
    /// *Guarantees*: told to stop, it begins nothing, and what is in flight is finished and
    /// recorded before it returns. Returns the last pass, if one ended.
    pub async fn run(
        &mut self,
        seat: &mut Seat,
        mut stop: watch::Receiver<bool>,
        until: Until,
    ) -> Option<PassRecord> {
        let mut slots = Slots::default();
        loop {
            let now = self.clock.now();
            (self.parts.beat)(now);
            self.mind.tick(now);
            self.begin(&mut slots, now);
            self.show(seat, now);
            if until == Until::FirstPass && self.is_done(&slots) {
                return self.mind.last_pass().cloned();
            }
            let happened = self.wait(&mut slots, seat, &mut stop, now).await;
            if self.take(happened, &mut slots) {
                self.finish(&mut slots, seat).await;
                return self.mind.last_pass().cloned();
            }
        }
    }

    /// Begins what is due and not under way.
    fn begin(&mut self, slots: &mut Slots, now: Timestamp) {
        if slots.reading.is_none()
            && let Some(ask) = self.mind.take_read()
        {
            slots.reading = Some(self.read(ask));
        }
        // A pass is about the newest manifests: it waits for them to be read.
        if slots.reading.is_none()
            && slots.passing.is_none()
            && let Some(ask) = self.mind.begin_pass(now)
        {
            slots.looking = None;
            slots.passing = Some(self.pass(ask));
        }
        if self.mind.is_superseded() {
            self.stop_pass.send_replace(true);
        }
        if slots.looking.is_none()
            && let Some(watch) = self.mind.take_look(now)
        {
            slots.looking = Some(self.look(watch));
        }
        if slots.returning.is_none()
            && let Some((key, id)) = self.mind.take_rollback()
        {
            self.save();
            slots.returning = Some(self.roll_back(key, id));
        }
    }

    /// Waits for the first thing to happen.
    async fn wait(
        &self,
        slots: &mut Slots,
        seat: &mut Seat,
        stop: &mut watch::Receiver<bool>,
        now: Timestamp,
    ) -> Happened {
        let wake_at = self.mind.wake_at(now);
        tokio::select! {
            biased;
            () = stopped(stop) => Happened::Stop,
            Some(order) = seat.orders.recv() => Happened::Order(order),
            read = under_way(&mut slots.reading) => Happened::Read(read),
            (passed, requests) = under_way(&mut slots.passing) => {
                Happened::Passed(Box::new(passed), requests)
            }
            looked = under_way(&mut slots.looking) => Happened::Looked(looked),
            (key, outcome) = under_way(&mut slots.returning) => Happened::RolledBack(key, outcome),
            rung = seat.bell.rung() => Happened::Rung(rung),
            () = self.clock.sleep_until(wake_at) => Happened::Time,
        }
    }

    /// Tells the mind what happened; returns whether to stop.
    fn take(&mut self, happened: Happened, slots: &mut Slots) -> bool {
        let now = self.clock.now();
        match happened {
            Happened::Stop => return true,
            Happened::Order((order, answer)) => {
                // Whoever asked may have gone; the order stands.
                let _ = answer.send(self.mind.order(order, now));
            }
            Happened::Rung(triggers) => self.mind.hear(&triggers),
            Happened::Read(read) => {
                slots.reading = None;
                self.mind.declare(read, now);
            }
            Happened::Passed(passed, requests) => {
                slots.passing = None;
                self.end_pass(*passed, requests, now);
            }
            Happened::Looked(Looked { watch, statuses, endings }) => {
                slots.looking = None;
                self.mind.looked(watch, &statuses, endings, now);
            }
            Happened::RolledBack(key, outcome) => {
                slots.returning = None;
                self.mind.rolled_back(&key, &outcome);
            }
            Happened::Time => {}
        }
        self.save();
        false
    }

    fn end_pass(&mut self, passed: Result<Passed, PassFailure>, requests: u32, now: Timestamp) {
        self.stop_pass.send_replace(false);
        self.mind.passed(passed, requests, now);
        if let Some(record) = self.mind.last_pass() {
            let PassRecord { pass, outcome, message, requests, .. } = record;
            tracing::info!(pass, outcome, requests, message, "a pass ended");
            (self.parts.observe)(record);
        }
    }

    /// Ends in an orderly way: nothing new begins, and what is in flight is finished.
    async fn finish(&mut self, slots: &mut Slots, seat: &Seat) {
        self.stop_pass.send_replace(true);
        if let Some(passing) = &mut slots.passing {
            let (passed, requests) = passing.await;
            self.end_pass(passed, requests, self.clock.now());
        }
        if let Some(returning) = &mut slots.returning {
            let (key, outcome) = returning.await;
            self.mind.rolled_back(&key, &outcome);
        }
        self.save();
        self.show(seat, self.clock.now());
    }

    fn is_done(&self, slots: &Slots) -> bool {
        let is_idle = slots.reading.is_none() && slots.passing.is_none();
        is_idle && (self.mind.last_pass().is_some() || self.mind.is_unusable())
    }

    fn read(&self, ask: ReadAsk) -> BoxFuture<'static, Result<Declared, Problem>> {
        let (source, secrets) = (Arc::clone(&self.parts.source), self.parts.secrets.clone());
        let reading = async move {
            let ReadAsk { known, pinned } = ask;
            let reading = source.read(known.as_deref(), pinned.as_deref()).await?;
            // Ten megabytes of YAML must not hold up the other projects.
            let declared = tokio::task::spawn_blocking(move || declare(reading, &secrets));
            let unfinished = |error| problem("SourceUnreadable", format!("reading ended: {error}"));
            declared.await.map_err(unfinished)?
        };
        let caught = AssertUnwindSafe(reading).catch_unwind();
        Box::pin(
            caught.map(|read| {
                read.unwrap_or_else(|panic| Err(problem("InternalError", said(&*panic))))
            }),
        )
    }

    fn pass(&self, ask: PassAsk) -> BoxFuture<'static, (Result<Passed, PassFailure>, u32)> {
        let PassAsk { pass, desired, policy, licence, lane } = ask;
        let client = self.parts.reconciler.client.in_lane(lane);
        let reconciler = Reconciler { client: client.clone(), ..self.parts.reconciler.clone() };
        let stop = self.stop_pass.subscribe();
        let sent = client.calls();
        let passing = async move {
            let wish = Wish { desired, policy: &policy, licence };
            reconciler.once(wish, stop, &unobserved).await
        };
        let span = tracing::info_span!("pass", pass);
        let caught = AssertUnwindSafe(tracing::Instrument::instrument(passing, span));
        Box::pin(caught.catch_unwind().map(move |passed| {
            let passed = match passed {
                Ok(passed) => passed.map_err(|error| failure(&error)),
                Err(panic) => Err(PassFailure {
                    reason: "InternalError",
                    message: said(&*panic),
                    is_final: false,
                    is_passing: false,
                }),
            };
            (passed, client.calls().wrapping_sub(sent))
        }))
    }

    fn look(&self, mut watch: Watch) -> BoxFuture<'static, Looked> {
        let reader = self.parts.reconciler.client.in_lane(Lane::Background).reader();
        Box::pin(async move {
            let statuses = Mutex::new(Vec::new());
            let observe = |key: &Key, status: &str| {
                let mut statuses = statuses.lock().unwrap_or_else(PoisonError::into_inner);
                statuses.push((key.clone(), status.to_owned()));
            };
            let endings = watch.look(&reader, &observe).await.map_err(|error| error.to_string());
            let statuses = statuses.into_inner().unwrap_or_else(PoisonError::into_inner);
            Looked { watch, statuses, endings }
        })
    }

    fn roll_back(
        &self,
        key: Key,
        (id, project): (RemoteId, Project),
    ) -> BoxFuture<'static, (Key, Result<(), String>)> {
        let client: Client = self.parts.reconciler.client.in_lane(Lane::Urgent);
        let reconciler = Reconciler { client, ..self.parts.reconciler.clone() };
        Box::pin(async move {
            let outcome = reconciler.roll_back(&project, &id).await;
            (key, outcome.map_err(|error| error.to_string()))
        })
    }

    /// Writes down what must outlive a restart, when it changed.
    fn save(&mut self) {
        if let Some(memory) = self.mind.take_changed_memory()
            && let Err(error) = self.memory.write(&memory)
        {
            let path = self.memory.path().display();
            tracing::error!(%path, %error, "what the agent must remember cannot be written");
            self.mind.keep_unsaved();
        }
    }

    fn show(&mut self, seat: &Seat, now: Timestamp) {
        for event in self.mind.take_events() {
            seat.tell(event);
        }
        self.sample(now);
        let status = self.mind.status(now);
        let shown = seat.shown();
        let is_same =
            crate::status::ProjectStatus { updated_at: now, ..(*shown).clone() } == status;
        if !is_same {
            seat.show(status);
        }
    }

    fn sample(&mut self, now: Timestamp) {
        let last = self.samples.last().map(|sample| sample.at);
        let is_due = last.is_none_or(|at| now.duration_since(at).as_secs() >= SAMPLE_SECONDS);
        if !is_due {
            return;
        }
        let millis = crate::budget::Millis(u64::try_from(now.as_millisecond()).unwrap_or(0));
        let Ok(View { limit, remaining, .. }) = self.parts.ledger.view(millis) else {
            return;
        };
        let calls = self.parts.reconciler.client.calls();
        let sent = calls.wrapping_sub(std::mem::replace(&mut self.sampled_calls, calls));
        if self.samples.len() == SAMPLES_MAX {
            self.samples.remove(0);
        }
        self.samples.push(BudgetSample { at: now, remaining, sent });
        let rate = self.parts.settings.rate;
        let samples = self.samples.clone();
        self.mind.note_budget(BudgetStatus { limit, remaining, rate, samples });
    }
}

/// Waits for what is under way; for ever when nothing is.
async fn under_way<T>(slot: &mut Option<BoxFuture<'static, T>>) -> T {
    match slot {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

/// Returns when it is told to stop; at once when nobody can tell any more.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could tell has ended: so does the agent.
    let _ = stop.wait_for(|is_stopped| *is_stopped).await;
}

/// Returns what a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a defect of this program: {}", text.unwrap_or_default())
}

/// Returns why a pass came to no end, in words.
fn failure(error: &PassError) -> PassFailure {
    let (reason, is_final, is_passing) = match error {
        PassError::Refresh(RefreshError::Read(error)) => match error.kind() {
            ErrorKind::Authentication => ("Unauthorized", true, false),
            ErrorKind::Permission => ("Denied", true, false),
            ErrorKind::OverBudget => ("OverBudget", false, false),
            ErrorKind::NotTheApi => ("NotTheApi", true, false),
            ErrorKind::Busy
            | ErrorKind::NotFound
            | ErrorKind::Refused
            | ErrorKind::Unavailable
            | ErrorKind::Unreadable
            | ErrorKind::Local => ("PlatformUnavailable", false, false),
        },
        PassError::Refresh(RefreshError::Refused(_))
        | PassError::Carry(CarryError::NotPinned(_)) => ("WrongProject", true, false),
        PassError::Carry(CarryError::Store(StoreError::Locked { .. })) => ("Locked", false, true),
        PassError::Carry(CarryError::Store(_)) => ("StateUnusable", true, false),
        PassError::Moved => ("Moved", false, true),
    };
    PassFailure { reason, message: format!("failed to {error}"), is_final, is_passing }
}

/// Nobody waits for the single steps of the agent's passes: its events tell what became of them.
fn unobserved(_: Happening<'_>) {}
