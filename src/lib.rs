//! Stoker: the GitOps agent for the StackBlaze PaaS.
//!
#![doc = include_str!("../ARCHITECTURE.md")]

pub mod api;
pub mod apply;
pub mod budget;
pub mod cli;
pub mod clock;
pub mod daemon;
pub mod emulator;
pub mod follow;
pub mod import;
pub mod ledger;
pub mod manifest;
pub mod model;
pub mod owner;
pub mod plan;
pub mod project;
pub mod reconcile;
pub mod remote;
pub mod render;
pub mod sandbox;
pub mod secret;
pub mod simulation;
pub mod source;
pub mod status;
pub mod store;
pub mod telemetry;
