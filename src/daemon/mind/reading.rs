//! What was read of the manifests, and what a state that cannot be used means (S6).

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Inventory, Remembered};
use crate::status::{ConditionReason, EventSeverity, Occurrence, Problem, Revision, Trigger};

use super::super::declare::Declared;
use super::super::source::may_pass;
use super::Mind;

impl Mind {
    /// Takes what was read. What cannot be used leaves the last good state standing, and forbids
    /// deletes until it is mended (S6).
    pub fn declare(&mut self, read: Result<Arc<Declared>, Problem>, now: Timestamp) {
        match read {
            Ok(declared) => self.accept(declared, now),
            Err(problem) => self.refuse(problem, now),
        }
    }

    fn accept(&mut self, declared: Arc<Declared>, now: Timestamp) {
        let fell_back = std::mem::take(&mut self.wanted.falls_back);
        if !fell_back {
            self.wanted.rereading.succeeded();
        }
        if !fell_back && self.wanted.problem.take().is_some() {
            self.tell(
                EventSeverity::Normal,
                None,
                Occurrence::SourceRecovered,
                "the manifests can be used again",
            );
            // What was withheld because of it need not wait for the next look.
            self.agenda.due.insert(self.news());
        }
        let is_new = self.wanted.declared.as_ref().is_none_or(|known| {
            // Most often it is the very same.
            !Arc::ptr_eq(known, &declared)
                && (known.desired != declared.desired || known.commit != declared.commit)
        });
        if !is_new {
            return;
        }
        let Declared { desired, commit, .. } = &*declared;
        let revision = Revision {
            commit: commit.as_ref().map(|commit| commit.id.clone()),
            subject: commit.as_ref().map(|commit| commit.subject.clone()),
            author: commit.as_ref().map(|commit| commit.author.clone()),
            digest: desired.digest.clone(),
            at: now,
        };
        let count = match desired.resources.len() {
            1 => "1 resource".to_owned(),
            count => format!("{count} resources"),
        };
        let what = match commit {
            Some(commit) => format!("commit {} declares {count}", short(&commit.id)),
            None => format!("the manifests declare {count}"),
        };
        if let Some(commit) = commit {
            self.memory.commit = Some(commit.id.clone());
        }
        self.wanted.revision = Some(revision);
        self.forgive_changed(&declared);
        let shrunk = self.note_absences(&declared, now);
        self.keep_protections(&declared);
        self.wanted.declared = Some(declared);
        self.tell(EventSeverity::Normal, None, Occurrence::RevisionSeen, what);
        if let Some(told) = shrunk {
            self.tell(EventSeverity::Warning, None, ConditionReason::SourceShrinking, told);
        }
        self.supersede();
    }

    /// What failed as it was declared before may succeed as it is declared now.
    fn forgive_changed(&mut self, declared: &Declared) {
        let Some(known) = &self.wanted.declared else {
            return;
        };
        let known = &known.desired.resources;
        for (key, resource) in &declared.desired.resources {
            if known.get(key) != Some(resource) {
                self.agenda.queue.forgive(Some(key));
            }
        }
    }

    /// Notes what a directory has lost; a commit is an order. Returns what is to be told, ever less
    /// often while it goes on.
    fn note_absences(&mut self, declared: &Declared, now: Timestamp) -> Option<String> {
        if self.wanted.has_commits {
            return None;
        }
        let Some(known) = &self.wanted.declared else {
            if self.wanted.stays {
                self.wanted.shrinking.begin(now);
            }
            return None;
        };
        let steps = self.wanted.shrinking.read(&known.desired, &declared.desired, now)?;
        steps.is_power_of_two().then(|| self.wanted.shrinking.told_of_steps(now)).flatten()
    }

    /// What was protected stays so, even if no pass came to it before it was gone (S11).
    fn keep_protections(&mut self, declared: &Declared) {
        let known = self.wanted.declared.iter().flat_map(|known| known.desired.resources.values());
        let said = known.map(|it| (it.key.clone(), Remembered::from(&it.lifecycle)));
        self.memory.protections.extend(said.filter(|(_, said)| said.protects().is_some()));
        self.memory.protections.retain(|key, _| !declared.desired.resources.contains_key(key));
    }

    /// What is written down, or is nobody's, need not be kept.
    pub(super) fn forget_protections(&mut self, inventory: &Inventory) {
        self.memory.protections.retain(|key, said| match inventory.entries.get(key) {
            Some(entry) => entry.remembered.and(*said) != entry.remembered,
            None => inventory.intents.contains_key(key),
        });
    }

    /// A newer state is wanted: what is under way for the old one ends, and so does waiting for
    /// its deployments.
    fn supersede(&mut self) {
        if let Some(running) = &mut self.running {
            running.is_superseded = true;
        }
        self.agenda.due.insert(self.news());
    }

    const fn news(&self) -> Trigger {
        if self.wanted.has_commits { Trigger::Git } else { Trigger::Files }
    }

    fn refuse(&mut self, problem: Problem, now: Timestamp) {
        if !self.wanted.falls_back {
            if may_pass(&problem) {
                self.wanted.rereading.failed(now, self.settings.seed);
            } else {
                self.wanted.rereading.succeeded();
            }
        }
        if !self.wanted.falls_back && self.wanted.problem.as_ref() != Some(&problem) {
            self.tell(
                EventSeverity::Warning,
                None,
                problem.reason.clone(),
                problem.message.clone(),
            );
        }
        if self.wanted.problem.is_none()
            && let Some(running) = &mut self.running
        {
            // It was begun when it might still delete: it ends, and another goes on without (S6).
            running.is_superseded = true;
            self.agenda.due.insert(Trigger::Retry);
        }
        // After a restart the last good state is not in memory, but its commit may be at hand (S6).
        let has_fallen_back = std::mem::take(&mut self.wanted.falls_back);
        let may_fall_back = self.wanted.declared.is_none()
            && self.wanted.has_commits
            && self.memory.commit.is_some()
            && self.memory.pinned_to.is_none();
        if may_fall_back && !has_fallen_back {
            self.wanted.falls_back = true;
            self.wanted.wants_read = true;
        }
        if !has_fallen_back {
            self.wanted.problem = Some(problem);
        }
    }
}

/// The beginning of a commit's id, as people write it.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}
