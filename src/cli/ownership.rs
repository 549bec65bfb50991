//! `stoker adopt` and `stoker release`: begin or end ownership. Nothing is written to the platform.

use crate::model::{Claim, Entry, FieldValue, Key, LiveObject, LiveValue, Pin, Remembered};
use crate::reconcile::check_pin;
use crate::store::{Event, Store};

use super::arguments::OwnershipCommand;
use super::exit::Exit;
use super::failure::Failure;
use super::find::find;
use super::run::Run;
use super::session::{Purpose, Session};

/// `stoker adopt`: a person says that these are ours, which gives the right to delete them (S1).
pub async fn adopt(run: &Run, command: &OwnershipCommand) -> Result<Exit, Failure> {
    let OwnershipCommand { keys, connection } = command;
    let session = Session::open(run, connection, Purpose::Write)?;
    let mut store = Store::open(&session.state, "stoker adopt")?;
    let project = session.reader.project().await?;
    let origin = session.client.origin();
    check_pin(store.inventory().pin.as_ref(), &origin, &project)?;
    let mut found = Vec::new();
    for key in keys {
        found.push((key, find(&session, key).await?));
    }
    if store.inventory().pin.is_none() {
        store.set_pin(Pin { origin, project })?;
    }
    for (key, object) in found {
        let entry = adopted(&object, store.inventory().entries.get(key));
        store.record(key.clone(), entry)?;
        run.output.note(&format!("{key} is ours now: {}.", object.id));
    }
    store.compact()?;
    Ok(Exit::Done)
}

/// What is remembered of an adopted object. What was known of the very same object stays.
fn adopted(object: &LiveObject, known: Option<&Entry>) -> Entry {
    if let Some(entry) = known.filter(|entry| entry.id == object.id) {
        // What we created is ours by a better right already.
        let claim = match entry.claim {
            Claim::Created => Claim::Created,
            Claim::Adopted | Claim::Named | Claim::Presumed => Claim::Adopted,
        };
        return Entry { claim, ..entry.clone() };
    }
    let env = object.fields.keys().filter_map(|path| path.env_key().cloned());
    Entry {
        id: object.id.clone(),
        created_at: object.created_at.clone(),
        made_at: None,
        claim: Claim::Adopted,
        remembered: Remembered::default(),
        applied: std::collections::BTreeMap::new(),
        tolerated_env: env.collect(),
        env_managed: false,
        rewrites: std::collections::BTreeMap::new(),
        deployed: None,
        depends_on: dependencies(object),
    }
}

/// What a live object refers to, as far as it is shown.
fn dependencies(object: &LiveObject) -> std::collections::BTreeSet<Key> {
    let references = object.fields.values().filter_map(|value| match value {
        LiveValue::Shown(FieldValue::Reference(reference)) => Some(reference.target()),
        LiveValue::Shown(_) | LiveValue::Hidden | LiveValue::Absent => None,
    });
    references.collect()
}

/// `stoker release`: it stays on the platform, and we forget it.
pub async fn release(run: &Run, command: &OwnershipCommand) -> Result<Exit, Failure> {
    let OwnershipCommand { keys, connection } = command;
    let session = Session::open(run, connection, Purpose::Write)?;
    let mut store = Store::open(&session.state, "stoker release")?;
    let missing = keys.iter().find(|key| {
        let inventory = store.inventory();
        !inventory.entries.contains_key(key) && !inventory.intents.contains_key(key)
    });
    if let Some(key) = missing {
        return Err(Failure::new(Exit::Failed, "not_owned", format!("{key} is not ours")));
    }
    for key in keys {
        let gone = [Event::Forgotten { key: key.clone() }, Event::Abandoned { key: key.clone() }];
        store.commit_all(&gone)?;
        run.output.note(&format!("{key} is not ours any more; it stays as it is."));
    }
    store.compact()?;
    Ok(Exit::Done)
}
