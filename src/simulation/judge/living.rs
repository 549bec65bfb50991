//! What lives on the platform, and who made it: built from the effects of the record alone.

use std::collections::BTreeMap;

use crate::emulator::{Kind, Mutation, Verb};

/// Who made a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    /// One of our processes; whether it saw the 201.
    Ours { process: usize, has_seen: bool },
    /// Somebody else.
    Others,
}

impl Maker {
    pub const fn unseen(process: usize) -> Self {
        Self::Ours { process, has_seen: false }
    }

    /// Whether a process made it, seen or not.
    pub fn is(self, process: usize) -> bool {
        match self {
            Self::Ours { process: maker, has_seen: _ } => maker == process,
            Self::Others => false,
        }
    }
}

/// A thing that lives.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub kind: Kind,
    pub name: String,
    /// The name it was made under, as the request said; its name where nobody knows.
    pub asked_as: String,
    pub maker: Maker,
    /// Whether somebody else gave it another name.
    pub is_renamed: bool,
    /// At which step of the timeline it got its name.
    pub named_since: usize,
    /// The request that made it.
    number: Option<usize>,
}

/// Everything that lives, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Living(BTreeMap<String, Thing>);

impl Living {
    /// Follows an effect. `asked` is the name that stood in its request: the platform may have made
    /// another of it (A22).
    pub fn change(
        &mut self,
        effect: &Mutation,
        maker: Maker,
        (number, asked): (Option<usize>, Option<&str>),
        step: usize,
    ) {
        let Mutation { verb, kind, id, name } = effect;
        match verb {
            Verb::Created => {
                let asked_as = asked.unwrap_or(name).to_owned();
                let (kind, name, is_renamed) = (*kind, name.clone(), false);
                let named_since = step;
                let thing = Thing { kind, name, asked_as, maker, is_renamed, named_since, number };
                self.0.insert(id.clone(), thing);
            }
            Verb::Patched => {
                if let Some(thing) = self.0.get_mut(id) {
                    let is_by_its_maker = match maker {
                        Maker::Ours { process, has_seen: _ } => thing.maker.is(process),
                        Maker::Others => false,
                    };
                    thing.is_renamed |= !is_by_its_maker && thing.name != *name;
                    if is_by_its_maker && let Some(asked) = asked {
                        thing.asked_as = asked.to_owned();
                    }
                    if thing.name != *name {
                        // What somebody else has named so is nothing that was asked for any more.
                        if !is_by_its_maker {
                            thing.asked_as.clone_from(name);
                        }
                        thing.named_since = step;
                        thing.name.clone_from(name);
                    }
                }
            }
            Verb::Deleted => drop(self.0.remove(id)),
            Verb::Deployed | Verb::RolledBack => {}
        }
    }

    /// Notes that the answer to a create arrived.
    pub fn seen(&mut self, number: usize) {
        let made = self.0.values_mut().filter(|thing| thing.number == Some(number));
        for thing in made {
            if let Maker::Ours { has_seen, .. } = &mut thing.maker {
                *has_seen = true;
            }
        }
    }

    pub fn get(&self, id: &str) -> Option<&Thing> {
        self.0.get(id)
    }

    pub fn things(&self) -> impl Iterator<Item = (&String, &Thing)> {
        self.0.iter()
    }
}
