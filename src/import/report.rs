//! What is said of an import: findings with places, and what a person has to do about a resource.

use std::collections::BTreeMap;

use crate::manifest::{Placed, quoted};
use crate::model::{Desired, Diagnostic, Key, Origin, ValueSource};

/// Collects findings and notes.
#[derive(Debug, Default)]
pub(super) struct ImportReport {
    findings: Vec<Diagnostic>,
    /// Comments by the resource they are about.
    pub notes: BTreeMap<Key, Vec<String>>,
}

impl ImportReport {
    pub fn push(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    pub fn has_error(&self) -> bool {
        self.findings.iter().any(Diagnostic::is_error)
    }

    /// Returns the findings by place.
    pub fn into_findings(self) -> Vec<Diagnostic> {
        let mut findings = self.findings;
        findings.sort_by(|left, right| left.origin.cmp(&right.origin));
        findings
    }

    /// Says that a value cannot be carried over, and with it all that lies below.
    pub fn lose(&mut self, value: &Placed, path: &str, why: &str) {
        value.take();
        let message = format!("`{}` cannot be carried over: {why}", quoted(path));
        self.push(Diagnostic::warning("not-carried", message).at(value.origin()));
    }

    /// Says what a person should look at.
    pub fn mind(&mut self, at: Origin, code: &'static str, message: String, hint: &str) {
        self.push(Diagnostic::warning(code, message).at(at).hint(hint));
    }

    /// Says that a value cannot be used.
    pub fn error(&mut self, at: Origin, code: &'static str, message: String, hint: &str) {
        self.push(Diagnostic::error(code, message).at(at).hint(hint));
    }

    /// Says that a value is of another form than its place takes.
    pub fn wrong_type(&mut self, value: &Placed, path: &str, wanted: &str) {
        value.take();
        let message = format!("`{}` must be {wanted}, not {}", quoted(path), value.describe());
        self.push(Diagnostic::error("wrong-type", message).at(value.origin()));
    }

    /// Notes upon a resource what a person has to do about it.
    pub fn note(&mut self, key: &Key, note: impl Into<String>) {
        self.notes.entry(key.clone()).or_default().push(note.into());
    }

    /// Says of what nobody took below a path that it is not known.
    pub fn account(&mut self, root: &Placed, path: &str) {
        for (below, value) in root.untaken() {
            let whole = match (path, below.as_str()) {
                ("", below) => below.to_owned(),
                (path, "") => path.to_owned(),
                (path, below) => format!("{path}.{below}"),
            };
            let message = format!("`{}` is unknown, and is left out", quoted(&whole));
            self.push(Diagnostic::warning("unknown-field", message).at(value.origin()));
        }
    }

    /// Notes upon each resource which of its variables are set by hand.
    pub fn note_by_hand(&mut self, desired: &Desired<ValueSource>) {
        for (key, resource) in &desired.resources {
            let keys: Vec<&str> = resource.set_by_hand.keys().map(|key| key.as_str()).collect();
            if !keys.is_empty() {
                self.note(key, format!("to be set by hand: {}", keys.join(", ")));
            }
        }
    }
}
