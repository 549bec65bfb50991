//! `stoker describe`: everything about one resource — what lives, by what right it is ours, what
//! was last written, what it deployed. No secret is shown (S9).
//!
//! Where an agent runs it is asked, and the platform is not.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::api::{Deployment, Lookup};
use crate::clock::Clock;
use crate::model::{
    Claim, Entry, EnvKey, FieldPath, Intent, Inventory, Key, Kind, LiveObject, LiveValue,
    Remembered, RemoteId,
};
use crate::render::json::JsonTime;

use super::arguments::{DescribeCommand, OutputFormat};
use super::code::ErrorCode;
use super::context::Context;
use super::deployments::{self, DeploymentRow};
use super::exit::Exit;
use super::facts::{self, Facts};
use super::failure::Failure;
use super::find;
use super::get::claim_word;
use super::remote;
use super::session::{Purpose, Session};

/// How many deployments are shown; `stoker deployments` shows them all.
const DEPLOYMENTS_MAX: usize = 5;

/// All that is known of one resource.
struct Known {
    key: Key,
    live: LiveObject,
    entry: Option<Entry>,
    intent: Option<Intent>,
    deployments: Vec<Deployment>,
}

/// Reads and prints.
pub async fn run(context: &Context, command: &DescribeCommand) -> Result<Exit, Failure> {
    let DescribeCommand { key, live, agent: flags, connection } = command;
    if !*live && let Some(seen) = remote::look(context, flags, connection).await? {
        return remote::describe(context, &seen, key, Clock::system().now()).await;
    }
    let session = Session::open_urgent(context, connection, Purpose::Read)?;
    let inventory = session.inventory(context)?;
    let known = read(context, &session, key, inventory).await?;
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => {
            context.output.data(&as_facts(&known).into_paper());
            if !known.deployments.is_empty() {
                context
                    .output
                    .data(&deployments::table(&known.deployments, session.project.clock.now()));
            }
        }
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            context.output.document(&document(known))
        }
    }
    Ok(Exit::Done)
}

async fn read(
    context: &Context,
    session: &Session,
    key: &Key,
    inventory: Arc<Inventory>,
) -> Result<Known, Failure> {
    let reader = &session.reader;
    if key.kind == Kind::Service {
        // Services name their env groups by id; listing them first gives the names.
        reader.list(Kind::EnvGroup).await?;
    }
    let mut live = find::to_read(context, reader, key).await?;
    if key.kind != Kind::EnvGroup {
        match reader.get(key.kind, &live.id).await? {
            Lookup::Found(details) => live = *details,
            Lookup::Gone => {
                return Err(Failure::new(ErrorCode::NotFound, format!("{key} was just deleted")));
            }
        }
    }
    let mut deployments = match key.kind {
        Kind::Service => reader.deployments(&live.id).await?,
        Kind::Database | Kind::EnvGroup => Vec::new(),
    };
    deployments.truncate(DEPLOYMENTS_MAX);
    // By id and not by name: another thing of the same name is not ours.
    let entry = inventory.entries.get(key).cloned().filter(|entry| entry.id == live.id);
    let intent = inventory.intents.get(key).cloned();
    Ok(Known { key: key.clone(), live, entry, intent, deployments })
}

fn as_facts(known: &Known) -> Facts {
    let Known { key, live, entry, intent, deployments } = known;
    let mut facts = Facts::default();
    facts.heading(&key.to_string());
    facts.fact("id", Some(live.id.as_str()));
    facts.fact("status", live.status.clone());
    facts.fact("url", live.url.clone());
    facts.fact("replicas", live.replicas.map(|count| count.to_string()));
    facts.fact("created", live.created_at.clone());
    let runs = deployments.iter().find(|deployment| deployment.has_succeeded());
    facts.fact("runs", runs.and_then(running));
    facts.heading("ownership");
    match entry {
        None => facts.line(format!("not ours; `stoker adopt {key}` takes it over")),
        Some(entry) => add_ownership(&mut facts, entry),
    }
    if let Some(Intent { started_at, attempt, .. }) = intent {
        let text = format!("since {started_at:.0}, sent {attempt} times; outcome unknown");
        facts.fact("pending create", Some(text));
    }
    facts.heading("live");
    for (path, value) in &live.fields {
        let value = told(entry.as_ref(), path, value);
        facts.fact(&path.to_string(), Some(facts::live_value(path, value)));
    }
    if let Some(entry) = entry.as_ref().filter(|entry| !entry.applied.is_empty()) {
        facts.heading("last applied");
        for (path, applied) in &entry.applied {
            facts.fact(&path.to_string(), Some(facts::applied_value(path, applied)));
        }
    }
    if !deployments.is_empty() {
        facts.heading("deployments");
    }
    facts
}

