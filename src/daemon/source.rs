//! Where the manifests of one project come from.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use secrecy::SecretString;

use crate::secret::{AllowedSources, FingerprintKey};
use crate::source::git::{self, CommitId, Fetched, GitError, GitSource, RepositoryPath};
use crate::source::{self, Checkout, Home, Tree, Variables};
use crate::status::{ConditionReason, Problem};

/// Something manifests can be read from, again and again.
pub trait Source: Send + Sync {
    /// Returns what to call it, for people; without credentials.
    fn location(&self) -> String;

    /// Reads the newest state, or the commit it is pinned to.
    ///
    /// `known` is the commit that was read before: whoever keeps history can tell whether it was
    /// rewritten.
    fn read<'a>(
        &'a self,
        known: Option<&'a str>,
        pinned: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Reading, Problem>>;

    /// Whether it has commits, so that it can be pinned to one.
    fn has_commits(&self) -> bool;

    /// Takes a new token to sign in with; files need none.
    fn renew(&self, _token: &SecretString) {}
}

/// What a source gave: one immutable tree (S6).
#[derive(Clone, Debug)]
pub struct Reading {
    /// The manifests.
    pub tree: Tree,
    /// The commit they are of; none for plain files.
    pub commit: Option<CommitSummary>,
}

/// A commit, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitSummary {
    /// Its id.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
    /// Who wrote it.
    pub author: String,
}

/// Files and directories.
#[derive(Clone, Debug)]
pub struct Files {
    /// The paths, as for `stoker plan`.
    pub paths: Vec<PathBuf>,
    /// What is laid over them, in order.
    pub overlays: Vec<PathBuf>,
    /// What stands in them for variables.
    pub variables: Arc<Variables>,
    /// What the build server says of the checkout they may lie in.
    pub checkout: Checkout,
    /// The environment of Blueprints that is read, where one is named.
    pub environment: Option<String>,
}

impl Source for Files {
    fn location(&self) -> String {
        let paths = self.paths.iter().map(|path| path.display().to_string());
        let overlays = self.overlays.iter().map(|path| path.display().to_string());
        paths.collect::<Vec<_>>().join(", ")
            + &overlay_words(overlays)
            + &environment_words(self.environment.as_deref())
    }

    fn read<'a>(
        &'a self,
        _known: Option<&'a str>,
        _pinned: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Reading, Problem>> {
        Box::pin(async move {
            let Self { paths, overlays, variables, checkout, environment } = self.clone();
            let read = move || {
                let tree = source::load_layered(&paths, &overlays, None)?;
                let home = Home::of_all(&paths, &checkout);
                let tree = tree.in_repository(home).of_environment(environment);
                Ok::<_, source::SourceError>(tree.with_variables(variables))
            };
            // A slow disk must not hold up the other projects.
            let read = tokio::task::spawn_blocking(read).await;
            match read {
                Ok(Ok(tree)) => Ok(Reading { tree, commit: None }),
                Ok(Err(error)) => {
                    Err(problem(ConditionReason::SourceUnreadable, format!("failed to {error}")))
                }
                Err(error) => Err(problem(
                    ConditionReason::SourceUnreadable,
                    format!("reading ended: {error}"),
                )),
            }
        })
    }

    fn has_commits(&self) -> bool {
        false
    }
}

/// A git repository.
#[derive(Debug)]
pub struct Repository {
    /// The repository, and what of it is followed.
    pub git: GitSource,
    /// What stands in its manifests for variables.
    pub variables: Arc<Variables>,
    /// The environment of Blueprints that is read, where one is named.
    pub environment: Option<String>,
}

/// Says what is laid over the manifests, behind where they are.
fn overlay_words(overlays: impl Iterator<Item = String>) -> String {
    overlays.map(|name| format!(", overlay `{name}`")).collect()
}

/// Says which environment of the Blueprints is read, behind where they are.
fn environment_words(environment: Option<&str>) -> String {
    environment.map(|name| format!(", environment `{name}`")).unwrap_or_default()
}

