//! One look at a repository: which commit, is it acceptable, and what lies in it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::cache::Cache;
use super::commit::Commit;
use super::error::GitError;
use super::objects::{self, EntryKind, TreeEntry, TreeListing};
use super::place::CommitPath;
use super::reference::{CommitId, CommitPrefix, GitReference, RepositoryPath};
use super::select::{FileSelection, joined, select, select_file};
use super::settings::GitSettings;
use super::values;
use super::verify::verify;
use crate::source::SourceError;
use crate::source::held::{HeldFiles, SymbolicLinks};
use crate::source::home::Home;
use crate::source::tree::{SourceFile, Surroundings, Tree};

/// The longest target of a link; the system's own limit.
const LINK_BYTES_MAX: u64 = 4_096;

/// The most bytes of all targets of links.
const LINKS_BYTES_MAX: u64 = 10_000_000;

/// A commit that was accepted, with the manifests in it.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its manifests. The revision is the commit's id.
    pub tree: Tree,
    /// The commit.
    pub commit: Commit,
    /// Whether it is the commit that was known.
    pub is_unchanged: bool,
}

/// A repository to look at again and again.
///
/// Several may share one directory one after the other; while one looks, the others wait.
#[derive(Debug)]
pub struct GitSource {
    pub(super) settings: GitSettings,
    pub(super) cache: Cache,
    memory: Mutex<Memory>,
}

/// What a look may take from the one before it.
#[derive(Debug, Default)]
struct Memory {
    accepted: Option<Accepted>,
    /// The last two commits that were compared, and whether the first leads to the second.
    compared: Option<(CommitId, CommitId, Descent)>,
    /// The commit that was looked at last, in git's own form. By its id it is always the same.
    raw: Option<(CommitId, Arc<[u8]>)>,
    /// Whether the other side cannot leave anything out.
    is_unfiltered: bool,
}

#[derive(Clone, Debug)]
struct Accepted {
    commit: Commit,
    tree: Tree,
    /// Where the tree and its overlays were read from; nothing where links lead out of there, because
    /// what they lead to may be another at the next commit.
    places: Option<Vec<CommitPath>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Descent {
    Led,
    Rewritten,
}

impl GitSource {
    /// Prepares to look. Nothing is done before the first `fetch`. `cache_directory` is made when it
    /// is missing, for its owner only; it belongs to this source and holds its copy.
    #[must_use]
    pub fn new(settings: GitSettings, cache_directory: PathBuf) -> Self {
        let cache = Cache::new(&settings, &cache_directory);
        Self { settings, cache, memory: Mutex::default() }
    }

    /// Returns the settings.
    #[must_use]
    pub const fn settings(&self) -> &GitSettings {
        &self.settings
    }

    /// Returns the newest commit that is acceptable, or the one it is `pinned` to.
    ///
    /// `known` is the commit that was accepted last; under `Rewrites::Hold` it must lead to the new
    /// one. `pinned` names a commit, whole or at least its first seven digits; it is taken from the
    /// copy when it is there, without asking the other side, and brought when it is not. Signatures
    /// are checked either way.
    ///
    /// # Guarantees
    /// The tree is of one commit, whole (S6). When the commit is the one accepted before, nothing is
    /// read again, and one process asks the other side. An error leaves the commit accepted last in
    /// the copy: `fetch(None, Some(id))` still returns it when the other side is gone.
    ///
    /// # Assumptions
    /// It runs within a tokio runtime with timers and i/o. Dropping the future ends git; the next
    /// call copes with what was left.
    ///
    /// # Errors
    /// See `GitError`. A damaged copy is no error the first time: it is thrown away and made anew.
    pub async fn fetch(
        &self,
        known: Option<&CommitId>,
        pinned: Option<&str>,
    ) -> Result<Fetched, GitError> {
        let pinned = match (pinned, &self.settings.reference) {
            (Some(text), _) => Some(CommitPrefix::new(text)?),
            (None, GitReference::Commit(id)) => Some(CommitPrefix::from(id)),
            (
                None,
                GitReference::DefaultBranch | GitReference::Branch(_) | GitReference::Tag(_),
            ) => None,
        };
        let _lock = self.cache.lock().await?;
        let accepted = match self.look(known, pinned.as_ref()).await {
            Err(GitError::Damaged { said }) => {
                tracing::warn!(%said, "the copy of the repository is created again");
                self.cache.remove()?;
                self.look(known, pinned.as_ref()).await?
            }
            outcome => outcome?,
        };
        let Accepted { commit, tree, places: _ } = accepted;
        let is_unchanged = known == Some(&commit.id);
        Ok(Fetched { tree, commit, is_unchanged })
    }

