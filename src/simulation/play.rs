//! Plays a schedule: trouble as it is written, then the quiet in which everything must settle.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::emulator::{Act, Faults, Kind};
use crate::status::Order;
use crate::status::Trigger;

use super::branch::BranchState;
use super::process::Process;
use super::scene::{FinalState, Scene};
use super::schedule::{
    Deed, Disturbance, Instruction, Loss, PlatformBehaviour, Rights, Schedule, SourceKind, Strike,
};
use super::witness::{Mark, Marked, ProcessLife, Witness};
use super::world::{SimulatedWorld, body};

/// How long after the trouble everything may take to settle: the settle time of a lost create, the
/// longest back-off, and a look after each.
const SETTLING: Duration = Duration::from_secs(30 * 60);

/// How much longer it may take where manifests are plain files: what went counts for an hour, and
/// only then may more go (S7).
const COUNTING: Duration = Duration::from_secs(70 * 60);

/// The time between two looks with its jitter, in seconds.
const LOOK_SECONDS: u64 = 330;

/// How many times as long as usual the looks at the end may take.
const RESTS_MAX: u64 = 4;

/// How long whoever set the project up had for it.
const FOUNDING: Duration = Duration::from_secs(600);

/// How long an undisturbed run takes to reach its end.
const REHEARSAL: Duration = Duration::from_secs(900);

/// Plays a schedule over a scene.
///
/// Runs on a clock of its own; must not be called from async code.
///
/// # Panics
/// When the machine gives no runtime.
#[must_use]
pub fn play(scene: &Arc<Scene>, schedule: &Schedule) -> Witness {
    on_paused_clock(async {
        let mut stage = Stage::set(scene, schedule).await;
        for step in &schedule.steps {
            stage.until(step.at).await;
            stage.perform(&step.what).await;
        }
        stage.until(schedule.seconds * 1_000).await;
        stage.calm().await;
        tokio::time::sleep(SETTLING + counting(schedule)).await;
        stage.world.mark(Mark::Settled);
        stage.rest(schedule.looks).await;
        stage.witness(schedule).await
    })
}

/// Plays a schedule of commits only, and ends when the last one is carried out.
pub(super) fn rehearse(scene: &Arc<Scene>, schedule: &Schedule) -> Rehearsal {
    on_paused_clock(async {
        let mut stage = Stage::set(scene, schedule).await;
        for step in schedule.steps.iter().filter(|step| step.what.is_commit()) {
            stage.until(step.at).await;
            stage.perform(&step.what).await;
        }
        tokio::time::sleep(REHEARSAL + counting(schedule)).await;
        let witness = stage.witness(schedule).await;
        Rehearsal { counts: super::timeline::counts(&witness, u64::MAX) }
    })
}

/// Returns the platform as an undisturbed agent leaves it that was given one revision only, as one
/// text without layers.
pub(super) fn undisturbed(scene: &Arc<Scene>, revision: usize) -> Arc<FinalState> {
    let platform = PlatformBehaviour::default();
    let source = SourceKind::default();
    let calm = Schedule { seed: 0, platform, source, seconds: 0, looks: 0, steps: Vec::new() };
    let work_out = async || {
        let stage = Stage::set(scene, &calm).await;
        // Nobody has read anything yet.
        stage.world.hold(BranchState::Merged(revision));
        tokio::time::sleep(REHEARSAL + counting(&calm)).await;
        stage.witness(&calm).await.truth
    };
    scene.end(revision, || on_paused_clock(work_out()))
}

fn counting(schedule: &Schedule) -> Duration {
    match schedule.source {
        SourceKind::Files => COUNTING,
        SourceKind::GitHold | SourceKind::GitFollow => Duration::ZERO,
    }
}

/// What an undisturbed run leaves.
pub(super) struct Rehearsal {
    /// How often each thing was created and deleted.
    pub counts: BTreeMap<(Kind, String), (u64, u64)>,
}

fn on_paused_clock<T>(run: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without threads and files needs nothing of the machine").block_on(run)
}

/// The world with its processes.
struct Stage {
    world: Arc<SimulatedWorld>,
    first: Arc<Process>,
    second: Arc<Process>,
    keepers: JoinSet<()>,
    /// What people have begun beside them.
    commands: JoinSet<()>,
}

