//! Where the manifests of a commit stand: as the settings say, or at the usual places.

use std::collections::BTreeMap;

use super::error::GitError;
use super::objects::{self, ObjectId};
use super::program::Program;
use super::reference::{CommitId, RepositoryPath};
use crate::source::USUAL_PLACES;

/// A directory of a commit, or one file in it.
///
/// Two commits of the same place have the same manifests, by the same names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommitPath {
    /// The directory's path.
    pub root: RepositoryPath,
    /// Its tree.
    pub directory: ObjectId,
    /// The name of the file, where one is meant.
    pub file: Option<String>,
}

impl CommitPath {
    /// Finds the place of a commit, which is also given in git's own form. Its directories have to be
    /// here; its files need not be.
    ///
    /// # Errors
    /// When nothing stands at the path of the settings.
    pub async fn find(
        program: &Program,
        id: &CommitId,
        commit: &[u8],
        path: Option<&RepositoryPath>,
    ) -> Result<Self, GitError> {
        let whole = || {
            let directory = objects::root(commit);
            Self { root: RepositoryPath::default(), directory, file: None }
        };
        let paths: Vec<RepositoryPath> = match path {
            Some(path) if path.is_root() => return Ok(whole()),
            Some(path) => vec![path.clone()],
            None => USUAL_PLACES.into_iter().map(RepositoryPath::usual).collect(),
        };
        let standing = objects::standing(program, id, &paths).await?;
        let found = paths.iter().find_map(|path| Self::at(path, &standing, commit));
        match (found, path) {
            (Some(place), _) => Ok(place),
            (None, None) => Ok(whole()),
            (None, Some(path)) => Err(GitError::NoPath { path: path.clone(), commit: id.clone() }),
        }
    }

    fn at(
        path: &RepositoryPath,
        standing: &BTreeMap<Vec<u8>, (String, ObjectId)>,
        commit: &[u8],
    ) -> Option<Self> {
        let stands = |path: &RepositoryPath| standing.get(path.as_str().as_bytes());
        let (kind, object) = stands(path)?;
        match kind.as_str() {
            "tree" => Some(Self { root: path.clone(), directory: object.clone(), file: None }),
            "blob" => {
                let root = path.parent();
                let directory = match root.is_root() {
                    true => objects::root(commit),
                    false => stands(&root)?.1.clone(),
                };
                let file = path.as_str().rsplit('/').next().map(str::to_owned);
                Some(Self { root, directory, file })
            }
            _ => None,
        }
    }
}
