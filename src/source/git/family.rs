//! A running git with the children it starts, from its beginning to its end.
//!
//! It hears what they say, which is how a slow line differs from a dead one, and sees that none of
//! them outlives the others. What git is told is in `program`.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::Notify;

use super::orphans;

/// The most that is kept of what git says on stderr, from its end: the fatal line comes last.
const SAID_BYTES_MAX: usize = 8_192;

/// How long git may take to clean up after it was asked to end; then it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// A running git with the children it starts, which are one process group.
///
/// Dropped before it ended, all of them are killed: a child that waits for a host that never answers
/// would outlive its parent.
pub(super) struct ProcessGroup {
    child: Child,
    /// The number of the group while somebody in it may live.
    group: Option<u32>,
    /// Told whenever git says something.
    heard: Notify,
}

/// How git ended, what it wrote (nothing when that was too much), and the end of its stderr.
pub(super) type Ended = (ExitStatus, Option<Vec<u8>>, Vec<u8>);

impl ProcessGroup {
    pub fn of(child: Child) -> Self {
        let group = child.id();
        orphans::is_ours(group);
        Self { group, child, heard: Notify::new() }
    }

    /// Gives git its input and hears it out; nothing when it said nothing for `silence`.
    pub async fn work(
        &mut self,
        input: Vec<u8>,
        output_bytes_max: u64,
        silence: Duration,
    ) -> Option<io::Result<Ended>> {
        let Self { child, group, heard } = self;
        let heard = &*heard;
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
            read_within(stdout, output_bytes_max, heard).await
        };
        let listen = async {
            let Some(stderr) = stderr else { return Ok(Vec::new()) };
            read_tail(stderr, heard).await
        };
        let end = async {
            let ((), bytes, said) = tokio::join!(write, read, listen);
            let status = child.wait().await?;
            Ok((status, bytes?, said?))
        };
        let ended = tokio::select! {
            ended = end => Some(ended),
            () = quiet(heard, silence) => None,
        };
        if matches!(ended, Some(Ok(_))) {
            orphans::left(group.take());
        }
        ended
    }

    /// Asks all of them to end, so that git removes its temporary files, and then kills what is left.
    pub async fn end(&mut self) {
        self.signal(Farewell::Ask);
        // Either it has ended, or the next line ends it.
        let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
        self.signal(Farewell::Kill);
        orphans::left(self.group.take());
    }

    fn signal(&self, farewell: Farewell) {
        if let Some(group) = self.group {
            farewell.tell(group);
        }
    }
}

/// How a group of processes is told to go.
#[derive(Clone, Copy)]
pub(crate) enum Farewell {
    /// They are asked to end.
    Ask,
    /// They are ended.
    Kill,
}

impl Farewell {
    /// Tells all processes of a group.
    pub(crate) fn tell(self, group: u32) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let signal = match self {
            Self::Ask => Signal::TERM,
            Self::Kill => Signal::KILL,
        };
        if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
            // The only failure is that all of them have gone already.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.signal(Farewell::Kill);
        orphans::left(self.group.take());
    }
}

/// Returns when nothing was heard for a while.
async fn quiet(heard: &Notify, silence: Duration) {
    while tokio::time::timeout(silence, heard.notified()).await.is_ok() {}
}

/// Reads to the end, or until it is more than it may be; then nothing of it is returned.
async fn read_within(
    reader: impl AsyncRead + Unpin,
    bytes_max: u64,
    heard: &Notify,
) -> io::Result<Option<Vec<u8>>> {
    let mut reader = reader.take(bytes_max.saturating_add(1));
    let mut bytes = Vec::new();
    while reader.read_buf(&mut bytes).await? > 0 {
        heard.notify_one();
    }
    Ok((bytes.len() as u64 <= bytes_max).then_some(bytes))
}

/// Reads to the end, and keeps only the last lines: half a line could end in half a secret, which no
/// eraser would know.
async fn read_tail(mut reader: impl AsyncRead + Unpin, heard: &Notify) -> io::Result<Vec<u8>> {
    let mut tail = Vec::new();
    let mut chunk = [0; 4_096];
    let mut surplus = 0;
    loop {
        let count = reader.read(&mut chunk).await?;
        if count == 0 {
            break;
        }
        heard.notify_one();
        tail.extend_from_slice(&chunk[..count]);
        let excess = tail.len().saturating_sub(SAID_BYTES_MAX);
        tail.drain(..excess);
        surplus += excess;
    }
    if surplus > 0 {
        // What counts up to a hundred is written over and over on one line.
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let line_end = tail.iter().position(is_end).unwrap_or(tail.len());
        tail.drain(..line_end);
    }
    Ok(tail)
}
