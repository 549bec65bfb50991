//! A running agent from outside: its status, its events, and the orders it takes.
//!
//! Over the socket beside its state, or over its address. Nothing here is sent twice, followed to
//! another place or read without a limit, and nothing here knows what a status means.

mod address;
mod agent;
mod error;
mod form;

#[cfg(test)]
mod tests;

pub use address::{AgentAddress, AgentAddressError, Bearer, BearerError};
pub use agent::AgentClient;
pub use error::RemoteError;
pub use form::{ProjectEvent, Status};
