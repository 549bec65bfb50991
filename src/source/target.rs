//! A file as the branch has it that a pull request goes to: what its author cannot have changed.
//!
//! The files of the checkout are the author's; the repository beneath them is not, because the build
//! server made it. So the file is read from that, at the commit the server fetched of the branch.
//! Nothing is fetched and nothing is checked out. Git keeps the account's configuration, which says
//! that a checkout of another user may be read.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::git::RefName;

/// Where the branches stand that were fetched from the repository a build is of.
const FETCHED: &str = "refs/remotes/origin/";

/// What runs git: where it is looked for, and whose configuration it has.
#[derive(Clone, Debug)]
pub struct LocalGit {
    /// The directories programs are looked for in, as `PATH` has them.
    pub path: String,
    /// The home of the account, if it has one.
    pub home: Option<PathBuf>,
}

/// Why a file of a target branch cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The directory is in no checkout.
    #[error("the directory is in no checkout of a repository")]
    NoCheckout,
    /// The branch was not fetched, or has another name.
    #[error("the branch `{0}` was not fetched")]
    NotFetched(String),
    /// Git failed, or gave something else than a file.
    #[error("{0}")]
    Git(String),
}

impl LocalGit {
    /// Reads a file that lies in a directory of a checkout, as the branch has it there; nothing where
    /// it has none.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn at_target(
        &self,
        directory: &Path,
        branch: &str,
        file: &str,
    ) -> Result<Option<String>, TargetError> {
        let inside = self.run(directory, &["rev-parse", "--git-dir"])?;
        if !inside.status.success() {
            let said = said(&inside);
            let is_outside = said.contains("not a git repository");
            return Err(if is_outside { TargetError::NoCheckout } else { TargetError::Git(said) });
        }
        let not_fetched = || TargetError::NotFetched(branch.to_owned());
        RefName::new(branch).map_err(|_| not_fetched())?;
        let reference = format!("{FETCHED}{branch}^{{commit}}");
        let commit = self.run(directory, &["rev-parse", "--verify", "--quiet", &reference])?;
        if !commit.status.success() {
            return Err(not_fetched());
        }
        let commit = printed(&commit)?;
        // What is named is looked for in the directory git is run in.
        let listed = self.printed(directory, &["ls-tree", commit.trim(), "--", file])?;
        let Some((entry, _)) = listed.split_once('\t') else { return Ok(None) };
        match entry.split(' ').collect::<Vec<_>>()[..] {
            ["100644" | "100755", "blob", id] => {
                self.printed(directory, &["cat-file", "blob", id]).map(Some)
            }
            _ => Err(TargetError::Git(format!("`{file}` is no regular file there"))),
        }
    }

    fn printed(&self, directory: &Path, words: &[&str]) -> Result<String, TargetError> {
        let output = self.run(directory, words)?;
        if output.status.success() {
            printed(&output)
        } else {
            Err(TargetError::Git(said(&output)))
        }
    }

    fn run(&self, directory: &Path, words: &[&str]) -> Result<Output, TargetError> {
        let mut git = Command::new("git");
        git.arg("-C").arg(directory).args(words).env_clear().env("PATH", &self.path);
        git.envs(self.home.iter().map(|home| ("HOME", home)));
        for (name, value) in [
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("LC_ALL", "C"),
        ] {
            git.env(name, value);
        }
        git.output().map_err(|error| TargetError::Git(format!("git cannot be run: {error}")))
    }
}

fn printed(output: &Output) -> Result<String, TargetError> {
    let text = String::from_utf8(output.stdout.clone());
    text.map_err(|_| TargetError::Git("it is not UTF-8 text".to_owned()))
}

/// Returns the last line of what git said.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("git failed").to_owned()
}
