//! Every way in which the real API may differ from what we assume, as one value.
//!
//! [`EmulatorConfig::default`] is the default dialect (A1–A17) and what the vendor documents of the
//! platform. A test that asks "what if the assumption is false?" changes one field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::choice::{
    DeploymentLogs, EnvPatch, Fields, Forms, Generation, GroupNaming, LimiterModel, LogEvents,
    Normalises, Permission, Rename, ResetForm, Resolver, RetryAfterForm, Secrets, Times,
    UnknownFields,
};
use super::quirk::Quirk;

/// The token of the default configuration, with every right.
pub const TOKEN: &str = "sb_live_emulator";

/// Chooses how the emulator behaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmulatorConfig {
    /// Where identifiers, commits and metrics come from.
    pub seed: u64,
    /// Which generation of the API answers.
    pub generation: Generation,
    /// What `GET /project` answers (F3, A12).
    pub project: ProjectConfig,
    /// What `GET /project/members` answers.
    pub members: Vec<TeamMember>,
    /// Who may come in, by token (F2).
    pub tokens: BTreeMap<String, Access>,
    /// How lists are cut into pages (A1).
    pub paging: Paging,
    /// What an item of a list shows (A3).
    pub list_fields: Shapes,
    /// What the details show (A3). Env groups have no details.
    pub detail_fields: Shapes,
    /// Wraps one object in its singular name (A2).
    pub wrapped: bool,
    /// What `env_vars` in a patch means (A5).
    pub env_patch: EnvPatch,
    /// A patch does not deploy by itself (A6 is false).
    pub deploy_after_patch: bool,
    /// A second thing with one name is refused with 409 (A8).
    pub names_unique: bool,
    /// What becomes of a name that is sent (A22).
    pub names: Naming,
    /// The API's words for the types of a service (A13).
    pub type_names: TypeNames,
    /// How a service names its env groups (A14).
    pub env_groups: GroupNaming,
    /// Who resolves a variable's reference to a database or service (A17).
    pub resolve_references: Resolver,
    /// How a secret looks in an answer.
    pub secrets: Secrets,
    /// How a thing goes (A7).
    pub deletion: DeletionMode,
    /// What `PATCH` does with `name`.
    pub rename: Rename,
    /// What the platform rewrites in what it is given.
    pub normalises: Normalises,
    /// What else it holds otherwise than it was sent.
    pub quirks: Vec<Quirk>,
    /// Whether the answer to a write shows what was sent, and only reads show what is held.
    pub echoes: bool,
    /// In which form lists and objects are written (A1, A2).
    pub forms: Forms,
    /// Whether a 404 carries no code, but a sentence alone (A25).
    pub plain_absence: bool,
    /// Whether it is built with a framework's ordinary means: where it has nothing to say the body is
    /// empty and its type `text/html`, and what goes wrong inside has the framework's form of an error.
    pub bare: bool,
    /// How a time of creation is kept and shown.
    pub times: Times,
    /// What is done with a field nobody knows.
    pub unknown_fields: UnknownFields,
    /// How many of each kind may exist.
    pub quotas: Quotas,
    /// Who is refused, and when (F8).
    pub limiter: LimiterModel,
    /// Requests a minute for a token (F8).
    pub limit: u32,
    /// What stands in front of the API and lets requests through in even steps, as nginx does with
    /// `limit_req`.
    pub ingress: Option<Ingress>,
    /// The unit of `X-RateLimit-Reset` (A9).
    pub reset: ResetForm,
    /// The unit of `Retry-After` (A9).
    pub retry_after: RetryAfterForm,
    /// How long things take.
    pub durations: Durations,
    /// What an event of the log stream holds (A10).
    pub log_events: LogEvents,
    /// What `logs` of a deployment is (A15).
    pub deployment_logs: DeploymentLogs,
}

impl Default for EmulatorConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            generation: Generation::First,
            project: ProjectConfig::default(),
            members: vec![TeamMember {
                name: "Ada".into(),
                email: "ada@example.com".into(),
                role: "Owner".into(),
            }],
            tokens: BTreeMap::from([(TOKEN.into(), Access::default())]),
            paging: Paging::default(),
            list_fields: Shapes { env_groups: Fields::All, ..Shapes::every(Fields::Summary) },
            detail_fields: Shapes::every(Fields::All),
            wrapped: false,
            env_patch: EnvPatch::Merge,
            deploy_after_patch: false,
            names_unique: true,
            names: Naming::Kept,
            type_names: TypeNames::default(),
            env_groups: GroupNaming::Id,
            resolve_references: Resolver::Platform,
            secrets: Secrets::Masked,
            deletion: DeletionMode::Immediate,
            rename: Rename::Honoured,
            normalises: Normalises::Types,
            quirks: Vec::new(),
            echoes: false,
            forms: Forms::Documented,
            plain_absence: false,
            bare: false,
            times: Times::Seconds,
            unknown_fields: UnknownFields::Ignore,
            quotas: Quotas::default(),
            limiter: LimiterModel::FixedWindow,
            limit: 300,
            ingress: None,
            reset: ResetForm::EpochSeconds,
            retry_after: RetryAfterForm::Seconds,
            durations: Durations::default(),
            log_events: LogEvents::Json,
            deployment_logs: DeploymentLogs::Lines,
        }
    }
}

