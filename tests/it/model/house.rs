//! The model as a whole: which steps there are in each state, and the laws over all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use stateright::{Model, Property};
use stoker::apply::Patience;
use stoker::model::{Claim, Desired, Field, Lifecycle, Origin, Resource};
use stoker::store::JournalEvent;

use super::act::Fate;
use super::agent::{Agent, Manner, Protocol, Sweep, Work};
use super::world::{Maker, Minute, Name, Place, Sight, World, id_of, key, size_path, size_value};

/// The laws of `safety.md` that a step can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Law {
    S1,
    S5,
    S7,
    S11,
}

/// What is searched, and how far.
#[derive(Clone, Debug)]
pub struct House {
    pub protocol: Protocol,
    pub patience: Patience,
    pub agents: usize,
    pub names_unique: bool,
    /// Whether the platform shows what an agent makes under another name (A22).
    pub changes_names: bool,
    /// What the manifests say, one after the other.
    pub wishes: Vec<Desired>,
    pub protected: Option<Name>,
    /// What may go wrong.
    pub troubles: &'static [Trouble],
    /// How much of it may go wrong on one path.
    pub trouble: u8,
    /// How many minutes may pass.
    pub minutes: Minute,
    /// The ends that were found good already: many states differ only in what led to them.
    pub good_ends: Arc<Mutex<BTreeSet<u64>>>,
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A run dies.
    Crash,
    /// A request or its answer is lost, or is late.
    Answer,
    /// A look is not sound.
    Sight,
    /// People make, remove, rename and edit things, and confirm what is presumed.
    People,
    /// The token selects another project.
    Token,
}

/// Everything that may go wrong.
pub const TROUBLES: &[Trouble] =
    &[Trouble::Crash, Trouble::Answer, Trouble::Sight, Trouble::People, Trouble::Token];

/// Everything at one time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub world: World,
    pub agents: Vec<Agent>,
    pub wish: usize,
    /// How much may yet go wrong.
    pub trouble: u8,
    pub people_acted: bool,
    pub broken: BTreeSet<Law>,
    pub manner: Manner,
    pub names_unique: bool,
    pub protected: Option<Name>,
}

/// One step of anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    Tick,
    Wish,
    Deliver(usize),
    Token,
    Make(Name),
    Remove(usize),
    Rename(usize),
    Resize(usize),
    Adopt(usize, Name),
    Crash(usize),
    Look(usize, Sight),
    LookAgain(usize, Sight),
    Write(usize, Name, Fate),
    Leave(usize, Name, Fate),
    WriteDown(usize, Name),
    Seek(usize, Name, Sight),
}

/// Whether what is declared hangs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bond {
    /// Each by itself: their writes mix in every way.
    Apart,
    /// `b` refers to `a`, and comes after it.
    Chained,
}

/// Manifests that declare services of these sizes.
pub fn wish(services: &[(Name, u8)], protected: Option<Name>, bond: Bond) -> Desired {
    let origin = Origin { file: "stack.yaml".to_owned(), line: 1, column: 1 };
    let resource = |(name, size): &(Name, u8)| {
        let field = Field { value: size_value(*size), origin: origin.clone() };
        let protect = protected == Some(*name);
        let follows = bond == Bond::Chained && *name == Name::B;
        let resource = Resource {
            fields: BTreeMap::from([(size_path(), field)]),
            lifecycle: Lifecycle { protect, ..Lifecycle::default() },
            depends_on: follows.then(|| key(Name::A).clone()).into_iter().collect(),
            ..Resource::new(key(*name).clone(), origin.clone())
        };
        (resource.key.clone(), resource)
    };
    Desired { resources: services.iter().map(resource).collect(), ..Desired::default() }
}

impl House {
    pub fn start(&self) -> State {
        State {
            world: World::new(self.changes_names),
            agents: vec![Agent::new(); self.agents],
            wish: 0,
            trouble: self.trouble,
            people_acted: false,
            broken: BTreeSet::new(),
            manner: Manner { protocol: self.protocol, patience: self.patience },
            names_unique: self.names_unique,
            protected: self.protected,
        }
    }

