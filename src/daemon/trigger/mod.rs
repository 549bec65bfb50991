//! What rings the bell by itself: changed files, and time.

mod files;
mod watches;

pub use files::{FileWatch, poll};
pub use watches::Watches;
