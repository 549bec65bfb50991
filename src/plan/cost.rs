//! What carrying changes out costs, to the request: `apply` is tested against it.

use std::collections::BTreeSet;

use crate::model::{Kind, Live};

use super::{Change, Cost, Step};

/// How old a list may be when a create leaves that rests on it, in seconds (S2). Where all creates
/// have not left by then, it is read again, once for all that are left: that is not in the cost.
pub const LIST_SECONDS_MAX: u64 = 10;

fn patches(change: &Change) -> bool {
    change.steps.iter().any(|step| matches!(step, Step::Patch { .. }))
}

/// Returns the requests from the start of `stoker apply`, when nothing fails and nothing moved.
pub(super) fn of(changes: &[Change], live: &Live) -> Cost {
    let mut cost = Cost {
        // The snapshot is read again: apply plans from what is, not from what was shown.
        reads: live.requests,
        writes: 0,
    };
    let mut swept: BTreeSet<Kind> = BTreeSet::new();
    for change in changes {
        // S2: a second listing with the same ids, once a kind.
        if change.rests_on_a_list() {
            swept.insert(change.key.kind);
        }
        let writes = u32::try_from(change.writes()).unwrap_or(u32::MAX);
        cost.writes = cost.writes.saturating_add(writes);
        for step in &change.steps {
            match step {
                Step::Create { .. } => {}
                // What a PATCH has just shown need not be looked at again.
                Step::Deploy { .. } if patches(change) => {}
                Step::Deploy { .. } => cost.reads = cost.reads.saturating_add(1),
                // S10: the object must still be what was shown.
                Step::Patch { .. } | Step::MakeWay { .. } | Step::Complete { .. } => {
                    cost.reads = cost.reads.saturating_add(1);
                }
                // S1: a GET by id answers the same kind, name and time.
                Step::Delete { .. } => cost.reads = cost.reads.saturating_add(1),
            }
        }
    }
    for kind in swept {
        cost.reads = cost.reads.saturating_add(live.listing(kind).pages);
    }
    cost
}
