//! `stoker adopt` and `stoker release`: begin or end ownership. Nothing is written to the platform.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Claim, Entry, FieldValue, Key, LiveObject, LiveValue, Pin, Remembered, is_same_moment,
};
use crate::reconcile::check_pin;
use crate::store::JournalEvent;

use super::arguments::{AdoptCommand, ReleaseCommand};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::find::{check_owned, find, find_id};
use super::session::{Purpose, Session};
use super::values::Adopted;

/// `stoker adopt`: a person says that these are ours, which gives the right to delete them (S1).
///
/// With an id it is that very object, whatever the platform calls it (A22).
pub async fn adopt(context: &Context, command: &AdoptCommand) -> Result<Exit, Failure> {
    let AdoptCommand { resources, connection } = command;
    let session = Session::open(context, connection, Purpose::Write)?;
    let mut store = session.hold(context, "adopt").await?;
    let project = session.reader.project().await?;
    let origin = session.project.client.origin();
    check_pin(store.inventory().pin.as_ref(), &origin, &project)?;
    let mut found = Vec::new();
    for Adopted { key, id } in resources {
        // What is remembered under the key is meant first: the platform may call it something else.
        let known = store.inventory().entries.get(key).map(|entry| entry.id.clone());
        let object = match (id, known) {
            (Some(id), _) => find_id(&session, key, id).await?,
            (None, None) => find(&session, key).await?,
            (None, Some(known)) => match find_id(&session, key, &known).await {
                Err(failure) if failure.code == ErrorCode::NotFound => find(&session, key).await?,
                found => found?,
            },
        };
        check_owner(key, &object, &store.inventory().entries)?;
        found.push((key, object));
    }
    if store.inventory().pin.is_none() {
        store.set_pin(Pin { origin, project })?;
    }
    for (key, object) in found {
        let entry = adopted(key, &object, store.inventory().entries.get(key));
        store.record(key.clone(), entry)?;
        context.output.note(&format!("{key} is ours now: {}.", object.id));
    }
    store.compact()?;
    Ok(Exit::Done)
}

/// Refuses what is another resource of ours: one object is one resource.
fn check_owner(
    key: &Key,
    object: &LiveObject,
    entries: &BTreeMap<Key, Entry>,
) -> Result<(), Failure> {
    let is_it = |other: &&Key| *other != key && other.kind == key.kind;
    let mut others = entries.iter().filter(|(other, _)| is_it(other));
    let Some((other, _)) = others.find(|(_, entry)| entry.id == object.id) else {
        return Ok(());
    };
    let message = format!("{} is ours already, as {other}", object.id);
    Err(Failure::new(ErrorCode::Owned, message)
        .hint(format!("`stoker release {other}` first, if that is wrong")))
}

/// What is remembered of an adopted object. What was known of the very same object stays, but for
/// what a person has now confirmed: its name and when it was created.
fn adopted(key: &Key, object: &LiveObject, known: Option<&Entry>) -> Entry {
    let given_name = (object.name != key.name.as_str()).then(|| object.name.clone());
    let is_older = |entry: &Entry| match (&entry.created_at, &object.created_at) {
        (Some(ours), Some(theirs)) => !is_same_moment(ours, theirs),
        (None, _) | (_, None) => false,
    };
    // An id that means an object of another time is another object.
    if let Some(entry) = known.filter(|entry| entry.id == object.id && !is_older(entry)) {
        // What we created is ours by a better right already.
        let claim = match entry.claim {
            Claim::Created => Claim::Created,
            Claim::Adopted | Claim::Named | Claim::Presumed => Claim::Adopted,
        };
        let created_at = entry.created_at.clone().or_else(|| object.created_at.clone());
        return Entry { claim, created_at, given_name, ..entry.clone() };
    }
    let env = object.fields.keys().filter_map(|path| path.env_key().cloned());
    Entry {
        id: object.id.clone(),
        created_at: object.created_at.clone(),
        made_at: None,
        given_name,
        interim_name: None,
        previous_names: BTreeSet::new(),
        claim: Claim::Adopted,
        remembered: Remembered::default(),
        labels: BTreeMap::new(),
        applied: BTreeMap::new(),
        tolerated_env: env.collect(),
        env_managed: false,
        env_additive: false,
        rewrites: BTreeMap::new(),
        deployed: None,
        depends_on: dependencies(object),
    }
}

/// What a live object refers to, as far as it is shown.
fn dependencies(object: &LiveObject) -> BTreeSet<Key> {
    let references = object.fields.values().filter_map(|value| match value {
        LiveValue::Shown(FieldValue::Reference(reference)) => Some(reference.target()),
        LiveValue::Shown(_) | LiveValue::Hidden | LiveValue::Absent => None,
    });
    references.collect()
}

/// `stoker release`: it stays on the platform, and we forget it.
pub async fn release(context: &Context, command: &ReleaseCommand) -> Result<Exit, Failure> {
    let ReleaseCommand { keys, connection } = command;
    let session = Session::open(context, connection, Purpose::Write)?;
    let mut store = session.hold(context, "release").await?;
    check_owned(keys, store.inventory())?;
    for key in keys {
        let gone = [
            JournalEvent::Forgotten { key: key.clone() },
            JournalEvent::Abandoned { key: key.clone() },
        ];
        store.commit_all(&gone)?;
        context.output.note(&format!("{key} is not ours any more; it stays as it is."));
    }
    store.compact()?;
    Ok(Exit::Done)
}
