//! One truth for many machines: a numbered log, small registers and a seat, over a store that many
//! reach.
//!
//! ```text
//!  1 2 3 …    sealed records, each put only where none is; a message is one or more in a row
//!  seat       who writes, with a time to live; it avoids quarrels, and safety does not rest on it
//!  register   one small value, changed only by who knows what it was
//! ```
//!
//! Four rules stand here once, above every store:
//!
//! - **An unknown answer is settled by repeating the same bytes at the same number**, until they are
//!   there or another record is. To look once is wrong: what is absent may land a moment later.
//! - **A log keeps out a former writer only once the next one has written.** So a writer's first act
//!   is a *takeover record*; who finds a foreign record stops, and never goes on at the next number.
//! - **A record is put only where the one before it is.** Else a writer that slept while the log was
//!   shortened would find its number free again.
//! - **Seals are keyed.** Who may write to the store must not be able to forge what gives the right to
//!   delete (S1).
//!
//! What gives no record, a change or a delete, is not kept back by the log: [`Tenure`] is for those.
//! This room reads no clock and knows nothing of the inventory.

mod access;
mod bridge;
mod error;
mod fold;
mod log;
mod medium;
mod probe;
mod record;
mod right;
mod simulated;
mod tenure;

#[cfg(test)]
mod tests;

pub use access::{LogWriter, NotSeated, SharedLog, TIME_TO_LIVE};
pub use bridge::Bridge;
pub use error::LogError;
pub use fold::History;
pub use log::Log;
pub use medium::{
    MediumError, NumberedRecords, Put, Register, SharedMedium, SharedSeat, Sitting, Swap, Version,
};
pub use probe::probe;
pub use record::SealKey;
pub use right::{BootClock, WriteRight};
pub use simulated::{Habits, RequestFate, SimulatedMedium};
pub use tenure::Tenure;
