//! One connection to one project: transport, budget, client and the state directory beneath.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::api::{
    self, Client, ClientParts, Dialect, Endpoint, HttpTransport, Reader, Token, Transport,
};
use crate::budget::{self, Lane, Millis};
use crate::clock::{Clock, Uptime};
use crate::ledger::{Ledger, LedgerError};
use crate::model::{Guard, Inventory};
use crate::plan::{Policy, PutOn};
use crate::reconcile;
use crate::secret::FingerprintKey;
use crate::store::{Store, StoredState};

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
    /// The client; every request leaves through it.
    pub client: Client,
    /// The right to read.
    pub reader: Reader,
    /// The budget the client spends from.
    pub ledger: Arc<Ledger>,
    /// Tells the time.
    pub clock: Clock,
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
        let door = if settings.sandbox {
            let (transport, endpoint, token) = SavedWorld::open(&state, &clock, purpose, guard)?;
            ApiAccess { transport, endpoint, token }
        } else {
            let transport = HttpTransport::new(settings.ca_file.as_deref())
                .map_err(|error| Failure::usage(format!("failed to {error}")))?;
            ApiAccess::over(&settings, token(context)?, Arc::new(transport))?
        };
        Self::through(context, door, SessionConfig { settings, state, truth, clock }, purpose, lane)
    }

    /// Opens a connection through a door, with its memory at a place.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn through(
        context: &Context,
        door: ApiAccess,
        place: SessionConfig,
        purpose: Purpose,
        lane: Lane,
    ) -> Result<Self, Failure> {
        let ApiAccess { transport, endpoint, token } = door;
        let SessionConfig { settings, state, truth, clock } = place;
        let dialect = dialect(&settings)?;
        let ledger = ledger(context, &settings, &state, &endpoint, &token, &clock, purpose)?;
        let ledger = Arc::new(ledger);
        let deadline = settings.timeout.and_then(|time| clock.now().checked_add(time).ok());
        let (calls_max, waits) = (settings.calls_max, context.waits.clone());
        let config = api::ClientConfig { lane, calls_max, deadline, seed: seed(), waits };
        let client = Client::new(ClientParts {
            endpoint,
            token,
            transport,
            ledger: Arc::clone(&ledger),
            clock: clock.clone(),
            dialect,
            config,
        });
        context.closing.count(&client);
        let reader = client.reader();
        Ok(Self { settings, client, reader, ledger, clock, state, truth, deadline })
    }

    /// Tells planning what the API can do.
    #[must_use]
    pub fn speak(&self, policy: Policy) -> Policy {
        let dialect = self.client.dialect();
        let platform = reconcile::platform(dialect);
        Policy { platform, put_on: PutOn::of(&dialect.platform_env), ..policy }
    }

    /// Reads what is ours. Where only a part of the state could be read, that is a warning.
    ///
    /// # Errors
    /// When the state cannot be used.
    pub fn inventory(&self, context: &Context) -> Result<Arc<Inventory>, Failure> {
        let StoredState { inventory, warning } = self.truth.medium.read()?;
        if let Some(warning) = warning {
            context.output.warn(&warning.to_string());
        }
        Ok(inventory)
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
        self.ledger.close(Millis::from(self.clock.now()));
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

/// The way to an API: what carries requests, where to, and as whom.
pub struct ApiAccess {
    /// Carries the requests.
    pub transport: Arc<dyn Transport>,
    /// Where to.
    pub endpoint: Endpoint,
    /// As whom.
    pub token: Token,
}

/// Where a connection keeps its memory, and how it behaves.
pub struct SessionConfig {
    /// How the API is reached.
    pub settings: ConnectionSettings,
    /// The directory of this machine.
    pub state: PathBuf,
    /// Where the inventory is.
    pub truth: OpenState,
    /// Tells the time.
    pub clock: Clock,
}

impl ApiAccess {
    /// Opens the way over the network.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn over(
        settings: &ConnectionSettings,
        token: Token,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, Failure> {
        let endpoint = Endpoint::parse(&settings.api_url).map_err(|error| {
            Failure::usage(format!("failed to {error}"))
                .hint("set STACKBLAZE_API_URL, for example to https://api.stackblaze.cloud/v1")
        })?;
        Ok(Self { transport, endpoint, token })
    }
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

fn ledger(
    context: &Context,
    settings: &ConnectionSettings,
    state: &Path,
    endpoint: &Endpoint,
    token: &Token,
    clock: &Clock,
    purpose: Purpose,
) -> Result<Ledger, Failure> {
    if settings.rate < RATE_MIN {
        let rate = settings.rate;
        let message = format!("a rate of {rate}/m is too low to read and write within a minute");
        return Err(Failure::usage(message).hint("give at least 2/m with --rate"));
    }
    let config = budget::BudgetConfig {
        rate: settings.rate,
        reserve: settings.reserve,
        seed: seed(),
        ..budget::BudgetConfig::default()
    };
    let now = Millis::from(clock.now());
    if settings.sandbox {
        // Nobody shares the sandbox, and its emulator counts anew in each process.
        return Ok(Ledger::in_memory(config, now));
    }
    let uptime = Uptime::of_machine();
    let opened: Result<Ledger, LedgerError> =
        Ledger::open(state, &endpoint.origin(), &token.digest(), config, now, uptime.as_ref());
    match (opened, purpose) {
        (Ok(ledger), _) => Ok(ledger),
        (Err(error), Purpose::Read) => {
            context.output.warn(&format!(
                "the request budget cannot be shared with other runs: failed to {error}"
            ));
            Ok(Ledger::in_memory(config, now))
        }
        (Err(error), Purpose::Write) => {
            Err(Failure::new(ErrorCode::State, format!("failed to {error}"))
                .hint("name a directory that can be written with --state"))
        }
    }
}

/// Returns a number that spreads several agents in time.
pub fn seed() -> u64 {
    // Without randomness the process is no worse than one of several with the same seed.
    getrandom::u64().unwrap_or(0)
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
