//! The file and its lock. What is in the file is opaque here.
//!
//! The lock is on a file of its own, so that the other may be taken away or put back.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::budget::{Budget, BudgetConfig, Millis, State};
use crate::clock::Uptime;
use crate::owner;

use super::clock::Axis;

/// How often the lock is tried before the caller is told to come back: 16 ms in all.
const TRIES: u32 = 32;

/// How often it is tried when the ledger is opened: two seconds, for a machine under load.
const TRIES_AT_OPEN: u32 = 4_000;

/// How long between two tries; the lock is usually held for less.
const TRY_EVERY: Duration = Duration::from_micros(500);

/// The largest file that is read. A whole window is under ten kilobytes.
const BYTES_MAX: u64 = 1 << 20;

/// How far ahead of our clock the file may be. Beyond it a clock was wrong, and we begin anew.
const AHEAD_MAX: Duration = Duration::from_secs(600);

/// Which token a ledger belongs to, without being the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Returns the digest of a token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::new().chain_update(b"stoker budget\0").chain_update(token).finalize().into())
    }
}

/// Why the shared budget cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The directory cannot be made, or a file in it cannot be opened, read or written.
    #[error("use the request ledger {}", path.display())]
    Io {
        /// What could not be used.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process has held the lock for seconds.
    #[error("lock the request ledger {}, which another process holds", path.display())]
    Held {
        /// The lock.
        path: PathBuf,
    },
}

/// What is kept, and since when without a break.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LedgerContent {
    /// Changes when the file had to be begun anew.
    pub generation: u64,
    /// The boot of the machine to which the ledger's time is tied, if any is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<Boot>,
    pub state: State,
}

/// One boot of one machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Boot {
    pub id: String,
    /// When it was, on the ledger's time.
    pub at: Millis,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    checksum: String,
    kept: LedgerContent,
}

/// The file of one host and token.
#[derive(Debug)]
pub(super) struct LedgerFile {
    file: PathBuf,
    lock_file: PathBuf,
    lock: File,
    /// The generation this process last saw.
    pub generation: Option<u64>,
}

/// The same while it is locked.
#[derive(Debug)]
pub(super) struct Locked<'a> {
    shared: &'a LedgerFile,
}

impl LedgerFile {
    pub fn new(directory: &Path, host: &str, token: &TokenDigest) -> Result<Self, LedgerError> {
        let io = |path: &Path| {
            let path = path.to_path_buf();
            move |source| LedgerError::Io { path, source }
        };
        fs::create_dir_all(directory).map_err(io(directory))?;
        let name = Sha256::new().chain_update(host).chain_update([0]).chain_update(token.0);
        let name = format!("budget-{}", hex::encode(&name.finalize()[..16]));
        let path = |ending: &str| directory.join(format!("{name}.{ending}"));
        let lock_file = path("lock");
        let lock = private().truncate(false).open(&lock_file).map_err(io(&lock_file))?;
        owner::inherit(&lock, directory).map_err(io(&lock_file))?;
        let file = path("json");
        Ok(Self { file, lock_file, lock, generation: None })
    }

    /// Locks the file, or returns nothing when another process holds it.
    pub fn lock(&self) -> Result<Option<Locked<'_>>, LedgerError> {
        self.try_lock(TRIES)
    }

    /// Locks the file with the patience of a start.
    pub fn lock_patiently(&self) -> Result<Locked<'_>, LedgerError> {
        let held = || LedgerError::Held { path: self.lock_file.clone() };
        self.try_lock(TRIES_AT_OPEN)?.ok_or_else(held)
    }

    // A process that was stopped while it held the lock must not stop us too, so we never wait
    // for the lock without an end.
    #[expect(
        clippy::disallowed_methods,
        reason = "a lock is held for less than a millisecond; nobody else waits on this thread"
    )]
    fn try_lock(&self, tries: u32) -> Result<Option<Locked<'_>>, LedgerError> {
        for _ in 0..tries {
            match self.lock.try_lock() {
                Ok(()) => return Ok(Some(Locked { shared: self })),
                Err(TryLockError::WouldBlock) => std::thread::sleep(TRY_EVERY),
                Err(TryLockError::Error(source)) => {
                    return Err(LedgerError::Io { path: self.lock_file.clone(), source });
                }
            }
        }
        Ok(None)
    }

    /// Reads what is kept. What cannot be understood stands for a full window used at `now`.
    pub fn read(&self, now: Millis, rate: u32) -> Result<LedgerContent, LedgerError> {
        let io = |source| LedgerError::Io { path: self.file.clone(), source };
        let bytes = match fs::metadata(&self.file) {
            Ok(about) if about.len() > BYTES_MAX => Vec::new(),
            Ok(_) => fs::read(&self.file).map_err(io)?,
            // Nobody has used the budget yet. If we have, somebody took the file away.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.generation.is_none() => {
                return Ok(LedgerContent::new(now));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(io(error)),
        };
        Ok(unseal(&bytes).unwrap_or_else(|| LedgerContent::exhausted(now, rate)))
    }
}

