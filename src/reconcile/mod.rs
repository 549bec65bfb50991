//! One pass: reads the three states together, refuses what must not be acted on, and carries out.
//!
//! No loop and no schedule: `stoker apply` makes one pass, the agent makes them for ever, and both
//! go through the same functions.

mod refresh;

mod carry;
mod pass;
mod rollback;

pub use carry::{Carrier, CarryError};
pub use pass::{Licence, Look, PassError, Passed, Reconciler, RollbackError, Wish};
pub use refresh::{RefreshError, WrongProject, check_guard, check_pin, decide, refresh};
pub use rollback::{Return, returned};
