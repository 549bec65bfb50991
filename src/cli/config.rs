//! `stoker config`: what the agent would be told and where that is said; and the schema of the file.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::render::{Style, Table};

use super::arguments::{ConfigCommand, Global, OutputFormat, RunCommand};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::offline::no_such_form;
use super::settings::{self, Invocation, Row, RunSettings, SavedProvenance};

/// Shows settings, or their schema. Nothing is read from the platform. Secrets are tried, so that a
/// missing one is found before the agent needs it, and never shown.
pub fn run(context: &Context, global: &Global, command: &ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::View(command) => view(context, global, command),
        ConfigCommand::Schema => {
            context.output.value(&settings::schema());
            Ok(Exit::Done)
        }
    }
}

fn view(context: &Context, global: &Global, command: &RunCommand) -> Result<Exit, Failure> {
    let Context { environment, file, given, .. } = context;
    let call = Invocation { global, given, file, environment };
    let settings = RunSettings::resolve(&call, command)
        .inspect_err(|failure| context.output.diagnostics(&failure.diagnostics))?;
    for warning in settings.warnings.iter().chain(&settings.unusable_secrets(environment)) {
        context.output.warn(warning);
    }
    match context.output.form() {
        OutputFormat::Text => context.output.data(&table(&settings).into()),
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            context.output.document(&document(&settings))
        }
        OutputFormat::Markdown => return Err(no_such_form("config view", "markdown")),
    }
    Ok(Exit::Done)
}

/// One line a setting; those of a project begin with its name.
fn table(settings: &RunSettings) -> Table {
    let mut table = Table::new(&["KEY", "VALUE", "SOURCE"]);
    let mut add = |prefix: &str, rows: &[Row]| {
        for row in rows {
            let value = match row.text() {
                Some(text) => (Style::Plain, text),
                None => (Style::Dim, "—".to_owned()),
            };
            let key = (Style::Bold, format!("{prefix}{}", row.key));
            table.row(vec![key, value, (Style::Dim, row.provenance.to_string())]);
        }
    };
    add("", &settings.rows);
    for project in &settings.projects {
        add(&format!("{}: ", project.name), &project.rows);
    }
    table
}

/// Every setting of the agent, its value, and where it comes from.
#[derive(Serialize, JsonSchema)]
pub struct ConfigDocument {
    /// Those of the process.
    settings: Vec<SettingRow>,
    /// Those of each project.
    projects: Vec<ProjectRows>,
}

/// The settings of one project.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProjectSettings")]
struct ProjectRows {
    /// The project; `default` where there is one only.
    name: String,
    /// Its settings.
    settings: Vec<SettingRow>,
}

/// One setting.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Setting")]
struct SettingRow {
    /// Its key in `stoker.yaml`.
    key: String,
    /// Its value as it would be written there; `null` where there is none. Never a secret's.
    value: Option<Value>,
    /// Where it comes from.
    source: SavedProvenance,
}

impl From<&Row> for SettingRow {
    fn from(row: &Row) -> Self {
        let Row { key, value, provenance } = row.clone();
        Self { key, value, source: provenance.into() }
    }
}

fn document(settings: &RunSettings) -> ConfigDocument {
    let rows = |rows: &[Row]| rows.iter().map(SettingRow::from).collect();
    let projects = settings.projects.iter();
    ConfigDocument {
        settings: rows(&settings.rows),
        projects: projects
            .map(|project| ProjectRows {
                name: project.name.to_string(),
                settings: rows(&project.rows),
            })
            .collect(),
    }
}
