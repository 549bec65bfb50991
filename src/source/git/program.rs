//! Running `git`: hermetic, with a limit on silence, with bounded output, and with nothing secret in
//! its arguments.
//!
//! What git is told is in `isolation`, and how it lives and ends in `family`.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::process::Command;

use super::address::{Address, Eraser, GitTransport};
use super::authorities::Authorities;
use super::error::GitError;
use super::family::ProcessGroup;
use super::isolation::{CONFIGURATION, authorization, configuration, remote, variables};
use super::room::Room;
use super::settings::GitSettings;

/// The most characters of it that go into an error.
const SAID_CHARS_MAX: usize = 600;

/// What git counts up to a hundred, or counts at all, while it works: no reason for anything.
const COUNTED: [&str; 9] = [
    "Enumerating objects:",
    "Counting objects:",
    "Compressing objects:",
    "Receiving objects:",
    "Unpacking objects:",
    "Resolving deltas:",
    "Checking connectivity:",
    "Filtering content:",
    "Total ",
];

/// Whether a run may leave this machine. Only then is it given the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NetworkAccess {
    /// The configured repository, by its one transport.
    Remote,
    /// The same, and git shows the headers of what it hears.
    Shown,
    /// The copy on this disk, by no transport at all.
    Copy,
    /// The same, with the knowledge that the other side has what is missing.
    Upkeep,
}

/// One run of git.
pub(super) struct GitRun {
    /// What it does, as a fragment for messages.
    pub doing: &'static str,
    pub reach: NetworkAccess,
    pub arguments: Vec<OsString>,
    /// What it reads from its standard input.
    pub input: Vec<u8>,
    /// The most bytes it may write.
    pub output_bytes_max: u64,
}

/// What came of one run that ended by itself.
#[derive(Debug)]
pub(super) struct GitOutput {
    pub code: Option<i32>,
    /// What it wrote; nothing when that was more than it may.
    pub bytes: Option<Vec<u8>>,
    /// The end of its stderr, without credentials.
    pub said: String,
}

impl GitOutput {
    /// Returns what it wrote as text; nothing when that was more than it may.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes.as_deref().unwrap_or_default())
    }
}

/// The `git` program, bound to one copy and one repository.
pub(super) struct Program {
    repository: PathBuf,
    silence: Duration,
    room: Room,
    /// They hold the token, which may be another at the next run.
    settings: GitSettings,
    /// Where the repository is by now, as git is told.
    moved: Mutex<Option<(String, String)>>,
    /// Knows every token there ever was.
    eraser: Mutex<Eraser>,
    /// Variables of every run, among them the agent's own that are passed on.
    variables: Vec<(String, OsString)>,
    configuration: Vec<(String, String)>,
    /// What is known of the other side.
    remote: [(String, String); 3],
    /// Whom it trusts beside the system's, where somebody is named.
    authorities: Option<Authorities>,
}

impl Program {
    /// Prepares for runs on `repository`, which need not exist yet; the directory around it must.
    pub fn new(settings: &GitSettings, repository: PathBuf) -> Self {
        let authorities = Authorities::of(settings, &repository);
        Self {
            variables: variables(settings, &repository),
            remote: remote(settings),
            configuration: configuration(settings, authorities.as_ref()),
            authorities,
            room: Room::of(settings, &repository),
            repository,
            silence: settings.silence,
            settings: settings.clone(),
            moved: Mutex::default(),
            eraser: Mutex::default(),
        }
    }

    pub const fn address(&self) -> &Address {
        &self.settings.address
    }

    /// Returns how much room the copy may take.
    pub const fn room(&self) -> &Room {
        &self.room
    }

    /// Whether there is a token to sign in with.
    pub fn has_token(&self) -> bool {
        let GitSettings { login, token, .. } = &self.settings;
        token.get().is_some() || login.user.is_some() || login.password.is_some()
    }

    /// Returns where the copy lies.
    pub fn repository(&self) -> &Path {
        &self.repository
    }

    /// Runs git to its end. Any exit code is an answer; `Output::code` has it.
    ///
    /// # Errors
    /// When the authorities to trust cannot be read, when it cannot be started, says more than it
    /// may, has said nothing for too long, or leaves no room; then it and its children are ended.
    /// They also are when the future is dropped.
    pub async fn run(&self, call: GitRun) -> Result<GitOutput, GitError> {
        self.run_within(self.silence, call).await
    }

