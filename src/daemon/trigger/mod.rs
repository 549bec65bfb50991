//! What rings the bell by itself: changed files, and time.

mod files;

pub use files::{FileWatch, poll};
