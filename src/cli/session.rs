//! One connection to one project: transport, budget, client and the state directory beneath.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::api::{self, ClientConfig, Dialect, Endpoint, HttpTransport, Reader, Token, Transport};
use crate::budget::{BudgetConfig, Lane};
use crate::clock::Clock;
use crate::ledger::LedgerError;
use crate::model::{Guard, Inventory};
use crate::project::{self, BudgetPlace, OpenProject, ProjectParts};
use crate::secret::FingerprintKey;
use crate::store::{Medium, Store, StoredState};

use super::arguments::Connection;
use super::code::ErrorCode;
use super::context::Context;
use super::failure::{self, Failure};
use super::hold::hold;
use super::place::{Absent, OpenState, StatePlace, no_directory};
use super::settings::{ConnectionSettings, SecretSource};
use super::world::SavedWorld;

/// The least rate: a write leaves right after a look, so both must fit into one minute (S10).
const RATE_MIN: u32 = 2;

/// What a command means to do on the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Only to look: it goes on without a state directory it can write to.
    Read,
    /// To write, there or in the inventory.
    Write,
}

/// One connection to one project.
pub struct Session {
    /// The settings it was opened with.
    pub settings: ConnectionSettings,
    /// The project; every request leaves through its client.
    pub project: OpenProject,
    /// The right to read.
    pub reader: Reader,
    /// The directory of this machine: budget, last look, socket.
    pub state: PathBuf,
    /// Where the inventory is, and the key of a shared one.
    pub truth: OpenState,
    /// The latest time the run may take.
    pub deadline: Option<Timestamp>,
}

impl Session {
    /// Opens a connection. It sends nothing.
    ///
    /// # Errors
    /// When a setting is wrong, the token is missing, or the state directory cannot be used by a
    /// command that writes.
    pub fn open(context: &Context, flags: &Connection, purpose: Purpose) -> Result<Self, Failure> {
        Self::open_in_lane(context, flags, purpose, Lane::Converge, None)
    }

    /// Opens a connection for manifests: the sandbox's project is the one they are for.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn open_for(
        context: &Context,
        flags: &Connection,
        purpose: Purpose,
        guard: Option<&Guard>,
    ) -> Result<Self, Failure> {
        Self::open_in_lane(context, flags, purpose, Lane::Converge, guard)
    }

    /// Opens a connection for a person who waits for its every request.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn open_urgent(
        context: &Context,
        flags: &Connection,
        purpose: Purpose,
    ) -> Result<Self, Failure> {
        Self::open_in_lane(context, flags, purpose, Lane::Urgent, None)
    }

    fn open_in_lane(
        context: &Context,
        flags: &Connection,
        purpose: Purpose,
        lane: Lane,
        guard: Option<&Guard>,
    ) -> Result<Self, Failure> {
        context.check_project()?;
        let settings = ConnectionSettings::resolve(flags, &context.file, &context.environment);
        let place = state_place(context, settings.sandbox)?;
        make(&place.directory);
        let truth = place.open(&context.environment, Absent::Begin)?;
        let (state, clock) = (place.directory, Clock::system());
        let parts = if settings.sandbox {
            SavedWorld::open(&state, &clock, purpose, guard)?
        } else {
            let transport = HttpTransport::new(settings.ca_file.as_deref())
                .map_err(|error| Failure::usage(format!("failed to {error}")))?;
            over_network(&settings, token(context)?, Arc::new(transport), &state)?
        };
        let parts = ProjectParts { clock, ..parts };
        Self::through(context, settings, truth, parts, purpose, lane)
    }

    /// Opens a connection to a project of these parts, with what the settings say of its budget, its
    /// platform and the run, and with the state where it truly is.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn through(
        context: &Context,
        settings: ConnectionSettings,
        truth: OpenState,
        parts: ProjectParts,
        purpose: Purpose,
        lane: Lane,
    ) -> Result<Self, Failure> {
        let deadline = settings.timeout.and_then(|time| parts.clock.now().checked_add(time).ok());
        let (calls_max, waits) = (settings.calls_max, context.waits.clone());
        let config = ClientConfig { lane, calls_max, deadline, waits, ..parts.config };
        let (dialect, budget) = (dialect(&settings)?, budget(&settings)?);
        let medium = truth.medium.clone();
        let parts = ProjectParts { dialect, budget, config, state: medium, ..parts };
        let state = parts.directory.clone();
        let project = open(context, parts, purpose)?;
        context.closing.count(&project.client);
        let reader = project.reader();
        Ok(Self { settings, project, reader, state, truth, deadline })
    }

    /// Reads what is ours. Where only a part of the state could be read, that is a warning.
    ///
    /// # Errors
    /// When the state cannot be used.
    pub fn inventory(&self, context: &Context) -> Result<Arc<Inventory>, Failure> {
        inventory(context, &self.truth.medium)
    }

    /// Takes the right to write the state, for a command; see [`hold`].
    ///
    /// # Errors
    /// As [`hold`].
    pub async fn hold(&self, context: &Context, command: &str) -> Result<Store, Failure> {
        hold(context, &self.truth.medium, command, self.deadline).await
    }

    /// Returns the key under which secrets are marked and generated.
    ///
    /// # Errors
    /// When the key's file cannot be used.
    pub fn fingerprint_key(&self) -> Result<FingerprintKey, Failure> {
        if let Some(key) = &self.truth.key {
            return Ok(key.clone());
        }
        FingerprintKey::load_or_create(&self.state)
            .map_err(|error| Failure::new(ErrorCode::State, format!("failed to {error}")))
    }
}

