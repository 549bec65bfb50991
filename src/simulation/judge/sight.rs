//! Holds what a run says against what it was answered (S2): nothing is said to be as declared whose
//! details were last asked for and did not come.
//!
//! This judge is about words, so it reads them; what was seen it knows from the wire alone.

use std::collections::BTreeSet;

use super::super::law::{Law, LawFindings};
use super::super::schedule::PlatformBehaviour;
use super::super::timeline::Request;
use super::super::witness::ProcessLife;
use super::living::Living;
use super::pass::is_usable;

/// What each run asked for by its id, and was not told when it asked last.
#[derive(Default)]
pub(super) struct DetailSight<'w> {
    unseen: BTreeSet<(ProcessLife, &'w str)>,
    /// Whether lists show all there is, so that nothing else has to be asked for.
    lists_show_all: bool,
}

impl<'w> DetailSight<'w> {
    /// Begins to judge on a platform.
    pub const fn on(platform: &PlatformBehaviour) -> Self {
        Self { unseen: BTreeSet::new(), lists_show_all: platform.lists_show_all }
    }

    /// Hears a request.
    pub fn hear(&mut self, request: &Request<'w>) {
        let Request { run, asked, .. } = request;
        if self.lists_show_all || asked.method != "GET" || !is_of_one_thing(&asked.path) {
            return;
        }
        let place = (*run, asked.path.as_str());
        // In a past state that does not know it the lists lack it, too: then it is asked for as what
        // may be gone, and not for its details.
        let is_before_it =
            asked.status == 404 && asked.fault.as_ref().is_some_and(|it| it.starts_with("stale"));
        if is_usable(asked) || is_before_it {
            self.unseen.remove(&place)
        } else {
            self.unseen.insert(place)
        };
    }

    /// Notes that a run is about other manifests now: what they say of a thing may need no details.
    pub fn begin_anew(&mut self, run: ProcessLife) {
        self.unseen.retain(|(other, _)| *other != run);
    }

    /// Holds what a run says to be as declared, by paths, against what it saw.
    ///
    /// A database that the process made itself needs no details: nothing can have changed it (F4).
    pub fn judge(
        &self,
        run: ProcessLife,
        ready: &[String],
        living: &Living,
        findings: &mut LawFindings,
    ) {
        let is_ours = |path: &str| {
            let id = path.strip_prefix("/databases/");
            id.and_then(|id| living.get(id)).is_some_and(|thing| thing.maker.is(run.process))
        };
        let unseen = self.unseen.iter().filter(|(other, path)| *other == run && !is_ours(path));
        for (_, path) in unseen {
            let is_said = ready.iter().any(|one| one == path);
            findings.check(Law::S2, !is_said, || {
                format!("{path} is said to be as declared, and its details did not come")
            });
        }
    }
}

/// Whether a path is that of one service or database.
fn is_of_one_thing(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    let is_kind = matches!(segments.next(), Some("services" | "databases"));
    is_kind && segments.next().is_some() && segments.next().is_none()
}
