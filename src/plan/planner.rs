//! The algorithm, and nothing beside it: ownership, then diff, then order, then guard, then steps.

use std::collections::BTreeSet;

use crate::model::{Entry, Inventory, Key, Live, Name, Snapshot};

use super::draft::ChangeDrafts;
use super::view::View;
use super::{
    Change, Plan, Policy, Unmanaged, by_hand, cost, draft, exchange, guard, in_use, likely_rename,
    order, ownership, replacing, step, succession,
};

/// Decides everything that would be done, from three states and what is allowed.
///
/// # Guarantees
/// Total: any snapshot yields a plan. Deterministic: the order in which anything was listed does
/// not matter. Pure: `snapshot.now` is the only time there is.
#[must_use]
pub fn plan(snapshot: &Snapshot, policy: &Policy) -> Plan {
    let view = View::of(snapshot);
    let claims = ownership::claim(&view, policy);
    let by_hand = by_hand::of(&claims, &view, policy);
    let ChangeDrafts { mut drafts, unchanged, settled, mut remember } =
        draft::write(claims, &view, policy);
    for draft in &mut drafts {
        replacing::promote(draft, policy, snapshot.now);
        succession::follow(draft, &view);
    }
    exchange::begin(&mut drafts, &view, policy);
    let guarded = guard::check(order::arrange(drafts), &view, policy);
    remember.extend(protections(&view, policy));
    let wants = in_use::wanted(&guarded, &view);
    let likely_renames = likely_rename::of(&guarded);
    let changes = step::lower(guarded, policy);
    Plan {
        origin: snapshot.origin.clone(),
        project: snapshot.live.project.clone(),
        revision: snapshot.desired.revision.clone(),
        digest: snapshot.desired.digest.clone(),
        unmanaged: unmanaged(&view, &changes),
        cost: cost::of(&changes, &snapshot.live),
        changes,
        unchanged,
        settled,
        remember,
        by_hand,
        wants,
        likely_renames,
        is_stateless: snapshot.inventory.is_blank(),
    }
}

/// What manifests said that were replaced before anything was carried out (S11).
fn protections<'a>(
    view: &View<'a>,
    policy: &'a Policy,
) -> impl Iterator<Item = (Key, Entry)> + use<'a> {
    let Inventory { entries, intents, .. } = view.inventory();
    let desired = &view.desired().resources;
    // To remember an entry ends an intent; what comes of that one is remembered then.
    let is_open = |key: &Key| !desired.contains_key(key) && !intents.contains_key(key);
    policy.learned.protections.iter().filter(move |(key, _)| is_open(key)).filter_map(
        |(key, said)| {
            let entry = entries.get(key)?;
            let remembered = entry.remembered.and(*said);
            let is_new = remembered != entry.remembered;
            is_new.then(|| (key.clone(), Entry { remembered, ..entry.clone() }))
        },
    )
}

fn unmanaged(view: &View<'_>, changes: &[Change]) -> Vec<Unmanaged> {
    let snapshot = view.snapshot;
    let planned: BTreeSet<_> =
        changes.iter().filter_map(|change| Some((change.key.kind, change.id.as_ref()?))).collect();
    let mut unmanaged = Vec::new();
    for (kind, listing) in &snapshot.live.listings {
        for object in &listing.objects {
            let name = Name::new(&object.name).ok();
            let key = name.map(|name| Key::new(*kind, name));
            // The name belongs to the object we own under it, if there is one; else to what is
            // declared, or to a create that may have made this one.
            let is_declared = key.as_ref().is_some_and(|key| {
                let is_named = snapshot.desired.resources.contains_key(key)
                    || snapshot.desired.tombstones.contains_key(key)
                    || snapshot.inventory.intents.contains_key(key);
                is_named && !snapshot.inventory.entries.contains_key(key)
            });
            let is_planned = planned.contains(&(*kind, &object.id));
            if !is_declared && !is_planned && view.owner(*kind, &object.id).is_none() {
                unmanaged.push(Unmanaged {
                    kind: *kind,
                    name: object.name.clone(),
                    id: object.id.clone(),
                });
            }
        }
    }
    unmanaged.sort_by(|left, right| {
        let order = |it: &Unmanaged| (it.kind, it.name.clone(), it.id.clone());
        order(left).cmp(&order(right))
    });
    unmanaged
}

/// Returns the cost of a part of a plan, for what a review left of it.
pub(super) fn recount(changes: Vec<Change>, fresh: Plan, live: &Live) -> Plan {
    Plan { cost: cost::of(&changes, live), changes, ..fresh }
}
