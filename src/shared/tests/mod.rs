//! The laws of the log, over a store whose answers get lost and whose requests land late.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::*;

mod records;
mod schedules;

const LOG: &str = "shop";

fn key() -> SealKey {
    SealKey::from_bytes([7; 32])
}

/// Runs what waits for nothing but its turn.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    for _ in 0..100_000 {
        if let Some(output) = future.as_mut().now_or_never() {
            return output;
        }
    }
    panic!("it never ended");
}

async fn sit(medium: &SimulatedMedium, token: &str) -> Option<SharedSeat> {
    match medium.sit(LOG, token, token, Duration::from_secs(10)).await {
        Sitting::Ours(seat) => Some(seat),
        Sitting::Held(_) | Sitting::Refused(_) | Sitting::Unknown(_) => None,
    }
}

async fn writer(medium: &SimulatedMedium, token: &str) -> (Log, History) {
    let seat = sit(medium, token).await.unwrap();
    let medium = Arc::new(medium.clone());
    Log::take_over(medium, key(), LOG, seat, token).await.unwrap()
}

fn history(medium: &SimulatedMedium) -> Result<History, LogError> {
    run(Log::read(medium, &key(), LOG))
}

#[test]
fn what_was_appended_is_read_and_long_messages_are_whole() {
    let medium = SimulatedMedium::default();
    let long = "{\"a\":\"\\\"ö\\\"\"}".repeat(300);
    run(async {
        let (mut log, before) = writer(&medium, "one").await;
        assert_eq!(before, History::default());
        log.append("first").await.unwrap();
        log.append(&long).await.unwrap();
    });
    let told = history(&medium).unwrap();
    assert_eq!(told.events, ["first", long.as_str()]);
    assert!(medium.records(LOG).len() > 30);
    assert!(medium.records(LOG).values().all(|bytes| bytes.len() <= medium.record_bytes_max()));
}

#[test]
fn an_answer_that_was_lost_is_settled_and_nothing_is_written_twice() {
    for fate in
        [RequestFate::AnswerLost, RequestFate::Late(2), RequestFate::Late(40), RequestFate::Lost]
    {
        let medium = SimulatedMedium::default();
        run(async {
            let (mut log, _) = writer(&medium, "one").await;
            medium.draw([fate, fate, RequestFate::Plain, fate]);
            log.append("first").await.unwrap();
            log.append("second").await.unwrap();
        });
        medium.rest();
        assert_eq!(history(&medium).unwrap().events, ["first", "second"], "{fate:?}");
    }
}

#[test]
fn what_is_refused_is_not_there_and_another_can_be_written() {
    let medium = SimulatedMedium::default();
    run(async {
        let (mut log, _) = writer(&medium, "one").await;
        medium.draw([RequestFate::Refused]);
        let refused = log.append("first").await.unwrap_err();
        assert_eq!(refused, LogError::Refused("the store is full".to_owned()));
        log.append("second").await.unwrap();
    });
    assert_eq!(history(&medium).unwrap().events, ["second"]);
}

#[test]
fn a_refusal_after_a_lost_answer_settles_nothing() {
    let medium = SimulatedMedium::default();
    run(async {
        let (mut log, _) = writer(&medium, "one").await;
        medium.draw([RequestFate::Late(3), RequestFate::Refused, RequestFate::Refused]);
        log.append("first").await.unwrap();
    });
    assert_eq!(history(&medium).unwrap().events, ["first"]);
}

#[test]
fn whoever_never_hears_an_answer_writes_no_more() {
    let medium = SimulatedMedium::default();
    run(async {
        let (mut log, _) = writer(&medium, "one").await;
        medium.draw([RequestFate::Lost; 21]);
        let error = log.append("first").await.unwrap_err();
        assert!(matches!(error, LogError::Unsettled(_)), "{error}");
        assert_eq!(log.append("second").await.unwrap_err(), error);
    });
    assert_eq!(history(&medium).unwrap().events, [] as [String; 0]);
}

/// A store that cannot tell whose the seat is: there the log alone keeps writers out.
fn seatless() -> SimulatedMedium {
    SimulatedMedium::with(Habits { ignores_seats: true, ..Habits::default() })
}

#[test]
fn a_deposed_writer_stops_and_is_told_who_writes() {
    let medium = seatless();
    run(async {
        let (mut one, _) = writer(&medium, "one").await;
        one.append("first").await.unwrap();
        medium.unseat();
        let (mut two, seen) = writer(&medium, "two").await;
        assert_eq!(seen.events, ["first"]);
        let deposed = LogError::Deposed { by: "two".to_owned() };
        assert_eq!(one.append("second").await, Err(deposed.clone()));
        assert_eq!(one.append("third").await, Err(deposed.clone()));
        assert_eq!(one.compact("nothing").await, Err(deposed));
        two.append("second of two").await.unwrap();
    });
    assert_eq!(history(&medium).unwrap().events, ["first", "second of two"]);
}

#[test]
fn a_writer_that_took_over_is_not_overtaken_by_what_the_former_one_sent() {
    for delay in 0..12 {
        let medium = seatless();
        run(async {
            let (mut one, _) = writer(&medium, "one").await;
            medium.draw([RequestFate::Late(delay)]);
            let seat = SharedSeat { token: "two".to_owned() };
            // The former one sends, and sleeps before it can ask again.
            assert!(one.append("late").now_or_never().is_none());
            let taken =
                Log::take_over(Arc::new(medium.clone()), key(), LOG, seat, "two").await.unwrap();
            let (mut two, seen) = taken;
            two.append("own").await.unwrap();
            medium.rest();
            let mut expected = seen.events;
            expected.push("own".to_owned());
            assert_eq!(history(&medium).unwrap().events, expected, "{delay}");
        });
    }
}