impl LedgerContent {
    /// Returns what is kept of a budget that nobody has used yet.
    pub fn new(now: Millis) -> Self {
        Self { generation: now.0, boot: None, state: State::default() }
    }

    pub fn exhausted(now: Millis, rate: u32) -> Self {
        Self { state: State::exhausted(now, rate), ..Self::new(now) }
    }

    /// Does something with the budget, and returns what is kept after it.
    pub fn spent<T>(
        self,
        config: BudgetConfig,
        action: impl FnOnce(&mut Budget) -> T,
    ) -> (Self, T) {
        let Self { generation, boot, state } = self;
        let mut budget = Budget::resume(config, state);
        let result = action(&mut budget);
        (Self { generation, boot, state: budget.into_state() }, result)
    }

    /// Takes it up for a process that begins, and ties it to the machine's boot.
    ///
    /// Within one boot the ledger's time has moved on by as much as the machine has run, whatever
    /// its clock was set to meanwhile. Else the clock is all there is: then a file that lies too far
    /// ahead of it is not believed, and stands for a full window.
    pub fn begin(mut self, now: Millis, uptime: Option<&Uptime>, rate: u32) -> (Self, Axis) {
        let known = self.boot.iter().zip(uptime).find(|(boot, uptime)| boot.id == uptime.boot);
        if let Some((boot, uptime)) = known {
            let position = boot.at.plus(uptime.elapsed).max(self.state.latest());
            return (self, Axis::join(now, position));
        }
        if self.state.latest() > now.plus(AHEAD_MAX) {
            self = Self::exhausted(now, rate);
        }
        let axis = Axis::begin(now, self.state.latest());
        self.boot = uptime.map(|uptime| Boot {
            id: uptime.boot.clone(),
            at: axis.position().minus(uptime.elapsed),
        });
        (self, axis)
    }
}

/// What would be in the file, in memory: it outlives a process that is only simulated.
#[derive(Clone, Debug, Default)]
pub struct MemoryFile(Arc<Mutex<Option<LedgerContent>>>);

impl MemoryFile {
    pub(super) fn kept(&self) -> MutexGuard<'_, Option<LedgerContent>> {
        // What is kept is replaced as a whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> State {
        self.kept().as_ref().map(|kept| kept.state.clone()).unwrap_or_default()
    }
}

impl Locked<'_> {
    pub fn read(&self, now: Millis, rate: u32) -> Result<LedgerContent, LedgerError> {
        self.shared.read(now, rate)
    }

    /// Writes over what was kept, in one write.
    ///
    /// Not a new file and a rename: on ext4 a rename over a file starts writing it to the disk,
    /// which takes milliseconds; this takes hundredths of one. What is lost is that a machine
    /// that dies may leave half of it behind; then the checksum is wrong, and a full window is
    /// assumed. An old file that a rename may leave behind would look sound, and under-count.
    pub fn write(&self, kept: LedgerContent) -> Result<(), LedgerError> {
        let io = |source| LedgerError::Io { path: self.shared.file.clone(), source };
        let mut bytes = seal(kept);
        let mut file = private().truncate(false).open(&self.shared.file).map_err(io)?;
        let before = file.metadata().map_err(io)?.len().min(BYTES_MAX);
        if before == 0 {
            // It was just made.
            let directory = self.shared.file.parent().unwrap_or(Path::new("."));
            owner::inherit(&file, directory).map_err(io)?;
        }
        // Blanks instead of a shorter file, so that one write does it all.
        bytes.resize(bytes.len().max(before as usize), b' ');
        file.write_all(&bytes).map_err(io)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Unlocking an open file that we locked does not fail; if it did, others would be told
        // that the ledger is held, which is the safe side.
        let _ = self.shared.lock.unlock();
    }
}

/// Options for a file that only its owner may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn seal(kept: LedgerContent) -> Vec<u8> {
    let checksum = checksum(&kept);
    serde_json::to_vec(&Sealed { checksum, kept }).expect("a state has only plain keys and values")
}

fn unseal(bytes: &[u8]) -> Option<LedgerContent> {
    let sealed: Sealed = serde_json::from_slice(bytes).ok()?;
    (checksum(&sealed.kept) == sealed.checksum).then_some(sealed.kept)
}

fn checksum(kept: &LedgerContent) -> String {
    let bytes = serde_json::to_vec(kept).expect("a state has only plain keys and values");
    hex::encode(&Sha256::digest(bytes)[..16])
}
