//! What a document of a plan says beside the plan itself.

use serde_json::{Map, Value};

use super::{Basis, Estimate};
use crate::model::Diagnostic;
use crate::plan::RuleFinding;

/// What a document says beside the plan itself.
#[derive(Clone, Debug, Default)]
pub struct Preamble {
    /// Digests of what the plan was made from.
    pub basis: Basis,
    /// The manifests' paths as given.
    pub paths: Vec<String>,
    /// The options that decide what is planned.
    pub options: Map<String, Value>,
    /// What the budget foretells.
    pub estimate: Estimate,
    /// Findings about the manifests.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether what is not managed is listed.
    pub shows_unmanaged: bool,
    /// What the rules of policies say of the plan.
    pub policies: Vec<RuleFinding>,
}