/// A limiter in front of the API that knows nothing of its count, and tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ingress {
    /// The least time between two requests, in milliseconds.
    pub every_ms: u64,
    /// What it refuses with.
    pub status: u16,
}

/// The project a token selects (F3, A12).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProjectConfig {
    /// Without an id the name pins the project.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Where it runs, if the API says.
    pub region: Option<String>,
    /// What is paid for, if the API says.
    pub plan: Option<String>,
}

impl Default for ProjectConfig {
    fn default() -> Self {
        Self {
            id: Some("prj_emulator".into()),
            name: "emulator".into(),
            region: Some("eu-central".into()),
            plan: Some("team".into()),
        }
    }
}

/// Somebody of the team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeamMember {
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their role.
    pub role: String,
}

/// What one token may do (F2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Access {
    /// Who holds it: the record names this, never the token.
    pub holder: String,
    /// Services and their deployments, logs and metrics.
    pub services: Permission,
    /// Databases.
    pub databases: Permission,
    /// Env groups.
    pub env_groups: Permission,
    /// The project and its members.
    pub project: Permission,
    /// The Developer role may write but not delete.
    pub may_delete: bool,
    /// Whether it may read one service or database by its id, beside the lists.
    #[serde(default = "yes")]
    pub may_read_details: bool,
}

const fn yes() -> bool {
    true
}

impl Default for Access {
    fn default() -> Self {
        Self {
            holder: "agent".into(),
            services: Permission::ReadWrite,
            databases: Permission::ReadWrite,
            env_groups: Permission::ReadWrite,
            project: Permission::Read,
            may_delete: true,
            may_read_details: true,
        }
    }
}

/// How lists are cut into pages (A1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paging {
    /// Items of a page when nothing is asked for.
    pub size: u32,
    /// The most that `per_page` gets.
    pub size_max: u32,
    /// Whether `per_page` is obeyed at all.
    pub per_page: bool,
}

impl Default for Paging {
    fn default() -> Self {
        Self { size: 20, size_max: 100, per_page: true }
    }
}

/// How much is shown, for each kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shapes {
    /// Services.
    pub services: Fields,
    /// Databases.
    pub databases: Fields,
    /// Env groups.
    pub env_groups: Fields,
}

impl Shapes {
    /// Shows the same of each kind.
    pub fn every(fields: Fields) -> Self {
        Self { services: fields, databases: fields, env_groups: fields }
    }
}

/// The API's words for the types of a service (A13).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypeNames {
    /// Answers HTTP.
    pub web: String,
    /// Runs without a port.
    pub worker: String,
    /// Runs on a schedule.
    pub cron: String,
    /// Serves files.
    pub site: String,
}

impl TypeNames {
    /// Returns the words, in the order of A13.
    pub(crate) fn words(&self) -> [&str; 4] {
        let Self { web, worker, cron, site } = self;
        [web, worker, cron, site]
    }
}

impl Default for TypeNames {
    fn default() -> Self {
        Self {
            web: "web_service".into(),
            worker: "background_worker".into(),
            cron: "cron_job".into(),
            site: "static_site".into(),
        }
    }
}

/// How a thing goes (A7).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionMode {
    /// 204, and it is gone.
    Immediate,
    /// 202, and it shows `deleting` until it is gone.
    Gradual {
        /// How long that takes.
        gone_after_ms: u64,
    },
}

/// What becomes of a name that is sent (A22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// Nothing.
    Kept,
    /// A number comes after it that makes it unique: `web-1`, `web-2`.
    Numbered,
    /// It is shown in capitals.
    Capitals,
    /// It is cut to so many characters.
    Cut(usize),
}

/// How many of each kind may exist; `None` is any number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quotas {
    /// Services.
    pub services: Option<usize>,
    /// Databases.
    pub databases: Option<usize>,
    /// Env groups.
    pub env_groups: Option<usize>,
    /// The status of the refusal: 402 or 403.
    pub status: u16,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { services: None, databases: None, env_groups: None, status: 402 }
    }
}

/// How long things take, in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Durations {
    /// A deployment waits.
    pub queued_ms: u64,
    /// Then it is built.
    pub building_ms: u64,
    /// Then it is rolled out.
    pub deploying_ms: u64,
    /// A database is `creating`.
    pub database_ms: u64,
    /// The time between two events of a followed log.
    pub log_interval_ms: u64,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            queued_ms: 1_000,
            building_ms: 15_000,
            deploying_ms: 5_000,
            database_ms: 30_000,
            log_interval_ms: 1_000,
        }
    }
}
