//! L1 on the way: what is written again and again, whatever the answers say.
//!
//! Only the wire counts. Within an hour and for one revision a process writes a value to a field of a
//! thing three times at most, the wish and two repairs, and begins three deployments of a service. A
//! death between a request and its record may hide one.

use std::collections::BTreeMap;

use crate::emulator::{Kind, Mutation, Verb};
use crate::store::Blow;

use super::super::law::{Law, LawFindings};
use super::super::schedule::{Disturbance, Strike};
use super::super::timeline::{Happened, Request, timeline};
use super::super::witness::{Mark, ProcessLife, Witness};
use super::fields::flat;

/// How far apart two writes are that have nothing to do with each other, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// How often it may happen within that time.
const TIMES_MAX: usize = 3;

/// What happened to one thing: a field and the value it was given, or a deployment.
type What = (usize, String, String);

/// What was counted, and when.
#[derive(Default)]
struct Counts {
    times: BTreeMap<What, Vec<u64>>,
    /// The beginnings of lives, by process.
    lives: BTreeMap<usize, Vec<u64>>,
    /// What each process last read of its manifests.
    revisions: BTreeMap<usize, String>,
}

pub(super) fn judge(witness: &Witness, findings: &mut LawFindings) {
    // What cannot be written down is not counted either.
    let blows = |what: &Disturbance| matches!(what, Disturbance::Process(Strike::Disk(_, blow)) if matches!(blow, Blow::Fail | Blow::Full));
    if witness.schedule.steps.iter().any(|step| blows(&step.what)) {
        return;
    }
    let mut counts = Counts::default();
    for (at, happened) in timeline(witness) {
        match happened {
            Happened::Asked(request) => counts.hear(&request, findings),
            Happened::Marked(Mark::Began { run, .. }) => {
                counts.lives.entry(run.process).or_default().push(at);
            }
            Happened::Marked(Mark::Read { run, desired, .. }) => {
                let digest = desired.as_ref().map(|desired| desired.digest.clone());
                counts.read(*run, digest.unwrap_or_default());
            }
            Happened::Late { .. } | Happened::Others { .. } | Happened::Marked(_) => {}
        }
    }
}

impl Counts {
    /// Another revision is another wish.
    fn read(&mut self, run: ProcessLife, digest: String) {
        let before = self.revisions.insert(run.process, digest.clone());
        if before.is_some_and(|before| before != digest) {
            self.times.retain(|(process, ..), _| *process != run.process);
        }
    }

    fn hear(&mut self, request: &Request<'_>, findings: &mut LawFindings) {
        let Request { at, run, asked, effects, body, .. } = request;
        // Of what nobody answered as it was nobody knows that it was done.
        if asked.fault.is_some() || !(200..300).contains(&asked.status) {
            return;
        }
        for effect in *effects {
            match effect.verb {
                Verb::Patched => {
                    for (field, value) in body.iter().flat_map(|body| flat(body)) {
                        let value = value.map(|value| value.to_string()).unwrap_or_default();
                        let what = format!("{field} of {} as {value}", effect.name);
                        self.count(*at, *run, effect, what, findings);
                    }
                }
                Verb::Deployed | Verb::Created if effect.kind == Kind::Service => {
                    let what = format!("a deployment of {}", effect.name);
                    self.count(*at, *run, effect, what, findings);
                }
                Verb::Created | Verb::Deleted | Verb::Deployed | Verb::RolledBack => {}
            }
        }
    }

    fn count(
        &mut self,
        at: u64,
        run: ProcessLife,
        effect: &Mutation,
        what: String,
        findings: &mut LawFindings,
    ) {
        let lives = self.lives.get(&run.process).into_iter().flatten();
        let deaths = lives.filter(|began| **began > 0 && **began + HOUR_MS > at).count();
        let key = (run.process, effect.id.clone(), what.clone());
        let times = self.times.entry(key).or_default();
        times.retain(|time| time + HOUR_MS > at);
        times.push(at);
        if times.len() > 1 {
            let count = times.len();
            findings.check(Law::L1, count <= TIMES_MAX + deaths, || {
                format!("{what} was written {count} times within an hour, for one revision")
            });
        }
    }
}
