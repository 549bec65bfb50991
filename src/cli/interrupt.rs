//! Signals: the first asks for an orderly end, the second ends at once.
//!
//! Both are safe: what is in flight is either recorded or has its intent on disk (S3).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::code::ErrorCode;
use super::exit::Exit;
use super::failure::Failure;

/// How long an orderly end may take (L3).
const ORDERLY_END_MAX: Duration = Duration::from_secs(10);

/// Whether somebody asked us to end, and how.
#[derive(Clone)]
pub struct Interrupt {
    stop: watch::Receiver<bool>,
    exit: Arc<AtomicU8>,
}

impl Interrupt {
    /// Begins to listen for SIGINT and SIGTERM. While manifests are typed nothing is in flight, and
    /// the first one ends at once.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn listen(is_typing: Arc<AtomicBool>) -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(ErrorCode::Signals, format!("failed to listen for signals: {error}"))
            })
        };
        let (interrupted, terminated) =
            (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
        let (sender, stop) = watch::channel(false);
        let exit = Arc::new(AtomicU8::new(0));
        let signals = Signals { interrupted, terminated };
        tokio::spawn(watch_over(signals, sender, Arc::clone(&exit), is_typing));
        Ok(Self { stop, exit })
    }

    /// Turns true when nothing new may begin.
    #[must_use]
    pub fn stop(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }

    /// Returns the exit code of the signal that came, if one did.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        let code = self.exit.load(Ordering::SeqCst);
        [Exit::Interrupted, Exit::Terminated].into_iter().find(|exit| exit.code() == code)
    }

    /// Waits for the first signal.
    pub async fn came(&self) -> Exit {
        let mut stop = self.stop.clone();
        if stop.wait_for(|is_stopped| *is_stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
        self.exit().unwrap_or(Exit::Interrupted)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the second signal, or ten seconds after the first, ends at once"
)]
async fn watch_over(
    mut signals: Signals,
    stop: watch::Sender<bool>,
    exit: Arc<AtomicU8>,
    is_typing: Arc<AtomicBool>,
) {
    let first = signals.next().await;
    if is_typing.load(Ordering::SeqCst) {
        std::process::exit(i32::from(first.code()));
    }
    exit.store(first.code(), Ordering::SeqCst);
    // Nobody may be listening any more: then the run is ending by itself.
    let _ = stop.send(true);
    let last = tokio::select! {
        second = signals.next() => second,
        () = tokio::time::sleep(ORDERLY_END_MAX) => first,
    };
    std::process::exit(i32::from(last.code()));
}

/// The signals that ask for an end.
struct Signals {
    interrupted: Signal,
    terminated: Signal,
}

impl Signals {
    async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupted.recv() => Exit::Interrupted,
            _ = self.terminated.recv() => Exit::Terminated,
        }
    }
}
