//! What a plan comes to: how many of each, and whether anything is left to do or held back.

use super::report::is_refusal;
use super::{Action, Change, FieldReason, Plan};

/// How many of each, for the last line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Creates and replaces.
    pub add: usize,
    /// Updates.
    pub change: usize,
    /// Deletes and replaces.
    pub destroy: usize,
    /// Adoptions that write nothing.
    pub adopt: usize,
    /// Blocked changes.
    pub blocked: usize,
    /// Resources of which was not seen what a verdict on them needs (S2).
    pub unknown: usize,
    /// Declared values that we never wrote and that the platform does not show.
    pub unsettled: usize,
    /// The same, where there is no memory of what was written.
    pub unjudged: usize,
    /// Live objects that are neither declared nor ours.
    pub unmanaged: usize,
}

impl Plan {
    /// Counts the changes.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let open = self.changes.iter().flat_map(Change::unsettled).count();
        let (unsettled, unjudged) = if self.is_stateless { (0, open) } else { (open, 0) };
        let unmanaged = self.unmanaged.len();
        let mut summary = Summary { unsettled, unjudged, unmanaged, ..Summary::default() };
        for change in &self.changes {
            if let Some(blocked) = &change.blocked {
                match blocked.is_unseen() {
                    true => summary.unknown += 1,
                    false => summary.blocked += 1,
                }
                continue;
            }
            match change.action {
                Action::Create => summary.add += 1,
                Action::Update => summary.change += 1,
                Action::Delete => summary.destroy += 1,
                Action::Replace => {
                    summary.add += 1;
                    summary.destroy += 1;
                }
                Action::Adopt => summary.adopt += 1,
                Action::Forget | Action::None => {}
            }
        }
        summary
    }

    /// Whether there is nothing to carry out: nothing to write to the platform, nothing to remember.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.remember.is_empty() && !self.makes_changes()
    }

    /// Whether any change would be carried out, on the platform or in what is remembered as ours.
    #[must_use]
    pub fn makes_changes(&self) -> bool {
        let is_made = |change: &Change| change.blocked.is_none() && change.action != Action::None;
        self.changes.iter().any(is_made)
    }

    /// Whether something would be written to the platform: what `--detailed-exitcode` tells.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.changes.iter().any(|change| !change.steps.is_empty())
    }

    /// Whether something that was asked for is held back: by a safety rail, so that carrying the
    /// plan out would be refused in part, or because a field was given up that does not stay as it
    /// is written. What was never asked for (pruning that is off) is not held back.
    #[must_use]
    pub fn is_held_back(&self) -> bool {
        self.changes.iter().any(|change| {
            let blocked = change.blocked.as_ref();
            blocked.is_some_and(|it| is_refusal(it.reason, change.action, change.key.kind))
                || change.fields.iter().any(|field| field.reason == FieldReason::Flapping)
        })
    }
}
