//! The command line as typed. What a flag means is said here once; what it becomes, in `settings`.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::{AdoptMode, Key, Kind};

use super::values::{Approved, Assignment, PruneKinds, Rate, Selector, Span};

/// GitOps for the StackBlaze PaaS: declarative YAML in, changes out, within a request budget.
#[derive(Debug, Parser)]
#[command(name = "stoker", version, disable_help_subcommand = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 changes pending, 3 permission, 4 in part, \
    5 refused, 6 over budget, 7 stale plan, 64 usage, 65 manifests invalid."
)]
pub struct Arguments {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Common options")]
pub struct Global {
    /// Form of what is printed on stdout.
    #[arg(short, long, value_enum, global = true, env = "STOKER_OUTPUT", value_name = "FORM")]
    pub output: Option<Form>,
    /// When to use colour; `NO_COLOR` and `CLICOLOR_FORCE` are obeyed.
    #[arg(long, value_enum, global = true, env = "STOKER_COLOR", value_name = "WHEN")]
    pub color: Option<When>,
    /// Form of the log on stderr.
    #[arg(long, value_enum, global = true, env = "STOKER_LOG_FORMAT", value_name = "FORM")]
    pub log_format: Option<LogForm>,
    /// More on stderr: -v debug, -vv trace.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// The settings file, instead of `stoker.yaml` and the user's and the machine's.
    #[arg(long, global = true, env = "STOKER_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where inventory, keys and budget are kept; one directory for one project.
    #[arg(long, global = true, env = "STOKER_STATE", value_name = "DIRECTORY")]
    pub state: Option<PathBuf>,
}

/// The forms of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
    /// For a pull request.
    Markdown,
    /// One JSON document a line.
    Ndjson,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The forms of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogForm {
    /// For people.
    Text,
    /// One JSON document a line.
    Json,
}

/// How the API is reached.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Run against the embedded emulator, whose state is kept in the state directory.
    #[arg(long, env = "STOKER_SANDBOX", value_parser = BoolishValueParser::new(), value_name = "TRUTH",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub sandbox: Option<bool>,
    /// A certificate authority to trust beside the system's, as PEM.
    #[arg(long, env = "STOKER_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Set an assumption about the platform (docs/assumptions.md); may be repeated.
    #[arg(long, env = "STOKER_DIALECT", value_name = "KEY=VALUE", value_delimiter = ',')]
    pub dialect: Vec<Assignment>,
    /// Requests to send in any minute, at most [default: 285/m].
    #[arg(long, env = "STOKER_RATE", value_name = "N/m")]
    pub rate: Option<Rate>,
    /// Requests of each minute that background work leaves to others [default: 90/m].
    #[arg(long, env = "STOKER_RESERVE", value_name = "N/m")]
    pub reserve: Option<Rate>,
    /// Requests this run may send in all; more ends it with exit code 6.
    #[arg(long, env = "STOKER_MAX_CALLS", value_name = "N")]
    pub max_calls: Option<u32>,
    /// How long the run may take; longer ends it with exit code 6.
    #[arg(long, env = "STOKER_TIMEOUT", value_name = "DURATION")]
    pub timeout: Option<Span>,
}

/// The manifests to read.
#[derive(Args, Clone, Debug, Default)]
pub struct Sources {
    /// Files and directories, `-` for stdin [default: manifests/, stackblaze.yaml or .].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// What a plan may contain.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Planning")]
pub struct Planning {
    /// Delete what is ours and no longer declared: all kinds, or those named.
    #[arg(long, env = "STOKER_PRUNE", value_name = "KINDS", num_args = 0..=1,
          default_missing_value = "true", require_equals = true)]
    pub prune: Option<PruneKinds>,
    /// When to take over what lives already: always, match or never [default: always].
    #[arg(long, env = "STOKER_ADOPT", value_name = "MODE")]
    pub adopt: Option<AdoptMode>,
    /// Lift the fuse on deletes (3, and 30 % of what is owned) to this many.
    #[arg(long, env = "STOKER_MAX_DELETES", value_name = "N")]
    pub max_deletes: Option<usize>,
    /// Let prune delete what was adopted by its name alone.
    #[arg(long, env = "STOKER_PRUNE_ADOPTED", value_parser = BoolishValueParser::new(), value_name = "TRUTH",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub prune_adopted: Option<bool>,
    /// Write fields that the platform does not show and whose last value is not known.
    #[arg(long, env = "STOKER_WRITE_UNVERIFIABLE",
          value_parser = BoolishValueParser::new(), value_name = "TRUTH",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub write_unverifiable: Option<bool>,
    /// Look only at this resource and what it depends on; may be repeated; turns prune off.
    #[arg(long, env = "STOKER_TARGET", value_name = "KIND/NAME", value_delimiter = ',')]
    pub target: Vec<Key>,
    /// Leave this resource out; may be repeated; turns prune off.
    #[arg(long, env = "STOKER_EXCLUDE", value_name = "KIND/NAME", value_delimiter = ',')]
    pub exclude: Vec<Key>,
    /// Approve that this very service is deleted and created again; may be repeated.
    #[arg(long, value_name = "KIND/NAME=ID")]
    pub replace: Vec<Approved>,
    /// How long an unanswered create may still be under way [default: 180s].
    #[arg(long, env = "STOKER_SETTLE", value_name = "DURATION")]
    pub settle: Option<Span>,
}

