//! Manifests from a commit of a git repository, read by the `git` program from a bare, shallow copy.
//!
//! Nothing is ever checked out: no file, hook, filter or link of the repository comes to act. The
//! trees that come out are under the same jail as directories. When to look is no concern of this
//! module, and neither is what to do when a look fails.

mod address;
mod authorities;
mod bring;
mod cache;
mod commit;
mod error;
mod family;
mod isolation;
mod objects;
mod orphans;
mod place;
mod program;
mod redirect;
mod reference;
mod remote;
mod room;
mod select;
mod settings;
mod source;
mod values;
mod verify;

#[cfg(test)]
mod tests;

pub use address::Address;
pub use commit::{Commit, Signature};
pub use error::{GitError, WrongSetting};
pub use orphans::bury;
pub(crate) use orphans::{is_ours, left};
pub use reference::{CommitId, GitReference, RefName, RepositoryPath};
pub use settings::{
    COPY_BYTES_MAX, GitSettings, RepositoryToken, Rewrites, SILENCE, VARIABLES_PASSED, Verification,
};
pub use source::{Fetched, GitSource};
