//! The planted faults stay plantable: each applies to today's code and says what it breaks.
//!
//! Whether the tests find them is what `tests/planted/run` tells; it compiles each, so it is no
//! ordinary test. See `docs/contributing-safety.md`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every law of `docs/safety.md`: each has a fault that breaks it.
const LAWS: &[&str] = &[
    "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "L1", "L2", "L3",
    "L4",
];

/// Fewer would leave whole mechanisms without one.
const FAULTS_MIN: usize = 40;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn patches() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("tests/planted")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut patches: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|it| it == "patch")).collect();
    patches.sort();
    patches
}

/// Returns what a patch says of itself before its diff.
fn header<'a>(text: &'a str, name: &str) -> &'a str {
    let (head, _) = text.split_once("\n\n").unwrap();
    let prefix = format!("{name}: ");
    let mut lines = head.lines().filter_map(|line| line.strip_prefix(prefix.as_str()));
    lines.next().unwrap_or_default()
}

#[test]
fn every_law_is_broken_by_a_planted_fault_that_says_what_it_does() {
    let patches = patches();
    assert!(patches.len() >= FAULTS_MIN, "{}", patches.len());
    let mut broken = BTreeSet::new();
    for patch in &patches {
        let text = std::fs::read_to_string(patch).unwrap();
        let law = LAWS.iter().find(|law| **law == header(&text, "Law"));
        broken.insert(*law.unwrap_or_else(|| panic!("{}: no such law", patch.display())));
        assert!(!header(&text, "What").is_empty(), "{}", patch.display());
        let mut tests = header(&text, "Tests").split(' ');
        let is_binary = tests.next().is_some_and(|word| word == "lib" || word == "it");
        assert!(is_binary && tests.next().is_some(), "{}: Tests", patch.display());
        let mut files = text.lines().filter_map(|line| line.strip_prefix("+++ b/"));
        assert!(files.all(|file| file.starts_with("src/")), "{}", patch.display());
    }
    let missing: Vec<_> = LAWS.iter().filter(|law| !broken.contains(**law)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_planted_fault_applies_to_the_code_as_it_is() {
    for patch in patches() {
        let output = Command::new("git")
            .args(["apply", "--check"])
            .arg(&patch)
            .current_dir(root())
            // Unpacked beneath another repository, git would look at that one.
            .env("GIT_CEILING_DIRECTORIES", root().parent().unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", patch.display());
        // Outside of its repository git skips files without a word.
        assert!(said.is_empty(), "{}: {said}", patch.display());
    }
}
