//! One word, one meaning: the glossary names places that exist, and no two rooms give one name to
//! two types.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::references::{root, sources};

fn glossary() -> String {
    fs::read_to_string(root().join("docs/glossary.md")).unwrap()
}

/// Returns the cells of each row of the tables beneath a title.
fn rows<'a>(page: &'a str, title: &str) -> Vec<Vec<&'a str>> {
    let (_, section) = page.split_once(title).expect(title);
    let lines = section.lines().take_while(|line| !line.starts_with("## "));
    let table = lines.filter(|line| line.starts_with("| ")).skip(1);
    table.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// Returns the name of the type that a line declares for others than its own file.
fn declared(line: &str) -> Option<&str> {
    let line = line.trim_start().strip_prefix("pub")?;
    let line = line.strip_prefix('(').map_or(Some(line), |rest| Some(rest.split_once(')')?.1))?;
    let mut words = line.split_whitespace();
    let kinds = ["struct", "enum", "trait", "type"];
    words.next().filter(|word| kinds.contains(word))?;
    let name = words.next()?;
    // What a macro declares has no name here.
    name.split(|c: char| !c.is_alphanumeric()).next().filter(|name| !name.is_empty())
}

/// Returns the rooms that declare each type, tests aside.
fn rooms_by_name() -> BTreeMap<String, BTreeSet<String>> {
    let mut rooms = BTreeMap::<String, BTreeSet<String>>::new();
    for path in sources() {
        let Ok(place) = path.strip_prefix(root().join("src")) else { continue };
        if place
            .components()
            .any(|part| Path::new(part.as_os_str()).file_stem().unwrap() == "tests")
        {
            continue;
        }
        let first = Path::new(place.components().next().unwrap().as_os_str());
        let room = first.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        for name in text.lines().filter_map(declared) {
            rooms.entry(name.to_owned()).or_default().insert(room.clone());
        }
    }
    rooms
}

#[test]
fn no_name_is_given_to_types_of_two_rooms() {
    let rooms = rooms_by_name();
    assert!(rooms.len() > 400, "the declarations are no longer found: {}", rooms.len());
    let shared: Vec<_> = rooms.into_iter().filter(|(_, rooms)| rooms.len() > 1).collect();
    assert!(shared.is_empty(), "types of two rooms have one name: {shared:#?}");
}

#[test]
fn each_word_has_one_row_and_its_place_exists() {
    let page = glossary();
    let mut words = BTreeSet::new();
    for title in page.lines().filter(|line| line.starts_with("## ")) {
        for row in rows(&page, title) {
            for word in row[0].split(", ") {
                assert!(words.insert(word.to_owned()), "{word} has two rows");
            }
            let place = row[2].trim_matches('`');
            assert!(root().join(place).is_file(), "{}: {place} is not there", row[0]);
        }
    }
    assert!(words.len() > 20, "{words:?}");
}
