//! One process of the program: begun, killed, begun again on what its disk kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::api::{ClientConfig, Endpoint, Token};
use crate::apply::Happening;
use crate::budget::{self, Millis};
use crate::clock::{Clock, Uptime};
use crate::daemon::agent::{Agent, AgentParts, RunUntil};
use crate::daemon::settings::Settings;
use crate::daemon::window::Windows;
use crate::daemon::{Handle, Seat};
use crate::ledger::{Ledger, MemoryFile};
use crate::model::Key;
use crate::project::{BudgetPlace, Licence, Look, OpenProject, Passed, ProjectParts, Wish};
use crate::rules::Rules;
use crate::sandbox::{SANDBOX_ENDPOINT, SandboxTransport};
use crate::status::Order;
use crate::status::{
    ConditionType, Mode, PassOutcome, PassRecord, ProjectStatus, ResourceStatus, SyncStatus,
    Trigger,
};
use crate::store::{Medium, Simulated};

use super::manifests::ManifestFiles;
use super::schedule::Moment;
use super::wire::Wire;
use super::witness::{Machine, Mark, ProcessLife};
use super::world::{SimulatedWorld, TOKENS};

/// How long a process waits that could not begin, before it is begun again.
const BEGIN_AGAIN: Duration = Duration::from_secs(30);

/// Commands beside the agent count their lives from here.
pub(super) const COMMANDS_FROM: u32 = 1_000;

/// One process, with its disk and its budget.
pub(super) struct Process {
    pub world: Arc<SimulatedWorld>,
    index: usize,
    pub(super) disk: Simulated,
    shelf: MemoryFile,
    wanted: watch::Sender<bool>,
    body: Mutex<ProcessBody>,
}

#[derive(Default)]
pub(super) struct ProcessBody {
    pub life: u32,
    commands: u32,
    pub is_alive: bool,
    pub death: Arc<Notify>,
    pub fate: Option<(u32, Moment)>,
    /// How long it is down after the next death.
    pub down_seconds: u64,
    /// What a loss of power leaves, when the next death is one.
    pub power_loss: Option<u64>,
    machine: Machine,
    handle: Option<Handle>,
    pub stop: Option<watch::Sender<bool>>,
}

impl Process {
    pub fn new(world: &Arc<SimulatedWorld>, index: usize) -> Arc<Self> {
        let process = Arc::new(Self {
            world: Arc::clone(world),
            index,
            disk: Simulated::default(),
            shelf: MemoryFile::default(),
            wanted: watch::Sender::new(false),
            body: Mutex::default(),
        });
        let me = Arc::downgrade(&process);
        process.disk.when_it_dies(move || {
            if let Some(me) = me.upgrade() {
                me.end_life();
            }
        });
        process
    }

    /// Says whether it is to run.
    pub fn want(&self, is_wanted: bool) {
        self.wanted.send_replace(is_wanted);
        if !is_wanted {
            self.stop(0);
        }
    }

    /// Keeps the process going: begins it, and again after each death.
    pub async fn keep(self: Arc<Self>) {
        let mut wanted = self.wanted.subscribe();
        // The sender is ours: it does not go away before we do.
        while wanted.wait_for(|is_wanted| *is_wanted).await.is_ok() {
            let run = self.begin_life();
            let (stop, stopped) = watch::channel(false);
            let death = {
                let mut body = self.body();
                body.stop = Some(stop);
                Arc::clone(&body.death)
            };
            let project = self.open(run, &self.machine_clock());
            match self.agent(run, &project) {
                Ok((mut agent, mut seat)) => {
                    tokio::select! {
                        biased;
                        () = death.notified() => {}
                        _ = agent.run(&mut seat, stopped, RunUntil::Stopped) => {
                            project.close();
                        }
                        () = self.listen(run) => {}
                    }
                }
                Err(why) => self.get_stuck(run, why).await,
            }
            self.bury(run).await;
        }
    }

