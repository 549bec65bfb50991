//! Why no commit could be read, by what the caller may do about it. None of them means "empty" (S6).

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::address::Address;
use super::reference::{CommitId, GitReference, RepositoryPath};
use crate::source::SourceError;

/// The most characters of a wrong setting that are repeated.
const SHOWN_CHARS_MAX: usize = 200;

/// A setting that cannot be meant. Found before git is started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a valid {what}: {why}")]
pub struct WrongSetting {
    what: &'static str,
    shown: String,
    why: &'static str,
}

impl WrongSetting {
    pub(super) fn new(what: &'static str, text: &str, why: &'static str) -> Self {
        Self { what, shown: text.chars().take(SHOWN_CHARS_MAX).collect(), why }
    }
}

/// Why a commit could not be read. What git said is bounded and free of credentials (S9).
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The settings or an order make no sense.
    #[error(transparent)]
    Wrong(#[from] WrongSetting),
    /// There is no `git` to run.
    #[error("run `git`: {source}")]
    NoProgram {
        /// What the system says.
        source: io::Error,
    },
    /// The other side was not reached, or the line broke. It may be there later.
    #[error("reach {address}: {said}")]
    Unreachable {
        /// The repository.
        address: Address,
        /// What git said.
        said: String,
    },
    /// Git said nothing for too long. It was ended.
    #[error("{doing}: git made no progress for {} s", after.as_secs())]
    Silent {
        /// What it was doing.
        doing: &'static str,
        /// How long it may say nothing.
        after: Duration,
    },
    /// The copy grew beyond its limit. Git was ended.
    #[error("copy the repository: it takes more than the allowed {} MB", limit / 1_000_000)]
    TooLarge {
        /// The most bytes it may have.
        limit: u64,
    },
    /// Little is left on the disk, and it is the state's. Git was ended.
    #[error(
        "copy the repository to `{}`: less than {} MB are free there, and the state needs them",
        path.display(), free_min / 1_000_000
    )]
    NoRoom {
        /// Where the copy lies.
        path: PathBuf,
        /// How many bytes stay free.
        free_min: u64,
    },
    /// The other side, or the check of who it is, refused.
    #[error("sign in to {address}: {said}")]
    Denied {
        /// The repository.
        address: Address,
        /// What git said.
        said: String,
    },
    /// The other side is not shown to be who it should be.
    #[error("trust {address}: {said}")]
    Untrusted {
        /// The repository.
        address: Address,
        /// What git said.
        said: String,
    },
    /// There is no such repository, or none these credentials may see.
    #[error("find {address}: {said}")]
    NoRepository {
        /// The repository.
        address: Address,
        /// What git said.
        said: String,
    },
    /// The branch or tag is not there, or not any more.
    #[error("find {reference} in {address}: it does not exist")]
    NoReference {
        /// What was looked for.
        reference: GitReference,
        /// The repository.
        address: Address,
    },
    /// The commit is not there, or the other side does not hand it out.
    #[error("find commit `{commit}` in {address}: it does not exist")]
    NoCommit {
        /// As it was named.
        commit: String,
        /// The repository.
        address: Address,
    },
    /// The other side has the commit, or may have it, and hands out only what a name points at.
    #[error("fetch commit `{commit}` of {address}: it serves only what a branch or tag points to")]
    KeptBack {
        /// As it was named.
        commit: String,
        /// The repository.
        address: Address,
    },
    /// The tag points at something that is no commit.
    #[error("read {reference} of {address}: it does not point to a commit")]
    NoCommitThere {
        /// What was looked for.
        reference: GitReference,
        /// The repository.
        address: Address,
    },
    /// The commit has no such directory or file.
    #[error("read `{path}` of commit {commit}: there is no such directory or file")]
    NoPath {
        /// The path of the settings.
        path: RepositoryPath,
        /// The commit.
        commit: CommitId,
    },
    /// The branch was rewritten: the commit that was known does not lead to the new one.
    #[error("follow from commit {from} to {to}: the history was rewritten")]
    Rewritten {
        /// The commit that was known.
        from: CommitId,
        /// The commit that is there now.
        to: CommitId,
    },
    /// Signatures are asked for, and this commit has none that is trusted.
    #[error("verify commit {commit}: {said}")]
    Unsigned {
        /// The commit.
        commit: CommitId,
        /// What git said.
        said: String,
    },
    /// The files of the commit are refused as they would be in a directory.
    #[error("use the files of commit {commit}: {source}")]
    Refused {
        /// The commit.
        commit: CommitId,
        /// Why.
        source: SourceError,
    },
    /// Another process uses the copy of the repository.
    #[error("use {}: another Stoker is using it", directory.display())]
    Busy {
        /// Where the copy is kept.
        directory: PathBuf,
    },
    /// The copy of the repository was damaged, was made anew, and is damaged again.
    #[error("read the copy of the repository: {said}")]
    Damaged {
        /// What git said.
        said: String,
    },
    /// The disk refused.
    #[error("{doing} `{}`: {source}", path.display())]
    Disk {
        /// Which step.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Git failed in a way that is not known here.
    #[error("{doing}: {said}")]
    Failed {
        /// What it was doing.
        doing: &'static str,
        /// What git said.
        said: String,
    },
}

