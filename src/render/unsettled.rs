//! Values that nobody can tell of: the same in a plan, a report and a status.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Key;
use crate::plan::{Change, FieldChange, Plan};

use super::markdown::escape;
use super::paper::{Line, Paper, Style};
use super::phrase::plural;

/// A declared value that we never wrote and that the platform does not show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Unsettled")]
pub struct SavedUnsettled {
    /// The resource.
    pub key: Key,
    /// Its field.
    pub field: String,
    /// How a person settles it.
    pub hint: String,
}

/// Returns the values that nobody can tell of, one by one.
#[must_use]
pub fn unsettled(plan: &Plan) -> Vec<SavedUnsettled> {
    plan.changes.iter().flat_map(unsettled_of).collect()
}

/// Returns those of one change.
#[must_use]
pub fn unsettled_of(change: &Change) -> Vec<SavedUnsettled> {
    let one = |field: &FieldChange| SavedUnsettled {
        key: change.key.clone(),
        field: field.path.to_string(),
        hint: field.hint.clone().unwrap_or_default(),
    };
    change.unsettled().map(one).collect()
}

/// Returns the values that nobody can tell of, a line for each; nothing where there are none.
#[must_use]
pub fn unsettled_as_text(plan: &Plan) -> Paper {
    let mut paper = Paper::new();
    for (index, SavedUnsettled { key, field, hint }) in unsettled(plan).into_iter().enumerate() {
        if index == 0 {
            paper.push(Line::of("  ").plain(UNSETTLED));
        }
        let line = Line::of("  ").with(Style::Changed, format!("? {key}:{field}"));
        paper.push(line.plain(format!("  {hint}")));
    }
    paper
}

/// Returns the same as a list.
#[must_use]
pub fn unsettled_as_markdown(plan: &Plan) -> String {
    let line = |SavedUnsettled { key, field, hint }: SavedUnsettled| {
        format!("- **{}**: {}\n", escape(&format!("{key}:{field}")), escape(&hint))
    };
    let lines: String = unsettled(plan).into_iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("**{UNSETTLED}**\n\n{lines}\n") }
}

/// The heading of what nobody can tell of.
const UNSETTLED: &str =
    "Unsettled, because the platform does not show it and it was never written:";

/// Returns the changes as they are shown. Without any memory of what was written the values that
/// nobody can tell of are counted, and not listed.
pub(super) fn shown(plan: &Plan) -> Cow<'_, [Change]> {
    if plan.summary().unjudged == 0 {
        return Cow::Borrowed(&plan.changes);
    }
    let mut changes = plan.changes.clone();
    changes.iter_mut().for_each(|change| change.fields.retain(|field| !field.is_unsettled()));
    Cow::Owned(changes)
}

/// Returns the one line that stands for them.
pub(super) fn unjudged(plan: &Plan) -> Option<String> {
    let count = plan.summary().unjudged;
    (count > 0).then(|| {
        format!(
            "{count} value{} cannot be judged: the platform does not show {}, and there is no state \
             that says what was written (`--state`).",
            plural(count),
            if count == 1 { "it" } else { "them" }
        )
    })
}
