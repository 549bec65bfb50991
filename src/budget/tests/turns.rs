//! Several processes on one budget, and who of them is let in.

use std::time::Duration;

use super::super::*;
use super::laws::{START, answer, go, why};

/// Two processes on one token. The first sends whatever one request at a time finds room for; returns
/// after how many seconds the second finds it for a look and its write.
fn seconds_beside_a_busy_process(busy: Lane) -> Option<u64> {
    let mut budget = Budget::new(BudgetConfig { rate: 12, ..BudgetConfig::default() });
    let (mut first, mut second) = (budget.begin(START), budget.begin(START));
    let mut next = START.plus(Duration::from_secs(60));
    (0..600).find(|second_now| {
        let now = START.plus(Duration::from_secs(*second_now));
        // Every five seconds one more is forgotten, and room for one is free.
        if second_now % 5 == 0
            && let Verdict::Go(permit) = budget.take(now, &mut first, busy)
        {
            budget.learn(now, &permit, &answer(200, "299", "60"));
        }
        if now < next {
            return false;
        }
        match budget.take_pair(now, &mut second, Lane::Converge) {
            Verdict::Go((_, _)) => true,
            Verdict::Wait { until, why: _ } => {
                next = until;
                false
            }
        }
    })
}

#[test]
fn a_process_that_sends_one_request_after_another_does_not_starve_one_that_needs_two_at_once() {
    let within = |busy| seconds_beside_a_busy_process(busy).is_some_and(|seconds| seconds <= 90);
    assert!(within(Lane::Converge) && within(Lane::Background));
    // Nobody whose work is less urgent holds up a person.
    assert!(!within(Lane::Urgent));
}

#[test]
fn who_does_not_come_back_is_not_waited_for() {
    let mut budget = Budget::new(BudgetConfig { rate: 3, ..BudgetConfig::default() });
    let (mut first, mut second) = (budget.begin(START), budget.begin(START));
    for _ in 0..2 {
        let permit = go(&mut budget, START, &mut first, Lane::Converge);
        budget.learn(START, &permit, &answer(200, "299", "60"));
    }
    let Verdict::Wait { until, why: Why::Rate } =
        budget.take_pair(START, &mut second, Lane::Converge)
    else {
        panic!("there is room for one")
    };
    // It was killed. Until it should have come back, its place is kept.
    assert_eq!(why(&mut budget, START, &mut first, Lane::Converge), Some(Why::Rate));
    let late = until.plus(Duration::from_secs(3));
    for _ in 0..3 {
        let permit = go(&mut budget, late, &mut first, Lane::Converge);
        budget.learn(late, &permit, &answer(200, "299", "60"));
    }
}
