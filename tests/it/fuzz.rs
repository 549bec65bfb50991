//! The targets of the fuzzer, on their committed corpora: what was found once stays found.
//!
//! `fuzz/run TARGET` looks for more; how, stands in `docs/fuzzing.md`.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/src/lib.rs"]
mod targets;

/// The largest input that is kept: a corpus is read by people as well.
const INPUT_BYTES_MAX: u64 = 16_384;

#[test]
fn every_target_holds_on_its_corpus() {
    for (name, target) in targets::TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(format!("fuzz/corpus/{name}")).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            assert!(bytes.len() as u64 <= INPUT_BYTES_MAX, "{} is too large", path.display());
            let held = std::panic::catch_unwind(|| target(&bytes));
            assert!(held.is_ok(), "{} does not hold on {}", name, path.display());
            count += 1;
        }
        assert!(count >= 3, "the corpus of {name} holds {count} inputs");
    }
}

/// A blind fuzzer: small, always the same, and part of the ordinary tests.
#[test]
fn every_target_holds_on_small_changes_of_its_corpus() {
    for (name, target) in targets::TARGETS {
        let mut corpus: Vec<Vec<u8>> = Vec::new();
        for entry in fs::read_dir(format!("fuzz/corpus/{name}")).unwrap() {
            corpus.push(fs::read(entry.unwrap().path()).unwrap());
        }
        corpus.sort();
        let mut random = Random(name.len() as u64 + 1);
        for _ in 0..CHANGES {
            let input = random.change(&corpus);
            let held = std::panic::catch_unwind(|| target(&input));
            assert!(held.is_ok(), "{name} does not hold on {:?}", String::from_utf8_lossy(&input));
        }
    }
}

/// How many changed inputs each target is given.
const CHANGES: usize = 60;

/// Xorshift: no more is asked of it than to be the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }

    /// Takes an input and does a few things to it.
    fn change(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(4) {
            let at = self.below(input.len() + 1);
            let end = (at + self.below(9)).min(input.len());
            match self.below(5) {
                0 => drop(input.drain(at..end)),
                1 => drop(input.splice(at..end, [b"\n: 9-\xff\"/."[self.below(9)]])),
                2 => {
                    let other = &corpus[self.below(corpus.len())];
                    let from = self.below(other.len() + 1);
                    let to = (from + self.below(40)).min(other.len());
                    drop(input.splice(at..end, other[from..to].iter().copied()));
                }
                3 => {
                    let piece = input[at..end].repeat(1 + self.below(3));
                    drop(input.splice(at..at, piece));
                }
                _ => drop(input.splice(at..end, (0..3).map(|_| b"0123456789"[self.below(10)]))),
            }
        }
        input
    }
}

#[test]
fn every_target_has_a_program_and_a_run_of_its_own() {
    let manifest = fs::read_to_string("fuzz/Cargo.toml").unwrap();
    let workflow = fs::read_to_string(".github/workflows/fuzz.yml").unwrap();
    for (name, _) in targets::TARGETS {
        let program = fs::read_to_string(format!("fuzz/fuzz_targets/{name}.rs")).unwrap();
        assert!(program.contains(&format!("stoker_fuzz::{name}(")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        assert!(workflow.contains(&format!("- {name}\n")), "{name}");
    }
    let programs = fs::read_dir("fuzz/fuzz_targets").unwrap().count();
    assert_eq!(programs, targets::TARGETS.len());
    assert!(Path::new("fuzz/run").exists());
}