#[test]
fn the_number_of_a_sleeper_is_not_free_again_when_the_log_was_shortened() {
    for is_first in [true, false] {
        let medium = seatless();
        run(async {
            let (mut one, _) = writer(&medium, "one").await;
            if !is_first {
                one.append("first").await.unwrap();
            }
            medium.unseat();
            let (mut two, _) = writer(&medium, "two").await;
            two.append("second").await.unwrap();
            two.compact("all").await.unwrap();
            two.append("third").await.unwrap();
            assert!(!medium.records(LOG).contains_key(&2), "it was shortened");
            let error = one.append("forgotten").await.unwrap_err();
            assert!(matches!(error, LogError::Deposed { .. }), "{error}");
        });
        let told = history(&medium).unwrap();
        assert_eq!((told.snapshot.as_deref(), told.events), (Some("all"), vec!["third".into()]));
    }
}

#[test]
fn a_seat_that_was_lost_ends_the_writer() {
    let medium = SimulatedMedium::default();
    run(async {
        let (mut one, _) = writer(&medium, "one").await;
        medium.unseat();
        assert_eq!(one.append("first").await, Err(LogError::Unseated));
        sit(&medium, "one").await.unwrap();
        assert_eq!(one.append("first").await, Err(LogError::Unseated));
    });
}

#[test]
fn what_was_done_before_the_seat_was_lost_is_known_to_be_done() {
    let medium = SimulatedMedium::default();
    run(async {
        let (mut one, _) = writer(&medium, "one").await;
        medium.draw([RequestFate::AnswerLost]);
        let mut appending = Box::pin(one.append("first"));
        while medium.records(LOG).len() < 2 {
            assert!((&mut appending).now_or_never().is_none());
        }
        medium.unseat();
        appending.await.unwrap();
        assert_eq!(one.append("second").await, Err(LogError::Unseated));
    });
    assert_eq!(history(&medium).unwrap().events, ["first"]);
}

#[test]
fn a_snapshot_of_which_parts_are_missing_does_not_count() {
    let medium = SimulatedMedium::default();
    let long = "snapshot ".repeat(50);
    run(async {
        let (mut one, _) = writer(&medium, "one").await;
        one.append("first").await.unwrap();
        medium.draw([RequestFate::Plain, RequestFate::Plain, RequestFate::Refused]);
        one.compact(&long).await.unwrap_err();
        assert_eq!(history(&medium).unwrap().events, ["first"]);
        one.append("second").await.unwrap();
    });
    let told = history(&medium).unwrap();
    assert_eq!((told.snapshot, told.events), (None, vec!["first".into(), "second".into()]));
}

#[test]
fn a_tenure_ends_before_the_seat_does_and_a_clock_that_ran_backwards_ends_it() {
    let seconds = Duration::from_secs;
    let tenure = Tenure::since(seconds(100), seconds(10));
    assert!(tenure.holds_at(seconds(100)) && tenure.holds_at(Duration::from_millis(107_999)));
    assert!(!tenure.holds_at(seconds(108)) && !tenure.holds_at(seconds(4_000)));
    assert!(!tenure.holds_at(seconds(99)));
    assert!(!Tenure::since(seconds(100), seconds(1)).holds_at(seconds(100)));
}

#[test]
fn a_store_that_keeps_its_word_passes_the_probe_and_each_bad_habit_is_named() {
    let probed = |habits| {
        let medium = SimulatedMedium::with(habits);
        run(async { probe(&medium, LOG, "one").await.unwrap() })
    };
    assert_eq!(probed(Habits::default()), [] as [String; 0]);
    let named = |habits, words: &str| {
        let flaws = probed(habits);
        assert!(flaws.iter().any(|flaw| flaw.contains(words)), "{words}: {flaws:?}");
    };
    let good = Habits::default();
    named(Habits { ignores_records: true, ..good }, "put one record at once 4 were told yes");
    named(Habits { ignores_seats: true, ..good }, "without the seat");
    named(Habits { ignores_gaps: true, ..good }, "the one before it is missing");
    named(Habits { ignores_versions: true, ..good }, "changed one register at once 4");
}

#[test]
fn a_right_to_write_lives_by_renewals_and_not_by_a_seat_that_was_free_meanwhile() {
    use std::sync::atomic::{AtomicU64, Ordering};
    let now = Arc::new(AtomicU64::new(100));
    let told = Arc::clone(&now);
    let clock: BootClock = Arc::new(move || Some(Duration::from_secs(told.load(Ordering::SeqCst))));
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let right = WriteRight::since(seconds(100), TIME_TO_LIVE, Arc::clone(&clock));
    now.store(110, Ordering::SeqCst);
    right.renew(seconds(109), TIME_TO_LIVE);
    now.store(120, Ordering::SeqCst);
    assert!(right.holds(), "it was renewed");
    // The answer came when the seat may have been free: somebody may have written.
    now.store(124, Ordering::SeqCst);
    right.renew(seconds(123), TIME_TO_LIVE);
    assert!(!right.holds() && right.is_over());
    let right = WriteRight::since(None, TIME_TO_LIVE, clock);
    assert!(!right.holds(), "nobody knows how long it has been");
}
