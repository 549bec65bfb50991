//! What an agent of the model does to the platform and to its memory, one step at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use stoker::apply::Patience;
use stoker::model::{Claim, Entry, FieldPath, Intent, Kind, RemoteId, Setting};
use stoker::plan::{
    Action, AfterLook, Change, CreateAnswer, Precondition, Sighting, Step, after_look, bystanders,
    rival, sight,
};
use stoker::store::JournalEvent;

use super::agent::{Protocol, Sweep, Work, claim_of};
use super::house::{Law, State};
use super::world::{Maker, Message, Name, Sight, id_of, key, pin, remote_id, size_of, size_path};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It is carried out and answered.
    Answered,
    /// It is carried out, and the answer is lost.
    Lost,
    /// Nobody hears of it until it is carried out later, or is not.
    Late,
    /// It does not arrive.
    Never,
}

impl State {
    /// Begins a change, or sends its create again.
    pub fn write(&mut self, agent: usize, name: Name, fate: Fate) {
        let run = self.agents[agent].run.as_ref().unwrap();
        let change = run.change(name).clone();
        let attempt = match run.work.get(&name) {
            Some(Work::Again(attempt)) => *attempt,
            Some(_) | None => 1,
        };
        match change.steps.first() {
            None => self.only_remember(agent, &change),
            Some(Step::Create { .. }) => {
                let is_free = attempt > 1 || self.is_absent(agent, name);
                if !is_free {
                    return self.end(agent, name, false);
                }
                let intent = change.intent(attempt, self.world.time(), &self.bystanders(agent));
                if self.manner.protocol != Protocol::NoIntent {
                    let (key, intent) = (key(name).clone(), intent.clone());
                    self.agents[agent].remember(&JournalEvent::Began { key, intent });
                }
                if self.manner.protocol == Protocol::IntentBeforeWaiting {
                    self.set(agent, name, Work::Waiting(intent));
                } else {
                    self.post(agent, name, intent, fate);
                }
            }
            Some(Step::Patch { id, precondition, .. }) => {
                self.patch(agent, &change, id, precondition, fate);
            }
            Some(Step::Delete { id, precondition }) => {
                self.delete(agent, name, id, precondition, fate);
            }
            Some(Step::Deploy { .. }) => panic!("no deploy in the model"),
            Some(Step::MakeWay { .. }) => panic!("no names go round in the model"),
            Some(Step::Complete { .. }) => panic!("no references in the model"),
        }
    }

    /// Adoptions and what is to be forgotten, as `apply` remembers them.
    fn only_remember(&mut self, agent: usize, change: &Change) {
        let key = change.key.clone();
        let name = super::world::name(&key);
        if change.forgets_what_a_list_lacks() && !self.is_absent(agent, name) {
            return self.end(agent, name, false);
        }
        match (&change.record, &change.id) {
            (Some(record), Some(id)) => {
                let entry = record.clone().into_entry(id.clone(), None);
                self.record(agent, change, entry);
            }
            (None, _) => {
                self.agents[agent].remember(&JournalEvent::Forgotten { key: key.clone() });
                self.agents[agent].remember(&JournalEvent::Abandoned { key: key.clone() });
            }
            (Some(_), None) => {}
        }
        self.end(agent, name, true);
    }

    fn record(&mut self, agent: usize, change: &Change, mut entry: Entry) {
        entry.claim = claim_of(self.manner.protocol, entry.claim);
        let (key, entry) = (change.key.clone(), Box::new(entry));
        let former = change.record.as_ref().and_then(|record| record.renamed_from.clone());
        self.agents[agent].remember(&match former {
            Some(from) => JournalEvent::Renamed { from, to: key, entry },
            None => JournalEvent::Recorded { key, entry },
        });
    }

    fn is_absent(&self, agent: usize, name: Name) -> bool {
        let run = self.agents[agent].run.as_ref().unwrap();
        match &run.sweep {
            Sweep::Done(seen) => {
                let keeps_names = super::agent::policy(self.manner.protocol).platform.keeps_names;
                let memory = &self.agents[agent].memory;
                rival(&self.world.listing(seen), key(name), None, memory, keeps_names).is_none()
            }
            Sweep::None | Sweep::After(_) => self.manner.protocol == Protocol::OneListing,
        }
    }

    /// What lived before a create leaves, and is not the agent's.
    fn bystanders(&self, agent: usize) -> BTreeSet<RemoteId> {
        let agent = &self.agents[agent];
        match &agent.run.as_ref().unwrap().sweep {
            Sweep::Done(seen) => {
                bystanders(Kind::Service, &self.world.listing(seen), &agent.memory)
            }
            Sweep::None | Sweep::After(_) => BTreeSet::new(),
        }
    }

