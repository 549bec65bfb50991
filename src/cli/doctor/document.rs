//! What `stoker doctor` found, as it is printed for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::DialectEntry;

use super::super::session::Session;
use super::check::{Check, SavedCheck};
use super::judge::{AssumptionVerdict, Finding};

/// What is well and what is not.
#[derive(Serialize, JsonSchema)]
pub struct DoctorDocument {
    /// What was checked, in order.
    checks: Vec<SavedCheck>,
    /// What is assumed about the platform; empty where it cannot be asked.
    dialect: Vec<DialectRow>,
    /// What a probe found (`--probe`).
    probe: Vec<SavedFinding>,
}

/// One assumption about the platform, and how it is set.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Assumption")]
struct DialectRow {
    /// The setting of `--dialect`.
    key: &'static str,
    /// Its value; empty where it has none.
    value: String,
    /// The assumption's identifier.
    assumption: &'static str,
    /// What it means.
    about: &'static str,
}

impl DoctorDocument {
    /// Puts together what was found.
    pub fn new(checks: &[Check], session: Option<&Session>, findings: &[Finding]) -> Self {
        let dialect =
            session.map(|session| session.project.client.dialect().entries()).unwrap_or_default();
        let row = |entry: DialectEntry| {
            let DialectEntry { key, value, assumption, about } = entry;
            DialectRow { key, value, assumption, about }
        };
        Self {
            checks: checks.iter().map(SavedCheck::from).collect(),
            dialect: dialect.into_iter().map(row).collect(),
            probe: findings.iter().map(SavedFinding::from).collect(),
        }
    }
}

/// What is known of one assumption, as it is printed for programs.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub struct SavedFinding {
    /// What is assumed.
    fact: String,
    /// Its identifier.
    assumption: &'static str,
    /// `confirmed`, `false` or `unknown`.
    verdict: &'static str,
    /// What was seen.
    seen: String,
    /// The setting of `--dialect` that matches the platform, if there is one.
    set: Option<String>,
}

impl From<&Finding> for SavedFinding {
    fn from(finding: &Finding) -> Self {
        let Finding { fact, assumption, verdict, seen } = finding.clone();
        let (verdict, set) = match verdict {
            AssumptionVerdict::Confirmed => ("confirmed", None),
            AssumptionVerdict::False { set } => ("false", set),
            AssumptionVerdict::Unknown => ("unknown", None),
        };
        Self { fact, assumption, verdict, seen, set }
    }
}
