//! `stoker deployments`: what a service deployed, or one deployment with its log.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Deployment;
use crate::model::RemoteId;
use crate::render::{Paper, Style, Table};

use super::arguments::{DeploymentsCommand, OutputFormat};
use super::context::Context;
use super::exit::Exit;
use super::facts::{self, Facts};
use super::failure::Failure;
use super::find;
use super::session::{Purpose, Session};

/// The deployments of a service.
#[derive(Serialize, JsonSchema)]
pub struct DeploymentsDocument {
    /// As the platform lists them, newest first.
    deployments: Vec<DeploymentRow>,
}

/// One deployment, with its log.
#[derive(Serialize, JsonSchema)]
pub struct DeploymentDocument {
    #[serde(flatten)]
    deployment: DeploymentRow,
    /// Its log, line by line. Foreign text.
    logs: Vec<String>,
}

/// One deployment. All but the id is as the platform writes it, and `null` where it does not.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Deployment")]
pub struct DeploymentRow {
    /// Its id.
    id: RemoteId,
    /// Its status; an open set of words.
    status: Option<String>,
    /// The branch deployed.
    branch: Option<String>,
    /// The commit deployed.
    commit: Option<String>,
    /// When it began.
    created_at: Option<String>,
    /// When it ended.
    finished_at: Option<String>,
}

impl From<&Deployment> for DeploymentRow {
    fn from(deployment: &Deployment) -> Self {
        let Deployment { id, status, branch, commit, created_at, finished_at, logs: _ } =
            deployment.clone();
        Self { id, status, branch, commit, created_at, finished_at }
    }
}

/// Lists deployments, or shows one.
pub async fn run(context: &Context, command: &DeploymentsCommand) -> Result<Exit, Failure> {
    let DeploymentsCommand { key, id, connection } = command;
    find::service(key, "deployments")?;
    let wanted = id.as_deref().map(RemoteId::new).transpose();
    let wanted = wanted.map_err(|error| Failure::usage(error.to_string()))?;
    let session = Session::open_urgent(context, connection, Purpose::Read)?;
    let service = find::to_read(context, &session.reader, key).await?;
    match wanted {
        Some(wanted) => {
            let deployment = session.reader.deployment(&service.id, &wanted).await?;
            print_one(context, &deployment);
        }
        None => {
            let deployments = session.reader.deployments(&service.id).await?;
            print_all(context, &deployments, session.project.clock.now());
        }
    }
    Ok(Exit::Done)
}

fn print_one(context: &Context, deployment: &Deployment) {
    if !matches!(context.output.form(), OutputFormat::Text | OutputFormat::Markdown) {
        let logs = deployment.logs.clone();
        context.output.document(&DeploymentDocument { deployment: deployment.into(), logs });
        return;
    }
    let Deployment { id, status, branch, commit, created_at, finished_at, logs } = deployment;
    let mut facts = Facts::default();
    facts.heading(&format!("deployment {id}"));
    facts.fact("status", status.clone());
    facts.fact("branch", branch.clone());
    facts.fact("commit", commit.clone());
    facts.fact("began", created_at.clone());
    facts.fact("ended", finished_at.clone());
    facts.fact("took", facts::took(created_at.as_deref(), finished_at.as_deref()));
    facts.heading("log");
    if logs.is_empty() {
        facts.line("(empty)");
    }
    for line in logs {
        facts.line(line);
    }
    context.output.data(&facts.into_paper());
}

fn print_all(context: &Context, deployments: &[Deployment], now: Timestamp) {
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown if deployments.is_empty() => {
            context.output.note("There are no deployments.");
        }
        OutputFormat::Text | OutputFormat::Markdown => {
            context.output.data(&table(deployments, now))
        }
        OutputFormat::Ndjson => {
            deployments.iter().for_each(|one| context.output.value(&DeploymentRow::from(one)))
        }
        OutputFormat::Json | OutputFormat::Yaml => {
            let deployments = deployments.iter().map(DeploymentRow::from).collect();
            context.output.document(&DeploymentsDocument { deployments });
        }
    }
}

/// Returns deployments as a table, in their order.
pub fn table(deployments: &[Deployment], now: Timestamp) -> Paper {
    let mut table = Table::new(&["ID", "STATUS", "BRANCH", "COMMIT", "AGE", "TOOK"]);
    for deployment in deployments {
        let Deployment { id, status, branch, commit, created_at, finished_at, logs: _ } =
            deployment;
        table.row(vec![
            (Style::Plain, id.to_string()),
            facts::status_cell(status.as_deref()),
            facts::cell(branch.as_deref()),
            facts::cell(commit.as_deref().map(short)),
            (Style::Plain, facts::age(created_at.as_deref(), now)),
            facts::cell(facts::took(created_at.as_deref(), finished_at.as_deref()).as_deref()),
        ]);
    }
    table.into()
}

/// Returns the beginning of a commit's hash, as git shows it; another text as it is.
pub fn short(commit: &str) -> &str {
    let is_hash = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { &commit[..9] } else { commit }
}
