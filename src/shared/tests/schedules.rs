//! Several writers at once, under any order of their steps: each may sleep between a request and its
//! answer for as long as it takes others to take over, append and shorten the log.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use proptest::prelude::*;

use super::*;

/// What happens, and when.
#[derive(Clone, Debug)]
struct Schedule {
    /// Whether the store can tell whose the seat is.
    tells_seats: bool,
    /// What becomes of each request that writes.
    fates: Vec<RequestFate>,
    /// Who goes on next; what is no writer's number ends all sittings.
    turns: Vec<u8>,
}

fn fate() -> impl Strategy<Value = RequestFate> {
    prop_oneof![
        6 => Just(RequestFate::Plain),
        1 => Just(RequestFate::AnswerLost),
        1 => (0_u8..20).prop_map(RequestFate::Late),
        1 => Just(RequestFate::Lost),
        1 => Just(RequestFate::Refused),
    ]
}

const WRITERS: u8 = 3;

fn schedule() -> impl Strategy<Value = Schedule> {
    let fates = prop::collection::vec(fate(), 0..40);
    // Runs of turns, so that a writer sometimes gets far before the next one wakes up.
    let turn = (0..=WRITERS, 1_usize..12).prop_map(|(who, times)| vec![who; times]);
    let turns = prop::collection::vec(turn, 0..60).prop_map(|turns| turns.concat());
    (any::<bool>(), fates, turns).prop_map(|(tells_seats, fates, turns)| Schedule {
        tells_seats,
        fates,
        turns,
    })
}

/// What the writers know by themselves.
#[derive(Default)]
struct Known {
    /// What was acknowledged, and must be there.
    done: Vec<String>,
    /// What was refused, and must not be there.
    refused: Vec<String>,
    /// What a writer read that took over, when it was told so, and what was acknowledged by then.
    taken: Vec<(Vec<String>, Vec<String>)>,
}

/// All that a history says has happened.
fn all(history: &History) -> Vec<String> {
    let snapshot = history.snapshot.iter().flat_map(|text| text.split(' '));
    let snapshot = snapshot.filter(|it| !it.is_empty()).map(str::to_owned);
    snapshot.chain(history.events.clone()).collect()
}

async fn live(medium: SimulatedMedium, number: u8, known: Rc<RefCell<Known>>) {
    for life in 0..3 {
        let token = format!("{number}-{life}");
        let Some(seat) = sit(&medium, &token).await else { continue };
        // What was acknowledged before it began to read must be read.
        let before = known.borrow().done.clone();
        let shared = Arc::new(medium.clone());
        let Ok((mut log, history)) = Log::take_over(shared, key(), LOG, seat, &token).await else {
            continue;
        };
        let mut truth = all(&history);
        known.borrow_mut().taken.push((truth.clone(), before));
        for deed in 0..4 {
            let outcome = if deed == 2 {
                log.compact(&truth.join(" ")).await
            } else {
                let event = format!("{number}-{life}-{deed}");
                let outcome = log.append(&event).await;
                match &outcome {
                    Ok(()) => {
                        known.borrow_mut().done.push(event.clone());
                        truth.push(event);
                    }
                    Err(LogError::Refused(_)) => known.borrow_mut().refused.push(event),
                    Err(_) => {}
                }
                outcome
            };
            if outcome.is_err_and(|error| !matches!(error, LogError::Refused(_))) {
                break;
            }
        }
    }
}

fn play(schedule: &Schedule) -> Result<(), TestCaseError> {
    let habits = Habits { ignores_seats: !schedule.tells_seats, ..Habits::default() };
    let medium = SimulatedMedium::with(habits);
    medium.draw(schedule.fates.clone());
    let known = Rc::new(RefCell::new(Known::default()));
    let lives = (0..WRITERS).map(|it| Box::pin(live(medium.clone(), it, Rc::clone(&known))));
    let mut lives: Vec<Option<Pin<Box<dyn Future<Output = ()>>>>> =
        lives.map(|it| Some(it as Pin<Box<dyn Future<Output = ()>>>)).collect();
    let mut context = Context::from_waker(Waker::noop());
    for turn in &schedule.turns {
        match lives.get_mut(usize::from(*turn)) {
            None => medium.unseat(),
            Some(life) => {
                let is_over =
                    life.as_mut().is_some_and(|it| it.as_mut().poll(&mut context).is_ready());
                if is_over {
                    *life = None;
                }
            }
        }
    }
    drop(lives);
    medium.rest();
    check(&medium, &known.borrow())
}

fn check(medium: &SimulatedMedium, known: &Known) -> Result<(), TestCaseError> {
    let history = history(medium).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let said = all(&history);
    for event in &said {
        let times = said.iter().filter(|it| *it == event).count();
        prop_assert_eq!(times, 1, "{} is there {} times: {:?}", event, times, &said);
    }
    for event in &known.done {
        prop_assert!(said.contains(event), "{} was acknowledged: {:?}", event, &said);
    }
    for event in &known.refused {
        prop_assert!(!said.contains(event), "{} was refused: {:?}", event, &said);
    }
    for (read, done) in &known.taken {
        prop_assert!(said.starts_with(read), "a writer read {:?} of {:?}", read, &said);
        prop_assert!(
            done.iter().all(|it| read.contains(it)),
            "{:?} was done, {:?} read",
            done,
            read
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_acknowledged_is_there_once_and_in_order_whoever_sleeps(schedule in schedule()) {
        play(&schedule)?;
    }
}
