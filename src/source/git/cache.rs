//! The copy on disk: a bare, shallow repository that only this program touches.
//!
//! ```text
//! lock             held while the copy is used
//! origin           a digest of the address the copy is of
//! authorities.pem  whom git trusts, where somebody is named
//! trusted          the one local repository that may belong to another user
//! repository.git   the copy
//! ```
//!
//! Everything in it can be fetched again, so what is damaged is thrown away, never mended.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::error::GitError;
use super::isolation;
use super::program::{GitOutput, GitRun, NetworkAccess, Program, brief};
use super::reference::CommitId;
use super::settings::GitSettings;

/// Where the newest commit of the branch or tag stands, accepted or not.
pub(super) const FETCHED: &str = "refs/stoker/fetched";

/// Where a commit stands that was fetched by its id.
pub(super) const PINNED: &str = "refs/stoker/pinned";

/// Where the last accepted commit stands, so that cleaning leaves it there.
const KEPT: &str = "refs/stoker/kept";

/// How long another one may use the copy before we look again later.
const LOCK_MAX: Duration = Duration::from_secs(60);

/// How often a copy that is in use is retried.
const LOCK_INTERVAL: Duration = Duration::from_millis(50);

/// How long git may clean the copy, which it does without a word.
const CLEANING_MAX: Duration = Duration::from_secs(900);

/// The most bytes of an answer that is a word or an id.
const WORD_BYTES_MAX: u64 = 1_000;

/// The copy of one repository.
#[derive(Debug)]
pub(super) struct Cache {
    directory: PathBuf,
    program: Program,
}

/// The right to use the copy, held as long as this value lives.
///
/// It is held while git runs, which is its purpose; it blocks no thread of this process. The system
/// drops it when its holder dies, so it is never stale.
#[derive(Debug)]
pub(super) struct CacheLock {
    _file: File,
}

impl Cache {
    pub fn new(settings: &GitSettings, directory: &Path) -> Self {
        // Git runs elsewhere, so the place must not depend on where we are.
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        let program = Program::new(settings, directory.join("repository.git"));
        Self { directory, program }
    }

    pub const fn program(&self) -> &Program {
        &self.program
    }

