//! Running `git`: hermetic, with a time limit, with bounded output, and with nothing secret in its
//! arguments.
//!
//! What git is told is in `isolation`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::address::{Address, Eraser, Transport};
use super::authorities::Authorities;
use super::error::GitError;
use super::isolation::{CONFIGURATION, authorization, configuration, variables};
use super::settings::GitSettings;

/// The most that is kept of what git says on stderr, from its end: the fatal line comes last.
const SAID_BYTES_MAX: usize = 8_192;

/// The most characters of it that go into an error.
const SAID_CHARS_MAX: usize = 600;

/// How long git may take to clean up after it was asked to end; then it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// Whether a run may leave this machine. Only then is it given the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The configured repository, by its one transport.
    Remote,
    /// The copy on this disk, by no transport at all.
    Copy,
}

/// One run of git.
pub(super) struct Call {
    /// What it does, as a fragment for messages.
    pub doing: &'static str,
    pub reach: Reach,
    pub arguments: Vec<OsString>,
    /// What it reads from its standard input.
    pub input: Vec<u8>,
    /// The most bytes it may write.
    pub output_bytes_max: u64,
}

/// What came of one run that ended by itself.
#[derive(Debug)]
pub(super) struct Output {
    pub code: Option<i32>,
    /// What it wrote; nothing when that was more than it may.
    pub bytes: Option<Vec<u8>>,
    /// The end of its stderr, without credentials.
    pub said: String,
}

/// The `git` program, bound to one copy and one repository.
pub(super) struct Program {
    repository: PathBuf,
    timeout: Duration,
    address: Address,
    eraser: Eraser,
    /// Variables of every run, among them the agent's own that are passed on.
    variables: Vec<(String, OsString)>,
    configuration: Vec<(String, String)>,
    /// Whom it trusts beside the system's, where somebody is named.
    authorities: Option<Authorities>,
    /// The header that signs in, with the setting that binds it to one origin.
    authorization: Option<(String, SecretString)>,
}

impl Program {
    /// Prepares for runs on `repository`, which need not exist yet; the directory around it must.
    pub fn new(settings: &GitSettings, repository: PathBuf) -> Self {
        let mut eraser = Eraser::default();
        let authorization = authorization(settings, &mut eraser);
        let authorities = Authorities::of(settings, &repository);
        Self {
            variables: variables(settings, &repository),
            configuration: configuration(settings, authorities.as_ref()),
            authorities,
            repository,
            timeout: settings.timeout,
            address: settings.address.clone(),
            eraser,
            authorization,
        }
    }

    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Returns where the copy lies.
    pub fn repository(&self) -> &Path {
        &self.repository
    }

    /// Runs git to its end. Any exit code is an answer; `Output::code` has it.
    ///
    /// # Errors
    /// When the authorities to trust cannot be read, when it cannot be started, says more than it
    /// may, or has not ended in time; then it and its children are ended. They also are when the
    /// future is dropped.
    pub async fn run(&self, call: Call) -> Result<Output, GitError> {
        let Call { doing, reach, arguments, input, output_bytes_max } = call;
        match (reach, &self.authorities) {
            (Reach::Remote, Some(authorities)) => authorities.join()?,
            (Reach::Remote, None) | (Reach::Copy, _) => {}
        }
        let child = self.command(reach, &arguments).spawn();
        let mut family = Family::of(child.map_err(|source| GitError::NoProgram { source })?);
        let work = family.work(input, output_bytes_max);
        let outcome = tokio::time::timeout(self.timeout, work).await;
        let (status, bytes, said) = match outcome {
            Ok(Ok(ended)) => ended,
            Ok(Err(error)) => {
                family.end().await;
                return Err(GitError::Failed { doing, said: error.to_string() });
            }
            Err(_) => {
                family.end().await;
                return Err(GitError::TimedOut { doing, after: self.timeout });
            }
        };
        family.group = None;
        let said = self.eraser.clean(&String::from_utf8_lossy(&said));
        tracing::debug!(doing, code = status.code(), "git ended");
        Ok(Output { code: status.code(), bytes, said })
    }

