//! The whole program under thousands of schedules of trouble, judged by the laws.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use stoker::emulator::{Quirk, ValueForm};
use stoker::simulation::{
    Campaign, Disturbance, HistoryRewrite, Instruction, Law, LawTally, Moment, PlatformBehaviour,
    Scene, Schedule, ScheduledStep, SourceKind, Strike, Trouble, draw, judge, play, shrink,
};
use stoker::{manifest, source};

/// How many seeds a run of the tests plays.
const SEEDS: u64 = 2_000;

/// How many seeds of two days it plays for each stack that is shipped.
const STACK_SEEDS: u64 = 8;

#[test]
fn seeds_of_trouble_break_no_law() {
    let campaign = Campaign {
        scene: Arc::new(Scene::small()),
        trouble: Trouble::default(),
        seeds: 0..SEEDS,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let tallies = hold(&campaign, "keep these in tests/seeds");
    for law in Law::ALL {
        assert!(tallies[&law].at_risk > 0, "{law:?} was never at risk: the seeds have become tame");
    }
}

/// Plays a campaign, and fails with what broke, made small.
fn hold(campaign: &Campaign, advice: &str) -> BTreeMap<Law, LawTally> {
    let (tallies, broken) = campaign.run(&|_| {});
    let shown: Vec<String> = broken
        .iter()
        .take(3)
        .map(|one| {
            let small = shrink(&campaign.scene, &one.schedule, one.law);
            format!("# {:?}: {}\n{}", one.law, one.how, small.line())
        })
        .collect();
    assert!(shown.is_empty(), "{advice}:\n{}", shown.join("\n"));
    tallies
}

#[test]
fn two_days_of_trouble_break_no_law_for_the_stacks_we_ship() {
    for stack in ["blueprint-only", "shop", "web-application"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/stacks").join(stack);
        let tree = source::load(&[path], None).unwrap();
        let scene = Scene::of(manifest::load(&tree).desired.unwrap()).unwrap();
        let campaign = Campaign {
            scene: Arc::new(scene),
            trouble: Trouble { seconds: 2 * 86_400, ..Trouble::default() },
            seeds: 0..STACK_SEEDS,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        };
        let tallies = hold(&campaign, stack);
        assert!(tallies[&Law::L1].at_risk > 0, "{stack}");
    }
}

#[test]
fn every_seed_that_once_broke_a_law_is_played_again() {
    let scene = Arc::new(Scene::small());
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds");
    let mut played = 0;
    for file in fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let schedule = Schedule::parse(line).unwrap();
            let findings = judge(&scene, &play(&scene, &schedule));
            let broken: Vec<_> = findings.broken().collect();
            assert!(broken.is_empty(), "{}: {line}\n{broken:#?}", path.display());
            played += 1;
        }
    }
    assert!(played > 0);
}

#[test]
fn one_seed_is_one_run_byte_for_byte() {
    let scene = Arc::new(Scene::small());
    for seed in 0..12 {
        let schedule = draw(seed, &scene, &Trouble::default());
        assert_eq!(schedule, draw(seed, &scene, &Trouble::default()));
        let read = Schedule::parse(&schedule.line()).unwrap();
        assert_eq!(read, schedule);
        let first = play(&scene, &schedule).transcript();
        assert_eq!(first, play(&scene, &read).transcript(), "{}", schedule.line());
        assert_ne!(first, "");
    }
}

#[test]
fn seeds_find_the_same_on_one_thread_and_on_several() {
    let scene = Arc::new(Scene::small());
    let found = |threads| {
        let (scene, trouble) = (Arc::clone(&scene), Trouble::default());
        Campaign { scene, trouble, seeds: 500..506, threads }.run(&|_| {})
    };
    assert_eq!(found(1), found(3));
}

fn killed_once() -> Schedule {
    let strike = Strike::KillInRequest(6, Moment::After, 1);
    let what = Disturbance::Process(strike);
    let steps = vec![ScheduledStep { at: 10, what }];
    Schedule {
        seed: 3,
        platform: PlatformBehaviour::default(),
        source: SourceKind::Files,
        seconds: 60,
        looks: 20,
        steps,
    }
}

#[test]
fn a_calm_schedule_breaks_nothing_and_puts_little_at_risk() {
    let scene = Arc::new(Scene::small());
    let calm = Schedule { steps: Vec::new(), ..killed_once() };
    let findings = judge(&scene, &play(&scene, &calm));
    assert_eq!(findings.broken().count(), 0);
    // Nobody crashed, failed or acted: what cannot break is not said to have held.
    for law in [Law::S1, Law::S5, Law::S6, Law::S8, Law::S11, Law::L2, Law::L3] {
        assert_eq!(findings.of(law).at_risk, 0, "{law:?}");
    }
    for law in [Law::S9, Law::L1, Law::L4] {
        assert!(findings.of(law).at_risk > 0, "{law:?}");
    }
}

