//! One project kept whatever happens: its agent, begun again when a defect of ours ended it, and
//! its notifications. No project can stop or delay another.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{Mutex, watch};

use crate::status::PassRecord;
use crate::store::Medium;

use super::agent::{Agent, AgentParts, RunUntil};
use super::handle::{Handle, Seat};
use super::memory::StateFile;
use super::notify::{Notified, Notifier};

/// The pause after a defect, doubled each time: whoever restarts at once does the same again.
const PAUSE_FIRST: Duration = Duration::from_secs(10);

/// The longest pause after a defect.
const PAUSE_LAST: Duration = Duration::from_secs(300);

/// How long notices may take at the end: they are no reason to be killed.
const FAREWELL_MAX: Duration = Duration::from_secs(3);

/// Keeps a project until it is told to stop, and returns its last pass.
///
/// # Errors
/// When what outlived the last agent cannot be read.
pub async fn keep(
    parts: AgentParts,
    seat: Arc<Mutex<Seat>>,
    stop: watch::Receiver<bool>,
    until: RunUntil,
) -> std::io::Result<Option<PassRecord>> {
    let mut seat = seat.lock().await;
    let mut pause = PAUSE_FIRST;
    loop {
        let mut agent = Agent::new(parts.clone())?;
        let running = AssertUnwindSafe(agent.run(&mut seat, stop.clone(), until));
        match running.catch_unwind().await {
            Ok(last) => return Ok(last),
            Err(_) if *stop.borrow() || until == RunUntil::FirstPass => return Ok(None),
            Err(_) => {
                // The panic itself is in the log already.
                tracing::error!(
                    pause = pause.as_secs(),
                    "the agent ended because of a defect; it is restarted"
                );
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_LAST);
            }
        }
    }
}

/// Tells the sinks of a project how it stands, until it is told to stop.
pub async fn notify(
    notifier: Notifier,
    handle: Handle,
    state: &Medium,
    mut stop: watch::Receiver<bool>,
) {
    let file: StateFile<Notified> = StateFile::notified(state);
    let (mut status, mut told) = (handle.watch(), notifier.told());
    loop {
        let current = Arc::clone(&status.borrow_and_update());
        notifier.tell(&current);
        tokio::select! {
            changed = status.changed() => if changed.is_err() { break },
            Ok(()) = told.changed() => {
                let now = told.borrow_and_update().clone();
                if let Err(error) = file.write(&now) {
                    tracing::warn!(%error, "what was sent cannot be recorded, and may be sent \
                        again");
                }
            }
            stopped = stop.wait_for(|is_stopped| *is_stopped) => {
                // An error says that whoever could tell has ended; so do we.
                drop(stopped);
                break;
            }
        }
    }
    notifier.finish(FAREWELL_MAX).await;
}

/// Reads what the notifications of a project have told.
///
/// # Errors
/// When it is there and cannot be read.
pub fn told(state: &Medium) -> std::io::Result<Notified> {
    StateFile::notified(state).read()
}