impl GitError {
    /// Whether looking again later may help although nobody changes anything.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Silent { .. } | Self::Busy { .. } => true,
            Self::Wrong(_)
            | Self::NoProgram { .. }
            | Self::Denied { .. }
            | Self::NoRepository { .. }
            | Self::NoReference { .. }
            | Self::NoCommit { .. }
            | Self::KeptBack { .. }
            | Self::NoCommitThere { .. }
            | Self::Untrusted { .. }
            | Self::NoPath { .. }
            | Self::Rewritten { .. }
            | Self::Unsigned { .. }
            | Self::Refused { .. }
            | Self::Damaged { .. }
            | Self::TooLarge { .. }
            | Self::NoRoom { .. }
            | Self::Disk { .. }
            | Self::Failed { .. } => false,
        }
    }

    /// Returns what a person can do, each a fragment.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::NoProgram { .. } => "install git 2.38 or newer, or put it on the PATH",
            Self::Denied { .. } => {
                "give a token that may read the repository; for ssh, a key and a file of known hosts"
            }
            Self::NoRepository { .. } => {
                "check the address; hosts also answer like this for a private repository without a \
                 token"
            }
            Self::NoReference { .. } => {
                "check the name; if it was deleted on purpose, choose another. Nothing is deleted \
                 in the meantime"
            }
            Self::Untrusted { said, .. } if said.contains("ost key") => {
                "put the host's key into a file and give it with `--known-hosts`"
            }
            Self::Untrusted { .. } => {
                "give the authority that signed its certificate with `--ca-file`"
            }
            Self::KeptBack { .. } => {
                "follow the branch and `stoker pin` the commit, or use a tag on it"
            }
            Self::NoCommitThere { .. } => "use a tag on a commit",
            Self::NoCommit { .. } => "write the whole id of a commit that was pushed",
            Self::NoPath { .. } => "check the path and the branch",
            Self::Rewritten { .. } => {
                "push a commit that contains the known one, accept the new one with `stoker pin`, \
                 or set `rewrites` to `follow`"
            }
            Self::Unsigned { .. } => {
                "sign the commit with a key that is allowed, or add its signer to the allowed ones"
            }
            Self::Busy { .. } => "wait until it has finished; a crashed one leaves no lock behind",
            Self::Damaged { .. } => "check the disk that holds the copy",
            Self::Silent { .. } => {
                "check the network and the host; `--git-silence` allows a longer silence"
            }
            Self::TooLarge { .. } => {
                "allow more with `--git-cache-max`, or keep the manifests in a smaller repository"
            }
            Self::NoRoom { .. } => {
                "free some space there, or choose another place for the copy with `--git-cache`"
            }
            Self::Wrong(_)
            | Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::Disk { .. }
            | Self::Failed { .. } => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}
