//! Plays many seeds of the simulation, on all cores, and prints what broke as lines to keep.
//!
//! ```text
//! cargo run --release --example soak -- [SEEDS [FROM]]      seeds FROM .. FROM + SEEDS
//! cargo run --release --example soak -- draw SEED           the schedule of a seed
//! cargo run --release --example soak -- replay LINE         one schedule, and its transcript
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example is a program")]

use std::process::ExitCode;
use std::sync::Arc;

use stoker::simulation::{Campaign, Law, Scene, Schedule, Trouble, draw, judge, play, shrink};

/// How many seeds pass between two lines of progress.
const PROGRESS_EVERY: u64 = 1_000;

#[expect(clippy::disallowed_methods, reason = "an example has no settings")]
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let scene = Arc::new(Scene::small());
    if let [word, line] = words.as_slice()
        && word == "replay"
    {
        return replay(&scene, line);
    }
    if let [word, seed] = words.as_slice()
        && word == "draw"
    {
        let Ok(seed) = seed.parse() else { return usage() };
        println!("{}", draw(seed, &scene, &Trouble::default()).line());
        return ExitCode::SUCCESS;
    }
    let number = |place: usize, default: u64| {
        words.get(place).map_or(Ok(default), |word| word.parse::<u64>())
    };
    let (Ok(seeds), Ok(from)) = (number(0, 100_000), number(1, 0)) else { return usage() };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let campaign = Campaign {
        scene: Arc::clone(&scene),
        trouble: Trouble::default(),
        seeds: from..from + seeds,
        threads,
    };
    let (tallies, broken) = campaign.run(&|done| {
        if done % PROGRESS_EVERY == 0 {
            eprintln!("{done} of {seeds} seeds");
        }
    });
    for law in Law::ALL {
        let tally = tallies.get(&law).copied().unwrap_or_default();
        println!("{law:?}\tat risk {}\tbroken {}", tally.at_risk, tally.broken);
    }
    for one in &broken {
        println!("# seed {} {:?}: {}", one.schedule.seed, one.law, one.how);
    }
    // The first of each law is made small: more of the same tell nothing new.
    for law in Law::ALL {
        if let Some(one) = broken.iter().find(|one| one.law == law) {
            println!("# {law:?}: {}", one.how);
            println!("{}", shrink(&scene, &one.schedule, law).line());
        }
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> ExitCode {
    eprintln!("usage: soak [SEEDS [FROM]] | soak draw SEED | soak replay LINE");
    ExitCode::FAILURE
}

fn replay(scene: &Arc<Scene>, line: &str) -> ExitCode {
    let schedule = match Schedule::parse(line) {
        Ok(schedule) => schedule,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let witness = play(scene, &schedule);
    println!("{}", witness.transcript());
    let findings = judge(scene, &witness);
    for (law, how) in findings.broken() {
        println!("{law:?}: {how}");
    }
    if findings.broken().next().is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
