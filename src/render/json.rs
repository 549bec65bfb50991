//! The JSON forms, public and versioned: their structs are their own, so that renaming a thing in
//! the program never changes them.
//!
//! Minor versions only add. Readers ignore what they do not know and refuse another major version.
//! What must not be seen is absent, not masked. Control and bidi characters are escaped as JSON
//! allows, so a document is inert on a terminal and still says exactly what it says.

use std::fmt::Write;

use serde::Serialize;

use crate::model::{Diagnostic, break_marks, is_unseen};
use crate::plan::Report;

use super::saved::saved_diagnostic;

pub use super::by_hand::{SavedByHand, by_hand};
pub use super::saved::{
    Basis, Preamble, SavedBlocked, SavedChange, SavedCost, SavedDiagnostic, SavedField,
    SavedOrigin, SavedPlan, SavedPlanError, SavedSummary, SavedWay, saved_change,
};
pub use super::seal::seal;
pub use super::unsettled::{SavedUnsettled, unsettled, unsettled_of};

/// The version written. Its first number changes when a reader of the old form would be misled.
pub const FORMAT_VERSION: &str = "1.0";

/// Returns a failure, to be written as a [`document()`] or a [`line()`]; the exit code says the same.
#[must_use]
pub fn error<'a>(
    code: &'a str,
    message: &'a str,
    hints: &'a [String],
    request_id: Option<&'a str>,
    diagnostics: &'a [Diagnostic],
) -> impl Serialize + use<'a> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Failure<'a> {
        code: &'a str,
        message: &'a str,
        hints: &'a [String],
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<&'a str>,
    }
    let failure = Failure { code, message, hints, request_id };
    #[derive(Serialize)]
    struct Failed<'a> {
        error: Failure<'a>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        diagnostics: Vec<SavedDiagnostic>,
    }
    let diagnostics = diagnostics.iter().map(saved_diagnostic).collect();
    Failed { error: failure, diagnostics }
}

/// Returns findings in the form of a plan's.
#[must_use]
pub fn diagnostics(diagnostics: &[Diagnostic]) -> Vec<SavedDiagnostic> {
    diagnostics.iter().map(saved_diagnostic).collect()
}

/// Returns what became of a plan as JSON.
#[must_use]
pub fn report(report: &Report) -> serde_json::Value {
    super::report::document(report, FORMAT_VERSION)
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
