//! Where manifests come from: files, directories, standard input and a commit of a git repository
//! become one immutable tree.
//!
//! The jail is here: beneath the root, regular files, size limits. What the bytes mean is no
//! concern of this room.

mod error;
pub mod git;
mod held;
mod home;
mod jail;
mod load;
mod outside;
mod snippet;
mod submodule;
mod target;
mod tree;
mod variables;

/// What is read when nothing is named: the first of these that is there, else everything.
pub const USUAL_PLACES: [&str; 2] = ["manifests", "stackblaze.yaml"];

pub use error::SourceError;
pub use home::{Checkout, Home};
pub use load::{BYTES_MAX, load, load_layered};
pub use outside::read_outside;
pub use target::{LocalGit, TargetError};
pub use tree::{SourceFile, Tree};
pub use variables::{GivenVariable, Variables};
