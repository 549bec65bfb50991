//! Everything that needs more than one room, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod apply;
mod architecture;
mod commands;
mod manifests;
mod readme;
mod stage;