    /// Waits until no other process uses the copy, but not forever.
    pub async fn lock(&self) -> Result<CacheLock, GitError> {
        let failed = |source| self.disk_error("lock", &self.directory, source);
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        // For its owner only: files for values lie in the copy.
        {
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        builder.create(&self.directory).map_err(failed)?;
        let file = options.open(self.directory.join("lock")).map_err(failed)?;
        let wait = async {
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(()),
                    Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_INTERVAL).await,
                    Err(TryLockError::Error(source)) => return Err(failed(source)),
                }
            }
        };
        match tokio::time::timeout(LOCK_MAX, wait).await {
            Ok(outcome) => outcome.map(|()| CacheLock { _file: file }),
            Err(_) => Err(GitError::Busy { directory: self.directory.clone() }),
        }
    }

    /// Makes an empty copy unless there is one of this very address.
    pub async fn prepare(&self) -> Result<(), GitError> {
        self.trust()?;
        let origin = origin_of(self.program.address().as_str());
        let is_ours = fs::read_to_string(self.marker()).is_ok_and(|text| text == origin);
        if is_ours && self.program.repository().join("HEAD").is_file() {
            // Whoever was killed at work has left behind what it had begun.
            self.program.room().sweep();
            return Ok(());
        }
        self.make("sha1").await
    }

    /// Whether commits of the other side have the same kind of id as those here.
    pub fn suits(&self, id: &CommitId) -> bool {
        let config = fs::read_to_string(self.program.repository().join("config"));
        let is_sha256 =
            config.is_ok_and(|text| text.to_lowercase().contains("objectformat = sha256"));
        is_sha256 == id.is_sha256()
    }

    /// Makes the copy anew when commits of the other side have another kind of id than those here.
    pub async fn suit(&self, id: &CommitId) -> Result<(), GitError> {
        if self.suits(id) {
            return Ok(());
        }
        self.make(if id.is_sha256() { "sha256" } else { "sha1" }).await
    }

    async fn make(&self, format: &str) -> Result<(), GitError> {
        self.remove()?;
        let format = format!("--object-format={format}");
        let words =
            ["init", "--quiet", "--bare", "--template=", "--initial-branch=none", format.as_str()];
        let output = self.run("make a copy of the repository", &words).await?;
        if output.code != Some(0) {
            let doing = "make a copy of the repository";
            return Err(GitError::Failed { doing, said: brief(&output.said) });
        }
        let origin = origin_of(self.program.address().as_str());
        self.write(&self.marker(), &origin)
    }

    /// Writes down which local repository may belong to another user, if it is one.
    fn trust(&self) -> Result<(), GitError> {
        let path = self.directory.join(isolation::TRUSTED);
        match isolation::trusted(self.program.address()) {
            Some(text) if !fs::read_to_string(&path).is_ok_and(|known| known == text) => {
                self.write(&path, &text)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), GitError> {
        fs::write(path, text).map_err(|source| self.disk_error("write", path, source))
    }

    fn marker(&self) -> PathBuf {
        self.directory.join("origin")
    }

    /// Throws the copy away.
    pub fn remove(&self) -> Result<(), GitError> {
        let repository = self.program.repository();
        match fs::remove_dir_all(repository) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome.map_err(|source| self.disk_error("remove", repository, source)),
        }
    }

    /// Returns the commit an expression stands for, when the copy has it.
    pub async fn resolve(&self, expression: &str) -> Result<Option<CommitId>, GitError> {
        let expression = format!("{expression}^{{commit}}");
        let words = ["rev-parse", "--verify", "--quiet", "--end-of-options", expression.as_str()];
        let output = self.run("look for a commit in the copy", &words).await?;
        match output.code {
            Some(0) => CommitId::new(output.text().trim()).map(Some).map_err(|_| damaged(&output)),
            Some(1) => Ok(None),
            Some(_) | None => Err(damaged(&output)),
        }
    }

    /// Whether one commit leads to another, as far as the copy reaches back.
    pub async fn leads_to(&self, from: &CommitId, to: &CommitId) -> Result<bool, GitError> {
        if self.resolve(from.as_str()).await?.is_none() {
            return Ok(false);
        }
        let words = ["merge-base", "--is-ancestor", from.as_str(), to.as_str()];
        let output = self.run("compare commits", &words).await?;
        match output.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            Some(_) | None => Err(damaged(&output)),
        }
    }

    /// Whether there is history that the copy does not have.
    pub async fn is_shallow(&self) -> Result<bool, GitError> {
        let output =
            self.run("look at the copy", &["rev-parse", "--is-shallow-repository"]).await?;
        match (output.code, output.text().trim()) {
            (Some(0), "true") => Ok(true),
            (Some(0), "false") => Ok(false),
            (Some(_) | None, _) => Err(damaged(&output)),
        }
    }

    /// Keeps a commit in the copy until the next one is kept.
    pub async fn keep(&self, id: &CommitId) -> Result<(), GitError> {
        let output = self.run("keep a commit", &["update-ref", KEPT, id.as_str()]).await?;
        if output.code == Some(0) { Ok(()) } else { Err(damaged(&output)) }
    }

    /// Has git clean the copy where much has gathered in it. It may fail: the copy is as good as
    /// before, and it is retried after the next fetch.
    pub async fn clean(&self) {
        let call = call("clean the copy", &["gc", "--auto", "--quiet"]);
        let call = GitRun { reach: NetworkAccess::Upkeep, ..call };
        let outcome = self.program.run_within(CLEANING_MAX, call).await;
        let said = match outcome {
            Ok(output) if output.code == Some(0) => return,
            Ok(output) => brief(&output.said),
            Err(error) => error.to_string(),
        };
        self.program.room().sweep();
        tracing::warn!(%said, "the copy of the repository was not cleaned");
    }

    /// Returns the commit that is kept.
    pub async fn kept(&self) -> Result<Option<CommitId>, GitError> {
        self.resolve(KEPT).await
    }

    async fn run(&self, doing: &'static str, words: &[&str]) -> Result<GitOutput, GitError> {
        self.program.run(call(doing, words)).await
    }

    fn disk_error(&self, doing: &'static str, path: &Path, source: io::Error) -> GitError {
        GitError::Disk { doing, path: path.to_owned(), source }
    }
}

fn call(doing: &'static str, words: &[&str]) -> GitRun {
    let arguments = words.iter().map(OsString::from).collect();
    let (reach, input, output_bytes_max) = (NetworkAccess::Copy, Vec::new(), WORD_BYTES_MAX);
    GitRun { doing, reach, arguments, input, output_bytes_max }
}

/// The copy does not answer as a sound one does.
pub(super) fn damaged(output: &GitOutput) -> GitError {
    GitError::Damaged { said: brief(&output.said) }
}

fn origin_of(address: &str) -> String {
    hex::encode(Sha256::digest(address))
}
