//! A faithful StackBlaze API v1, for tests, `--sandbox` and `simulate`.
//!
//! It imports nothing of this crate, so that the client and this server cannot share a mistake.
//! What the vendor states (F1–F9) is fixed; what we assume (A1–A17) is a switch of [`EmulatorConfig`].
//! The state machine is pure: told the time, with a seed of its own; [`serve`] and
//! [`Emulator::answer`] are a thin layer above it.
//!
//! It does not forgive: a request that F4 does not list is refused, and everything
//! that happens is in the [`Recording`], by which tests judge.

mod choice;
mod config;

mod handle;
mod http;
mod openapi;

mod answer;
mod routes;

mod act;
mod database;
mod deploy;
mod deployment;
mod forms;
mod group;
mod listing;
mod quirk;
mod service;
mod settings;
mod times;
mod variable;

mod distort;
mod fault;
mod grammar;
mod limiter;

mod calendar;
mod problem;
mod quote;
mod random;
mod record;
mod shelf;
mod stream;
mod world;

#[cfg(test)]
mod tests;

pub use act::Act;
pub use choice::*;
pub use config::*;
pub use fault::{Fault, Faults, WrongTotal};
pub use handle::{Emulator, TimeSource};
pub use http::{Dropped, ReplyBody, serve};
pub use openapi::openapi;
pub use quirk::{Quirk, ValueForm};
pub use record::{Exchange, Mutation, RecordEntry, RecordedEvent, Recording, Verb};
