//! What a project is opened with, and how.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::api::{Client, ClientConfig, ClientParts, Dialect, Endpoint, Token, Transport};
use crate::budget::{BudgetConfig, Millis};
use crate::clock::{Clock, Uptime};
use crate::ledger::{Ledger, LedgerError};
use crate::store::{Medium, Recent};

use super::OpenProject;

/// What a project is opened with.
#[derive(Clone)]
pub struct ProjectParts {
    /// Where the API is.
    pub endpoint: Endpoint,
    /// The token for it; it selects the project.
    pub token: Token,
    /// What carries the requests.
    pub transport: Arc<dyn Transport>,
    /// What is taken to be true of the API.
    pub dialect: Dialect,
    /// The budget to spend from.
    pub budget: BudgetPlace,
    /// What the run may spend, and whom it tells of its waits.
    pub config: ClientConfig,
    /// Tells the time.
    pub clock: Clock,
    /// The directory of this machine, where every process on it counts its requests.
    pub directory: PathBuf,
    /// Where the state is kept: in that directory, or where several machines reach it.
    pub state: Medium,
    /// Who writes, for whoever finds the state locked.
    pub holder: String,
}

/// Where the requests of a project are counted.
#[derive(Clone)]
pub enum BudgetPlace {
    /// With those of every process on the directory of this machine and with this token.
    Shared(BudgetConfig),
    /// In memory: nobody else spends.
    Own(BudgetConfig),
    /// In a ledger that is open already.
    Opened(Arc<Ledger>),
}

impl ProjectParts {
    /// Returns the parts of a project on the ordinary platform, with the system's clock, its state in
    /// a directory of this machine, and a budget that is shared with every process on that.
    #[must_use]
    pub fn new(
        endpoint: Endpoint,
        token: Token,
        transport: Arc<dyn Transport>,
        directory: PathBuf,
    ) -> Self {
        Self {
            endpoint,
            token,
            transport,
            dialect: Dialect::default(),
            budget: BudgetPlace::Shared(BudgetConfig { seed: seed(), ..BudgetConfig::default() }),
            config: ClientConfig { seed: seed(), ..ClientConfig::default() },
            clock: Clock::system(),
            state: Medium::Directory(directory.clone()),
            directory,
            holder: format!("a program (pid {})", std::process::id()),
        }
    }

    /// Opens the project. It sends nothing, and does not touch the state.
    ///
    /// # Errors
    /// When the budget cannot be shared in the directory of this machine.
    pub fn open(self) -> Result<OpenProject, LedgerError> {
        let Self { endpoint, token, transport, dialect, budget, config, .. } = self;
        let Self { clock, directory, state, holder, .. } = self;
        let now = Millis::from(clock.now());
        let ledger = match budget {
            BudgetPlace::Opened(ledger) => ledger,
            BudgetPlace::Shared(config) => {
                let (origin, digest) = (endpoint.origin(), token.digest());
                let uptime = Uptime::of_machine();
                Arc::new(Ledger::open(&directory, &origin, &digest, config, now, uptime.as_ref())?)
            }
            BudgetPlace::Own(config) => Arc::new(Ledger::in_memory(config, now)),
        };
        let client = Client::new(ClientParts {
            endpoint,
            token,
            transport,
            ledger: Arc::clone(&ledger),
            clock: clock.clone(),
            dialect,
            config,
        });
        let (recent, recollection) = (Recent::default(), Arc::<Mutex<_>>::default());
        Ok(OpenProject { client, ledger, clock, state, holder, recent, recollection })
    }
}

/// Returns a number that spreads several agents in time.
#[must_use]
pub fn seed() -> u64 {
    // Without randomness the process is no worse than one of several with the same seed.
    getrandom::u64().unwrap_or(0)
}
