//! What lives, is declared nowhere and is not ours, by its name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::markdown::escape;
use super::paper::{Line, Paper, Style};
use crate::model::Kind;
use crate::plan::{Plan, Unmanaged};

/// What stands above the names.
const HEADING: &str = "Not managed: declared nowhere, and not owned.";

/// Returns what is not managed, one a line; nothing where all of it is.
#[must_use]
pub fn unmanaged_as_text(plan: &Plan) -> Paper {
    let mut paper = Paper::new();
    if !plan.unmanaged.is_empty() {
        paper.push(Line::default());
        paper.push(Line::of(HEADING));
    }
    for Unmanaged { kind, name, id } in &plan.unmanaged {
        let line = Line::of(format!("  {kind}/{name}")).with(Style::Dim, format!("  {id}"));
        paper.push(line);
    }
    paper
}

/// Returns the same as a list for a pull request.
#[must_use]
pub fn unmanaged_as_markdown(plan: &Plan) -> String {
    if plan.unmanaged.is_empty() {
        return String::new();
    }
    let item = |Unmanaged { kind, name, id }: &Unmanaged| {
        format!("- {} ({})\n", escape(&format!("{kind}/{name}")), escape(id.as_str()))
    };
    let items: String = plan.unmanaged.iter().map(item).collect();
    format!("\n{HEADING}\n\n{items}")
}

/// What lives, is declared nowhere and is not ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Unmanaged")]
pub struct SavedUnmanaged {
    /// Its kind.
    pub kind: Kind,
    /// Its name: foreign text.
    pub name: String,
    /// The platform's id.
    pub id: String,
}

/// Returns the same for a document.
pub(super) fn unmanaged(plan: &Plan) -> Vec<SavedUnmanaged> {
    let saved = |Unmanaged { kind, name, id }: &Unmanaged| SavedUnmanaged {
        kind: *kind,
        name: name.clone(),
        id: id.to_string(),
    };
    plan.unmanaged.iter().map(saved).collect()
}
