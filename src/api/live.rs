//! Reading a whole project: the live state that a plan compares.
//!
//! The fewest requests that will do: the project, three lists, the details of what declares a field
//! its list item does not show, and what is ours but not listed, by its id.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::error::{Error, ErrorKind};
use super::reader::{Lookup, Reader, unknown};
use super::recollection::{Parted, Recollection};
use crate::model::{
    Desired, Entry, FieldPath, FieldValue, Inventory, Key, Kind, Live, LiveObject, RemoteId,
    Resource, Setting, Unknown,
};

/// How many single objects are read at once.
const READS_AT_ONCE: usize = 8;

impl Reader {
    /// Reads the live state of the project.
    ///
    /// *Guarantees*: a listing is complete only as S2 defines it; an id is `gone` only when the
    /// API said so by name. *Assumes* that `inventory` is that of this project, which the plan
    /// checks against the pin; where the pin does not hold, nothing of it is asked for.
    ///
    /// Details of what its list shows as before are recalled; a recollection that recalls nothing
    /// reads them all.
    ///
    /// # Errors
    /// When the project cannot be read, the token is not accepted or the budget is used up.
    pub async fn live(
        &self,
        desired: &Desired,
        inventory: &Inventory,
        recollection: &mut Recollection,
    ) -> Result<Live, Error> {
        let (project, groups, databases, services) = futures_util::try_join!(
            self.project(),
            self.pages(Kind::EnvGroup),
            self.pages(Kind::Database),
            self.pages(Kind::Service),
        )?;
        // In this order: services name their groups by id.
        let mut listings = BTreeMap::new();
        for (kind, pages) in
            [(Kind::EnvGroup, groups), (Kind::Database, databases), (Kind::Service, services)]
        {
            listings.insert(kind, self.understand(kind, pages));
            if kind == Kind::EnvGroup {
                self.recall_groups(inventory);
            }
        }
        let listed: u32 = listings.values().map(|listing| listing.pages).sum();
        let (gone, unread) = (BTreeSet::new(), BTreeMap::new());
        let mut live = Live { project, listings, gone, unread, requests: 1 + listed };
        self.add_details(&mut live, desired, inventory, recollection).await?;
        if inventory.pin.as_ref().is_none_or(|pin| pin.holds(&self.client.origin(), &live.project))
        {
            distrust_stale_groups(&mut live, inventory, self.client.now());
            self.look_for_unlisted(&mut live, inventory, recollection).await?;
        }
        Ok(live)
    }

    /// A group we have just made is known by name, also where the list does not show it yet; and one
    /// that has another name on the platform is known by ours.
    fn recall_groups(&self, inventory: &Inventory) {
        let groups = inventory.entries.iter().filter(|(key, _)| key.kind == Kind::EnvGroup);
        for (key, entry) in groups {
            if entry.given_name.is_some() {
                self.call_group(&entry.id, key.name.as_str());
            } else if entry.is_new(self.client.now()) {
                self.recall_group(&entry.id, key.name.as_str());
            }
        }
    }

    /// Adds to a listed object what its details show. Env groups have no details (F4).
    ///
    /// # Errors
    /// When the details cannot be read, or the object went meanwhile.
    pub async fn detailed(&self, mut object: LiveObject) -> Result<LiveObject, Error> {
        if object.kind == Kind::EnvGroup {
            return Ok(object);
        }
        match self.get(object.kind, &object.id).await? {
            Lookup::Found(details) => {
                add(&mut object, *details);
                Ok(object)
            }
            Lookup::Gone => {
                let doing = format!("read {} {}", object.kind, object.id);
                Err(super::reader::unreadable(&doing, "it vanished while it was read"))
            }
        }
    }

