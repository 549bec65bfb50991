//! Passes of a project at rest, and what it costs to rest: nothing changes, nothing is written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use stoker::api::Transport;
use stoker::daemon::source::{Reading, Source};
use stoker::plan::Policy;
use stoker::source::Tree;
use stoker::status::Order;
use stoker::status::{PassOutcome, Problem};

use crate::project::{Kept, Replay, settings, stage, tree};
use crate::usage::{Meter, milliseconds, percentile};

pub const HEAD: &str = "Passes at rest, asked for one after the other; CPU is of the agent alone.\n\n\
                        | resources | requests | CPU a pass | passes a CPU second |";

pub const REST_HEAD: &str = "Resting: a day without a look, on a virtual clock.\n\n\
                             | resources | CPU a day | share of a core |";

/// How many passes are measured at once; the median is of such groups.
const GROUP: u32 = 10;

/// How many groups.
const GROUPS: usize = 9;

/// Longer than anything here lasts: no look by time.
const NEVER: Duration = Duration::from_secs(10 * 86_400);

/// Manifests in memory, the same for ever.
struct Same(Tree);

impl Source for Same {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn read<'a>(
        &'a self,
        _known: Option<&'a str>,
        _pinned: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Reading, Problem>> {
        Box::pin(async move { Ok(Reading { tree: self.0.clone(), commit: None }) })
    }

    fn has_commits(&self) -> bool {
        false
    }
}

pub fn row(resources: usize) {
    on_a_paused_clock(async move {
        let mut kept = at_rest(resources).await;
        let mut meter = Meter::of(std::process::id());
        let (mut before, mut times, mut requests) = (meter.read().cpu, Vec::new(), 0);
        let start = Instant::now();
        for _ in 0..GROUPS {
            for _ in 0..GROUP {
                requests = look(&mut kept).await;
            }
            let after = meter.read().cpu;
            times.push((after - before) / GROUP);
            before = after;
            if start.elapsed() > Duration::from_secs(60) {
                break;
            }
        }
        let time = percentile(&mut times, 50);
        println!(
            "| {resources} | {requests} | {} | {:.0} |",
            milliseconds(time),
            1.0 / time.as_secs_f64(),
        );
        kept.end().await;
    });
}

pub fn rest_row(resources: usize) {
    on_a_paused_clock(async move {
        let kept = at_rest(resources).await;
        let mut meter = Meter::of(std::process::id());
        tokio::time::sleep(Duration::from_secs(86_400)).await;
        let cpu = meter.read().cpu;
        let share = cpu.as_secs_f64() / 864.0;
        println!("| {resources} | {} | {share:.4} % |", milliseconds(cpu));
        kept.end().await;
    });
}

fn on_a_paused_clock(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(work);
}

/// Applies a stack, and keeps it on a platform that only repeats what it said.
async fn at_rest(resources: usize) -> Kept {
    let mut stage = stage();
    let tree = tree(resources);
    stage.apply(&tree, &Policy::default()).await;
    let replay: Arc<dyn Transport> = Replay::of(&stage.transport);
    stage.transport = replay;
    let mut kept = Kept::begin(stage, Arc::new(Same(tree)), settings(NEVER));
    kept.settle().await;
    // The answers are learned; the first pass from memory is not measured.
    look(&mut kept).await;
    kept
}

/// Makes one pass and returns its requests.
async fn look(kept: &mut Kept) -> u32 {
    kept.handle.order(Order::Reconcile { key: None }).await.unwrap();
    let pass = kept.passes.recv().await.unwrap();
    assert_eq!(pass.outcome, PassOutcome::Synced, "{pass:?}");
    pass.requests
}