/// Whether a run waits for deployments.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Waiting {
    /// Wait for the deployments to finish; a failed one is a failed run.
    #[arg(long, env = "STOKER_WAIT", overrides_with = "no_wait",
          value_parser = BoolishValueParser::new(), value_name = "TRUTH",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub wait: Option<bool>,
    /// Do not wait, whatever the settings file says.
    #[arg(long, overrides_with = "wait")]
    pub no_wait: bool,
}

/// Whether a run asks.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Approval {
    /// Do not ask.
    #[arg(short = 'y', long, env = "STOKER_AUTO_APPROVE",
          value_parser = BoolishValueParser::new(), value_name = "TRUTH",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub auto_approve: Option<bool>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what would change, what it costs and what restarts; writes nothing.
    Plan(PlanCommand),
    /// Plan, ask, and carry out; or carry out a saved plan as it was reviewed.
    Apply(ApplyCommand),
    /// Show only what moved on the platform; cannot write.
    Drift(DriftCommand),
    /// Check the manifests: no token, no network.
    Validate(Sources),
    /// Print the manifests fully resolved, as native documents.
    Render(Sources),
    /// Print a Blueprint as native documents.
    Convert(Sources),
    /// Print the JSON Schema of native documents, for editors.
    Schema,
    /// Print live state as manifests; planning them gives no changes.
    Export(ExportCommand),
    /// Begin ownership of what lives; nothing is written to the platform.
    Adopt(OwnershipCommand),
    /// End ownership; nothing is written to the platform.
    Release(OwnershipCommand),
    /// List resources, live and ours.
    Get(GetCommand),
    /// Show everything about one resource.
    Describe(OneCommand),
    /// Deploy a service now.
    Deploy(DeployCommand),
    /// List the deployments of a service.
    Deployments(DeploymentsCommand),
    /// Go back to the previous deployment of a service.
    Rollback(RollbackCommand),
    /// Show the log of a service.
    Logs(LogsCommand),
    /// Show the metrics of a service.
    Metrics(OneCommand),
    /// Wait until a resource is in a condition.
    Wait(WaitCommand),
    /// Delete what is owned; asks for the project's name.
    Destroy(DestroyCommand),
    /// Check token, project, scopes, clock, dialect, budget and state directory.
    Doctor(DoctorCommand),
    /// Serve the API emulator on a local port.
    Sandbox(SandboxCommand),
    /// Let days pass for the manifests before the emulator, under trouble; shows which laws held.
    Simulate(super::simulate::SimulateCommand),
    /// Print a completion script.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, as roff.
    Man,
    /// Print the version.
    Version,
}

