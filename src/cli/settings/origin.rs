//! Where a value comes from: a flag, a variable, a line of a file, or nowhere.

use std::collections::BTreeMap;
use std::fmt;

use clap::ArgMatches;
use clap::parser::ValueSource;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::Origin;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// A flag, as it is typed.
    Flag(String),
    /// A variable of the environment.
    Variable(String),
    /// A line of a settings file.
    File(Origin),
    /// Nobody said anything.
    Default,
}

/// `--interval`, `STOKER_INTERVAL`, `stoker.yaml:3`, `default`.
impl fmt::Display for Provenance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => formatter.write_str(name),
            Self::File(origin) => write!(formatter, "{}:{}", origin.file, origin.line),
            Self::Default => formatter.write_str("default"),
        }
    }
}

/// Where a value comes from, as data.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Source")]
pub struct SavedProvenance {
    /// `flag`, `environment`, `file` or `default`.
    kind: &'static str,
    /// The flag or the variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The settings file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// Its line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

impl From<Provenance> for SavedProvenance {
    fn from(provenance: Provenance) -> Self {
        let plain = |kind, name| Self { kind, name, file: None, line: None };
        match provenance {
            Provenance::Flag(name) => plain("flag", Some(name)),
            Provenance::Variable(name) => plain("environment", Some(name)),
            Provenance::File(Origin { file, line, column: _ }) => {
                Self { file: Some(file), line: Some(line), ..plain("file", None) }
            }
            Provenance::Default => plain("default", None),
        }
    }
}

/// Which settings were given as flags or variables, by the key they have in the file.
#[derive(Clone, Debug, Default)]
pub struct GivenSettings(BTreeMap<String, Provenance>);

impl From<&ArgMatches> for GivenSettings {
    fn from(matches: &ArgMatches) -> Self {
        let mut given = Self::default();
        let mut level = Some(matches);
        while let Some(matches) = level {
            for id in matches.ids() {
                given.note(id.as_str(), matches.value_source(id.as_str()));
            }
            level = matches.subcommand().map(|(_, below)| below);
        }
        given
    }
}

impl GivenSettings {
    fn note(&mut self, id: &str, source: Option<ValueSource>) {
        let provenance = match source {
            Some(ValueSource::CommandLine) if id == "overlays" => {
                Provenance::Flag("--overlay".to_owned())
            }
            // The one setting that is no flag: it is typed as it is.
            Some(ValueSource::CommandLine) if id == "paths" => Provenance::Flag("PATH".to_owned()),
            Some(ValueSource::CommandLine) => {
                Provenance::Flag(format!("--{}", id.replace('_', "-")))
            }
            Some(ValueSource::EnvVariable) => {
                Provenance::Variable(format!("STOKER_{}", id.to_uppercase()))
            }
            Some(_) | None => return,
        };
        self.0.insert(camel(id), provenance);
    }

    /// Returns how a key was given, when it was.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Provenance> {
        self.0.get(key)
    }
}

/// Returns the key of the file for a name of ours: `git_poll` is `gitPoll`.
#[must_use]
pub fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |key, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        key + &head.to_uppercase() + tail
    })
}
