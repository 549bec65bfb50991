//! `docs/troubleshooting.md` says of every closed word what it means, as the types do, and of no other.

use schemars::{JsonSchema, schema_for};

use super::code::ErrorCode;
use super::exit::Exit;
use crate::status::{ConditionReason, Occurrence};

/// Returns the rows of the table beneath a heading: all cells but the last, which says what to do.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let page = include_str!("../../docs/troubleshooting.md");
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).expect(heading);
    let section = section.split("\n## ").next().unwrap();
    let table = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells =
        table.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()));
    let mut rows: Vec<Vec<String>> = cells.map(Iterator::collect).collect();
    for row in &mut rows {
        let advice = row.pop().unwrap();
        assert!(!advice.is_empty(), "{row:?} lacks what to do");
    }
    rows
}

/// Returns the words of a closed set, each with its meaning.
fn words<T: JsonSchema>() -> Vec<Vec<String>> {
    let schema = schema_for!(T).to_value();
    let words = schema["oneOf"].as_array().unwrap().iter();
    let text = |word: &serde_json::Value| word.as_str().unwrap().to_owned();
    words.map(|word| vec![code(&text(&word["const"])), text(&word["description"])]).collect()
}

fn code(word: &str) -> String {
    format!("`{word}`")
}

#[test]
fn every_exit_code_and_every_error_code_stands_there_as_it_is() {
    let exits = Exit::ALL.map(|(exit, about)| vec![exit.code().to_string(), about.to_owned()]);
    assert_eq!(rows("Exit codes"), exits);
    let codes = ErrorCode::ALL
        .iter()
        .map(|it| vec![code(it.as_str()), it.exit().code().to_string(), it.meaning().to_owned()]);
    assert_eq!(rows("Error codes"), codes.collect::<Vec<_>>());
}

#[test]
fn every_reason_of_a_condition_and_every_event_stands_there_as_it_is() {
    let mut reasons = rows("Reasons of conditions");
    for row in &mut reasons {
        let of_what = row.remove(1);
        assert!(!of_what.is_empty(), "{row:?} lacks what it means");
    }
    let said = |row: Vec<String>| row.into_iter().map(|cell| cell.replace('\n', " ")).collect();
    let told: Vec<Vec<String>> = words::<ConditionReason>().into_iter().map(said).collect();
    assert_eq!(reasons, told);
    assert_eq!(rows("Events"), words::<Occurrence>());
}