    /// Adds to a live state the details of objects beside the declared ones, or why they did not
    /// come.
    ///
    /// # Errors
    /// When the token is not accepted or the budget is used up.
    pub async fn look_beside(
        &self,
        live: &mut Live,
        wanted: &BTreeSet<(Kind, RemoteId)>,
    ) -> Result<(), Error> {
        let mut details = BTreeMap::new();
        for ((kind, id), lookup) in self.look_up(wanted.iter().cloned().collect()).await {
            live.requests += 1;
            let missing = match lookup {
                Ok(Lookup::Found(object)) => {
                    let shows_env = object.shows_env;
                    details.insert((kind, id.clone()), *object);
                    if shows_env {
                        continue;
                    }
                    // To ask again would show no more.
                    Unknown::Incomplete("its details show no variables".to_owned())
                }
                Ok(Lookup::Gone) => Unknown::Incomplete("it vanished while it was read".to_owned()),
                Err(error) if ends_the_run(&error) => return Err(error),
                Err(error) => unknown(&error),
            };
            live.unread.insert((kind, id), missing);
        }
        merge(live, details);
        Ok(())
    }

    async fn add_details(
        &self,
        live: &mut Live,
        desired: &Desired,
        inventory: &Inventory,
        recollection: &mut Recollection,
    ) -> Result<(), Error> {
        let wanted = objects_to_detail(live, desired, inventory, recollection);
        recollection.forget(being_settled(inventory));
        let Parted { read, recalled: mut details, still_unread } = recollection.part(wanted, live);
        let found = self.look_up(read).await;
        let (mut fresh, mut missing) = (BTreeMap::new(), BTreeMap::new());
        for ((kind, id), lookup) in found {
            live.requests += 1;
            match lookup {
                Ok(Lookup::Found(object)) => drop(fresh.insert((kind, id), *object)),
                Ok(Lookup::Gone) => {
                    let reason = format!("{kind} {id} vanished while it was read");
                    doubt(live, kind, reason.clone());
                    live.gone.insert(id.clone());
                    // A list that shows it again is not believed by what it showed before.
                    missing.insert((kind, id), Unknown::Incomplete(reason));
                }
                Err(error) if ends_the_run(&error) => return Err(error),
                Err(error) => {
                    tracing::debug!(%error, "details are missing");
                    missing.insert((kind, id), unknown(&error));
                }
            }
        }
        recollection.note(live, &fresh, &missing);
        live.unread = missing;
        live.unread.extend(still_unread);
        details.extend(fresh);
        merge(live, details);
        Ok(())
    }

    async fn look_for_unlisted(
        &self,
        live: &mut Live,
        inventory: &Inventory,
        recollection: &Recollection,
    ) -> Result<(), Error> {
        let index = Index::of(live);
        let wanted: Vec<(Kind, RemoteId, &Entry)> = inventory
            .entries
            .iter()
            .filter(|(key, entry)| recollection.covers(key) && is_missing(live, &index, key, entry))
            .map(|(key, entry)| (key.kind, entry.id.clone(), entry))
            .collect();
        let entries: BTreeMap<&RemoteId, &Entry> =
            wanted.iter().map(|(_, id, entry)| (id, *entry)).collect();
        let asked = wanted.iter().map(|(kind, id, _)| (*kind, id.clone())).collect();
        for ((kind, id), lookup) in self.look_up(asked).await {
            live.requests += 1;
            let Some(entry) = entries.get(&id) else {
                continue;
            };
            let there = match lookup {
                Ok(Lookup::Gone) => None,
                Ok(Lookup::Found(object)) => Some(*object),
                Err(error) if ends_the_run(&error) => return Err(error),
                Err(error) => {
                    doubt(live, kind, error.to_string());
                    continue;
                }
            };
            live.note_unlisted(kind, entry, there, self.client.now());
        }
        Ok(())
    }

    async fn look_up(
        &self,
        asked: Vec<(Kind, RemoteId)>,
    ) -> Vec<((Kind, RemoteId), Result<Lookup, Error>)> {
        stream::iter(asked)
            .map(|(kind, id)| async move {
                let lookup = self.get(kind, &id).await;
                ((kind, id), lookup)
            })
            .buffered(READS_AT_ONCE)
            .collect()
            .await
    }
}

