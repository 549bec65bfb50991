//! Stoker: the GitOps agent for the StackBlaze PaaS.
pub mod clock;
pub mod model;
pub mod plan;
pub mod render;
pub mod store;
