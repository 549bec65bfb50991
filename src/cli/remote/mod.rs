//! The command line's side of a running agent: found, asked, waited for, steered.
//!
//! No request to the platform is made here: what an agent knows costs nothing to read.

pub mod reach;

pub mod describe;
pub mod events;
mod get;
pub mod steer;
mod wait;

pub use describe::describe;
pub use get::{get, watch};
pub use reach::{ReachedAgent, look, no_agent, of_error};
pub use wait::wait;
