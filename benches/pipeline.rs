//! The main road, stage by stage: `cargo bench --bench pipeline`.
//!
//! A stack is applied to the emulator in memory, then planned again without a change. Times are
//! medians of wall time on one thread; "refresh" and the memory include the emulator's own share.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]
#![expect(clippy::unwrap_used, reason = "a benchmark that fails says where")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time and starts itself anew")]

#[path = "../tests/it/stage.rs"]
#[expect(dead_code, reason = "shared with the tests, which use more of it")]
mod stage;
#[path = "support/workload.rs"]
mod workload;

use std::process::Command;
use std::time::{Duration, Instant};

use stage::Stage;
use stoker::api::Recollection;
use stoker::emulator::{EmulatorConfig, Fields, Paging, Shapes};
use stoker::manifest;
use stoker::plan::{Policy, plan};
use stoker::render::{Estimate, plan_as_text};
use stoker::source::Tree;
use workload::Workload;

/// How many documents a stack has.
const SIZES: [usize; 3] = [100, 1_000, 10_000];

/// How often each stage is timed.
const ROUNDS: usize = 7;

fn main() {
    let child = std::env::args().find_map(|word| word.strip_prefix("--size=")?.parse().ok());
    if let Some(size) = child {
        row(size);
        return;
    }
    println!("| documents | load | resolve | refresh | plan | print | requests | peak |");
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    let program = std::env::current_exe().unwrap();
    for size in SIZES {
        // A process of its own for each size, so that the peak is that size's.
        let ran = Command::new(&program).arg(format!("--size={size}")).status().unwrap();
        assert!(ran.success());
    }
}

fn row(size: usize) {
    let text = Workload::of(size).text();
    let tree = Tree::from_texts([("all.yaml", text.as_str())]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let stage = Stage::on(EmulatorConfig {
            list_fields: Shapes::every(Fields::All),
            paging: Paging { size: 100, size_max: 100, per_page: true },
            ..EmulatorConfig::default()
        });
        stage.apply(&tree, &Policy::default()).await;
        let mut times = [const { Vec::new() }; 5];
        let mut requests = 0;
        for _ in 0..ROUNDS {
            requests = round(&stage, &tree, &mut times).await;
        }
        let [load, resolve, refresh, plan, print] = times.map(median);
        println!(
            "| {size} | {load} | {resolve} | {refresh} | {plan} | {print} | {requests} | {} MiB |",
            peak_mib()
        );
    });
}

/// Plans once and notes how long each stage took; returns the requests it cost.
async fn round(stage: &Stage, tree: &Tree, times: &mut [Vec<Duration>; 5]) -> u32 {
    let start = Instant::now();
    let declared = manifest::load(tree);
    times[0].push(start.elapsed());
    drop(declared);
    let start = Instant::now();
    let desired = stage.desired(tree);
    times[1].push(start.elapsed().saturating_sub(*times[0].last().unwrap()));
    let (project, inventory) = (stage.open(), stage.inventory());
    let start = Instant::now();
    let (policy, anew) = (Policy::default(), Recollection::default());
    let read = project.refresh(desired.into(), inventory, &policy, anew).await;
    let (snapshot, _) = read.unwrap();
    times[2].push(start.elapsed());
    let start = Instant::now();
    let planned = plan(&snapshot, &policy);
    times[3].push(start.elapsed());
    assert!(planned.changes.is_empty(), "the stack was applied: {:?}", planned.changes.first());
    let start = Instant::now();
    let text = plan_as_text(&planned, &Estimate::default()).to_plain();
    times[4].push(start.elapsed());
    assert!(text.starts_with("No changes."));
    planned.cost.reads
}

fn median(mut times: Vec<Duration>) -> String {
    times.sort();
    format!("{:.1} ms", times[times.len() / 2].as_secs_f64() * 1_000.0)
}

/// The most memory this process has had, as the kernel counts it.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: Option<u64> =
        line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse().ok());
    kib.unwrap_or(0) / 1024
}
