//! What only the end shows: that it settled (L1), that crashes left no trace (L3), that nothing of
//! ours is forgotten (L4).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::emulator::{Mutation, Quirk, Verb};
use crate::model::{Claim, Desired, Key};
use crate::plan::BlockedReason;
use crate::status::ConditionReason;

use super::super::law::{Law, LawFindings};
use super::super::play::{rehearse, undisturbed};
use super::super::scene::{Scene, keeps};
use super::super::schedule::ScheduledStep;
use super::super::timeline::{Happened, timeline};
use super::super::witness::{Mark, Marked, Witness};
use super::super::world::kind_of;
use super::excuses::{excuses, is_blocked, ready_reason};
use super::living::{Living, Maker};
use super::names::declared_fields;
use super::writes::{declares, key};

/// How many passes may still write after the trouble (L1).
const PASSES_MAX: usize = 3;

/// How many more where the platform has quirks: two repairs of each of several services.
const REPAIRS_MAX: usize = 6;

/// How long reads must agree until a count of repairs is cleared, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// How far a crash may be from the next commit, for both to be told apart, in milliseconds.
const APART_MS: u64 = 900_000;

pub(super) fn judge(
    scene: &Arc<Scene>,
    witness: &Witness,
    living: &Living,
    findings: &mut LawFindings,
) {
    settled(scene, witness, living, findings);
    crash_proof(scene, witness, findings);
    remembered(witness, living, findings);
}

/// L1: live is as declared, after few passes, and then nothing is written.
fn settled(scene: &Arc<Scene>, witness: &Witness, living: &Living, findings: &mut LawFindings) {
    let Some(status) = &witness.status else {
        findings.broke(Law::L1, "no agent runs at the end".to_owned());
        return;
    };
    let wanted = undisturbed(scene, witness.revision);
    let mut excuses = excuses(scene, witness, status, living);
    let desired = &scene.revision(witness.revision).desired;
    // What cannot be renamed keeps its old name.
    let stuck = desired.resources.values().filter(|it| excuses.contains(&it.key));
    let earlier = stuck.flat_map(|resource| {
        resource.previous_names.iter().map(|name| Key::new(resource.key.kind, name.clone()))
    });
    excuses.extend(earlier.collect::<Vec<_>>());
    for (key, resource) in desired.resources.iter().filter(|(key, _)| !excuses.contains(*key)) {
        let place = (kind_of(key.kind), key.name.to_string());
        let declared = declared_fields(resource);
        let difference = match (wanted.get(&place), witness.truth.get(&place)) {
            (Some(wanted), Some(live)) => nearest(&declared, wanted, live),
            (Some(_), None) => Some("it does not live".to_owned()),
            // What even an undisturbed agent does not make is no matter of the trouble.
            (None, _) => None,
        };
        findings.check(Law::L1, difference.is_none(), || {
            let reason = ready_reason(status, key).map(ConditionReason::as_str).unwrap_or_default();
            format!("{key} is not as declared: {} ({reason})", difference.unwrap_or_default())
        });
    }
    let read = |mark: &Mark| match mark {
        Mark::Read { desired, .. } => desired.clone(),
        _ => None,
    };
    let read: Vec<Arc<Desired>> = witness.marks.iter().filter_map(|it| read(&it.mark)).collect();
    let is_protected = |key: &Key| {
        let mut declared = read.iter().filter_map(|it| it.resources.get(key));
        scene.protects(key) || declared.any(|it| keeps(&it.lifecycle))
    };
    let may_stay = |key: &Key| excuses.contains(key) || is_protected(key);
    leftovers(scene, witness, living, &may_stay, findings);
    quiet(witness, findings);
}

/// What is ours and not declared any more is gone, unless something stands in its way.
fn leftovers(
    scene: &Scene,
    witness: &Witness,
    living: &Living,
    may_stay: &dyn Fn(&Key) -> bool,
    findings: &mut LawFindings,
) {
    let reading = scene.reading(&scene.revision(witness.revision).text);
    let Some(desired) = reading.desired else { return };
    for (id, thing) in living.things() {
        let is_ours = thing.maker == Maker::Ours { process: 0, has_seen: true };
        // What others have renamed is not proven to be what we made.
        let is_ours = is_ours && !thing.is_renamed;
        let is_wanted = declares(&desired, thing.kind, &thing.asked_as);
        let Some(key) = key(thing.kind, &thing.asked_as).filter(|_| is_ours && !is_wanted) else {
            continue;
        };
        // What may not go, and what cannot, is told to people, and nothing else is left behind. What
        // has made way for a name is told of under the one that it is to have.
        // So is what a rename of ours was cut off at: then the name it has is nobody's to explain.
        let is_told =
            |known: &Key| may_stay(known) || known.name != key.name && is_asked_of(witness, known);
        let is_excused = may_stay(&key) || known_as(witness, id).is_some_and(is_told);
        findings.check(Law::L1, is_excused, || {
            format!("{key} ({id}) is ours, not declared, and still there")
        });
    }
}

