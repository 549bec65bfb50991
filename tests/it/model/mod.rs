//! A model of ownership, create, adopt, prune and patch, searched state by state.
//!
//! Two names, crashes at every step, lost and late creates, lists that are stale, torn or unknown,
//! people who make, remove, rename and edit, a token that selects another project, and a second
//! agent. The decisions are the program's own; the model only carries them out. A protocol that is
//! wrong in one point must break a law within the same bounds, else the search proves nothing.

mod act;
mod agent;
mod house;
mod laws;
mod world;

pub mod rate;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use stateright::{Checker, Expectation, HasDiscoveries, Model};
use stoker::apply::Patience;

pub use agent::Protocol;
pub use house::{Bond, House, TROUBLES, Trouble, wish};
pub use world::Name;

/// Two names and a manifest that lets one of them go and changes the other; nothing goes wrong yet.
pub fn house(protocol: Protocol, patience: Patience, bond: Bond) -> House {
    let first = wish(&[(Name::A, 1), (Name::B, 1)], None, bond);
    let second = wish(&[(Name::A, 2)], None, bond);
    House {
        protocol,
        patience,
        agents: 1,
        names_unique: false,
        changes_names: protocol == Protocol::TrustsNames,
        wishes: vec![first, second],
        protected: None,
        troubles: TROUBLES,
        trouble: 0,
        minutes: 4,
        good_ends: Arc::default(),
    }
}

/// Every protocol that is wrong in one point, what must go wrong beside it, and the law it breaks.
pub fn wrong() -> Vec<(House, &'static str)> {
    use Trouble::{Answer, Crash, People, Sight, Token};
    let table: [(_, _, &'static [Trouble], _); 12] = [
        (Protocol::NoIntent, Patience::Leave, &[Answer, Crash], "S3"),
        (Protocol::NoIntent, Patience::Wait, &[Answer, Crash], "L4"),
        (Protocol::IntentBeforeWaiting, Patience::Wait, &[Answer], "S3"),
        (Protocol::ResendAtOnce, Patience::Wait, &[Answer], "S3"),
        (Protocol::ForgetsStaleness, Patience::Wait, &[Answer, Sight], "S3"),
        (Protocol::PresumesAtOnce, Patience::Wait, &[Answer, People], "L4"),
        (Protocol::AdoptOnSight, Patience::Wait, &[Answer], "S1"),
        (Protocol::NoPin, Patience::Wait, &[Token, Crash], "S5"),
        (Protocol::OneListing, Patience::Leave, &[Answer, Sight], "S3"),
        (Protocol::DeleteByName, Patience::Wait, &[People], "S1"),
        (Protocol::TrustsNames, Patience::Wait, &[Answer], "S3"),
        (Protocol::TrustsNames, Patience::Leave, &[Answer], "S3"),
    ];
    let house = |(protocol, patience, troubles, law)| {
        (House { troubles, trouble: 2, ..house(protocol, patience, Bond::Chained) }, law)
    };
    table.map(house).into()
}

/// How far a search came.
#[derive(Debug)]
pub struct Searched {
    /// How many states there are, or were looked at until a law broke.
    pub states: usize,
    /// The most steps on one path.
    pub depth: usize,
    /// The laws that broke, each with the way there.
    pub broken: BTreeMap<&'static str, String>,
    /// What must be possible, and was not found.
    pub impossible: Vec<&'static str>,
}

/// Searches every state, or until a certain law breaks.
pub fn search<M>(model: M, until: Option<&'static str>) -> Searched
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let builder = match until {
        None => model.checker(),
        Some(law) => model.checker().finish_when(HasDiscoveries::AnyOf([law].into())),
    };
    let checker = builder.threads(2).spawn_bfs().join();
    let mut searched = Searched {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        broken: BTreeMap::new(),
        impossible: Vec::new(),
    };
    for property in checker.model().properties() {
        let found = checker.discovery(property.name);
        match (property.expectation, found) {
            (Expectation::Always | Expectation::Eventually, Some(path)) => {
                let way = format!("{:#?}", path.into_actions());
                searched.broken.insert(property.name, way);
            }
            (Expectation::Sometimes, None) => searched.impossible.push(property.name),
            (Expectation::Always | Expectation::Eventually, None)
            | (Expectation::Sometimes, Some(_)) => {}
        }
    }
    searched
}
