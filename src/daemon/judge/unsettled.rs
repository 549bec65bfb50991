//! What is said of values that nobody can tell of: never that they are as declared.

use crate::plan::Change;
use crate::project::Passed;
use crate::render::json::{self, SavedUnsettled};
use crate::status::ConditionReason;

use super::{State, Verdict, more};

/// Whether a resource has values of which nobody can tell whether they are as declared.
pub(super) fn is_open(change: Option<&Change>) -> bool {
    change.is_some_and(|change| change.unsettled().next().is_some())
}

/// Returns them. Before anything was written down nobody knows which they are: a first look without
/// a state is about none, and after a first pass that wrote they are told.
pub(super) fn values(passed: &Passed, change: Option<&Change>) -> Vec<SavedUnsettled> {
    let is_known = !passed.inventory.is_blank();
    let change = change.filter(|_| is_known);
    change.map(json::unsettled_of).unwrap_or_default()
}

/// Returns the verdict on a resource of which nobody can tell, and only a person can settle it.
pub(super) fn verdict(values: &[SavedUnsettled]) -> Option<Verdict> {
    let (first, others) = values.split_first()?;
    let others = more(others.len(), "value");
    let SavedUnsettled { key: _, field, hint } = first;
    let message = format!(
        "`{field}`{others} was never written and is not shown: it is unknown whether it is as \
         declared; {hint}"
    );
    Some(Verdict::new(State::Unseeable, ConditionReason::Unsettled, message))
}
