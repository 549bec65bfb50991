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
