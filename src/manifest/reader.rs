//! Typed reading of the spanned tree: each read returns a value or notes what is wrong and goes on,
//! so that one run reports every mistake.

use super::scalar;
use super::suggest::nearest;
use super::tree::{UNRESOLVED, Yaml};
use crate::model::{Diagnostic, Origin, Severity, concealed};

/// The most findings kept. Nobody reads more, and a hostile file could make a million.
const DIAGNOSTICS_MAX: usize = 200;

/// The longest text of a setting, and the platform's limit for the value of a variable.
pub(super) const TEXT_BYTES_MAX: usize = 65_535;

/// The longest piece of a file repeated in a message.
const QUOTED_CHARS_MAX: usize = 60;

/// Which form a document has: native is strict, a Blueprint is read as it is found in the wild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentForm {
    Native,
    Blueprint,
}

/// All findings of a tree, with a limit.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Diagnostic>,
    left_out: usize,
    errors: usize,
}

impl Findings {
    pub fn push(&mut self, diagnostic: Diagnostic) {
        // Of a value that a variable did not give, what the field makes of it is no news.
        let is_cause = |earlier: &Diagnostic| {
            earlier.code == UNRESOLVED && earlier.is_error() && earlier.origin == diagnostic.origin
        };
        if self.list.iter().any(is_cause) {
            return;
        }
        self.errors += usize::from(diagnostic.is_error());
        if self.list.len() < DIAGNOSTICS_MAX {
            return self.list.push(diagnostic);
        }
        self.left_out += 1;
        // What must be mended is shown before what may stay.
        let warning = self.list.iter().rposition(|it| !it.is_error());
        if let Some(place) = warning.filter(|_| diagnostic.is_error()) {
            self.list[place] = diagnostic;
        }
    }

    pub const fn has_error(&self) -> bool {
        self.errors > 0
    }

    /// Returns how many errors were found so far.
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// Returns the findings by place, and a last one that counts those left out.
    pub fn into_sorted(self) -> Vec<Diagnostic> {
        let Self { mut list, left_out, errors } = self;
        list.sort_by(|left, right| left.origin.cmp(&right.origin));
        if left_out > 0 {
            let message = format!("{left_out} more findings are left out");
            let last = Diagnostic::warning("too-many-findings", message);
            list.push(if errors > 0 {
                Diagnostic { severity: Severity::Error, ..last }
            } else {
                last
            });
        }
        list
    }
}

/// Reads one document of one file.
pub(super) struct DocumentReader<'f> {
    pub file: &'f str,
    pub form: DocumentForm,
    pub findings: &'f mut Findings,
}

