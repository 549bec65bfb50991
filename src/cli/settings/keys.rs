//! The keys of `stoker.yaml`, with the words an editor shows for them.
//!
//! One list for the whole file and for each of its `projects`: what stands at the top is the
//! default of every project. Which keys belong to one level only is said in [`KeyScope`].

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::AdoptMode;

use super::super::arguments::{LogForm, OutputWord, RewritesWord, When};
use super::super::size::Size;
use super::super::values::{OrOff, PruneKinds, Rate, Span};
use super::allowed::SecretsForm;
use super::forms::{ScalarValue, WebhookForm, WindowForm};
use super::policies::PolicyForm;
use super::schema;
use super::sinks::NotificationForm;

/// The keys of one level of the file. Each has a flag and a variable of the same name, unless
/// docs/settings.md says otherwise.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Keys {
    /// The form of what is printed on stdout.
    pub output: Option<OutputWord>,
    /// When to use colour.
    pub color: Option<When>,
    /// The form of the log on stderr.
    pub log_format: Option<LogForm>,
    /// How long one run may take, for example `10m`; longer ends it with exit code 6.
    #[schemars(schema_with = "schema::duration")]
    pub timeout: Option<Span>,
    /// The requests one run may send in all; more ends it with exit code 6.
    pub max_calls: Option<u32>,
    /// Whether `apply` and others wait for deployments.
    pub wait: Option<bool>,
    /// Whether commands go on without asking.
    pub auto_approve: Option<bool>,
    /// Whether the agent makes one pass of each project and ends.
    pub once: Option<bool>,
    /// Where the agent serves status, metrics and webhook, for example `127.0.0.1:8400`; or `off`.
    #[schemars(with = "Option<String>")]
    pub listen: Option<OrOff<SocketAddr>>,
    /// The variable that holds the bearer token of the agent's server.
    pub agent_token_env: Option<String>,
    /// The file that holds the bearer token of the agent's server.
    pub agent_token_file: Option<PathBuf>,

    /// What the project is called: a lower-case DNS label, unique in the file.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"))]
    pub name: Option<String>,
    /// The variable that holds the project's API token.
    pub token_env: Option<String>,
    /// The file that holds the project's API token.
    pub token_file: Option<PathBuf>,

    /// Where inventory, keys and budget are kept, of one project: a directory, or
    /// etcd://HOST,HOST,HOST/PREFIX for many machines.
    pub state: Option<PathBuf>,
    /// Whether the embedded emulator answers instead of the platform.
    pub sandbox: Option<bool>,
    /// The API's address.
    pub api_url: Option<String>,
    /// A certificate authority to trust in addition to the system's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// Assumptions about the platform, as listed in docs/assumptions.md.
    pub dialect: BTreeMap<String, ScalarValue>,
    /// The requests to send in any minute, at most: `285/m`.
    #[schemars(schema_with = "schema::rate")]
    pub rate: Option<Rate>,
    /// The requests of each minute that background work leaves to others: `90/m`.
    #[schemars(schema_with = "schema::rate")]
    pub reserve: Option<Rate>,

    /// What may be deleted because it is no longer declared: a boolean, or a list of kinds.
    #[schemars(schema_with = "schema::prune")]
    pub prune: Option<PruneKinds>,
    /// When what lives already is taken over.
    #[schemars(schema_with = "schema::adopt")]
    pub adopt: Option<AdoptMode>,
    /// Lifts the fuse on deletes to this many.
    pub max_deletes: Option<usize>,
    /// Whether prune may delete what was adopted by its name alone.
    pub prune_adopted: Option<bool>,
    /// Whether fields that cannot be compared are written anyway.
    pub write_unverifiable: Option<bool>,
    /// The rules that every plan must keep. Those of all files count, and an entry of `projects` adds
    /// its own.
    pub policies: Option<Vec<PolicyForm>>,
    /// How long an unanswered create may still be under way: `180s`.
    #[schemars(schema_with = "schema::duration")]
    pub settle: Option<Span>,

    /// The files and directories that hold the manifests.
    pub paths: Option<Vec<PathBuf>>,
    /// The environment that is read of Blueprints with several: a name, or `PROJECT/NAME`.
    pub environment: Option<String>,
    /// The files and directories that are laid over the manifests, in order; of a repository, paths
    /// in it.
    pub overlays: Option<Vec<PathBuf>>,
    /// What stands in native manifests for `${NAME}`; shown everywhere, so never a secret.
    pub vars: BTreeMap<String, ScalarValue>,
    /// A file of more variables: a mapping of names and values.
    pub vars_file: Option<PathBuf>,
    /// What manifests may name outside their tree: directories, programs.
    pub secrets: Option<SecretsForm>,
    /// The repository the manifests come from, instead of files.
    pub repo: Option<String>,
    /// The branch to follow.
    pub branch: Option<String>,
    /// The tag to stay at.
    pub tag: Option<String>,
    /// The commit to stay at.
    pub commit: Option<String>,
    /// The directory in the repository that holds the manifests.
    pub path: Option<PathBuf>,
    /// A file of allowed signers, or a directory of OpenPGP keys: only commits signed by one of
    /// them are taken.
    pub verify: Option<PathBuf>,
    /// What to do when the branch was rewritten.
    pub rewrites: Option<RewritesWord>,
    /// How often to ask the repository for news: `60s`, or `off`.
    #[schemars(schema_with = "schema::duration_or_off")]
    pub git_poll: Option<OrOff<Span>>,
    /// How long git may say nothing before it is ended: `1m`.
    #[schemars(schema_with = "schema::duration")]
    pub git_silence: Option<Span>,
    /// Where the copy of the repository is kept, a directory for each project in it.
    pub git_cache: Option<PathBuf>,
    /// How large the copy of the repository may become: `4GB`.
    #[schemars(with = "Option<String>")]
    pub git_cache_max: Option<Size>,
    /// The variable that holds the repository's token, for HTTPS.
    pub repo_token_env: Option<String>,
    /// The file that holds the repository's token, for HTTPS.
    pub repo_token_file: Option<PathBuf>,
    /// The private key for the repository, for SSH; without it, the account's own.
    pub ssh_key: Option<PathBuf>,
    /// The hosts SSH may talk to, as in `known_hosts`; without it, the account's own.
    pub known_hosts: Option<PathBuf>,

    /// How often the platform is looked at, at least: `5m`.
    #[schemars(schema_with = "schema::duration")]
    pub interval: Option<Span>,
    /// How long files must be quiet before they are read: `300ms`.
    #[schemars(schema_with = "schema::duration")]
    pub debounce: Option<Span>,
    /// How often the files are read where the system tells of no changes: `5s`, or `off`.
    #[schemars(schema_with = "schema::duration_or_off")]
    pub poll: Option<OrOff<Span>>,
    /// Whether the agent only looks and reports, and never writes.
    pub observe: Option<bool>,
    /// When the agent may write.
    pub windows: Option<Vec<WindowForm>>,
    /// Whether the agent goes back to the deployment before when a deployment failed.
    pub rollback_on_failure: Option<bool>,
    /// How often one revision of a service is deployed before it is left alone.
    #[schemars(range(min = 1, max = 10))]
    pub deploys_max: Option<u32>,
    /// The webhook that tells the agent of news.
    pub webhook: Option<WebhookForm>,
    /// Who is told when the state of the project changes.
    pub notifications: Option<Vec<NotificationForm>>,
}

/// Where a key may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// At the top only: it is about the whole process.
    Process,
    /// In an entry of `projects` only: it says which project it is.
    Project,
    /// At both; an entry's own wins.
    Both,
}

/// About the whole process.
const PROCESS: [&str; 11] = [
    "output",
    "color",
    "logFormat",
    "timeout",
    "maxCalls",
    "wait",
    "autoApprove",
    "once",
    "listen",
    "agentTokenEnv",
    "agentTokenFile",
];

/// About which project it is.
const PROJECT: [&str; 3] = ["name", "tokenEnv", "tokenFile"];

impl KeyScope {
    /// Returns where a key may stand.
    #[must_use]
    pub fn of(key: &str) -> Self {
        if PROCESS.contains(&key) {
            Self::Process
        } else if PROJECT.contains(&key) {
            Self::Project
        } else {
            Self::Both
        }
    }
}
