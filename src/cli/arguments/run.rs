//! `stoker run` as typed, and `stoker config`, which shows what it would be told.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand, ValueEnum};

use crate::cli::size::Size;
use crate::cli::values::{OrOff, Span};

use super::{Connection, Planning, Sources};

/// `stoker run`.
#[derive(Args, Clone, Debug, Default)]
pub struct RunCommand {
    #[command(flatten)]
    pub sources: Sources,
    #[command(flatten)]
    pub repository: RepositoryFlags,
    #[command(flatten)]
    pub agent: AgentFlags,
    #[command(flatten)]
    pub planning: Planning,
    #[command(flatten)]
    pub connection: Connection,
}

/// The repository the manifests come from, instead of files.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Repository")]
pub struct RepositoryFlags {
    /// Take the manifests from this repository instead of from files.
    #[arg(long, env = "STOKER_REPO", value_name = "URL")]
    pub repo: Option<String>,
    /// Follow this branch [default: the repository's own].
    #[arg(long, env = "STOKER_BRANCH", value_name = "NAME", conflicts_with_all = ["tag", "commit"])]
    pub branch: Option<String>,
    /// Stay at this tag.
    #[arg(long, env = "STOKER_TAG", value_name = "NAME", conflicts_with = "commit")]
    pub tag: Option<String>,
    /// Stay at this commit.
    #[arg(long, env = "STOKER_COMMIT", value_name = "HASH")]
    pub commit: Option<String>,
    /// The directory or file in the repository that holds the manifests [default: manifests/,
    /// stackblaze.yaml or its root].
    #[arg(long, env = "STOKER_PATH", value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// Accept only commits signed by a key in this file of allowed signers, or in this directory of
    /// OpenPGP keys.
    #[arg(long, env = "STOKER_VERIFY", value_name = "PATH")]
    pub verify: Option<PathBuf>,
    /// What to do when the branch was rewritten: hold or follow [default: hold].
    #[arg(long, value_enum, env = "STOKER_REWRITES", value_name = "WORD")]
    pub rewrites: Option<RewritesWord>,
    /// How often to fetch from the repository, or off [default: 60s].
    #[arg(long, env = "STOKER_GIT_POLL", value_name = "DURATION")]
    pub git_poll: Option<OrOff<Span>>,
    /// How long git may make no progress before it is stopped; a slow transfer is not stopped
    /// [default: 1m].
    #[arg(long, env = "STOKER_GIT_SILENCE", value_name = "DURATION")]
    pub git_silence: Option<Span>,
    /// Where copies of repositories are kept, one directory per project [default: git in the state
    /// directory].
    #[arg(long, env = "STOKER_GIT_CACHE", value_name = "DIRECTORY")]
    pub git_cache: Option<PathBuf>,
    /// How large the copy of the repository may become [default: 4GB].
    #[arg(long, env = "STOKER_GIT_CACHE_MAX", value_name = "SIZE")]
    pub git_cache_max: Option<Size>,
    /// The variable that holds the repository's token, for HTTPS.
    #[arg(
        long,
        env = "STOKER_REPO_TOKEN_ENV",
        value_name = "NAME",
        conflicts_with = "repo_token_file"
    )]
    pub repo_token_env: Option<String>,
    /// The file that holds the repository's token, for HTTPS.
    #[arg(long, env = "STOKER_REPO_TOKEN_FILE", value_name = "FILE")]
    pub repo_token_file: Option<PathBuf>,
    /// The private key for the repository, for SSH [default: the account's own].
    #[arg(long, env = "STOKER_SSH_KEY", value_name = "FILE")]
    pub ssh_key: Option<PathBuf>,
    /// The known_hosts file for SSH [default: the account's own].
    #[arg(long, env = "STOKER_KNOWN_HOSTS", value_name = "FILE")]
    pub known_hosts: Option<PathBuf>,
}

/// What an agent does when a branch no longer holds the commit it was at.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum RewritesWord {
    /// Stay at the last good commit until a person decides.
    Hold,
    /// Follow the rewritten branch.
    Follow,
}

/// How the agent behaves.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Agent")]
pub struct AgentFlags {
    /// Check the platform at least this often [default: 5m].
    #[arg(long, env = "STOKER_INTERVAL", value_name = "DURATION")]
    pub interval: Option<Span>,
    /// How long files must be quiet before they are read [default: 300ms].
    #[arg(long, env = "STOKER_DEBOUNCE", value_name = "DURATION")]
    pub debounce: Option<Span>,
    /// Read the files this often, where the system does not report changes; or off [default: off].
    #[arg(long, env = "STOKER_POLL", value_name = "DURATION")]
    pub poll: Option<OrOff<Span>>,
    /// Check and report; never write.
    #[arg(long, env = "STOKER_OBSERVE", value_parser = BoolishValueParser::new(), value_name = "BOOL",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub observe: Option<bool>,
    /// Make one pass of each project, then exit.
    #[arg(long, env = "STOKER_ONCE", value_parser = BoolishValueParser::new(), value_name = "BOOL",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub once: Option<bool>,
    /// Where status, metrics and webhook are served, or off [default: 127.0.0.1:8400].
    #[arg(long, env = "STOKER_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<OrOff<SocketAddr>>,
    /// Roll back to the previous deployment when a deployment fails.
    #[arg(long, env = "STOKER_ROLLBACK_ON_FAILURE", value_parser = BoolishValueParser::new(),
          value_name = "BOOL", hide_possible_values = true, num_args = 0..=1,
          default_missing_value = "true", require_equals = true)]
    pub rollback_on_failure: Option<bool>,
    /// How many times one revision of a service is deployed before Stoker gives up on it [default:
    /// 3].
    #[arg(long, env = "STOKER_DEPLOYS_MAX", value_name = "N")]
    pub deploys_max: Option<u32>,
    /// The variable that holds the bearer token of the server.
    #[arg(
        long,
        env = "STOKER_AGENT_TOKEN_ENV",
        value_name = "NAME",
        conflicts_with = "agent_token_file"
    )]
    pub agent_token_env: Option<String>,
    /// The file that holds the bearer token of the server.
    #[arg(long, env = "STOKER_AGENT_TOKEN_FILE", value_name = "FILE")]
    pub agent_token_file: Option<PathBuf>,
}

/// `stoker config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting of the agent, its value, and where it comes from.
    View(Box<RunCommand>),
    /// Print the JSON Schema of stoker.yaml, for editors.
    Schema,
}
