//! The flags of the commands that ask a running agent, or steer one.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::model::Key;

use super::super::labels::LabelSelector;
use super::super::until::FutureTime;
use super::super::values::{Selector, Span, WaitGoal};
use super::super::why::Subject;
use super::{Connection, Sources};

/// Which agent.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Running agent")]
pub struct AgentFlags {
    /// The agent to ask, as https://HOST, http://127.0.0.1:PORT or unix:/PATH
    /// [default: agent.sock in the state directory].
    #[arg(long, env = "STOKER_AGENT", value_name = "URL")]
    pub agent: Option<String>,
}

/// The connection flags of a command that talks only to an agent.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Running agent")]
pub struct Nearby {
    /// The agent of the sandbox.
    #[arg(long, env = "STOKER_SANDBOX", value_parser = BoolishValueParser::new(), value_name = "BOOL",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub sandbox: Option<bool>,
    /// A certificate authority to trust in addition to the system's, as PEM.
    #[arg(long, env = "STOKER_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

impl Nearby {
    /// Returns the flags of a connection that says the same.
    #[must_use]
    pub fn connection(&self) -> Connection {
        let Self { sandbox, ca_file } = self.clone();
        Connection { sandbox, ca_file, ..Connection::default() }
    }
}

/// `stoker get`.
#[derive(Args, Debug)]
pub struct GetCommand {
    /// What to list: KIND or KIND/NAME [default: everything].
    #[arg(value_name = "KIND[/NAME]")]
    pub selectors: Vec<Selector>,
    /// Only resources with these labels: KEY=VALUE, KEY!=VALUE, KEY in (VALUE,VALUE), joined by
    /// commas.
    #[arg(short = 'l', long = "selector", value_name = "LABELS")]
    pub labels: Option<LabelSelector>,
    /// Show each resource again whenever it changes, until interrupted; needs a running agent.
    #[arg(short, long, conflicts_with = "live")]
    pub watch: bool,
    /// Ask the platform, even where an agent runs.
    #[arg(long)]
    pub live: bool,
    #[command(flatten)]
    pub agent: AgentFlags,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker describe`.
#[derive(Args, Debug)]
pub struct DescribeCommand {
    /// The resource.
    #[arg(value_name = "KIND/NAME")]
    pub key: Key,
    /// Ask the platform, even where an agent runs.
    #[arg(long)]
    pub live: bool,
    #[command(flatten)]
    pub agent: AgentFlags,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker wait`.
#[derive(Args, Debug)]
pub struct WaitCommand {
    /// The resource.
    #[arg(value_name = "KIND/NAME")]
    pub key: Key,
    /// condition=Ready, or delete; with a running agent also others, such as
    /// condition=Stalled=False.
    #[arg(long = "for", value_name = "CONDITION", default_value = "condition=Ready")]
    pub condition: WaitGoal,
    /// Ask the platform, even where an agent runs.
    #[arg(long)]
    pub live: bool,
    #[command(flatten)]
    pub agent: AgentFlags,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker events`.
#[derive(Args, Debug)]
pub struct EventsCommand {
    /// Only events of this resource.
    #[arg(value_name = "KIND/NAME")]
    pub key: Option<Key>,
    /// Follow until interrupted, and reconnect when the stream breaks.
    #[arg(short, long)]
    pub follow: bool,
    /// Only events of this last period, for example 2h.
    #[arg(long, value_name = "DURATION")]
    pub since: Option<Span>,
    #[command(flatten)]
    pub agent: AgentFlags,
    #[command(flatten)]
    pub nearby: Nearby,
}

/// `stoker why`.
#[derive(Args, Debug)]
pub struct WhyCommand {
    /// The resource, or one field of it, for example service/api.scaling.maxInstances.
    #[arg(value_name = "KIND/NAME[.FIELD]")]
    pub subject: Subject,
    #[command(flatten)]
    pub sources: Sources,
    #[command(flatten)]
    pub agent: AgentFlags,
    #[command(flatten)]
    pub nearby: Nearby,
}

/// `stoker reconcile`.
#[derive(Args, Debug)]
pub struct ReconcileCommand {
    /// Reset the back-off of this resource only, and repair it again, however often it was
    /// repaired.
    #[arg(value_name = "KIND/NAME")]
    pub key: Option<Key>,
    /// Wait until the pass has ended, and exit with its result.
    #[arg(long)]
    pub wait: bool,
    /// How long to wait [default: 5m].
    #[arg(long, env = "STOKER_TIMEOUT", value_name = "DURATION")]
    pub timeout: Option<Span>,
    #[command(flatten)]
    pub steering: SteeringCommand,
}

/// `stoker suspend`.
#[derive(Args, Debug)]
pub struct SuspendCommand {
    /// The reason, shown wherever the suspension is.
    #[arg(long, value_name = "REASON")]
    pub reason: String,
    /// When it ends, at most 30 days ahead: 2h, 18:00 (the next one), or 2026-12-01T08:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub until: FutureTime,
    #[command(flatten)]
    pub steering: SteeringCommand,
}

/// `stoker pin`.
#[derive(Args, Debug)]
pub struct PinCommand {
    /// The commit: its full hash, or the first digits.
    #[arg(value_name = "COMMIT")]
    pub commit: String,
    #[command(flatten)]
    pub steering: SteeringCommand,
}

/// `stoker resume`, `stoker unpin`, and what every order has.
#[derive(Args, Debug)]
pub struct SteeringCommand {
    #[command(flatten)]
    pub agent: AgentFlags,
    #[command(flatten)]
    pub nearby: Nearby,
}
