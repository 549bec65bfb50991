//! Everything that needs more than one room, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod apply;
mod faults;
mod laws;
mod manifests;
mod matrix;
mod stacks;
mod stage;