/// `stoker plan`.
#[derive(Args, Debug)]
pub struct PlanCommand {
    #[command(flatten)]
    pub sources: Sources,
    /// Save the plan, for `stoker apply FILE`.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// End with 2 when changes are pending.
    #[arg(long)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    pub planning: Planning,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker apply`.
#[derive(Args, Debug)]
pub struct ApplyCommand {
    /// Files and directories, `-` for stdin; or a saved plan, then the manifests it was made of.
    #[arg(value_name = "PATH|PLAN.json")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub approval: Approval,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub planning: Planning,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker drift`.
#[derive(Args, Debug)]
pub struct DriftCommand {
    #[command(flatten)]
    pub sources: Sources,
    /// End with 2 when something drifted.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Look only at this resource and what it depends on; may be repeated.
    #[arg(long, value_name = "KIND/NAME", value_delimiter = ',')]
    pub target: Vec<Key>,
    /// Leave this resource out; may be repeated.
    #[arg(long, value_name = "KIND/NAME", value_delimiter = ',')]
    pub exclude: Vec<Key>,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker export`.
#[derive(Args, Debug)]
pub struct ExportCommand {
    /// What to export: KIND or KIND/NAME; everything without one.
    #[arg(value_name = "KIND[/NAME]")]
    pub selectors: Vec<Selector>,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker adopt` and `stoker release`.
#[derive(Args, Debug)]
pub struct OwnershipCommand {
    /// The resources.
    #[arg(value_name = "KIND/NAME", required = true)]
    pub keys: Vec<Key>,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker get`.
#[derive(Args, Debug)]
pub struct GetCommand {
    /// What to list: KIND or KIND/NAME; everything without one.
    #[arg(value_name = "KIND[/NAME]")]
    pub selectors: Vec<Selector>,
    #[command(flatten)]
    pub connection: Connection,
}

/// A command about one resource.
#[derive(Args, Debug)]
pub struct OneCommand {
    /// The resource.
    #[arg(value_name = "KIND/NAME")]
    pub key: Key,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker deploy`.
#[derive(Args, Debug)]
pub struct DeployCommand {
    /// The service, as service/NAME.
    #[arg(value_name = "service/NAME")]
    pub key: Key,
    /// The branch to deploy, instead of the service's own.
    #[arg(long)]
    pub branch: Option<String>,
    /// Build without the cache.
    #[arg(long)]
    pub clear_cache: bool,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker deployments`.
#[derive(Args, Debug)]
pub struct DeploymentsCommand {
    /// The service, as service/NAME.
    #[arg(value_name = "service/NAME")]
    pub key: Key,
    /// One deployment, with its log.
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker rollback`.
#[derive(Args, Debug)]
pub struct RollbackCommand {
    /// The service, as service/NAME.
    #[arg(value_name = "service/NAME")]
    pub key: Key,
    #[command(flatten)]
    pub approval: Approval,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker logs`.
#[derive(Args, Debug)]
pub struct LogsCommand {
    /// The service, as service/NAME.
    #[arg(value_name = "service/NAME")]
    pub key: Key,
    /// Go on until interrupted, and connect again when the stream breaks.
    #[arg(short, long)]
    pub follow: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker wait`.
#[derive(Args, Debug)]
pub struct WaitCommand {
    /// The resource.
    #[arg(value_name = "KIND/NAME")]
    pub key: Key,
    /// condition=Ready, or delete.
    #[arg(long = "for", value_name = "CONDITION", default_value = "condition=Ready")]
    pub condition: super::values::Awaited,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker destroy`.
#[derive(Args, Debug)]
pub struct DestroyCommand {
    /// Delete only this resource; may be repeated.
    #[arg(long, value_name = "KIND/NAME", value_delimiter = ',')]
    pub target: Vec<Key>,
    /// Confirm with the project's name, instead of being asked for it.
    #[arg(long, value_name = "PROJECT")]
    pub confirm: Option<String>,
    /// Let go what was adopted by its name alone, too.
    #[arg(long)]
    pub prune_adopted: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker doctor`.
#[derive(Args, Debug)]
pub struct DoctorCommand {
    /// Create a throwaway service, learn from it how the platform behaves, and delete it.
    #[arg(long)]
    pub probe: bool,
    #[command(flatten)]
    pub approval: Approval,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker sandbox`.
#[derive(Args, Debug)]
pub struct SandboxCommand {
    /// The address to listen on; loopback only.
    #[arg(long, env = "STOKER_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8300")]
    pub listen: std::net::SocketAddr,
    /// Faults to inject, for example `seed=7,rate=0.05` (docs/sandbox.md).
    #[arg(long, value_name = "FAULTS")]
    pub faults: Option<String>,
    /// Forget the state of earlier runs.
    #[arg(long)]
    pub fresh: bool,
}

/// The kinds a selector names.
impl Selector {
    /// Whether a resource is selected by any of these; by an empty list, always.
    pub fn any(selectors: &[Self], kind: Kind, name: &str) -> bool {
        selectors.is_empty() || selectors.iter().any(|selector| selector.covers(kind, name))
    }
}
