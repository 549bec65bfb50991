//! The loop of one project: waits, reads and writes what the mind says, and tells it what came.
//!
//! One `select!` over a closed set of events. At most one reading, one pass and one look at the
//! deployments are under way, and orders are heard while they are. A panic in any of them is a
//! failure of that one, not of the agent.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::budget::{BudgetView, Millis};
use crate::clock::Clock;
use crate::model::Key;
use crate::project::{OpenProject, Passed};
use crate::rules::Rules;
use crate::status::{
    BudgetSample, BudgetStatus, Event, EventSeverity, PassRecord, Problem, ProjectStatus,
    SharedList, Trigger,
};

use super::declare::Declared;
use super::handle::{Acknowledgement, Ordered, Refusal, Seat};
use super::memory::{AgentMemory, StateFile};
use super::mind::{Beginning, Mind, PassFailure};
use super::settings::Settings;
use super::source::{Secrets, Source};
use super::work::{self, DeploymentHistory, Looked};

/// The time between two samples of the budget.
const SAMPLE_SECONDS: i64 = 30;

/// How many samples are kept: two hours.
const SAMPLES_MAX: usize = 240;

/// What an agent is made of.
#[derive(Clone)]
pub struct AgentParts {
    /// How the project is kept.
    pub settings: Settings,
    /// Where its manifests come from.
    pub source: Arc<dyn Source>,
    /// Finds the values they only name.
    pub secrets: Secrets,
    /// The policies that judge every plan before it is carried out.
    pub rules: Rules,
    /// The project it keeps.
    pub project: OpenProject,
    /// Told of every pass that ended.
    pub observe: Arc<dyn Fn(&PassRecord) + Send + Sync>,
    /// Told that the loop lives, at least every quarter of a minute.
    pub beat: Arc<dyn Fn(Timestamp) + Send + Sync>,
}

/// How long an agent runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunUntil {
    /// Until it is told to stop.
    Stopped,
    /// Until its first pass has ended, or the manifests turned out to be unusable.
    FirstPass,
}

/// The agent of one project.
pub struct Agent {
    parts: AgentParts,
    mind: Mind,
    memory: StateFile<AgentMemory>,
    clock: Clock,
    samples: SharedList<BudgetSample>,
    sampled_calls: u32,
    stop_pass: watch::Sender<bool>,
    /// Who waits to hear whether a commit is there.
    pinning: Option<oneshot::Sender<Result<Acknowledgement, Refusal>>>,
}

/// What happens to a loop.
enum Happened {
    Stop,
    Order(Ordered),
    Rung(BTreeSet<Trigger>),
    Read(Result<Arc<Declared>, Problem>),
    Passed(Box<Result<Passed, PassFailure>>, u32),
    Looked(Looked),
    RolledBack(Key, Result<(), String>),
    ReadOthers(DeploymentHistory),
    Time,
}

/// What is under way; at most one of each.
#[derive(Default)]
struct Slots {
    reading: Option<BoxFuture<'static, Result<Arc<Declared>, Problem>>>,
    passing: Option<BoxFuture<'static, (Result<Passed, PassFailure>, u32)>>,
    looking: Option<BoxFuture<'static, Looked>>,
    returning: Option<BoxFuture<'static, (Key, Result<(), String>)>>,
    others: Option<BoxFuture<'static, DeploymentHistory>>,
}

impl Agent {
    /// Makes an agent; it reads what outlived the last one.
    ///
    /// # Errors
    /// When that cannot be read: a suspension must not be forgotten silently.
    pub fn new(parts: AgentParts) -> Result<Self, std::io::Error> {
        let memory = StateFile::memory(&parts.project.state);
        let clock = parts.project.clock.clone();
        let beginning = Beginning {
            settings: parts.settings.clone(),
            memory: memory.read()?,
            location: parts.source.location(),
            has_commits: parts.source.has_commits(),
            origin: parts.project.client.origin(),
        };
        let mind = Mind::new(beginning, clock.now());
        let (stop_pass, _) = watch::channel(false);
        let sampled_calls = parts.project.client.calls();
        Ok(Self {
            parts,
            mind,
            memory,
            clock,
            samples: SharedList::default(),
            sampled_calls,
            stop_pass,
            pinning: None,
        })
    }

