//! The laws that are seen on a state, not on a step.

use std::hash::{DefaultHasher, Hash, Hasher};

use stoker::model::{Key, Resource};
use stoker::plan::{Action, Change};

use super::act::Fate;
use super::house::{Deed, House, State};
use super::world::{Maker, Name, Place, Sight, key, remote_id, size_of, size_path};

/// The passes within which everything is as declared (L1).
const PASSES_MAX: usize = 3;

/// S3: of what an agent made under one name, at most one lives, whatever it is shown as.
pub fn nothing_is_there_twice(state: &State) -> bool {
    let things = &state.world.things;
    // What a person renamed has its name from that person.
    let is_living = |it: &&super::world::Thing| {
        it.died.is_none() && it.maker != Maker::Person && it.name != Name::Elsewhere
    };
    things.iter().filter(is_living).enumerate().all(|(number, one)| {
        let later = things.iter().filter(is_living).skip(number + 1);
        later.into_iter().all(|other| {
            (other.maker, other.made_as, other.place) != (one.maker, one.made_as, one.place)
        })
    })
}

/// L4: whatever an agent made is remembered, or its intent is, or the run that made it goes on.
///
/// One exception, in which nobody can know: what a person renamed before it was seen; the plan lists
/// it as unmanaged.
pub fn nothing_is_forgotten(state: &State) -> bool {
    state.world.things.iter().enumerate().all(|(id, thing)| {
        let Maker::Agent(agent) = thing.maker else { return true };
        let agent = &state.agents[agent];
        let key = key(thing.made_as);
        let is_known = agent.memory.entries.values().any(|it| it.id == remote_id(id));
        let is_open = agent.memory.intents.contains_key(key);
        let runs = agent.run.as_ref().is_some_and(|run| run.work.contains_key(&thing.made_as));
        let is_gone = thing.died.is_some() || thing.name == Name::Elsewhere;
        is_gone || is_known || is_open || runs
    })
}

/// L1 and L3: from wherever everybody was stopped, undisturbed passes end as declared, with no
/// more creates than removals, and then nothing is left to do.
pub fn it_settles(house: &House, state: &State) -> bool {
    if state.agents.iter().any(|agent| agent.run.is_some()) {
        return true;
    }
    let mut hasher = DefaultHasher::new();
    (&state.world, &state.agents, state.wish, state.people_acted).hash(&mut hasher);
    let end = hasher.finish();
    if house.good_ends.lock().unwrap().contains(&end) {
        return true;
    }
    // What is under way is lost, or arrives now.
    let is_good = settles(house, state, |world| world.messages.clear())
        && (state.world.messages.is_empty()
            || settles(house, state, |world| {
                while !world.messages.is_empty() {
                    world.deliver(0);
                }
            }));
    if is_good {
        house.good_ends.lock().unwrap().insert(end);
    }
    is_good
}

fn settles(house: &House, state: &State, end: impl Fn(&mut super::world::World)) -> bool {
    let mut state = state.clone();
    end(&mut state.world);
    state.world.now += 4;
    for agent in 0..state.agents.len() {
        if let Some(pin) = &state.agents[agent].memory.pin {
            let is_ours = *pin == super::world::pin(Place::Ours);
            state.world.token = if is_ours { Place::Ours } else { Place::Foreign };
        }
        for _ in 0..PASSES_MAX {
            pass(house, &mut state, agent);
        }
        if !is_as_declared(house, &state, agent) {
            return false;
        }
    }
    true
}

/// One undisturbed pass.
fn pass(house: &House, state: &mut State, agent: usize) {
    state.take(house, Deed::Look(agent, Sight::Fresh));
    while state.agents[agent].run.is_some() {
        let next = house.steps_of(state, agent).into_iter().find(|deed| match deed {
            Deed::LookAgain(_, sight) | Deed::Seek(_, _, sight) => *sight == Sight::Fresh,
            Deed::Write(_, _, fate) | Deed::Leave(_, _, fate) => *fate == Fate::Answered,
            _ => true,
        });
        state.take(house, next.unwrap());
    }
}

fn is_as_declared(house: &House, state: &State, agent: usize) -> bool {
    let desired = &house.wishes[state.wish];
    let place = state.world.token;
    let seen = state.world.list(place, Sight::Fresh);
    let one = &state.agents[agent];
    let plan = stoker::plan::plan(
        &one.snapshot(&state.world, desired, &seen, Sight::Fresh),
        &super::agent::policy(house.protocol),
    );
    let is_left = |it: &Change| it.blocked.is_none() && it.action != Action::None;
    // Where names change, a lost create is a question to people, too.
    let others_acted = state.people_acted || state.agents.len() > 1 || state.world.changes_names;
    let is_there = |(key, resource): (&Key, &Resource)| {
        let size = size_of(&resource.fields[&size_path()].value);
        let name = super::world::name(key);
        let named = state
            .world
            .living(place)
            .filter(|(_, it)| it.name == name || (it.name == Name::Given && it.made_as == name));
        let sizes: Vec<u8> = named.map(|(_, it)| it.size).collect();
        // Where somebody else made a second one of the name, people are told and nothing is done.
        let is_blocked = plan.changes.iter().any(|it| it.key == *key && it.blocked.is_some());
        if others_acted { is_blocked || sizes.contains(&size) } else { sizes == [size] }
    };
    !plan.changes.iter().any(is_left)
        && desired.resources.iter().all(is_there)
        && counts_are_right(state)
}

/// L3: a thing is made again only when it went.
fn counts_are_right(state: &State) -> bool {
    let things = &state.world.things;
    (0..state.agents.len()).all(|agent| {
        [Name::A, Name::B].into_iter().all(|name| {
            let made =
                things.iter().filter(|it| (it.maker, it.made_as) == (Maker::Agent(agent), name));
            let went = things.iter().filter(|it| {
                it.made_as == name
                    && (it.died.is_some()
                        || it.name == Name::Elsewhere
                        || it.place == Place::Foreign)
            });
            made.count() <= 1 + went.count()
        })
    })
}
