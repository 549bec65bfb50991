//! Metrics, in the form that is asked for: what the loops counted, and what their status says right now.
//!
//! The library only writes them down. Counts are kept in ordered maps, so one state gives one
//! text, and gauges are read from the status when somebody asks, so none can be stale.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};

use super::exposition::{self, BudgetNow, Scrape};
use super::plain_text::{OPEN_METRICS, PLAIN_TEXT, plain, wants_open_metrics};
use super::shared::ServerState;
use crate::api::RequestCounts;
use crate::status::{PassOutcome, PassRecord};

/// The upper bounds of the buckets for the time of a pass, in seconds: at rest one takes a few
/// requests, with deployments to follow it takes minutes.
pub(super) const BOUNDS: [f64; 13] =
    [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0];

/// What the loops count; clones are the same.
#[derive(Clone, Default)]
pub struct Meters(Arc<Mutex<Counts>>);

/// Tells how often what was asked and answered.
type TallySource = Arc<dyn Fn() -> RequestCounts + Send + Sync>;

/// Tells how many notices of each sink reached nobody.
type UntoldSource = Arc<dyn Fn() -> BTreeMap<String, u64> + Send + Sync>;

/// Tells how the budget stands, where that can be told.
type BudgetSource = Arc<dyn Fn() -> Option<BudgetNow> + Send + Sync>;

#[derive(Default)]
struct Counts {
    passes: BTreeMap<String, Passes>,
    requests: BTreeMap<String, TallySource>,
    untold: BTreeMap<String, UntoldSource>,
    budgets: BTreeMap<String, BudgetSource>,
}

/// The passes of one project.
#[derive(Clone, Debug, Default)]
pub(super) struct Passes {
    /// By outcome.
    pub results: BTreeMap<PassOutcome, u64>,
    /// How many took up to each bound; the last is without bound. Not cumulative.
    pub buckets: [u64; BOUNDS.len() + 1],
    pub seconds: f64,
}

impl Meters {
    /// Counts a pass that is over.
    pub fn observe_pass(&self, project: &str, pass: &PassRecord) {
        let seconds = std::time::Duration::from_millis(pass.duration_ms).as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        let mut counts = self.counts();
        let passes = counts.passes.entry(project.to_owned()).or_default();
        *passes.results.entry(pass.outcome.clone()).or_default() += 1;
        passes.buckets[bucket] += 1;
        passes.seconds += seconds;
    }

    /// Says where the requests of a project are counted, as `move || client.tally()`. A project
    /// that gets another client says it again; its counts then begin anew.
    pub fn count_requests_of(
        &self,
        project: &str,
        tally: impl Fn() -> RequestCounts + Send + Sync + 'static,
    ) {
        self.counts().requests.insert(project.to_owned(), Arc::new(tally));
    }

    /// Says where the notices of a project are counted that reached nobody.
    pub fn count_untold_of(
        &self,
        project: &str,
        untold: impl Fn() -> BTreeMap<String, u64> + Send + Sync + 'static,
    ) {
        self.counts().untold.insert(project.to_owned(), Arc::new(untold));
    }

    /// Says where the budget of a project is read: what a status shows of it may be half a minute old.
    pub fn read_budget_of(
        &self,
        project: &str,
        budget: impl Fn() -> Option<BudgetNow> + Send + Sync + 'static,
    ) {
        self.counts().budgets.insert(project.to_owned(), Arc::new(budget));
    }

    /// Returns the notices of each project that reached nobody.
    pub(super) fn untold(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let sources = self.counts().untold.clone();
        sources.into_iter().map(|(project, untold)| (project, untold())).collect()
    }

    /// Returns the budgets that can be told.
    pub(super) fn budgets(&self) -> BTreeMap<String, BudgetNow> {
        let sources = self.counts().budgets.clone();
        sources.into_iter().filter_map(|(project, budget)| Some((project, budget()?))).collect()
    }

    /// Returns the passes of each project.
    pub(super) fn passes(&self) -> BTreeMap<String, Passes> {
        self.counts().passes.clone()
    }

    /// Returns the requests of each project.
    pub(super) fn tallies(&self) -> BTreeMap<String, RequestCounts> {
        // Asked outside the lock: a source is not ours and may take its time.
        let sources = self.counts().requests.clone();
        sources.into_iter().map(|(project, tally)| (project, tally())).collect()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Meters")
    }
}

/// Answers with all metrics.
pub(super) async fn metrics(State(shared): State<ServerState>, headers: HeaderMap) -> Response {
    let statuses = shared.projects.iter();
    let statuses = statuses.map(|(name, kept)| (name.to_string(), kept.handle.status())).collect();
    let meters = &shared.meters;
    let (passes, tallies) = (meters.passes(), meters.tallies());
    let (untold, budgets) = (meters.untold(), meters.budgets());
    let text = exposition::text(Scrape { statuses, passes, tallies, untold, budgets });
    let (form, text) = match wants_open_metrics(&headers) {
        true => (OPEN_METRICS, text),
        false => (PLAIN_TEXT, plain(&text)),
    };
    ([(header::CONTENT_TYPE, form), (header::VARY, "Accept")], text).into_response()
}
