//! The flags of `stoker state`.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};

use super::Connection;

/// `stoker state`.
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// Show where the state is, its project, what it holds and which process may write it now.
    Show(StateFlags),
    /// List each resource in the state; no request is sent.
    List(StateFlags),
    /// Read every record; exit code 1 if one is damaged.
    Verify(StateFlags),
    /// Copy inventory, key and the agent's memory; the copy is read back before it gets its name.
    Backup(BackupCommand),
    /// Move the state of this machine to a store that many machines reach.
    Push(PushCommand),
}

/// Which state is meant.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct StateFlags {
    /// The state of the sandbox.
    #[arg(long, env = "STOKER_SANDBOX", value_parser = BoolishValueParser::new(), value_name = "BOOL",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub sandbox: Option<bool>,
}

impl StateFlags {
    /// Returns the flags of a connection that says the same.
    #[must_use]
    pub fn connection(self) -> Connection {
        Connection { sandbox: self.sandbox, ..Connection::default() }
    }
}

/// `stoker state backup`.
#[derive(Args, Debug)]
pub struct BackupCommand {
    /// Where to put the copy: a directory that does not exist yet, or is empty.
    #[arg(value_name = "DIRECTORY")]
    pub target: PathBuf,
    #[command(flatten)]
    pub state: StateFlags,
}

/// `stoker state push`.
#[derive(Args, Debug)]
pub struct PushCommand {
    /// Where the state shall be: etcd://HOST,HOST,HOST/PREFIX, which holds no state yet.
    #[arg(long, value_name = "ADDRESS")]
    pub to: PathBuf,
}
