//! Where manifests come from: files, directories and standard input become one immutable tree.
//!
//! The jail is here: beneath the root, regular files, size limits. What the bytes mean is no
//! concern of this room.

mod error;
mod jail;
mod load;
mod snippet;
mod tree;

pub use error::SourceError;
pub use load::load;
pub use tree::{SourceFile, Tree};
