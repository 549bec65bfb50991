//! Names that are exchanged in one commit: `a` becomes `b` and `b` becomes `a`, or more go round.
//!
//! The manifests say the same before and after, so it is remembered which of their lines were done
//! (`Entry::previous_names`): ours under a name whose line is new becomes the next one, and what has
//! been given its name keeps it. What is remembered of all of them goes round in one event, when the
//! first has its name; the other names follow, and where they are unique, one makes way at first.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    self, Entry, Key, Kind, LiveObject, NAMES_MOVING_MAX, Name, RemoteId, Resource,
};

use super::draft::ChangeDraft;
use super::view::{View, Whereabouts};
use super::{Action, Blocked, BlockedReason, Policy, Precondition, Record, Step};

/// How many names for the moment are tried.
const INTERIM_MAX: usize = 100;

/// What comes of the names that go round in the manifests.
#[derive(Default)]
pub(super) struct Exchanges<'a> {
    /// Who takes over what is ours under a key.
    pub moves: BTreeMap<&'a Key, &'a Resource>,
    /// Those that take over what was under another name.
    heirs: BTreeSet<&'a Key>,
    /// Of whom that cannot be told.
    pub unclear: BTreeMap<&'a Key, Blocked>,
    /// Creates that were begun under names that are to be exchanged: they are settled first, as if
    /// nobody declared them.
    pub begun: BTreeSet<&'a Key>,
    /// Those that all live and go round, each before the one that it becomes.
    pub rounds: Vec<Vec<&'a Key>>,
}

/// Returns the circles: each becomes the one that stands behind it, and the last the first.
pub(super) fn circles<'a>(heirs: &BTreeMap<Key, &'a Resource>) -> Vec<Vec<&'a Resource>> {
    let circles = model::circles(heirs.keys(), |key| heirs.get(key).map(|heir| &heir.key));
    let heirs_of =
        |circle: Vec<&Key>| circle.iter().filter_map(|key| heirs.get(*key).copied()).collect();
    circles.into_iter().map(heirs_of).collect()
}

/// What is remembered under a name that is exchanged.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// Nothing.
    Empty,
    /// What has been given the name.
    Given(&'a Entry),
    /// What is to become the next one.
    Moving(&'a Entry),
}

/// One circle, with what is remembered of each.
struct Circle<'v, 'a> {
    view: &'v View<'a>,
    members: Vec<(&'a Resource, Place<'a>)>,
}

impl<'a> Exchanges<'a> {
    pub fn of(view: &View<'a>, circles: &[Vec<&'a Resource>]) -> Self {
        let mut exchanges = Self::default();
        for circle in circles {
            exchanges.add(&Circle::of(view, circle));
        }
        exchanges
    }

    fn add(&mut self, circle: &Circle<'_, 'a>) {
        let keys = || circle.members.iter().map(|(resource, _)| &resource.key);
        let begun: Vec<&Key> = keys().filter(|key| circle.is_begun(key)).collect();
        if let (Some(first), true) = (begun.first(), circle.is_asked() && !circle.is_given()) {
            let waiting = keys().filter(|key| !begun.contains(key));
            self.unclear.extend(waiting.map(|key| (key, waits_for(first))));
            self.begun.extend(begun);
            return;
        }
        if let Some(blocked) = circle.obstacle() {
            self.unclear.extend(keys().map(|key| (key, blocked.clone())));
            return;
        }
        let moving = circle.pairs().filter(|(from, _)| circle.object(from.1).is_some());
        let moving = moving.filter(|(from, _)| matches!(from.1, Place::Moving(_)));
        let moving: Vec<_> = moving.map(|(from, heir)| (&from.0.key, heir.0)).collect();
        if moving.len() == circle.members.len() {
            self.rounds.push(moving.iter().map(|(key, _)| *key).collect());
        }
        self.heirs.extend(moving.iter().map(|(_, heir)| &heir.key));
        self.moves.extend(moving);
    }

    /// Returns all of those that go round together with a key, each with what it becomes.
    pub fn round_of(&self, key: Option<&Key>) -> BTreeMap<Key, Key> {
        let round = self.rounds.iter().find(|round| key.is_some_and(|key| round.contains(&key)));
        let becomes = |old: &&Key| Some(((*old).clone(), self.moves.get(*old)?.key.clone()));
        round.into_iter().flatten().filter_map(becomes).collect()
    }

    /// Whether a resource takes over what was under another name.
    pub fn gives(&self, heir: &Key) -> bool {
        self.heirs.contains(heir)
    }
}

