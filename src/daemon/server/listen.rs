//! The server from its beginning to its end: where it listens, and who may connect.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::access::Gate;
use super::connection::{self, ListenAddress, peer_of};
use super::error::ServerError;
use super::metrics::Meters;
use super::projects::Projects;
use super::routes;
use super::shared::{ServerState, ShutdownSignal};
use super::socket::{Socket, SocketFile};
use crate::clock::Clock;
use crate::daemon::shared_secret::SharedSecret;
use crate::model::is_loopback;

/// How many connections from the network are open at once, on each address.
const NETWORK_CONNECTIONS_MAX: usize = 256;

/// How many commands of this machine are connected at once. Counted apart, so that no stranger
/// takes the place of the operator.
const LOCAL_CONNECTIONS_MAX: usize = 64;

/// Where the server listens and whom it lets in.
#[derive(Clone, Debug, Default)]
pub struct ServerSettings {
    /// The network addresses; none for no network at all. Port 0 takes any free one.
    pub listen: Vec<SocketAddr>,
    /// The token that is asked for everywhere but at health and webhooks. Needed when an address
    /// is not loopback.
    pub bearer: Option<SharedSecret>,
    /// The state directories in which a socket is opened; each speaks for all projects.
    pub state_directories: Vec<PathBuf>,
}

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    sockets: Vec<Socket>,
    gate: Gate,
    shared: ServerState,
    /// Held as long as the server runs; letting go ends it.
    open: tokio::sync::watch::Sender<()>,
}

impl Server {
    /// Opens all addresses and sockets.
    ///
    /// *Guarantees*: on an error nothing stays open and no socket stays behind.
    ///
    /// # Errors
    /// When an address beyond loopback has no token, an address or a socket cannot be had, or
    /// another agent keeps a state directory.
    pub async fn bind(
        settings: ServerSettings,
        projects: Projects,
        meters: Meters,
        clock: Clock,
    ) -> Result<Self, ServerError> {
        let ServerSettings { listen, bearer, state_directories } = settings;
        let is_open = |address: &&SocketAddr| !is_loopback(address.ip());
        if let (None, Some(address)) = (&bearer, listen.iter().find(is_open)) {
            return Err(ServerError::NeedsToken { address: *address });
        }
        let mut listeners = Vec::new();
        for address in listen {
            let failed = |source| ServerError::Listen { address, source };
            listeners.push(TcpListener::bind(address).await.map_err(failed)?);
        }
        let mut sockets = Vec::new();
        for directory in state_directories {
            sockets.push(Socket::open(&directory).await?);
        }
        let (open, closing) = ShutdownSignal::new();
        let shared = ServerState::new(projects, meters, clock, closing);
        Ok(Self { listeners, sockets, gate: Gate::new(bearer), shared, open })
    }

    /// Returns the network addresses it listens on, with the ports it was given.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(TcpListener::local_addr).collect()
    }

    /// Answers requests until `stop` is there.
    ///
    /// *Guarantees*: when it returns, no connection is open and no socket of ours is left; it
    /// returns within a few seconds after `stop`, whatever the peers do.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let Self { listeners, sockets, gate, shared, open } = self;
        let closing = shared.closing.clone();
        let mut doors = JoinSet::new();
        for listener in listeners {
            let router = routes::public(shared.clone(), gate.clone());
            let closing = closing.clone();
            let door = ListenAddress {
                listener,
                router,
                connections_max: NETWORK_CONNECTIONS_MAX,
                peer: |address: &SocketAddr| Some(peer_of(address.ip())),
                refusals: shared.refusals.clone(),
            };
            doors.spawn(connection::accept(door, closing));
        }
        let mut files: Vec<SocketFile> = Vec::new();
        for Socket { listener, file } in sockets {
            let router = routes::local(shared.with_own_places());
            let closing = closing.clone();
            let door = ListenAddress {
                listener,
                router,
                connections_max: LOCAL_CONNECTIONS_MAX,
                // Only the operator comes in here.
                peer: |_| None,
                refusals: shared.refusals.clone(),
            };
            doors.spawn(connection::accept(door, closing));
            files.push(file);
        }
        doors.spawn(shared.refusals.clone().keep_telling(closing));
        stop.await;
        // First the names, then the doors: the next agent need not wait for our last answers.
        drop(files);
        drop(open);
        while let Some(ended) = doors.join_next().await {
            if let Err(error) = ended {
                tracing::error!("the server gave up an address: {error}");
            }
        }
    }
}
