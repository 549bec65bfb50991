//! The one order in which settings win: flag, environment, the project's own key, the key at the
//! top, the default. Each pick is remembered with where it came from, for `stoker config view`.

use std::fmt::Display;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::Value;

use crate::model::AdoptMode;

use super::super::arguments::{LogForm, OutputWord, RewritesWord, When};
use super::super::size::Size;
use super::super::values::{OrOff, PruneKinds, Rate, Span};
use super::file::SettingsFile;
use super::keys::Keys;
use super::origin::{GivenSettings, Provenance, camel};

/// One setting as it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its key in the file.
    pub key: String,
    /// Its value as it would be written: a text, a number or a boolean; `None` when there is none.
    /// Never a secret's.
    pub value: Option<Value>,
    /// Where it comes from.
    pub provenance: Provenance,
}

impl Row {
    /// Returns the value as people read it.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.value.as_ref().map(|value| match value {
            Value::String(text) => text.clone(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => value.to_string(),
        })
    }
}

/// Picks settings for the process, or for one project.
pub struct Picker<'a> {
    file: &'a SettingsFile,
    given: &'a GivenSettings,
    project: Option<usize>,
    rows: Vec<Row>,
}

impl<'a> Picker<'a> {
    /// Picks from flags, environment and the top of the file.
    #[must_use]
    pub const fn new(file: &'a SettingsFile, given: &'a GivenSettings) -> Self {
        Self { file, given, project: None, rows: Vec::new() }
    }

    /// Picks for a call: for the project that was chosen, where one was.
    #[must_use]
    pub fn of_call(file: &'a SettingsFile, given: &'a GivenSettings) -> Self {
        let project = file.chosen().map(|(index, _)| index);
        Self { project, ..Self::new(file, given) }
    }

    /// Picks for one of `projects`.
    #[must_use]
    pub const fn for_project(
        file: &'a SettingsFile,
        given: &'a GivenSettings,
        index: usize,
    ) -> Self {
        Self { file, given, project: Some(index), rows: Vec::new() }
    }

    /// Returns what was picked so far.
    #[must_use]
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    /// Returns the project's own keys, where there are `projects`.
    #[must_use]
    pub fn own(&self) -> Option<&'a Keys> {
        self.file.projects.as_ref()?.get(self.project?)
    }

    /// Returns the files that it picks from.
    #[must_use]
    pub const fn file(&self) -> &'a SettingsFile {
        self.file
    }

    /// Returns the keys at the top.
    #[must_use]
    pub const fn top(&self) -> &'a Keys {
        &self.file.top
    }

    /// Whether what stands in a file may be a stranger's.
    #[must_use]
    pub fn is_unreviewed(&self, name: &str) -> bool {
        self.file.is_unreviewed(name)
    }

    /// Returns where a key of the project's own stands.
    #[must_use]
    pub fn own_place(&self, key: &str) -> Provenance {
        in_file(self.file, self.project, key)
    }

    /// Returns where a key at the top stands.
    #[must_use]
    pub fn top_place(&self, key: &str) -> Provenance {
        in_file(self.file, None, key)
    }

    /// Returns how a key was given as flag or variable.
    #[must_use]
    pub fn given_place(&self, key: &str) -> Provenance {
        self.given.get(key).cloned().unwrap_or(Provenance::Default)
    }

    /// Returns where the last pick came from.
    #[must_use]
    pub fn last_place(&self) -> Provenance {
        self.rows.last().map_or(Provenance::Default, |row| row.provenance.clone())
    }

    /// Remembers a text that was picked.
    pub fn note(&mut self, key: &str, value: Option<String>, provenance: Provenance) {
        let value = value.map(Value::String);
        self.rows.push(Row { key: key.to_owned(), value, provenance });
    }

    /// Picks a setting that may be absent. `name` is as in our code; use [`pick!`].
    pub fn optional<T: Clone + Shown>(
        &mut self,
        name: &str,
        flag: Option<&T>,
        of: impl Fn(&Keys) -> Option<&T>,
    ) -> Option<T> {
        let key = camel(name);
        let own = self.own().and_then(&of);
        let (value, provenance) = match (flag, own, of(&self.file.top)) {
            (Some(value), _, _) => (Some(value), self.given_place(&key)),
            (None, Some(value), _) => (Some(value), self.own_place(&key)),
            (None, None, Some(value)) => (Some(value), self.top_place(&key)),
            (None, None, None) => (None, Provenance::Default),
        };
        self.rows.push(Row { key, value: value.map(Shown::shown), provenance });
        value.cloned()
    }

    /// Picks a setting that has a default.
    pub fn or<T: Clone + Shown>(
        &mut self,
        name: &str,
        flag: Option<&T>,
        of: impl Fn(&Keys) -> Option<&T>,
        default: T,
    ) -> T {
        match self.optional(name, flag, of) {
            Some(value) => value,
            None => {
                if let Some(row) = self.rows.last_mut() {
                    row.value = Some(default.shown());
                }
                default
            }
        }
    }
}

/// Picks the setting that has one name everywhere: flag field, key field, and the key in the file.
macro_rules! pick {
    ($picker:expr, $flags:expr, $name:ident) => {
        $picker.optional(stringify!($name), $flags.$name.as_ref(), |keys| keys.$name.as_ref())
    };
    ($picker:expr, $flags:expr, $name:ident, $default:expr) => {
        $picker.or(stringify!($name), $flags.$name.as_ref(), |keys| keys.$name.as_ref(), $default)
    };
}
pub(super) use pick;

fn in_file(file: &SettingsFile, project: Option<usize>, key: &str) -> Provenance {
    file.place(project, key).cloned().map_or(Provenance::Default, Provenance::File)
}

/// A setting as it would be written.
pub trait Shown {
    /// Returns it as it would be written.
    fn shown(&self) -> Value;
}

macro_rules! shown_by_display {
    ($($type:ty),*) => { $(impl Shown for $type {
        fn shown(&self) -> Value { self.to_string().into() }
    })* };
}
shown_by_display!(String, Size, Span, Rate, PruneKinds);

macro_rules! shown_by_itself {
    ($($type:ty),*) => { $(impl Shown for $type {
        fn shown(&self) -> Value { (*self).into() }
    })* };
}
shown_by_itself!(bool, u32, usize);

macro_rules! shown_by_word {
    ($($type:ty),*) => { $(impl Shown for $type {
        fn shown(&self) -> Value {
            self.to_possible_value().map(|word| word.get_name().to_owned()).into()
        }
    })* };
}
shown_by_word!(OutputWord, When, LogForm, RewritesWord);

impl Shown for PathBuf {
    fn shown(&self) -> Value {
        self.display().to_string().into()
    }
}

impl Shown for Vec<PathBuf> {
    fn shown(&self) -> Value {
        let paths = self.iter().map(|path| path.display().to_string());
        paths.collect::<Vec<_>>().join(", ").into()
    }
}

impl<T: Display> Shown for OrOff<T> {
    fn shown(&self) -> Value {
        self.to_string().into()
    }
}

impl Shown for AdoptMode {
    fn shown(&self) -> Value {
        match self {
            Self::Always => "always",
            Self::Match => "match",
            Self::Never => "never",
        }
        .into()
    }
}
