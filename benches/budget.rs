//! Prints the table of the suite, B3 to B12, on a virtual clock, and times the budget itself.
//!
//! `cargo bench --bench budget`. Everything but the last lines is the same on every machine.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::time::Instant;

use stoker::budget::{Budget, BudgetConfig, BudgetSession, Lane, Limits, Millis, Permit, Verdict};
use stoker::ledger::{Ledger, TokenDigest};

#[path = "../tests/support/budget/mod.rs"]
mod simulation;

use simulation::{Headers, Model, Report, START, Scenario, run, scenarios};

/// How many seeds each scenario is run with.
const SEEDS: u64 = 20;

/// How many requests the ledger is timed with; fewer than the rate.
const TIMED: u32 = 200;

fn main() {
    alone();
    in_a_row();
    with_others();
    on_bad_days();
    time_the_budget();
}

/// B3, B4, B5.
fn alone() {
    println!("Alone: seconds for so many writes, the slowest of five forms of headers.\n");
    let sizes = scenarios::SIZES.map(|size| format!("{size} |")).join(" ");
    println!("| Server | {sizes} refused |");
    println!("|---|{}", "---:|".repeat(scenarios::SIZES.len() + 1));
    let bounds = scenarios::SIZES.map(|size| scenarios::bound_seconds(Model::FixedFromFirst, size));
    println!("| *bound* | {} 0 |", bounds.map(|bound| format!("{bound:.1} |")).join(" "));
    for model in Model::ALL {
        let mut refused = 0;
        print!("| {} |", model.name());
        for size in scenarios::SIZES {
            // A small bucket that tells nothing has a line of its own.
            let tells = |headers: &Headers| model != Model::Bucket30 || *headers != Headers::Absent;
            let reports: Vec<Report> = Headers::ALL
                .into_iter()
                .filter(tells)
                .map(|headers| run(&Scenario { headers, ..Scenario::writes(model, size) }))
                .collect();
            refused += reports.iter().map(|report| report.refused).sum::<u32>();
            print!(" {:.1} |", greatest(&reports, Report::seconds));
        }
        println!(" {refused} |");
    }
    let mut refused = Vec::new();
    print!("| bucket of 30 without headers |");
    for size in scenarios::SIZES {
        let scenario = Scenario::writes(Model::Bucket30, size);
        let report = run(&Scenario { headers: Headers::Absent, ..scenario });
        print!(" {:.1} |", report.seconds());
        refused.push(report.refused.to_string());
    }
    println!(" {} |\n", refused.join(", "));
}

/// B4, B12.
fn in_a_row() {
    println!(
        "In a row on one state: seconds of two commands of 250 and 101 writes, and of five of 24"
    );
    println!(
        "behind an ingress with even steps, of which 24 s are the ideal; 4 seeds, the slowest.\n"
    );
    println!("| Server | two commands | *bound* | ingress, 429 | ingress, 503 |");
    println!("|---|---:|---:|---:|---:|");
    for model in Model::ALL {
        let two = run(&scenarios::in_a_row(model, [250, 101])).seconds();
        let bound = scenarios::bound_seconds(model, 351);
        let [refused, away] = [429, 503].map(|status| {
            let reports =
                (0..4).map(|seed| run(&scenarios::behind_an_ingress(model, status, seed)));
            greatest(&reports.collect::<Vec<_>>(), Report::seconds)
        });
        println!("| {} | {two:.1} | {bound:.1} | {refused:.1} | {away:.1} |", model.name());
    }
    println!();
}

/// B6, B7, B8, B12.
fn with_others() {
    println!("With others, {SEEDS} seeds. Urgent: p99 and maximum in ms under an endless sweep. ");
    println!("Others: 1,000 writes of ours beside another client; mean and worst share of theirs ");
    println!("refused, most of ours refused, mean seconds. Two agents: 600 writes each.\n");
    println!(
        "| Server | urgent | 100 a minute | bursts of 150 | two agents, one host | two hosts |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for model in Model::ALL {
        let urgent = runs(|seed| scenarios::urgent_under_sweep(model, seed));
        let p99 = greatest(&urgent, |report| report.urgent_percentile(99) as f64);
        let most = greatest(&urgent, |report| report.urgent_percentile(100) as f64);
        let steady = beside(&runs(|seed| scenarios::steady(model, seed)));
        let bursts = beside(&runs(|seed| scenarios::bursts(model, seed)));
        let one = together(&runs(|seed| scenarios::two_agents(model, seed, [0, 0])));
        let two = together(&runs(|seed| scenarios::two_agents(model, seed, [0, 1])));
        println!("| {} | {p99}, {most} | {steady} | {bursts} | {one} | {two} |", model.name());
    }
    let loss = scenarios::burst_loss_percent(Model::Bucket30);
    println!("\nA bucket of 30 refuses {loss:.0} % of such bursts without us.\n");
}