impl Stage {
    async fn set(scene: &Arc<Scene>, schedule: &Schedule) -> Self {
        let world = Arc::new(SimulatedWorld::new(scene, schedule));
        if scene.live.is_some() {
            found(&world).await;
        }
        let first = Process::new(&world, 0);
        let second = Process::new(&world, 1);
        let mut keepers = JoinSet::new();
        keepers.spawn(Arc::clone(&first).keep());
        keepers.spawn(Arc::clone(&second).keep());
        // A revision that comes at once is the first one.
        let at_once = schedule.steps.first().filter(|step| step.at == 0);
        if let Some(Disturbance::Commit(revision)) = at_once.map(|step| &step.what) {
            world.hold(BranchState::Revision(*revision));
        }
        first.want(true);
        Self { world, first, second, keepers, commands: JoinSet::new() }
    }

    async fn until(&self, at: u64) {
        let wait = at.saturating_sub(self.world.elapsed());
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }

    async fn perform(&mut self, what: &Disturbance) {
        let (world, first) = (&self.world, &self.first);
        match what {
            Disturbance::Commit(revision) => {
                world.mark(Mark::Committed { revision: *revision });
                self.change_source(BranchState::Revision(*revision));
            }
            Disturbance::Source(loss) => self.change_source(match *loss {
                Loss::Gone => BranchState::Gone,
                Loss::Empty => BranchState::Empty,
                Loss::Broken => BranchState::Broken,
                Loss::Half(revision, percent) => BranchState::Half(revision, percent),
                Loss::Shrunk(revision, gone) => BranchState::Shrunk(revision, gone),
                Loss::Torn(revision) => BranchState::Torn(revision),
            }),
            Disturbance::Rewrite(rewrite) => {
                world.mark(Mark::Rewritten);
                world.rewrite(rewrite);
                self.announce();
            }
            Disturbance::Process(strike) => first.suffer(strike),
            Disturbance::Person(deed) => act(world, deed),
            Disturbance::Operator(command) => self.command(command).await,
            Disturbance::OurClock(off) => first.set_clock_off(*off),
            Disturbance::Faults(faults) => {
                world.mark(Mark::Unfair { service: None });
                world.emulator.play(Faults::parse(faults).unwrap_or_default());
            }
            Disturbance::AlwaysFails(service) => self.be_unfair(service),
            Disturbance::PlatformClock(by) => world.jump(*by),
            Disturbance::Token(rights) => world.limit(*rights),
            Disturbance::Quota(kind, most) => {
                world.act(&Act::Quota { kind: *kind, most: *most });
            }
            Disturbance::Visitor(requests) => world.visit(*requests).await,
            Disturbance::OtherProject => self.enter_project(false),
            Disturbance::HomeProject => self.enter_project(true),
            Disturbance::SecondBegins => self.second.want(true),
            Disturbance::SecondEnds => self.second.want(false),
        }
    }

    async fn command(&mut self, command: &Instruction) {
        let first = &self.first;
        match command {
            Instruction::Apply => drop(self.commands.spawn(Arc::clone(first).apply())),
            Instruction::Reconcile => first.order(|_| Order::Reconcile { key: None }).await,
            Instruction::Suspend(seconds) => {
                let span = Duration::from_secs(*seconds);
                let suspend = |now: jiff::Timestamp| Order::Suspend {
                    reason: "a person works".to_owned(),
                    until: now.checked_add(span).unwrap_or(now),
                };
                first.order(suspend).await;
            }
        }
    }

    fn change_source(&self, held: BranchState) {
        self.world.hold(held);
        self.announce();
    }

    /// Says that the source may have changed.
    fn announce(&self) {
        self.first.trigger(Trigger::Files);
        self.second.trigger(Trigger::Files);
    }

    fn be_unfair(&self, service: &str) {
        if let Some(id) = self.world.id(Kind::Service, service) {
            let faults = format!("fail:422@PATCH /services/{id}");
            self.world.emulator.play(Faults::parse(&faults).unwrap_or_default());
            self.world.mark(Mark::Unfair { service: Some(service.to_owned()) });
        }
    }

    /// A token is read when a process begins, so another project comes with another life.
    fn enter_project(&mut self, is_home: bool) {
        self.commands.abort_all();
        self.first.suffer(&Strike::Kill(1));
        self.second.want(false);
        self.world.enter_project(is_home);
    }

