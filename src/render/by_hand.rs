//! What people must set, as the JSON forms have it: the same in a plan, a report and a status.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{EnvKey, Key};
use crate::plan::{Plan, Sight};

/// A variable that people set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ByHand")]
pub struct SavedByHand {
    /// The resource.
    pub key: Key,
    /// Its variable.
    pub variable: String,
    /// Whether the platform shows that it is set; absent if it does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<bool>,
}

/// Returns the variables that people set, one by one.
#[must_use]
pub fn by_hand(plan: &Plan) -> Vec<SavedByHand> {
    let one = |key: &Key, variable: &EnvKey, sight: Sight| SavedByHand {
        key: key.clone(),
        variable: variable.as_str().to_owned(),
        set: match sight {
            Sight::Set => Some(true),
            Sight::Unset => Some(false),
            Sight::Unseen => None,
        },
    };
    let all = plan.by_hand.iter();
    all.flat_map(|it| it.variables.iter().map(move |(name, sight)| one(&it.key, name, *sight)))
        .collect()
}
