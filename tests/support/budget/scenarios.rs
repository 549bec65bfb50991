//! The scenarios of the suite, B3 to B12, and their bounds.

use super::{AgentPlan, Chance, Front, Model, Scenario, run};

/// The sizes of an apply that the suite looks at.
pub const SIZES: [u32; 7] = [1, 100, 290, 300, 600, 1_000, 3_000];

/// Returns the time in seconds that so many writes take at best, with the 4 % that keep refusals
/// at zero: full windows, and the last batch.
pub fn bound_seconds(model: Model, writes: u32) -> f64 {
    let windows = writes.div_ceil(288).max(1) - 1;
    let last = writes - windows * 288;
    // A bucket of 30 lets no batch through faster than it refills.
    let batch =
        if model == Model::Bucket30 { f64::from(last.saturating_sub(30)) / 5.0 } else { 0.0 };
    f64::from(windows) * 61.0 + batch
}

/// A hundred requests a minute of another client, evenly, from long before us.
pub fn steady(model: Model, seed: u64) -> Scenario {
    let lead = Chance(seed).between(60_000, 180_000);
    let others = (0..2_000).map(|index| index * 600).collect();
    Scenario { others, lead, seed, ..Scenario::writes(model, 1_000) }
}

/// A burst of 150 requests of another client every two minutes.
pub fn bursts(model: Model, seed: u64) -> Scenario {
    let lead = Chance(seed).between(60_000, 180_000);
    let burst = |round: u64| (0..150).map(move |index| round * 120_000 + index * 20);
    let others = (0..15).flat_map(burst).collect();
    Scenario { others, lead, seed, ..Scenario::writes(model, 1_000) }
}

/// Returns how much of such bursts the server refuses while nobody else is there, in per cent.
pub fn burst_loss_percent(model: Model) -> f64 {
    let alone = Scenario { agents: Vec::new(), end: 600_000, ..bursts(model, 1) };
    run(&alone).others_refused_percent()
}

/// A person asks for something every few seconds while a sweep never ends.
pub fn urgent_under_sweep(model: Model, seed: u64) -> Scenario {
    let mut chance = Chance(seed);
    let mut time = 0;
    let mut urgent = Vec::new();
    while time < 1_800_000 {
        time += chance.between(1_000, 9_000);
        urgent.push(time);
    }
    let plan = AgentPlan { sweeps: true, urgent, ..AgentPlan::default() };
    Scenario { seed, end: 1_800_000, ..Scenario::new(model, vec![plan]) }
}

/// A process that lives three seconds and sends forty requests in them, for an hour.
pub fn crash_loop(model: Model, seed: u64) -> Scenario {
    let plan = AgentPlan { life: Some(3_000), ..AgentPlan::default() };
    Scenario { seed, end: 3_600_000, ..Scenario::new(model, vec![plan]) }
}

/// The server refuses everything for ten minutes while a hundred writes wait.
pub fn storm(model: Model, seed: u64, retry_after: Option<u64>) -> Scenario {
    Scenario { seed, broken: (600_000, retry_after), ..Scenario::writes(model, 100) }
}

/// Somebody used 290 of the window a second before we start with a hundred writes.
pub fn gone(model: Model, seed: u64) -> Scenario {
    Scenario { seed, gone: 290, ..Scenario::writes(model, 100) }
}

/// A command right after another one, on one state directory.
pub fn in_a_row(model: Model, writes: [u32; 2]) -> Scenario {
    let plan = |(place, writes)| AgentPlan { writes, follows: place > 0, ..AgentPlan::default() };
    let plans = writes.into_iter().enumerate().map(plan).collect();
    Scenario { seed: u64::from(writes[0]), ..Scenario::new(model, plans) }
}

/// Five commands in a row behind an ingress that lets 300 a minute through in even steps, as nginx
/// does, and refuses the rest with such a status. The API counts for itself.
pub fn behind_an_ingress(model: Model, status: u16, seed: u64) -> Scenario {
    let plan = |place| AgentPlan { writes: 24, follows: place > 0, ..AgentPlan::default() };
    let front = Some(Front { every: 200, status });
    Scenario { front, seed, ..Scenario::new(model, (0..5).map(plan).collect()) }
}

/// Two agents with 600 writes each.
pub fn two_agents(model: Model, seed: u64, hosts: [usize; 2]) -> Scenario {
    let plan = |host| AgentPlan { host, writes: 600, ..AgentPlan::default() };
    Scenario { seed, ..Scenario::new(model, hosts.map(plan).to_vec()) }
}
