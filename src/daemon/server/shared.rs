//! What every request is answered from.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::answer::HttpFailure;
use super::metrics::Meters;
use super::projects::{Projects, ServedProject};
use super::refusals::Refusals;
use crate::clock::Clock;
use crate::model::Name;

/// How many may listen to events at once. Each holds a connection for as long as it likes; a
/// browser opens one for each tab, a team has a few dozen.
pub(super) const LISTENERS_MAX: usize = 64;

/// How many large bodies are read at once. With what every other one may hold, it bounds the memory
/// that strangers can make us hold: this many times the largest body, and [`BODY_BYTES_FREE`] for each
/// connection, 56 MB on one address.
pub(super) const BODIES_MAX: usize = 8;

/// How much of a body is read without one of the places for large ones. So who sends little or
/// nothing keeps nobody out: a webhook of a push takes ten to thirty kilobytes.
pub(super) const BODY_BYTES_FREE: usize = 64 << 10;

/// What every request is answered from. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct ServerState {
    pub projects: Projects,
    pub meters: Meters,
    pub clock: Clock,
    pub listeners: Arc<Semaphore>,
    pub bodies: Arc<Semaphore>,
    pub refusals: Refusals,
    pub closing: ShutdownSignal,
}

impl ServerState {
    pub(super) fn new(
        projects: Projects,
        meters: Meters,
        clock: Clock,
        closing: ShutdownSignal,
    ) -> Self {
        let listeners = Arc::new(Semaphore::new(LISTENERS_MAX));
        let bodies = Arc::new(Semaphore::new(BODIES_MAX));
        let refusals = Refusals::new(clock.clone());
        Self { projects, meters, clock, listeners, bodies, refusals, closing }
    }

    /// Returns the same for another door, with places of its own: strangers on the network take
    /// none of those on the socket.
    pub(super) fn with_own_places(&self) -> Self {
        let listeners = Arc::new(Semaphore::new(LISTENERS_MAX));
        let bodies = Arc::new(Semaphore::new(BODIES_MAX));
        Self { listeners, bodies, ..self.clone() }
    }

    /// Returns the project that is meant: the named one, or the only one.
    pub(super) fn project(
        &self,
        name: Option<&str>,
    ) -> Result<(&Name, &ServedProject), HttpFailure> {
        match name {
            Some(name) => self.projects.get(name).ok_or_else(HttpFailure::unknown_project),
            None => self.projects.only().ok_or_else(|| HttpFailure::which_project(&self.projects)),
        }
    }

    /// Returns the projects that are meant: the named one, or all.
    pub(super) fn chosen(&self, name: Option<&str>) -> Result<Projects, HttpFailure> {
        match name {
            Some(_) => {
                let (name, kept) = self.project(name)?;
                Ok([(name.clone(), kept.clone())].into_iter().collect())
            }
            None => Ok(self.projects.clone()),
        }
    }
}

/// Tells everyone who waits that the server ends: it does when the other half is dropped.
#[derive(Clone, Debug)]
pub(super) struct ShutdownSignal(watch::Receiver<()>);

impl ShutdownSignal {
    /// Makes both halves.
    pub(super) fn new() -> (watch::Sender<()>, Self) {
        let (sender, receiver) = watch::channel(());
        (sender, Self(receiver))
    }

    /// Waits until the server ends.
    pub(super) async fn begun(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}
