//! What precedes a plan: the three states read together, and the refusals of what must not be acted
//! on.
//!
//! No loop, no schedule and no right to write: `stoker apply` makes one pass, the agent makes them
//! continuously, and both go through the same functions.

mod refresh;
mod rollback;

pub use refresh::{RefreshError, WrongProject, check_guard, check_pin, decide, refresh};
pub use rollback::{Return, holds, returned};