    async fn look(
        &self,
        known: Option<&CommitId>,
        pinned: Option<&CommitPrefix>,
    ) -> Result<Accepted, GitError> {
        self.cache.prepare().await?;
        let id = match pinned {
            Some(prefix) => self.locate(prefix).await?,
            None => self.newest(known).await?,
        };
        if let Some(accepted) = self.remembered(|accepted| accepted.commit.id == id) {
            return Ok(accepted);
        }
        self.check_size(&id).await?;
        let bytes = self.raw(&id).await?;
        let verification = self.settings.verification.as_ref();
        let signature = verify(self.cache.program(), verification, &id, &bytes).await?;
        let places = self.complete(&id, &bytes).await?;
        let commit = Commit::parse(id, &bytes, signature);
        let accepted = self.read(commit, places).await?;
        self.cache.keep(&accepted.commit.id).await?;
        self.remember(|memory| memory.accepted = Some(accepted.clone()));
        Ok(accepted)
    }

    /// Returns a commit in git's own form.
    pub(super) async fn raw(&self, id: &CommitId) -> Result<Arc<[u8]>, GitError> {
        let known = self.memory().raw.clone().filter(|(known, _)| known == id);
        if let Some((_, bytes)) = known {
            return Ok(bytes);
        }
        let bytes: Arc<[u8]> = objects::commit(self.cache.program(), id).await?.into();
        self.remember(|memory| memory.raw = Some((id.clone(), Arc::clone(&bytes))));
        Ok(bytes)
    }

