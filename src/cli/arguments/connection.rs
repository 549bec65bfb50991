//! The flags of every command that talks to the platform.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::super::values::{Assignment, Rate, Span};

/// How the API is reached.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Run against the embedded emulator, whose state is kept in the state directory.
    #[arg(long, env = "STOKER_SANDBOX", value_parser = BoolishValueParser::new(), value_name = "BOOL",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub sandbox: Option<bool>,
    /// A certificate authority to trust in addition to the system's, as PEM.
    #[arg(long, env = "STOKER_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Set an assumption about the platform (docs/assumptions.md); may be repeated.
    #[arg(long, env = "STOKER_DIALECT", value_name = "KEY=VALUE", value_delimiter = ',')]
    pub dialect: Vec<Assignment>,
    /// At most this many requests in any minute [default: 285/m].
    #[arg(long, env = "STOKER_RATE", value_name = "N/m")]
    pub rate: Option<Rate>,
    /// Requests of each minute that background work leaves to others [default: 90/m].
    #[arg(long, env = "STOKER_RESERVE", value_name = "N/m")]
    pub reserve: Option<Rate>,
    /// At most this many requests in this run; needing more ends it with exit code 6.
    #[arg(long, env = "STOKER_MAX_CALLS", value_name = "N")]
    pub max_calls: Option<u32>,
    /// How long the run may take; exceeding it ends the run with exit code 6.
    #[arg(long, env = "STOKER_TIMEOUT", value_name = "DURATION")]
    pub timeout: Option<Span>,
}
