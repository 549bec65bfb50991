//! S7 and S8: how much goes at once, and that nothing goes to be made again.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::emulator::{Kind, Mutation};
use crate::model::{Desired, Key};

use super::super::law::Law;
use super::super::witness::ProcessLife;
use super::pass::Pass;
use super::writes::key;
use super::{Bench, Remembered};

/// The most deletes of one order in an hour, and the largest share of what is owned, in percent (S7).
const DELETES_MAX: usize = 3;
const DELETES_PERCENT_MAX: usize = 30;

/// What a process deleted and what, made now, would be its replacement: another of its name, or what
/// the manifests of that moment named as its next name.
#[derive(Clone, Debug, Default)]
pub(super) struct Replacements(BTreeMap<(usize, Key), Awaited>);

/// Whether a manifest may ask for it as for something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// No: the manifests that declare it have declared it all along.
    AsReplacement,
    /// It was declared no longer: who declares it again asks for another one.
    AfterAbsence,
}

impl Replacements {
    /// Notes a delete that was made for these manifests. `lives` tells what lives beside it.
    pub fn deleted(
        &mut self,
        process: usize,
        key: &Key,
        desired: &Desired,
        lives: impl Fn(&Key) -> bool,
    ) {
        let is_declared = desired.resources.contains_key(key);
        let awaited = if is_declared { Awaited::AsReplacement } else { Awaited::AfterAbsence };
        self.0.insert((process, key.clone()), awaited);
        let next = desired.resources.values().filter(|resource| {
            resource.key.kind == key.kind && resource.previous_names.contains(&key.name)
        });
        for resource in next.filter(|resource| !lives(&resource.key)) {
            self.0.insert((process, resource.key.clone()), Awaited::AsReplacement);
        }
    }

    /// Notes what a process reads.
    pub fn read(&mut self, process: usize, desired: &Desired) {
        self.0.retain(|(of, key), awaited| {
            let is_declared = desired.resources.contains_key(key);
            if *of == process && !is_declared {
                *awaited = Awaited::AfterAbsence;
            }
            // Asked for again: what is made now is no replacement.
            !(*of == process && is_declared && *awaited == Awaited::AfterAbsence)
        });
    }

    /// Whether what is made now is a replacement; it is made then, and awaited no longer.
    fn take(&mut self, process: usize, key: &Key) -> bool {
        self.0.remove(&(process, key.clone())).is_some()
    }
}

/// The most deletes of an order for a process that owned so much.
pub(super) fn deletes_max(owned: usize) -> usize {
    DELETES_MAX.min((owned * DELETES_PERCENT_MAX / 100).max(1))
}

impl Bench<'_> {
    pub(super) fn judge_fuse(
        &mut self,
        at: u64,
        run: ProcessLife,
        effect: &Mutation,
        remembered: Remembered,
    ) {
        let Mutation { kind, name, id, .. } = effect;
        let Some(pass) = self.passes.get(&run) else { return };
        let may_go = *kind != Kind::Database
            || remembered.may_prune
            || pass.desired.as_ref().is_some_and(|desired| approves(desired, *kind, name, id));
        self.findings.check(Law::S7, may_go, || {
            format!("the database {name} was deleted, and nobody allowed it")
        });
        // Those of this very pass were owned when it began, those before it before.
        let before = self.hours.before(run, at).max(pass.deleted.len());
        let (count, owned) = (before + 1, pass.owned.len() + before - pass.deleted.len());
        self.findings.check(Law::S7, count <= deletes_max(owned), || {
            format!(
                "{count} deletes in an hour without a new order, of {owned} that could be owned"
            )
        });
        self.hours.went(run, at);
        // A list that lies may show more than there is.
        let is_judged = pass.has_plain_list(*kind);
        let of_kind = pass.owned.iter().filter(|(other, _)| other == kind).count();
        let gone = pass.deleted.iter().filter(|(other, _)| other == kind).count() + 1;
        self.findings.check(Law::S7, gone < of_kind || !is_judged, || {
            format!("{kind:?} {name} was the last of {of_kind} owned, and was deleted")
        });
    }

    /// What is deleted is not wanted (S6), and is not made again for the same wish (S8). No scene
    /// approves a replacement.
    pub(super) fn note_delete(&mut self, run: ProcessLife, effect: &Mutation) {
        let desired = self.passes.get(&run).and_then(|pass| pass.desired.clone());
        let (Some(desired), Some(key)) = (desired, key(effect.kind, &effect.name)) else { return };
        let Self { replacements, living, valid, .. } = self;
        let lives = |key: &Key| {
            let kind = super::super::world::kind_of(key.kind);
            living.things().any(|(_, it)| it.kind == kind && it.name == key.name.as_str())
        };
        replacements.deleted(run.process, &key, &desired, lives);
        // Its manifest may have come back while the request was on its way, and a command beside the
        // agent may carry out what the agent does not want (any more): who wants it makes it again.
        for (_, newest) in valid.iter().filter(|(other, _)| other.process == run.process) {
            replacements.read(run.process, newest);
        }
        self.judge_unmade(run, effect);
    }

    pub(super) fn judge_replacement(&mut self, run: ProcessLife, effect: &Mutation) {
        let key = key(effect.kind, &effect.name);
        let is_replacement = key.is_some_and(|key| self.replacements.take(run.process, &key));
        let was_deleted = self
            .passes
            .get(&run)
            .is_some_and(|pass| pass.deleted.contains(&(effect.kind, effect.name.clone())));
        if is_replacement || was_deleted {
            let how = format!("{:?} {} was deleted and made again", effect.kind, effect.name);
            self.findings.broke(Law::S8, how);
        }
    }

    /// Nothing that a pass made is deleted by it.
    fn judge_unmade(&mut self, run: ProcessLife, effect: &Mutation) {
        let was_made = self
            .passes
            .get(&run)
            .is_some_and(|pass| pass.created.contains(&(effect.kind, effect.name.clone())));
        if was_made {
            let how = format!("{:?} {} was made and deleted at once", effect.kind, effect.name);
            self.findings.broke(Law::S8, how);
        }
    }

    /// Returns what a process could own: what it made, and what it could have taken over because
    /// manifests that it read have declared it.
    pub(super) fn could_own(&self, process: usize) -> Vec<(Kind, String)> {
        let could = |thing: &&super::living::Thing| {
            let declared = || {
                let key = key(thing.kind, &thing.name);
                key.is_some_and(|key| self.remembered.contains_key(&(process, key)))
            };
            thing.maker.is(process) || declared()
        };
        let things = self.living.things().map(|(_, thing)| thing).filter(could);
        things.map(|thing| (thing.kind, thing.name.clone())).collect()
    }

    /// Counts what a pass could do wrong that has just begun: delete too much, or the last.
    pub(super) fn count_fuse_risk(&mut self, pass: &Pass<'_>, going: &[Kind]) {
        let is_last = |kind: &Kind| {
            let of_kind = pass.owned.iter().filter(|(other, _)| other == kind).count();
            going.iter().filter(|other| *other == kind).count() >= of_kind
        };
        if going.len() > deletes_max(pass.owned.len()) || going.iter().any(is_last) {
            self.findings.risk(Law::S7);
        }
    }
}

