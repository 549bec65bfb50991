//! The emulator's world behind `--sandbox`, kept in the state directory between runs.
//!
//! It is saved after every write, so that a killed run leaves the platform as it was: just like a
//! real one would be.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Method;

use crate::api::{BodyStream, Endpoint, Token, Transport, TransportError};
use crate::clock::Clock;
use crate::emulator::{Durations, Emulator, EmulatorConfig, Faults, TOKEN};
use crate::model::Guard;
use crate::owner;
use crate::project::ProjectParts;
use crate::sandbox::{SANDBOX_ENDPOINT, SandboxTransport, emulator_clock};

use super::code::ErrorCode;
use super::failure::Failure;
use super::session::Purpose;

/// A world that is saved after each write.
pub struct SavedWorld {
    emulator: Emulator,
    transport: SandboxTransport,
    file: PathBuf,
    /// Held while a run may write, so that two runs cannot save over each other.
    _lock: Option<File>,
}

impl SavedWorld {
    /// Opens the world kept beneath a state directory, or a fresh one.
    pub fn open(
        state: &Path,
        clock: &Clock,
        purpose: Purpose,
        guard: Option<&Guard>,
    ) -> Result<ProjectParts, Failure> {
        let lock = match purpose {
            Purpose::Read => None,
            Purpose::Write => Some(lock(state)?),
        };
        let file = state.join(FILE);
        let emulator = load(&file, clock)?;
        guard.into_iter().for_each(|guard| stand_for(&emulator, guard));
        let transport = SandboxTransport::new(emulator.clone());
        let world = Self { emulator, transport, file, _lock: lock };
        Ok(parts(Arc::new(world), state))
    }
}

/// Returns the parts of the sandbox's project.
pub fn parts(transport: Arc<dyn Transport>, state: &Path) -> ProjectParts {
    let endpoint = Endpoint::parse(SANDBOX_ENDPOINT).expect("the constant is an address");
    let token = Token::parse(TOKEN).expect("the constant is a token");
    ProjectParts::new(endpoint, token, transport, state.into())
}

/// Lets the sandbox's project be the one that manifests are for: they are tried, not deployed.
pub fn stand_for(emulator: &Emulator, guard: &Guard) {
    emulator.reconfigure(|config| {
        config.project.name.clone_from(&guard.name);
        if guard.id.is_some() {
            config.project.id.clone_from(&guard.id);
        }
    });
}

/// The file of the world below the sandbox's state directory.
const FILE: &str = "world.json";

/// Forgets the world and all that was remembered about it.
pub fn forget(state: &Path) -> Result<(), Failure> {
    match std::fs::remove_dir_all(state) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(failed("forget", state, &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Reads a saved world, or begins one.
pub fn load(file: &Path, clock: &Clock) -> Result<Emulator, Failure> {
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Emulator::new(config(), emulator_clock(clock)));
        }
        Err(error) => return Err(failed("read", file, &error)),
    };
    let saved = serde_json::from_slice(&text).map_err(|error| failed("read", file, &error))?;
    let emulator = Emulator::restore(&saved, emulator_clock(clock))
        .map_err(|reason| failed("read", file, &reason))?;
    // Faults belong to the `stoker sandbox` that was asked for them, not to who comes after it.
    emulator.play(Faults::default());
    Ok(emulator)
}

/// The emulator's ordinary platform, in a hurry: a person is waiting.
fn config() -> EmulatorConfig {
    let durations = Durations {
        queued_ms: 500,
        building_ms: 2_000,
        deploying_ms: 1_500,
        database_ms: 4_000,
        ..Durations::default()
    };
    EmulatorConfig { durations, ..EmulatorConfig::default() }
}

/// Saves a world, whole or not at all. It holds secrets in clear: only its owner may read it.
fn save(emulator: &Emulator, file: &Path) -> std::io::Result<()> {
    let directory = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut draft = tempfile::NamedTempFile::new_in(directory)?;
    draft.write_all(emulator.save().to_string().as_bytes())?;
    owner::inherit(draft.as_file(), directory)?;
    draft.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// Keeps a world in a file: after each write, and again and again as time goes on. Clones keep the
/// same.
#[derive(Clone)]
pub struct WorldFile {
    emulator: Emulator,
    file: PathBuf,
    /// Held while the world is looked at and saved, so that an earlier look is never saved later.
    saving: Arc<Mutex<()>>,
}

impl WorldFile {
    /// Begins to keep a world.
    pub fn of(emulator: &Emulator, file: &Path) -> Self {
        let (emulator, file) = (emulator.clone(), file.to_owned());
        Self { emulator, file, saving: Arc::default() }
    }

    /// Keeps it after each write from now on.
    pub fn follow(&self) {
        let keeper = self.clone();
        self.emulator.keep_with(Box::new(move || {
            if let Err(error) = keeper.save() {
                tracing::error!(%error, "the sandbox cannot be saved");
            }
        }));
    }

    /// Keeps what time does; ends only when it cannot.
    pub async fn go_on(&self) -> std::io::Error {
        let mut saved = String::new();
        loop {
            let now = self.emulator.save().to_string();
            if now != saved {
                if let Err(error) = self.save() {
                    return error;
                }
                saved = now;
            }
            tokio::time::sleep(SAVE_INTERVAL).await;
        }
    }

    /// Saves it now.
    pub fn save(&self) -> std::io::Result<()> {
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        save(&self.emulator, &self.file)
    }
}

/// How often what time does is saved. A killed sandbox loses this much of it at most.
const SAVE_INTERVAL: Duration = Duration::from_millis(500);

/// Returns the file of the world below a sandbox's state directory.
pub fn file(state: &Path) -> PathBuf {
    state.join(FILE)
}

/// Takes the right to write the world; it lasts as long as the file is held.
pub fn lock(state: &Path) -> Result<File, Failure> {
    let path = state.join("world.lock");
    let open = || -> std::io::Result<File> {
        std::fs::create_dir_all(state)?;
        let file = File::options().create(true).truncate(false).write(true).open(&path)?;
        owner::inherit(&file, state)?;
        Ok(file)
    };
    let file = open().map_err(|error| failed("open", &path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(Failure::new(ErrorCode::Locked, "the sandbox is in use by another run")
            .hint("wait for it, or use another --state")
            .hint(format!(
                "the agent or `stoker sandbox` that holds it printed its address: set \
                 STACKBLAZE_API_URL to that and STACKBLAZE_TOKEN to {TOKEN}, and leave out \
                 --sandbox"
            ))),
    }
}

fn failed(doing: &str, path: &Path, error: &dyn std::fmt::Display) -> Failure {
    let place = path.display();
    Failure::new(ErrorCode::Sandbox, format!("failed to {doing} the sandbox in {place}: {error}"))
        .hint("`stoker sandbox --fresh` starts a new one")
}

impl Transport for SavedWorld {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        Box::pin(async move {
            let is_write = request.method() != Method::GET;
            let answer = self.transport.send(request).await;
            if is_write && let Err(error) = save(&self.emulator, &self.file) {
                return Err(TransportError::lost(format!("the sandbox cannot be saved: {error}")));
            }
            answer
        })
    }
}
