//! What would be done, and what must not be: pure and total.
//!
//! Planning never fails and never asks. A wrong wish is a `Blocked` change with a reason and a hint.

// The value, and what makes it.
mod birth;
mod blocked;
mod change;
mod planner;
mod policy;

// The stages, as they come.
mod view;

mod selection;

mod departing;
mod exchange;
mod ownership;
mod standing;
mod stranger;
mod succession;
mod unanswered;

mod diff;
mod difference;
mod draft;
mod env;
mod field;
mod flapping;
mod put_on;
mod rotation;
mod unsettled;

mod mutual;
mod order;
mod replacing;

mod data;
mod guard;
mod in_use;
mod likely_rename;
mod prune;
mod reference;

mod by_hand;
mod completion;
mod cost;
mod step;

// What becomes of it.
mod signature;

mod answer;
mod progress;
mod report;
mod summary;

#[cfg(test)]
mod tests;

pub use answer::{AfterLook, CreateAnswer, Sighting, after_look, rival, settled_at, sight};
pub use blocked::{Blocked, BlockedReason};
pub use by_hand::{ByHand, Sight};
pub use change::{
    Action, Change, Cost, FieldAction, FieldChange, FieldReason, Plan, Precondition, Reason,
    Record, Step, Unmanaged,
};
pub use cost::LIST_SECONDS_MAX;
pub use exchange::Move;
pub use likely_rename::LikelyRename;
pub use planner::plan;
pub use policy::{Learned, Permissions, Platform, Policy, Prune, RunRequest, Selection};
pub use progress::{Part, Progress};
pub use put_on::PutOn;
pub use report::{ChangeResult, Conclusion, Counts, FailureCause, Outcome, Report};
pub use selection::scope;
pub use signature::{Reviewed, StaleReason, review};
pub use stranger::{bystanders, whose};
pub use summary::Summary;
pub use unsettled::{FieldAddress, Settlements};
