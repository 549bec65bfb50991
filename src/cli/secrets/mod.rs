//! `stoker secrets`: every secret by name, and never a value. It sends no request to the platform: it
//! reads manifests, settings and state, and looks for the values only to know whether they are there.

mod report;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::clock::Clock;
use crate::model::{Diagnostic, Key};
use crate::render::{Paper, Style, Table};
use crate::status::paper::ago;

use super::arguments::{OutputFormat, SecretsCommand};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::manifests::{Manifests, find};
use super::place::Absent;
use super::session::{inventory, open_state};
use report::{SecretRow, SecretState, rows};

/// Every secret of a project, and never a value.
#[derive(Serialize, JsonSchema)]
pub struct SecretsDocument {
    /// The secrets, by what they come from and then by name.
    pub secrets: Vec<SecretRow>,
}

/// Reads what there is to read, and lists.
///
/// # Errors
/// When the manifests are invalid, or the state cannot be used. A secret that is missing is none: the
/// exit code tells of it.
pub fn run(context: &Context, command: &SecretsCommand) -> Result<Exit, Failure> {
    let SecretsCommand { sources, state } = command;
    let Manifests { tree, declared, reading: _ } = Manifests::read(context, sources)?;
    let state = open_state(context, &state.connection(), Absent::Refuse)?;
    let inventory = inventory(context, &state.medium)?;
    let found = find(context, &tree, &declared)?;
    let secrets = rows(&declared, &found, &inventory);
    let missing = tree.illustrate(secrets.iter().filter_map(finding).collect());
    print(context, &SecretsDocument { secrets }, Clock::system().now());
    context.output.diagnostics(&missing);
    Ok(if missing.is_empty() { Exit::Done } else { Exit::Invalid })
}

/// Tells what is missing as `plan` does, with its place.
fn finding(row: &SecretRow) -> Option<Diagnostic> {
    let missing = row.missing.as_ref()?;
    let first = row.used_by.first()?;
    let finding = Diagnostic::error(missing.code, missing.message.clone());
    Some(finding.at(first.origin.clone()).hint(missing.hint.clone()))
}

fn print(context: &Context, document: &SecretsDocument, now: Timestamp) {
    let SecretsDocument { secrets } = document;
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown if secrets.is_empty() => {
            context.output.note("The manifests declare no secrets.");
        }
        OutputFormat::Text | OutputFormat::Markdown => context.output.data(&table(secrets, now)),
        OutputFormat::Ndjson => secrets.iter().for_each(|row| context.output.value(row)),
        OutputFormat::Json | OutputFormat::Yaml => context.output.document(document),
    }
}

fn table(rows: &[SecretRow], now: Timestamp) -> Paper {
    let mut table = Table::new(&["NAME", "FROM", "VALUE", "CHANGED", "USED BY"]);
    for row in rows {
        let value = match row.state {
            SecretState::Found => (Style::Plain, "found"),
            SecretState::Missing => (Style::Blocked, "missing"),
            SecretState::Unseen => (Style::Dim, "not looked at"),
        };
        let changed = match row.changed_at {
            Some(at) => (Style::Plain, ago(at, now)),
            None => (Style::Dim, "unknown".to_owned()),
        };
        let rotated = row.rotate.as_ref().map(|period| format!(", every {period}"));
        let users: Vec<String> =
            row.used_by.iter().map(|it| user(&it.key, it.via.as_ref())).collect();
        table.row(vec![
            (Style::Plain, row.name.clone()),
            (Style::Plain, row.source.as_str().to_owned() + &rotated.unwrap_or_default()),
            (value.0, value.1.to_owned()),
            changed,
            (Style::Plain, users.join(", ")),
        ]);
    }
    table.into()
}

fn user(key: &Key, via: Option<&Key>) -> String {
    via.map_or_else(|| key.to_string(), |via| format!("{key} (by {via})"))
}
