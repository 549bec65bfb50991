//! Everything that needs more than one room, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod actors;
mod agent;
mod apply;
mod architecture;
mod canary;
mod commands;
mod crashes;
mod faults;
mod keeping;
mod laws;
mod manifests;
mod matrix;
mod rate;
mod readme;
mod simulation;
mod stacks;
mod stage;
