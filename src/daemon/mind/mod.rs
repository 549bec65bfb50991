//! The agent's mind without its hands: what is due, what it may do, and what is to be told. Pure.
//!
//! It reads nothing and waits for nothing. `agent` tells it what happened and what time it is, asks
//! what is due, does it, and comes back with the result. So 30 days are a test of milliseconds.

mod agenda;
mod deployments;
mod looking;
mod others;
mod outcome;
mod passing;
mod reading;
mod rereading;
mod shown;
mod shrinking;
mod standing;
mod steering;
mod telling;
mod wanted;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::budget::Lane;
use crate::model::{Desired, Key, Project};
use crate::plan::{Policy, RuleFinding, refusal};
use crate::project::{Licence, Look};
use crate::status::{ConditionReason, Event, PassRecord, ProjectStatus, Trigger};

use super::declare::Declared;
use super::memory::AgentMemory;
use super::settings::Settings;

use agenda::Agenda;
pub use passing::PassFailure;
use shown::ShownState;
pub(super) use steering::Withheld;
use wanted::WantedState;

/// How many passes are remembered, for people: at rest, a working day at the usual interval.
const HISTORY_MAX: usize = 100;

/// The longest time without a sign of life: a watchdog waits for it.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The shortest sleep: whatever is wrong, the loop does not spin.
const NAP_MIN: Duration = Duration::from_millis(5);

/// What one project's agent knows and means to do.
pub struct Mind {
    settings: Settings,
    memory: AgentMemory,
    saved: Option<AgentMemory>,
    wanted: WantedState,
    agenda: Agenda,
    shown: ShownState,
    running: Option<Running>,
    passes: u64,
    passed_digest: Option<String>,
    project: Option<Project>,
    origin: String,
    failure: Option<PassFailure>,
    /// What a person ordered to be repaired again, however often it was.
    forgiven: BTreeSet<Key>,
}

/// The pass that is under way.
struct Running {
    triggers: BTreeSet<Trigger>,
    started_at: Timestamp,
    declared: Arc<Declared>,
    withheld: Option<Withheld>,
    /// Whose repairs it forgets.
    forgiven: BTreeSet<Key>,
    /// Whether what it carries out is no longer what is wanted.
    is_superseded: bool,
}

impl Running {
    /// Whether it only tries again what failed or was not seen.
    fn is_retry(&self) -> bool {
        self.triggers.iter().all(|trigger| *trigger == Trigger::Retry)
    }

    /// Notes that a policy refused its plan: nothing of it was written, as where it must not be.
    fn note_refusal(&mut self, findings: &[RuleFinding]) {
        if self.withheld.is_none() {
            self.withheld = refusal(findings).map(|why| (ConditionReason::PolicyRefused, why));
        }
    }
}

/// What is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadAsk {
    /// The commit that was read before.
    pub known: Option<String>,
    /// The commit to stay at.
    pub pinned: Option<String>,
}

/// The pass that is to be made.
#[derive(Clone, Debug)]
pub struct PassAsk {
    /// Its number; stands in its log lines.
    pub pass: u64,
    /// What is wanted.
    pub desired: Arc<Desired>,
    /// What is allowed.
    pub policy: Policy,
    /// Whether it may write.
    pub licence: Licence,
    /// Who waits for it.
    pub lane: Lane,
    /// How it looks at the platform.
    pub look: Look,
}

/// What a mind is told at its beginning.
pub struct Beginning {
    /// How the project is kept.
    pub settings: Settings,
    /// What outlived the last agent.
    pub memory: AgentMemory,
    /// Where the manifests come from, for people.
    pub location: String,
    /// Whether they have commits.
    pub has_commits: bool,
    /// The API's origin and base path.
    pub origin: String,
}

impl Mind {
    /// Begins: the first pass is due at once.
    #[must_use]
    pub fn new(beginning: Beginning, now: Timestamp) -> Self {
        let Beginning { settings, memory, location, has_commits, origin } = beginning;
        Self {
            saved: Some(memory.clone()),
            memory,
            wanted: WantedState::new(location, has_commits),
            agenda: Agenda::new(&settings, now),
            shown: ShownState::new(settings.rate, now),
            settings,
            running: None,
            passes: 0,
            passed_digest: None,
            project: None,
            origin,
            failure: None,
            forgiven: BTreeSet::new(),
        }
    }

    /// Notes that it looks again and again: what it finds missing at first may be vanishing (S7). Who
    /// looks once has nothing to wait with, as `stoker apply`.
    pub const fn stay(&mut self) {
        self.wanted.stays = true;
    }

    /// Goes on where the agent before it left off, in the same process: settings were read again, or
    /// a defect ended it. Neither a pass nor an event bears a number twice; `sequence` is that of the
    /// last event. What was seen of another API is not about this one.
    pub fn recall(&mut self, earlier: &ProjectStatus, sequence: u64) {
        self.passes = earlier.history.first().map_or(0, |record| record.pass);
        self.shown.sequence = sequence;
        self.shown.started_at = earlier.started_at;
        if earlier.origin == self.origin {
            self.shown.recall(earlier);
        }
    }

