//! The executor's mind without its hands: which change may begin now, and what became of each.
//!
//! It performs nothing and waits for nothing. `apply` asks what is ready, does it, and tells.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Key;

use super::{Action, ChangeResult, FailureCause, Outcome, Plan, Report};

/// A part of a change that is carried out in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its first steps; for most changes that is all of them.
    First,
    /// The step that completes it, once the changes it waits for are done.
    Completion,
}

/// The state of carrying a plan out.
///
/// # Guarantees
/// A change is ready only when everything it comes after was applied, and only once. What follows
/// on something that was not applied is never ready. After `stop` nothing is ready any more.
/// A change without steps is ready too: it only changes what is remembered. One that is completed
/// later is ready twice.
#[derive(Clone, Debug)]
pub struct Progress {
    changes: Vec<Tracked>,
    places: BTreeMap<Key, usize>,
    ready: BTreeSet<usize>,
    /// How many have not ended.
    open: usize,
    running: usize,
    stopped: bool,
}

#[derive(Clone, Debug)]
struct Tracked {
    key: Key,
    action: Action,
    part: Part,
    unmet: usize,
    followers: Vec<usize>,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Ended(Outcome),
}

impl Progress {
    /// Begins to follow a plan. What the plan blocks has ended already; what needs nothing is left
    /// out.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let mut progress = Self {
            changes: Vec::new(),
            places: BTreeMap::new(),
            ready: BTreeSet::new(),
            open: 0,
            running: 0,
            stopped: false,
        };
        for change in &plan.changes {
            if change.action == Action::None && change.blocked.is_none() {
                continue;
            }
            let place = progress.changes.len();
            progress.places.insert(change.key.clone(), place);
            progress.track(&change.key, change.action, Part::First);
            if change.is_completed_later() {
                progress.track(&change.key, Action::Update, Part::Completion);
            }
        }
        for change in &plan.changes {
            let Some(place) = progress.places.get(&change.key).copied() else {
                continue;
            };
            progress.link(place, change.after.iter());
            if change.is_completed_later() {
                progress.link(place + 1, change.completed_after().chain([&change.key]));
            }
        }
        let mut blocked = Vec::new();
        for change in &plan.changes {
            if let (Some(obstacle), Some(place)) =
                (&change.blocked, progress.places.get(&change.key).copied())
            {
                let reason = obstacle.reason;
                progress.conclude(place, Outcome::Blocked { reason });
                blocked.push(place);
            }
        }
        for place in blocked {
            progress.propagate(place);
        }
        let is_free = |tracked: &Tracked| tracked.unmet == 0 && tracked.state == State::Waiting;
        let free = progress.changes.iter().enumerate();
        progress.ready =
            free.filter(|(_, tracked)| is_free(tracked)).map(|(place, _)| place).collect();
        progress
    }

    fn track(&mut self, key: &Key, action: Action, part: Part) {
        let (key, followers, state) = (key.clone(), Vec::new(), State::Waiting);
        self.changes.push(Tracked { key, action, part, unmet: 0, followers, state });
        self.open += 1;
    }

    fn link<'k>(&mut self, place: usize, after: impl Iterator<Item = &'k Key>) {
        for other in after {
            // What is not in the plan needs nothing, so nobody has to wait for it.
            let Some(earlier) = self.places.get(other).copied() else {
                continue;
            };
            self.changes[earlier].followers.push(place);
            self.changes[place].unmet += 1;
        }
    }

    /// Returns what may begin now, in the plan's order; nothing after `stop`.
    pub fn ready(&self) -> impl Iterator<Item = &Key> {
        self.ready.iter().map(|place| &self.changes[*place].key)
    }

    /// Begins the first change that is ready, and returns it.
    pub fn begin_next(&mut self) -> Option<Key> {
        let key = self.ready().next().cloned()?;
        self.begin(&key).then_some(key)
    }

    /// Notes that a change was begun, and says whether it may be: it was ready, and now is not.
    pub fn begin(&mut self, key: &Key) -> bool {
        let Some(place) = self.current(key) else {
            return false;
        };
        let may_begin = self.ready.remove(&place);
        if may_begin {
            self.changes[place].state = State::Running;
            self.running += 1;
        }
        may_begin
    }

    /// Returns the part of a change that is under way, or comes next.
    #[must_use]
    pub fn part(&self, key: &Key) -> Part {
        self.current(key).map_or(Part::First, |place| self.changes[place].part)
    }

    /// Returns where the part of a change stands that is under way, or comes next.
    fn current(&self, key: &Key) -> Option<usize> {
        let place = *self.places.get(key)?;
        let is_first_done = self.changes[place].state == State::Ended(Outcome::Applied);
        Some(if is_first_done && self.is_completion(place + 1) { place + 1 } else { place })
    }

    fn is_completion(&self, place: usize) -> bool {
        self.changes.get(place).is_some_and(|it| it.part == Part::Completion)
    }

    /// Notes what became of a change that was begun; of any other, nothing is noted.
    pub fn finish(&mut self, key: &Key, outcome: Outcome) {
        let Some(place) = self.current(key) else {
            return;
        };
        if self.changes[place].state == State::Running {
            self.running -= 1;
            // Who was stopped before the first write is no reason for others not to happen.
            let has_begun = outcome != Outcome::NotStarted;
            self.conclude(place, outcome);
            if has_begun {
                self.propagate(place);
            }
        }
    }

    fn conclude(&mut self, place: usize, outcome: Outcome) {
        self.changes[place].state = State::Ended(outcome);
        self.open -= 1;
    }

    /// Lets begin what waited for a change that has ended, or ends it too if it cannot happen.
    fn propagate(&mut self, place: usize) {
        let mut ended = vec![place];
        while let Some(place) = ended.pop() {
            let because_of = self.changes[place].key.clone();
            let is_applied = self.changes[place].state == State::Ended(Outcome::Applied);
            for follower in self.changes[place].followers.clone() {
                let tracked = &mut self.changes[follower];
                if tracked.state != State::Waiting {
                    continue;
                }
                if !is_applied {
                    let because_of = because_of.clone();
                    self.conclude(follower, Outcome::Skipped { because_of });
                    ended.push(follower);
                    continue;
                }
                tracked.unmet = tracked.unmet.saturating_sub(1);
                if tracked.unmet == 0 && !self.stopped {
                    self.ready.insert(follower);
                }
            }
        }
    }

    /// Lets nothing new begin; what was begun is to be finished (SIGTERM, budget, deadline).
    pub fn stop(&mut self) {
        self.stopped = true;
        self.ready.clear();
    }

    /// Whether nothing runs and nothing will begin.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.running == 0 && (self.stopped || self.open == 0)
    }

    /// How many changes were begun and not finished.
    #[must_use]
    pub const fn running(&self) -> usize {
        self.running
    }

    /// Returns what became of every change so far. One that was begun and never finished counts
    /// as unresolved: only a look at the platform can tell. What was done and not completed is told
    /// as two: what was done, and an update that was not.
    #[must_use]
    pub fn report(&self) -> Report {
        let told = self.changes.iter().enumerate().filter(|(place, tracked)| match tracked.part {
            Part::First => true,
            Part::Completion => {
                let is_done = |place: usize| {
                    let tracked = self.changes.get(place);
                    tracked.is_some_and(|it| it.state == State::Ended(Outcome::Applied))
                };
                is_done(place.saturating_sub(1)) && !is_done(*place)
            }
        });
        let results = told.map(|(_, tracked)| ChangeResult {
            key: tracked.key.clone(),
            action: tracked.action,
            outcome: match &tracked.state {
                State::Waiting => Outcome::NotStarted,
                State::Running => Outcome::Unresolved {
                    cause: FailureCause::Other,
                    message: "it was begun and not finished".to_owned(),
                },
                State::Ended(outcome) => outcome.clone(),
            },
        });
        Report { results: results.collect(), stopped: self.stopped }
    }
}
