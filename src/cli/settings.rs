//! Settings: flag, then environment, then file, then default — each said once.
//!
//! clap has joined flag and environment already; here come the files and the defaults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::model::AdoptMode;
use crate::plan::{Policy, Prune, Selection};

use super::arguments::{Approval, Connection, Form, Global, LogForm, Planning, Waiting, When};
use super::environment::Environment;
use super::failure::Failure;
use super::values::{PruneKinds, Rate, Span};

/// The keys of `stoker.yaml`. Each has a flag and a variable of the same name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SettingsFile {
    output: Option<Form>,
    color: Option<When>,
    log_format: Option<LogForm>,
    state: Option<PathBuf>,
    sandbox: Option<bool>,
    api_url: Option<String>,
    ca_file: Option<PathBuf>,
    dialect: BTreeMap<String, DialectValue>,
    rate: Option<Rate>,
    reserve: Option<Rate>,
    max_calls: Option<u32>,
    timeout: Option<Span>,
    prune: Option<PruneKinds>,
    adopt: Option<AdoptMode>,
    max_deletes: Option<usize>,
    prune_adopted: Option<bool>,
    write_unverifiable: Option<bool>,
    settle: Option<Span>,
    wait: Option<bool>,
    auto_approve: Option<bool>,
}

/// A dialect's value may be written as a truth, a number or a text.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum DialectValue {
    Truth(bool),
    Number(u64),
    Text(String),
}

impl std::fmt::Display for DialectValue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truth(truth) => write!(formatter, "{truth}"),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

impl SettingsFile {
    /// Reads the file named, or those that exist, the nearest winning key by key.
    ///
    /// # Errors
    /// When a named file is missing, or any is not readable or not valid.
    pub fn read(named: Option<&Path>, environment: &Environment) -> Result<Self, Failure> {
        if let Some(path) = named {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Failure::usage(format!("failed to read settings {}: {error}", path.display()))
            })?;
            return Self::parse(path, &text);
        }
        let mut merged = Self::default();
        for path in environment.settings_files() {
            match std::fs::read_to_string(&path) {
                Ok(text) => merged = merged.or(Self::parse(&path, &text)?),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    let place = path.display();
                    return Err(Failure::usage(format!(
                        "failed to read settings {place}: {error}"
                    )));
                }
            }
        }
        Ok(merged)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, Failure> {
        crate::manifest::read_settings(text).map_err(|error| {
            Failure::usage(format!("settings {}: {error}", path.display()))
                .hint("the keys are listed in docs/settings.md")
        })
    }

    fn or(self, further: Self) -> Self {
        let mut dialect = further.dialect;
        dialect.extend(self.dialect);
        Self {
            output: self.output.or(further.output),
            color: self.color.or(further.color),
            log_format: self.log_format.or(further.log_format),
            state: self.state.or(further.state),
            sandbox: self.sandbox.or(further.sandbox),
            api_url: self.api_url.or(further.api_url),
            ca_file: self.ca_file.or(further.ca_file),
            dialect,
            rate: self.rate.or(further.rate),
            reserve: self.reserve.or(further.reserve),
            max_calls: self.max_calls.or(further.max_calls),
            timeout: self.timeout.or(further.timeout),
            prune: self.prune.or(further.prune),
            adopt: self.adopt.or(further.adopt),
            max_deletes: self.max_deletes.or(further.max_deletes),
            prune_adopted: self.prune_adopted.or(further.prune_adopted),
            write_unverifiable: self.write_unverifiable.or(further.write_unverifiable),
            settle: self.settle.or(further.settle),
            wait: self.wait.or(further.wait),
            auto_approve: self.auto_approve.or(further.auto_approve),
        }
    }
}

/// The settings of every command.
#[derive(Clone, Debug)]
pub struct GlobalSettings {
    /// Form of stdout.
    pub output: Form,
    /// When to use colour.
    pub color: When,
    /// Form of the log.
    pub log_format: LogForm,
    /// How much goes to the log: 0 warnings, 1 debug, 2 trace.
    pub verbose: u8,
    /// Where state is kept.
    pub state: Option<PathBuf>,
}

