//! When: the agent that keeps projects as committed, and those who watch it and steer it.
//!
//! A trigger says only *that* something may have changed; each pass reads everything again.

mod bell;
mod handle;
mod window;

pub use bell::Bell;
pub use handle::{Answer, Handle, Order, Refusal, Seat};
pub use window::{Window, WindowKind, Windows};
