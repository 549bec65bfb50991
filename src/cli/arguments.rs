//! The command line as typed. What a flag means is said here once; what it becomes, in `settings`.
//!
//! The commands stand here; their flags stand in one file for each group of commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::values::Span;

mod agent;
mod connection;
mod ownership;
mod planning;
mod platform;
mod run;
mod secrets;
mod simulate;
mod state;

pub use agent::{
    AgentFlags, DescribeCommand, EventsCommand, GetCommand, PinCommand, ReconcileCommand,
    SteeringCommand, SuspendCommand, WaitCommand, WhyCommand,
};
pub use connection::Connection;
pub use ownership::{AdoptCommand, DestroyCommand, ExportCommand, ReleaseCommand};
pub use planning::{
    ApplyCommand, Approval, Chosen, DriftCommand, ExplainCommand, ImportCommand, PlanCommand,
    Planning, RenderCommand, SchemaCommand, Sources, ValidateCommand, Waiting,
};
pub use platform::{
    DeployCommand, DeploymentsCommand, DoctorCommand, LogsCommand, OneCommand, RollbackCommand,
    SandboxCommand,
};
pub use run::{ConfigCommand, RewritesWord, RunCommand};
pub use secrets::{RotateCommand, SecretsCommand};
pub use simulate::SimulateCommand;
pub use state::{BackupCommand, PushCommand, StateCommand, StateFlags};

/// GitOps for the StackBlaze PaaS: declarative YAML in, changes out, within a request budget.
#[derive(Debug, Parser)]
#[command(name = "stoker", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 changes pending, 3 permission, 4 in part, \
    5 refused, 6 over budget, 7 stale plan, 64 usage, 65 manifests invalid, 130 interrupted, \
    143 terminated."
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
    pub output: Option<OutputFormat>,
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
    /// Where inventory, keys and budget are kept, of one project: a directory, or
    /// etcd://HOST,HOST,HOST/PREFIX for many machines.
    #[arg(long, global = true, env = "STOKER_STATE", value_name = "PLACE")]
    pub state: Option<PathBuf>,
    /// How long to wait for another command that writes the same state [default: not at all].
    #[arg(long, global = true, env = "STOKER_LOCK_TIMEOUT", value_name = "DURATION")]
    pub lock_timeout: Option<Span>,
    /// The project, by its name in `projects` of `stoker.yaml`; for a running agent, one that it
    /// manages.
    #[arg(long, global = true, env = "STOKER_PROJECT", value_name = "NAME")]
    pub project: Option<String>,
}

/// The forms of output.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
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
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize, schemars::JsonSchema,
)]
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
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum LogForm {
    /// For people.
    Text,
    /// One JSON document a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what would change, what it costs and what restarts; writes nothing.
    Plan(PlanCommand),
    /// Plan, ask, and apply; or apply a saved plan as it was reviewed.
    Apply(ApplyCommand),
    /// Run the agent: keep the platform as committed, continuously.
    #[command(visible_alias = "daemon")]
    Run(Box<RunCommand>),
    /// Show only what drifted on the platform; cannot write.
    Drift(DriftCommand),
    /// Check the manifests: no token, no network.
    Validate(ValidateCommand),
    /// Print the manifests fully resolved, as native documents.
    Render(RenderCommand),
    /// Print a Blueprint as native documents.
    Convert(Sources),
    /// Print a JSON Schema: of native documents, for editors, or of a form of output (`--of`).
    Schema(SchemaCommand),
    /// Explain a kind or a field of a manifest.
    Explain(ExplainCommand),
    /// Convert files of Docker Compose, Heroku or Render to native documents, and list what cannot be
    /// carried over. To take over live resources, use `export` or `adopt`.
    Import(ImportCommand),
    /// Print live state as manifests; planning them changes nothing.
    Export(ExportCommand),
    /// Take ownership of existing resources; nothing is written to the platform.
    Adopt(AdoptCommand),
    /// Give up ownership of resources; nothing is written to the platform.
    Release(ReleaseCommand),
    /// List resources: as a running agent knows them, else from the platform and the state.
    Get(GetCommand),
    /// Show everything about one resource.
    Describe(DescribeCommand),
    /// Show what happened, as a running agent remembers it.
    Events(EventsCommand),
    /// Show where each field of a resource comes from, and why one is not written.
    Why(WhyCommand),
    /// List every secret by name: where it comes from, when it last changed, who uses it, and what is
    /// missing. Never shows a value, and sends no request.
    Secrets(SecretsCommand),
    /// Order new values for generated variables; the next apply or the agent writes them.
    Rotate(RotateCommand),
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
    /// Make a running agent check now.
    Reconcile(ReconcileCommand),
    /// Stop a running agent from writing for a while; it still checks and reports.
    Suspend(SuspendCommand),
    /// Let a suspended agent write again.
    Resume(SteeringCommand),
    /// Hold a running agent at a commit.
    Pin(PinCommand),
    /// Let a pinned agent follow its branch again.
    Unpin(SteeringCommand),
    /// Delete what is owned; asks for the project's name.
    Destroy(DestroyCommand),
    /// Check token, project, scopes, clock, dialect, budget and state directory.
    Doctor(DoctorCommand),
    /// Serve the API emulator on a local port.
    Sandbox(SandboxCommand),
    /// Show the settings of the agent and where each comes from; print their schema.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Show, verify or copy the state.
    #[command(subcommand)]
    State(StateCommand),
    /// Simulate days of the manifests against the emulator, under faults; shows which laws held.
    Simulate(SimulateCommand),
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