impl<'v, 'a> Circle<'v, 'a> {
    fn of(view: &'v View<'a>, circle: &[&'a Resource]) -> Self {
        let before = circle.iter().cycle().skip(circle.len().saturating_sub(1));
        let place = |(resource, before): (&&'a Resource, &&'a Resource)| {
            let place = match view.inventory().entries.get(&resource.key) {
                None => Place::Empty,
                Some(entry) if entry.previous_names.contains(&before.key.name) => {
                    Place::Given(entry)
                }
                Some(entry) => Place::Moving(entry),
            };
            (*resource, place)
        };
        Self { view, members: circle.iter().zip(before).map(place).collect() }
    }

    /// Returns each with the one that it becomes.
    fn pairs(
        &self,
    ) -> impl Iterator<Item = (&(&'a Resource, Place<'a>), &(&'a Resource, Place<'a>))> {
        self.members.iter().zip(self.members.iter().cycle().skip(1))
    }

    fn is_asked(&self) -> bool {
        self.members.iter().any(|(_, place)| matches!(place, Place::Moving(_)))
    }

    fn is_given(&self) -> bool {
        self.members.iter().any(|(_, place)| matches!(place, Place::Given(_)))
    }

    fn is_begun(&self, key: &Key) -> bool {
        self.view.inventory().intents.contains_key(key)
    }

    fn kind(&self) -> Kind {
        self.members.first().map_or(Kind::Service, |(resource, _)| resource.key.kind)
    }

    fn object(&self, place: Place<'a>) -> Option<&'a LiveObject> {
        let (Place::Given(entry) | Place::Moving(entry)) = place else {
            return None;
        };
        match self.view.whereabouts(self.kind(), entry) {
            Whereabouts::Lives(object) => Some(object),
            Whereabouts::Other | Whereabouts::Gone | Whereabouts::Unknown => None,
        }
    }

    /// Returns why nothing can be done with any of them.
    fn obstacle(&self) -> Option<Blocked> {
        let keys: Vec<String> = self.members.iter().map(|(it, _)| it.key.to_string()).collect();
        let keys = keys.join(", ");
        if !self.is_asked() {
            let is_strange = |key: &Key| !self.is_begun(key) && !self.view.named(key).is_empty();
            let is_any = self.members.iter().any(|(it, _)| is_strange(&it.key));
            return (is_any && !self.is_given()).then(|| unremembered(&keys));
        }
        let is_half = |(from, heir): (&(_, Place<'_>), &(_, Place<'_>))| {
            matches!((from.1, heir.1), (Place::Moving(_), Place::Given(_)))
        };
        if self.pairs().any(is_half) {
            return Some(half_done(&keys));
        }
        let kind = self.kind();
        let is_unknown = |place: &Place<'_>| match place {
            Place::Moving(it) => matches!(self.view.whereabouts(kind, it), Whereabouts::Unknown),
            Place::Empty | Place::Given(_) => false,
        };
        if !self.view.is_complete(kind) || self.members.iter().any(|(_, it)| is_unknown(it)) {
            return Some(self.view.incomplete(kind));
        }
        let objects = self.members.iter().filter_map(|(_, place)| self.object(*place));
        let ours: BTreeSet<&RemoteId> = objects.clone().map(|object| &object.id).collect();
        let mut named = self.members.iter().flat_map(|(it, _)| self.view.named(&it.key));
        if let Some(other) = named.find(|object| !ours.contains(&object.id)) {
            return Some(taken(&keys, other));
        }
        let going = objects.clone().find(|object| object.is_going());
        going.map(|it| in_flight(format!("{} is being deleted, one of {keys}", it.id))).or_else(
            || (self.members.len() > NAMES_MOVING_MAX).then(|| too_many(self.members.len())),
        )
    }
}

/// What is remembered when an object is known under its new key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// It stays under the key it has.
    None,
    /// It leaves its key before, which nothing has then.
    From(Key),
    /// Others leave theirs with it; what is remembered of each of them from then on.
    Exchange(BTreeMap<Key, Entry>),
}

