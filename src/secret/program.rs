//! Running a program that knows secrets: without a shell, with its own small environment, with
//! limits on time and output, and without a trace of what it answers (S9, S12).
//!
//! It is a group of processes, and none of them outlives a call that failed. The calling thread
//! waits: values are found where waiting is allowed.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::allowed::SecretProgram;
use crate::model::{concealed, struck};
use crate::source::git::{is_ours, left};

/// The most that a program may answer in one call.
const OUTPUT_BYTES_MAX: u64 = 1_048_576;

/// The most that is kept of what it says on stderr, from its end.
const SAID_BYTES_MAX: usize = 8_192;

/// The most characters of it that go into an error.
const SAID_CHARS_MAX: usize = 600;

/// The variables every program is given: where programs and its own settings are.
const ALWAYS_GIVEN: [&str; 2] = ["PATH", "HOME"];

/// Why a program gave no answer; a fragment that follows its name.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProgramError {
    /// It was not started.
    #[error("could not be started: {0}")]
    Unstarted(io::Error),
    /// It took too long.
    #[error("did not end within {0:?} and was killed")]
    Late(Duration),
    /// It answered too much.
    #[error("answered more than {OUTPUT_BYTES_MAX} bytes and was killed")]
    Loud,
    /// It said that it failed.
    #[error("failed ({status}): {said}")]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// The end of its stderr, without secrets.
        said: String,
    },
    /// It could not be heard.
    #[error("could not be heard: {0}")]
    Unheard(io::Error),
}

/// One call of a program.
pub(super) struct ProgramCall<'a> {
    pub program: &'a SecretProgram,
    /// What follows the arguments of the settings.
    pub arguments: &'a [&'a str],
    /// What it reads from its standard input.
    pub input: Vec<u8>,
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Secrets that are known already: they are struck from what it says.
    pub known: &'a [&'a str],
}

impl<'a> ProgramCall<'a> {
    /// Runs the program to its end and returns what it answered.
    ///
    /// *Guarantees*: it ends within its time limit, and so does this call; more than 1 MiB of answer
    /// and 8 KiB of stderr are never held.
    ///
    /// # Errors
    /// When it cannot be started, takes too long, answers too much, or ends with a failure.
    pub fn run(self) -> Result<Zeroizing<Vec<u8>>, ProgramError> {
        let given = self.given();
        let child = self.command(&given).spawn().map_err(ProgramError::Unstarted)?;
        let group = child.id();
        is_ours(Some(group));
        let (ended, ending) = mpsc::channel();
        let input = self.input;
        let attending = thread::Builder::new().spawn(move || {
            // Nobody listens any more where it was late; then it was killed.
            let _ = ended.send(attend(child, &input));
            left(Some(group));
        });
        attending.map_err(|error| {
            kill(group);
            ProgramError::Unheard(error)
        })?;
        let timeout = self.program.timeout;
        let Ok(ended) = ending.recv_timeout(timeout) else {
            kill(group);
            return Err(ProgramError::Late(timeout));
        };
        let Ended { status, answer, said } = ended.map_err(ProgramError::Unheard)?;
        let answer = answer.ok_or(ProgramError::Loud)?;
        if status.success() {
            return Ok(answer);
        }
        // What a program that fails has answered may be a secret, and so is what it was given.
        let answer = String::from_utf8_lossy(&answer);
        let own = given.iter().filter(|(name, _)| !ALWAYS_GIVEN.contains(name));
        let own = own.map(|(_, value)| value.expose_secret());
        let secrets = own.chain(self.known.iter().copied()).chain([&*answer]);
        Err(ProgramError::Failed { status, said: brief(&said, secrets) })
    }

    fn given(&self) -> Vec<(&'a str, SecretString)> {
        let named = self.program.environment.iter().map(String::as_str);
        let names = ALWAYS_GIVEN.into_iter().chain(named);
        names.filter_map(|name| Some((name, (self.environment)(name)?.into()))).collect()
    }

    fn command(&self, given: &[(&str, SecretString)]) -> Command {
        let mut words = self.program.command.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        command.args(words).args(self.arguments).env_clear();
        command.envs(given.iter().map(|(name, value)| (name, value.expose_secret())));
        // Where the agent was started says nothing: it may be a checkout.
        command.current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// How a program ended, what it answered (nothing when that was too much), and the end of its stderr.
struct Ended {
    status: ExitStatus,
    answer: Option<Zeroizing<Vec<u8>>>,
    said: Zeroizing<Vec<u8>>,
}

/// Gives a program its input and hears it out.
fn attend(mut child: Child, input: &[u8]) -> io::Result<Ended> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let group = child.id();
    let (answer, said) = thread::scope(|scope| {
        scope.spawn(move || {
            // One that has failed stops reading. Why, it says elsewhere.
            stdin.and_then(|mut stdin| stdin.write_all(input).ok())
        });
        let listening = scope.spawn(move || stderr.map_or(Ok(Zeroizing::default()), read_tail));
        let answer = stdout.map_or(Ok(Some(Zeroizing::default())), read_within);
        if !matches!(answer, Ok(Some(_))) {
            kill(group);
        }
        (answer, listening.join())
    });
    let status = child.wait()?;
    let said = said.map_err(|_| io::Error::other("its listener ended"))??;
    Ok(Ended { status, answer: answer?, said })
}

/// Reads to the end, or until it is more than it may be; then nothing of it is returned.
fn read_within(reader: impl Read) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    reader.take(OUTPUT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= OUTPUT_BYTES_MAX).then_some(bytes))
}

