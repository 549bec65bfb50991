//! Where manifests come from, when they come from git.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use secrecy::SecretString;

use super::address::{Address, Login};
use super::error::WrongSetting;
use super::reference::{GitReference, RepositoryPath};

/// The variables of the agent's environment that git is given; it sees no other (S9).
///
/// They find programs, the ssh agent, proxies and certificates. What could make git run a program,
/// trace its traffic or ask a question (`GIT_SSH_COMMAND`, `GIT_TRACE`, `SSH_ASKPASS`) is not here,
/// and neither is the API's token.
pub const VARIABLES_PASSED: [&str; 14] = [
    "PATH",
    "SSH_AUTH_SOCK",
    "TMPDIR",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
];

/// How long git may say nothing. Over a line of any speed it counts what came, once a second; a host
/// that packs a large repository is silent for less than this.
pub const SILENCE: Duration = Duration::from_secs(60);

/// The most bytes the copy may have: far above what manifests need, and less than the disks of today.
pub const COPY_BYTES_MAX: u64 = 4_000_000_000;

/// What is left free on the disk for the state: thousands of its writes, and more than a fast line
/// brings between two looks.
const FREE_BYTES_MIN: u64 = 64_000_000;

/// What to do when the history of a branch or tag was rewritten (a force-push).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rewrites {
    /// Refuse the new history: a person decides.
    #[default]
    Hold,
    /// Take the newest commit, whatever was there before.
    Follow,
}

/// Whose signature a commit needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// An SSH signature by one of the signers in this file (`ssh-keygen(1)`, ALLOWED SIGNERS).
    Ssh {
        /// The file.
        allowed_signers: PathBuf,
    },
    /// An OpenPGP signature by one of the keys in this directory: every key in it is trusted.
    OpenPgp {
        /// A `GNUPGHOME` that holds only the keys of those who may sign.
        home: PathBuf,
    },
    /// Either of them.
    Either {
        /// As of `Ssh`.
        allowed_signers: PathBuf,
        /// As of `OpenPgp`.
        home: PathBuf,
    },
}

/// The variables that are passed on. Their values are not shown: a proxy's may hold a password.
#[derive(Clone)]
pub(super) struct ForwardedVariables(pub BTreeMap<&'static str, String>);

impl ForwardedVariables {
    fn of(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        Self(VARIABLES_PASSED.iter().filter_map(|name| Some((*name, environment(name)?))).collect())
    }
}

impl fmt::Debug for ForwardedVariables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// The token of a repository, or none. It changes while it is used: clones are the same.
#[derive(Clone, Debug, Default)]
pub struct RepositoryToken(Arc<RwLock<Option<SecretString>>>);

impl RepositoryToken {
    /// Takes the place of the token, or of none.
    pub fn set(&self, token: SecretString) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    pub(super) fn get(&self) -> Option<SecretString> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A repository, what to follow in it, and how to get at it.
#[derive(Clone, Debug)]
pub struct GitSettings {
    pub(super) address: Address,
    pub(super) login: Login,
    /// What to follow.
    pub reference: GitReference,
    /// A directory, or one file; without one, the usual places.
    pub path: Option<RepositoryPath>,
    /// Directories or files that are laid over those manifests, in order.
    pub overlays: Vec<RepositoryPath>,
    /// Signs in to an `https` repository. It goes to that host only.
    pub token: RepositoryToken,
    /// The private key for ssh; without it, the ssh agent and the account's own keys.
    pub ssh_key: Option<PathBuf>,
    /// The hosts ssh may talk to; without it, the account's own file. An unknown host is refused.
    pub known_hosts: Option<PathBuf>,
    /// A file of certificate authorities to trust beside the system's.
    pub certificate_authority: Option<PathBuf>,
    /// Whose signature a commit needs; `None` takes any commit.
    pub verification: Option<Verification>,
    /// What to do when the history was rewritten.
    pub rewrites: Rewrites,
    /// How long git may say nothing. While it works it counts, so the line may be as slow as it likes.
    pub silence: Duration,
    /// The most bytes the copy may have.
    pub copy_bytes_max: u64,
    /// What is left free on the disk, so that the state can be written when the copy grows.
    pub free_bytes_min: u64,
    pub(super) environment: ForwardedVariables,
}

impl GitSettings {
    /// Points at a repository, with the defaults for everything else. A login in the URL is kept
    /// apart from it and shown nowhere. `environment` answers for a variable of the agent's
    /// environment; it is asked for `VARIABLES_PASSED` and for no other.
    ///
    /// # Errors
    /// When the URL is none that is used here; see `Address`.
    pub fn new(
        url: &str,
        reference: GitReference,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, WrongSetting> {
        let (address, login) = Address::parse(url)?;
        Ok(Self {
            address,
            login,
            reference,
            path: None,
            overlays: Vec::new(),
            token: RepositoryToken::default(),
            ssh_key: None,
            known_hosts: None,
            certificate_authority: None,
            verification: None,
            rewrites: Rewrites::default(),
            silence: SILENCE,
            copy_bytes_max: COPY_BYTES_MAX,
            free_bytes_min: FREE_BYTES_MIN,
            environment: ForwardedVariables::of(environment),
        })
    }

    /// Returns the repository, as it may be shown.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }
}