/// B9, B10, B11.
fn on_bad_days() {
    println!(
        "On bad days, {SEEDS} seeds, the worst. Crash loop: share of an hour's budget. Storm: "
    );
    println!("refusals in ten minutes of them, and seconds from their end until 100 writes are ");
    println!("done, with Retry-After absent, 1, 30. Gone: 290 of 300 used up at the start.\n");
    println!("| Server | crash loop | storm | storm, 1 | storm, 30 | gone |");
    println!("|---|---:|---:|---:|---:|---:|");
    for model in Model::ALL {
        let crashes = runs(|seed| scenarios::crash_loop(model, seed));
        let share = greatest(&crashes, |report| f64::from(report.sent) / 180.0);
        let storms = [None, Some(1), Some(30)].map(|retry_after| {
            let reports = runs(|seed| scenarios::storm(model, seed, retry_after));
            let after = greatest(&reports, Report::seconds) - 600.0;
            format!("{}, {after:.0} s", most_refused(&reports))
        });
        let gone = together(&runs(|seed| scenarios::gone(model, seed)));
        println!("| {} | {share:.1} % | {} | {gone} |", model.name(), storms.join(" | "));
    }
    println!();
}

fn runs(scenario: impl Fn(u64) -> Scenario) -> Vec<Report> {
    (0..SEEDS)
        .map(|seed| {
            let report = run(&scenario(seed));
            assert!(report.most_in_a_minute <= BudgetConfig::default().rate, "S4 is broken");
            report
        })
        .collect()
}

fn beside(reports: &[Report]) -> String {
    let total = |of: fn(&Report) -> u32| reports.iter().map(of).map(f64::from).sum::<f64>();
    let refused =
        100.0 * total(|report| report.others_refused) / total(|report| report.others_sent);
    let worst = greatest(reports, Report::others_refused_percent);
    let waste = greatest(reports, Report::waste_percent);
    assert!(waste <= 1.0, "B5 is broken");
    let seconds = reports.iter().map(Report::seconds).sum::<f64>() / reports.len() as f64;
    format!("{refused:.1} %, {worst:.1} %, {}, {seconds:.0} s", most_refused(reports))
}

fn together(reports: &[Report]) -> String {
    format!("{}, {:.1} s", most_refused(reports), greatest(reports, Report::seconds))
}

fn most_refused(reports: &[Report]) -> u32 {
    reports.iter().map(|report| report.refused).max().unwrap_or(0)
}

fn greatest(reports: &[Report], of: impl Fn(&Report) -> f64) -> f64 {
    reports.iter().map(of).fold(0.0, f64::max)
}

/// What the budget itself costs: a permit and its answer.
fn time_the_budget() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let now = Millis(START);
    let config = BudgetConfig::default();
    let token = TokenDigest::of("a token");
    let shared = Ledger::open(directory.path(), "localhost", &token, config, now, None);
    let shared = shared.expect("a temporary directory can be written");
    let memory = Ledger::in_memory(config, now);
    println!(
        "One request and its answer: {:.1} us in memory, {:.0} us on disk.",
        microseconds(&memory, now),
        microseconds(&shared, now)
    );
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn microseconds(ledger: &Ledger, now: Millis) -> f64 {
    let limits = Limits { status: 200, ..Limits::default() };
    let start = Instant::now();
    for _ in 0..TIMED {
        let verdict = ledger.take(now, Lane::Converge).expect("the directory can be written");
        let Verdict::Go(permit) = verdict else { panic!("there is room for {TIMED} requests") };
        ledger.learn(now, permit, &limits);
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(TIMED)
}
