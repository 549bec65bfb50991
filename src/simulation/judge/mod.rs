//! Holds what was seen of a run against the laws.
//!
//! One walk along the timeline keeps what lives and what each run has read; at every write it asks
//! whether the laws allowed it. What only the end can show is looked at there. A law that had no
//! occasion to break is not at risk, and is never counted as held.

mod changes;
mod ends;
mod excuses;
mod fairness;
mod fields;
mod fuse;
mod hours;
mod living;
mod looks;
mod names;
mod pass;
mod rate;
mod repairs;
mod sight;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use crate::emulator::{Mutation, Verb};
use crate::model::{Desired, FieldPath, Key, Kind, Resource, Setting};

use super::law::{Law, LawFindings};
use super::scene::Scene;
use super::timeline::{Happened, Request, timeline};
use super::witness::{Mark, ProcessLife, Witness};

use fields::KnownFields;
use fuse::Replacements;
use hours::Hours;
use living::{Living, Maker};
use looks::Wire;
use pass::Pass;
use rate::Traffic;
use sight::DetailSight;

/// What a defect of ours says of itself, wherever it is caught.
const DEFECT: &str = "a defect of this program";

/// Judges a run.
#[must_use]
pub fn judge(scene: &Arc<Scene>, witness: &Witness) -> LawFindings {
    let known = KnownFields::beneath(&witness.schedule.platform.quirks);
    let sight = DetailSight::on(&witness.schedule.platform);
    let mut bench = Bench { known, sight, ..Bench::default() };
    for (at, happened) in timeline(witness) {
        bench.see(at, &happened);
    }
    let Bench { mut findings, living, traffic, .. } = bench;
    for (process, traffic) in &traffic {
        rate::judge(*process, traffic, witness.schedule.platform.rate, &mut findings);
    }
    repairs::judge(witness, &mut findings);
    fairness::judge(scene, witness, &mut findings);
    ends::judge(scene, witness, &living, &mut findings);
    findings
}

/// All that is known on the way along the timeline.
#[derive(Default)]
struct Bench<'w> {
    findings: LawFindings,
    living: Living,
    /// What each run read last.
    reads: BTreeMap<ProcessLife, Option<Arc<Desired>>>,
    /// What each run read last that was wholly valid.
    valid: BTreeMap<ProcessLife, Arc<Desired>>,
    /// What each process last read of every resource, also of those that are gone.
    remembered: BTreeMap<(usize, Key), Remembered>,
    /// What cannot be changed of each resource, as it was first read.
    places: BTreeMap<(usize, Key), String>,
    passes: BTreeMap<ProcessLife, Pass<'w>>,
    sight: DetailSight<'w>,
    /// Creates that may have happened, by process, collection and name: when they were sent.
    open_creates: BTreeMap<(usize, &'w str, &'w str), u64>,
    /// What manifests have protected that no pass of a life has carried out yet.
    protected: BTreeMap<ProcessLife, BTreeSet<Key>>,
    is_abroad: bool,
    /// Whether the first write of each process went to another project.
    pinned_abroad: BTreeMap<usize, bool>,
    /// What each process sent, over all its lives, and what it was told of the rate.
    traffic: BTreeMap<usize, Traffic>,
    /// What the fields of everything are.
    known: KnownFields,
    replacements: Replacements,
    hours: Hours,
    /// What was asked last, and when.
    wire: Wire<'w>,
    /// The place in the timeline.
    step: usize,
}

/// What a manifest last said of a resource.
#[derive(Clone, Copy, Default)]
struct Remembered {
    is_protected: bool,
    may_prune: bool,
    /// Whether it cannot become what it is declared to be: only another one could (S8).
    is_moved: bool,
}

/// Whether a pass has come to its end and nothing failed: one that was stopped says that it did
/// nothing.
fn is_carried_out(message: &str) -> bool {
    let has_failed = message.contains(" failed, ") && !message.contains(", 0 failed, ");
    !has_failed
        && !message.starts_with("failed")
        && message != "0 changes written, 0 failed, 0 blocked"
}

