//! What holds at every moment, whatever is thrown at the budget.

use std::time::Duration;

use proptest::prelude::*;

use super::super::*;

pub(super) const START: Millis = Millis(1_790_000_000_000);

pub(super) fn answer(status: u16, remaining: &str, reset: &str) -> Limits {
    let some = |raw: &str| (!raw.is_empty()).then(|| raw.to_owned());
    Limits { status, remaining: some(remaining), reset: some(reset), ..Limits::default() }
}

fn fresh() -> (Budget, BudgetSession) {
    let mut budget = Budget::new(BudgetConfig::default());
    let session = budget.begin(START);
    (budget, session)
}

pub(super) fn go(
    budget: &mut Budget,
    now: Millis,
    session: &mut BudgetSession,
    lane: Lane,
) -> Permit {
    match budget.take(now, session, lane) {
        Verdict::Go(permit) => permit,
        Verdict::Wait { until, why } => panic!("waits until {until:?}: {why:?}"),
    }
}

pub(super) fn why(
    budget: &mut Budget,
    now: Millis,
    session: &mut BudgetSession,
    lane: Lane,
) -> Option<Why> {
    match budget.take(now, session, lane) {
        Verdict::Go(_) => None,
        Verdict::Wait { until: _, why } => Some(why),
    }
}

#[test]
fn of_a_token_nobody_knows_one_request_finds_out_what_is_left() {
    let (mut budget, mut session) = fresh();
    let first = go(&mut budget, START, &mut session, Lane::Converge);
    assert_eq!(why(&mut budget, START, &mut session, Lane::Converge), Some(Why::Alone));
    budget.learn(START, &first, &answer(200, "299", "60"));
    assert_eq!(why(&mut budget, START, &mut session, Lane::Converge), None);
}

#[test]
fn a_refusal_stops_every_lane_until_the_server_is_ready() {
    let (mut budget, mut session) = fresh();
    let permit = go(&mut budget, START, &mut session, Lane::Converge);
    let refusal = Limits { status: 429, retry_after: Some("20".to_owned()), ..Limits::default() };
    budget.learn(START, &permit, &refusal);
    let soon = START.plus(Duration::from_secs(19));
    for lane in [Lane::Urgent, Lane::Converge, Lane::Background] {
        assert_eq!(why(&mut budget, soon, &mut session, lane), Some(Why::Frozen));
    }
    let later = START.plus(Duration::from_secs(23));
    assert_eq!(why(&mut budget, later, &mut session, Lane::Converge), None);
    assert_eq!(why(&mut budget, later, &mut session, Lane::Urgent), Some(Why::Alone));
}

#[test]
fn many_refusals_of_requests_on_their_way_are_one_episode() {
    let (mut budget, mut session) = fresh();
    let first = go(&mut budget, START, &mut session, Lane::Converge);
    budget.learn(START, &first, &answer(200, "299", "60"));
    let mut take = || go(&mut budget, START, &mut session, Lane::Converge);
    let permits: Vec<Permit> = (0..20).map(|_| take()).collect();
    let soon = START.plus(Duration::from_millis(100));
    for permit in &permits {
        budget.learn(soon, permit, &answer(429, "0", ""));
    }
    assert_eq!(budget.view(soon).limit, 270);
    let frozen = budget.view(soon).frozen_until.unwrap().since(soon);
    assert!(frozen <= Duration::from_millis(1_100), "{frozen:?}");
}

