//! `stoker get`: what lives and what of it is ours. Only the kinds asked for are listed.
//!
//! Where an agent runs it is asked, and the platform is not.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::clock::Clock;
use crate::model::{
    Claim, Coverage, FieldPath, Inventory, Key, Kind, Listing, LiveObject, LiveValue, Setting,
    Unknown,
};
use crate::reconcile::check_pin;
use crate::render::{Paper, Style, Table};

use super::arguments::{GetCommand, OutputFormat};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::facts;
use super::failure::Failure;
use super::find;
use super::remote;
use super::session::{Purpose, Session};
use super::values::Selector;

/// Lists, prints, and says what could not be read.
pub async fn run(context: &Context, command: &GetCommand) -> Result<Exit, Failure> {
    let GetCommand { selectors, live, agent: flags, connection } = command;
    if !*live && let Some(seen) = remote::look(context, flags, connection).await? {
        return remote::get(context, &seen, selectors, Clock::system().now());
    }
    let session = Session::open_urgent(context, connection, Purpose::Read)?;
    let inventory = ownership(context, &session)?;
    let mut listings = Vec::new();
    for kind in kinds(selectors) {
        listings.push((kind, session.reader.list(kind).await?));
    }
    let mut rows = rows(&listings, &inventory, selectors);
    if rows.iter().any(|row| row.id.is_none()) {
        // Before saying that something of ours is missing: is this its project at all (S5)?
        let project = session.reader.project().await?;
        check_pin(inventory.pin.as_ref(), &session.client.origin(), &project)?;
    }
    rows.sort_by(|left, right| (left.kind, &left.name).cmp(&(right.kind, &right.name)));
    let troubles = troubles(&listings);
    if rows.is_empty() && troubles.is_empty() {
        // What was asked for by name is missed before "nothing" could be taken for an answer.
        selected_or_absent(selectors, &rows, &listings)?;
    }
    print(context, &rows, &troubles, session.clock.now());
    for (_, message) in &troubles {
        context.output.warn(message);
    }
    if troubles.is_empty() {
        selected_or_absent(selectors, &rows, &listings)?;
    }
    match exit(&troubles) {
        Exit::Failed if troubles.len() == listings.len() => {
            let message = "nothing that was asked for could be read".to_owned();
            let hint =
                "`stoker doctor` tells whether the address, the token and the network will do";
            Err(Failure::new(ErrorCode::Unreadable, message).hint(hint))
        }
        exit => Ok(exit),
    }
}

/// One resource, as it is printed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(serialize_with = "as_text")]
    kind: Kind,
    name: String,
    id: Option<String>,
    #[serde(rename = "type")]
    type_name: Option<String>,
    status: Option<String>,
    /// `created`, `adopted`, `named`, `presumed`; nothing for what is not ours.
    owned: Option<Claim>,
    replicas: Option<u32>,
    created_at: Option<String>,
    url: Option<String>,
}

fn as_text<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

/// Reads what is ours; only what was remembered of this API counts.
fn ownership(context: &Context, session: &Session) -> Result<Arc<Inventory>, Failure> {
    let inventory = session.inventory(context)?;
    let origin = session.client.origin();
    match &inventory.pin {
        Some(pin) if pin.origin != origin => {
            let place = &pin.origin;
            context
                .output
                .warn(&format!("the state belongs to {place}; nothing here is taken for ours"));
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
fn rows(listings: &[(Kind, Listing)], inventory: &Inventory, selectors: &[Selector]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (kind, listing) in listings {
        let of_kind = inventory.entries.iter().filter(|(key, _)| key.kind == *kind);
        let claim_of = |object: &LiveObject| {
            let mut entries = of_kind.clone();
            entries.find(|(_, entry)| entry.id == object.id).map(|(_, entry)| entry.claim)
        };
        rows.extend(listing.objects.iter().map(|object| row(object, claim_of(object))));
        if listing.coverage.is_complete() {
            let ids: BTreeSet<_> = listing.objects.iter().map(|object| &object.id).collect();
            let missing = of_kind.clone().filter(|(_, entry)| !ids.contains(&entry.id));
            rows.extend(missing.map(|(key, entry)| missing_row(key, entry.claim)));
        }
    }
    rows.retain(|row| Selector::any(selectors, row.kind, &row.name));
    rows
}

fn row(object: &LiveObject, owned: Option<Claim>) -> Row {
    let type_name = match object.fields.get(&FieldPath::Setting(Setting::Type)) {
        Some(LiveValue::Shown(value)) => Some(value.to_string()),
        Some(LiveValue::Hidden | LiveValue::Absent) | None => None,
    };
    Row {
        kind: object.kind,
        name: object.name.clone(),
        id: Some(object.id.to_string()),
        type_name,
        status: object.status.clone(),
        owned,
        replicas: object.replicas,
        created_at: object.created_at.clone(),
        url: object.url.clone(),
    }
}

fn missing_row(key: &Key, claim: Claim) -> Row {
    Row {
        kind: key.kind,
        name: key.name.to_string(),
        id: None,
        type_name: None,
        status: Some("missing".to_owned()),
        owned: Some(claim),
        replicas: None,
        created_at: None,
        url: None,
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
    selectors: &[Selector],
    rows: &[Row],
    listings: &[(Kind, Listing)],
) -> Result<(), Failure> {
    let is_found =
        |selector: &&Selector| rows.iter().any(|row| selector.covers(row.kind, &row.name));
    let Some(missing) = selectors.iter().filter(|it| it.is_one()).find(|it| !is_found(it)) else {
        return Ok(());
    };
    let objects = listings.iter().flat_map(|(_, listing)| &listing.objects);
    let of_kind = objects.filter(|object| object.kind == missing.kind());
    let names = of_kind.map(|object| object.name.clone());
    Err(find::absent_name(missing.kind(), missing.name().unwrap_or_default(), names))
}

fn print(context: &Context, rows: &[Row], troubles: &[(Unknown, String)], now: Timestamp) {
    match context.output.form() {
        // What could not be read may be there all the same (S2).
        OutputFormat::Text | OutputFormat::Markdown if rows.is_empty() && !troubles.is_empty() => {}
        OutputFormat::Text | OutputFormat::Markdown if rows.is_empty() => {
            context.output.note("Nothing is there.")
        }
        OutputFormat::Text | OutputFormat::Markdown => context.output.data(&table(rows, now)),
        OutputFormat::Ndjson => rows.iter().for_each(|row| context.output.value(row)),
        OutputFormat::Json | OutputFormat::Yaml => {
            let incomplete: Vec<&str> = troubles.iter().map(|(_, text)| text.as_str()).collect();
            context
                .output
                .value(&serde_json::json!({ "resources": rows, "incomplete": incomplete }));
        }
    }
}

fn table(rows: &[Row], now: Timestamp) -> Paper {
    let heading = ["KIND/NAME", "TYPE", "STATUS", "OWNED", "REPLICAS", "AGE", "URL"];
    let mut table = Table::new(&heading);
    for row in rows {
        let Row { kind, name, id: _, type_name, status, owned, replicas, created_at, url } = row;
        let status = match status.as_deref() {
            Some("missing") => (Style::Blocked, "missing".to_owned()),
            status => facts::status_cell(status),
        };
        table.row(vec![
            (Style::Plain, format!("{kind}/{name}")),
            facts::cell(type_name.as_deref()),
            status,
            facts::cell(owned.map(claim_word)),
            facts::cell(replicas.map(|count| count.to_string()).as_deref()),
            (Style::Plain, facts::age(created_at.as_deref(), now)),
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