    pub fn steps_of(&self, state: &State, agent: usize) -> Vec<Deed> {
        let Some(run) = &state.agents[agent].run else {
            let sights = state.world.sights(state.world.token);
            return sights.into_iter().map(|sight| Deed::Look(agent, sight)).collect();
        };
        let sights = state.world.sights(run.place);
        if let Sweep::After(_) = run.sweep {
            return sights.into_iter().map(|sight| Deed::LookAgain(agent, sight)).collect();
        }
        let fates = [Fate::Answered, Fate::Lost, Fate::Late, Fate::Never];
        let mut steps = Vec::new();
        let progress = run.progress();
        for ready in progress.ready() {
            let name = super::world::name(ready);
            // Where the intent comes long before the POST, its fate is decided later; a write that
            // is no create is carried out or not answered.
            let change = run.change(name);
            let creates = change.action == stoker::plan::Action::Create;
            let count = match (creates, self.protocol) {
                (true, Protocol::IntentBeforeWaiting) => 1,
                (true, _) => 4,
                (false, _) if change.steps.is_empty() => 1,
                (false, _) => 2,
            };
            steps.extend(fates[..count].iter().map(|fate| Deed::Write(agent, name, *fate)));
        }
        for (name, work) in &run.work {
            match work {
                Work::Waiting(_) => {
                    steps.extend(fates.map(|fate| Deed::Leave(agent, *name, fate)));
                }
                Work::Again(_) => steps.extend(fates.map(|fate| Deed::Write(agent, *name, fate))),
                Work::Created(_) | Work::Written => steps.push(Deed::WriteDown(agent, *name)),
                Work::Seeking(..) => {
                    steps.extend(sights.iter().map(|sight| Deed::Seek(agent, *name, *sight)));
                }
                Work::Ended(_) => {}
            }
        }
        steps
    }

    /// Whether time changes anything: else every minute would only make more states.
    fn may_tick(&self, state: &State) -> bool {
        let world = &state.world;
        let is_new = |at: Minute| at == world.now;
        let moved = world.things.iter().any(|it| is_new(it.born) || it.died.is_some_and(is_new));
        let may_be_stale = moved && state.trouble > 0 && self.troubles.contains(&Trouble::Sight);
        let went = world.things.iter().any(|it| is_new(it.born) && it.died.is_some());
        let open = state.agents.iter().any(|it| !it.memory.intents.is_empty());
        let matters = may_be_stale || went || open || !world.messages.is_empty();
        world.now < self.minutes && matters
    }

    fn deeds_of_people(&self, state: &State, deeds: &mut Vec<Deed>) {
        deeds.extend([Deed::Token, Deed::Make(Name::A), Deed::Make(Name::B)]);
        for (id, thing) in state.world.living(Place::Ours) {
            deeds.extend([Deed::Remove(id), Deed::Resize(id)]);
            if thing.name != Name::Elsewhere {
                deeds.push(Deed::Rename(id));
            }
        }
        for (number, agent) in state.agents.iter().enumerate().filter(|(_, it)| it.run.is_none()) {
            let entries = agent.memory.entries.iter();
            let is_open = |claim: Claim| matches!(claim, Claim::Named | Claim::Presumed);
            let open = entries.filter(|(_, entry)| is_open(entry.claim));
            deeds.extend(open.map(|(key, _)| Deed::Adopt(number, super::world::name(key))));
        }
    }
}

impl Deed {
    /// What of the things that go wrong it is.
    const fn trouble(self) -> Option<Trouble> {
        match self {
            Self::Tick | Self::Wish | Self::Deliver(_) | Self::WriteDown(..) => None,
            Self::Look(_, Sight::Fresh)
            | Self::LookAgain(_, Sight::Fresh)
            | Self::Seek(_, _, Sight::Fresh) => None,
            Self::Look(..) | Self::LookAgain(..) | Self::Seek(..) => Some(Trouble::Sight),
            Self::Write(_, _, Fate::Answered) | Self::Leave(_, _, Fate::Answered) => None,
            Self::Write(..) | Self::Leave(..) => Some(Trouble::Answer),
            Self::Token => Some(Trouble::Token),
            Self::Crash(_) => Some(Trouble::Crash),
            Self::Make(_)
            | Self::Remove(_)
            | Self::Rename(_)
            | Self::Resize(_)
            | Self::Adopt(..) => Some(Trouble::People),
        }
    }
}

