//! `stoker simulate`: a user's own manifests for days of virtual time, under trouble of every kind.
//!
//! No network, no token, no file but the manifests. What holds here holds against our model of the
//! platform, and the first line that is printed says so.

mod report;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::manifest;
use crate::model::{Desired, Diagnostic, ValueSource};
use crate::simulation::{Campaign, Family, Scene, Trouble};
use crate::source;

use super::arguments::{OutputFormat, SimulateCommand};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::manifests::Manifests;
use super::offline::no_such_form;
use super::output::Output;

pub use report::SimulationDocument;
use report::SimulationReport;

/// How many seeds are played when nobody says: seconds of a person's time.
const SEEDS: u64 = 20;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// How many lines of progress a log takes.
const LINES_OF_PROGRESS: u64 = 10;

/// Simulates, and ends with 1 when a law broke.
pub async fn run(context: &Context, command: &SimulateCommand) -> Result<Exit, Failure> {
    let SimulateCommand { sources, days, seed, seeds, faults, live } = command;
    if context.output.form() == OutputFormat::Markdown {
        return Err(no_such_form("simulate", "markdown"));
    }
    let manifests = Manifests::read(context, sources)?;
    let resources = manifests.declared.resources.len();
    let scene = scene(context, manifests.declared, live.as_deref())?;
    let families = if faults.is_empty() { &Family::ALL[..] } else { faults };
    let first = seed.unwrap_or(0);
    let count = seeds.unwrap_or(if seed.is_some() { 1 } else { SEEDS });
    let campaign = Campaign {
        scene: Arc::new(scene),
        trouble: Trouble {
            families: families.iter().copied().collect(),
            seconds: u64::from(*days) * SECONDS_A_DAY,
        },
        seeds: first..first.saturating_add(count),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let watcher = Watcher::new(&context.output, count);
    let revisions = campaign.scene.changes().map(str::to_owned).collect();
    let (tallies, broken) = play(campaign, watcher).await?;
    let report =
        SimulationReport { command, families, resources, revisions, seeds: count, tallies, broken };
    report.print(&context.output);
    Ok(report.exit())
}

fn scene(
    context: &Context,
    declared: Desired<ValueSource>,
    live: Option<&Path>,
) -> Result<Scene, Failure> {
    let invalid = |message: String, diagnostics: Vec<Diagnostic>| {
        context.output.diagnostics(&diagnostics);
        Failure { diagnostics, ..Failure::new(ErrorCode::Manifests, message) }
    };
    let scene = Scene::of(declared).map_err(|diagnostics| {
        invalid("these manifests cannot be simulated".to_owned(), diagnostics)
    })?;
    let Some(path) = live else {
        return Ok(scene);
    };
    let tree = source::load(&[path.to_owned()], None).map_err(|error| {
        Failure::new(ErrorCode::Live, format!("failed to {error}"))
            .hint("`stoker export > live.yaml` writes the live state")
    })?;
    let loaded = manifest::load(&tree);
    match loaded.desired {
        Some(live) => Ok(scene.with_live(&live)),
        None => Err(invalid(format!("{} is invalid", path.display()), loaded.diagnostics)),
    }
}

/// Plays on threads of its own: every seed has a runtime, and none may stand in another.
async fn play(
    campaign: Campaign,
    watcher: Watcher,
) -> Result<(report::Tallies, Vec<crate::simulation::Broken>), Failure> {
    let played = tokio::task::spawn_blocking(move || {
        let outcome = campaign.run(&|done| watcher.show(done));
        watcher.end();
        outcome
    });
    played.await.map_err(|error| {
        Failure::new(ErrorCode::Simulation, format!("the simulation ended: {error}"))
    })
}

/// Progress on stderr: a bar where somebody looks, some lines otherwise.
struct Watcher {
    bar: Option<ProgressBar>,
    lines: Option<Lines>,
}

struct Lines {
    count: u64,
    told: AtomicU64,
}

impl Watcher {
    fn new(output: &Output, count: u64) -> Self {
        if output.is_watched() {
            let style = "{bar:40} {pos} of {len} seeds  {elapsed}, about {eta} left";
            let style = ProgressStyle::with_template(style);
            let bar = ProgressBar::new(count);
            bar.set_style(style.expect("the template is a constant and well formed"));
            return Self { bar: Some(bar), lines: None };
        }
        Self { bar: None, lines: Some(Lines { count, told: AtomicU64::new(0) }) }
    }

    fn show(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
        if let Some(Lines { count, told }) = &self.lines {
            let step = count.div_ceil(LINES_OF_PROGRESS).max(1);
            if done.is_multiple_of(step) && told.fetch_max(done, Ordering::Relaxed) < done {
                super::output::aside(&format!("{done} of {count} seeds\n"));
            }
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