/// Ends the run in the ledger, so that its start does not look like a crash (performance, B9).
impl Drop for Session {
    fn drop(&mut self) {
        self.project.close();
    }
}

/// Returns the directory of a run on this machine, and makes it where it is missing.
pub fn state_directory(context: &Context, is_sandbox: bool) -> Result<PathBuf, Failure> {
    let StatePlace { directory, address: _ } = state_place(context, is_sandbox)?;
    make(&directory);
    Ok(directory)
}

/// Makes a state directory, for its owner only: it holds the key of the fingerprints. Whoever needs
/// to write there and cannot says so; who only reads goes on.
pub fn make(state: &Path) {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(state);
    if let Err(error) = made {
        tracing::debug!(%error, "the state directory was not created");
    }
}

/// Returns where the state of a run is; the sandbox has one of its own.
///
/// # Errors
/// When nothing names a place, or it cannot be used.
pub fn state_place(context: &Context, is_sandbox: bool) -> Result<StatePlace, Failure> {
    let named = context.global.state.as_deref().ok_or_else(no_directory)?;
    StatePlace::of(named, is_sandbox, &context.environment)
}

/// Opens the state of a command that sends no request.
///
/// # Errors
/// As [`state_place`]; and when the state cannot be opened.
pub fn open_state(
    context: &Context,
    connection: &Connection,
    absent: Absent,
) -> Result<OpenState, Failure> {
    let settings = ConnectionSettings::resolve(connection, &context.file, &context.environment);
    state_place(context, settings.sandbox)?.open(&context.environment, absent)
}

/// Reads what is remembered, and warns of what of it is damaged.
///
/// # Errors
/// When it cannot be read.
pub fn inventory(context: &Context, state: &Medium) -> Result<Arc<Inventory>, Failure> {
    let StoredState { inventory, warning } = state.read()?;
    if let Some(warning) = warning {
        context.output.warn(&warning.to_string());
    }
    Ok(inventory)
}

fn dialect(settings: &ConnectionSettings) -> Result<Dialect, Failure> {
    let mut dialect = Dialect::default();
    for (key, value) in &settings.dialect {
        dialect.set(&format!("{key}={value}")).map_err(|error| {
            Failure::usage(format!("failed to {error} (--dialect {key}={value})"))
                .hint("the keys are listed in docs/assumptions.md, and by `stoker doctor`")
        })?;
    }
    Ok(dialect)
}

