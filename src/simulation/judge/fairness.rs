//! L2: a service whose PATCH is always refused does not delay the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::emulator::Verb;
use crate::model::{Field, FieldPath, Kind, Resource, ValueSource};

use super::super::law::{Law, LawFindings};
use super::super::scene::Scene;
use super::super::schedule::{Disturbance, ScheduledStep};
use super::super::timeline::{Happened, timeline};
use super::super::witness::{Mark, Marked, Witness};
use super::place_of;

/// One interval with its jitter, and the time of the pass itself.
const DELAY_MS_MAX: u64 = 400_000;

/// How long before a commit nothing else may have been wrong.
const CALM_MS: u64 = 100_000;

/// Where a commit met one that always fails.
struct Met<'w> {
    at: u64,
    /// The revisions so far.
    before: Vec<usize>,
    after: usize,
    failing: &'w str,
}

pub(super) fn judge(scene: &Arc<Scene>, witness: &Witness, findings: &mut LawFindings) {
    let steps = &witness.schedule.steps;
    let patched = patched(witness);
    for met in meetings(witness).filter(|met| is_alone(steps, met.at)) {
        for name in changed(scene, &met) {
            let in_time = |(at, patched): &(u64, String)| {
                *patched == name && (met.at..met.at + DELAY_MS_MAX).contains(at)
            };
            let is_in_time = patched.iter().any(in_time);
            let Met { failing, .. } = &met;
            findings.check(Law::L2, is_in_time, || {
                format!("{failing} always fails, and {name} was not changed within one interval")
            });
        }
    }
}

fn meetings(witness: &Witness) -> impl Iterator<Item = Met<'_>> {
    let mut failing = None;
    let mut revisions = vec![0];
    let mut is_rewritten = false;
    witness.marks.iter().filter_map(move |Marked { at, mark }| {
        if let Mark::Unfair { service } = mark {
            failing = service.as_deref();
        }
        // A rewritten history is held, or brings what was never committed.
        is_rewritten |= matches!(mark, Mark::Rewritten);
        let Mark::Committed { revision: after } = mark else { return None };
        let before = revisions.clone();
        revisions.push(*after);
        failing.filter(|_| !is_rewritten).map(|failing| Met {
            at: *at,
            before,
            after: *after,
            failing,
        })
    })
}

/// Whether nothing else was wrong around a commit, nobody else has been at the platform, and no name
/// was changed: then people are asked whose a thing is (A22).
fn is_alone(steps: &[ScheduledStep], at: u64) -> bool {
    steps.iter().all(|ScheduledStep { at: when, what }| {
        let is_far = *when + CALM_MS < at || *when > at + DELAY_MS_MAX;
        let is_it = matches!(what, Disturbance::AlwaysFails(_)) || *when == at;
        !what.is_by_others() && !what.changes_names() && (is_far || is_it)
    })
}

/// Returns the services that a commit changed, beside the one that fails.
fn changed(scene: &Scene, met: &Met<'_>) -> Vec<String> {
    let revision = |number: usize| &scene.revision(number).desired;
    let after = revision(met.after);
    let is_changed = |resource: &&Resource<ValueSource>| {
        let known = met.before.iter().map(|it| revision(*it).resources.get(&resource.key));
        let waits = resource.depends_on.iter().any(|key| key.name.as_str() == met.failing);
        asks_for_more(known, resource) && !waits
    };
    let services = after.resources.values().filter(|it| it.key.kind == Kind::Service);
    let others = services.filter(|it| it.key.name.as_str() != met.failing);
    others.filter(is_changed).map(|resource| resource.key.name.to_string()).collect()
}

/// Whether a manifest wants anything other than what those before it have left behind, whether or not
/// what was once declared no longer went then: the fuse may have kept it.
fn asks_for_more<'r>(
    before: impl Iterator<Item = Option<&'r Resource<ValueSource>>>,
    after: &Resource<ValueSource>,
) -> bool {
    let before: Vec<Option<&Resource<ValueSource>>> = before.collect();
    let absent = before.iter().rposition(Option::is_none).map_or(0, |place| place + 1);
    let stayed = before.iter().copied().flatten();
    let made_anew = before[absent..].iter().copied().flatten();
    differs_from_left(stayed, after) && differs_from_left(made_anew, after)
}

/// Whether a manifest wants anything other than those before it, one after another, have left behind:
/// a setting that is declared no longer stays as it was; a variable goes. A service that is new is not
/// changed.
fn differs_from_left<'r>(
    before: impl Iterator<Item = &'r Resource<ValueSource>>,
    after: &Resource<ValueSource>,
) -> bool {
    let mut left: Option<BTreeMap<&FieldPath, &ValueSource>> = None;
    let mut place = String::new();
    for resource in before {
        let wanted = place_of(resource);
        // What it cannot become keeps all else of such a manifest from being written, too (S8).
        if left.is_some() && wanted != place {
            continue;
        }
        place = wanted;
        let left = left.get_or_insert_default();
        left.retain(|path, _| stays(path, resource));
        left.extend(resource.fields.iter().map(|(path, field)| (path, &field.value)));
    }
    if place != place_of(after) {
        return false;
    }
    left.is_some_and(|left| {
        let differs = |(path, field): (&FieldPath, &Field<ValueSource>)| {
            left.get(path) != Some(&&field.value)
        };
        after.fields.iter().any(differs) || left.keys().any(|path| !stays(path, after))
    })
}

/// Whether what was declared before is left alone by a manifest, or declared anew.
fn stays(path: &FieldPath, resource: &Resource<ValueSource>) -> bool {
    match path {
        FieldPath::Env(_) => !resource.declares_env || resource.fields.contains_key(path),
        FieldPath::Setting(_) => true,
    }
}

fn patched(witness: &Witness) -> Vec<(u64, String)> {
    let mut patched = Vec::new();
    for (at, happened) in timeline(witness) {
        if let Happened::Asked(request) = happened {
            let effects = request.effects.iter().filter(|it| it.verb == Verb::Patched);
            patched.extend(effects.map(|effect| (at, effect.name.clone())));
        }
    }
    patched
}
