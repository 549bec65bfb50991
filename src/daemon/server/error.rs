//! Why the server cannot begin.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the server cannot begin, a fragment that completes "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It would be open to the network.
    #[error("listen on {address} without a token: others could read the status of your projects")]
    NeedsToken {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// The address cannot be had.
    #[error("listen on {address}: {source}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system's addresses of sockets are shorter.
    #[error("open the socket `{}`: its path is longer than {bytes_max} bytes", path.display())]
    SocketTooLong {
        /// Where it was to be.
        path: PathBuf,
        /// The longest path.
        bytes_max: usize,
    },
    /// Somebody answers on the socket.
    #[error("open the socket: another agent uses the state directory `{}`", directory.display())]
    AnotherAgent {
        /// The state directory.
        directory: PathBuf,
    },
    /// Something else stands in its place; it is left alone.
    #[error("open the socket `{}`: something other than a socket has that name", path.display())]
    NotASocket {
        /// What stands there.
        path: PathBuf,
    },
    /// The system does not let us.
    #[error("open the socket `{}`: {source}", path.display())]
    Socket {
        /// Where it was to be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl ServerError {
    /// Returns what to do.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::NeedsToken { address: _ } => vec![
                "set the server's token, or listen on 127.0.0.1".to_owned(),
                "`openssl rand -hex 32` makes a good token".to_owned(),
            ],
            Self::Listen { address: _, source } => match source.kind() {
                io::ErrorKind::AddrInUse => {
                    vec!["another process listens there; choose another port".to_owned()]
                }
                _ => Vec::new(),
            },
            Self::SocketTooLong { path: _, bytes_max: _ } => {
                vec!["choose a state directory with a shorter path".to_owned()]
            }
            Self::AnotherAgent { directory: _ } => {
                vec!["stop the other agent, or give this one its own state directory".to_owned()]
            }
            Self::NotASocket { path: _ } => vec!["check it, and move it away".to_owned()],
            Self::Socket { path: _, source: _ } => Vec::new(),
        }
    }
}
