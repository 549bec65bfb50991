//! Which commit is meant, and bringing it here with as little else as the other side can leave out.
//!
//! A commit is brought alone, and of its files only those beneath the path. History is only ever
//! asked for to find out where a commit stands, and then comes without files: a host that can filter
//! sends some hundred bytes for each commit. One that cannot sends all of it.

use super::cache::{FETCHED, PINNED};
use super::error::GitError;
use super::objects::{self, ObjectId};
use super::place::CommitPath;
use super::reference::{CommitId, CommitPrefix, GitReference, RepositoryPath};
use super::remote::{self, Depth, Fetch, Filter, Wanted};
use super::settings::Rewrites;
use super::source::{Descent, GitSource};

/// How far back history is brought here to find out where a commit stands, step by step: pushes
/// between two looks, a day, months, and in the end all there is. What lies far back was not
/// rewritten therefore.
const DEPTHS: [Depth; 6] = [
    Depth::Commits(4),
    Depth::Commits(32),
    Depth::Commits(256),
    Depth::Commits(2_048),
    Depth::Commits(16_384),
    Depth::All,
];

/// How often what is missing of a commit is asked for: first its trees, then its files.
const ROUNDS_MAX: usize = 4;

impl GitSource {
    /// Finds a commit by its name: in the copy, by asking for it, or in the history.
    pub(super) async fn locate(&self, prefix: &CommitPrefix) -> Result<CommitId, GitError> {
        if let Some(id) = self.known_by(prefix) {
            return Ok(id);
        }
        if let Some(id) = self.cache.resolve(prefix.as_str()).await? {
            return Ok(id);
        }
        if let Some(id) = prefix.whole() {
            self.suit_named(&id).await?;
            let wanted = Wanted::Commit(&id);
            match self.fetch_one(wanted, PINNED, Depth::Commits(1), self.content()).await {
                Ok(()) => return Ok(id),
                // Some hosts hand out only what a name points at: then it is looked for there.
                Err(error @ GitError::KeptBack { .. })
                    if self.settings.reference.full_name().is_none() =>
                {
                    return Err(error);
                }
                Err(GitError::NoCommit { .. } | GitError::KeptBack { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let reference = &self.settings.reference;
        if let Some(full_name) = reference.full_name() {
            for depth in DEPTHS {
                let wanted = Wanted::Newest { reference, full_name: &full_name };
                self.fetch_one(wanted, FETCHED, depth, Filter::Trees).await?;
                if let Some(id) = self.cache.resolve(prefix.as_str()).await? {
                    return Ok(id);
                }
                if !self.cache.is_shallow().await? {
                    break;
                }
            }
        }
        Err(self.no_commit(prefix.as_str()))
    }

    /// Makes the copy fit a commit that a person named, when the other side has that kind of id: a
    /// name alone is no reason to throw a good copy away.
    async fn suit_named(&self, id: &CommitId) -> Result<(), GitError> {
        if self.cache.suits(id) {
            return Ok(());
        }
        let reference = &self.settings.reference;
        let there = match reference {
            GitReference::Commit(followed) => followed.clone(),
            GitReference::DefaultBranch | GitReference::Branch(_) | GitReference::Tag(_) => {
                remote::newest(self.cache.program(), reference, &self.full_name()?).await?
            }
        };
        if there.is_sha256() != id.is_sha256() {
            return Err(self.no_commit(id.as_str()));
        }
        self.cache.suit(id).await
    }

    /// Returns the full name of what is followed; one commit has none.
    fn full_name(&self) -> Result<String, GitError> {
        let reference = &self.settings.reference;
        reference.full_name().ok_or_else(|| self.no_commit(&reference.to_string()))
    }

    fn no_commit(&self, commit: &str) -> GitError {
        let address = self.settings.address.clone();
        GitError::NoCommit { commit: commit.to_owned(), address }
    }

    /// Returns the newest commit of the branch or tag, when the known one leads to it.
    pub(super) async fn newest(&self, known: Option<&CommitId>) -> Result<CommitId, GitError> {
        let reference = &self.settings.reference;
        let full_name = self.full_name()?;
        let there = remote::newest(self.cache.program(), reference, &full_name).await?;
        self.cache.suit(&there).await?;
        let before = match self.settings.rewrites {
            Rewrites::Hold => known.filter(|known| **known != there),
            Rewrites::Follow => None,
        };
        let is_read = self.has_read(&there);
        let Some(before) = before else {
            return if is_read { Ok(there) } else { self.bring(&there, &full_name).await };
        };
        match self.compared(before, &there) {
            Some(Descent::Rewritten) => return decided(before, there, Descent::Rewritten),
            Some(Descent::Led) if is_read => return Ok(there),
            Some(Descent::Led) | None => {}
        }
        // What was newest a moment ago need not be newest any more: what came is what is compared.
        let tip = self.bring(&there, &full_name).await?;
        let descent = match self.compared(before, &tip) {
            Some(descent) => descent,
            None => self.compare(before, &tip).await?,
        };
        self.note_compared(before.clone(), tip.clone(), descent);
        decided(before, tip, descent)
    }

    /// Brings the newest commit here unless it is here already, and returns what is newest by then.
    async fn bring(&self, there: &CommitId, full_name: &str) -> Result<CommitId, GitError> {
        let here = self.cache.resolve(FETCHED).await?;
        if here.as_ref() == Some(there) {
            return Ok(there.clone());
        }
        // Where all of the history is here, what is new is told from it; a cut would lose it.
        let is_whole = here.is_some() && !self.cache.is_shallow().await?;
        let depth = if is_whole { Depth::Following } else { Depth::Commits(1) };
        let wanted = Wanted::Newest { reference: &self.settings.reference, full_name };
        self.fetch_one(wanted, FETCHED, depth, self.content()).await?;
        self.cache.resolve(FETCHED).await?.ok_or_else(|| GitError::NoCommitThere {
            reference: self.settings.reference.clone(),
            address: self.settings.address.clone(),
        })
    }

    /// Finds out whether a commit leads to another, with as much history as that takes.
    async fn compare(&self, before: &CommitId, tip: &CommitId) -> Result<Descent, GitError> {
        // A commit names its parents, also where they are not here.
        let commit = self.raw(tip).await?;
        if objects::parents(&commit).any(|parent| parent == before.as_str()) {
            return Ok(Descent::Led);
        }
        for depth in DEPTHS {
            if self.cache.leads_to(before, tip).await? {
                return Ok(Descent::Led);
            }
            if !self.cache.is_shallow().await? {
                return Ok(Descent::Rewritten);
            }
            self.fetch_one(Wanted::Commit(tip), FETCHED, depth, Filter::Trees).await?;
        }
        let is_led = self.cache.leads_to(before, tip).await?;
        Ok(if is_led { Descent::Led } else { Descent::Rewritten })
    }

    /// Brings what is missing of a commit, which is also given in git's own form: trees that were left
    /// out with the history, and the files beneath its places. Returns the places: that of the
    /// manifests, then those of the overlays.
    pub(super) async fn complete(
        &self,
        id: &CommitId,
        commit: &[u8],
    ) -> Result<Vec<CommitPath>, GitError> {
        if self.is_filtered() {
            self.supply(&objects::root(commit), Filter::Blobs).await?;
        }
        let overlays = self.settings.overlays.iter().map(Some);
        let mut places = Vec::new();
        for path in std::iter::once(self.settings.path.as_ref()).chain(overlays) {
            let place = CommitPath::find(self.cache.program(), id, commit, path).await?;
            if self.is_filtered() {
                self.supply(&place.directory, Filter::None).await?;
            }
            places.push(place);
        }
        Ok(places)
    }

    /// Brings what is missing of a tree but for what a filter leaves out. What is not there at all is
    /// found out by who reads it.
    async fn supply(&self, tree: &ObjectId, filter: Filter) -> Result<(), GitError> {
        for _ in 0..ROUNDS_MAX {
            let missing = objects::missing(self.cache.program(), tree, filter).await?;
            if missing.is_empty() {
                break;
            }
            let wanted = Wanted::Objects(&missing);
            let fetch =
                Fetch { wanted, into: None, depth: Depth::Following, filter: Filter::Blobs };
            match self.fetch_some(fetch).await {
                Ok(()) => {}
                Err(GitError::NoCommit { .. } | GitError::KeptBack { .. }) => {
                    return Err(self.without_filters());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A host that leaves out what it then does not hand out is asked for everything, from the
    /// beginning.
    fn without_filters(&self) -> GitError {
        self.note_unfiltered();
        GitError::Damaged { said: "the host does not serve single files".to_owned() }
    }

    /// What a commit is brought without. Where the path is all of it, nothing can be left out; at the
    /// usual places it is known only with the trees.
    fn content(&self) -> Filter {
        let is_all = self.settings.path.as_ref().is_some_and(RepositoryPath::is_root);
        if is_all { Filter::None } else { Filter::Blobs }
    }

    async fn fetch_one(
        &self,
        wanted: Wanted<'_>,
        into: &'static str,
        depth: Depth,
        filter: Filter,
    ) -> Result<(), GitError> {
        self.fetch_some(Fetch { wanted, into: Some(into), depth, filter }).await
    }

    /// Fetches. What a host left out may be asked for again, so git throws nothing of it away; a copy
    /// that has grown too large by what came before is made anew.
    async fn fetch_some(&self, mut fetch: Fetch<'_>) -> Result<(), GitError> {
        let program = self.cache.program();
        if !self.is_filtered() {
            fetch.filter = Filter::None;
        }
        // Before it: what comes now is the commit's own.
        let was_half_taken = program.room().is_half_taken();
        let is_filtered = remote::fetch(program, &fetch).await.map_err(|error| match error {
            GitError::TooLarge { .. } if was_half_taken => {
                GitError::Damaged { said: "it has grown beyond its limit".to_owned() }
            }
            error => error,
        })?;
        if !is_filtered {
            self.note_unfiltered();
        }
        self.cache.clean().await;
        Ok(())
    }
}

fn decided(from: &CommitId, to: CommitId, descent: Descent) -> Result<CommitId, GitError> {
    match descent {
        Descent::Led => Ok(to),
        Descent::Rewritten => Err(GitError::Rewritten { from: from.clone(), to }),
    }
}
