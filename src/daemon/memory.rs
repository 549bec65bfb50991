//! What an agent must still know after a restart and no other file holds.
//!
//! Lost, it costs a forgotten suspension, a deployment too many, or the protection of what manifests
//! protected only while nothing could be written. What is ours is in the inventory.

use std::collections::BTreeMap;
use std::io;
use std::marker::PhantomData;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::{Key, Remembered};
use crate::status::{Revision, Runs, Suspension};
use crate::store::Medium;

use super::notify::Notified;

/// The names of the files in the state directory that outlive a restart.
pub const MEMORY_FILES: [&str; 2] = [MEMORY, NOTIFIED];

const MEMORY: &str = "agent.json";
const NOTIFIED: &str = "notified.json";

/// What outlives a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AgentMemory {
    /// Why and until when nothing is written.
    pub suspension: Option<Suspension>,
    /// The commit it is held at.
    pub pinned_to: Option<String>,
    /// The commit last read: the branch may not be rewritten behind it unnoticed.
    pub commit: Option<String>,
    /// The last revision at which everything was as declared.
    pub synced: Option<Revision>,
    /// What replaced manifests said of deletion and no pass has written down yet (S11).
    pub protections: BTreeMap<Key, Remembered>,
    /// Services whose deployments failed.
    pub deploys: BTreeMap<Key, FailedDeploys>,
    /// What runs of services, by their ids: a rollback is told once.
    pub runs: BTreeMap<String, Runs>,
}

/// How the deployments of one state of a service went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedDeploys {
    /// The digest of the declared state.
    pub digest: String,
    /// How many failed.
    pub failed: u32,
    /// Whether we went back to the previous deployment.
    pub rolled_back: bool,
    /// The last lines of the last log.
    pub log: Vec<String>,
}

/// A small document beside the state, replaced whole.
#[derive(Clone, Debug)]
pub struct StateFile<T> {
    state: Medium,
    name: &'static str,
    kind: PhantomData<fn() -> T>,
}

impl StateFile<AgentMemory> {
    /// Names what the agent of a state must still know after a restart.
    #[must_use]
    pub fn memory(state: &Medium) -> Self {
        Self::beneath(state, MEMORY)
    }
}

impl StateFile<Notified> {
    /// Names what its notifications have told.
    #[must_use]
    pub fn notified(state: &Medium) -> Self {
        Self::beneath(state, NOTIFIED)
    }
}

impl<T: Default + Serialize + DeserializeOwned> StateFile<T> {
    fn beneath(state: &Medium, name: &'static str) -> Self {
        Self { state: state.clone(), name, kind: PhantomData }
    }

    /// Reads it; none yet is an empty one.
    ///
    /// # Errors
    /// When it is there and cannot be read: a suspension must not be forgotten silently.
    pub fn read(&self) -> io::Result<T> {
        let Some(bytes) = self.state.read_file(self.name)? else {
            return Ok(T::default());
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let place = self.path();
            let place = place.display();
            io::Error::other(format!("{place} is damaged ({error}); move it away to start over"))
        })
    }

    /// Replaces it, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written; the old one stands.
    pub fn write(&self, value: &T) -> io::Result<()> {
        self.state.replace_file(self.name, serde_json::to_string_pretty(value)?.as_bytes())
    }

    /// Returns where it is, for people.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.state.place().join(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_a_damaged_file_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::memory(&directory.path().into());
        assert_eq!(file.read().unwrap(), AgentMemory::default());
        let memory =
            AgentMemory { pinned_to: Some("abc1234".to_owned()), ..AgentMemory::default() };
        file.write(&memory).unwrap();
        assert_eq!(file.read().unwrap(), memory);
        std::fs::write(file.path(), "{").unwrap();
        assert!(file.read().is_err());
    }
}
