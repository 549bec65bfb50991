//! The sandbox of an agent: the emulator beside it, and on a port of its own, so that people can
//! move things behind the agent's back and see what it does.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::emulator::{Emulator, serve};
use crate::model::Guard;
use crate::project::ProjectParts;
use crate::sandbox::SandboxTransport;

use super::super::code::ErrorCode;
use super::super::failure::Failure;
use super::super::world::{self, WorldFile};

/// The port of `stoker sandbox`, when it is free.
const PORT: u16 = 8_300;

/// A world that is held and served; clones are the same.
#[derive(Clone)]
pub struct Sandbox {
    emulator: Emulator,
    address: SocketAddr,
    held: Arc<Mutex<Option<Held>>>,
}

/// What ends with it.
struct Held {
    tasks: [JoinHandle<()>; 2],
    keeper: WorldFile,
    _lock: File,
}

impl Sandbox {
    /// Takes the world beneath a state directory, and serves it on this machine.
    ///
    /// # Errors
    /// When somebody else holds it, or it cannot be read.
    pub fn open(state: &Path, clock: &Clock) -> Result<Self, Failure> {
        let lock = world::lock(state)?;
        let file = world::file(state);
        let emulator = world::load(&file, clock)?;
        let listener = listen().map_err(|error| {
            let message = format!("failed to serve the sandbox: {error}");
            Failure::new(ErrorCode::Listen, message)
        })?;
        let address = listener.local_addr().map_err(|error| {
            Failure::new(ErrorCode::Listen, format!("failed to serve the sandbox: {error}"))
        })?;
        let keeper = WorldFile::of(&emulator, &file);
        keeper.follow();
        let (served, kept) = (emulator.clone(), keeper.clone());
        let tasks = [
            tokio::spawn(async move {
                if let Err(error) = serve(served, listener, std::future::pending()).await {
                    tracing::error!(%error, "the sandbox is no longer served");
                }
            }),
            tokio::spawn(async move {
                let error = kept.go_on().await;
                tracing::error!(%error, "the sandbox cannot be saved");
            }),
        ];
        let held = Arc::new(Mutex::new(Some(Held { tasks, keeper, _lock: lock })));
        Ok(Self { emulator, address, held })
    }

    /// Lets its project be the one that manifests are for.
    pub fn stand_for(&self, guard: &Guard) {
        world::stand_for(&self.emulator, guard);
    }

    /// Returns the parts of its project, without a socket.
    pub fn parts(&self, state: &Path) -> ProjectParts {
        world::parts(Arc::new(SandboxTransport::new(self.emulator.clone())), state)
    }

    /// Returns where people reach it.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Saves the world and lets go of it.
    pub fn end(self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Held { tasks, keeper, _lock }) = held else {
            return;
        };
        for task in tasks {
            task.abort();
        }
        if let Err(error) = keeper.save() {
            tracing::error!(%error, "the sandbox cannot be saved");
        }
    }
}

/// Listens on the usual port, or on any free one.
fn listen() -> std::io::Result<TcpListener> {
    let bind = |port| std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = bind(PORT).or_else(|_| bind(0))?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