    /// Sends a create.
    pub fn post(&mut self, agent: usize, name: Name, intent: Intent, fate: Fate) {
        let run = self.agents[agent].run.as_ref().unwrap();
        let (place, change) = (run.place, run.change(name));
        let Some(Step::Create { fields }) = change.steps.first() else { panic!("no create") };
        let size = size_of(&fields[&size_path()]);
        let is_taken = self.names_unique && self.world.living(place).any(|(_, it)| it.name == name);
        self.writes_here(agent);
        let maker = Maker::Agent(agent);
        let answer = match fate {
            Fate::Answered if is_taken => CreateAnswer::NameTaken,
            Fate::Answered => {
                let id = self.world.make(maker, name, size, place);
                return self.set(agent, name, Work::Created(id));
            }
            Fate::Lost if !is_taken => {
                self.world.make(maker, name, size, place);
                CreateAnswer::Lost
            }
            Fate::Late => {
                let left = self.world.now;
                self.world.messages.push(Message { agent, name, size, place, left });
                CreateAnswer::Lost
            }
            Fate::Lost | Fate::Never => CreateAnswer::Lost,
        };
        if !answer.must_be_looked_for(intent.attempt) {
            self.agents[agent].remember(&JournalEvent::Abandoned { key: key(name).clone() });
            return self.end(agent, name, false);
        }
        match self.manner.patience {
            Patience::Leave => self.end(agent, name, false),
            Patience::Wait => self.set(agent, name, Work::Seeking(intent, None)),
        }
    }

    /// Looks for a create whose answer was lost.
    pub fn seek(&mut self, agent: usize, name: Name, how: Sight) {
        let run = self.agents[agent].run.as_ref().unwrap();
        let Some(Work::Seeking(intent, before)) = run.work.get(&name).cloned() else {
            panic!("nothing is sought")
        };
        let seen = self.world.list(run.place, how);
        let listing = self.world.listing(&seen);
        let began = before.as_ref().map_or(self.world.time(), |(_, at)| *at);
        // The same two passes that `list_steadily` asks for.
        let is_steady = before.as_ref().map_or(listing.pages == 1, |(before, _)| {
            listing.confirms(&self.world.listing(before))
        });
        let is_told = is_steady || !listing.coverage.is_complete();
        if !is_told && self.manner.protocol != Protocol::OneListing {
            return self.set(agent, name, Work::Seeking(intent, Some((seen, began))));
        }
        let memory = &self.agents[agent].memory;
        let keeps_names = super::agent::policy(self.manner.protocol).platform.keeps_names;
        let sighting = sight(&listing, key(name), &intent, memory, keeps_names);
        let settle = match (self.manner.protocol, &sighting) {
            (Protocol::PresumesAtOnce, Sighting::One(_)) => Duration::ZERO,
            (protocol, _) => protocol.settle(),
        };
        match after_look(sighting, &intent, settle, began) {
            AfterLook::Presume(object) => {
                let change = run.change(name).clone();
                let Some(Step::Create { fields }) = change.steps.first() else { panic!() };
                let now = self.world.time();
                let entry = change.entry_of_created(fields, object, Claim::Presumed, now);
                self.record(agent, &change, entry.unwrap());
                self.end(agent, name, true);
            }
            AfterLook::LookAgain => self.set(agent, name, Work::Seeking(intent, None)),
            AfterLook::SendAgain => self.set(agent, name, Work::Again(intent.attempt + 1)),
            AfterLook::GiveUp => {
                self.agents[agent].remember(&JournalEvent::Abandoned { key: key(name).clone() });
                self.end(agent, name, false);
            }
            AfterLook::AskWhose(_) | AfterLook::Unknown(_) => self.end(agent, name, false),
        }
    }

    fn patch(
        &mut self,
        agent: usize,
        change: &Change,
        id: &RemoteId,
        precondition: &Precondition,
        fate: Fate,
    ) {
        let name = super::world::name(&change.key);
        let id = id_of(id);
        if self.world.things[id].died.is_some() {
            return self.end(agent, name, false);
        }
        if precondition.broken_by(&self.world.get(id)).is_some() {
            return self.end(agent, name, false);
        }
        self.writes_here(agent);
        let Some(Step::Patch { fields, .. }) = change.steps.first() else { panic!("no patch") };
        let thing = &mut self.world.things[id];
        if let Some(Some(size)) = fields.get(&size_path()) {
            thing.size = size_of(size);
        }
        if fields.contains_key(&FieldPath::Setting(Setting::Name)) {
            thing.name = name;
        }
        self.answered(agent, name, fate);
    }

