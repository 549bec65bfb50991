//! The platform of the model: what is there, what is under way, and what a look may show of it.
//!
//! Time goes by minutes: replicas may be behind by less than one, requests be under way for two.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use stoker::model::{
    Coverage, FieldPath, FieldValue, Inventory, Key, Kind, Listing, Live, LiveObject, LiveValue,
    Pin, Project, RemoteId, Setting, Unknown,
};

/// Minutes since the model began.
pub type Minute = u8;

/// How long a request may be under way, in minutes (S3).
const UNDER_WAY: Minute = 2;

/// The names there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    A,
    B,
    /// What a person renames something to.
    Elsewhere,
    /// What the platform makes of a name, where it does not keep them (A22).
    Given,
}

/// Who made something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Maker {
    Agent(usize),
    Person,
}

/// The project that a token selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Ours,
    Foreign,
}

/// How sound a look is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sight {
    /// All there is.
    Fresh,
    /// What a replica shows that is behind by less than a minute.
    Stale,
    /// A list of several pages that moved while it was read: whole to all appearance, one missing.
    Torn(usize),
    /// A list that does not add up.
    Unknown,
}

/// Something on the platform. Its id is its place in the list; what is gone stays in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Thing {
    pub name: Name,
    pub made_as: Name,
    pub size: u8,
    pub place: Place,
    pub maker: Maker,
    pub born: Minute,
    pub died: Option<Minute>,
    /// The agents that wrote down their 201 of it, or whom a person told that it is theirs.
    pub right: Vec<usize>,
}

/// A create that left and has not arrived.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    pub agent: usize,
    pub name: Name,
    pub size: u8,
    pub place: Place,
    pub left: Minute,
}

/// What a list showed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    shown: Vec<(usize, Name, u8)>,
    pages: u32,
    is_complete: bool,
}

/// The platform.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub now: Minute,
    pub token: Place,
    pub things: Vec<Thing>,
    pub messages: Vec<Message>,
    /// Whether what an agent makes is shown under another name (A22).
    pub changes_names: bool,
}

impl World {
    pub fn new(changes_names: bool) -> Self {
        let (things, messages) = (Vec::new(), Vec::new());
        Self { now: 0, token: Place::Ours, things, messages, changes_names }
    }

    pub fn time(&self) -> Timestamp {
        minute(self.now)
    }

    /// Lets a minute pass; what was under way too long never arrives.
    pub fn tick(&mut self) {
        self.now += 1;
        let now = self.now;
        self.messages.retain(|message| now - message.left <= UNDER_WAY);
    }

    /// Makes something and returns its id.
    pub fn make(&mut self, maker: Maker, name: Name, size: u8, place: Place) -> usize {
        let (born, died, right) = (self.now, None, Vec::new());
        let made_as = name;
        let name = match maker {
            Maker::Agent(_) if self.changes_names => Name::Given,
            Maker::Agent(_) | Maker::Person => name,
        };
        self.things.push(Thing { name, made_as, size, place, maker, born, died, right });
        self.things.len() - 1
    }

    pub fn deliver(&mut self, number: usize) {
        let Message { agent, name, size, place, left: _ } = self.messages.remove(number);
        self.make(Maker::Agent(agent), name, size, place);
    }

    pub fn living(&self, place: Place) -> impl Iterator<Item = (usize, &Thing)> {
        let things = self.things.iter().enumerate();
        things.filter(move |(_, thing)| thing.died.is_none() && thing.place == place)
    }

    /// Every way in which a look may turn out. All but the first are trouble.
    pub fn sights(&self, place: Place) -> Vec<Sight> {
        let mut sights = vec![Sight::Fresh];
        if self.list(place, Sight::Stale) != self.list(place, Sight::Fresh) {
            sights.push(Sight::Stale);
        }
        if self.living(place).count() > 1 {
            sights.extend(self.living(place).map(|(id, _)| Sight::Torn(id)));
        }
        sights.push(Sight::Unknown);
        sights
    }

    pub fn list(&self, place: Place, sight: Sight) -> Seen {
        let things = self.things.iter().enumerate();
        let seen = things.filter(|(id, it)| it.place == place && self.shows(*id, sight));
        let shown: Vec<_> = seen.map(|(id, it)| (id, it.name, it.size)).collect();
        let missing = u32::from(matches!(sight, Sight::Torn(_)));
        let count = u32::try_from(shown.len()).unwrap() + missing;
        Seen { shown, pages: count.max(1), is_complete: sight != Sight::Unknown }
    }

    fn shows(&self, id: usize, sight: Sight) -> bool {
        let thing = &self.things[id];
        match sight {
            Sight::Fresh => thing.died.is_none(),
            Sight::Stale => thing.born < self.now && thing.died.is_none_or(|at| at == self.now),
            Sight::Torn(missing) => thing.died.is_none() && id != missing,
            Sight::Unknown => false,
        }
    }

