//! Makes a schedule small that breaks a law: what is left is what matters.

use std::sync::Arc;

use super::judge::judge;
use super::law::Law;
use super::play::play;
use super::scene::Scene;
use super::schedule::{PlatformBehaviour, Schedule};

/// How many runs a shrinking may cost.
const RUNS_MAX: usize = 400;

/// Removes steps, and peculiarities of the platform, while the same law still breaks.
#[must_use]
pub fn shrink(scene: &Arc<Scene>, schedule: &Schedule, law: Law) -> Schedule {
    let mut shrinker = Shrinker { scene, law, runs: 0 };
    let mut small = schedule.clone();
    let mut piece = small.steps.len().div_ceil(2);
    while piece > 0 {
        let before = small.steps.len();
        small = shrinker.without_pieces(small, piece);
        if small.steps.len() == before || piece > 1 {
            piece /= 2;
        }
    }
    for platform in simpler(&small.platform) {
        let candidate = Schedule { platform, ..small.clone() };
        if shrinker.breaks(&candidate) {
            small = candidate;
        }
    }
    let last = small.steps.last().map_or(0, |step| step.at / 1_000 + 1);
    let shorter = Schedule { seconds: last.min(small.seconds), ..small.clone() };
    if shrinker.breaks(&shorter) { shorter } else { small }
}

struct Shrinker<'s> {
    scene: &'s Arc<Scene>,
    law: Law,
    runs: usize,
}

impl Shrinker<'_> {
    fn breaks(&mut self, schedule: &Schedule) -> bool {
        self.runs += 1;
        let findings = judge(self.scene, &play(self.scene, schedule));
        self.runs <= RUNS_MAX && findings.broken().any(|(law, _)| law == self.law)
    }

    fn without_pieces(&mut self, mut schedule: Schedule, piece: usize) -> Schedule {
        let mut at = 0;
        while at < schedule.steps.len() {
            let mut fewer = schedule.clone();
            let end = (at + piece).min(fewer.steps.len());
            fewer.steps.drain(at..end);
            if self.breaks(&fewer) {
                schedule = fewer;
            } else {
                at += piece;
            }
        }
        schedule
    }
}

/// Returns platforms with one peculiarity less, and the ordinary one first.
fn simpler(platform: &PlatformBehaviour) -> Vec<PlatformBehaviour> {
    let ordinary = PlatformBehaviour::default();
    vec![
        ordinary.clone(),
        PlatformBehaviour { rate: ordinary.rate, limiter: ordinary.limiter, ..platform.clone() },
        PlatformBehaviour { ingress: ordinary.ingress, ..platform.clone() },
        PlatformBehaviour { page: ordinary.page, ..platform.clone() },
        PlatformBehaviour { deletes_gradually: ordinary.deletes_gradually, ..platform.clone() },
        PlatformBehaviour { lists_show_all: ordinary.lists_show_all, ..platform.clone() },
        PlatformBehaviour { times: ordinary.times, bare: ordinary.bare, ..platform.clone() },
        PlatformBehaviour { quirks: ordinary.quirks, echoes: ordinary.echoes, ..platform.clone() },
    ]
}
