//! `stoker get`: what lives and what of it is ours. Only the kinds asked for are listed.
//!
//! Where an agent runs it is asked, and the platform is not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::clock::Clock;
use crate::model::{
    Claim, Coverage, Entry, FieldPath, Inventory, Key, Kind, Listing, LiveObject, LiveValue,
    Setting, Unknown,
};
use crate::reconcile::check_pin;
use crate::render::{Line, Paper, Style, Table};
use crate::status::{ConditionReason, HealthStatus, ProjectStatus, SyncStatus, Truth};

use super::arguments::{Command, GetCommand, OutputFormat};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::facts;
use super::failure::Failure;
use super::find;
use super::labels::LabelSelector;
use super::projects;
use super::remote;
use super::session::{Purpose, Session};
use super::values::Selector;

/// Lists, prints, and says what could not be read.
///
/// An agent answers for all its projects at once; the platform is asked for each.
pub async fn run(context: &Context, command: &Command, get: &GetCommand) -> Result<Exit, Failure> {
    let GetCommand { selectors, labels, watch, live, agent: flags, connection } = get;
    let (filter, clock) = (GetFilter { selectors, labels: labels.as_ref() }, Clock::system());
    if !*live && let Some(seen) = remote::look(context, flags, connection).await? {
        return match watch {
            true => remote::watch(context, seen, &filter, &clock).await,
            false => remote::get(context, &seen, &filter, clock.now()),
        };
    }
    if *watch {
        // Each look at the platform costs requests that others may need.
        return Err(remote::no_agent(context, connection)
            .hint("only a running agent can be watched; `stoker get` asks the platform once"));
    }
    if context.unnamed_projects().is_empty() {
        return of_platform(context, get).await;
    }
    let one = async |context: &Context| of_platform(context, get).await;
    projects::side_by_side(context, command, one).await
}

async fn of_platform(context: &Context, get: &GetCommand) -> Result<Exit, Failure> {
    let GetCommand { selectors, labels, watch: _, live: _, agent: _, connection } = get;
    let filter = GetFilter { selectors, labels: labels.as_ref() };
    let session = Session::open_urgent(context, connection, Purpose::Read)?;
    let inventory = ownership(context, &session)?;
    let mut listings = Vec::new();
    for kind in kinds(selectors) {
        listings.push((kind, session.reader.list(kind).await?));
    }
    let mut rows = rows(&listings, &inventory, &filter);
    if rows.iter().any(|row| row.id.is_none()) {
        // Before saying that something of ours is missing: is this its project at all (S5)?
        let project = session.reader.project().await?;
        check_pin(inventory.pin.as_ref(), &session.project.client.origin(), &project)?;
    }
    rows.sort_by(|left, right| (left.kind, &left.name).cmp(&(right.kind, &right.name)));
    let troubles = troubles(&listings);
    if rows.is_empty() && troubles.is_empty() {
        // What was asked for by name is missed before "nothing" could be taken for an answer.
        selected_or_absent(&filter, &rows, &listings)?;
    }
    let found = selected_or_absent(&filter, &rows, &listings);
    rows.retain(|row| filter.covers(row.kind, &row.name, &row.labels));
    print(context, rows, &troubles, session.project.clock.now());
    for (_, message) in &troubles {
        context.output.warn(message);
    }
    if troubles.is_empty() {
        found?;
    }
    match exit(&troubles) {
        Exit::Failed if troubles.len() == listings.len() => {
            let message = "nothing that was asked for could be read".to_owned();
            let hint = "`stoker doctor` checks the address, the token and the network";
            Err(Failure::new(ErrorCode::Unreadable, message).hint(hint))
        }
        exit => Ok(exit),
    }
}

/// Which resources are asked for.
#[derive(Clone, Copy)]
pub struct GetFilter<'a> {
    /// Kinds and names; where none is given, everything.
    pub selectors: &'a [Selector],
    /// The labels they must have.
    pub labels: Option<&'a LabelSelector>,
}

impl GetFilter<'_> {
    /// Whether a resource is asked for.
    #[must_use]
    pub fn covers(&self, kind: Kind, name: &str, labels: &BTreeMap<String, String>) -> bool {
        self.names(kind, name) && self.labels.is_none_or(|selector| selector.covers(labels))
    }

    /// Whether a resource is asked for by its kind and name.
    #[must_use]
    pub fn names(&self, kind: Kind, name: &str) -> bool {
        Selector::any(self.selectors, kind, name)
    }

    /// Returns the first resource that was asked for by name and is not there.
    #[must_use]
    pub fn missing<'n, N: Iterator<Item = (Kind, &'n str)>>(
        &self,
        there: impl Fn() -> N,
    ) -> Option<&Selector> {
        let is_there = |it: &&Selector| there().any(|(kind, name)| it.covers(kind, name));
        self.selectors.iter().filter(|it| it.is_one()).find(|it| !is_there(it))
    }
}

