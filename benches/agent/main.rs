//! The agent at work and at rest: `cargo bench --bench agent`, or one part of it with
//! `cargo bench --bench agent -- passes|rest|idle|saves|commits|replan`.
//!
//! The machine is shared: CPU time is what the kernel charged to the process, latencies are real
//! time, and every figure is a median or a named percentile. Each row has a process of its own, so
//! that memory is that row's.

#![expect(clippy::print_stdout, reason = "a benchmark prints its tables")]
#![expect(clippy::unwrap_used, reason = "a benchmark that fails says where")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time and starts itself anew")]

#[path = "../../tests/it/stage.rs"]
#[expect(dead_code, reason = "shared with the tests, which use more of it")]
mod stage;
#[path = "../support/workload.rs"]
mod workload;

mod project;
mod usage;

mod commits;
mod idle;
mod passes;
mod replan;
mod saves;

use std::process::Command;

/// A part of the benchmark: its word, the head of its table, and its rows.
struct Part {
    word: &'static str,
    head: &'static str,
    rows: &'static [usize],
    row: fn(usize),
}

const PARTS: [Part; 6] = [
    Part { word: "passes", head: passes::HEAD, rows: &[100, 1_000, 10_000], row: passes::row },
    Part { word: "rest", head: passes::REST_HEAD, rows: &[100, 1_000], row: passes::rest_row },
    Part { word: "idle", head: idle::HEAD, rows: &[0, 1, 100, 1_000, 200], row: idle::row },
    Part { word: "saves", head: saves::HEAD, rows: &[100, 1_000], row: saves::row },
    Part { word: "commits", head: commits::HEAD, rows: &[100, 1_000], row: commits::row },
    Part { word: "replan", head: replan::HEAD, rows: &[1_000, 10_000], row: replan::row },
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let is_named = |part: &Part| words.iter().any(|word| word == part.word);
    let is_any = PARTS.iter().any(is_named);
    let wanted = |part: &&Part| !is_any || is_named(part);
    let row = words.iter().find_map(|word| word.strip_prefix("--row=")?.parse().ok());
    for part in PARTS.iter().filter(wanted) {
        match row {
            Some(row) => (part.row)(row),
            None => table(part, &words),
        }
    }
}

/// Prints a table; each row is measured by a process of its own.
fn table(part: &Part, words: &[String]) {
    println!("\n{}", part.head);
    let columns = part.head.lines().last().unwrap().matches('|').count() - 1;
    println!("|{}", "---:|".repeat(columns));
    let program = std::env::current_exe().unwrap();
    for row in part.rows {
        let mut command = Command::new(&program);
        command.args([part.word, &format!("--row={row}")]);
        command.args(words.iter().filter(|word| word.starts_with("--")));
        assert!(command.status().unwrap().success());
    }
}