impl<'w> Bench<'w> {
    fn see(&mut self, at: u64, happened: &Happened<'w>) {
        self.step += 1;
        match happened {
            Happened::Asked(request) => self.hear(request),
            Happened::Late { run, body, effects } => {
                let maker = run.map_or(Maker::Others, |run| Maker::unseen(run.process));
                self.disturb(effects, run.map(|run| run.process));
                let asked = body.and_then(|body| body["name"].as_str());
                self.change(effects, maker, (None, asked));
                self.known.hear(effects, *body);
            }
            Happened::Others { act, effects } => {
                self.disturb(effects, None);
                self.change(effects, Maker::Others, (None, None));
                self.known.see(effects, *act);
                self.forget_creates_of(effects);
            }
            Happened::Marked(mark) => self.note(at, mark),
        }
    }

    fn hear(&mut self, request: &Request<'w>) {
        let Request { at, run, number, asked, effects, carries_secret, body } = request;
        if asked.reached {
            self.traffic.entry(run.process).or_default().sent.push(*at);
        }
        if *carries_secret {
            self.findings.risk(Law::S9);
        }
        self.sight.hear(request);
        self.judge_project(request);
        self.judge_age(request);
        self.begin_pass(request);
        self.judge_write(request);
        if let Some(pass) = self.passes.get_mut(run) {
            let id = asked.path.rsplit('/').next().unwrap_or_default();
            pass.hear(request, self.known.of(id));
        }
        self.disturb(effects, Some(run.process));
        self.change(effects, Maker::unseen(run.process), (Some(*number), request.name()));
        self.known.hear(effects, *body);
    }

    /// The first write of a state pins its project; none may go to another one (S5).
    fn judge_project(&mut self, request: &Request<'w>) {
        let Request { run, asked, effects, .. } = request;
        if !effects.is_empty() {
            self.pinned_abroad.entry(run.process).or_insert(self.is_abroad);
        }
        let is_pinned_here = self.pinned_abroad.get(&run.process).map(|it| *it == self.is_abroad);
        if is_pinned_here == Some(false) {
            let (method, path) = (&asked.method, &asked.path);
            self.findings.check(Law::S5, effects.is_empty(), || {
                format!("{method} {path} wrote to another project")
            });
        }
    }

    /// A pass begins by asking which project it is.
    fn begin_pass(&mut self, request: &Request<'w>) {
        let Request { run, asked, .. } = request;
        let begins = asked.method == "GET" && asked.path == "/project";
        if !begins || self.passes.contains_key(run) {
            return;
        }
        let read = self.reads.get(run).cloned();
        let desired = self.wanted(*run);
        let is_source_usable = read.is_some_and(|read| read.is_some());
        let owned = self.could_own(run.process);
        let pass = Pass::begin(desired, is_source_usable, owned, self.step);
        self.count_risks(*run, &pass);
        self.passes.insert(*run, pass);
    }

    /// Returns the last wholly valid state a run has read.
    fn wanted(&self, run: ProcessLife) -> Option<Arc<Desired>> {
        self.reads.get(&run).cloned().flatten().or_else(|| self.valid.get(&run).cloned())
    }

    /// Counts every pass under whose eyes somebody beside its process changed something (S10).
    fn disturb(&mut self, effects: &[Mutation], by: Option<usize>) {
        for effect in effects {
            let path = path_of(effect);
            let others = self.passes.iter().filter(|(run, _)| by != Some(run.process));
            let eyes = others.filter(|(_, pass)| pass.looks(&path).is_some()).count();
            self.findings.risks(Law::S10, u64::try_from(eyes).unwrap_or(0));
        }
    }

    fn change(
        &mut self,
        effects: &[Mutation],
        maker: Maker,
        origin: (Option<usize>, Option<&str>),
    ) {
        for effect in effects {
            self.living.change(effect, maker, origin, self.step);
        }
    }

    /// Who sees that somebody else's hands were at a name may create it anew.
    fn forget_creates_of(&mut self, effects: &[Mutation]) {
        for effect in effects.iter().filter(|effect| effect.verb == Verb::Deleted) {
            self.open_creates.retain(|(_, _, name), _| *name != effect.name);
        }
    }