    fn delete(
        &mut self,
        agent: usize,
        name: Name,
        id: &RemoteId,
        precondition: &Precondition,
        fate: Fate,
    ) {
        let run = self.agents[agent].run.as_ref().unwrap();
        let mut target = id_of(id);
        if self.manner.protocol == Protocol::DeleteByName {
            let mut living = self.world.living(run.place);
            target = living.find(|(_, it)| it.name == name).map_or(target, |(id, _)| id);
        } else {
            let is_confirmed = matches!(run.sweep, Sweep::Done(_));
            let is_sure = is_confirmed || self.manner.protocol == Protocol::OneListing;
            let thing = &self.world.things[target];
            let is_there = thing.died.is_none() && thing.place == run.place;
            let moved = precondition.broken_by(&self.world.get(target)).is_some();
            if !is_sure || (is_there && moved) {
                return self.end(agent, name, false);
            }
        }
        let thing = &mut self.world.things[target];
        let is_there = thing.died.is_none() && thing.place == run.place;
        if is_there {
            thing.died = Some(self.world.now);
            let is_right = thing.right.contains(&agent);
            let is_protected = self.protected == Some(thing.made_as);
            self.writes_here(agent);
            self.breaks(Law::S1, !is_right);
            self.breaks(Law::S11, is_protected);
        } else {
            let listing = self.world.listing(&self.world.list(run.place, Sight::Fresh));
            if !listing.proves_gone(&remote_id(target)) {
                return self.end(agent, name, false);
            }
        }
        self.answered(agent, name, fate);
    }

    fn answered(&mut self, agent: usize, name: Name, fate: Fate) {
        match fate {
            Fate::Answered => self.set(agent, name, Work::Written),
            Fate::Lost | Fate::Late | Fate::Never => self.end(agent, name, false),
        }
    }

    /// Writes down what was answered.
    pub fn write_down(&mut self, agent: usize, name: Name) {
        let run = self.agents[agent].run.as_ref().unwrap();
        let (change, work) = (run.change(name).clone(), run.work[&name].clone());
        let now = self.world.time();
        match (work, change.steps.first()) {
            (Work::Created(id), Some(Step::Create { fields })) => {
                let object = self.world.answered(id, name);
                let entry = change.entry_of_created(fields, &object, Claim::Created, now);
                self.record(agent, &change, entry.unwrap());
                self.world.things[id].right.push(agent);
            }
            (Work::Written, Some(Step::Patch { id, .. })) => {
                let answer = self.world.answered(id_of(id), name);
                let entry = change.entry_of_patched(id, Some(&answer));
                self.record(agent, &change, entry.unwrap());
            }
            (Work::Written, Some(Step::Delete { .. })) => {
                assert_eq!(change.action, Action::Delete);
                self.agents[agent].remember(&JournalEvent::Forgotten { key: change.key.clone() });
            }
            (work, step) => panic!("nothing to write down: {work:?} {step:?}"),
        }
        self.end(agent, name, true);
    }

    fn set(&mut self, agent: usize, name: Name, work: Work) {
        self.agents[agent].run.as_mut().unwrap().work.insert(name, work);
    }

    fn end(&mut self, agent: usize, name: Name, is_applied: bool) {
        self.set(agent, name, Work::Ended(is_applied));
        self.end_run_if_done(agent);
    }

    pub fn end_run_if_done(&mut self, agent: usize) {
        let run = &mut self.agents[agent].run;
        if run.as_ref().is_some_and(|run| run.progress().is_finished()) {
            *run = None;
        }
    }

    /// A write leaves: it goes to the pinned project (S5).
    fn writes_here(&mut self, agent: usize) {
        let place = self.agents[agent].run.as_ref().unwrap().place;
        let is_pinned = self.agents[agent].memory.pin == Some(pin(place));
        self.breaks(Law::S5, !is_pinned);
    }

    fn breaks(&mut self, law: Law, is_broken: bool) {
        if is_broken {
            self.broken.insert(law);
        }
    }

    /// Notes what a plan that is about to be carried out would do too much of (S7).
    pub fn weigh(&mut self, agent: usize, plan: &stoker::plan::Plan) {
        let is_delete = |it: &&Change| it.action == Action::Delete && it.blocked.is_none();
        let deletes = plan.changes.iter().filter(is_delete).count();
        let is_service = |it: &&stoker::model::Key| it.kind == Kind::Service;
        let owned = self.agents[agent].memory.entries.keys().filter(is_service).count();
        // Of two, 30 % is none, and one is always allowed; but never the last one.
        self.breaks(Law::S7, deletes > 1 || (deletes > 0 && deletes >= owned));
    }
}
