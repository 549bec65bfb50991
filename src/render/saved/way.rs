//! What makes way for another one, where names are exchanged, as a document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Key;
use crate::plan::{Change, Step};

/// Another object that is renamed before a change, since it has the name that the change gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Way")]
pub struct SavedWay {
    /// Its id.
    pub id: String,
    /// What it becomes in a later change.
    pub becomes: Key,
    /// Its name now.
    pub before: String,
    /// Its name for the moment.
    pub name: String,
}

/// Returns what makes way before a change, if something does.
pub(in super::super) fn makes_way(change: &Change) -> Option<SavedWay> {
    change.steps.iter().find_map(|step| match step {
        Step::MakeWay { id, becomes, name, precondition } => Some(SavedWay {
            id: id.to_string(),
            becomes: becomes.clone(),
            before: precondition.name.clone(),
            name: name.to_string(),
        }),
        Step::Create { .. }
        | Step::Patch { .. }
        | Step::Complete { .. }
        | Step::Deploy { .. }
        | Step::Delete { .. } => None,
    })
}
