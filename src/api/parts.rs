//! What a client is made of, and what it may spend.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::dialect::Dialect;
use super::endpoint::{Endpoint, Token};
use super::transport::Transport;
use crate::budget::Lane;
use crate::clock::Clock;
use crate::ledger::Ledger;

/// What a client is made of.
pub struct ClientParts {
    /// Where the API is.
    pub endpoint: Endpoint,
    /// The token for it.
    pub token: Token,
    /// What carries the requests.
    pub transport: Arc<dyn Transport>,
    /// The budget of this API and token.
    pub ledger: Arc<Ledger>,
    /// Tells the time.
    pub clock: Clock,
    /// What is taken to be true of the API.
    pub dialect: Dialect,
    /// What the run may spend.
    pub config: ClientConfig,
}

/// What a run may spend, and whom it tells of its waits.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Who waits for the requests.
    pub lane: Lane,
    /// The most requests this client and its clones may send; all of `--max-calls`.
    pub calls_max: Option<u32>,
    /// When the last answer must be there; `--timeout`.
    pub deadline: Option<Timestamp>,
    /// Spreads retries of several agents in time.
    pub seed: u64,
    /// Told of each wait for the budget, when it begins.
    pub waits: watch::Sender<Option<Wait>>,
}

/// A request that waits for the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Until when.
    pub until: Timestamp,
    /// Since when the API has said that nothing is left, if it goes on saying so.
    pub short_since: Option<Timestamp>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        let (lane, waits) = (Lane::Converge, watch::Sender::new(None));
        Self { lane, calls_max: None, deadline: None, seed: 0, waits }
    }
}
