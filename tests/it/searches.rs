//! The model, searched as far as an ordinary test may; `cargo bench --bench model` goes further.

use stoker::apply::Patience;

use crate::model::Trouble::{Answer, Crash, People, Sight, Token};
use crate::model::rate::{Memory, Rate};
use crate::model::{Bond, House, Name, Protocol, Trouble, house, search, wish, wrong};

/// A way from nothing over both wishes to the end has more steps than this.
const DEPTH_MIN: usize = 12;

fn right(patience: Patience, bond: Bond, troubles: &'static [Trouble], trouble: u8) -> House {
    House { troubles, trouble, ..house(Protocol::Right, patience, bond) }
}

/// Searches all of it; no law breaks, and there is a way on which something is deleted.
fn holds(house: House, states_min: usize) {
    let searched = search(house, None);
    assert!(searched.broken.is_empty(), "{:#?}", searched.broken);
    assert!(searched.impossible.is_empty(), "{:?}", searched.impossible);
    assert!(searched.states >= states_min, "only {} states", searched.states);
    assert!(searched.depth >= DEPTH_MIN, "only {} steps on one path", searched.depth);
}

#[test]
fn one_crash_one_lost_answer_or_one_bad_look_breaks_no_law() {
    let all = &[Crash, Answer, Sight, Token];
    holds(right(Patience::Wait, Bond::Apart, all, 1), 20_000);
    holds(right(Patience::Leave, Bond::Chained, all, 1), 1_000);
}

#[test]
fn a_lost_answer_and_a_bad_look_or_a_crash_break_no_law() {
    for troubles in [&[Answer, Sight], &[Answer, Crash]] {
        holds(right(Patience::Leave, Bond::Chained, troubles, 2), 5_000);
    }
}

#[test]
fn a_platform_that_changes_names_makes_it_break_no_law() {
    for (patience, troubles, trouble) in [
        (Patience::Wait, &[Answer, Crash] as &[Trouble], 1),
        (Patience::Leave, &[Answer, Sight], 2),
    ] {
        let house = right(patience, Bond::Chained, troubles, trouble);
        holds(House { changes_names: true, ..house }, 500);
    }
}

#[test]
fn people_at_work_make_it_break_no_law() {
    holds(right(Patience::Wait, Bond::Chained, &[People], 1), 1_000);
}

#[test]
fn what_is_protected_outlives_its_manifest() {
    let b = Some(Name::B);
    let (first, second) = ([(Name::A, 1), (Name::B, 1)], [(Name::A, 1)]);
    let wishes = vec![wish(&first, b, Bond::Chained), wish(&second, b, Bond::Chained)];
    let undisturbed = right(Patience::Wait, Bond::Chained, &[Answer, Crash], 1);
    let searched = search(House { wishes, protected: b, ..undisturbed }, None);
    assert!(searched.broken.is_empty(), "{:#?}", searched.broken);
    assert_eq!(searched.impossible, ["a delete"]);
}

#[test]
fn two_agents_make_no_more_than_one_each() {
    for names_unique in [false, true] {
        let wishes = vec![wish(&[(Name::A, 1)], None, Bond::Apart)];
        let one = right(Patience::Leave, Bond::Apart, &[Answer, Crash], 1);
        let searched = search(House { wishes, names_unique, agents: 2, ..one }, None);
        assert!(searched.broken.is_empty(), "{names_unique}: {:#?}", searched.broken);
        assert!(searched.states > 1_000, "{names_unique}: only {} states", searched.states);
    }
}

#[test]
fn two_agents_with_two_names_make_no_more_than_one_each() {
    // Beside a crash or a lost answer there are hundreds of thousands: the bench searches those.
    let one = right(Patience::Leave, Bond::Chained, &[], 0);
    let wishes = vec![wish(&[(Name::A, 1), (Name::B, 1)], None, Bond::Chained)];
    let searched = search(House { wishes, agents: 2, ..one }, None);
    assert!(searched.broken.is_empty(), "{:#?}", searched.broken);
    assert!(searched.states > 10_000, "only {} states", searched.states);
}

#[test]
fn each_protocol_that_is_wrong_in_one_point_breaks_its_law() {
    for (house, law) in wrong() {
        let (protocol, patience) = (house.protocol, house.patience);
        let searched = search(house, Some(law));
        assert!(searched.broken.contains_key(law), "{protocol:?} {patience:?}: {law} holds");
    }
}

#[test]
fn the_rate_holds_over_restarts_and_a_budget_full_at_the_start_breaks_it() {
    let rate = |memory| Rate { memory, steps: 8, starts: 2, sends: 5 };
    let searched = search(rate(Memory::Kept), None);
    assert!(searched.broken.is_empty() && searched.impossible.is_empty(), "{searched:#?}");
    let searched = search(rate(Memory::Lost), Some("S4"));
    assert!(searched.broken.contains_key("S4"), "{searched:#?}");
}
