//! What may stay other than declared: for a reason that is told, and that no pass can remove.

use std::collections::BTreeSet;

use crate::model::{Key, Kind};
use crate::plan::BlockedReason;
use crate::render::json::SavedChange;
use crate::status::{ConditionReason, ConditionType, ProjectStatus};

use super::super::scene::Scene;
use super::super::schedule::{Deed, Disturbance, Schedule, ScheduledStep};
use super::super::witness::{Mark, Marked, Witness};
use super::changes::is_in_circle;
use super::fuse::deletes_max;
use super::living::Living;
use super::writes::key;

/// Reasons that stand in the way by themselves, whoever is at work.
const OWN_REASONS: [ConditionReason; 6] = [
    ConditionReason::Immutable,
    ConditionReason::EnvGroup,
    ConditionReason::Presumed,
    ConditionReason::DependencyBlocked,
    ConditionReason::DependencyFailed,
    ConditionReason::Unsettled,
];

/// Reasons that others can give.
const OTHERS_REASONS: [ConditionReason; 7] = [
    ConditionReason::AmbiguousName,
    ConditionReason::NotOwned,
    ConditionReason::AdoptionRefused,
    ConditionReason::RolledBack,
    ConditionReason::DeployFailed,
    ConditionReason::FieldFlapping,
    ConditionReason::Protected,
];

/// Reasons that the names of strangers can give: what waits for a person's word is not counted as left
/// by the fuse.
const STRANGERS_REASONS: [ConditionReason; 2] =
    [ConditionReason::PerhapsOurs, ConditionReason::Fuse];

/// Returns what is not as declared for a reason that is told and that no pass can remove.
pub(super) fn excuses(
    scene: &Scene,
    witness: &Witness,
    status: &ProjectStatus,
    living: &Living,
) -> BTreeSet<Key> {
    let Schedule { steps, platform, .. } = &witness.schedule;
    let has_others =
        steps.iter().any(|step| step.what.is_by_others()) || !platform.quirks.is_empty();
    let is_exchanged_again = is_exchanged_again(scene, witness);
    // What is left alone after its repairs may be what the platform asks for before it takes the rest.
    let takes_away =
        |step: &ScheduledStep| matches!(&step.what, Disturbance::Person(Deed::Delete(..)));
    let is_cut_short = !platform.quirks.is_empty() && steps.iter().any(takes_away);
    let has_strangers = has_others || steps.iter().any(|step| step.what.changes_names());
    let excuses = |reason: &ConditionReason| {
        OWN_REASONS.contains(reason)
            || has_others && OTHERS_REASONS.contains(reason)
            || is_cut_short && *reason == ConditionReason::Failing
            || is_exchanged_again && *reason == ConditionReason::AmbiguousName
            || has_strangers && STRANGERS_REASONS.contains(reason)
    };
    let stuck = status.resources.iter();
    let stuck = stuck.filter(|it| ready_reason(status, &it.key).is_some_and(excuses));
    // A delete that is blocked is told to people with its reason, and that must be the right one.
    let blocked = status.pending.iter().filter(|change| {
        let (kind, is) = (change.key.kind, |reason| is_blocked(change, reason));
        // What others take, or may take, goes with an approval only.
        let needs_approval = || has_others || !may_prune(scene, witness, &change.key);
        let is_right = is(BlockedReason::Fuse) && is_too_much(status, living)
            || is(BlockedReason::Presumed)
            || is(BlockedReason::EnvGroup) && kind == Kind::EnvGroup
            || is(BlockedReason::ApprovalMissing) && kind == Kind::Database && needs_approval()
            || has_others && (is(BlockedReason::NotOwned) || is(BlockedReason::AmbiguousName));
        change.action == "delete" && is_right || has_strangers && is(BlockedReason::PerhapsOurs)
    });
    let blocked = blocked.map(|change| change.key.clone());
    stuck.map(|resource| resource.key.clone()).chain(blocked).collect()
}

/// Whether all manifests that declared a database let it go, those that came in half included.
fn may_prune(scene: &Scene, witness: &Witness, key: &Key) -> bool {
    let mut read = witness.marks.iter().filter_map(|Marked { mark, .. }| match mark {
        Mark::Read { desired, .. } => desired.as_ref()?.resources.get(key),
        _ => None,
    });
    scene.may_prune(key) && read.all(|resource| resource.lifecycle.prune == Some(true))
}

/// Whether names are to be exchanged by lines that were done before: then nobody can tell from them
/// which of the names are new.
fn is_exchanged_again(scene: &Scene, witness: &Witness) -> bool {
    let last = scene.revision(witness.revision);
    let desired = &last.desired;
    let is_this = |Marked { mark, .. }: &&Marked| matches!(mark, Mark::Committed { revision } if std::ptr::eq(scene.revision(*revision), last));
    desired.resources.keys().any(|key| is_in_circle(desired, key))
        && witness.marks.iter().filter(is_this).count() > 1
}

/// Whether what the fuse keeps is too much at once, or all that is left of a kind (S7).
fn is_too_much(status: &ProjectStatus, living: &Living) -> bool {
    let is_kept = |change: &&SavedChange| is_blocked(change, BlockedReason::Fuse);
    let kept: BTreeSet<&Key> =
        status.pending.iter().filter(is_kept).map(|change| &change.key).collect();
    let things = living.things().map(|(_, thing)| thing).filter(|thing| thing.maker.is(0));
    let ours: Vec<Key> = things.filter_map(|thing| key(thing.kind, &thing.name)).collect();
    let is_last = |kind: Kind| {
        let mut of_kind = ours.iter().filter(|key| key.kind == kind);
        kept.iter().any(|key| key.kind == kind) && of_kind.all(|key| kept.contains(key))
    };
    kept.len() > deletes_max(ours.len()) || Kind::ALL.into_iter().any(is_last)
}

pub(super) fn is_blocked(change: &SavedChange, reason: BlockedReason) -> bool {
    change.blocked.as_ref().is_some_and(|blocked| blocked.reason == reason.as_str())
}

pub(super) fn ready_reason<'a>(
    status: &'a ProjectStatus,
    key: &Key,
) -> Option<&'a ConditionReason> {
    let resource = status.resources.iter().find(|resource| resource.key == *key)?;
    Some(&resource.conditions.get(ConditionType::Ready)?.reason)
}