/// Reads to the end and keeps only the last whole lines: half a line could begin with half a secret,
/// which nothing would know.
fn read_tail(mut reader: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut tail = Zeroizing::new(Vec::new());
    let mut chunk = Zeroizing::new([0; 4_096]);
    let mut is_cut = false;
    loop {
        let count = match reader.read(&mut *chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        tail.extend_from_slice(&chunk[..count]);
        let excess = tail.len().saturating_sub(SAID_BYTES_MAX);
        tail.drain(..excess);
        is_cut |= excess > 0;
    }
    if is_cut {
        let line_end = tail.iter().position(|byte| *byte == b'\n').unwrap_or(tail.len());
        tail.drain(..line_end);
    }
    Ok(tail)
}

/// Makes one line of what a program said, with an end and without secrets.
fn brief<'s>(said: &[u8], secrets: impl Iterator<Item = &'s str>) -> String {
    let said = String::from_utf8_lossy(said);
    let said = struck(&said, secrets);
    let said = concealed(&said);
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join("; ");
    let line: String = line.chars().filter(|character| !character.is_control()).collect();
    if line.is_empty() {
        return "it does not say why".to_owned();
    }
    let surplus = line.chars().count().saturating_sub(SAID_CHARS_MAX);
    line.chars().skip(surplus).collect()
}

/// Kills a program and all that it started.
fn kill(group: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        // The only failure is that all of them have gone already.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a script of the shell.
    fn run(script: &str, timeout: Duration, input: &str) -> Result<String, String> {
        let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let program = SecretProgram { command, timeout, environment: vec!["LOGIN".to_owned()] };
        let environment = |name: &str| match name {
            "PATH" => Some("/usr/bin:/bin".to_owned()),
            "LOGIN" => Some("canary-login-4711".to_owned()),
            "STACKBLAZE_TOKEN" => Some("sb_live_canary".to_owned()),
            _ => None,
        };
        let call = ProgramCall {
            program: &program,
            arguments: &[],
            input: input.as_bytes().to_vec(),
            environment: &environment,
            known: &["canary-known-4711"],
        };
        let answer = call.run().map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    const PATIENT: Duration = Duration::from_secs(60);

    #[test]
    fn it_is_given_its_input_and_little_of_the_environment() {
        assert_eq!(run("cat", PATIENT, "ask").unwrap(), "ask");
        let given = run("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= | sort", PATIENT, "").unwrap();
        assert_eq!(given, "LOGIN=canary-login-4711\nPATH=/usr/bin:/bin\n");
        assert_eq!(run("pwd", PATIENT, "").unwrap(), "/\n");
    }

    #[test]
    fn one_that_hangs_is_killed_with_all_that_it_started() {
        let directory = tempfile::tempdir().unwrap();
        let beats = directory.path().join("beats");
        let script = "(for i in $(seq 1500); do echo >> BEATS; sleep 0.02; done) & wait";
        let script = script.replace("BEATS", &beats.display().to_string());
        let error = run(&script, Duration::from_millis(500), "").unwrap_err();
        assert_eq!(error, "did not end within 500ms and was killed");
        let length = || std::fs::metadata(&beats).map_or(0, |metadata| metadata.len());
        let (_held, never) = mpsc::channel::<()>();
        let is_still = |_| {
            let before = length();
            let _ = never.recv_timeout(Duration::from_millis(300));
            length() == before
        };
        assert!((0..20).any(is_still), "a child of it lives on");
    }

    #[test]
    fn one_that_answers_without_end_is_killed_and_its_answer_is_not_held() {
        let error = run("yes", PATIENT, "").unwrap_err();
        assert_eq!(error, "answered more than 1048576 bytes and was killed");
        let error = run("yes >&2", Duration::from_millis(500), "").unwrap_err();
        assert_eq!(error, "did not end within 500ms and was killed");
        let error = run("head -c 100000000 /dev/zero >&2; exit 3", PATIENT, "").unwrap_err();
        assert_eq!(error, "failed (exit status: 3): it does not say why");
    }

    #[test]
    fn what_it_says_when_it_fails_holds_no_secret_and_is_cut() {
        let script = "printf canary-answer-4711; printf 'no \\033[1m canary-answer-4711 nor %s\\n' \
                      $LOGIN >&2; echo nor canary-known-4711 >&2; exit 3";
        let error = run(script, PATIENT, "").unwrap_err();
        assert!(error.starts_with("failed (exit status: 3): no "), "{error}");
        assert!(!error.contains("canary") && !error.contains('\u{1b}'), "{error}");
        let long = run("yes 'no luck' | head -n 5000 >&2; exit 1", PATIENT, "").unwrap_err();
        assert!(long.len() < 700, "{long}");
    }

    #[test]
    fn one_that_is_not_there_is_told_of() {
        let command = vec!["/nowhere/program".to_owned()];
        let program = SecretProgram { command, timeout: PATIENT, environment: Vec::new() };
        let call = ProgramCall {
            program: &program,
            arguments: &[],
            input: Vec::new(),
            environment: &|_| None,
            known: &[],
        };
        let error = call.run().unwrap_err().to_string();
        assert!(error.starts_with("could not be started: No such file"), "{error}");
    }
}