impl DocumentReader<'_> {
    pub fn origin(&self, yaml: Yaml<'_, '_>) -> Origin {
        let file = yaml.file().unwrap_or(self.file).to_owned();
        Origin { file, line: yaml.line(), column: yaml.column() }
    }

    /// Notes an error.
    pub fn error(&mut self, yaml: Yaml<'_, '_>, code: &'static str, message: impl Into<String>) {
        let diagnostic = Diagnostic::error(code, message).at(self.origin(yaml));
        self.findings.push(diagnostic);
    }

    /// Notes an error and what to do.
    pub fn error_with(
        &mut self,
        yaml: Yaml<'_, '_>,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let diagnostic = Diagnostic::error(code, message).at(self.origin(yaml)).hint(hint);
        self.findings.push(diagnostic);
    }

    /// Notes a warning and what to do.
    pub fn warn(
        &mut self,
        yaml: Yaml<'_, '_>,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let diagnostic = Diagnostic::warning(code, message).at(self.origin(yaml)).hint(hint);
        self.findings.push(diagnostic);
    }

    /// Notes that a value is left out, and with it all that lies below.
    pub fn leave_out(
        &mut self,
        yaml: Yaml<'_, '_>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        yaml.take();
        self.warn(yaml, "not-managed", message, hint);
    }

    /// Accounts for every value of a document: what nobody took is told, so that nothing is ever
    /// dropped without a word. A value that is `null` says nothing.
    pub fn account(&mut self, root: Yaml<'_, '_>) {
        self.untaken(root, "");
    }

    fn untaken(&mut self, yaml: Yaml<'_, '_>, path: &str) {
        if yaml.is_taken() {
            return;
        }
        if yaml.scalar().is_some() {
            let message = format!("`{}` is not read here, and would be lost", quoted(path));
            self.mind(yaml, "unused-value", message, Some("remove it".to_owned()));
        }
        for item in yaml.items().into_iter().flatten() {
            self.untaken(item, path);
        }
        for (key, _, value) in yaml.entries().into_iter().flatten() {
            let below = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            self.untaken(value, &below);
        }
    }

    /// Notes what is an error in a native document and a warning in a Blueprint.
    pub fn mind(
        &mut self,
        yaml: Yaml<'_, '_>,
        code: &'static str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let mut diagnostic = match self.form {
            DocumentForm::Native => Diagnostic::error(code, message),
            DocumentForm::Blueprint => Diagnostic::warning(code, message),
        };
        diagnostic.hints.extend(hint);
        let origin = self.origin(yaml);
        self.findings.push(diagnostic.at(origin));
    }

    /// Takes a mapping whose keys are known; notes the others.
    pub fn mapping<'d, 'a>(
        &mut self,
        yaml: Yaml<'d, 'a>,
        path: &str,
        known: &[&str],
    ) -> Option<Yaml<'d, 'a>> {
        let Some(entries) = yaml.entries() else {
            self.wrong_type(yaml, path, "a mapping");
            return None;
        };
        for (key, place, value) in entries {
            if !known.contains(&key) {
                self.unknown_key(place, path, key, known);
                value.take();
            }
        }
        Some(yaml)
    }

    fn unknown_key(&mut self, place: Yaml<'_, '_>, path: &str, key: &str, known: &[&str]) {
        let below = if path.is_empty() { String::new() } else { format!("{path}.") };
        let message = format!("unknown field `{below}{}`", quoted(key));
        let hint = super::suggest::foreign_field(key)
            .filter(|_| self.form == DocumentForm::Native)
            .map(str::to_owned)
            .or_else(|| nearest(key, known).map(|word| format!("did you mean `{word}`?")));
        self.mind(place, "unknown-field", message, hint);
    }

    pub fn wrong_type(&mut self, yaml: Yaml<'_, '_>, path: &str, wanted: &str) {
        yaml.take();
        let message = format!("`{path}` must be {wanted}, not {}", yaml.describe());
        self.error(yaml, "wrong-type", message);
    }

    /// Takes a list. In a Blueprint a single value is a list of one.
    pub fn items<'d, 'a>(&mut self, yaml: Yaml<'d, 'a>, path: &str) -> Vec<Yaml<'d, 'a>> {
        if let Some(items) = yaml.items() {
            return items.collect();
        }
        if self.form == DocumentForm::Blueprint && (yaml.scalar().is_some() || yaml.is_null()) {
            return if yaml.is_null() { Vec::new() } else { vec![yaml] };
        }
        self.wrong_type(yaml, path, "a list");
        Vec::new()
    }

    /// Takes a text exactly as written, whatever a typed reader would make of it.
    pub fn text(&mut self, yaml: Yaml<'_, '_>, path: &str) -> Option<String> {
        let text = self.text_as_written(yaml, path)?;
        if let Some((_, true)) = yaml.scalar()
            && let Some(other) = scalar::retyped(&text)
        {
            let message = format!("other YAML parsers read `{}` as {other}", quoted(&text));
            self.warn(
                yaml,
                "ambiguous-scalar",
                message,
                "put it in quotes; the text is kept as written",
            );
        }
        self.tell_mark(yaml, path, &text);
        Some(text)
    }

    /// Takes a text without a word about how others read it.
    pub fn text_as_written(&mut self, yaml: Yaml<'_, '_>, path: &str) -> Option<String> {
        if yaml.is_null() {
            let hint = "write `\"\"` for an empty text, or remove the line";
            self.error_with(yaml, "no-value", format!("`{path}` has no value"), hint);
            return None;
        }
        let Some((text, _)) = yaml.scalar() else {
            self.wrong_type(yaml, path, "text");
            return None;
        };
        yaml.take();
        if text.len() > TEXT_BYTES_MAX {
            // Of what lives already the platform knows better.
            let message = format!("`{path}` is longer than {TEXT_BYTES_MAX} bytes");
            self.warn(yaml, "too-long", message, "the platform is documented to accept no more");
        }
        if text.contains('\0') {
            self.error(yaml, "control-character", format!("`{path}` contains a NUL character"));
            return None;
        }
        Some(text.to_owned())
    }

    /// Tells of `${…}` in a Blueprint, which has no variables, nor a way to write their mark
    /// otherwise: there it is text. Those of a native document were filled in before.
    pub fn tell_mark(&mut self, yaml: Yaml<'_, '_>, path: &str, text: &str) {
        if self.form == DocumentForm::Blueprint && text.contains("${") {
            let message = format!("`{path}` contains `${{…}}`, which a Blueprint does not replace");
            self.warn(yaml, UNRESOLVED, message, "it is sent unchanged");
        }
    }

    /// Takes a whole number within a range.
    pub fn integer(
        &mut self,
        yaml: Yaml<'_, '_>,
        path: &str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        let (text, is_plain) = yaml.scalar().unwrap_or_default();
        yaml.take();
        let is_accepted = is_plain || yaml.is_filled() || self.form == DocumentForm::Blueprint;
        let Some(number) = scalar::integer(text).filter(|_| is_accepted) else {
            if yaml.scalar().is_none() || yaml.is_null() {
                self.wrong_type(yaml, path, "a whole number");
                return None;
            }
            let message = format!("`{path}` must be a whole number, not `{}`", quoted(text));
            let hint = if scalar::integer(text).is_some() {
                "remove the quotes"
            } else {
                "plain decimal digits, for example 3000"
            };
            self.error_with(yaml, "wrong-type", message, hint);
            return None;
        };
        if range.contains(&number) {
            return Some(number);
        }
        let (min, max) = (range.start(), range.end());
        let message = format!("`{path}` is {number}, which is not within {min} to {max}");
        self.error(yaml, "out-of-range", message);
        None
    }

    /// Takes a boolean.
    pub fn boolean(&mut self, yaml: Yaml<'_, '_>, path: &str) -> Option<bool> {
        let (text, is_plain) = yaml.scalar().unwrap_or_default();
        yaml.take();
        let lenient = scalar::truth_leniently(text);
        let truth = match self.form {
            DocumentForm::Native => scalar::truth(text).filter(|_| is_plain || yaml.is_filled()),
            DocumentForm::Blueprint => lenient,
        };
        if truth.is_none() {
            if yaml.scalar().is_none() || yaml.is_null() {
                self.wrong_type(yaml, path, "`true` or `false`");
                return None;
            }
            let message = format!("`{path}` must be `true` or `false`, not `{}`", quoted(text));
            match lenient {
                Some(truth) => {
                    self.error_with(yaml, "wrong-type", message, format!("write `{truth}`"));
                }
                None => self.error(yaml, "wrong-type", message),
            }
        }
        truth
    }
}

/// Returns a piece of a file for a message: without secrets, and cut.
#[must_use]
pub fn quoted(text: &str) -> String {
    let text = concealed(text);
    let mut characters = text.chars();
    let mut cut: String = characters.by_ref().take(QUOTED_CHARS_MAX).collect();
    if characters.next().is_some() {
        cut.push('…');
    }
    cut
}
