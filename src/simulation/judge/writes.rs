//! Every write, at the moment it is made: did the laws allow it?

use crate::emulator::{Kind, Mutation, Verb};
use crate::model::{Desired, Key, Name};

use super::super::law::Law;
use super::super::timeline::Request;
use super::super::witness::ProcessLife;
use super::super::world::kind_of;
use super::living::{Maker, Thing};
use super::pass::{Pass, collection_of, is_ambiguous};
use super::{Bench, Remembered};

/// How long a create may still be under way after its answer was lost: in flight and stale, less
/// what the clocks of two lives may differ by (S3).
const SETTLE_MS: u64 = 115_000;

impl<'w> Bench<'w> {
    pub(super) fn judge_write(&mut self, request: &Request<'w>) {
        if request.asked.method == "POST" && collection_of(&request.asked.path).is_some() {
            self.judge_repeat(request);
        }
        for effect in request.effects {
            match effect.verb {
                Verb::Created => self.judge_create(request, effect),
                Verb::Deleted => self.judge_delete(request, effect),
                Verb::Patched => self.judge_patch(request, effect),
                Verb::Deployed | Verb::RolledBack => {}
            }
        }
    }

    /// An ambiguous create is not sent again before it is resolved (S3).
    fn judge_repeat(&mut self, request: &Request<'w>) {
        let Request { at, run, asked, .. } = request;
        let Some(name) = request.name() else { return };
        let place = (run.process, asked.path.as_str(), name);
        if let Some(since) = self.open_creates.remove(&place) {
            let waited = at - since;
            self.findings.check(Law::S3, waited >= SETTLE_MS, || {
                format!("POST {} {name} was sent again after {waited} ms", asked.path)
            });
        }
        if is_ambiguous(asked) {
            self.findings.risk(Law::S3);
            self.open_creates.insert(place, *at);
        }
    }

    fn judge_create(&mut self, request: &Request<'w>, effect: &Mutation) {
        let Request { run, .. } = request;
        let Mutation { kind, name, .. } = effect;
        // The platform may show another name than was asked for: what counts is what was asked.
        let asked = request.name().unwrap_or(name);
        let twin = self.living.things().find(|(_, thing)| {
            let is_named = thing.name == *name || thing.asked_as == asked;
            thing.kind == *kind && is_named && thing.maker.is(run.process)
        });
        let twin = twin.map(|(id, _)| id.clone());
        self.findings.check(Law::S3, twin.is_none(), || {
            format!("{kind:?} {name} was made while {} of ours lives", twin.unwrap_or_default())
        });
        let Some(pass) = self.passes.get(run) else {
            self.findings.broke(Law::S2, format!("{kind:?} {name} was made without a look"));
            return;
        };
        let is_whole = pass.has_whole_list(*kind);
        self.findings.check(Law::S2, is_whole, || {
            format!("{kind:?} {name} was made though the list was not read whole")
        });
        let is_wanted = pass.desired.as_ref().is_some_and(|it| declares(it, *kind, asked));
        if !is_wanted {
            self.findings
                .broke(Law::S6, format!("{kind:?} {name} was made, which nothing declares"));
        }
        self.judge_namesake(request, effect);
        self.judge_replacement(*run, effect);
    }

    /// What a whole list must have shown is not made again beside it (S2): it lived under that name
    /// before the pass began, and nothing kept it from being seen.
    fn judge_namesake(&mut self, request: &Request<'w>, effect: &Mutation) {
        let Mutation { kind, name, .. } = effect;
        let Some(pass) = self.passes.get(&request.run) else { return };
        if !pass.has_plain_list(*kind) {
            return;
        }
        let began = pass.began;
        let is_it = |thing: &Thing| thing.kind == *kind && thing.name == *name;
        let mut namesakes = self.living.things().filter(|(_, thing)| is_it(thing));
        let seen = namesakes.find(|(_, thing)| thing.named_since < began);
        let seen = seen.map(|(id, _)| id.clone());
        self.findings.check(Law::S2, seen.is_none(), || {
            format!("{kind:?} {name} was made beside {}", seen.unwrap_or_default())
        });
    }