    fn note(&mut self, at: u64, mark: &Mark) {
        match mark {
            Mark::Read { run, desired, commit, is_newest } => {
                let newest = desired.clone().filter(|_| *is_newest);
                self.hours.read(*run, commit.clone());
                let digest = |it: &Arc<Desired>| it.digest.clone();
                if self.valid.get(run).map(digest) != desired.as_ref().map(digest) {
                    self.sight.begin_anew(*run);
                }
                self.read(*run, desired.clone());
                self.reads.insert(*run, newest);
            }
            Mark::Began { run, machine } => {
                let traffic = self.traffic.entry(run.process).or_default();
                traffic.begin(at, *machine);
            }
            Mark::Told { run, wait_ms } => {
                let traffic = self.traffic.entry(run.process).or_default();
                traffic.freezes.push((at, at + wait_ms));
            }
            Mark::Heard { number } => self.living.seen(*number),
            Mark::Passed { run, written: _, message } => {
                self.end_pass(*run);
                if is_carried_out(message) {
                    self.protected.remove(run);
                }
                let is_sound = !message.contains(DEFECT);
                self.findings.check(Law::S12, is_sound, || format!("a pass ended: {message}"));
            }
            Mark::Said { run, ready } => {
                let Self { sight, living, findings, .. } = self;
                sight.judge(*run, ready, living, findings);
            }
            Mark::Ended { run } => {
                self.end_pass(*run);
                self.lose_protections(*run);
            }
            Mark::Stuck { run, why } => {
                let how = format!("process {} could not go on: {why}", run.process);
                self.findings.broke(Law::L3, how);
            }
            Mark::Leaked { place } => {
                self.findings.broke(Law::S9, format!("a secret stands in {place}"));
            }
            Mark::Project { is_home } => self.is_abroad = !is_home,
            Mark::Sent { .. }
            | Mark::Committed { revision: _ }
            | Mark::Rewritten
            | Mark::Unfair { service: _ }
            | Mark::Quiet
            | Mark::Settled => {}
        }
    }

    fn end_pass(&mut self, run: ProcessLife) {
        if self.passes.remove(&run).is_some_and(|pass| pass.has_broken_list()) {
            self.findings.risk(Law::S2);
        }
    }

    fn read(&mut self, run: ProcessLife, desired: Option<Arc<Desired>>) {
        for resource in desired.iter().flat_map(|desired| desired.resources.values()) {
            let lifecycle = &resource.lifecycle;
            let is_protected =
                lifecycle.protect || lifecycle.prune == Some(false) || !lifecycle.policies.delete;
            let may_prune = lifecycle.prune == Some(true);
            let key = (run.process, resource.key.clone());
            let place = place_of(resource);
            let first = self.places.entry(key.clone()).or_insert_with(|| place.clone());
            let is_moved = *first != place;
            let remembered = Remembered { is_protected, may_prune, is_moved };
            let before = self.remembered.insert(key, remembered).unwrap_or_default();
            if is_protected && !before.is_protected {
                self.protected.entry(run).or_default().insert(resource.key.clone());
            }
        }
        if let Some(valid) = desired {
            self.replacements.read(run.process, &valid);
            self.valid.insert(run, valid);
        }
    }

    /// What was only read, and never taken note of, dies with who read it: the next life cannot tell it
    /// from what was committed and taken back while nobody ran (S11).
    fn lose_protections(&mut self, run: ProcessLife) {
        for key in self.protected.remove(&run).into_iter().flatten() {
            if let Some(remembered) = self.remembered.get_mut(&(run.process, key)) {
                remembered.is_protected = false;
            }
        }
    }

    fn remembered(&self, process: usize, key: &Key) -> Remembered {
        self.remembered.get(&(process, key.clone())).copied().unwrap_or_default()
    }
}

/// Returns where a thing is read by its id.
fn path_of(effect: &Mutation) -> String {
    let collection = match effect.kind {
        crate::emulator::Kind::Service => "services",
        crate::emulator::Kind::Database => "databases",
        crate::emulator::Kind::EnvGroup => "envgroups",
    };
    format!("/{collection}/{}", effect.id)
}

/// Returns what cannot be changed of a resource once it lives.
fn place_of<V: Debug>(resource: &Resource<V>) -> String {
    let fixed = resource.fields.iter().filter(|(path, _)| is_fixed(resource.key.kind, path));
    let shown = fixed.map(|(path, field)| format!("{path}={:?}", field.value));
    shown.collect::<Vec<_>>().join(" ")
}

/// Whether a field cannot be changed once its resource lives.
fn is_fixed(kind: Kind, path: &FieldPath) -> bool {
    match (kind, path) {
        (Kind::Database | Kind::EnvGroup, _) => true,
        (Kind::Service, FieldPath::Setting(setting)) => {
            matches!(setting, Setting::Type | Setting::Region)
        }
        (Kind::Service, FieldPath::Env(_)) => false,
    }
}