#[test]
fn a_crash_puts_its_law_at_risk() {
    let scene = Arc::new(Scene::small());
    let findings = judge(&scene, &play(&scene, &killed_once()));
    assert_eq!(findings.broken().count(), 0);
    assert!(findings.of(Law::L3).at_risk > 0);
}

#[test]
fn what_is_no_schedule_is_refused() {
    for line in ["", "{}", "{\"seed\":1}", "[]"] {
        assert!(Schedule::parse(line).is_err(), "{line}");
    }
}

fn quiet(source: SourceKind, steps: Vec<ScheduledStep>) -> Schedule {
    Schedule { source, seconds: 1_200, steps, ..killed_once() }
}

fn step(seconds: u64, what: Disturbance) -> ScheduledStep {
    ScheduledStep { at: seconds * 1_000, what }
}

#[test]
fn a_rewritten_history_is_held_and_taken_when_somebody_says_so() {
    let scene = Arc::new(Scene::small());
    let rewritten = || {
        vec![
            step(300, Disturbance::Commit(1)),
            step(600, Disturbance::Rewrite(HistoryRewrite::Amend(0))),
            // Also after a restart the last good commit is what stands.
            step(900, Disturbance::Process(Strike::Kill(1))),
        ]
    };
    let played = |source| {
        let schedule = quiet(source, rewritten());
        let witness = play(&scene, &schedule);
        let findings = judge(&scene, &witness);
        assert_eq!(findings.broken().collect::<Vec<_>>(), [], "{source:?}");
        (findings, witness.transcript())
    };
    let (held, transcript) = played(SourceKind::GitHold);
    assert!(held.of(Law::S6).at_risk > 0, "nothing was held");
    assert!(transcript.contains("read older Some"), "the last good commit was not read again");
    for source in [SourceKind::GitFollow, SourceKind::Files] {
        let (followed, transcript) = played(source);
        assert_eq!(followed.of(Law::S6).at_risk, 0, "{source:?}");
        assert!(!transcript.contains("read older"), "{source:?}");
    }
}

#[test]
fn a_clock_that_is_set_while_the_agent_runs_breaks_nothing() {
    let scene = Arc::new(Scene::small());
    for off in [-30_000, 30_000] {
        let steps = vec![
            step(1, Disturbance::OurClock(off)),
            step(2, Disturbance::Operator(Instruction::Apply)),
            step(300, Disturbance::PlatformClock(-3_600_000)),
            step(301, Disturbance::Commit(1)),
            step(310, Disturbance::Process(Strike::Kill(1))),
            step(600, Disturbance::OurClock(0)),
        ];
        let findings = judge(&scene, &play(&scene, &quiet(SourceKind::Files, steps)));
        assert_eq!(findings.broken().collect::<Vec<_>>(), [], "{off}");
    }
}

/// The answers echo what was sent or do not: what is written on and on is seen at the wire (L1).
#[test]
fn a_platform_that_holds_something_else_is_left_alone_in_time() {
    let scene = Arc::new(Scene::small());
    let setting = |field: &str, form| Quirk::Setting { field: field.to_owned(), form };
    let swings = |every_ms| {
        let (field, value) = ("plan".to_owned(), "pro".into());
        Quirk::Swings { field, value, every_ms }
    };
    let quirks = [
        setting("plan", ValueForm::Ends("-v2".to_owned())),
        setting("scaling.max_instances", ValueForm::AtMost(2)),
        Quirk::Value { key: "NODE_ENV".to_owned(), form: ValueForm::Begins(" ".to_owned()) },
        Quirk::Adds { key: "ADDON_URL".to_owned(), anew: false },
        Quirk::Adds { key: "RELEASE".to_owned(), anew: true },
        swings(400_000),
        swings(1_000_000),
    ];
    for (quirk, echoes) in
        quirks.into_iter().flat_map(|quirk| [(quirk.clone(), false), (quirk, true)])
    {
        let context = format!("{quirk:?} {echoes}");
        let platform =
            PlatformBehaviour { quirks: vec![quirk], echoes, ..PlatformBehaviour::default() };
        let steps = vec![step(600, Disturbance::Commit(1))];
        let schedule = Schedule { platform, ..quiet(SourceKind::Files, steps) };
        let findings = judge(&scene, &play(&scene, &schedule));
        assert_eq!(findings.broken().collect::<Vec<_>>(), [], "{context}");
    }
}

#[test]
fn every_seed_ends_with_twenty_looks() {
    let scene = Scene::small();
    assert!((0..200).all(|seed| draw(seed, &scene, &Trouble::default()).looks == 20));
}
