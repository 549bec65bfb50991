//! The same laws where the state is in a log that many machines reach: whatever becomes of a request,
//! and whoever writes meanwhile.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::shared::{BootClock, Bridge, Habits, RequestFate, SealKey, SharedLog, SimulatedMedium};
use crate::store::{FilesBeside, Medium, SharedState};

/// A machine that reaches the store: its way there, and how long it has run.
struct Reaching {
    state: Medium,
    uptime: Arc<AtomicU64>,
}

fn reaching(medium: &SimulatedMedium) -> Reaching {
    let uptime = Arc::new(AtomicU64::new(1_000));
    let told = Arc::clone(&uptime);
    let clock: BootClock = Arc::new(move || Some(Duration::from_secs(told.load(Ordering::SeqCst))));
    let (bridge, key) = (Bridge::start().unwrap(), SealKey::from_bytes([7; 32]));
    let log = SharedLog::new(Arc::new(medium.clone()), bridge, key, "state", clock);
    Reaching { state: Medium::Shared(SharedState::new(log, "etcd://one/shop")), uptime }
}

fn open(medium: &SimulatedMedium, holder: &str) -> Store {
    reaching(medium).state.open(holder).unwrap()
}

fn inventory(medium: &SimulatedMedium) -> Inventory {
    let read = reaching(medium).state.read().unwrap();
    Inventory::clone(&read.inventory)
}

/// Deeds that need few records each, so that each request of theirs can be met.
fn short_deeds() -> Vec<Deed> {
    let id = |text| RemoteId::new(text).unwrap();
    vec![
        Deed::Commit(JournalEvent::DeployOwed { id: id("svc_1") }),
        Deed::Commit(JournalEvent::DeployOwed { id: id("svc_2") }),
        Deed::Generation,
        Deed::Commit(JournalEvent::DeployPaid { id: id("svc_1") }),
        Deed::Commit(JournalEvent::DeployOwed { id: id("svc_3") }),
        Deed::Generation,
        Deed::Commit(JournalEvent::DeployOwed { id: id("svc_4") }),
    ]
}

/// What is true after each number of them.
fn truths() -> Vec<Inventory> {
    let mut truths = vec![Inventory::default()];
    for deed in short_deeds() {
        let mut next = truths.last().unwrap().clone();
        if let Deed::Commit(event) = deed {
            event.apply(&mut next);
        }
        truths.push(next);
    }
    truths
}

#[test]
fn what_is_remembered_is_read_on_another_machine_and_goes_on_there() {
    let medium = SimulatedMedium::default();
    let mut store = open(&medium, "one");
    for deed in deeds() {
        perform(&mut store, &deed).unwrap();
    }
    let here = store.inventory().clone();
    assert_eq!(inventory(&medium), here);
    drop(store);
    let mut there = open(&medium, "two");
    assert_eq!(*there.inventory(), here);
    there.commit(began("service/late")).unwrap();
    assert_eq!(inventory(&medium), *there.inventory());
    let verified = reaching(&medium).state.verify().unwrap();
    assert!(verified.records > 1 && verified.faults.is_empty(), "{verified:?}");
}

/// Lets one request of a life meet a fate, so many times in a row, reads what is left, and says whether
/// the writer ended by it.
fn ends(at: usize, fate: RequestFate, times: usize) -> bool {
    let medium = SimulatedMedium::default();
    let fates = std::iter::repeat_n(RequestFate::Plain, at);
    medium.draw(fates.chain(std::iter::repeat_n(fate, times)));
    let truths = truths();
    let mut done = 0;
    let opened = reaching(&medium).state.open("one");
    let mut has_ended = opened.is_err();
    if let Ok(mut store) = opened {
        for deed in short_deeds() {
            if perform(&mut store, &deed).is_err() {
                has_ended = true;
                break;
            }
            done += 1;
        }
    }
    medium.rest();
    medium.unseat();
    let left = inventory(&medium);
    // What was refused did not happen; else the last deed did or did not.
    let may_have_happened = has_ended && fate != RequestFate::Refused;
    let next = truths.get(done + 1).filter(|_| may_have_happened);
    let is_told = left == truths[done] || next == Some(&left);
    assert!(is_told, "{fate:?} × {times} at request {at}, after {done} deeds: {left:?}");
    has_ended
}