/// What was repaired and agrees for now: only what is read, and not recalled, can tell that it goes on
/// agreeing (L1).
fn being_settled(inventory: &Inventory) -> impl Iterator<Item = (Kind, &RemoteId)> {
    let agrees = |entry: &Entry| entry.rewrites.values().any(|it| it.agreed_since.is_some());
    let entries = inventory.entries.iter().filter(move |(_, entry)| agrees(entry));
    entries.map(|(key, entry)| (key.kind, &entry.id))
}

/// Where each listed object is, so that reading stays linear in their number.
struct Index<'a> {
    by_id: BTreeMap<(Kind, &'a RemoteId), &'a LiveObject>,
    by_name: BTreeMap<(Kind, &'a str), Vec<&'a LiveObject>>,
}

impl<'a> Index<'a> {
    fn of(live: &'a Live) -> Self {
        let mut index = Self { by_id: BTreeMap::new(), by_name: BTreeMap::new() };
        for object in live.listings.values().flat_map(|listing| &listing.objects) {
            index.by_id.insert((object.kind, &object.id), object);
            index.by_name.entry((object.kind, &object.name)).or_default().push(object);
        }
        index
    }

    fn with_id(&self, kind: Kind, id: &RemoteId) -> Option<&'a LiveObject> {
        self.by_id.get(&(kind, id)).copied()
    }

    /// Returns the one object of that name; none where several have it.
    fn only_named(&self, key: &Key) -> Option<&'a LiveObject> {
        match self.by_name.get(&(key.kind, key.name.as_str()))?.as_slice() {
            [object] => Some(object),
            _ => None,
        }
    }
}

/// Returns the objects whose list item does not show all that is declared of them, or not when one
/// was created that may have to go.
///
/// A database of ours that is declared as it was written is compared with what we remember: no
/// request can change one (F4), so its details would only repeat it. One of which something else is
/// declared, or not all was written by us because it was adopted, has to be looked at.
pub(super) fn objects_to_detail(
    live: &Live,
    desired: &Desired,
    inventory: &Inventory,
    recollection: &Recollection,
) -> BTreeSet<(Kind, RemoteId)> {
    let has_details = |key: &Key, resource: &Resource<FieldValue>| match key.kind {
        Kind::EnvGroup => false,
        Kind::Database => {
            !inventory.entries.get(key).is_some_and(|entry| is_as_written(entry, resource))
        }
        Kind::Service => true,
    };
    let index = Index::of(live);
    let declared = desired.resources.iter();
    let declared =
        declared.filter(|(key, resource)| recollection.covers(key) && has_details(key, resource));
    let declared = declared.filter_map(|(key, resource)| {
        let object = objects_of(&index, inventory, key, resource)?;
        (!shows_all(object, resource)).then(|| (key.kind, object.id.clone()))
    });
    declared.chain(of_unproven_age(&index, desired, inventory, recollection)).collect()
}

/// Returns what is ours and may have to go, and whose list item does not show when it was created: its
/// details may, and without that time nothing proves that it is the same (S1).
fn of_unproven_age<'a>(
    index: &'a Index<'_>,
    desired: &'a Desired,
    inventory: &'a Inventory,
    recollection: &'a Recollection,
) -> impl Iterator<Item = (Kind, RemoteId)> + 'a {
    let may_go = |key: &Key| match key.kind {
        Kind::EnvGroup => false,
        // One that is declared is never deleted to be made again (S8).
        Kind::Database => !desired.resources.contains_key(key),
        Kind::Service => true,
    };
    let entries = inventory.entries.iter();
    let entries = entries.filter(move |(key, _)| recollection.covers(key) && may_go(key));
    entries.filter_map(|(key, entry)| {
        let object = index.with_id(key.kind, &entry.id)?;
        object.created_at.is_none().then(|| (key.kind, entry.id.clone()))
    })
}

