//! An agent of the model: memory on disk, and a run that a crash takes away.
//!
//! Every decision is the program's own: `plan`, `Progress`, `check_pin`, `sight`, `after_look`,
//! `rival`, `confirms`, `broken_by`, `proves_gone`, and the events of the store. What is written
//! here only carries them out. [`Protocol`] says where it carries out something else.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use stoker::apply::Patience;
use stoker::model::{Claim, Desired, Intent, Inventory, Kind, Snapshot};
use stoker::plan::{
    Change, FailureCause, Outcome, Permissions, Plan, Platform, Policy, Progress, Prune, plan,
};
use stoker::reconcile::check_pin;
use stoker::store::JournalEvent;

use super::world::{Name, ORIGIN, Place, Seen, Sight, World, key, name, pin};

/// What an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// What the laws ask for.
    Right,
    /// It sends without writing down that it will.
    NoIntent,
    /// It writes its intent down, and then waits for leave to send.
    IntentBeforeWaiting,
    /// It sends again without waiting until the lost create has settled.
    ResendAtOnce,
    /// It waits for what is under way, and forgets that replicas are behind.
    ForgetsStaleness,
    /// What it finds before a lost create has settled it presumes to be its own.
    PresumesAtOnce,
    /// What it finds after a lost create it takes for its own.
    AdoptOnSight,
    /// It writes to whatever project answers.
    NoPin,
    /// It believes one listing.
    OneListing,
    /// It deletes what has the name.
    DeleteByName,
    /// It takes names to be kept, where they are not (A22).
    TrustsNames,
}

impl Protocol {
    pub fn settle(self) -> Duration {
        match self {
            Self::ResendAtOnce => Duration::ZERO,
            Self::ForgetsStaleness => Duration::from_secs(120),
            Self::Right
            | Self::NoIntent
            | Self::IntentBeforeWaiting
            | Self::PresumesAtOnce
            | Self::AdoptOnSight
            | Self::NoPin
            | Self::OneListing
            | Self::DeleteByName
            | Self::TrustsNames => Permissions::default().settle,
        }
    }
}

/// How an agent is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Manner {
    pub protocol: Protocol,
    pub patience: Patience,
}

/// An agent: what it remembers, and what it does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Agent {
    pub memory: Arc<Inventory>,
    pub run: Option<Run>,
}

/// A plan being carried out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Run {
    pub place: Place,
    pub planned: Planned,
    pub sweep: Sweep,
    pub work: BTreeMap<Name, Work>,
}

/// A plan. Two are the same when they write the same.
#[derive(Clone, Debug)]
pub struct Planned {
    pub plan: Arc<Plan>,
    digest: u64,
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Planned {}

impl Hash for Planned {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

/// The look at the list right before the writes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sweep {
    /// It is to come, after this one.
    After(Seen),
    /// It confirmed the plan's.
    Done(Seen),
    /// It told nothing, or the plan needs none.
    None,
}

/// What becomes of one change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// The intent is on disk, and the POST waits for leave.
    Waiting(Intent),
    /// The 201 was seen, and is not on disk.
    Created(usize),
    /// A PATCH or DELETE was answered well, and that is not on disk.
    Written,
    /// The answer to a create was lost; this list was read since, if one was, and then.
    Seeking(Intent, Option<(Seen, Timestamp)>),
    /// A create is proven not to have happened; this try is next.
    Again(u32),
    /// It ended, and was it applied?
    Ended(bool),
}

impl Agent {
    pub fn new() -> Self {
        Self { memory: Arc::default(), run: None }
    }

    pub fn remember(&mut self, event: &JournalEvent) {
        event.apply(Arc::make_mut(&mut self.memory));
    }

    pub fn snapshot(
        &self,
        world: &World,
        desired: &Desired,
        seen: &Seen,
        sight: Sight,
    ) -> Snapshot {
        Snapshot {
            origin: ORIGIN.to_owned(),
            desired: Arc::new(desired.clone()),
            live: world.live(world.token, seen, sight, &self.memory),
            inventory: Arc::clone(&self.memory),
            now: world.time(),
        }
    }

