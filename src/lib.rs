//! Stoker: the GitOps agent for the StackBlaze PaaS.

pub mod budget;
pub mod ledger;
