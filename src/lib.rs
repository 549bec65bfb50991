//! Stoker: the GitOps agent for the StackBlaze PaaS.
pub mod manifest;
pub mod model;
pub mod secret;
pub mod source;