#[test]
fn a_person_may_run_the_command_as_often_as_he_likes_but_a_crash_loop_waits() {
    let mut budget = Budget::new(BudgetConfig::default());
    for _ in 0..50 {
        let session = budget.begin(START);
        budget.end(&session);
    }
    let waits: Vec<u64> = (0..12)
        .map(|_| {
            let mut session = budget.begin(START);
            match budget.take(START, &mut session, Lane::Background) {
                Verdict::Wait { until, why: Why::Starting } => until.since(START).as_secs(),
                _ => 0,
            }
        })
        .collect();
    assert_eq!(waits, [0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    let mut repair = budget.begin(START);
    let later = START.plus(Duration::from_secs(31));
    assert_eq!(why(&mut budget, later, &mut repair, Lane::Urgent), None);
}

#[test]
fn a_request_that_never_left_does_not_count_and_one_that_was_lost_does() {
    let (mut budget, mut session) = fresh();
    let first = go(&mut budget, START, &mut session, Lane::Converge);
    budget.unsent(START, &first);
    budget.unsent(START, &first);
    assert_eq!(budget.view(START).used, 0);
    let second = go(&mut budget, START, &mut session, Lane::Converge);
    budget.lost(START, &second);
    budget.lost(START, &second);
    assert_eq!(budget.view(START).used, 1);
}

#[test]
fn the_view_is_what_the_server_said_last() {
    let (mut budget, mut session) = fresh();
    let first = go(&mut budget, START, &mut session, Lane::Converge);
    budget.learn(START, &first, &answer(200, "281", "60"));
    assert_eq!(budget.view(START).to_string(), "281 of 300 left this minute");
    let next_window = START.plus(Duration::from_secs(61));
    assert_eq!(budget.view(next_window).to_string(), "300 of 300 left this minute");
}

#[test]
fn a_clock_that_was_set_back_stops_nothing_for_longer_than_it_was_set_back() {
    let (mut budget, mut session) = fresh();
    let first = go(&mut budget, START, &mut session, Lane::Converge);
    budget.learn(START, &first, &answer(200, "", ""));
    let before = START.minus(Duration::from_secs(3_600));
    assert_eq!(why(&mut budget, before, &mut session, Lane::Converge), None);
    assert_eq!(budget.view(before).used, 2);
}

#[test]
fn the_forecast_is_what_then_happens() {
    use super::simulation::{Model, Scenario, run};
    for size in [1, 100, 290, 1_000] {
        let (budget, mut session) = fresh();
        session.expect(size);
        let forecast = budget.forecast(size, START, &session).as_secs_f64();
        let reality = run(&Scenario::writes(Model::FixedFromFirst, size)).seconds();
        assert!((forecast - reality).abs() <= 2.0, "{size}: {forecast} s, in fact {reality} s");
    }
}

#[test]
fn a_forecast_of_a_million_requests_is_made_at_once() {
    let (budget, session) = fresh();
    let days = budget.forecast(1_000_000, START, &session).as_secs() / 86_400;
    assert_eq!(days, 2);
}

#[test]
fn a_configuration_without_sense_still_lets_one_request_out() {
    for (limit, rate, reserve) in
        [(0, 0, 0), (1, 1, 1), (300, 0, 90), (1, 900, 900), (300, 285, 400)]
    {
        let mut budget = Budget::new(BudgetConfig { limit, rate, reserve, seed: 0 });
        let mut session = budget.begin(START);
        for lane in [Lane::Urgent, Lane::Background] {
            let now = START.plus(Duration::from_secs(if lane == Lane::Urgent { 0 } else { 100 }));
            assert_eq!(why(&mut budget, now, &mut session, lane), None, "{limit} {rate} {reserve}");
        }
    }
}

#[derive(Debug, Clone)]
enum Act {
    Take(u8),
    /// A look, and the leave of the write that rests on it.
    Pair(u8),
    /// A place for a write whose look is a list.
    Place(u8),
    /// The write of the oldest pair leaves, or that of the newest.
    Depart(bool),
    Pass(u32),
    Answer {
        status: u16,
        remaining: u32,
        reset: u64,
    },
    Lose,
    Crash,
    /// The clock is set back.
    Back(u32),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        20 => (0..3_u8).prop_map(Act::Take),
        10 => (0..3_u8).prop_map(Act::Pair),
        5 => (0..3_u8).prop_map(Act::Place),
        12 => any::<bool>().prop_map(Act::Depart),
        4 => (0..2_000_u32).prop_map(Act::Pass),
        1 => (2_000..70_000_u32).prop_map(Act::Pass),
        12 => (prop_oneof![9 => Just(200), 1 => Just(429)], 0..400_u32, 0..90_u64)
            .prop_map(|(status, remaining, reset)| Act::Answer { status, remaining, reset }),
        1 => Just(Act::Lose),
        1 => Just(Act::Crash),
        1 => (0..100_000_u32).prop_map(Act::Back),
    ];
    prop::collection::vec(act, 1..1_200)
}

#[test]
fn a_look_and_its_write_leave_together_or_not_at_all() {
    let mut budget = Budget::new(BudgetConfig { rate: 3, ..BudgetConfig::default() });
    let mut session = budget.begin(START);
    let first = go(&mut budget, START, &mut session, Lane::Converge);
    budget.learn(START, &first, &answer(200, "299", "60"));
    let second = go(&mut budget, START, &mut session, Lane::Converge);
    budget.learn(START, &second, &answer(200, "298", "60"));
    // There is room for one, and one alone would be a look whose write waits for a minute.
    let pair = budget.take_pair(START, &mut session, Lane::Converge);
    let Verdict::Wait { until, why: Why::Rate } = pair else { panic!("{pair:?}") };
    assert_eq!(budget.view(START).used, 2);
    assert!(matches!(budget.take_pair(until, &mut session, Lane::Converge), Verdict::Go((_, _))));
    assert_eq!(budget.view(until).used, 2);
}

/// Returns the limit that is gone by after writes alone were refused again and again, each time with
/// this Remaining, while every look tells that plenty is left.
fn limit_after_refused_writes(remaining: &str) -> u32 {
    let (mut budget, mut session) = fresh();
    let mut now = START;
    for limits in [answer(200, "250", "30"), answer(429, remaining, "1")].iter().cycle().take(60) {
        let permit = loop {
            match budget.take(now, &mut session, Lane::Urgent) {
                Verdict::Go(permit) => break permit,
                Verdict::Wait { until, why: _ } => now = until,
            }
        };
        budget.learn(now, &permit, limits);
        now = now.plus(Duration::from_secs(2));
    }
    budget.view(now).limit
}

#[test]
fn refusals_by_another_than_the_count_take_nothing_from_the_limit_we_go_by() {
    assert_eq!(limit_after_refused_writes(""), 300);
    assert!(limit_after_refused_writes("0") < 200);
}

#[test]
fn a_write_counts_from_when_it_leaves_and_not_from_when_it_asked() {
    let mut budget = Budget::new(BudgetConfig { rate: 2, ..BudgetConfig::default() });
    let mut session = budget.begin(START);
    let pair = budget.take_pair(START, &mut session, Lane::Converge);
    let Verdict::Go((look, mut write)) = pair else { panic!("{pair:?}") };
    let later = START.plus(Duration::from_secs(25));
    budget.learn(later, &look, &answer(200, "299", "60"));
    assert_eq!(budget.depart(later, &session, &mut write), Ok(()));
    budget.learn(later, &write, &answer(200, "298", "35"));
    // The look is forgotten after a minute, the write a minute after it left.
    let next = START.plus(Duration::from_secs(61));
    assert_eq!(why(&mut budget, next, &mut session, Lane::Converge), None);
    assert_eq!(why(&mut budget, next, &mut session, Lane::Converge), Some(Why::Rate));
}

#[test]
fn what_was_learned_since_a_write_asked_for_leave_stands_in_its_way() {
    let reserved = |limits: Limits, wait: u64| {
        let (mut budget, mut session) = fresh();
        let pair = budget.take_pair(START, &mut session, Lane::Converge);
        let Verdict::Go((look, mut write)) = pair else { panic!("{pair:?}") };
        budget.learn(START, &look, &limits);
        let later = START.plus(Duration::from_secs(wait));
        let outcome = budget.depart(later, &session, &mut write);
        if outcome.is_err() {
            budget.unsent(later, &write);
            assert_eq!(budget.view(later).used, u32::from(wait < 60));
        }
        outcome
    };
    let refusal = Limits { status: 429, retry_after: Some("20".to_owned()), ..Limits::default() };
    assert_eq!(reserved(answer(200, "299", "60"), 1), Ok(()));
    assert_eq!(reserved(refusal, 1), Err(Why::Frozen));
    assert_eq!(reserved(answer(200, "0", "60"), 1), Err(Why::Remaining));
    // Its place in the minute may be somebody else's by now.
    assert_eq!(reserved(answer(200, "299", "60"), 61), Err(Why::Rate));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_minute_ever_holds_more_than_the_rate(rate in 1..60_u32, acts in acts()) {
        let config = BudgetConfig { rate, reserve: 10, ..BudgetConfig::default() };
        let mut budget = Budget::new(config);
        let mut session = budget.begin(START);
        // What the world's clock shows, and what ours does.
        let (mut real, mut behind) = (START.0, 0_u64);
        let mut sent: Vec<u64> = Vec::new();
        let mut open: Vec<Permit> = Vec::new();
        let mut reserved: Vec<Permit> = Vec::new();
        let lanes = [Lane::Urgent, Lane::Converge, Lane::Background];
        for act in acts {
            let now = Millis(real - behind);
            match act {
                Act::Pair(lane) => {
                    match budget.take_pair(now, &mut session, lanes[usize::from(lane)]) {
                        Verdict::Go((look, write)) => {
                            sent.push(real);
                            open.push(look);
                            reserved.push(write);
                        }
                        Verdict::Wait { until, why: _ } => prop_assert!(until > now),
                    }
                }
                Act::Place(lane) => {
                    match budget.take_place(now, &mut session, lanes[usize::from(lane)]) {
                        Verdict::Go(write) => reserved.push(write),
                        Verdict::Wait { until, why: _ } => prop_assert!(until > now),
                    }
                }
                Act::Depart(_) if reserved.is_empty() => {}
                Act::Depart(is_oldest) => {
                    let place = if is_oldest { 0 } else { reserved.len() - 1 };
                    let mut permit = reserved.remove(place);
                    match budget.depart(now, &session, &mut permit) {
                        Ok(()) => {
                            sent.push(real);
                            open.push(permit);
                        }
                        Err(_) => budget.unsent(now, &permit),
                    }
                }
                Act::Take(lane) => {
                    match budget.take(now, &mut session, lanes[usize::from(lane)]) {
                        Verdict::Go(permit) => {
                            sent.push(real);
                            open.push(permit);
                        }
                        Verdict::Wait { until, why: _ } => prop_assert!(until > now),
                    }
                }
                Act::Pass(millis) => real += u64::from(millis),
                Act::Answer { status, remaining, reset } => if let Some(permit) = open.pop() {
                    let limits = answer(status, &remaining.to_string(), &reset.to_string());
                    budget.learn(now, &permit, &limits);
                },
                Act::Lose => if let Some(permit) = open.pop() {
                    budget.lost(now, &permit);
                },
                Act::Crash => {
                    let kept = serde_json::to_string(budget.state()).unwrap();
                    let state = serde_json::from_str(&kept).unwrap();
                    budget = Budget::resume(config, state);
                    open.clear();
                    reserved.clear();
                    session = budget.begin(now);
                }
                Act::Back(millis) => behind += u64::from(millis),
            }
        }
        prop_assert!(super::simulation::run::most_in_a_minute(&sent) <= rate);
    }
}
