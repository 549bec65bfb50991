//! The shared state in etcd, over its JSON gateway.
//!
//! ```text
//!  PREFIX/LOG/r/00000000000000000001 …   the records of a log
//!  PREFIX/LOG/short                      there once the log was shortened
//!  PREFIX/LOG/seat                       who writes, beneath a lease
//!  PREFIX/register/NAME                  the registers
//! ```
//!
//! Every decision is one transaction, so all its conditions hold at one moment. The gateway drops
//! what it does not understand without an error: a condition that is misspelt is none. So the
//! requests are written in one place (`wire`), compared with what they must be by a test, and every
//! store is probed before it is used.

mod address;
mod gateway;
mod medium;
mod wire;

#[cfg(test)]
mod tests;

pub use address::{EtcdAddress, EtcdAddressError};
pub use gateway::{EtcdLogin, Gateway};
pub use medium::EtcdMedium;