/// Returns the parts of a project over the network.
///
/// # Errors
/// When the address cannot be used.
pub fn over_network(
    settings: &ConnectionSettings,
    token: Token,
    transport: Arc<dyn Transport>,
    state: &Path,
) -> Result<ProjectParts, Failure> {
    let endpoint = Endpoint::parse(&settings.api_url).map_err(|error| {
        Failure::usage(format!("failed to {error}"))
            .hint("set STACKBLAZE_API_URL, for example to https://api.stackblaze.cloud/v1")
    })?;
    Ok(ProjectParts::new(endpoint, token, transport, state.into()))
}

/// Reads the token: from the environment, or from the file the environment names.
fn token(context: &Context) -> Result<Token, Failure> {
    let denied = |message: String| Failure::new(ErrorCode::Authentication, message);
    let source = token_source(context)?.ok_or_else(no_token)?;
    let text = source
        .read(&context.environment)
        .map_err(|reason| denied(format!("failed to read the token: {reason}")))?;
    Token::parse(text.expose_secret())
        .map_err(|error| denied(format!("failed to {error} ({source})")))
}

/// Returns where the token is: where the project that was chosen says, else where the environment does.
/// A project's own is never another's (S5).
///
/// # Errors
/// When the project says two places.
pub fn token_source(context: &Context) -> Result<Option<SecretSource>, Failure> {
    match context.file.chosen() {
        Some((_, keys)) => {
            SecretSource::of("token", keys.token_env.as_ref(), keys.token_file.as_ref())
                .map_err(Failure::usage)
        }
        None => Ok(SecretSource::of_environment(&context.environment, "STACKBLAZE_TOKEN")),
    }
}

/// Says that there is no token, and where one is looked for.
pub fn no_token() -> Failure {
    Failure::new(ErrorCode::Authentication, "there is no token")
        .hint("set STACKBLAZE_TOKEN, or STACKBLAZE_TOKEN_FILE to a file that holds it")
        .hint("an entry of `projects` names its own, with `tokenEnv` or `tokenFile`")
        .hint("or try it without an account: --sandbox")
}

fn budget(settings: &ConnectionSettings) -> Result<BudgetPlace, Failure> {
    if settings.rate < RATE_MIN {
        let rate = settings.rate;
        let message = format!("a rate of {rate}/m is too low to read and write within a minute");
        return Err(Failure::usage(message).hint("give at least 2/m with --rate"));
    }
    let config = BudgetConfig {
        rate: settings.rate,
        reserve: settings.reserve,
        seed: project::seed(),
        ..BudgetConfig::default()
    };
    // Nobody shares the sandbox, and its emulator counts anew in each process.
    Ok(if settings.sandbox { BudgetPlace::Own(config) } else { BudgetPlace::Shared(config) })
}

/// Opens a project. Who only reads goes on where the budget cannot be shared.
fn open(context: &Context, parts: ProjectParts, purpose: Purpose) -> Result<OpenProject, Failure> {
    let unusable = |error: LedgerError| {
        Failure::new(ErrorCode::State, format!("failed to {error}"))
            .hint("name a directory that can be written with --state")
    };
    match (parts.clone().open(), &parts.budget, purpose) {
        (Err(error), BudgetPlace::Shared(config), Purpose::Read) => {
            context.output.warn(&format!(
                "the request budget cannot be shared with other runs: failed to {error}"
            ));
            let budget = BudgetPlace::Own(*config);
            ProjectParts { budget, ..parts }.open().map_err(unusable)
        }
        (opened, _, _) => opened.map_err(unusable),
    }
}

impl From<api::Error> for Failure {
    fn from(error: api::Error) -> Self {
        Self {
            hints: error.hints(),
            request_id: error.request_id().map(str::to_owned),
            ..Self::new(failure::of_kind(error.kind()), format!("failed to {error}"))
        }
    }
}