    fn command(&self, reach: Reach, arguments: &[OsString]) -> Command {
        let mut command = Command::new("git");
        command.args(arguments).env_clear().envs(self.variables.iter().map(|(k, v)| (k, v)));
        let mut pairs: Vec<(&str, &str)> = CONFIGURATION.to_vec();
        pairs.extend(self.configuration.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let mut protocol = "none";
        if reach == Reach::Remote {
            protocol = match self.address.transport() {
                Transport::Https => "https",
                Transport::Http => "http",
                Transport::Ssh => "ssh",
                Transport::File => "file",
            };
            let header = self.authorization.iter();
            pairs.extend(header.map(|(key, value)| (key.as_str(), value.expose_secret())));
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
        #[cfg(unix)]
        command.process_group(0);
        command
    }
}

/// Shows no configuration and no variable: the header stands among them.
impl std::fmt::Debug for Program {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Program").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A running git with the children it starts, which are one process group.
///
/// Dropped before it ended, all of them are killed: a child that waits for a host that never answers
/// would outlive its parent.
struct Family {
    child: Child,
    /// The number of the group while somebody in it may live.
    group: Option<u32>,
}

/// How git ended, what it wrote (nothing when that was too much), and the end of its stderr.
type Ended = (ExitStatus, Option<Vec<u8>>, Vec<u8>);

impl Family {
    fn of(child: Child) -> Self {
        Self { group: child.id(), child }
    }

    async fn work(&mut self, input: Vec<u8>, output_bytes_max: u64) -> io::Result<Ended> {
        let child = &mut self.child;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            if let Some(mut stdin) = stdin {
                // Git that has failed stops reading. Why, it says elsewhere.
                let _ = stdin.write_all(&input).await;
            }
        };
        let read = async {
            let Some(stdout) = stdout else { return Ok(Some(Vec::new())) };
            let mut bytes = Vec::new();
            stdout.take(output_bytes_max.saturating_add(1)).read_to_end(&mut bytes).await?;
            io::Result::Ok((bytes.len() as u64 <= output_bytes_max).then_some(bytes))
        };
        let listen = async {
            let Some(stderr) = stderr else { return Ok(Vec::new()) };
            read_tail(stderr).await
        };
        let ((), bytes, said) = tokio::join!(write, read, listen);
        let status = child.wait().await?;
        Ok((status, bytes?, said?))
    }

    /// Asks all of them to end, so that git removes its temporary files, and then kills what is left.
    async fn end(&mut self) {
        self.tell(Farewell::Ask);
        // Either it has ended, or the next line ends it.
        let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
        self.tell(Farewell::Kill);
        self.group = None;
    }

    #[cfg(unix)]
    fn tell(&self, farewell: Farewell) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let id = self.group.and_then(|id| i32::try_from(id).ok());
        let signal = match farewell {
            Farewell::Ask => Signal::TERM,
            Farewell::Kill => Signal::KILL,
        };
        if let Some(group) = id.and_then(Pid::from_raw) {
            // The only failure is that all of them have gone already.
            let _ = kill_process_group(group, signal);
        }
    }

    #[cfg(not(unix))]
    fn tell(&self, _: Farewell) {}
}

/// How a family is told to go.
#[derive(Clone, Copy)]
enum Farewell {
    Ask,
    Kill,
}

impl Drop for Family {
    fn drop(&mut self) {
        self.tell(Farewell::Kill);
    }
}

/// Reads to the end, and keeps only the last lines: half a line could end in half a secret, which no
/// eraser would know.
async fn read_tail(mut reader: impl AsyncRead + Unpin) -> io::Result<Vec<u8>> {
    let mut tail = Vec::new();
    let mut chunk = [0; 4_096];
    let mut surplus = 0;
    loop {
        let count = reader.read(&mut chunk).await?;
        if count == 0 {
            break;
        }
        tail.extend_from_slice(&chunk[..count]);
        let excess = tail.len().saturating_sub(SAID_BYTES_MAX);
        tail.drain(..excess);
        surplus += excess;
    }
    if surplus > 0 {
        let line_end = tail.iter().position(|byte| *byte == b'\n').unwrap_or(tail.len());
        tail.drain(..line_end);
    }
    Ok(tail)
}

/// Makes one line of what git said, with an end.
pub(super) fn brief(said: &str) -> String {
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.filter(|line| !line.starts_with("hint:")).collect::<Vec<_>>().join("; ");
    if line.is_empty() {
        return "git does not say why".to_owned();
    }
    let surplus = line.chars().count().saturating_sub(SAID_CHARS_MAX);
    line.chars().skip(surplus).collect()
}