    /// Ends all trouble: what is declared is the last revision, whole.
    async fn calm(&self) {
        let Self { world, first, second, keepers: _, commands: _ } = self;
        second.want(false);
        first.spare();
        world.emulator.play(Faults::default());
        world.limit(Rights::All);
        for kind in [Kind::Service, Kind::Database, Kind::EnvGroup] {
            world.act(&Act::Quota { kind, most: None });
        }
        world.enter_project(true);
        let revision = world.revision().unwrap_or(0);
        world.hold(BranchState::Revision(revision));
        first.order(|_| Order::Resume).await;
        first.trigger(Trigger::Files);
        // What a rewritten history holds is taken when somebody says so, and starts the agent anew.
        if world.follow() {
            first.suffer(&Strike::Stop(1));
        }
        world.mark(Mark::Unfair { service: None });
        world.mark(Mark::Quiet);
    }

    /// Lets so many passes end; a small budget takes longer for them.
    async fn rest(&self, looks: u64) {
        let is_pass =
            |marked: &Marked| matches!(&marked.mark, Mark::Passed { run, .. } if run.process == 0);
        let before = self.world.marks().len();
        for _ in 0..looks * RESTS_MAX {
            let passes = self.world.marks().iter().skip(before).filter(|it| is_pass(it)).count();
            if u64::try_from(passes).unwrap_or(u64::MAX) >= looks {
                return;
            }
            tokio::time::sleep(Duration::from_secs(LOOK_SECONDS)).await;
        }
    }

    async fn witness(mut self, schedule: &Schedule) -> Witness {
        let Self { world, first, second, keepers, commands } = &mut self;
        first.inspect();
        let status = first.status();
        keepers.shutdown().await;
        commands.shutdown().await;
        let processes = [(0, first), (1, second)];
        let inventories =
            processes.into_iter().filter_map(|(index, process)| match process.medium().read() {
                Ok(reading) => Some((index, Arc::unwrap_or_clone(reading.inventory))),
                Err(error) => {
                    let run = ProcessLife { process: index, life: 0 };
                    world.mark(Mark::Stuck { run, why: error.to_string() });
                    None
                }
            });
        let inventories = inventories.collect();
        let marks = std::mem::take(&mut *world.marks());
        Witness {
            schedule: schedule.clone(),
            record: world.emulator.record(),
            marks,
            truth: world.truth(),
            status,
            inventories,
            revision: world.revision().unwrap_or(0),
        }
    }
}

/// Lets somebody set up what lives before we come.
async fn found(world: &Arc<SimulatedWorld>) {
    let founder = Process::new(world, 2);
    world.hold(BranchState::Founded);
    founder.apply().await;
    world.hold(BranchState::Revision(0));
    tokio::time::sleep(FOUNDING).await;
}

fn act(world: &SimulatedWorld, deed: &Deed) {
    let service = |name: &str| world.id(Kind::Service, name);
    let act = match deed {
        Deed::SetPlan(name, plan) => service(name).map(|id| {
            let value = Some(serde_json::Value::String(plan.clone()));
            Act::SetField { id, field: "plan".to_owned(), value }
        }),
        Deed::SetVariable(name, key, value) => service(name).map(|id| Act::SetVariable {
            kind: Kind::Service,
            id,
            key: key.clone(),
            value: value.clone(),
        }),
        Deed::Create(kind, name) => Some(Act::Create { kind: *kind, body: body(*kind, name) }),
        Deed::Delete(kind, name) => world.id(*kind, name).map(|id| Act::Delete { kind: *kind, id }),
        Deed::Rename(kind, name, next) => world.id(*kind, name).map(|id| {
            let (kind, name) = (*kind, next.clone());
            Act::Rename { kind, id, name }
        }),
        Deed::Rollback(name) => service(name).map(|id| Act::Rollback { id }),
        Deed::Autoscale(name, replicas) => {
            service(name).map(|id| Act::Autoscale { id, replicas: *replicas })
        }
        Deed::FailNext(name) => {
            service(name).map(|id| Act::FailNext { id, log: vec!["it failed".to_owned()] })
        }
    };
    if let Some(act) = act {
        world.act(&act);
    }
}
