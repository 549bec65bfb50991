//! Everything that needs more than one room, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod actors;
mod apply;
mod canary;
mod crashes;
mod faults;
mod keeping;
mod laws;
mod manifests;
mod matrix;
mod stacks;
mod stage;
