//! What `stoker state` prints for programs.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{Inventory, Key};
use crate::render::Paper;
use crate::store::Verified;

use super::super::facts::Facts;
use super::super::get::claim_word;

/// Where the state is, whose it is and who may write it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StateShowDocument {
    /// The state directory.
    pub place: String,
    /// The API every write must go to; `null` before the first write.
    pub origin: Option<String>,
    /// The name of the project every write must be for; `null` before the first write.
    pub project: Option<String>,
    /// The project's id, where the platform shows one.
    pub project_id: Option<String>,
    /// How many resources are ours.
    pub owned: usize,
    /// How many creates were begun and are not known to have ended.
    pub pending: usize,
    /// How many services were changed and not deployed since.
    pub deploys_owed: usize,
    /// The process that may write it now, as it describes itself: the command, its process and
    /// machine, and since when; `null` if there is none.
    pub holder: Option<String>,
    /// What is wrong with its files, for people; `null` when nothing is.
    pub warning: Option<String>,
}

impl StateShowDocument {
    /// Returns it for people.
    pub fn paper(&self) -> Paper {
        let mut facts = Facts::default();
        facts.heading(&self.place);
        let none = "none yet";
        facts.fact("project", Some(self.project.as_deref().unwrap_or(none)));
        facts.fact("project id", self.project_id.as_deref());
        facts.fact("API", self.origin.as_deref());
        facts.fact("owned", Some(self.owned.to_string()));
        facts.fact("creates begun", Some(self.pending.to_string()));
        facts.fact("deploys owed", Some(self.deploys_owed.to_string()));
        facts.fact("lock", Some(self.holder.as_deref().unwrap_or("free")));
        facts.fact("warning", self.warning.as_deref());
        facts.into_paper()
    }
}

/// What is remembered.
#[derive(Serialize, JsonSchema)]
pub struct StateListDocument {
    /// The records, in the order of their keys.
    pub records: Vec<StateRecord>,
}

/// What is remembered of one resource.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StateRecord {
    /// The resource.
    pub key: Key,
    /// The platform's id; `null` for a create whose outcome is unknown.
    pub id: Option<String>,
    /// By what right it is ours: `created`, `adopted`, `named` or `presumed`; `pending` for a
    /// create whose outcome is unknown.
    pub claim: &'static str,
    /// When it was created, as the platform writes it; of a pending create, when it was begun.
    pub since: Option<String>,
    /// The rule of its manifest that keeps it from being deleted.
    pub kept_by: Option<String>,
}

impl StateListDocument {
    /// Lists an inventory.
    pub fn of(inventory: &Inventory) -> Self {
        let owned = inventory.entries.iter().map(|(key, entry)| StateRecord {
            key: key.clone(),
            id: Some(entry.id.to_string()),
            claim: claim_word(entry.claim),
            since: entry.created_at.clone(),
            kept_by: entry.remembered.protects().map(str::to_owned),
        });
        let pending = inventory.intents.iter().map(|(key, intent)| StateRecord {
            key: key.clone(),
            id: None,
            claim: "pending",
            since: Some(format!("{:.0}", intent.started_at)),
            kept_by: intent.remembered.protects().map(str::to_owned),
        });
        let mut records: Vec<_> = owned.chain(pending).collect();
        records.sort_by(|one, next| one.key.cmp(&next.key));
        Self { records }
    }
}

/// What was found when every record was read.
#[derive(Serialize, JsonSchema)]
pub struct StateVerifyDocument {
    /// The directory that was read: the state, or the copy of it.
    pub place: String,
    /// How many generations there are.
    pub generations: u64,
    /// How many records of theirs are what was written.
    pub records: u64,
    /// What is not what was written, for people, one each.
    pub faults: Vec<String>,
}

impl StateVerifyDocument {
    /// Says what was found in a directory.
    pub fn of(place: &Path, verified: Verified) -> Self {
        let Verified { generations, records, faults } = verified;
        Self { place: place.display().to_string(), generations, records, faults }
    }
}