impl Record {
    /// Returns what becomes of the entries when an object is to be known under `key`. A key before is
    /// left only as long as it still means that object: where names go round, it is another's as soon
    /// as the first of them has moved (L4).
    #[must_use]
    pub fn moves(&self, key: &Key, entry: &Entry, entries: &BTreeMap<Key, Entry>) -> Move {
        let is_it = |from: &&Key| entries.get(*from).is_some_and(|before| before.id == entry.id);
        let Some(from) = self.renamed_from.as_ref().filter(is_it) else {
            return Move::None;
        };
        if self.exchanges.is_empty() {
            return Move::From(from.clone());
        }
        let moved = self.exchanges.iter().filter_map(|(old, new)| {
            if new == key {
                return Some((new.clone(), entry.clone()));
            }
            let mut before = entries.get(old)?.clone();
            before.previous_names.insert(old.name.clone());
            before.interim_name.get_or_insert_with(|| old.name.to_string());
            Some((new.clone(), before))
        });
        Move::Exchange(moved.collect())
    }
}

const AS_CALLED: &str = "without `previousNames` each keeps its name";

fn ambiguous(message: String, hint: String) -> Blocked {
    Blocked { reason: BlockedReason::AmbiguousName, message, hint: Some(hint) }
}

fn in_flight(message: String) -> Blocked {
    Blocked { reason: BlockedReason::InFlight, message, hint: None }
}

fn waits_for(begun: &Key) -> Blocked {
    in_flight(format!("it exchanges its name with {begun}, whose create was never answered"))
}

fn unremembered(keys: &str) -> Blocked {
    let message =
        format!("{keys} exchange their names, and nothing records whether they already did");
    ambiguous(message, format!("`stoker adopt KIND/NAME` of each allows it; {AS_CALLED}"))
}

fn half_done(keys: &str) -> Blocked {
    let message = format!("{keys} exchange their names, and not all of these lines are new");
    let hint = format!("{AS_CALLED}; once that is applied, the lines can be written again");
    ambiguous(message, hint)
}

fn taken(keys: &str, other: &LiveObject) -> Blocked {
    let LiveObject { kind, name, id, .. } = other;
    let message = format!("{keys} exchange their names, and {id}, which is none of them, has one");
    ambiguous(message, format!("`stoker adopt {kind}/{name}={id}` says that it is; {AS_CALLED}"))
}

fn too_many(count: usize) -> Blocked {
    let message = format!("{count} exchange their names, and at most {NAMES_MOVING_MAX} may");
    ambiguous(message, AS_CALLED.to_owned())
}