    /// Notes what the agent says after each pass; ends with the life only.
    async fn listen(&self, run: ProcessLife) {
        let mut shown = self.body().handle.as_ref().map(Handle::watch);
        let mut last = None;
        while let Some(shown) = &mut shown
            && shown.changed().await.is_ok()
        {
            let status = Arc::clone(&shown.borrow_and_update());
            let pass = status.history.first();
            let number = pass.map(|record| record.pass);
            let is_read = pass.is_some_and(|record| record.outcome != PassOutcome::Unreadable);
            if std::mem::replace(&mut last, number) != number && is_read {
                // Both words say that it is as declared.
                let is_ready = |it: &&ResourceStatus| {
                    it.conditions.is_true(ConditionType::Ready)
                        || it.sync_status == SyncStatus::Synced
                };
                let ready = status.resources.iter().filter(is_ready);
                let ready = ready.filter_map(|it| Some(path(&it.key, it.id.as_deref()?)));
                self.world.mark(Mark::Said { run, ready: ready.collect() });
            }
        }
        std::future::pending().await
    }

    async fn get_stuck(&self, run: ProcessLife, why: String) {
        self.world.mark(Mark::Stuck { run, why });
        tokio::time::sleep(BEGIN_AGAIN).await;
    }

    fn begin_life(&self) -> ProcessLife {
        let mut body = self.body();
        body.life += 1;
        body.is_alive = true;
        body.death = Arc::new(Notify::new());
        let run = ProcessLife { process: self.index, life: body.life };
        let machine = body.machine;
        drop(body);
        self.world.mark(Mark::Began { run, machine });
        run
    }

    /// After a life: what is on the disk is what the next one finds.
    async fn bury(&self, run: ProcessLife) {
        self.inspect();
        let (down, power_loss) = {
            let mut body = self.body();
            body.is_alive = false;
            body.handle = None;
            body.stop = None;
            (std::mem::take(&mut body.down_seconds), body.power_loss.take())
        };
        if let Some(choice) = power_loss {
            self.disk.lose_power(choice);
            self.body().machine.boot += 1;
        }
        if self.disk.was_struck() || power_loss.is_some() {
            self.disk.mend();
        }
        self.world.mark(Mark::Ended { run });
        tokio::time::sleep(Duration::from_secs(down)).await;
    }

