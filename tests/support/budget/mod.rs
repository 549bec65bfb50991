//! Agents, other clients and a server on a virtual clock: what a budget does in an hour, in
//! milliseconds.
//!
//! Shared by the unit tests, which assert the goals, and by `benches/budget.rs`, which prints the
//! table. Whoever includes it brings the budget into the parent module.

pub mod run;
pub mod scenarios;
mod server;

use super::{Budget, BudgetConfig, BudgetSession, Lane, Limits, Millis, Permit, Verdict};

pub use run::{Report, run};
pub use server::{Front, Headers, Model};

/// When every simulation begins: a time of no significance, off the minute.
pub const START: u64 = 1_790_000_013_700;

/// How long one way of a request usually takes, in milliseconds: 40 to 200 there and back.
const ONE_WAY: (u64, u64) = (20, 100);

/// A small generator with a seed: the same seed, the same run.
#[derive(Debug)]
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low)
    }
}

/// What is simulated. Times are milliseconds from the start.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub model: Model,
    pub headers: Headers,
    pub seed: u64,
    pub agents: Vec<AgentPlan>,
    /// When another client of the token sends.
    pub others: Vec<u64>,
    /// What stands in front of the server, for us.
    pub front: Option<Front>,
    /// How long one way of a request takes, in milliseconds: from, to.
    pub one_way: (u64, u64),
    /// Requests that were sent by somebody one second before the start.
    pub gone: u32,
    /// Until when the server refuses everything, and what Retry-After says then.
    pub broken: (u64, Option<u64>),
    /// When the agents begin; the other clients were there before.
    pub lead: u64,
    /// When the simulation ends at the latest.
    pub end: u64,
    /// Whether it ends when the last write is done.
    pub stops_when_done: bool,
}

/// One agent.
#[derive(Debug, Clone, Default)]
pub struct AgentPlan {
    /// Agents with the same number share a state directory.
    pub host: usize,
    pub writes: u32,
    /// Reads without end in the background lane.
    pub sweeps: bool,
    /// When a person asks for something.
    pub urgent: Vec<u64>,
    /// Begins when the agent before it is done, as the second of two commands does.
    pub follows: bool,
    /// Dies this long after its first request, and at once starts again.
    pub life: Option<u64>,
}

impl Scenario {
    pub fn new(model: Model, agents: Vec<AgentPlan>) -> Self {
        Self {
            model,
            headers: Headers::DeltaSeconds,
            seed: 1,
            agents,
            others: Vec::new(),
            front: None,
            one_way: ONE_WAY,
            gone: 0,
            broken: (0, None),
            lead: 0,
            end: 7_200_000,
            stops_when_done: true,
        }
    }

    pub fn writes(model: Model, writes: u32) -> Self {
        Self::new(model, vec![AgentPlan { writes, ..AgentPlan::default() }])
    }
}