/// Lets one of those that go round begin, whom the others follow: the first whose name none of the
/// others has, or for whom another one makes way.
pub(super) fn begin(drafts: &mut [ChangeDraft<'_>], view: &View<'_>, policy: &Policy) {
    for round in &view.exchanges.rounds {
        let mut names: Vec<&Key> = round.clone();
        names.sort();
        let is_free = |key: &&&Key| holder(drafts, round, key).is_none();
        let first = names.iter().find(is_free).or(names.first()).copied();
        let place = first.and_then(|key| drafts.iter().position(|it| it.change.key == *key));
        let (Some(first), Some(place)) = (first, place) else {
            continue;
        };
        drafts[place].follows = None;
        let holder = holder(drafts, round, first).filter(|_| policy.platform.unique_names);
        match holder.map(|holder| makes_way(&mut drafts[holder], first, view)) {
            Some(Ok(step)) => drafts[place].clears = Some(step),
            Some(Err(blocked)) => drafts[place].change.blocked = Some(blocked),
            None => {}
        }
    }
}

/// Returns the place of the other one of a round that has a name now.
fn holder(drafts: &[ChangeDraft<'_>], round: &[&Key], key: &Key) -> Option<usize> {
    let has_name = |draft: &ChangeDraft<'_>| {
        draft.object.is_some_and(|object| object.name == key.name.as_str())
    };
    let mut drafts = drafts.iter();
    drafts.position(|it| it.change.key != *key && round.contains(&&it.change.key) && has_name(it))
}

/// Gives what has a name another one for the moment.
fn makes_way(holder: &mut ChangeDraft<'_>, first: &Key, view: &View<'_>) -> Result<Step, Blocked> {
    let object = holder.object.ok_or_else(|| view.incomplete(first.kind))?;
    let name = free_name(view, first).ok_or_else(|| {
        let message = format!("no name like `{}` is free for the moment", first.name);
        ambiguous(message, AS_CALLED.to_owned())
    })?;
    holder.called = Some(name.clone());
    let precondition = Precondition {
        name: object.name.clone(),
        created_at: object.created_at.clone(),
        fields: BTreeMap::new(),
    };
    let becomes = holder.change.key.clone();
    Ok(Step::MakeWay { id: object.id.clone(), becomes, name, precondition })
}

/// Returns a name that nothing has, and that nothing will: the same as long as that is so.
fn free_name(view: &View<'_>, key: &Key) -> Option<Name> {
    let is_free = |name: &Name| {
        let key = Key::new(key.kind, name.clone());
        let (desired, inventory) = (view.desired(), view.inventory());
        let is_known = desired.resources.contains_key(&key)
            || desired.tombstones.contains_key(&key)
            || inventory.entries.contains_key(&key)
            || inventory.intents.contains_key(&key);
        !is_known && view.named(&key).is_empty()
    };
    let ending = |number| if number == 1 { "-moving".into() } else { format!("-moving-{number}") };
    let endings = (1..=INTERIM_MAX).map(ending);
    let mut names = endings.filter_map(|ending: String| {
        let stem: String =
            key.name.as_str().chars().take(Name::LENGTH_MAX - ending.len()).collect();
        Name::new(&format!("{}{ending}", stem.trim_end_matches('-'))).ok()
    });
    names.find(is_free)
}

/// Blocks all that go round together where one of them cannot: else what made way would be left
/// without a name of its own. Returns whether something is blocked that was not.
pub(super) fn hold_together(drafts: &mut [ChangeDraft<'_>], view: &View<'_>) -> bool {
    let mut is_any = false;
    for round in &view.exchanges.rounds {
        let Some(obstacle) = round.iter().find_map(|key| cannot(drafts, key)) else {
            continue;
        };
        let members = drafts.iter_mut().filter(|it| round.contains(&&it.change.key));
        for draft in members.filter(|it| it.change.blocked.is_none()) {
            draft.change.blocked = Some(obstacle.clone());
            draft.change.after.clear();
            is_any = true;
        }
    }
    is_any
}

/// Returns what keeps the others from exchanging their names with one that cannot.
fn cannot(drafts: &[ChangeDraft<'_>], key: &Key) -> Option<Blocked> {
    let draft = drafts.iter().find(|draft| draft.change.key == *key);
    let (message, hint) = match draft.map(|draft| (draft, draft.change.action)) {
        None => (
            format!("it exchanges its name with {key}, which is not selected"),
            Some(format!("select {key} as well")),
        ),
        Some((draft, _)) if draft.change.blocked.is_some() => {
            (format!("it exchanges its name with {key}, which cannot change"), None)
        }
        Some((_, Action::Replace)) => (
            format!("only existing resources exchange names, and {key} is to be created again"),
            Some("exchange the names in a separate commit".to_owned()),
        ),
        Some((draft, _)) => {
            let has_name = draft.object.is_some_and(|it| it.name == key.name.as_str());
            if has_name || draft.change.writes_name() {
                return None;
            }
            let message = format!("names are exchanged, and {key} is not to be given its own");
            (message, Some("remove `metadata.name` from its `ignoreChanges`".to_owned()))
        }
    };
    Some(Blocked { reason: BlockedReason::DependencyBlocked, message, hint })
}