/// Whether a tombstone names this very database.
fn approves(desired: &Arc<Desired>, kind: Kind, name: &str, id: &str) -> bool {
    let tombstone = key(kind, name).and_then(|key| desired.tombstones.get(&key).cloned());
    let approval = tombstone.and_then(|tombstone| tombstone.approval);
    approval.is_some_and(|line| line.split_whitespace().any(|word| word == format!("id={id}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;
    use crate::simulation::scene::Scene;
    use crate::source::Tree;

    fn desired(texts: &[(&str, &str)]) -> Arc<Desired> {
        let documents = texts.iter().map(|(name, more)| {
            format!(
                "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: {name}{more} \
                 }}\nspec: {{ type: worker, runtime: node, repo: github.com/acme/shop }}\n"
            )
        });
        let text: String = documents.collect();
        let tree = Tree::from_texts([("stack.yaml", text.as_str())]);
        assert!(manifest::load(&tree).desired.is_some(), "{text}");
        Scene::small().reading(&text).desired.unwrap()
    }

    fn service(name: &str) -> Key {
        key(Kind::Service, name).unwrap()
    }

    #[test]
    fn what_is_made_again_for_the_same_wish_is_a_replacement_also_much_later() {
        let both = desired(&[("api", ""), ("jobs", "")]);
        let mut replacements = Replacements::default();
        replacements.deleted(0, &service("jobs"), &both, |_| false);
        replacements.read(0, &both);
        replacements.read(0, &both);
        assert!(replacements.take(0, &service("jobs")));
    }

    #[test]
    fn what_went_with_its_manifest_and_came_back_with_it_is_none() {
        let (both, one) = (desired(&[("api", ""), ("jobs", "")]), desired(&[("api", "")]));
        let mut replacements = Replacements::default();
        replacements.deleted(0, &service("jobs"), &one, |_| false);
        replacements.read(1, &both);
        assert!(replacements.clone().take(0, &service("jobs")));
        replacements.read(0, &both);
        assert!(!replacements.take(0, &service("jobs")));
    }

    #[test]
    fn what_takes_the_place_of_its_previous_name_is_a_replacement() {
        let renamed = desired(&[("api", ""), ("tasks", ", previousNames: [jobs]")]);
        let mut replacements = Replacements::default();
        replacements.deleted(0, &service("jobs"), &renamed, |_| false);
        replacements.read(0, &renamed);
        assert!(replacements.take(0, &service("tasks")));
        // The next name lived beside it: the old one was something else.
        replacements.deleted(0, &service("jobs"), &renamed, |_| true);
        assert!(!replacements.take(0, &service("tasks")));
    }
}
