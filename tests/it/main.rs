//! Everything that needs more than one room, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod actors;
mod agent;
mod apply;
mod architecture;
mod canary;
mod ci;
mod code_host;
mod commands;
mod crashes;
mod deadlines;
mod deploy;
mod faults;
mod fuzz;
mod generated;
mod idle;
mod intents;
mod keep;
mod keeping;
mod kept;
mod killed;
mod kubernetes;
mod laws;
mod manifests;
mod matrix;
mod model;
mod month;
mod mortal;
mod mutation;
mod planted;
mod properties;
mod rate;
mod readme;
mod refusals;
mod remote;
mod requests;
mod retried;
mod searches;
mod shortage;
mod sieve;
mod simulation;
mod stacks;
mod stage;
mod tally;
mod withheld;
