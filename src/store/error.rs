//! What can go wrong with the state, by what a person can do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::shared::{LogError, TIME_TO_LIVE};

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer holds the state. Wait for it, or end it.
    #[error("lock the state in {}: {holder} holds it", directory.display())]
    Locked {
        /// The state directory.
        directory: PathBuf,
        /// Who holds it, in its own words.
        holder: String,
    },
    /// Something is missing or wrong in the files, so an intent may be missing too (S3).
    #[error("trust the state in {}: {what}", directory.display())]
    Damaged {
        /// The state directory.
        directory: PathBuf,
        /// Which file, and what is wrong with it.
        what: String,
    },
    /// A newer version wrote it.
    #[error("read the state in {}: {what}", directory.display())]
    Newer {
        /// The state directory.
        directory: PathBuf,
        /// Which file, and what in it is not known.
        what: String,
    },
    /// The disk refused: full, not permitted, broken. Nothing that was to follow may be sent.
    #[error("{doing} in {}: {source}", directory.display())]
    Disk {
        /// The state directory.
        directory: PathBuf,
        /// Which step, for example "append to journal-7.ndjson".
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// The state is kept elsewhere by now.
    #[error("use the state in {}: it was moved to {to}", directory.display())]
    Moved {
        /// The state directory.
        directory: PathBuf,
        /// The address.
        to: String,
    },
    /// Something is there already where a state was to be moved to.
    #[error("move the state to {}: one is there already", directory.display())]
    Occupied {
        /// The address.
        directory: PathBuf,
    },
    /// The log that many machines reach cannot be read or written. Nothing that was to follow may be
    /// sent.
    #[error("{source} in {}", directory.display())]
    Shared {
        /// The state's address.
        directory: PathBuf,
        /// What was the matter.
        source: LogError,
    },
}

impl StoreError {
    /// Returns what a person can do, each a fragment.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Locked { directory, .. } if is_address(directory) => vec![format!(
                "wait until it has finished (`--lock-timeout 10m` does), or stop it; a holder that \
                 crashed keeps others out for {} seconds, and for some more where the store's \
                 members have just restarted",
                TIME_TO_LIVE.as_secs()
            )],
            Self::Locked { .. } => vec![
                "wait until it has finished (`--lock-timeout 10m` does), or stop it; a crashed \
                 holder leaves no lock behind"
                    .to_owned(),
            ],
            Self::Damaged { directory, .. } if is_address(directory) => vec![
                "use the passphrase it was made with; else restore the store from a backup of its \
                 own, or make a state anew from `stoker state backup` with `stoker state push`"
                    .to_owned(),
            ],
            Self::Moved { to, .. } => {
                vec![format!("name it with `--state {to}`, or in STOKER_STATE")]
            }
            Self::Occupied { .. } => vec!["name another prefix; nothing was changed".to_owned()],
            Self::Shared { source, .. } => {
                match source {
                    LogError::Deposed { .. } | LogError::Unseated => {
                        vec!["run it again; what was sent is remembered, or looked for by the next run"
                        .to_owned()]
                    }
                    _ => vec![
                        "nothing was sent that is not remembered; look after the store, then run \
                           it again"
                            .to_owned(),
                    ],
                }
            }
            Self::Damaged { directory, .. } => vec![
                format!("restore {} from a backup, if there is one", directory.display()),
                format!(
                    "or wait three minutes, so that no create is still in progress, move {} aside \
                     and run `stoker plan`: what is declared is adopted by name, and nothing is \
                     deleted; `stoker adopt KIND/NAME` gives back the right to delete",
                    directory.display()
                ),
            ],
            Self::Newer { .. } => vec![
                "use the version of stoker that wrote it, or a newer one; nothing was changed"
                    .to_owned(),
            ],
            Self::Disk { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    vec!["free some space; nothing was sent that is not recorded".to_owned()]
                }
                io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
                    vec!["give a directory that does not exist, or is empty".to_owned()]
                }
                io::ErrorKind::PermissionDenied => {
                    vec![
                        "give this user the right to write it, or name another with `--state`"
                            .to_owned(),
                    ]
                }
                _ => Vec::new(),
            },
        }
    }
}

/// Whether a place is an address and no directory of this machine.
fn is_address(place: &Path) -> bool {
    place.to_string_lossy().contains("://")
}

/// What was wrong with a state that can be read all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The current snapshot is damaged and was rebuilt exactly from the generation before.
    Rebuilt {
        /// Which file, and what is wrong with it.
        what: String,
    },
    /// Events may be missing. Good for looking; a writer is refused.
    Incomplete {
        /// Which file, and what is wrong with it.
        what: String,
    },
}

impl std::fmt::Display for Warning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rebuilt { what } => write!(
                formatter,
                "{what}; it was rebuilt from the previous generation, and nothing is lost"
            ),
            Self::Incomplete { what } => write!(
                formatter,
                "{what}; the latest events may be missing, and nothing will be written"
            ),
        }
    }
}
