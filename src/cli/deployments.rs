//! `stoker deployments`: what a service deployed, or one deployment with its log.

use jiff::Timestamp;
use serde_json::{Value, json};

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
            print_all(context, &deployments, session.clock.now());
        }
    }
    Ok(Exit::Done)
}

fn print_one(context: &Context, deployment: &Deployment) {
    if !matches!(context.output.form(), OutputFormat::Text | OutputFormat::Markdown) {
        let mut value = as_json(deployment);
        value["logs"] = json!(deployment.logs);
        context.output.value(&value);
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
            deployments.iter().for_each(|one| context.output.value(&as_json(one)))
        }
        OutputFormat::Json | OutputFormat::Yaml => {
            let all: Vec<Value> = deployments.iter().map(as_json).collect();
            context.output.value(&json!({ "deployments": all }));
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

/// Returns a deployment as JSON, without its log.
pub fn as_json(deployment: &Deployment) -> Value {
    let Deployment { id, status, branch, commit, created_at, finished_at, logs: _ } = deployment;
    json!({
        "id": id, "status": status, "branch": branch, "commit": commit,
        "createdAt": created_at, "finishedAt": finished_at,
    })
}

/// Returns the beginning of a commit's hash, as git shows it; another text as it is.
pub fn short(commit: &str) -> &str {
    let is_hash = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { &commit[..9] } else { commit }
}
