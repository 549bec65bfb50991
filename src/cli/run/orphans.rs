//! What process 1 owes to the others: to bury those whose parents have gone.
//!
//! In a container this program is process 1 unless an init was asked for, and git, when it is ended,
//! leaves children behind.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::source::git::bury;

/// How long those who wait for a child of their own have to hear of its end first.
const PATIENCE: Duration = Duration::from_secs(1);

/// Buries what nobody waits for, as long as the program runs; anywhere but in a container somebody
/// else does.
pub async fn keep_burying() {
    if std::process::id() != 1 {
        return;
    }
    let Ok(mut ended) = signal(SignalKind::child()) else {
        tracing::warn!("the ends of processes are not reported; orphaned processes are not reaped");
        return;
    };
    while ended.recv().await.is_some() {
        tokio::time::sleep(PATIENCE).await;
        // It reads files of the system's, which are never slow.
        bury();
    }
}