impl GlobalSettings {
    /// Joins flags, file and defaults.
    #[must_use]
    pub fn resolve(flags: &Global, file: &SettingsFile, environment: &Environment) -> Self {
        let state = flags.state.clone().or_else(|| file.state.clone());
        Self {
            output: flags.output.or(file.output).unwrap_or(Form::Text),
            color: flags.color.or(file.color).unwrap_or(When::Auto),
            log_format: flags.log_format.or(file.log_format).unwrap_or(LogForm::Text),
            verbose: flags.verbose,
            state: state.or_else(|| environment.state_directory()),
        }
    }
}

/// How the API is reached, resolved.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// Whether the embedded emulator answers.
    pub sandbox: bool,
    /// The API's address.
    pub api_url: String,
    /// A further certificate authority.
    pub ca_file: Option<PathBuf>,
    /// Assumptions set, in the order they are applied.
    pub dialect: Vec<(String, String)>,
    /// Own sends in any minute.
    pub rate: u32,
    /// What background work leaves free.
    pub reserve: u32,
    /// Requests of this run in all.
    pub calls_max: Option<u32>,
    /// How long the run may take.
    pub timeout: Option<Duration>,
}

/// The vendor's API (F1).
const API_URL: &str = "https://api.stackblaze.cloud/v1";

/// 5 % below the API's 300 a minute (F8): room for clocks that disagree.
const RATE: u32 = 285;

/// 30 % of a minute's requests stay free of background work.
const RESERVE: u32 = 90;

impl ConnectionSettings {
    /// Joins flags, file and defaults.
    #[must_use]
    pub fn resolve(flags: &Connection, file: &SettingsFile, environment: &Environment) -> Self {
        let from_file = file.dialect.iter().map(|(key, value)| (key.clone(), value.to_string()));
        let from_flags = flags.dialect.iter().map(|set| (set.key.clone(), set.value.clone()));
        let api_url = environment.get("STACKBLAZE_API_URL").or(file.api_url.as_deref());
        Self {
            sandbox: flags.sandbox.or(file.sandbox).unwrap_or(false),
            api_url: api_url.unwrap_or(API_URL).to_owned(),
            ca_file: flags.ca_file.clone().or_else(|| file.ca_file.clone()),
            dialect: from_file.chain(from_flags).collect(),
            rate: flags.rate.or(file.rate).map_or(RATE, |rate| rate.0),
            reserve: flags.reserve.or(file.reserve).map_or(RESERVE, |rate| rate.0),
            calls_max: flags.max_calls.or(file.max_calls),
            timeout: flags.timeout.or(file.timeout).map(|span| span.0),
        }
    }
}

/// Joins the flags of planning with file and defaults to what planning is told.
#[must_use]
pub fn policy(flags: &Planning, file: &SettingsFile) -> Policy {
    let default = Policy::default();
    let prune = flags.prune.clone().or_else(|| file.prune.clone());
    Policy {
        prune: match prune {
            Some(PruneKinds(kinds)) if !kinds.is_empty() => Prune::Kinds(kinds),
            Some(_) | None => Prune::Off,
        },
        adopt: flags.adopt.or(file.adopt).unwrap_or(default.adopt),
        deletes_max: flags.max_deletes.or(file.max_deletes),
        prune_adopted: flags.prune_adopted.or(file.prune_adopted).unwrap_or(false),
        write_unverifiable: flags
            .write_unverifiable
            .or(file.write_unverifiable)
            .unwrap_or(default.write_unverifiable),
        selection: Selection {
            targets: flags.target.iter().cloned().collect(),
            excluded: flags.exclude.iter().cloned().collect(),
        },
        replace: flags.replace.iter().map(|a| (a.key.clone(), a.id.clone())).collect(),
        settle: flags.settle.or(file.settle).map_or(default.settle, |span| span.0),
        ..default
    }
}

/// Whether the run waits for deployments.
#[must_use]
pub fn waits(flags: Waiting, file: &SettingsFile) -> bool {
    !flags.no_wait && flags.wait.or(file.wait).unwrap_or(false)
}

/// Whether the run goes on without asking.
#[must_use]
pub fn is_approved(flags: Approval, file: &SettingsFile) -> bool {
    flags.auto_approve.or(file.auto_approve).unwrap_or(false)
}