impl Source for Repository {
    fn location(&self) -> String {
        let settings = self.git.settings();
        let path = settings.path.as_ref().map_or("", RepositoryPath::as_str);
        let path = if path.is_empty() { String::new() } else { format!(", `{path}`") };
        let overlays = overlay_words(settings.overlays.iter().map(ToString::to_string));
        let environment = environment_words(self.environment.as_deref());
        format!("{}, {}{path}{overlays}{environment}", settings.address(), settings.reference)
    }

    fn read<'a>(
        &'a self,
        known: Option<&'a str>,
        pinned: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Reading, Problem>> {
        Box::pin(async move {
            // What another source was at is no commit of this one.
            let known = known.and_then(|known| CommitId::new(known).ok());
            let Fetched { tree, commit, is_unchanged: _ } =
                self.git.fetch(known.as_ref(), pinned).await.map_err(|error| unread(&error))?;
            let git::Commit { id, subject, author, committed_at: _, signature: _ } = commit;
            let commit = CommitSummary { id: id.as_str().to_owned(), subject, author };
            let tree = tree.of_environment(self.environment.clone());
            let tree = tree.with_variables(Arc::clone(&self.variables));
            Ok(Reading { tree, commit: Some(commit) })
        })
    }

    fn has_commits(&self) -> bool {
        true
    }

    fn renew(&self, token: &SecretString) {
        self.git.settings().token.set(token.clone());
    }
}

/// Says why a commit could not be read, in the words of a condition.
fn unread(error: &GitError) -> Problem {
    let reason = match error {
        GitError::Unreachable { .. } | GitError::Silent { .. } | GitError::Busy { .. } => {
            ConditionReason::SourceUnreachable
        }
        GitError::Denied { .. } | GitError::Untrusted { .. } => ConditionReason::SourceDenied,
        GitError::NoRepository { .. }
        | GitError::NoReference { .. }
        | GitError::NoCommit { .. }
        | GitError::KeptBack { .. }
        | GitError::NoCommitThere { .. }
        | GitError::NoPath { .. } => ConditionReason::SourceMissing,
        GitError::Rewritten { .. } => ConditionReason::HistoryRewritten,
        GitError::Unsigned { .. } => ConditionReason::CommitUnsigned,
        GitError::Wrong(_)
        | GitError::NoProgram { .. }
        | GitError::Refused { .. }
        | GitError::Damaged { .. }
        | GitError::TooLarge { .. }
        | GitError::NoRoom { .. }
        | GitError::Disk { .. }
        | GitError::Failed { .. } => ConditionReason::SourceUnreadable,
    };
    Problem { hints: error.hints(), ..problem(reason, format!("failed to {error}")) }
}

/// Whether manifests that could not be read may be there later although nobody changes anything here.
/// What was read and cannot be used waits for news.
#[must_use]
pub fn may_pass(problem: &Problem) -> bool {
    matches!(
        problem.reason,
        ConditionReason::SourceUnreachable
            | ConditionReason::SourceDenied
            | ConditionReason::SourceMissing
            | ConditionReason::SourceUnreadable
            | ConditionReason::SecretUnavailable
            | ConditionReason::InternalError
    )
}

/// Answers for a variable of the agent's environment.
pub type VariableLookup = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Finds the values that manifests only name.
#[derive(Clone)]
pub struct Secrets {
    /// Answers for a variable of the agent's environment.
    pub environment: VariableLookup,
    /// What the settings allow beside that.
    pub allowed: Arc<AllowedSources>,
    /// Marks secrets and derives generated ones.
    pub key: Arc<FingerprintKey>,
}

/// Makes a problem of a reason and a fragment.
#[must_use]
pub const fn problem(reason: ConditionReason, message: String) -> Problem {
    Problem { reason, message, hints: Vec::new(), diagnostics: Vec::new() }
}
