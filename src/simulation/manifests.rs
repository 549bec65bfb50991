//! The source of a process: what the world holds at the moment of a reading, and a note of it.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::daemon::source::{Reading, Source, problem};
use crate::status::Problem;

use super::witness::{Mark, Run};
use super::world::World;

/// The manifests as the world holds them now.
pub(super) struct Manifests {
    pub world: Arc<World>,
    pub run: Run,
}

impl Source for Manifests {
    fn location(&self) -> String {
        "a simulation".to_owned()
    }

    fn read<'a>(
        &'a self,
        _known: Option<&'a str>,
        _pinned: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Reading, Problem>> {
        let given = self.world.read();
        let desired = given.as_ref().and_then(|given| given.desired.clone());
        self.world.mark(Mark::Read { run: self.run, desired });
        let gone = || problem("SourceUnreadable", "failed to read the manifests".to_owned());
        let read = given.map(|given| Reading { tree: given.tree, commit: None }).ok_or_else(gone);
        Box::pin(std::future::ready(read))
    }

    fn has_commits(&self) -> bool {
        false
    }
}
