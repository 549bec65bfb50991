//! Searches the model further than the ordinary tests do, and prints how far.
//!
//! `cargo bench --bench model`, or `cargo bench --bench model -- 3` for three troubles on one path
//! instead of two. It ends with 1 when a law breaks, and prints the way there.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]
#![expect(clippy::unwrap_used, reason = "a model that fails says where")]
#![expect(
    clippy::disallowed_methods,
    reason = "it is told how far on its command line, and times it"
)]

use std::process::ExitCode;
use std::time::Instant;

use stoker::apply::Patience;

#[path = "../tests/it/model/mod.rs"]
mod model;

use model::rate::{Memory, Rate};
use model::{Bond, House, Name, Protocol, Searched, TROUBLES, Trouble, house, search, wish, wrong};

fn main() -> ExitCode {
    let trouble = std::env::args().filter_map(|argument| argument.parse().ok()).next_back();
    let trouble = trouble.unwrap_or(2);
    let mut is_good = true;
    for (house, law) in wrong() {
        let name = format!("wrong: {:?}, {:?}", house.protocol, house.patience);
        is_good &= print(&name, || search(house, Some(law)), Some(law));
    }
    for memory in [Memory::Lost, Memory::Kept] {
        let rate = Rate { memory, steps: 9, starts: 3, sends: 5 };
        let law = (memory == Memory::Lost).then_some("S4");
        is_good &= print(&format!("budget, {memory:?}"), || search(rate, law), law);
    }
    for bond in [Bond::Chained, Bond::Apart] {
        for patience in [Patience::Wait, Patience::Leave] {
            // Two that mix in every way make ten times as many states.
            let trouble = if bond == Bond::Chained { trouble } else { trouble - 1 };
            let right = house(Protocol::Right, patience, bond);
            let name = format!("{bond:?}, {patience:?}, {trouble} troubles");
            let house = House { troubles: TROUBLES, trouble, ..right };
            is_good &= print(&name, || search(house, None), None);
        }
    }
    // Two agents with two names mix in so many ways that one trouble of any kind is too much.
    for (names, troubles) in [(1, TROUBLES), (2, &[Trouble::Crash]), (2, &[Trouble::Answer])] {
        let wish = wish(&[(Name::A, 1), (Name::B, 1)][..names], None, Bond::Chained);
        let two = house(Protocol::Right, Patience::Leave, Bond::Chained);
        let two = House { wishes: vec![wish], agents: 2, troubles, trouble: 1, ..two };
        let of = if troubles.len() == 1 { format!("{:?}", troubles[0]) } else { "any".to_owned() };
        let name = format!("two agents, names: {names}, 1 trouble: {of}");
        // With one wish nothing is ever to be deleted.
        let run = || Searched { impossible: Vec::new(), ..search(two, None) };
        is_good &= print(&name, run, None);
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints one line; says whether the law broke that should, and else none, with everything reached
/// that must be possible.
fn print(name: &str, run: impl FnOnce() -> Searched, law: Option<&str>) -> bool {
    let began = Instant::now();
    let searched = run();
    let seconds = began.elapsed().as_secs_f64();
    let is_good = match law {
        Some(law) => searched.broken.contains_key(law),
        None => searched.broken.is_empty() && searched.impossible.is_empty(),
    };
    let verdict = law.map_or("no law breaks", |_| "found");
    let verdict = if is_good { verdict } else { "WRONG" };
    let Searched { states, depth, .. } = &searched;
    println!("{name:<44}{states:>10} states, {depth:>3} deep {seconds:>8.1} s  {verdict}");
    if !is_good {
        println!("{:#?} {:?}", searched.broken, searched.impossible);
    }
    is_good
}
