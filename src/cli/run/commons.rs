//! What all projects of one process have in common.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::api::{HttpTransport, Transport};
use crate::clock::Clock;
use crate::daemon::server::Meters;
use crate::daemon::trigger::Watches;

use super::super::failure::Failure;

/// The clock, the counts, and what is dear when every project has its own: the connections, with
/// the certificates of the system behind them, and the system's few instances of watches.
pub struct Commons {
    /// Tells the time.
    pub clock: Clock,
    /// What is counted.
    pub meters: Meters,
    transports: Mutex<BTreeMap<Option<PathBuf>, Arc<dyn Transport>>>,
    watches: Mutex<Option<Arc<Watches>>>,
}

impl Commons {
    /// Begins with the machine's clock and nothing else.
    pub fn new() -> Self {
        let (clock, meters) = (Clock::system(), Meters::default());
        Self { clock, meters, transports: Mutex::default(), watches: Mutex::default() }
    }

    /// Returns the way over the network that trusts a certificate authority beside the system's.
    ///
    /// # Errors
    /// When the certificates cannot be used.
    pub fn transport(&self, ca_file: Option<&Path>) -> Result<Arc<dyn Transport>, Failure> {
        let mut transports = self.transports.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = transports.get(&ca_file.map(Path::to_owned)) {
            return Ok(Arc::clone(known));
        }
        let transport = HttpTransport::new(ca_file)
            .map_err(|error| Failure::usage(format!("failed to {error}")))?;
        let transport: Arc<dyn Transport> = Arc::new(transport);
        transports.insert(ca_file.map(Path::to_owned), Arc::clone(&transport));
        Ok(transport)
    }

    /// Forgets the ways over the network: certificates may be others now.
    pub fn forget_transports(&self) {
        self.transports.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Returns the watches of the process.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn watches(&self) -> io::Result<Arc<Watches>> {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*watches {
            return Ok(Arc::clone(known));
        }
        let begun = Watches::begin()?;
        *watches = Some(Arc::clone(&begun));
        Ok(begun)
    }
}