/// Returns the listed object that a resource stands for, by our memory or by its name or an
/// earlier one; none where several have the name, because then nothing is compared.
fn objects_of<'a>(
    index: &Index<'a>,
    inventory: &Inventory,
    key: &Key,
    resource: &Resource<FieldValue>,
) -> Option<&'a LiveObject> {
    let earlier = resource.previous_names.iter().map(|name| Key::new(key.kind, name.clone()));
    let keys: Vec<Key> = std::iter::once(key.clone()).chain(earlier).collect();
    let owned = keys.iter().filter_map(|key| inventory.entries.get(key));
    let owned = owned.filter_map(|entry| index.with_id(key.kind, &entry.id)).next();
    owned.or_else(|| keys.iter().find_map(|key| index.only_named(key)))
}

/// Whether everything that is declared is what was last written.
fn is_as_written(entry: &Entry, resource: &Resource<FieldValue>) -> bool {
    resource.fields.iter().all(|(path, field)| {
        *path == FieldPath::Setting(Setting::Name)
            || entry.applied.get(path).is_some_and(|applied| applied.is_of(&field.value))
    })
}

fn shows_all(object: &LiveObject, resource: &Resource<FieldValue>) -> bool {
    let is_shown = |path: &FieldPath| {
        *path == FieldPath::Setting(Setting::Name) || object.shows(path).is_some()
    };
    let env_is_shown = object.shows_env || !resource.declares_env;
    env_is_shown && resource.fields.keys().all(is_shown)
}

/// Adds details to the listed objects they are of, and leaves out what is gone.
fn merge(live: &mut Live, mut details: BTreeMap<(Kind, RemoteId), LiveObject>) {
    let Live { project: _, listings, gone, unread: _, requests: _ } = live;
    for (kind, listing) in listings {
        listing.objects.retain(|object| !gone.contains(&object.id));
        for object in &mut listing.objects {
            if let Some(details) = details.remove(&(*kind, object.id.clone())) {
                add(object, details);
            }
        }
    }
}

/// Adds what the details show to what the list showed.
fn add(object: &mut LiveObject, details: LiveObject) {
    let LiveObject { kind: _, id: _, name, created_at, status, url, replicas, fields, shows_env } =
        details;
    object.name = name;
    object.created_at = created_at.or(object.created_at.take());
    object.status = status.or(object.status.take());
    object.url = url.or(object.url.take());
    object.replicas = replicas.or(object.replicas);
    object.fields.extend(fields);
    object.shows_env |= shows_env;
}

/// A list of env groups without one that was just created is that of a replica that is behind.
/// There is no request by id that could tell (F4), and a second group could never be deleted.
fn distrust_stale_groups(live: &mut Live, inventory: &Inventory, now: Timestamp) {
    for (key, entry) in &inventory.entries {
        let is_new_group = key.kind == Kind::EnvGroup && entry.is_new(now);
        if is_new_group && live.with_id(key.kind, &entry.id).is_none() {
            doubt(live, key.kind, format!("{} {} is too new to be shown", key.kind, entry.id));
        }
    }
}

/// Whether something of ours is not in a list that says it is whole, and can be asked for by id.
fn is_missing(live: &Live, index: &Index<'_>, key: &Key, entry: &Entry) -> bool {
    let can_be_asked = match key.kind {
        Kind::Service | Kind::Database => true,
        Kind::EnvGroup => false,
    };
    can_be_asked
        && live.listing(key.kind).coverage.is_complete()
        && index.with_id(key.kind, &entry.id).is_none()
        && !live.gone.contains(&entry.id)
}

fn doubt(live: &mut Live, kind: Kind, reason: String) {
    if let Some(listing) = live.listings.get_mut(&kind) {
        listing.doubt(reason);
    }
}

fn ends_the_run(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Authentication | ErrorKind::OverBudget | ErrorKind::Local)
}
