//! The source of a process: what the world holds at the moment of a reading, and a note of it.
//!
//! Of a git repository it says what `source::git` says of one: which commit it is, that the history
//! was rewritten, and what an older commit held.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::daemon::source::{CommitSummary, Reading, Source, problem};
use crate::status::{ConditionReason, Problem};

use super::scene::Given;
use super::schedule::SourceKind;
use super::witness::{Mark, ProcessLife};
use super::world::SimulatedWorld;

/// The manifests as the world holds them now.
pub(super) struct ManifestFiles {
    pub world: Arc<SimulatedWorld>,
    pub run: ProcessLife,
    /// Where they come from, as the settings of this life say.
    pub origin: SourceKind,
}

/// What one reading found.
struct Found {
    given: Given,
    commit: Option<String>,
}

impl ManifestFiles {
    fn find(&self, known: Option<&str>, pinned: Option<&str>) -> Result<Found, Problem> {
        let gone = || {
            problem(ConditionReason::SourceUnreachable, "failed to read the manifests".to_owned())
        };
        let rewritten = || {
            let message = "failed to follow: the history was rewritten".to_owned();
            problem(ConditionReason::HistoryRewritten, message)
        };
        let holds = match self.origin {
            SourceKind::Files => {
                let given = self.world.read().ok_or_else(gone)?;
                return Ok(Found { given, commit: None });
            }
            SourceKind::GitHold => true,
            SourceKind::GitFollow => false,
        };
        // A copy of what was read before is at hand also when nobody can be reached.
        if let Some(id) = pinned {
            let given = self.world.read_commit(id).ok_or_else(gone)?;
            return Ok(Found { given, commit: Some(id.to_owned()) });
        }
        let given = self.world.read().ok_or_else(gone)?;
        if holds && known.is_some_and(|known| !self.world.is_led_from(known)) {
            return Err(rewritten());
        }
        Ok(Found { given, commit: Some(self.world.tip()) })
    }
}

impl Source for ManifestFiles {
    fn location(&self) -> String {
        "a simulation".to_owned()
    }

    fn read<'a>(
        &'a self,
        known: Option<&'a str>,
        pinned: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Reading, Problem>> {
        let found = self.find(known, pinned);
        let desired = found.as_ref().ok().and_then(|found| found.given.desired.clone());
        let is_newest = pinned.is_none();
        let commit = found.as_ref().ok().and_then(|found| found.commit.clone());
        self.world.mark(Mark::Read { run: self.run, desired, commit, is_newest });
        let read = found.map(|Found { given: Given { tree, desired: _ }, commit }| match commit {
            None => Reading { tree, commit: None },
            Some(id) => {
                let (subject, author) = ("what people do".to_owned(), "somebody".to_owned());
                let tree = tree.with_revision(&id);
                Reading { tree, commit: Some(CommitSummary { id, subject, author }) }
            }
        });
        Box::pin(std::future::ready(read))
    }

    fn has_commits(&self) -> bool {
        match self.origin {
            SourceKind::Files => false,
            SourceKind::GitHold | SourceKind::GitFollow => true,
        }
    }
}