    /// Looks for values that must not be seen (S9).
    pub fn inspect(&self) {
        let handle = self.body().handle.clone();
        let mut shown: Vec<(String, String)> = self
            .disk
            .files()
            .into_iter()
            .map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned()))
            .collect();
        if let Some(handle) = handle {
            let status = serde_json::to_string(&*handle.status()).unwrap_or_default();
            let events = serde_json::to_string(&handle.recent_events()).unwrap_or_default();
            shown.push(("the status".to_owned(), status));
            shown.push(("the events".to_owned(), events));
        }
        for (place, text) in shown {
            // The tokens of a simulation are words, and only the whole of one is a secret.
            let has_token = TOKENS.iter().any(|token| text.contains(token));
            if has_token || self.world.scene.ears.hear(&text) {
                self.world.mark(Mark::Leaked { place });
            }
        }
    }

    /// Reads the machine's clock, once: whoever begins moves on from here, however often it is set
    /// meanwhile.
    fn machine_clock(&self) -> Clock {
        let off = self.body().machine.clock_off_ms;
        let now = self.world.clock.now();
        Clock::starting_at(now.checked_add(jiff::SignedDuration::from_millis(off)).unwrap_or(now))
    }

    fn ledger(&self, run: ProcessLife, clock: &Clock) -> Arc<Ledger> {
        let rate = self.world.platform.rate;
        let seed = u64::from(run.life) << 8 | u64::try_from(run.process).unwrap_or(0);
        let config = budget::BudgetConfig { limit: 300, rate, reserve: rate / 3, seed };
        let boot = self.body().machine.boot.to_string();
        let uptime = Uptime { boot, elapsed: Duration::from_millis(self.world.elapsed()) };
        Arc::new(Ledger::on_shelf(&self.shelf, config, Millis::from(clock.now()), Some(&uptime)))
    }

    fn open(self: &Arc<Self>, run: ProcessLife, clock: &Clock) -> OpenProject {
        let inner = SandboxTransport::new(self.world.emulator.clone());
        let state = Medium::Memory(self.disk.clone());
        let parts = ProjectParts::new(
            Endpoint::parse(SANDBOX_ENDPOINT).expect("the constant is an address"),
            Token::parse(TOKENS[self.index]).expect("the constant is a token"),
            Arc::new(Wire { process: Arc::clone(self), run, inner }),
            state.place().to_owned(),
        );
        let parts = ProjectParts {
            budget: BudgetPlace::Opened(self.ledger(run, clock)),
            config: ClientConfig { seed: u64::from(run.life), ..ClientConfig::default() },
            clock: clock.clone(),
            state,
            holder: format!("process {}", self.index),
            ..parts
        };
        parts.open().expect("its ledger is open")
    }

    fn agent(
        self: &Arc<Self>,
        run: ProcessLife,
        project: &OpenProject,
    ) -> Result<(Agent, Seat), String> {
        let (world, origin) = (Arc::clone(&self.world), self.world.origin());
        let observe = move |record: &PassRecord| world.mark(passed(run, record));
        let parts = AgentParts {
            settings: self.settings(),
            source: Arc::new(ManifestFiles { world: Arc::clone(&self.world), run, origin }),
            secrets: self.world.scene.finders(),
            rules: Rules::default(),
            project: project.clone(),
            observe: Arc::new(observe),
            beat: Arc::new(|_| {}),
        };
        let mut agent = Agent::new(parts).map_err(|error| error.to_string())?;
        let (handle, seat) = Handle::new(agent.first_status());
        self.body().handle = Some(handle);
        Ok((agent, seat))
    }

    fn settings(&self) -> Settings {
        Settings {
            name: "default".to_owned(),
            mode: Mode::Repair,
            policy: self.world.scene.policy.clone(),
            interval: Duration::from_secs(300),
            rate: self.world.platform.rate,
            windows: Windows::default(),
            deploys_max: 3,
            rollback_on_failure: false,
            seed: u64::try_from(self.index).unwrap_or(0),
        }
    }

    /// Makes one pass beside the agent, as a person does who runs `stoker apply`.
    pub async fn apply(self: Arc<Self>) {
        let (run, machine) = {
            let mut body = self.body();
            body.commands += 1;
            let life = COMMANDS_FROM + body.commands;
            (ProcessLife { process: self.index, life }, body.machine)
        };
        let given = self.world.read();
        let desired = given.and_then(|given| given.desired);
        self.world.mark(Mark::Read {
            run,
            desired: desired.clone(),
            commit: None,
            is_newest: true,
        });
        let Some(desired) = desired else { return };
        self.world.mark(Mark::Began { run, machine });
        let project = self.open(run, &self.machine_clock());
        let policy = &self.world.scene.policy;
        let (licence, look) = (Licence::Write, Look::Whole);
        let wish = Wish { desired, policy, licence, look, judge: &|_| Vec::new() };
        let (_asks, stop) = watch::channel(false);
        let written = match project.pass(wish, stop, &|_: Happening<'_>| {}).await {
            Ok(Passed { plan, report, inventory, .. }) => {
                let id = |key: &Key| inventory.entries.get(key).map(|entry| &entry.id);
                let unchanged = plan.unchanged.iter();
                let ready = unchanged.filter_map(|key| Some(path(key, id(key)?.as_str())));
                self.world.mark(Mark::Said { run, ready: ready.collect() });
                report.map_or(0, |report| report.counts().written)
            }
            Err(_) => 0,
        };
        project.close();
        self.world.mark(Mark::Passed { run, written, message: String::new() });
        self.world.mark(Mark::Ended { run });
    }

    /// Returns what it remembers.
    pub fn medium(&self) -> Medium {
        Medium::Memory(self.disk.clone())
    }

    pub fn set_clock_off(&self, milliseconds: i64) {
        self.body().machine.clock_off_ms = milliseconds;
    }

    pub fn trigger(&self, trigger: Trigger) {
        if let Some(handle) = &self.body().handle {
            handle.trigger(trigger);
        }
    }

    pub fn status(&self) -> Option<Arc<ProjectStatus>> {
        self.body().handle.as_ref().map(Handle::status)
    }

    /// Gives the agent an order; one that is refused is no trouble.
    pub async fn order(&self, order: impl FnOnce(jiff::Timestamp) -> Order) {
        let now = self.machine_clock().now();
        let handle = self.body().handle.clone();
        if let Some(handle) = handle {
            let _ = handle.order(order(now)).await;
        }
    }

    pub(super) fn body(&self) -> MutexGuard<'_, ProcessBody> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns where a thing is read by its id.
fn path(key: &Key, id: &str) -> String {
    format!("/{}/{id}", key.kind.plural())
}

fn passed(run: ProcessLife, record: &PassRecord) -> Mark {
    Mark::Passed { run, written: record.written, message: record.message.clone() }
}