    /// Runs git to its end as [`Self::run`] does, with another limit on its silence.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn run_within(&self, silence: Duration, call: GitRun) -> Result<GitOutput, GitError> {
        let GitRun { doing, reach, arguments, input, output_bytes_max } = call;
        let is_remote = matches!(reach, NetworkAccess::Remote | NetworkAccess::Shown);
        if let Some(authorities) = self.authorities.as_ref().filter(|_| is_remote) {
            authorities.join()?;
        }
        let child = self.command(reach, &arguments).spawn();
        let mut family = ProcessGroup::of(child.map_err(|source| GitError::NoProgram { source })?);
        let ended = tokio::select! {
            ended = family.work(input, output_bytes_max, silence) => match ended {
                Some(Ok(ended)) => Ok(ended),
                Some(Err(error)) => Err(GitError::Failed { doing, said: error.to_string() }),
                None => Err(GitError::Silent { doing, after: silence }),
            },
            error = self.room.exhausted(), if is_remote => Err(error),
        };
        let (status, bytes, said) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                family.end().await;
                return Err(error);
            }
        };
        let said = String::from_utf8_lossy(&said);
        let said = without_counts(&self.eraser().clean(&said));
        tracing::debug!(doing, code = status.code(), "git ended");
        Ok(GitOutput { code: status.code(), bytes, said })
    }

    /// Notes that the repository has moved, within its host.
    pub fn move_to(&self, address: &Address) {
        let key = format!("url.{address}.insteadOf");
        let moved = (key, self.address().as_str().to_owned());
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Some(moved);
    }

    fn moved(&self) -> Option<(String, String)> {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn eraser(&self) -> MutexGuard<'_, Eraser> {
        self.eraser.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn command(&self, reach: NetworkAccess, arguments: &[OsString]) -> Command {
        let mut command = Command::new("git");
        command.args(arguments).env_clear().envs(self.variables.iter().map(|(k, v)| (k, v)));
        let mut pairs: Vec<(&str, &str)> = CONFIGURATION.to_vec();
        pairs.extend(self.configuration.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        if reach != NetworkAccess::Copy {
            pairs.extend(self.remote.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        }
        let mut protocol = "none";
        let header;
        let moved = self.moved();
        if matches!(reach, NetworkAccess::Remote | NetworkAccess::Shown) {
            pairs.extend(moved.iter().map(|(key, value)| (key.as_str(), value.as_str())));
            protocol = match self.address().transport() {
                GitTransport::Https => "https",
                GitTransport::Http => "http",
                GitTransport::Ssh => "ssh",
                GitTransport::File => "file",
            };
            header = authorization(&self.settings, &mut self.eraser());
            pairs.extend(header.iter().map(|(key, value)| (key.as_str(), value.expose_secret())));
        }
        if reach == NetworkAccess::Shown {
            // Git leaves out what signs in.
            command.envs([("GIT_TRACE_CURL", "1"), ("GIT_TRACE_CURL_NO_DATA", "1")]);
        }
        command.env("GIT_ALLOW_PROTOCOL", protocol);
        command.env("GIT_CONFIG_COUNT", pairs.len().to_string());
        for (number, (key, value)) in pairs.into_iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{number}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        command.current_dir(self.repository.parent().unwrap_or(Path::new("/")));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        command.process_group(0);
        command
    }
}

/// Shows no configuration and no variable: the header stands among them.
impl std::fmt::Debug for Program {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Program").field("address", self.address()).finish_non_exhaustive()
    }
}

/// Leaves out of what git said how far it had come at which moment.
fn without_counts(said: &str) -> String {
    let is_count = |line: &str| {
        let line = line.strip_prefix("remote: ").unwrap_or(line);
        COUNTED.iter().any(|counted| line.starts_with(counted))
    };
    let lines = said.split(['\n', '\r']).filter(|line| !line.is_empty() && !is_count(line));
    lines.fold(String::new(), |all, line| all + line + "\n")
}

/// Makes one line of what git said, with an end.
pub(super) fn brief(said: &str) -> String {
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.filter(|line| !line.starts_with("hint:")).collect::<Vec<_>>().join("; ");
    if line.is_empty() {
        return "git gave no reason".to_owned();
    }
    let surplus = line.chars().count().saturating_sub(SAID_CHARS_MAX);
    line.chars().skip(surplus).collect()
}