    /// Returns what is known before anything was read.
    pub fn first_status(&mut self) -> ProjectStatus {
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
        until: RunUntil,
    ) -> Option<PassRecord> {
        let mut slots = Slots::default();
        let shown = seat.shown();
        self.mind.recall(&shown, seat.last_told());
        self.samples.clone_from(&shown.budget.samples);
        if until == RunUntil::Stopped {
            self.mind.stay();
        }
        loop {
            let now = self.clock.now();
            (self.parts.beat)(now);
            self.mind.tick(now);
            self.begin(&mut slots, now);
            self.show(seat, now);
            if until == RunUntil::FirstPass && self.is_done(&slots) {
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
            slots.reading = Some(work::read(&self.parts, ask, self.mind.declared()));
        }
        // A pass is about the newest manifests: it waits for them to be read, but not for ever.
        if (slots.reading.is_none() || self.mind.reads_long(now))
            && slots.passing.is_none()
            && let Some(ask) = self.mind.begin_pass(now)
        {
            slots.looking = None;
            slots.others = None;
            slots.passing = Some(work::pass(&self.parts, self.stop_pass.subscribe(), ask));
        }
        if self.mind.is_superseded() {
            self.stop_pass.send_replace(true);
        }
        if slots.looking.is_none()
            && let Some(watch) = self.mind.take_look(now)
        {
            slots.looking = Some(work::look(&self.parts, watch));
        }
        if slots.returning.is_none()
            && let Some((key, id)) = self.mind.take_rollback()
        {
            self.save();
            slots.returning = Some(work::roll_back(&self.parts, key, id));
        }
        if slots.others.is_none()
            && let Some((key, id)) = self.mind.take_others()
        {
            slots.others = Some(work::deployments(&self.parts, key, id));
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
            read = under_way(&mut slots.others) => Happened::ReadOthers(read),
            rung = seat.bell.rung() => Happened::Rung(rung),
            () = self.clock.sleep_until(wake_at) => Happened::Time,
        }
    }

    /// Tells the mind what happened; returns whether to stop.
    fn take(&mut self, happened: Happened, slots: &mut Slots) -> bool {
        let now = self.clock.now();
        match happened {
            Happened::Stop => return true,
            Happened::Order((order, answer)) => match self.mind.order(order, now).transpose() {
                // Whoever asked may have gone; the order stands.
                Some(said) => drop(answer.send(said)),
                None => self.pinning = Some(answer),
            },
            Happened::Rung(triggers) => self.mind.hear(&triggers),
            Happened::Read(read) => {
                slots.reading = None;
                let pinned = self.mind.end_pin(&read);
                if !matches!(pinned, Some(Err(_))) {
                    self.mind.declare(read, now);
                }
                if let Some(said) = pinned
                    && let Some(answer) = self.pinning.take()
                {
                    drop(answer.send(said));
                }
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
            Happened::ReadOthers((key, read)) => {
                slots.others = None;
                self.mind.read_others(&key, read, now);
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
            let outcome = outcome.as_str();
            tracing::info!(pass, outcome, requests, "a pass ended: {message}");
            (self.parts.observe)(record);
        }
    }

    /// Ends in an orderly way: nothing new begins, and what is in flight is finished.
    async fn finish(&mut self, slots: &mut Slots, seat: &Seat) {
        self.stop_pass.send_replace(true);
        // What is in flight may take its time; what would only wait for the budget may not.
        self.parts.project.client.end_by(self.clock.now());
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

    /// Writes down what must outlive a restart, when it changed.
    fn save(&mut self) {
        if let Some(memory) = self.mind.take_changed_memory()
            && let Err(error) = self.memory.write(&memory)
        {
            let path = self.memory.path();
            let path = path.display();
            tracing::error!(%path, %error, "what the agent must remember cannot be written");
            self.mind.keep_unsaved();
        }
    }

    fn show(&mut self, seat: &Seat, now: Timestamp) {
        for event in self.mind.take_events() {
            log(&event);
            seat.tell(event);
        }
        self.sample(now);
        // Compared as of when the last one was shown: time alone is no news.
        let shown = seat.shown();
        let status = ProjectStatus { updated_at: shown.updated_at, ..self.mind.status(now) };
        if *shown != status {
            seat.show(ProjectStatus { updated_at: now, ..status });
        }
    }

    fn sample(&mut self, now: Timestamp) {
        let last = self.samples.last().map(|sample| sample.at);
        let is_due = last.is_none_or(|at| now.duration_since(at).as_secs() >= SAMPLE_SECONDS);
        if !is_due {
            return;
        }
        let millis = Millis::from(now);
        let Ok(BudgetView { limit, remaining, short_since, .. }) =
            self.parts.project.ledger.view(millis)
        else {
            return;
        };
        let calls = self.parts.project.client.calls();
        let sent = calls.wrapping_sub(std::mem::replace(&mut self.sampled_calls, calls));
        if self.samples.len() == SAMPLES_MAX {
            self.samples.remove(0);
        }
        self.samples.push(BudgetSample { at: now, remaining, sent });
        let rate = self.parts.settings.rate;
        let samples = self.samples.clone();
        let short_since = short_since.map(Timestamp::from);
        self.mind.note_budget(BudgetStatus { limit, remaining, rate, short_since, samples });
    }
}

/// Writes an event into the log, for whoever reads nothing else.
fn log(event: &Event) {
    let Event { severity, key, reason, message, pass, .. } = event;
    let reason = reason.as_str();
    let key = key.as_ref().map(ToString::to_string);
    match severity {
        EventSeverity::Normal => tracing::info!(pass, key, reason, message),
        EventSeverity::Warning => tracing::warn!(pass, key, reason, message),
    }
}

/// Waits for what is in progress; forever if nothing is.
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
