//! Reading a whole project: the live state that a plan compares.
//!
//! The fewest requests that will do: the project, three lists, the details of what declares a field
//! its list item does not show, and what is ours but not listed, by its id.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::error::{Error, ErrorKind};
use super::reader::{Lookup, Reader};
use super::recollection::Recollection;
use crate::model::{
    Desired, Entry, FieldPath, FieldValue, Inventory, Key, Kind, Listing, Live, LiveObject,
    RemoteId, Resource, Setting,
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
        }
        let listed: u32 = listings.values().map(|listing| listing.pages).sum();
        let mut live = Live { project, listings, gone: BTreeSet::new(), requests: 1 + listed };
        self.add_details(&mut live, desired, inventory, recollection).await?;
        let origin = self.client.origin();
        if inventory.pin.as_ref().is_none_or(|pin| pin.holds(&origin, &live.project)) {
            distrust_stale_groups(&mut live, inventory, self.client.now());
            self.look_for_unlisted(&mut live, inventory).await?;
        }
        Ok(live)
    }

    /// Adds to a listed object what its details show. Env groups have no details (F4).
    ///
    /// # Errors
    /// When the details cannot be read, or the object went meanwhile.
    pub async fn detailed(&self, object: LiveObject) -> Result<LiveObject, Error> {
        match object.kind {
            Kind::EnvGroup => return Ok(object),
            Kind::Database | Kind::Service => {}
        }
        match self.get(object.kind, &object.id).await? {
            Lookup::Found(details) => {
                let mut object = object;
                add(&mut object, *details);
                Ok(object)
            }
            Lookup::Gone => {
                let doing = format!("read {} {}", object.kind, object.id);
                Err(super::reader::unreadable(&doing, "it went while it was read"))
            }
        }
    }

    async fn add_details(
        &self,
        live: &mut Live,
        desired: &Desired,
        inventory: &Inventory,
        recollection: &mut Recollection,
    ) -> Result<(), Error> {
        let wanted = objects_to_detail(live, desired, inventory);
        let (read, recalled) = recollection.part(wanted, live);
        for details in recalled {
            if let Some(listing) = live.listings.get_mut(&details.kind) {
                merge(listing, details);
            }
        }
        let found = self.look_up(read).await;
        for ((kind, id), lookup) in found {
            live.requests += 1;
            let Some(listing) = live.listings.get_mut(&kind) else {
                continue;
            };
            match lookup {
                Ok(Lookup::Found(details)) => {
                    recollection.note(listing, &details);
                    merge(listing, *details);
                }
                Ok(Lookup::Gone) => {
                    let reason = format!("{kind} {id} went while it was read");
                    listing.objects.retain(|object| object.id != id);
                    listing.doubt(reason);
                    live.gone.insert(id);
                }
                Err(error) if ends_the_run(&error) => return Err(error),
                // Its fields stay unshown and are compared with what was last applied.
                Err(error) => tracing::warn!(%error, "details are missing"),
            }
        }
        Ok(())
    }

    async fn look_for_unlisted(&self, live: &mut Live, inventory: &Inventory) -> Result<(), Error> {
        let wanted: Vec<(Kind, RemoteId, &Entry)> = inventory
            .entries
            .iter()
            .filter(|(key, entry)| is_missing(live, key, entry))
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

/// Returns the objects whose list item does not show all that is declared of them.
///
/// A database of ours is compared with what we remember: no request can change one (F4), so its
/// details would only repeat it. One that is not ours yet has to be looked at.
fn objects_to_detail(
    live: &Live,
    desired: &Desired,
    inventory: &Inventory,
) -> BTreeSet<(Kind, RemoteId)> {
    let has_details = |key: &Key| match key.kind {
        Kind::EnvGroup => false,
        Kind::Database => !inventory.entries.contains_key(key),
        Kind::Service => true,
    };
    let declared = desired.resources.iter().filter(|(key, _)| has_details(key));
    declared
        .filter_map(|(key, resource)| {
            let object = objects_of(live, inventory, key, resource)?;
            (!shows_all(object, resource)).then(|| (key.kind, object.id.clone()))
        })
        .collect()
}

/// Returns the listed object that a resource stands for, by our memory or by its name or an
/// earlier one; none where several have the name, because then nothing is compared.
fn objects_of<'a>(
    live: &'a Live,
    inventory: &Inventory,
    key: &Key,
    resource: &Resource<FieldValue>,
) -> Option<&'a LiveObject> {
    let earlier = resource.previous_names.iter().map(|name| Key::new(key.kind, name.clone()));
    let keys: Vec<Key> = std::iter::once(key.clone()).chain(earlier).collect();
    let owned = keys.iter().filter_map(|key| inventory.entries.get(key));
    let owned = owned.filter_map(|entry| live.with_id(key.kind, &entry.id)).next();
    owned.or_else(|| {
        keys.iter().find_map(|key| match live.named(key).as_slice() {
            [object] => Some(*object),
            _ => None,
        })
    })
}

fn shows_all(object: &LiveObject, resource: &Resource<FieldValue>) -> bool {
    let is_shown = |path: &FieldPath| {
        *path == FieldPath::Setting(Setting::Name) || object.shows(path).is_some()
    };
    let env_is_shown = object.shows_env || !resource.declares_env;
    env_is_shown && resource.fields.keys().all(is_shown)
}

/// Adds details to the listed object they are of.
fn merge(listing: &mut Listing, details: LiveObject) {
    let mut objects = listing.objects.iter_mut();
    if let Some(object) = objects.find(|object| object.id == details.id) {
        add(object, details);
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
        let is_missing = key.kind == Kind::EnvGroup && live.with_id(key.kind, &entry.id).is_none();
        if is_missing && entry.is_new(now) {
            doubt(live, key.kind, format!("{} {} is too new to be shown", key.kind, entry.id));
        }
    }
}

/// Whether something of ours is not in a list that says it is whole, and can be asked for by id.
fn is_missing(live: &Live, key: &Key, entry: &Entry) -> bool {
    let can_be_asked = match key.kind {
        Kind::Service | Kind::Database => true,
        Kind::EnvGroup => false,
    };
    can_be_asked
        && live.listing(key.kind).coverage.is_complete()
        && live.with_id(key.kind, &entry.id).is_none()
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
