//! How many requests may leave, and when: one budget for each API host and token.
//!
//! **Pure.** It is told the time and a seed; it opens no file, reads no clock, waits for nothing.
//! [`crate::ledger`] keeps it on disk and shares it between processes.
//!
//! [`Budget::take`] asks for leave to send one request, [`Budget::take_pair`] for a look and the write
//! that rests on it. [`Budget::learn`] tells it what the answer said. Everything else follows from
//! those.

mod millis;
mod settings;

mod credits;
mod pace;
mod pair;
mod state;
mod take;
mod turns;

mod learn;
mod limits;
mod memory;
mod others;
mod refill;
mod steps;

mod forecast;
mod starts;

pub mod backoff;
pub mod circuit;

pub use forecast::BudgetView;
pub use learn::fraction;
pub use limits::Limits;
pub(crate) use limits::ParsedLimits;
pub use millis::Millis;
pub use settings::{BudgetConfig, Lane, WINDOW};
pub use state::{BudgetSession, Permit, State};
pub use take::{Budget, Verdict, Why};

#[cfg(test)]
mod tests;
