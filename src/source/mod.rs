//! Where manifests come from: files, directories, standard input and a commit of a git repository
//! become one immutable tree.
//!
//! The jail is here: beneath the root, regular files, size limits. What the bytes mean is no
//! concern of this room.

mod error;
pub mod git;
mod held;
mod jail;
mod load;
mod snippet;
mod submodule;
mod tree;

pub use error::SourceError;
pub use load::load;
pub use tree::{SourceFile, Tree};