/// Says what runs. Of an image there is no commit.
fn running(deployment: &Deployment) -> Option<String> {
    let commit = deployment.commit.as_deref()?;
    Some(format!("commit {}, by {}", deployments::short(commit), deployment.id))
}

/// Returns what is told of a live value: nothing where nobody knows whether it is a secret, because
/// a person set it on something that is ours (S9).
fn told<'v>(entry: Option<&Entry>, path: &FieldPath, value: &'v LiveValue) -> &'v LiveValue {
    if entry.is_none_or(|entry| entry.may_show(path)) { value } else { &LiveValue::Hidden }
}

fn add_ownership(facts: &mut Facts, entry: &Entry) {
    let Entry { claim, remembered, tolerated_env, rewrites, depends_on, .. } = entry;
    facts.fact("owned", Some(claim_word(*claim)));
    let prune = remembered.prune.map(|may| if may { "allowed" } else { "forbidden" });
    facts.fact("prune", prune);
    facts.fact("protect", remembered.protect.then_some("yes"));
    facts.fact("delete", remembered.delete_withheld.then_some("withheld by managementPolicies"));
    let tolerated: Vec<&str> = tolerated_env.iter().map(|key| key.as_str()).collect();
    facts.fact("tolerated env", (!tolerated.is_empty()).then(|| tolerated.join(", ")));
    let refers: Vec<String> = depends_on.iter().map(ToString::to_string).collect();
    facts.fact("refers to", (!refers.is_empty()).then(|| refers.join(", ")));
    for (path, rewrite) in rewrites {
        let read = match rewrite.agreed_since {
            Some(since) => format!("read as declared since {since:.0}"),
            None => "not read as declared since".to_owned(),
        };
        facts.fact("unsettled", Some(format!("{path} was repaired ({}), {read}", rewrite.count)));
    }
}

/// All that is known of one resource, as the platform tells it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "LiveResource")]
pub struct LiveDocument {
    /// The resource.
    key: Key,
    /// The platform's id.
    id: RemoteId,
    /// The platform's own word for how it does.
    status: Option<String>,
    /// By what right it is ours: `created`, `adopted`, `named` or `presumed`; `null` for what is not.
    owned: Option<&'static str>,
    /// Where it is served.
    url: Option<String>,
    /// How many instances run, where that is shown.
    replicas: Option<u32>,
    /// When it was created, as the platform writes it.
    created_at: Option<String>,
    /// What lives, by path; `(hidden)`, `(none)` or `[REDACTED]` stands for what may not be shown.
    fields: Map<String, Value>,
    /// What is remembered of it; `null` for what is not ours.
    ownership: Option<OwnershipFacts>,
    /// A create that was begun and whose outcome is unknown.
    pending_create: Option<PendingCreate>,
    /// The newest deployments of a service, five at most.
    deployments: Vec<DeploymentRow>,
}

/// What is remembered of a resource that is ours.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Ownership")]
struct OwnershipFacts {
    /// By what right it is ours.
    claim: Claim,
    /// What its manifest said of deletion.
    remembered: Remembered,
    /// Variables that it had before it was ours, and that no manifest declares.
    tolerated_env: BTreeSet<EnvKey>,
    /// What it refers to.
    depends_on: BTreeSet<Key>,
    /// What was last written, by path; secrets are not shown.
    last_applied: Map<String, Value>,
}

/// A create that was begun.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PendingCreate {
    /// When it was about to leave.
    #[schemars(with = "JsonTime")]
    started_at: Timestamp,
    /// How many times it was sent.
    attempt: u32,
}

fn document(known: Known) -> LiveDocument {
    let Known { key, live, entry, intent, deployments } = known;
    let show = |(path, value): (&FieldPath, &LiveValue)| {
        (path.to_string(), facts::live_json(path, told(entry.as_ref(), path, value)))
    };
    let fields = live.fields.iter().map(show).collect();
    let owned = entry.as_ref().map(|entry| claim_word(entry.claim));
    let ownership = entry.map(|entry| {
        let Entry { claim, remembered, applied, tolerated_env, depends_on, .. } = entry;
        let applied = applied.iter();
        let last_applied = applied
            .map(|(path, value)| (path.to_string(), facts::applied_json(path, value)))
            .collect();
        OwnershipFacts { claim, remembered, tolerated_env, depends_on, last_applied }
    });
    LiveDocument {
        key,
        id: live.id,
        status: live.status,
        owned,
        url: live.url,
        replicas: live.replicas,
        created_at: live.created_at,
        fields,
        ownership,
        pending_create: intent
            .map(|intent| PendingCreate { started_at: intent.started_at, attempt: intent.attempt }),
        deployments: deployments.iter().map(DeploymentRow::from).collect(),
    }
}
