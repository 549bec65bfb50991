//! The agent's server: health, metrics, status, events, webhooks, the page; orders on the socket.
//!
//! It shows what the projects' loops wrote into their handles and rings their bells; it reads no
//! platform and decides nothing. What writes is not on a network port at all: orders are taken on
//! the socket in the state directory only, which nobody but its owner may open.

mod access;
mod answer;
mod body;
mod connection;
mod error;
mod events;
mod exposition;
mod health;
mod hook;
mod listen;
mod metrics;
mod orders;
mod page;
mod plain_text;
mod projects;
mod pulse;
mod refusals;
mod resume;
mod routes;
mod shared;
mod socket;
mod status;

pub use error::ServerError;
pub use exposition::BudgetNow;
pub use listen::{Server, ServerSettings};
pub use metrics::Meters;
pub use projects::{Projects, ServedProject};
pub use pulse::{Pulse, SILENCE_MAX};
pub use socket::SOCKET_NAME;

#[cfg(test)]
mod tests;