/// Whether a person is asked whose something is.
fn is_asked_of(witness: &Witness, key: &Key) -> bool {
    let mut pending = witness.status.iter().flat_map(|status| &status.pending);
    pending.any(|change| change.key == *key && is_blocked(change, BlockedReason::NotOwned))
}

/// Returns what ours is remembered as.
fn known_as<'w>(witness: &'w Witness, id: &str) -> Option<&'w Key> {
    let mut entries = witness.inventories.get(&0)?.entries.iter();
    entries.find(|(_, entry)| entry.id.as_str() == id).map(|(key, _)| key)
}

fn quiet(witness: &Witness, findings: &mut LawFindings) {
    let (mut is_quiet, mut is_settled) = (false, false);
    let (mut passes, mut looks) = (0, 0);
    // A value that swings for ever is trouble that is never over: looks that happen to meet it where
    // it agrees, for an hour, clear its count. Then it is repaired twice again, and no more.
    let is_swing = |quirk: &Quirk| matches!(quirk, Quirk::Swings { .. });
    let swings = witness.schedule.platform.quirks.iter().any(is_swing);
    let mut repairs: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (at, happened) in timeline(witness) {
        match happened {
            Happened::Marked(Mark::Quiet) => is_quiet = true,
            Happened::Marked(Mark::Settled) => is_settled = true,
            Happened::Marked(Mark::Passed { run, written, .. }) => {
                passes += usize::from(is_quiet && run.process == 0 && *written > 0);
                looks += u64::from(is_settled && run.process == 0);
            }
            Happened::Asked(request) if !request.effects.is_empty() => {
                let (method, path) = (&request.asked.method, &request.asked.path);
                let times = repairs.entry(path.clone()).or_default();
                times.retain(|time| time + HOUR_MS > at);
                times.push(at);
                let is_repair = swings && method == "PATCH" && times.len() <= 2;
                if !is_settled || is_repair {
                    continue;
                }
                let how = format!("{method} {path} long after the trouble was over");
                findings.broke(Law::L1, how);
            }
            Happened::Asked(_)
            | Happened::Late { .. }
            | Happened::Others { .. }
            | Happened::Marked(_) => {}
        }
    }
    let wanted = witness.schedule.looks;
    findings.check(Law::L1, looks >= wanted, || {
        format!("it looked {looks} times when all was settled, and not {wanted}")
    });
    // What a platform holds otherwise than it was sent is repaired twice, at each service in its time.
    let has_quirks = !witness.schedule.platform.quirks.is_empty();
    let passes_max = if has_quirks { PASSES_MAX + REPAIRS_MAX } else { PASSES_MAX };
    findings.check(Law::L1, passes <= passes_max, || {
        format!("{passes} passes had something to write after the trouble was over")
    });
}

/// Returns what is other even of the namesake that is as declared, if one is.
fn nearest(declared: &BTreeSet<String>, wanted: &[Value], live: &[Value]) -> Option<String> {
    let wanted = wanted.first()?;
    let differences: Option<Vec<String>> =
        live.iter().map(|live| difference(declared, wanted, live)).collect();
    differences.and_then(|differences| differences.into_iter().next())
}

/// Returns the first field that is wanted and other, of variables each by itself. What others have
/// added beside it is not ours to judge.
fn difference(declared: &BTreeSet<String>, wanted: &Value, live: &Value) -> Option<String> {
    let fields = wanted.as_object()?.iter().filter(|(field, _)| declared.contains(*field));
    let mut fields = fields.filter(|(field, _)| *field != "env_vars");
    let other = fields.find(|(field, value)| live.get(field.as_str()) != Some(value));
    let other = other.map(|(field, value)| {
        let now = live.get(field).unwrap_or(&Value::Null);
        format!("{field} is {now} and should be {value}")
    });
    other.or_else(|| {
        let (wanted, live) = (variables(wanted), variables(live));
        let other = wanted.into_iter().find(|(key, entry)| live.get(key) != Some(entry));
        other.map(|(key, _)| format!("the variable {key} is another"))
    })
}

