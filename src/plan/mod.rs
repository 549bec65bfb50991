//! What would be done, and what must not be: pure and total.
//!
//! Planning never fails and never asks. A wrong wish is a `Blocked` change with a reason and a hint.

mod change;
mod policy;

pub use change::{
    Action, Blocked, BlockedReason, Change, Cost, FieldAction, FieldChange, FieldReason, Plan,
    Precondition, Reason, Record, Step, Summary, Unmanaged,
};
pub use policy::{Policy, Prune, Selection};
