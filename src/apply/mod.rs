//! Hands: takes what `Progress` says is ready, performs it, records it, saves after each.
//!
//! It never decides what to do; the plan did. It only finds out, right before each write, whether
//! what was shown is still so (S10), and, after a lost answer, what became of it (S3).

mod perform;

mod create;
mod look;
mod patch;
mod resolve;

mod links;
mod outcome;
mod sweep;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::watch;

use crate::api::{Reader, Writer};
use crate::clock::Clock;
use crate::model::{Key, Live};
use crate::plan::{Change, Outcome, Plan, Progress, Report};
use crate::store::{Store, StoreError};

use sweep::Sweep;

/// How many changes are under way at once. The budget is the limit that counts; this one bounds
/// what a crash can leave open.
const IN_FLIGHT_MAX: usize = 8;

/// Everything that carries a plan out.
pub struct Hands<'a> {
    /// The right to read, for what must be read again.
    pub reader: &'a Reader,
    /// The right to write to the pinned project (S5).
    pub writer: &'a Writer,
    /// What we remember.
    pub store: &'a Mutex<Store>,
    /// Tells the time.
    pub clock: &'a Clock,
    /// How long an unanswered create may still be under way (S3).
    pub settle: Duration,
    /// The commit that the plan was made of; none of plain files.
    pub commit: Option<&'a str>,
    /// How it is carried out.
    pub execution: Execution<'a>,
}

/// How a plan is carried out. The default waits, is not stopped, and tells nobody.
pub struct Execution<'a> {
    /// What to do while there is nothing to do but wait.
    pub patience: Patience,
    /// Turns true when nothing new may begin: what is in flight is finished and recorded.
    pub stop: watch::Receiver<bool>,
    /// Told what happens, for the person who waits.
    pub observe: &'a (dyn Fn(Happening<'_>) + Sync),
}

impl Default for Execution<'_> {
    fn default() -> Self {
        // Nobody holds the other end, so nobody can stop it.
        let (_, stop) = watch::channel(false);
        Self { patience: Patience::Wait, stop, observe: &|_| {} }
    }
}

/// What is done where only time helps: a create whose answer was lost, a deploy in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Patience {
    /// Wait for it: this run is all there is.
    Wait,
    /// Leave it to the next pass, which reads everything again: others must not wait for it (L2).
    Leave,
}

/// What happens while a plan is carried out.
#[derive(Clone, Copy, Debug)]
pub enum Happening<'a> {
    /// A change began.
    Began(&'a Key),
    /// The answer to a create was lost; we look whether it happened.
    Resolving(&'a Key, Duration),
    /// A deploy is in progress; we wait for it to end.
    Busy(&'a Key),
    /// A change ended.
    Ended(&'a Key, &'a Outcome),
}

/// Carries out a plan and returns what became of each change.
///
/// *Guarantees*: writes are a subset of the plan's steps (S10); an intent is on disk before its
/// POST leaves (S3); each success is on disk before anything that rests on it begins. A failure
/// stops only what depends on it.
///
/// *Assumes* that `live` is the state the plan was made of.
///
/// # Errors
/// When nothing can be written down (disk full): then nothing was sent either.
pub async fn apply(plan: &Plan, live: &Live, hands: &Hands<'_>) -> Result<Report, StoreError> {
    hands.remember(plan)?;
    let changes: BTreeMap<&Key, &Change> =
        plan.changes.iter().map(|change| (&change.key, change)).collect();
    let sweep = Sweep::read(plan, live, hands.reader, hands.clock).await;
    let mut progress = Progress::new(plan);
    let mut stop = hands.execution.stop.clone();
    let mut is_stopped = false;
    let mut running = FuturesUnordered::new();
    loop {
        // It may have been told to while the platform was read: then not even the first begins.
        if !is_stopped && *stop.borrow() {
            is_stopped = true;
            progress.stop();
        }
        while running.len() < IN_FLIGHT_MAX {
            let next = progress.ready().next().and_then(|key| changes.get(key).copied());
            let Some(change) = next.filter(|change| progress.begin(&change.key)) else {
                break;
            };
            (hands.execution.observe)(Happening::Began(&change.key));
            let (sweep, part) = (&sweep, progress.part(&change.key));
            let performed = hands.perform(change, part, live, sweep);
            running.push(async move { (&change.key, performed.await) });
        }
        tokio::select! {
            biased;
            () = stopped(&mut stop), if !is_stopped => {
                is_stopped = true;
                progress.stop();
            }
            ended = running.next() => match ended {
                Some((key, outcome)) => {
                    (hands.execution.observe)(Happening::Ended(key, &outcome));
                    progress.finish(key, outcome);
                }
                None => return Ok(progress.report()),
            },
        }
    }
}

/// Returns when nothing new may begin; never, when nobody can say so any more.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|is_stopped| *is_stopped).await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Hands<'_> {
    fn store(&self) -> MutexGuard<'_, Store> {
        // A panic while the store was held left it as the last event made it.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what the plan learned without writing to the platform: protections that are
    /// new (S11), repairs that settled.
    fn remember(&self, plan: &Plan) -> Result<(), StoreError> {
        let mut store = self.store();
        for (key, entry) in &plan.remember {
            store.record(key.clone(), entry.clone())?;
        }
        Ok(())
    }
}