/// Prints names alone, one a line, for other commands to take.
pub fn print_names<'n>(context: &Context, names: impl Iterator<Item = (Kind, &'n str)>) {
    let mut paper = Paper::new();
    names.for_each(|(kind, name)| paper.push(Line::of(format!("{kind}/{name}"))));
    context.output.verbatim(&paper);
}

/// What lives and what is ours, whoever answered.
#[derive(Serialize, JsonSchema)]
pub struct GetDocument {
    /// The resources that were asked for.
    pub resources: Vec<GetRow>,
    /// What could not be read, for people, one each; nothing may be concluded of its absence.
    pub incomplete: Vec<String>,
    /// The projects of a running agent, each whole but for what was not asked for; absent where the
    /// platform answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub projects: Option<Vec<ProjectStatus>>,
}

/// One resource, as it is printed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Row")]
pub struct GetRow {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The platform's id; `null` for what is missing there.
    pub id: Option<String>,
    /// The platform's own status; `missing` for what is ours and does not exist.
    pub status: Option<String>,
    /// By what right it is ours: `created`, `adopted`, `named` or `presumed`; `null` for what is not.
    pub owned: Option<String>,
    /// The labels of its manifest; absent where it has none, and for what is not ours.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// How many instances run, where that is shown.
    pub replicas: Option<u32>,
    /// Where it is served.
    pub url: Option<String>,
    /// What only the platform tells.
    #[serde(flatten)]
    pub listed: Option<ListedRow>,
    /// What only a running agent tells.
    #[serde(flatten)]
    pub kept: Option<KeptRow>,
}

/// What only the platform tells of a resource.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedRow {
    /// From the platform only: the type of a service.
    #[serde(rename = "type")]
    type_name: Option<String>,
    /// From the platform only: when it was created, as the platform writes it.
    created_at: Option<String>,
}

/// What only a running agent tells of a resource.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeptRow {
    /// From an agent only: the project.
    pub project: String,
    /// From an agent only: whether it is as declared.
    pub sync_status: SyncStatus,
    /// From an agent only: how it does.
    pub health_status: HealthStatus,
    /// From an agent only: the status of its condition `Ready`.
    pub ready: Option<Truth>,
    /// From an agent only: the reason of the condition that tells most.
    pub reason: Option<ConditionReason>,
    /// From an agent only: the message of that condition.
    pub message: Option<String>,
}

/// Reads what is ours; only what was remembered of this API counts.
fn ownership(context: &Context, session: &Session) -> Result<Arc<Inventory>, Failure> {
    let inventory = session.inventory(context)?;
    let origin = session.project.client.origin();
    match &inventory.pin {
        Some(pin) if pin.origin != origin => {
            let place = &pin.origin;
            context
                .output
                .warn(&format!("the state belongs to {place}; nothing here counts as ours"));
            Ok(Arc::default())
        }
        Some(_) | None => Ok(inventory),
    }
}

fn kinds(selectors: &[Selector]) -> Vec<Kind> {
    let is_asked = |kind: &Kind| {
        selectors.is_empty() || selectors.iter().any(|selector| selector.kind() == *kind)
    };
    Kind::ALL.into_iter().filter(is_asked).collect()
}

/// Returns what lives, and what of ours is missing from a complete listing.
fn rows(
    listings: &[(Kind, Listing)],
    inventory: &Inventory,
    filter: &GetFilter<'_>,
) -> Vec<GetRow> {
    let mut rows = Vec::new();
    for (kind, listing) in listings {
        let of_kind = inventory.entries.iter().filter(|(key, _)| key.kind == *kind);
        let entry_of = |object: &LiveObject| {
            let mut entries = of_kind.clone();
            entries.find(|(_, entry)| entry.id == object.id).map(|(_, entry)| entry)
        };
        rows.extend(listing.objects.iter().map(|object| row(object, entry_of(object))));
        if listing.coverage.is_complete() {
            let ids: BTreeSet<_> = listing.objects.iter().map(|object| &object.id).collect();
            let missing = of_kind.clone().filter(|(_, entry)| !ids.contains(&entry.id));
            rows.extend(missing.map(|(key, entry)| missing_row(key, entry)));
        }
    }
    rows.retain(|row| filter.names(row.kind, &row.name));
    rows
}

