//! One pass: reads the three states together, refuses what must not be acted on, and carries out.
//!
//! No loop and no schedule: `stoker apply` makes one pass, the agent makes them continuously, and
//! both go through the same functions.

mod refresh;

mod carry;
mod pass;
mod rollback;

pub use carry::{Carrier, CarryError};
pub use pass::{Licence, Look, PassError, Passed, Reconciler, RollbackError, Wish};
pub use refresh::{RefreshError, WrongProject, check_guard, check_pin, decide, refresh};
pub use rollback::{Return, returned};

use crate::api::{Dialect, Rename};
use crate::plan::Platform;

/// Tells planning what the API can do, which only the dialect knows.
#[must_use]
pub fn platform(dialect: &Dialect) -> Platform {
    Platform {
        renames: dialect.rename == Rename::Patch,
        deploys_after_patch: dialect.deploy_after_patch,
        keeps_names: dialect.names_kept,
        unique_names: dialect.names_unique,
    }
}
