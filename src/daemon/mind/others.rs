//! What runs of each service, and deployments that somebody else began: what runs after those is
//! read once, when they have come to an end. Somebody may have rolled a service back.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::api::Deployment;
use crate::follow::Health;
use crate::model::{Inventory, Key, Kind, RemoteId};
use crate::reconcile::{Return, returned};
use crate::status::{ConditionReason, EventSeverity, ResourceStatus, Rollback, Runs};

use super::super::judge;
use super::Mind;
use super::reading::short;

/// Services that somebody else deploys.
#[derive(Default)]
pub(super) struct OtherDeployers {
    under_way: BTreeSet<Key>,
    /// What runs of these is to be read.
    ended: BTreeSet<Key>,
    /// What runs of this one is being read.
    reading: Option<Key>,
}

impl OtherDeployers {
    /// Notes that somebody says to have begun a deployment.
    pub fn begun(&mut self, key: Key) {
        self.under_way.insert(key);
    }

    /// Reads again later what is being read now: a pass begins, and nothing comes between its looks
    /// and its writes (S10).
    pub fn put_off(&mut self) {
        self.ended.extend(self.reading.take());
    }
}

impl Mind {
    /// Notes which services are deployed by somebody else, and which were.
    pub(super) fn watch_others(&mut self, inventory: &Inventory) {
        let ours: BTreeSet<&Key> =
            self.agenda.watch.awaited().map(|awaited| &awaited.key).collect();
        let others = &mut self.agenda.others;
        let services = self.shown.resources.iter().filter(|it| it.key.kind == Kind::Service);
        for ResourceStatus { key, health, .. } in services {
            match health.as_deref().map(Health::of) {
                // Its own end tells what runs then.
                _ if ours.contains(key) => drop(others.under_way.remove(key)),
                None => {}
                Some(Health::Moving) => drop(others.under_way.insert(key.clone())),
                Some(Health::Good | Health::Bad | Health::Unknown) => {
                    others.ended.extend(others.under_way.take(key));
                }
            }
        }
        let is_ours = |key: &Key| inventory.entries.contains_key(key);
        others.under_way.retain(is_ours);
        others.ended.retain(is_ours);
        let ids: BTreeSet<&str> = inventory.entries.values().map(|it| it.id.as_str()).collect();
        self.memory.runs.retain(|id, _| ids.contains(id.as_str()));
    }

    /// Returns the next service whose deployments are to be read, once.
    pub fn take_others(&mut self) -> Option<(Key, RemoteId)> {
        if self.running.is_some() {
            return None;
        }
        let key = self.agenda.others.ended.pop_first()?;
        let id = RemoteId::new(judge::find(&self.shown.resources, &key)?.id.as_deref()?).ok()?;
        self.agenda.others.reading = Some(key.clone());
        Some((key, id))
    }

    /// Takes the deployments of a service, newest first. Where they cannot be read, or have not ended
    /// after all, they are read again after a later look.
    pub fn read_others(
        &mut self,
        key: &Key,
        deployments: Result<Vec<Deployment>, String>,
        now: Timestamp,
    ) {
        self.agenda.others.reading = None;
        let deployments = match deployments {
            Ok(deployments) if deployments.first().is_none_or(Deployment::has_ended) => deployments,
            Ok(_) => return self.agenda.others.begun(key.clone()),
            Err(error) => {
                tracing::debug!(%key, error, "its deployments were not read");
                return self.agenda.others.begun(key.clone());
            }
        };
        let known = judge::find(&self.shown.resources, key).and_then(|it| it.runs.clone());
        let Some(newest) = deployments.iter().find(|deployment| deployment.has_succeeded()) else {
            return;
        };
        self.note_runs(key, newest, now);
        let is_news = known.is_none_or(|known| known.deployment != newest.id.as_str());
        // Our own was told when it was begun.
        let is_own = self.memory.deploys.get(key).is_some_and(|failed| failed.rolled_back);
        if let Some(Return { to, from }) = returned(&deployments).filter(|_| is_news && !is_own) {
            let (to, from) = (short(to), short(from));
            let message = format!(
                "it was rolled back by someone else: commit {to} runs again, in place of {from}"
            );
            self.shown.last_rollback =
                Some(Rollback { at: now, message: format!("{key}: {message}") });
            self.tell(EventSeverity::Warning, Some(key), ConditionReason::RolledBack, message);
        }
    }

    /// Notes what runs of a service. A deployment that shows no commit tells nothing.
    pub(super) fn note_runs(&mut self, key: &Key, deployment: &Deployment, now: Timestamp) {
        let Ok(index) = judge::place(&self.shown.resources, key) else {
            return;
        };
        let (Some(commit), Some(id)) = (&deployment.commit, self.shown.resources[index].id.clone())
        else {
            return;
        };
        let runs =
            Runs { commit: commit.clone(), deployment: deployment.id.to_string(), seen_at: now };
        self.memory.runs.insert(id, runs.clone());
        self.shown.resources[index].runs = Some(runs);
    }
}