    /// What the reader makes of a look: the lists, and what is ours and not in them by its id.
    pub fn live(&self, place: Place, seen: &Seen, sight: Sight, inventory: &Inventory) -> Live {
        let nothing = Listing { coverage: Coverage::Complete, objects: Vec::new(), pages: 1 };
        let listings = BTreeMap::from([
            (Kind::EnvGroup, nothing.clone()),
            (Kind::Database, nothing),
            (Kind::Service, self.listing(seen)),
        ]);
        let project = project(place);
        let is_ours = inventory.pin.as_ref().is_none_or(|pin| pin.holds(ORIGIN, &project));
        let mut live = Live { project, listings, gone: [].into(), unread: [].into(), requests: 4 };
        let missing = inventory.entries.values().filter(|entry| {
            is_ours && seen.is_complete && live.with_id(Kind::Service, &entry.id).is_none()
        });
        let missing: Vec<_> = missing.cloned().collect();
        for entry in missing {
            let found = (0..self.things.len()).find(|id| remote_id(*id) == entry.id);
            let by_id = if sight == Sight::Stale { Sight::Stale } else { Sight::Fresh };
            let found =
                found.filter(|id| self.shows(*id, by_id) && self.things[*id].place == place);
            let there = found.map(|id| self.object(id, self.things[id].name, self.things[id].size));
            live.note_unlisted(Kind::Service, &entry, there, self.time());
        }
        live
    }

    pub fn listing(&self, seen: &Seen) -> Listing {
        let objects = seen.shown.iter().map(|(id, name, size)| self.object(*id, *name, *size));
        let coverage = if seen.is_complete {
            Coverage::Complete
        } else {
            Coverage::Unknown(Unknown::Incomplete("it does not add up".to_owned()))
        };
        Listing { coverage, objects: objects.collect(), pages: seen.pages }
    }

    /// Something as the platform shows it now.
    pub fn get(&self, id: usize) -> LiveObject {
        self.object(id, self.things[id].name, self.things[id].size)
    }

    /// Something as the answer to a write of that name showed it, whatever became of it since.
    pub fn answered(&self, id: usize, name: Name) -> LiveObject {
        let name = if self.changes_names { Name::Given } else { name };
        self.object(id, name, self.things[id].size)
    }

    fn object(&self, id: usize, name: Name, size: u8) -> LiveObject {
        // No two are of one second, and none is of later than it was made.
        let second = SignedDuration::from_secs(i64::try_from(id).unwrap());
        let created_at = minute(self.things[id].born) - second;
        LiveObject {
            kind: Kind::Service,
            id: remote_id(id),
            name: key(name).name.to_string(),
            created_at: Some(created_at.to_string()),
            status: None,
            url: None,
            replicas: None,
            fields: BTreeMap::from([(size_path(), LiveValue::Shown(size_value(size)))]),
            shows_env: false,
        }
    }
}

/// The origin of the model's API.
pub const ORIGIN: &str = "https://api.stackblaze.cloud/v1";

pub fn project(place: Place) -> Project {
    let (id, name) = match place {
        Place::Ours => ("prj_ours", "ours"),
        Place::Foreign => ("prj_foreign", "foreign"),
    };
    Project { id: RemoteId::new(id).ok(), name: name.to_owned(), region: None, plan: None }
}

pub fn pin(place: Place) -> Pin {
    Pin { origin: ORIGIN.to_owned(), project: project(place) }
}

pub fn key(name: Name) -> &'static Key {
    static KEYS: LazyLock<[Key; 4]> = LazyLock::new(|| {
        ["a", "b", "elsewhere", "given"].map(|it| format!("service/{it}").parse().unwrap())
    });
    &KEYS[name as usize]
}

pub fn name(key: &Key) -> Name {
    let names = [Name::A, Name::B, Name::Elsewhere, Name::Given];
    names.into_iter().find(|name| self::key(*name) == key).unwrap()
}

pub fn remote_id(id: usize) -> RemoteId {
    RemoteId::new(&format!("svc_{id}")).unwrap()
}

pub fn id_of(id: &RemoteId) -> usize {
    id.as_str().strip_prefix("svc_").unwrap().parse().unwrap()
}

/// The one field that services of the model have.
pub const fn size_path() -> FieldPath {
    FieldPath::Setting(Setting::Plan)
}

pub fn size_value(size: u8) -> FieldValue {
    FieldValue::Text(format!("size-{size}"))
}

pub fn size_of(value: &FieldValue) -> u8 {
    match value {
        FieldValue::Text(text) => text.strip_prefix("size-").unwrap().parse().unwrap(),
        other => panic!("a size is a text: {other:?}"),
    }
}

fn minute(minute: Minute) -> Timestamp {
    static START: LazyLock<Timestamp> = LazyLock::new(|| "2026-11-24T00:00:00Z".parse().unwrap());
    *START + SignedDuration::from_mins(minute.into())
}
