//! What is remembered of deployments: which commit began each, how it went, and how many ended how.

use jiff::Timestamp;

use crate::follow::Ending;
use crate::model::Key;
use crate::status::{DEPLOYMENTS_MAX, DeploymentRecord, DeploymentStatus};

use super::super::judge;
use super::{Mind, Running};

impl Mind {
    /// Notes that a pass began a deployment.
    pub(super) fn note_begun(&mut self, key: &Key, running: &Running) {
        let commit = running.declared.commit.as_ref();
        let record = DeploymentRecord {
            key: key.clone(),
            status: String::new(),
            started_at: running.started_at,
            ended_at: None,
            commit: commit.map(|commit| commit.id.clone()),
            subject: commit.map(|commit| commit.subject.clone()),
            digest: running.declared.desired.digest.clone(),
            log: Vec::new(),
        };
        self.shown.deployments.insert(0, record);
        self.shown.deployments.truncate(DEPLOYMENTS_MAX);
    }

    /// Notes a word that was heard of the deployment under way.
    pub(super) fn note_deployment(&mut self, key: &Key, status: &str, log: Vec<String>) {
        let Some(at) = self.shown.deployments.iter().position(|one| one.key == *key) else {
            return;
        };
        let record = &mut self.shown.deployments[at];
        status.clone_into(&mut record.status);
        record.log.clone_from(&log);
        let (since, commit) = (record.started_at, record.commit.clone());
        let deployment =
            DeploymentStatus { id: None, status: status.to_owned(), since, commit, log };
        if let Ok(index) = judge::place(&self.shown.resources, key)
            && self.shown.resources[index].deployment.as_ref() != Some(&deployment)
        {
            self.shown.resources[index].deployment = Some(deployment);
        }
    }

    /// Notes how the deployment under way ended, and counts it.
    pub(super) fn note_end(&mut self, key: &Key, ending: &Ending, now: Timestamp) {
        let result = match ending {
            Ending::Succeeded => {
                self.note_deployment(key, "succeeded", Vec::new());
                "succeeded"
            }
            Ending::Failed { status, log } => {
                self.note_deployment(key, status, log.clone());
                "failed"
            }
            Ending::Gone => "gone",
            // Nobody looks any more; it goes on.
            Ending::TimedOut { .. } => "timed_out",
        };
        *self.shown.counts.deployments.entry(result.to_owned()).or_default() += 1;
        if let Some(at) = self.shown.deployments.iter().position(|one| one.key == *key) {
            self.shown.deployments[at].ended_at = Some(now);
        }
    }
}
