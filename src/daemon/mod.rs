//! When: the agent that keeps projects as committed, and those who watch it and steer it.
//!
//! A trigger says only *that* something may have changed; each pass reads everything again.
//! [`mind`] decides and is told the time; [`agent`] waits, reads and writes what it says.

mod bell;
mod handle;

pub mod window;

pub mod settings;

pub mod declare;
pub mod source;

mod memory;
mod pace;
mod queue;

mod judge;
pub mod mind;

pub mod trigger;

pub mod agent;
mod work;

pub mod keeper;

pub mod server;
mod shared_secret;
pub mod webhook;

pub mod notify;
mod systemd;

pub use bell::Bell;
pub use handle::{Acknowledgement, Handle, Refusal, Seat};
pub use memory::MEMORY_FILES;
pub use shared_secret::{SharedSecret, SharedSecretError};
pub use systemd::{Systemd, SystemdEnvironment, SystemdError};