impl State {
    /// Takes a step; says whether anything came of it.
    pub fn take(&mut self, house: &House, deed: Deed) -> bool {
        if deed.trouble().is_some() {
            self.trouble -= 1;
        }
        match deed {
            Deed::Tick => self.world.tick(),
            Deed::Wish => self.wish += 1,
            Deed::Deliver(number) => {
                let message = &self.world.messages[number];
                let (name, place) = (message.name, message.place);
                let is_taken = self.world.living(place).any(|(_, it)| it.name == name);
                if self.names_unique && is_taken {
                    self.world.messages.remove(number);
                } else {
                    self.world.deliver(number);
                }
            }
            Deed::Token => {
                self.world.token = match self.world.token {
                    Place::Ours => Place::Foreign,
                    Place::Foreign => Place::Ours,
                };
            }
            Deed::Make(_) | Deed::Remove(_) | Deed::Rename(_) | Deed::Resize(_) => {
                return self.by_hand(deed);
            }
            Deed::Adopt(agent, name) => self.confirm(agent, name),
            Deed::Crash(agent) => self.agents[agent].run = None,
            Deed::Look(agent, sight) => {
                let desired = &house.wishes[self.wish];
                let plan = self.agents[agent].look(&self.world, self.manner, desired, sight);
                let Some(plan) = plan else { return false };
                self.weigh(agent, &plan);
                self.end_run_if_done(agent);
            }
            Deed::LookAgain(agent, sight) => {
                self.agents[agent].run.as_mut().unwrap().look_again(&self.world, sight);
            }
            Deed::Write(agent, name, fate) => self.write(agent, name, fate),
            Deed::Leave(agent, name, fate) => {
                let run = self.agents[agent].run.as_ref().unwrap();
                let Work::Waiting(intent) = run.work[&name].clone() else { panic!("none waits") };
                self.post(agent, name, intent, fate);
            }
            Deed::WriteDown(agent, name) => self.write_down(agent, name),
            Deed::Seek(agent, name, sight) => self.seek(agent, name, sight),
        }
        true
    }

    fn by_hand(&mut self, deed: Deed) -> bool {
        self.people_acted = true;
        let now = self.world.now;
        match deed {
            Deed::Make(name) => {
                let is_taken = self.world.living(Place::Ours).any(|(_, it)| it.name == name);
                if self.names_unique && is_taken {
                    return false;
                }
                self.world.make(Maker::Person, name, 1, Place::Ours);
            }
            Deed::Remove(id) => self.world.things[id].died = Some(now),
            Deed::Rename(id) => self.world.things[id].name = Name::Elsewhere,
            Deed::Resize(id) => self.world.things[id].size = 9,
            other => panic!("no deed of people: {other:?}"),
        }
        true
    }

    /// What `stoker adopt` remembers.
    fn confirm(&mut self, agent: usize, name: Name) {
        let entry = &self.agents[agent].memory.entries[key(name)];
        let id = id_of(&entry.id);
        let entry = Box::new(stoker::model::Entry { claim: Claim::Adopted, ..entry.clone() });
        self.agents[agent].remember(&JournalEvent::Recorded { key: key(name).clone(), entry });
        self.world.things[id].right.push(agent);
    }
}

impl Model for House {
    type State = State;
    type Action = Deed;

    fn init_states(&self) -> Vec<State> {
        vec![self.start()]
    }

    fn actions(&self, state: &State, deeds: &mut Vec<Deed>) {
        if self.may_tick(state) {
            deeds.push(Deed::Tick);
        }
        if state.wish + 1 < self.wishes.len() {
            deeds.push(Deed::Wish);
        }
        deeds.extend((0..state.world.messages.len()).map(Deed::Deliver));
        self.deeds_of_people(state, deeds);
        for (number, agent) in state.agents.iter().enumerate() {
            if agent.run.is_some() {
                deeds.push(Deed::Crash(number));
            }
            deeds.extend(self.steps_of(state, number));
        }
        let may_happen = |trouble| state.trouble > 0 && self.troubles.contains(&trouble);
        deeds.retain(|deed| deed.trouble().is_none_or(may_happen));
    }

    fn next_state(&self, state: &State, deed: Deed) -> Option<State> {
        let mut next = state.clone();
        next.take(self, deed).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("S1", |_, state: &State| !state.broken.contains(&Law::S1)),
            Property::always("S3", |_, state: &State| super::laws::nothing_is_there_twice(state)),
            Property::always("S5", |_, state: &State| !state.broken.contains(&Law::S5)),
            Property::always("S7", |_, state: &State| !state.broken.contains(&Law::S7)),
            Property::always("S11", |_, state: &State| !state.broken.contains(&Law::S11)),
            Property::always("L3", super::laws::it_settles),
            Property::always("L4", |_, state: &State| super::laws::nothing_is_forgotten(state)),
            Property::sometimes("a delete", |_, state: &State| {
                state.world.things.iter().any(|it| it.died.is_some() && !state.people_acted)
            }),
        ]
    }
}