fn row(object: &LiveObject, entry: Option<&Entry>) -> GetRow {
    let type_name = match object.fields.get(&FieldPath::Setting(Setting::Type)) {
        Some(LiveValue::Shown(value)) => Some(value.to_string()),
        Some(LiveValue::Hidden | LiveValue::Absent) | None => None,
    };
    GetRow {
        kind: object.kind,
        name: object.name.clone(),
        id: Some(object.id.to_string()),
        status: object.status.clone(),
        owned: entry.map(|entry| claim_word(entry.claim).to_owned()),
        labels: entry.map(|entry| entry.labels.clone()).unwrap_or_default(),
        replicas: object.replicas,
        url: object.url.clone(),
        listed: Some(ListedRow { type_name, created_at: object.created_at.clone() }),
        kept: None,
    }
}

fn missing_row(key: &Key, entry: &Entry) -> GetRow {
    GetRow {
        kind: key.kind,
        name: key.name.to_string(),
        id: None,
        status: Some("missing".to_owned()),
        owned: Some(claim_word(entry.claim).to_owned()),
        labels: entry.labels.clone(),
        replicas: None,
        url: None,
        listed: Some(ListedRow { type_name: None, created_at: None }),
        kept: None,
    }
}

fn troubles(listings: &[(Kind, Listing)]) -> Vec<(Unknown, String)> {
    let mut troubles = Vec::new();
    for (kind, listing) in listings {
        if let Coverage::Unknown(unknown) = &listing.coverage {
            troubles.push((unknown.clone(), find::trouble(*kind, unknown)));
        }
    }
    troubles
}

fn exit(troubles: &[(Unknown, String)]) -> Exit {
    if troubles.is_empty() {
        Exit::Done
    } else if troubles.iter().any(|(unknown, _)| *unknown == Unknown::Forbidden) {
        Exit::Denied
    } else {
        Exit::Failed
    }
}

/// Fails for a name that was asked for and is proven not to be there.
fn selected_or_absent(
    filter: &GetFilter<'_>,
    rows: &[GetRow],
    listings: &[(Kind, Listing)],
) -> Result<(), Failure> {
    let there = || rows.iter().map(|row| (row.kind, row.name.as_str()));
    let Some(missing) = filter.missing(there) else {
        return Ok(());
    };
    let objects = listings.iter().flat_map(|(_, listing)| &listing.objects);
    let of_kind = objects.filter(|object| object.kind == missing.kind());
    let names = of_kind.map(|object| object.name.clone());
    Err(find::absent_name(missing.kind(), missing.name().unwrap_or_default(), names))
}

fn print(context: &Context, rows: Vec<GetRow>, troubles: &[(Unknown, String)], now: Timestamp) {
    if context.global.is_of_names() {
        return print_names(context, rows.iter().map(|row| (row.kind, row.name.as_str())));
    }
    match context.output.form() {
        // What could not be read may be there all the same (S2).
        OutputFormat::Text | OutputFormat::Markdown if rows.is_empty() && !troubles.is_empty() => {}
        OutputFormat::Text | OutputFormat::Markdown if rows.is_empty() => {
            context.output.note("There are no resources.")
        }
        OutputFormat::Text | OutputFormat::Markdown => context.output.data(&table(&rows, now)),
        OutputFormat::Ndjson => rows.iter().for_each(|row| context.output.value(row)),
        OutputFormat::Json | OutputFormat::Yaml => {
            let incomplete = troubles.iter().map(|(_, text)| text.clone()).collect();
            context.output.document(&GetDocument { resources: rows, incomplete, projects: None });
        }
    }
}

fn table(rows: &[GetRow], now: Timestamp) -> Paper {
    let heading = ["KIND/NAME", "TYPE", "STATUS", "OWNED", "REPLICAS", "AGE", "URL"];
    let mut table = Table::new(&heading);
    for row in rows {
        let GetRow { kind, name, status, owned, replicas, url, listed, .. } = row;
        let type_name = listed.as_ref().and_then(|it| it.type_name.as_deref());
        let created_at = listed.as_ref().and_then(|it| it.created_at.as_deref());
        let status = match status.as_deref() {
            Some("missing") => (Style::Blocked, "missing".to_owned()),
            status => facts::status_cell(status),
        };
        table.row(vec![
            (Style::Plain, format!("{kind}/{name}")),
            facts::cell(type_name),
            status,
            facts::cell(owned.as_deref()),
            facts::cell(replicas.map(|count| count.to_string()).as_deref()),
            (Style::Plain, facts::age(created_at, now)),
            facts::cell(url.as_deref()),
        ]);
    }
    table.into()
}

/// Returns the word for the right by which something is ours.
pub const fn claim_word(claim: Claim) -> &'static str {
    match claim {
        Claim::Created => "created",
        Claim::Adopted => "adopted",
        Claim::Named => "named",
        Claim::Presumed => "presumed",
    }
}