    /// Reads, plans and begins; nothing when there is nothing to do, or it must not.
    pub fn look(
        &mut self,
        world: &World,
        manner: Manner,
        desired: &Desired,
        sight: Sight,
    ) -> Option<Arc<Plan>> {
        let place = world.token;
        let seen = world.list(place, sight);
        let snapshot = self.snapshot(world, desired, &seen, sight);
        let project = &snapshot.live.project;
        let pinned = check_pin(self.memory.pin.as_ref(), ORIGIN, project);
        if pinned.is_err() && manner.protocol != Protocol::NoPin {
            return None;
        }
        let plan = Arc::new(plan(&snapshot, &policy(manner.protocol)));
        if plan.is_idle() {
            return None;
        }
        if self.memory.pin.is_none() && !plan.changes.is_empty() {
            self.remember(&JournalEvent::Pinned(pin(place)));
        }
        for (key, entry) in &plan.remember {
            let entry = Box::new(entry.clone());
            self.remember(&JournalEvent::Recorded { key: key.clone(), entry });
        }
        let needs_sweep = manner.protocol != Protocol::OneListing
            && plan.changes.iter().any(Change::rests_on_a_list);
        let sweep = if needs_sweep { Sweep::After(seen) } else { Sweep::None };
        let planned = Planned { digest: digest(&plan), plan: Arc::clone(&plan) };
        self.run = Some(Run { place, planned, sweep, work: BTreeMap::new() });
        Some(plan)
    }
}

impl Run {
    /// The executor's mind, as far as the run has come.
    pub fn progress(&self) -> Progress {
        let mut progress = Progress::new(&self.planned.plan);
        for change in &self.planned.plan.changes {
            let Some(work) = self.work.get(&name(&change.key)) else { continue };
            assert!(progress.begin(&change.key), "{:?} was begun before its time", change.key);
            if let Work::Ended(is_applied) = work {
                let message = "as the model says".to_owned();
                let failed = Outcome::Unresolved { cause: FailureCause::Other, message };
                let outcome = if *is_applied { Outcome::Applied } else { failed };
                progress.finish(&change.key, outcome);
            }
        }
        progress
    }

    pub fn change(&self, name: Name) -> &Change {
        let mut changes = self.planned.plan.changes.iter();
        changes.find(|change| change.key == *key(name)).unwrap()
    }

    /// Takes in one more pass over the list, after the one of the plan (S2).
    pub fn look_again(&mut self, world: &World, sight: Sight) {
        let seen = world.list(self.place, sight);
        let Sweep::After(before) = &self.sweep else { panic!("no look is due") };
        let (listing, before) = (world.listing(&seen), world.listing(before));
        self.sweep = if !listing.coverage.is_complete() {
            Sweep::None
        } else if listing.confirms(&before) {
            Sweep::Done(seen)
        } else {
            Sweep::After(seen)
        };
    }
}

pub fn policy(protocol: Protocol) -> Policy {
    let prune = Prune::Kinds([Kind::Service].into());
    let keeps_names = protocol == Protocol::TrustsNames;
    let platform = Platform { keeps_names, ..Platform::default() };
    let settle = protocol.settle();
    let permissions = Permissions { prune, settle, ..Permissions::default() };
    Policy { permissions, platform, ..Policy::default() }
}

/// The claim that a protocol makes on what it found after a lost create.
pub const fn claim_of(protocol: Protocol, claim: Claim) -> Claim {
    match (protocol, claim) {
        (Protocol::AdoptOnSight, Claim::Presumed) => Claim::Created,
        (_, claim) => claim,
    }
}

fn digest(plan: &Plan) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{:?}", plan.changes).hash(&mut hasher);
    hasher.finish()
}
