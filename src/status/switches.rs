//! What an agent is allowed, as far as it decides what it plans.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{AdoptMode, Kind};
use crate::plan::Policy;

/// The switches of one project, as its agent has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Switches {
    /// The kinds of resources it deletes when they are no longer declared.
    pub prune: Vec<Kind>,
    /// When it takes over existing resources.
    pub adopt: AdoptMode,
    /// What the fuse on deletes is lifted to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_deletes: Option<usize>,
    /// Whether it deletes what was adopted by its name alone.
    pub prune_adopted: bool,
    /// Whether it writes fields that cannot be compared.
    pub write_unverifiable: bool,
}

impl From<&Policy> for Switches {
    fn from(policy: &Policy) -> Self {
        Self {
            prune: Kind::ALL
                .into_iter()
                .filter(|kind| policy.permissions.prune.covers(*kind))
                .collect(),
            adopt: policy.permissions.adopt,
            max_deletes: policy.permissions.deletes_max,
            prune_adopted: policy.permissions.prune_adopted,
            write_unverifiable: policy.permissions.write_unverifiable,
        }
    }
}
