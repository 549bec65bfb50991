//! Why manifests could not be read. Never turned into "there are none" (S6).

use std::io;

/// Why a source could not be read; the whole tree is refused with it.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Nothing is there.
    #[error("read `{path}`: there is no such file or directory")]
    Missing {
        /// The path as typed.
        path: String,
    },
    /// It is there and cannot be read.
    #[error("read `{path}`: {source}")]
    Unreadable {
        /// The path, as a user would type it.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A symbolic link leads out of the root.
    #[error("read `{path}`: it leads outside `{root}`")]
    Escapes {
        /// The path, as a user would type it.
        path: String,
        /// The directory it may not leave.
        root: String,
    },
    /// It lies outside the tree, and nobody allowed its directory.
    #[error("read `{path}`: no setting allows files of its directory")]
    NotAllowed {
        /// The path as the manifest gives it.
        path: String,
    },
    /// A FIFO, socket or device: reading it could block forever.
    #[error("read `{path}`: it is not a regular file (standard input is written `-`)")]
    NotRegular {
        /// The path, as a user would type it.
        path: String,
    },
    /// More than the limit.
    #[error("read `{path}`: {what} is more than the limit of {limit}")]
    TooLarge {
        /// The path at which the limit was reached.
        path: String,
        /// What there is too much of.
        what: &'static str,
        /// The limit, in words.
        limit: String,
    },
    /// The directory was replaced while it was read, again and again.
    #[error("read `{path}`: it changes while it is being read")]
    Moving {
        /// The root.
        path: String,
    },
    /// One file is read in two layers.
    #[error("read the overlay `{overlay}`: `{path}` is in it and in what it is laid over")]
    InTwoLayers {
        /// The file, as a user would type it.
        path: String,
        /// The overlay.
        overlay: String,
    },
    /// A file named by a manifest that came without a directory.
    #[error("read `{path}`: a manifest from standard input has no directory to look in")]
    Rootless {
        /// The path as the manifest gives it.
        path: String,
    },
}

impl SourceError {
    pub(super) fn from_io(path: &str, source: io::Error) -> Self {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::NotFound {
            Self::Missing { path }
        } else {
            Self::Unreadable { path, source }
        }
    }
}