#[test]
fn whatever_becomes_of_a_request_what_was_acknowledged_is_there() {
    let medium = SimulatedMedium::default();
    let mut store = open(&medium, "one");
    short_deeds().iter().for_each(|deed| perform(&mut store, deed).unwrap());
    let requests = medium.records("state").keys().last().copied().unwrap_or_default();
    let mut ended = 0;
    // Beside the records there are requests that shorten the log.
    for at in 0..usize::try_from(requests).unwrap() + 4 {
        for fate in [RequestFate::AnswerLost, RequestFate::Late(3), RequestFate::Lost] {
            ends(at, fate, 1);
            ended += usize::from(ends(at, fate, 21));
        }
        ended += usize::from(ends(at, RequestFate::Refused, 1));
    }
    assert!(ended > 30, "{ended} ends prove little");
}

#[test]
fn another_writer_is_refused_with_the_name_of_the_first_until_that_has_ended() {
    let medium = SimulatedMedium::default();
    let first = open(&medium, "stoker apply (pid 7 on web-1)");
    let here = reaching(&medium);
    let error = here.state.open("two").unwrap_err();
    let StoreError::Locked { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(holder, "stoker apply (pid 7 on web-1)");
    assert_eq!(here.state.holder().unwrap().as_ref(), Some(holder));
    assert!(error.hints()[0].contains("15 seconds"), "{:?}", error.hints());
    drop(first);
    assert_eq!(here.state.holder().unwrap(), None);
    here.state.open("two").unwrap();
}

#[test]
fn of_two_writers_only_the_later_one_is_told_that_it_is_remembered() {
    for ignores_seats in [false, true] {
        let medium = SimulatedMedium::with(Habits { ignores_seats, ..Habits::default() });
        let mut first = open(&medium, "one");
        first.commit(began("service/api")).unwrap();
        let right = first.right().unwrap();
        assert!(right.holds());
        // Its time was over while it slept.
        medium.unseat();
        let mut second = open(&medium, "two");
        assert_eq!(second.inventory(), first.inventory());
        second.commit(JournalEvent::Abandoned { key: key("service/api") }).unwrap();
        let error = first.commit(recorded("service/api", "svc_1")).unwrap_err();
        assert!(matches!(error, StoreError::Shared { .. }), "{error}");
        assert!(!right.holds(), "it may not send a change either");
        first.commit(began("service/web")).unwrap_err();
        assert_eq!(inventory(&medium), *second.inventory());
    }
}

#[test]
fn who_was_not_heard_for_too_long_may_send_nothing_more() {
    let medium = SimulatedMedium::default();
    let here = reaching(&medium);
    let store = here.state.open("one").unwrap();
    let right = store.right().unwrap();
    assert!(right.holds());
    here.uptime.store(1_011, Ordering::SeqCst);
    assert!(right.holds());
    here.uptime.store(1_012, Ordering::SeqCst);
    assert!(!right.holds());
    drop(store);
    here.uptime.store(1_000, Ordering::SeqCst);
    assert!(!right.holds(), "it has given the seat back");
}

#[test]
fn events_that_are_told_together_happen_together() {
    for at in 0..12 {
        let medium = SimulatedMedium::default();
        let mut store = open(&medium, "one");
        let events = [recorded("service/api", "svc_1"), recorded("service/web", "svc_2")];
        medium.draw(std::iter::repeat_n(RequestFate::Plain, at).chain([RequestFate::Refused]));
        let _done_or_refused = store.commit_all(&events);
        let count = inventory(&medium).entries.len();
        assert!(count == 0 || count == 2, "{count} at {at}");
        // What a refusal left half done is not taken for a part of what follows.
        store.commit(began("service/late")).unwrap();
        assert_eq!(inventory(&medium), *store.inventory());
    }
}

#[test]
fn a_forged_record_and_a_forged_file_are_refused() {
    let medium = SimulatedMedium::default();
    let mut store = open(&medium, "one");
    store.commit(recorded("service/api", "svc_1")).unwrap();
    drop(store);
    let mut records = medium.records("state");
    let last = records.values_mut().last().unwrap();
    let text = String::from_utf8(last.clone()).unwrap();
    *last = text.replacen("\"text\":\"", "\"text\":\"x", 1).into_bytes();
    medium.forge("state", records);
    let here = reaching(&medium);
    assert!(matches!(here.state.read(), Err(StoreError::Damaged { .. })));
    assert!(matches!(here.state.open("two"), Err(StoreError::Damaged { .. })));
    assert_eq!(here.state.verify().unwrap().faults.len(), 1);
}

#[test]
fn files_beside_the_state_are_replaced_and_read_on_another_machine() {
    let medium = SimulatedMedium::default();
    let (here, there) = (reaching(&medium).state, reaching(&medium).state);
    assert_eq!(here.read_file("agent.json").unwrap(), None);
    for fate in [RequestFate::Plain, RequestFate::AnswerLost, RequestFate::Lost] {
        medium.draw([fate]);
        let text = format!("{{\"{fate:?}\": 1}}");
        here.replace_file("agent.json", text.as_bytes()).unwrap();
        assert_eq!(there.read_file("agent.json").unwrap(), Some(text.into_bytes()));
    }
    assert_eq!(there.read_file("notified.json").unwrap(), None);
}

/// A directory with a state in it.
fn directory() -> (tempfile::TempDir, Store) {
    let place = tempfile::tempdir().unwrap();
    let mut store = Store::open(&place.path().join("state"), "one").unwrap();
    deeds().iter().for_each(|deed| perform(&mut store, deed).unwrap());
    (place, store)
}

#[test]
fn a_state_that_was_moved_is_all_there_and_its_directory_is_refused() {
    let medium = SimulatedMedium::default();
    let (place, store) = directory();
    let here = store.inventory().clone();
    let beside = FilesBeside::from([("agent.json".to_owned(), b"{}".to_vec())]);
    let there = reaching(&medium).state;
    store.move_to(&there, "push", &beside).unwrap();
    assert_eq!(*there.read().unwrap().inventory, here);
    assert_eq!(there.read_file("agent.json").unwrap().as_deref(), Some(&b"{}"[..]));
    let path = place.path().join("state");
    for error in [Store::open(&path, "two").unwrap_err(), Store::read(&path).unwrap_err()] {
        let StoreError::Moved { to, .. } = &error else { panic!("{error}") };
        assert_eq!(to, "etcd://one/shop");
    }
    there.open("two").unwrap().commit(began("service/late")).unwrap();
}

#[test]
fn nothing_is_moved_over_a_state_and_what_did_not_arrive_stays_where_it_was() {
    let medium = SimulatedMedium::default();
    open(&medium, "one").commit(began("service/other")).unwrap();
    let (place, store) = directory();
    let (there, beside) = (reaching(&medium).state, FilesBeside::new());
    let error = store.move_to(&there, "push", &beside).unwrap_err();
    assert!(matches!(error, StoreError::Occupied { .. }), "{error}");
    let path = place.path().join("state");
    let medium = SimulatedMedium::default();
    let there = reaching(&medium).state;
    for at in 0..3 {
        medium.draw(std::iter::repeat_n(RequestFate::Plain, at).chain([RequestFate::Refused]));
        let store = Store::open(&path, "two").unwrap();
        store.move_to(&there, "push", &beside).unwrap_err();
        medium.rest();
    }
    Store::open(&path, "two").unwrap().move_to(&there, "push", &beside).unwrap();
}

#[test]
fn a_copy_of_a_shared_state_is_a_directory_that_can_be_written_on() {
    let medium = SimulatedMedium::default();
    let mut store = open(&medium, "one");
    deeds().iter().for_each(|deed| perform(&mut store, deed).unwrap());
    let place = tempfile::tempdir().unwrap();
    let target = place.path().join("copy");
    let beside = FilesBeside::from([("agent.json".to_owned(), b"{}".to_vec())]);
    let verified = store.back_up(&target, &beside).unwrap();
    assert!(verified.faults.is_empty(), "{verified:?}");
    assert_eq!(fs::read(target.join("agent.json")).unwrap(), b"{}");
    let mut copy = Store::open(&target, "two").unwrap();
    assert_eq!(copy.inventory(), store.inventory());
    copy.commit(began("service/late")).unwrap();
}
