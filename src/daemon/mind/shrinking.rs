//! A directory that loses manifests: a wish, or a slow `rm -r`, a wrong `rsync --delete`, a share
//! that goes away. Nobody can tell while it goes on, so what is gone waits for quiet (S7).
//!
//! A commit is whole, and somebody made it: of one nothing has to be waited for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::model::{Desired, Key, Kind, SentDelete};
use crate::plan::{Blocked, BlockedReason};

/// How long a directory must have lost nothing before what it lost goes.
const QUIET: SignedDuration = SignedDuration::from_secs(60);

/// How long what was lost is told, and a database waits where it was lost step by step: as long as
/// deletes count for the fuse.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(SentDelete::COUNTS_FOR.as_secs());

/// What a directory lost of late.
#[derive(Clone, Debug, Default)]
pub(super) struct Shrinking {
    /// When each resource that is gone was declared no longer.
    lost: BTreeMap<Key, Timestamp>,
    /// When something was lost last, or the first reading was made: what went before that, nobody
    /// saw.
    last: Option<Timestamp>,
}

impl Shrinking {
    /// Notes the first reading of an agent that stays.
    pub fn begin(&mut self, now: Timestamp) {
        self.last = Some(now);
    }

    /// Notes what a reading lacks that the one before it declared. Returns in how many steps the
    /// source has shrunk of late, when this is one more.
    pub fn read(&mut self, before: &Desired, after: &Desired, now: Timestamp) -> Option<usize> {
        self.lost.retain(|key, at| {
            !after.resources.contains_key(key) && now.duration_since(*at) < REMEMBERED
        });
        let stays = |key: &Key| {
            after.resources.contains_key(key)
                || after.tombstones.contains_key(key)
                || after.resources.values().any(|resource| {
                    resource.key.kind == key.kind && resource.previous_names.contains(&key.name)
                })
        };
        let gone: Vec<&Key> = before.resources.keys().filter(|key| !stays(key)).collect();
        if gone.is_empty() {
            return None;
        }
        self.last = Some(now);
        self.lost.extend(gone.into_iter().map(|key| (key.clone(), now)));
        Some(self.steps())
    }

    /// In how many steps it was lost.
    fn steps(&self) -> usize {
        self.lost.values().collect::<BTreeSet<_>>().len()
    }

    /// Until when nothing of a kind goes for its absence.
    pub fn until(&self, kind: Kind) -> Option<Timestamp> {
        let is_data = match kind {
            Kind::Database => true,
            Kind::EnvGroup | Kind::Service => false,
        };
        let pause = if is_data && self.steps() > 1 { REMEMBERED } else { QUIET };
        self.last.map(|last| last.checked_add(pause).unwrap_or(Timestamp::MAX))
    }

    /// Returns the kinds of which nothing goes for its absence now, and why.
    pub fn holds(&self, now: Timestamp) -> BTreeMap<Kind, Blocked> {
        let held = Kind::ALL.into_iter().filter_map(|kind| {
            let until = self.until(kind).filter(|until| *until > now)?;
            let seconds = until.duration_since(now).as_secs().max(1);
            let message = format!(
                "{}; no {kind} is deleted for that until it has lost nothing for {seconds} s more",
                self.told(now)
                    .unwrap_or_else(|| "the manifests were first read just now".to_owned())
            );
            let hint = format!("a tombstone (`state: Absent`) says that a {kind} is to be deleted");
            let reason = BlockedReason::SourceShrinking;
            Some((kind, Blocked { reason, message, hint: Some(hint) }))
        });
        held.collect()
    }

    /// Says what was lost, while it is remembered.
    pub fn told(&self, now: Timestamp) -> Option<String> {
        let recent = || self.lost.values().filter(|at| now.duration_since(**at) < REMEMBERED);
        let (count, first) = (recent().count(), recent().min()?);
        let span = now.duration_since(*first).as_secs().max(1);
        let resources = if count == 1 { "1 resource" } else { &format!("{count} resources") };
        Some(match self.steps() {
            1 => format!("the source lost {resources} {} ago", spoken(span)),
            steps => format!(
                "the source is shrinking: {resources} lost in {steps} steps within {}",
                spoken(span)
            ),
        })
    }

    /// Says what was lost, when that was step by step.
    pub fn told_of_steps(&self, now: Timestamp) -> Option<String> {
        self.told(now).filter(|_| self.steps() > 1)
    }
}

fn spoken(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        _ => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;
    use crate::secret::{self, Finders, FingerprintKey, FoundValues};
    use crate::source::Tree;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    /// What manifests of workers with these names want, each with more in its head.
    fn desired(names: &[(&str, &str)]) -> Desired {
        let documents = names.iter().map(|(name, more)| {
            format!(
                "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: {name}{more} \
                 }}\nspec: {{ type: worker, runtime: node, repo: github.com/acme/shop }}\n"
            )
        });
        let tree = Tree::from_texts([("stack.yaml", documents.collect::<String>().as_str())]);
        let declared = manifest::load(&tree).desired.unwrap();
        let found = FoundValues::of(&declared, &tree, &Finders::of_environment(&|_| None));
        secret::resolve(declared, &tree, &found, &FingerprintKey::from_bytes([7; 32])).unwrap()
    }

    fn held(shrinking: &Shrinking, seconds: i64) -> Vec<Kind> {
        shrinking.holds(at(seconds)).into_keys().collect()
    }

    #[test]
    fn what_is_lost_waits_until_nothing_more_is_and_data_for_an_hour() {
        let all = desired(&[("a", ""), ("b", ""), ("c", "")]);
        let (two, one) = (desired(&[("a", ""), ("b", "")]), desired(&[("a", "")]));
        let mut shrinking = Shrinking::default();
        assert_eq!(held(&shrinking, 0), []);
        assert_eq!(shrinking.read(&all, &all, at(0)), None);
        assert_eq!(shrinking.read(&all, &two, at(0)), Some(1));
        assert_eq!(held(&shrinking, 59), Kind::ALL);
        assert_eq!(held(&shrinking, 60), []);
        assert_eq!(shrinking.told_of_steps(at(10)), None);
        assert_eq!(shrinking.read(&two, &one, at(50)), Some(2));
        assert_eq!(held(&shrinking, 109), Kind::ALL);
        assert_eq!(held(&shrinking, 110), [Kind::Database]);
        assert_eq!(held(&shrinking, 3_649), [Kind::Database]);
        assert_eq!(held(&shrinking, 3_650), []);
        assert!(shrinking.told_of_steps(at(60)).unwrap().contains("2 resources lost in 2 steps"));
        assert_eq!(shrinking.told(at(4_000)), None);
        // What comes back is not lost.
        assert_eq!(shrinking.read(&one, &all, at(70)), None);
        assert_eq!(shrinking.told(at(70)), None);
    }

    #[test]
    fn what_is_renamed_or_has_a_tombstone_is_not_lost() {
        let both = desired(&[("a", ""), ("b", "")]);
        let renamed = desired(&[("a", ""), ("c", ", previousNames: [b]")]);
        let mut shrinking = Shrinking::default();
        assert_eq!(shrinking.read(&both, &renamed, at(0)), None);
        let mut buried = desired(&[("a", "")]);
        let tombstones = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: b }\n\
                          spec: { state: Absent }\n";
        let tree = Tree::from_texts([("gone.yaml", tombstones)]);
        buried.tombstones = manifest::load(&tree).desired.unwrap().tombstones;
        assert_eq!(shrinking.read(&both, &buried, at(0)), None);
        assert_eq!(shrinking.read(&both, &desired(&[("a", "")]), at(0)), Some(1));
    }
}