    /// Hears that something may have changed. Everything is read again; what was rung says only
    /// whether the platform is looked at even if the manifests are the same.
    pub fn hear(&mut self, triggers: &BTreeSet<Trigger>) {
        for trigger in triggers {
            // Time alone says nothing new: what is being read is not read beside that, and what could
            // not be is read again when its wait is over.
            let is_time = matches!(trigger, Trigger::Git | Trigger::Timer);
            self.wanted.wants_read |= !is_time || !self.wanted.rereading.is_under_way();
            match trigger {
                // Nothing on the platform has changed by a file: only what is read decides.
                Trigger::Files | Trigger::Git | Trigger::Webhook => {}
                Trigger::Start
                | Trigger::Timer
                | Trigger::Signal
                | Trigger::Order
                | Trigger::Retry => drop(self.agenda.due.insert(*trigger)),
            }
        }
    }

    /// Lets time pass: what has come due by it is due now.
    pub fn tick(&mut self, now: Timestamp) {
        let since = std::mem::replace(&mut self.agenda.ticked_at, now);
        if self.running.is_none() && now >= self.agenda.look_at {
            self.hear(&BTreeSet::from([Trigger::Timer]));
            self.schedule_look(now);
        }
        let is_over = |until: Timestamp| until > since && until <= now;
        self.wanted.wants_read |= self.wanted.rereading.is_due(now);
        let waited = self.agenda.queue.next_after(since).is_some_and(is_over);
        if waited || self.agenda.retry_at.is_some_and(|at| at <= now) {
            self.agenda.retry_at = None;
            self.agenda.due.insert(Trigger::Retry);
        }
        self.end_suspension(now);
        let change = self.settings.windows.state(since).and_then(|state| state.until);
        if change.is_some_and(|at| at <= now) {
            self.agenda.due.insert(Trigger::Timer);
            self.withhold(now);
        }
    }

    /// Returns when something comes due by itself; a sign of life is due before long.
    #[must_use]
    pub fn wake_at(&self, now: Timestamp) -> Timestamp {
        let beat = now.checked_add(HEARTBEAT).unwrap_or(Timestamp::MAX);
        // What waits for the pass to end must not be waited for meanwhile.
        let is_idle = self.running.is_none();
        let look = Some(self.agenda.look_at).filter(|_| is_idle);
        let follow = self.agenda.follow_at.filter(|_| is_idle);
        let suspension = self.memory.suspension.as_ref().map(|suspension| suspension.until);
        let window = self.settings.windows.state(now).and_then(|state| state.until);
        let reading = self.wanted.rereading.again_at().filter(|_| !self.wanted.wants_read);
        let times = [
            look,
            reading,
            self.agenda.retry_at,
            self.agenda.queue.next_after(now),
            follow,
            suspension,
            window,
        ];
        let earliest = times.into_iter().flatten().fold(beat, Timestamp::min);
        earliest.max(now.checked_add(NAP_MIN).unwrap_or(now))
    }

    /// Returns what is to be read, once.
    pub fn take_read(&mut self) -> Option<ReadAsk> {
        let wanted = std::mem::take(&mut self.wanted.wants_read);
        // What is fallen back to is at hand; the newest goes on waiting for its turn.
        if wanted && !self.wanted.falls_back {
            self.wanted.rereading.begin(self.agenda.ticked_at);
        }
        self.wanted.reads_pin = wanted && !self.wanted.falls_back && self.wanted.pinning.is_some();
        let pinned = match &self.wanted.pinning {
            _ if self.wanted.falls_back => &self.memory.commit,
            Some(_) => &self.wanted.pinning,
            None => &self.memory.pinned_to,
        };
        wanted.then(|| ReadAsk { known: self.memory.commit.clone(), pinned: pinned.clone() })
    }

    /// Whether the newest manifests have been read for so long that a pass is made for those that are
    /// known.
    #[must_use]
    pub fn reads_long(&self, now: Timestamp) -> bool {
        self.wanted.rereading.is_long(now)
    }

    /// Returns the last state of the manifests that could be used.
    #[must_use]
    pub fn declared(&self) -> Option<Arc<Declared>> {
        self.wanted.declared.clone()
    }

    /// Returns what must outlive a restart, when it changed since it was asked last.
    pub fn take_changed_memory(&mut self) -> Option<AgentMemory> {
        let is_changed = self.saved.as_ref() != Some(&self.memory);
        is_changed.then(|| {
            self.saved = Some(self.memory.clone());
            self.memory.clone()
        })
    }

    /// Notes that it could not be written: it is asked for again.
    pub fn keep_unsaved(&mut self) {
        self.saved = None;
    }

    /// Whether there is nothing to keep: no manifests that could be used were ever read.
    #[must_use]
    pub const fn is_unusable(&self) -> bool {
        self.wanted.declared.is_none() && self.wanted.problem.is_some()
    }

    /// Returns what happened since it was asked last.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.shown.events)
    }

    /// Returns the pass that ended last.
    #[must_use]
    pub fn last_pass(&self) -> Option<&PassRecord> {
        self.shown.history.first()
    }
}
