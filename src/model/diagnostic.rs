//! What is wrong with a manifest, as data: printed in one place, never thrown.

use std::fmt;

use super::Origin;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The desired state stands, but a person should look.
    Warning,
    /// The desired state is invalid as a whole (S6).
    Error,
}

/// The lines around a mistake, and where on them to point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// Whole lines as they stand in the file, without a secret's value.
    pub text: String,
    /// The number of the first of these lines, from 1.
    pub line_first: usize,
    /// The bytes of `text` to point at.
    pub span: std::ops::Range<usize>,
}

/// One finding about the manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable word for the kind of finding, for example `duplicate-key`.
    pub code: &'static str,
    /// What is wrong, a lower-case fragment without a full stop.
    pub message: String,
    /// Where, when it has a place.
    pub origin: Option<Origin>,
    /// The lines to show, when the place is in a file.
    pub snippet: Option<Snippet>,
    /// What to do, each a fragment such as "did you mean `main`?".
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// Makes an error without a place.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            origin: None,
            snippet: None,
            hints: Vec::new(),
        }
    }

    /// Makes a warning without a place.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Whether it makes the desired state invalid.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// One line, as logs and tests want it: `file:line:column: error[code]: message (hint; hint)`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, code, message, origin, snippet: _, hints } = self;
        if let Some(Origin { file, line, column }) = origin {
            write!(formatter, "{file}:{line}:{column}: ")?;
        }
        let severity = match severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(formatter, "{severity}[{code}]: {message}")?;
        if !hints.is_empty() {
            write!(formatter, " ({})", hints.join("; "))?;
        }
        Ok(())
    }
}
