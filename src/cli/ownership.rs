//! `stoker adopt` and `stoker release`: begin or end ownership. Nothing is written to the platform.

use std::collections::btree_map::Entry as MapEntry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::model::{
    Claim, Entry, FieldValue, Inventory, Key, Kind, Listing, LiveObject, LiveValue, Pin,
    Remembered, is_same_moment,
};
use crate::reconcile::check_pin;
use crate::store::JournalEvent;

use super::arguments::{AdoptCommand, Chosen, ReleaseCommand};
use super::ask::{Consent, Question, ask};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::find::{self, check_owned, find, find_id};
use super::interrupt::Interrupt;
use super::manifests::{Manifests, tree_settings};
use super::session::{Purpose, Session};
use super::settings;
use super::values::Adopted;

/// `stoker adopt`: a person says that these are ours, which gives the right to delete them (S1).
///
/// With an id it is that very object, whatever the platform calls it (A22).
pub async fn adopt(
    context: &Context,
    command: &AdoptCommand,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let AdoptCommand { resources, all, paths, chosen, approval, connection } = command;
    let declared = if *all { declared(context, paths, chosen)? } else { Vec::new() };
    let session = Session::open(context, connection, Purpose::Write)?;
    let mut store = session.hold(context, "adopt").await?;
    let project = session.reader.project().await?;
    let origin = session.project.client.origin();
    check_pin(store.inventory().pin.as_ref(), &origin, &project)?;
    let found = if *all {
        all_that_live(&session, declared, store.inventory()).await?
    } else {
        named(&session, resources, store.inventory()).await?
    };
    for (key, object) in &found {
        check_owner(key, object, &store.inventory().entries)?;
    }
    if *all
        && !settings::is_approved(*approval, &context.file)
        && let Some(exit) = refused(context, &found, interrupt).await?
    {
        return Ok(exit);
    }
    if found.is_empty() {
        context.output.note("Nothing that is declared and lives is left to adopt.");
        return Ok(Exit::Done);
    }
    if store.inventory().pin.is_none() {
        store.set_pin(Pin { origin, project })?;
    }
    for (key, object) in found {
        let entry = adopted(&key, &object, store.inventory().entries.get(&key));
        store.record(key.clone(), entry)?;
        context.output.note(&format!("{key} is ours now: {}.", object.id));
    }
    store.compact()?;
    Ok(Exit::Done)
}

/// Finds what was named, each by itself.
async fn named(
    session: &Session,
    resources: &[Adopted],
    inventory: &Inventory,
) -> Result<Vec<(Key, LiveObject)>, Failure> {
    let mut found = Vec::new();
    for Adopted { key, id } in resources {
        // What is remembered under the key is meant first: the platform may call it something else.
        let known = inventory.entries.get(key).map(|entry| entry.id.clone());
        let object = match (id, known) {
            (Some(id), _) => find_id(session, key, id).await?,
            (None, None) => find(session, key).await?,
            (None, Some(known)) => match find_id(session, key, &known).await {
                Err(failure) if failure.code == ErrorCode::NotFound => find(session, key).await?,
                found => found?,
            },
        };
        found.push((key.clone(), object));
    }
    Ok(found)
}

/// Returns what the manifests declare.
fn declared(context: &Context, paths: &[PathBuf], chosen: &Chosen) -> Result<Vec<Key>, Failure> {
    let manifests = Manifests::read_of(context, paths, tree_settings(context, chosen)?)?;
    Ok(manifests.declared.resources.into_keys().collect())
}

/// Finds what is declared and lives, but for what we created or what a person handed over already.
/// What does not live is for `apply` to create.
async fn all_that_live(
    session: &Session,
    declared: Vec<Key>,
    inventory: &Inventory,
) -> Result<Vec<(Key, LiveObject)>, Failure> {
    let mut listings: BTreeMap<Kind, Listing> = BTreeMap::new();
    let mut found = Vec::new();
    for key in declared {
        let known = inventory.entries.get(&key);
        if known.is_some_and(|entry| matches!(entry.claim, Claim::Created | Claim::Adopted)) {
            continue;
        }
        let listing = match listings.entry(key.kind) {
            MapEntry::Occupied(listed) => listed.into_mut(),
            MapEntry::Vacant(place) => place.insert(session.reader.list(key.kind).await?),
        };
        let remembered = known
            .and_then(|entry| listing.objects.iter().find(|object| object.id == entry.id).cloned());
        match remembered.map_or_else(|| find::certain(&key, listing), Ok) {
            Ok(object) => found.push((key, object)),
            Err(failure) if failure.code == ErrorCode::NotFound => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(found)
}

/// Shows what is to be adopted, and asks; returns how the run ends where the answer is no.
async fn refused(
    context: &Context,
    found: &[(Key, LiveObject)],
    interrupt: &Interrupt,
) -> Result<Option<Exit>, Failure> {
    if found.is_empty() {
        return Ok(None);
    }
    for (key, object) in found {
        context.output.note(&format!("  {key}  {}", object.id));
    }
    let what = "Own these? Stoker may then delete each of them once its manifest is gone.";
    Ok(match ask(context, &Question::Go(what), interrupt).await? {
        Consent::Yes => None,
        Consent::No(exit) => Some(exit),
    })
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
        changed_at: BTreeMap::new(),
        generated: BTreeMap::new(),
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
