//! What was looked at once and is planned on later: of what more details are needed now, nothing is
//! concluded (S2).

use std::collections::BTreeSet;

use super::live::objects_to_detail;
use super::recollection::Recollection;
use crate::model::{Desired, Inventory, Kind, Live, RemoteId, Unknown};

/// Notes as unread what a plan needs the details of, and was not read in detail when it was looked
/// at.
pub fn note_undetailed(
    live: &mut Live,
    desired: &Desired,
    inventory: &Inventory,
    detailed: &BTreeSet<(Kind, RemoteId)>,
) {
    let wanted = objects_to_detail(live, desired, inventory, &Recollection::default());
    for id in wanted.into_iter().filter(|id| !detailed.contains(id)) {
        live.unread.entry(id).or_insert(Unknown::Unread);
    }
}