fn variables(thing: &Value) -> BTreeMap<String, &Value> {
    let entries = thing["env_vars"].as_array().into_iter().flatten();
    entries.filter_map(|entry| Some((entry["key"].as_str()?.to_owned(), entry))).collect()
}

/// L3: where nothing but crashes came, and each had its time, as much was made and deleted as
/// without them, as long as both had the same to do.
fn crash_proof(scene: &Arc<Scene>, witness: &Witness, findings: &mut LawFindings) {
    let steps = &witness.schedule.steps;
    let crashes = steps.iter().filter(|step| step.what.is_crash()).count();
    let is_all = steps.iter().all(|step| step.what.is_commit() || step.what.is_crash());
    if crashes == 0 || !is_all || !are_apart(steps) {
        return;
    }
    let until = alike_until(witness);
    let reference = rehearse(scene, &witness.schedule.keeping(|step| step.at < until)).counts;
    let counts = super::super::timeline::counts(witness, until);
    let things: BTreeSet<_> = reference.keys().chain(counts.keys()).collect();
    for place in things {
        let (wanted, made) = (reference.get(place), counts.get(place));
        let (kind, name) = place;
        findings.check(Law::L3, wanted == made, || {
            format!("{kind:?} {name} was made and deleted {made:?} times, and should be {wanted:?}")
        });
    }
}

/// Whether each commit had its time before the next, and every crash was over before it came.
fn are_apart(steps: &[ScheduledStep]) -> bool {
    let commits = steps.iter().filter(|step| step.what.is_commit());
    commits.clone().all(|commit| {
        let before = steps.iter().filter(|step| step.at < commit.at);
        before.clone().all(|step| step.at + APART_MS <= commit.at)
    })
}

/// Returns when the next commit came after the first create whose answer was lost: what only may be
/// ours is not deleted until a person confirms it (S3), so from then on another platform is met.
fn alike_until(witness: &Witness) -> u64 {
    let inventory = witness.inventories.get(&0);
    let entries = inventory.into_iter().flat_map(|inventory| inventory.entries.values());
    let presumed = entries.filter(|entry| entry.claim == Claim::Presumed);
    let presumed: BTreeSet<&str> = presumed.map(|entry| entry.id.as_str()).collect();
    let makes =
        |effect: &Mutation| effect.verb == Verb::Created && presumed.contains(effect.id.as_str());
    let made = timeline(witness).into_iter().find_map(|(at, happened)| match happened {
        Happened::Asked(request) => request.effects.iter().any(makes).then_some(at),
        Happened::Late { effects, .. } => effects.iter().any(makes).then_some(at),
        Happened::Others { .. } | Happened::Marked(_) => None,
    });
    let commits = witness.schedule.steps.iter().filter(|step| step.what.is_commit());
    let next = |made: u64| commits.map(|step| step.at).find(|at| *at > made);
    made.and_then(next).unwrap_or(u64::MAX)
}

/// L4: whatever we made and lives is in the inventory, or its create is known to be open.
fn remembered(witness: &Witness, living: &Living, findings: &mut LawFindings) {
    let has_begun = |process: usize| {
        let began = |Marked { mark, .. }: &Marked| matches!(mark, Mark::Began { run, .. } if run.process == process);
        witness.marks.iter().any(began)
    };
    for (id, thing) in living.things() {
        let Maker::Ours { process, has_seen } = thing.maker else { continue };
        // Nothing tells what others renamed before its create was answered from what is theirs.
        if thing.is_renamed && !has_seen {
            continue;
        }
        let Some(inventory) = witness.inventories.get(&process).filter(|_| has_begun(process))
        else {
            continue;
        };
        let is_entry = inventory.entries.values().any(|entry| entry.id.as_str() == id);
        let is_intent = key(thing.kind, &thing.asked_as)
            .is_some_and(|key| inventory.intents.contains_key(&key));
        // What somebody else made under its name meanwhile was presumed in its place, as nobody can
        // tell; that may be another process of ours, with a state of its own.
        let is_veiled = thing.name != thing.asked_as
            && living.things().any(|(_, other)| {
                !other.maker.is(process)
                    && (other.kind, &other.name) == (thing.kind, &thing.asked_as)
            });
        if is_veiled {
            continue;
        }
        findings.check(Law::L4, is_entry || is_intent, || {
            format!("{:?} {} ({id}) was made by us and is not remembered", thing.kind, thing.name)
        });
    }
}
