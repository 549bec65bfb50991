//! Notifications: who is told when the state of a project changes, and that nobody is told twice.
//!
//! `decide` compares what is so with what was told and returns notices; `request` makes the one
//! request a notice is for its sink. Both are pure. `send` carries requests in tasks of its own,
//! so that no sink delays another, or the loop.

mod address;
mod notice;
mod sink;

mod commit;
mod request;
mod slack;
mod webhook;

mod send;

pub use address::{Address, AddressError};
pub use notice::{Notice, Notified, Outcome, Told, decide};
pub use request::request;
pub use send::Notifier;
pub use sink::{CommitTarget, Forge, NoForge, Sink, Target};

#[cfg(test)]
mod tests;
