//! Stoker: the GitOps agent for the StackBlaze PaaS.

pub mod api;
pub mod budget;
pub mod clock;
pub mod emulator;
pub mod ledger;
pub mod model;
pub mod plan;
pub mod sandbox;
