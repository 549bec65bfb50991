//! One YAML document as plain values that know their place: how settings are read.
//!
//! The same strict reading as for manifests: a key given twice, a tag, a second document or a bomb
//! of aliases is an error. What the keys mean is for the caller's types to say; what they refuse
//! comes back with its place.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::scalar;
use super::suggest::nearest;
use super::tree::{Flaw, Yaml};
use super::yaml::Documents;
use crate::model::{Diagnostic, Origin};

/// A mapping and where each of its values stands.
#[derive(Clone, Debug, Default)]
pub struct Located {
    /// The values by key.
    pub values: Map<String, Value>,
    /// Where each key stands, by its path: `interval`, `projects[0].interval`.
    pub places: BTreeMap<String, Origin>,
}

impl Located {
    /// Reads a file that holds one mapping, or nothing.
    ///
    /// # Errors
    /// When it is no such YAML: everything that is wrong with it, with places.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let error = |flaw: Flaw| vec![flaw.in_file(file)];
        let mut documents = Documents::new(text).map_err(error)?;
        let mut located = Self::default();
        let mut is_read = false;
        while let Some(mut document) = documents.next_document().map_err(error)? {
            let flaws = std::mem::take(&mut document.flaws);
            if !flaws.is_empty() {
                return Err(flaws.into_iter().map(|flaw| flaw.in_file(file)).collect());
            }
            let Some(root) = document.root() else { continue };
            let origin = origin(file, root);
            if is_read {
                let message = "only one document is read, and this is a second one";
                return Err(vec![Diagnostic::error("second-document", message).at(origin)]);
            }
            is_read = true;
            let Value::Object(values) = located.take(file, "", root) else {
                let what = root.describe();
                let message = format!("settings must be a mapping, not {what}");
                return Err(vec![Diagnostic::error("wrong-type", message).at(origin)]);
            };
            located.values = values;
        }
        Ok(located)
    }

    /// Decodes a value that stands at a path into a type of the caller's.
    ///
    /// # Errors
    /// When a key or a value is wrong: which and where.
    pub fn decode<T: DeserializeOwned>(
        &self,
        path: &str,
        value: Value,
    ) -> Result<T, Box<Diagnostic>> {
        serde_path_to_error::deserialize(value).map_err(|error| {
            let below = error.path().to_string();
            Box::new(self.refused(&joined(path, &below), &error.inner().to_string()))
        })
    }

    /// Returns where a key stands, or else the nearest thing around it.
    #[must_use]
    pub fn place(&self, path: &str) -> Option<&Origin> {
        let mut path = path;
        loop {
            if let Some(origin) = self.places.get(path) {
                return Some(origin);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// Makes a finding of what serde says.
    fn refused(&self, path: &str, reason: &str) -> Diagnostic {
        let unknown = reason.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
        let Some((key, rest)) = unknown else {
            let message = match path {
                "" => reason.to_owned(),
                path => format!("`{path}`: {reason}"),
            };
            let mut diagnostic = Diagnostic::error("invalid-value", message);
            diagnostic.origin = self.place(path).cloned();
            return diagnostic;
        };
        // The path may end before the key, or with it.
        let whole = if last(path) == key { path.to_owned() } else { joined(path, key) };
        let mut diagnostic = Diagnostic::error("unknown-key", format!("unknown key `{key}`"));
        diagnostic.origin = self.place(&whole).cloned();
        // `, expected one of `a`, `b``: every second piece is a word.
        let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
        match nearest(key, &known) {
            Some(word) => diagnostic.hint(format!("did you mean `{word}`?")),
            None if known.len() <= KEYS_LISTED => {
                diagnostic.hint(format!("the keys here are {}", known.join(", ")))
            }
            None => diagnostic,
        }
    }

    /// Takes a value over, and notes the places below it.
    fn take(&mut self, file: &str, path: &str, yaml: Yaml<'_, '_>) -> Value {
        if let Some((text, is_plain)) = yaml.scalar() {
            return scalar_value(text, is_plain);
        }
        if let Some(items) = yaml.items() {
            let items = items.enumerate().map(|(index, item)| {
                let path = format!("{path}[{index}]");
                self.places.insert(path.clone(), origin(file, item));
                self.take(file, &path, item)
            });
            return Value::Array(items.collect());
        }
        let entries = yaml.entries().into_iter().flatten().map(|(text, key, value)| {
            let path = joined(path, text);
            self.places.insert(path.clone(), origin(file, key));
            (text.to_owned(), self.take(file, &path, value))
        });
        Value::Object(entries.collect())
    }
}

/// More keys than this are a page of documentation, not a hint.
const KEYS_LISTED: usize = 12;

fn scalar_value(text: &str, is_plain: bool) -> Value {
    if !is_plain {
        return Value::from(text);
    }
    if scalar::is_null(text) {
        return Value::Null;
    }
    let truth = scalar::truth(text).map(Value::from);
    truth.or_else(|| scalar::integer(text).map(Value::from)).unwrap_or_else(|| Value::from(text))
}

fn joined(path: &str, below: &str) -> String {
    match (path, below) {
        (path, "" | ".") => path.to_owned(),
        ("", below) => below.to_owned(),
        (path, below) if below.starts_with('[') => format!("{path}{below}"),
        (path, below) => format!("{path}.{below}"),
    }
}

fn last(path: &str) -> &str {
    path.rsplit(['.', ']']).next().unwrap_or(path)
}

fn origin(file: &str, yaml: Yaml<'_, '_>) -> Origin {
    Origin { file: file.to_owned(), line: yaml.line(), column: yaml.column() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Settings {
        rate: Option<u32>,
        windows: Vec<Window>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Window {
        kind: String,
    }

    /// What is said of a text, or what was read.
    fn check(text: &str) -> String {
        let read = Located::read("s.yaml", text).and_then(|located| {
            let values = Value::Object(located.values.clone());
            located.decode::<Settings>("", values).map_err(|diagnostic| vec![*diagnostic])
        });
        match read {
            Ok(Settings { rate, windows }) => {
                let kinds: Vec<String> = windows.into_iter().map(|window| window.kind).collect();
                format!("{rate:?} {kinds:?}")
            }
            Err(diagnostics) => diagnostics.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn values_are_read_as_yaml_means_them() {
        assert_eq!(check("rate: 5\nwindows: [{kind: 'no'}]\n"), "Some(5) [\"no\"]");
        assert_eq!(check("# nothing\n"), "None []");
        assert_eq!(check("rate: ~\n"), "None []");
    }

    #[test]
    fn what_is_wrong_has_its_place_and_the_word_that_was_meant() {
        assert_eq!(
            check("rate: 5\nwindwos: []\n"),
            "s.yaml:2:1: error[unknown-key]: unknown key `windwos` (did you mean `windows`?)"
        );
        assert_eq!(
            check("windows:\n  - kind: a\n    size: 3\n"),
            "s.yaml:3:5: error[unknown-key]: unknown key `size` (the keys here are kind)"
        );
        assert_eq!(
            check("windows:\n  - kind: a\n  - kind: 3\n"),
            "s.yaml:3:5: error[invalid-value]: `windows[1].kind`: invalid type: integer `3`, \
             expected a string"
        );
        assert_eq!(
            check("rate: 5\nrate: 6\n"),
            "s.yaml:2:1: error[duplicate-key]: the key `rate` is given twice (the same key is in \
             line 1)"
        );
        assert!(
            check("- 5\n").contains("s.yaml:1:1: error[wrong-type]: settings must be a mapping")
        );
        assert!(check("rate: 5\n---\nrate: 6\n").contains("s.yaml:3:1: error[second-document]"));
        assert!(check("rate: [\n").starts_with("s.yaml:2:"));
    }
}
