//! Many seeds, on as many threads as there are; what they found, in the order of seeds.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::draw::draw;
use super::judge::judge;
use super::law::{Law, LawFindings};
use super::play::play;
use super::scene::Scene;
use super::schedule::Schedule;
use super::trouble::Trouble;

/// The most broken schedules that are kept: who has so many has one problem.
const BROKEN_MAX: usize = 100;

/// Many seeds over one scene.
pub struct Campaign {
    /// What it is about.
    pub scene: Arc<Scene>,
    /// What trouble is drawn.
    pub trouble: Trouble,
    /// The seeds.
    pub seeds: Range<u64>,
    /// How many are played at once.
    pub threads: usize,
}

/// What was found of one law over all seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LawTally {
    /// How often it was at risk.
    pub at_risk: u64,
    /// How often it was broken.
    pub broken: u64,
}

/// A seed that broke a law.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    /// The law.
    pub law: Law,
    /// How.
    pub how: String,
    /// What was played.
    pub schedule: Schedule,
}

#[derive(Default)]
struct Found {
    tallies: BTreeMap<Law, LawTally>,
    broken: Vec<Broken>,
}

impl Campaign {
    /// Plays all seeds. `progress` is told how many are done, from any thread.
    ///
    /// *Guarantees*: what is found depends on the seeds only, not on the threads.
    #[must_use]
    pub fn run(&self, progress: &(dyn Fn(u64) + Sync)) -> (BTreeMap<Law, LawTally>, Vec<Broken>) {
        let next = AtomicU64::new(0);
        let count = self.seeds.end.saturating_sub(self.seeds.start);
        let done = AtomicU64::new(0);
        let found: Mutex<Found> = Mutex::default();
        std::thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| {
                    loop {
                        // Counted from the first one: past the greatest number there is none.
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        if place >= count {
                            return;
                        }
                        let seed = self.seeds.start + place;
                        let schedule = draw(seed, &self.scene, &self.trouble);
                        let findings = judge(&self.scene, &play(&self.scene, &schedule));
                        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                        found.take(&findings, &schedule);
                        drop(found);
                        progress(done.fetch_add(1, Ordering::Relaxed) + 1);
                    }
                });
            }
        });
        let Found { tallies, mut broken } =
            found.into_inner().unwrap_or_else(PoisonError::into_inner);
        broken.sort_by_key(|broken| (broken.schedule.seed, broken.law));
        broken.truncate(BROKEN_MAX);
        (tallies, broken)
    }
}

impl Found {
    fn take(&mut self, findings: &LawFindings, schedule: &Schedule) {
        for law in Law::ALL {
            let finding = findings.of(law);
            let tally = self.tallies.entry(law).or_default();
            tally.at_risk += finding.at_risk;
            tally.broken += u64::try_from(finding.broken.len()).unwrap_or(0);
        }
        for (law, how) in findings.broken() {
            let (how, schedule) = (how.to_owned(), schedule.clone());
            self.broken.push(Broken { law, how, schedule });
        }
    }
}
