//! The JSON forms, public and versioned: their structs are their own, so that renaming a thing in
//! the program never changes them.
//!
//! Minor versions only add. Readers ignore what they do not know and refuse another major version.
//! What must not be seen is absent, not masked. Control and bidi characters are escaped as JSON
//! allows, so a document is inert on a terminal and still says exactly what it says.

use std::borrow::Cow;
use std::fmt::Write;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::model::{Diagnostic, break_marks, is_unseen};

use super::saved::saved_diagnostic;

pub use super::by_hand::{SavedByHand, by_hand};
pub use super::policies::SavedRuleFinding;
pub use super::report::{SavedCounts, SavedReport, SavedResult};
pub use super::saved::{
    Basis, Preamble, SavedBlocked, SavedChange, SavedCost, SavedDiagnostic, SavedField,
    SavedOrigin, SavedPlan, SavedPlanError, SavedSummary, SavedWay, saved_change,
};
pub use super::seal::seal;
pub use super::unmanaged::SavedUnmanaged;
pub use super::unsettled::{SavedUnsettled, unsettled, unsettled_of};

/// The version written. Its first number changes when a reader of the old form would be misled.
pub const FORMAT_VERSION: &str = "1.0";

/// A document that begins with the version of its form.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Versioned<T> {
    /// The version of this form.
    format_version: &'static str,
    #[serde(flatten)]
    body: T,
}

impl<T> From<T> for Versioned<T> {
    fn from(body: T) -> Self {
        Self { format_version: FORMAT_VERSION, body }
    }
}

/// How the forms write a time: in UTC, as RFC 3339 has it.
#[derive(Debug)]
pub struct JsonTime;

impl JsonSchema for JsonTime {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// How a command failed; the exit code says the same.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Failure")]
pub struct SavedFailure<'a> {
    /// What failed.
    error: SavedError<'a>,
    /// Findings about manifests or settings, with their places; absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    diagnostics: Vec<SavedDiagnostic>,
}

/// What failed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Error")]
struct SavedError<'a> {
    /// Why: one of the error codes.
    code: &'a str,
    /// What, for people. Foreign text may stand in it.
    message: &'a str,
    /// What to do, one each.
    hints: &'a [String],
    /// The platform's name for the request, for its support.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

/// Returns a failure, to be written as a [`document()`] or a [`line()`].
#[must_use]
pub fn error<'a>(
    code: &'a str,
    message: &'a str,
    hints: &'a [String],
    request_id: Option<&'a str>,
    diagnostics: &'a [Diagnostic],
) -> SavedFailure<'a> {
    let error = SavedError { code, message, hints, request_id };
    SavedFailure { error, diagnostics: self::diagnostics(diagnostics) }
}

/// Returns findings in the form of a plan's.
#[must_use]
pub fn diagnostics(diagnostics: &[Diagnostic]) -> Vec<SavedDiagnostic> {
    diagnostics.iter().map(saved_diagnostic).collect()
}

/// Writes any value as indented, inert JSON.
#[must_use]
pub fn document(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("our documents have only text keys");
    escape(&text) + "\n"
}

/// Writes any value as one line of inert JSON.
#[must_use]
pub fn line(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).expect("our documents have only text keys");
    escape(&text) + "\n"
}

/// Escapes what is not seen. Outside of strings JSON has none of it but line breaks.
fn escape(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut units = [0; 2];
    // A build server reads what is printed, and takes `##[` in a text for a command.
    for c in break_marks(json, "\\u0023").chars() {
        if c == '\n' || !is_unseen(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            write!(out, "\\u{unit:04x}").expect("a string takes everything");
        }
    }
    out
}
