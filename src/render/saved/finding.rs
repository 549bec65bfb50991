//! The findings of a plan as a document: about the manifests, and about what was not seen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Diagnostic, Origin};
use crate::plan::{Blocked, Change};

use super::SavedOrigin;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Diagnostic")]
pub struct SavedDiagnostic {
    /// `error` or `warning`.
    pub severity: String,
    /// A stable word.
    pub code: String,
    /// A fragment.
    pub message: String,
    /// Where.
    pub origin: Option<SavedOrigin>,
    /// What to do.
    pub hints: Vec<String>,
}

/// Returns the finding that a resource is unknown.
pub(super) fn unknown(change: &Change) -> Option<SavedDiagnostic> {
    let Blocked { reason, message, hint } = change.blocked.as_ref()?;
    Some(SavedDiagnostic {
        severity: "warning".to_owned(),
        code: reason.as_str().to_owned(),
        message: format!("{} is unknown: {message}", change.key),
        origin: change.origin.as_ref().map(|origin| saved_origin(origin, None)),
        hints: hint.iter().cloned().collect(),
    })
}

/// Returns a place, as far as it is known.
pub(in crate::render) fn saved_origin(origin: &Origin, column: Option<usize>) -> SavedOrigin {
    SavedOrigin { file: origin.file.clone(), line: origin.line, column }
}

/// Returns a finding about the manifests.
pub(in crate::render) fn saved_diagnostic(diagnostic: &Diagnostic) -> SavedDiagnostic {
    let origin = diagnostic.origin.as_ref();
    let origin = origin.map(|origin| saved_origin(origin, Some(origin.column)));
    SavedDiagnostic {
        severity: if diagnostic.is_error() { "error" } else { "warning" }.to_owned(),
        code: diagnostic.code.to_owned(),
        message: diagnostic.message.clone(),
        origin,
        hints: diagnostic.hints.clone(),
    }
}