    fn judge_delete(&mut self, request: &Request<'w>, effect: &Mutation) {
        let Request { run, asked, .. } = request;
        let Mutation { kind, name, id, .. } = effect;
        let thing = self.living.get(id).cloned();
        let is_ours = thing.is_some_and(|thing| {
            thing.maker == Maker::Ours { process: run.process, has_seen: true }
        });
        self.findings.check(Law::S1, is_ours, || {
            format!("{kind:?} {name} ({id}) was deleted, and was not ours to delete")
        });
        let remembered = self.remembered_thing(*run, *kind, name);
        let Some(pass) = self.passes.get(run) else {
            self.findings.broke(Law::S1, format!("{kind:?} {name} was deleted without a look"));
            return;
        };
        let was_looked_at = pass.looks(&asked.path).is_some();
        let is_whole = pass.has_whole_list(*kind);
        let is_unwanted = pass.is_source_usable
            && pass.desired.as_ref().is_some_and(|it| !declares(it, *kind, name));
        self.findings.check(Law::S1, was_looked_at, || {
            format!("{kind:?} {name} was deleted without a look at its id")
        });
        self.findings.check(Law::S10, was_looked_at, || {
            format!("{kind:?} {name} was deleted without a look at it")
        });
        self.findings.check(Law::S2, is_whole, || {
            format!("{kind:?} {name} was deleted though the list was not read whole")
        });
        self.findings.check(Law::S6, is_unwanted, || {
            format!("{kind:?} {name} was deleted, and no valid manifests asked for it")
        });
        self.findings.check(Law::S11, !remembered.is_protected, || {
            format!("{kind:?} {name} was deleted, and its manifest protected it")
        });
        self.judge_delete_moved(request, effect);
        self.judge_fuse(request.at, *run, effect, remembered);
        self.note_delete(*run, effect);
    }

    /// Counts what a pass could do wrong that has just begun.
    pub(super) fn count_risks(&mut self, run: ProcessLife, pass: &Pass<'_>) {
        let Some(desired) = &pass.desired else { return };
        if !pass.is_source_usable && !pass.owned.is_empty() {
            self.findings.risk(Law::S6);
        }
        let unwanted: Vec<Thing> = self
            .living
            .things()
            .map(|(_, thing)| thing)
            .filter(|thing| !declares(desired, thing.kind, &thing.name))
            .cloned()
            .collect();
        let mut going = Vec::new();
        for Thing { kind, name, maker, .. } in unwanted {
            let remembered = self.remembered_thing(run, kind, &name);
            if maker != (Maker::Ours { process: run.process, has_seen: true }) {
                self.findings.risk(Law::S1);
            } else if remembered.is_protected {
                self.findings.risk(Law::S11);
            } else if kind == Kind::Database && !remembered.may_prune {
                self.findings.risk(Law::S7);
            } else {
                going.push(kind);
            }
        }
        self.count_fuse_risk(pass, &going);
        let is_moved = |key: &&Key| self.remembered(run.process, key).is_moved;
        let moved = desired.resources.keys().filter(is_moved).count();
        self.findings.risks(Law::S8, u64::try_from(moved).unwrap_or(0));
    }

    fn remembered_thing(&self, run: ProcessLife, kind: Kind, name: &str) -> Remembered {
        key(kind, name).map(|key| self.remembered(run.process, &key)).unwrap_or_default()
    }
}

/// Returns our key of a thing; nothing for a name that no manifest could declare.
pub(super) fn key(kind: Kind, name: &str) -> Option<Key> {
    let kind = crate::model::Kind::ALL.into_iter().find(|ours| kind_of(*ours) == kind)?;
    Some(Key::new(kind, Name::new(name).ok()?))
}

/// Whether manifests declare a thing.
pub(super) fn declares(desired: &Desired, kind: Kind, name: &str) -> bool {
    key(kind, name).is_some_and(|key| desired.resources.contains_key(&key))
}
