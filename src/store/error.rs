//! What can go wrong with the state, by what a person can do about it.

use std::io;
use std::path::PathBuf;

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
}

impl StoreError {
    /// Returns what a person can do, each a fragment.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Locked { .. } => vec![
                "wait until it has finished (`--lock-timeout 10m` does), or stop it; a crashed \
                 holder leaves no lock behind"
                    .to_owned(),
            ],
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
