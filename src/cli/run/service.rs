//! What the service manager is told while the agent runs: that its loops turn, and how its projects
//! stand.

use std::sync::Arc;

use futures_util::future::select_all;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::daemon::Systemd;
use crate::daemon::server::{Pulse, SILENCE_MAX};
use crate::status::{ConditionType, ProjectStatus, SyncStatus, Truth};

/// A project's status, as it changes.
pub type Watched = watch::Receiver<Arc<ProjectStatus>>;

/// Tells the service manager what it asks for. Never returns.
pub async fn keep_told(systemd: &Systemd, pulses: &[Pulse], watched: Vec<Watched>, clock: &Clock) {
    let do_loops_turn = || {
        let now = clock.now();
        pulses.iter().all(|pulse| pulse.silence(now) < SILENCE_MAX)
    };
    let alive = async {
        systemd.keep_alive(do_loops_turn).await;
        // Nobody watches.
        std::future::pending::<()>().await;
    };
    tokio::join!(alive, keep_standing(systemd, watched));
}

/// Says how the projects stand whenever that changes.
async fn keep_standing(systemd: &Systemd, mut watched: Vec<Watched>) {
    let mut said = String::new();
    loop {
        let statuses: Vec<_> =
            watched.iter_mut().map(|status| Arc::clone(&status.borrow_and_update())).collect();
        let line = standing(&statuses);
        if line != said {
            systemd.status(&line);
            said = line;
        }
        let changes = watched.iter_mut().map(|status| Box::pin(status.changed()));
        if select_all(changes).await.0.is_err() {
            // Nobody can change a status any more.
            std::future::pending::<()>().await;
        }
    }
}

/// Says in one line how many projects are as declared, and what is the matter with the others.
fn standing(statuses: &[Arc<ProjectStatus>]) -> String {
    let noun = if statuses.len() == 1 { "project" } else { "projects" };
    let others = statuses.iter().filter_map(|status| {
        let ready = status.conditions.get(ConditionType::Ready)?;
        let name = &status.name;
        let is_fine = ready.status == Truth::True && status.sync_status == SyncStatus::Synced;
        (!is_fine).then(|| format!("{name}: {}", ready.reason))
    });
    let others: Vec<String> = others.collect();
    let count = statuses.len();
    let whole = format!("{count} {noun}, {} as declared", count - others.len());
    std::iter::once(whole).chain(others).collect::<Vec<_>>().join("; ")
}