    /// What was too large when it came is here all the same at the next look, and no less so.
    async fn check_size(&self, id: &CommitId) -> Result<(), GitError> {
        match self.cache.program().room().check_size() {
            Err(error) if self.cache.kept().await?.as_ref() != Some(id) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Reads the files of a commit unless they are those of the commit before.
    async fn read(&self, commit: Commit, places: Vec<CommitPath>) -> Result<Accepted, GitError> {
        let id = &commit.id;
        let before = self.remembered(|accepted| accepted.places.as_ref() == Some(&places));
        let (tree, leads_out) = match before {
            Some(before) => (before.tree, false),
            None => self.read_layers(id, &places).await?,
        };
        let tree = tree.with_revision(id.as_str());
        Ok(Accepted { commit, tree, places: (!leads_out).then_some(places) })
    }

    /// Reads the manifests of a commit and lays its overlays over them; whether links lead out of any.
    async fn read_layers(
        &self,
        id: &CommitId,
        places: &[CommitPath],
    ) -> Result<(Tree, bool), GitError> {
        let mut trees = Vec::new();
        let mut leads_out = false;
        for CommitPath { root, directory, file } in places {
            let listing = objects::list(self.cache.program(), id, directory, root).await?;
            let content = Content { id, root, listing };
            let (tree, leads_on) = self.read_files(content, file.as_deref()).await?;
            leads_out |= leads_on;
            trees.push(tree);
        }
        let mut trees = trees.into_iter();
        let base = trees.next().unwrap_or_else(|| Tree::from_texts([]));
        let names = self.settings.overlays.iter().map(ToString::to_string);
        let refused = |source| GitError::Refused { commit: id.clone(), source };
        let tree = base.with_overlays(names.zip(trees).collect()).map_err(refused)?;
        Ok((tree, leads_out))
    }

    /// Returns the tree, and whether links lead out of it.
    async fn read_files(
        &self,
        content: Content<'_>,
        file: Option<&str>,
    ) -> Result<(Tree, bool), GitError> {
        let Content { id, root, listing } = content;
        let program = self.cache.program();
        let refused = |source| GitError::Refused { commit: id.clone(), source };
        let links = self.read_links(id, root, &listing).await?;
        let selection = match file {
            Some(name) => select_file(&listing, &links, root.as_str(), name),
            None => select(&listing, &links, root.as_str()),
        };
        let FileSelection { manifests, outside, submodules } = selection.map_err(refused)?;
        let beneath = |path: &Vec<u8>| joined(root.as_str().as_bytes(), path);
        let outside: Vec<Vec<u8>> = outside.iter().map(beneath).collect();
        if let Some(path) = objects::first_directory(program, id, &outside).await? {
            let path = String::from_utf8_lossy(&path).into_owned();
            return Err(refused(SourceError::Escapes { path, root: root.to_string() }));
        }
        let contents = objects::read(program, manifests.iter().map(|m| &m.entry)).await?;
        let texts: Vec<&[u8]> = contents.values().map(Vec::as_slice).collect();
        let named = values::candidates(&listing, &links, &texts);
        let chosen = values::within_limits(&named);
        let chosen = named.values().filter(|entry| chosen.contains(&entry.id));
        let held = objects::read(program, chosen).await?;
        let files = values::hold(named, &held);
        let held = Arc::new(HeldFiles { root: root.as_str().to_owned(), links, files });
        let files = manifests.into_iter().map(|manifest| SourceFile {
            path: if root.is_root() {
                manifest.name.clone()
            } else {
                format!("{}/{}", root.as_str(), manifest.name)
            },
            bytes: contents.get(&manifest.entry.id).cloned().unwrap_or_default(),
            name: manifest.name,
            layer: 0,
            surroundings: Surroundings::Held(Arc::clone(&held)),
        });
        let home = Home::at(&self.settings.address, self.settings.reference.branch());
        let tree = Tree::new(files.collect()).without(submodules).in_repository(home);
        Ok((tree, !outside.is_empty()))
    }

    async fn read_links(
        &self,
        id: &CommitId,
        root: &RepositoryPath,
        listing: &TreeListing,
    ) -> Result<SymbolicLinks, GitError> {
        let is_link = |entry: &TreeEntry| entry.kind == EntryKind::Link;
        // A longer target is none a system would follow: such a link leads nowhere.
        let links: BTreeMap<_, _> = listing
            .iter()
            .filter(|(_, entry)| is_link(entry) && entry.size <= LINK_BYTES_MAX)
            .collect();
        if links.values().map(|entry| entry.size).sum::<u64>() > LINKS_BYTES_MAX {
            let source = SourceError::TooLarge {
                path: root.to_string(),
                what: "the size of all links",
                limit: "10 MB".to_owned(),
            };
            return Err(GitError::Refused { commit: id.clone(), source });
        }
        let targets = objects::read(self.cache.program(), links.values().copied()).await?;
        let target = |entry: &TreeEntry| targets.get(&entry.id).cloned().unwrap_or_default();
        Ok(links.into_iter().map(|(path, entry)| (path.clone(), target(entry))).collect())
    }

    fn remembered(&self, is_wanted: impl Fn(&Accepted) -> bool) -> Option<Accepted> {
        let memory = self.memory();
        memory.accepted.as_ref().filter(|accepted| is_wanted(accepted)).cloned()
    }

    pub(super) fn compared(&self, from: &CommitId, to: &CommitId) -> Option<Descent> {
        let memory = self.memory();
        let (known, tip, descent) = memory.compared.as_ref()?;
        (known == from && tip == to).then_some(*descent)
    }

    pub(super) fn note_compared(&self, from: CommitId, to: CommitId, descent: Descent) {
        self.remember(|memory| memory.compared = Some((from, to, descent)));
    }

    /// Whether a commit is the one that was read last.
    pub(super) fn has_read(&self, id: &CommitId) -> bool {
        self.remembered(|accepted| accepted.commit.id == *id).is_some()
    }

    /// Returns the commit that was read last, if it is named so.
    pub(super) fn known_by(&self, prefix: &CommitPrefix) -> Option<CommitId> {
        self.remembered(|accepted| prefix.is_of(&accepted.commit.id)).map(|it| it.commit.id)
    }

    /// Whether the copy may lack what the other side left out.
    pub(super) fn is_filtered(&self) -> bool {
        !self.memory().is_unfiltered
    }

    pub(super) fn note_unfiltered(&self) {
        self.remember(|memory| memory.is_unfiltered = true);
    }

    fn remember(&self, change: impl FnOnce(&mut Memory)) {
        change(&mut self.memory());
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the files of a commit are, and what is there.
struct Content<'c> {
    id: &'c CommitId,
    root: &'c RepositoryPath,
    listing: TreeListing,
}
