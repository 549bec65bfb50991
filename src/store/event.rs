//! What can happen to an inventory: a closed set, so that every crash can be enumerated.
//!
//! An event says what became true. It holds no decision, and applying one cannot fail.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Entry, Generation, Intent, Inventory, Key, Pin, RemoteId, SentDelete};

/// One thing that became true. On disk each is one line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum JournalEvent {
    /// The project every write must match (S5).
    Pinned(Pin),
    /// A create is about to be sent (S3).
    Began {
        /// What is created.
        key: Key,
        /// What is sent.
        intent: Intent,
    },
    /// A create was refused, or is known never to have been applied: its intent is void.
    Abandoned {
        /// What was not created.
        key: Key,
    },
    /// An object is ours, with this memory of it. Ends the intent of the same key.
    Recorded {
        /// The resource.
        key: Key,
        /// What is remembered.
        entry: Box<Entry>,
    },
    /// A resource is known by another name from now on: both happen or neither.
    Renamed {
        /// The key before.
        from: Key,
        /// The key now.
        to: Key,
        /// What is remembered.
        entry: Box<Entry>,
    },
    /// Resources have exchanged their names: all of it happens or nothing.
    Exchanged {
        /// What is remembered of each from now on.
        entries: BTreeMap<Key, Entry>,
    },
    /// An object is gone or released: it is not ours any more.
    Forgotten {
        /// The resource.
        key: Key,
    },
    /// A DELETE is about to be sent (S7).
    Deleting(SentDelete),
    /// A PATCH is about to be sent that takes effect only with a deploy of its own (A6).
    DeployOwed {
        /// The service.
        id: RemoteId,
    },
    /// The deploy was accepted, or the PATCH is known never to have been applied.
    DeployPaid {
        /// The service.
        id: RemoteId,
    },
}

impl JournalEvent {
    /// Makes it true in an inventory.
    pub fn apply(&self, inventory: &mut Inventory) {
        match self {
            Self::Pinned(pin) => inventory.pin = Some(pin.clone()),
            Self::Began { key, intent } => {
                inventory.intents.insert(key.clone(), intent.clone());
            }
            Self::Abandoned { key } => {
                inventory.intents.remove(key);
            }
            Self::Recorded { key, entry } => {
                inventory.intents.remove(key);
                let before = inventory.entries.insert(key.clone(), Entry::clone(entry));
                if let Some(before) = before.filter(|before| before.id != entry.id) {
                    inventory.deploys_owed.remove(&before.id);
                }
            }
            Self::Renamed { from, to, entry } => {
                inventory.entries.remove(from);
                inventory.entries.insert(to.clone(), Entry::clone(entry));
            }
            Self::Exchanged { entries } => inventory.entries.extend(entries.clone()),
            // An intent outlives it: a replaced object is forgotten before its successor begins,
            // and only that successor's outcome may end its intent.
            Self::Forgotten { key } => {
                if let Some(entry) = inventory.entries.remove(key) {
                    inventory.deploys_owed.remove(&entry.id);
                    // A value that was replaced must not come back with the next one of that name.
                    let past =
                        entry.generated.into_iter().map(|(env_key, it)| (env_key, it.retired()));
                    let past: Vec<_> =
                        past.filter(|(_, it)| *it != Generation::default()).collect();
                    if !past.is_empty() {
                        inventory.retired.entry(key.clone()).or_default().extend(past);
                    }
                }
            }
            Self::Deleting(sent) => {
                let is_other = |it: &SentDelete| (it.kind, &it.id) != (sent.kind, &sent.id);
                inventory.deletes.retain(|it| is_other(it) && it.is_recent(sent.at));
                inventory.deletes.push(sent.clone());
            }
            Self::DeployOwed { id } => {
                inventory.deploys_owed.insert(id.clone());
            }
            Self::DeployPaid { id } => {
                inventory.deploys_owed.remove(id);
            }
        }
    }
}
