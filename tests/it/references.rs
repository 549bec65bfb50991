//! A tag in a comment leads somewhere: each fact, assumption, law and figure that the code names is
//! defined in the documents, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the tags of a letter are defined, and how a line begins that defines one: the tag itself
/// stands in place of `_`.
const DEFINED: &[(char, &str, &str)] = &[
    ('F', "docs/platform.md", "| **_** |"),
    ('A', "docs/assumptions.md", "| _ |"),
    ('S', "docs/safety.md", "| **_** "),
    ('L', "docs/safety.md", "| **_** "),
    ('B', "docs/performance.md", "| _ |"),
];

/// Citations of documents that are not in the repository.
const ELSEWHERE: &[&str] = &[
    "(contract",
    "the contract",
    "contract names",
    "contract says",
    "contract promises",
    "contract describes",
    "(safety,",
    "safety, hazards",
];

/// Returns the root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns every file of code, in order.
pub fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> =
        ["src", "tests/it", "benches", "fuzz"].map(|it| root().join(it)).into();
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Returns the comments of a file, each with the number of its line.
fn comments(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate();
    numbered.filter_map(|(number, line)| Some((number + 1, line.split_once("//")?.1)))
}

/// Returns the tags in a comment: a letter of the table and one or two digits, as a word.
fn tags(comment: &str) -> impl Iterator<Item = (char, u32)> {
    let words = comment.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter_map(|word| {
        let mut letters = word.chars();
        let letter = letters.next()?;
        let number = letters.as_str();
        let is_tag = DEFINED.iter().any(|(known, ..)| *known == letter);
        let is_short = (1..=2).contains(&number.len()) && !number.starts_with('0');
        (is_tag && is_short).then_some(())?;
        Some((letter, number.parse().ok()?))
    })
}

/// Returns how often each tag of a letter is defined.
fn defined(letter: char) -> BTreeMap<u32, usize> {
    let (_, document, form) = DEFINED.iter().find(|(known, ..)| *known == letter).unwrap();
    let (before, after) = form.split_once('_').unwrap();
    let before = format!("{before}{letter}");
    let text = fs::read_to_string(root().join(document)).unwrap();
    let mut count = BTreeMap::new();
    for line in text.lines() {
        let number = line.strip_prefix(&*before).and_then(|rest| rest.split_once(after));
        if let Some(number) = number.and_then(|(number, _)| number.parse().ok()) {
            *count.entry(number).or_default() += 1;
        }
    }
    count
}

#[test]
fn every_tag_in_the_code_is_defined_in_the_documents_once() {
    let known: BTreeMap<char, BTreeMap<u32, usize>> =
        DEFINED.iter().map(|(letter, ..)| (*letter, defined(*letter))).collect();
    let mut seen = BTreeSet::new();
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for (line, comment) in comments(&text) {
            for (letter, number) in tags(comment) {
                let count = known[&letter].get(&number).copied().unwrap_or(0);
                let place = format!("{}:{line}", path.display());
                assert_eq!(count, 1, "{place} names {letter}{number}; so often is it defined");
                seen.insert(letter);
            }
        }
    }
    let letters: BTreeSet<char> = known.keys().copied().collect();
    assert_eq!(seen, letters, "a letter that no comment uses needs no row in the table");
}

#[test]
fn no_comment_cites_a_document_that_is_not_here() {
    for path in sources().iter().filter(|path| !path.ends_with("references.rs")) {
        let text = fs::read_to_string(path).unwrap();
        for (line, comment) in comments(&text) {
            let cited = ELSEWHERE.iter().find(|words| comment.contains(**words));
            assert!(cited.is_none(), "{}:{line} cites {cited:?}", path.display());
        }
    }
}

/// Returns the paths of files that a page names in backquotes; `NAME` in one stands for any.
fn named_files(page: &str) -> impl Iterator<Item = &str> {
    let quoted = page.split('`').skip(1).step_by(2);
    quoted.filter(|word| {
        let is_path = word.contains('/') && !word.contains([' ', '*', '{', '~', '$', ':', 'N']);
        is_path && [".rs", ".md", ".html"].iter().any(|ending| word.ends_with(ending))
    })
}

#[test]
fn every_file_that_a_page_names_is_there() {
    let mut pages: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|it| root().join(it)).into();
    pages.extend(fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    let mut seen = 0;
    for page in pages.iter().filter(|it| it.extension().is_some_and(|it| it == "md")) {
        let text = fs::read_to_string(page).unwrap();
        for name in named_files(&text) {
            let is_there = ["", "src"].iter().any(|base| root().join(base).join(name).exists());
            assert!(is_there, "{} names `{name}`", page.display());
            seen += 1;
        }
    }
    assert!(seen > 50, "only {seen} names were found");
}
