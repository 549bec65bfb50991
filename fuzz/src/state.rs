//! A state directory after any damage: never an inventory that was never true, and none that lacks
//! an intent without a word (S3).
//!
//! The input is a list of injuries to a good state, one a line: `FILE cut AT`, `FILE set AT BYTE`,
//! `FILE drop AT COUNT`, `FILE repeat AT COUNT`, `FILE gone`, `FILE copy OTHER`, `FILE add TEXT`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use stoker::model::{Applied, FieldPath, Intent, Inventory, Key, Remembered};
use stoker::store::{Store, StoreError};

use super::scripted::START;

/// The most injuries of one input.
const INJURIES_MAX: usize = 16;

/// A good state: its files, and the inventory after each event.
struct Good {
    files: Vec<(String, Vec<u8>)>,
    moments: Vec<Inventory>,
}

/// Injures a good state and opens it.
pub fn state(input: &[u8]) {
    static GOOD: OnceLock<Good> = OnceLock::new();
    let good = GOOD.get_or_init(good_state);
    let mut files: BTreeMap<String, Vec<u8>> = good.files.iter().cloned().collect();
    for line in input.split(|byte| *byte == b'\n').take(INJURIES_MAX) {
        injure(&mut files, line);
    }
    let directory = directory();
    let place = directory.path().join("state");
    write(&place, &files);
    let read = Store::read(&place);
    if let Ok(reading) = &read {
        let is_moment = good.moments.contains(&reading.inventory);
        assert!(is_moment, "an inventory that never was: {:#?}", reading.inventory);
    }
    let mut store = match Store::open(&place, "a fuzzer") {
        Ok(store) => store,
        // Who cannot write says why and what to do.
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let reading = read.expect("what can be written can be read");
    assert_eq!(*store.inventory(), *reading.inventory);
    store.begin_intent(key("service/late"), intent()).expect("the disk takes it");
    let expected = store.inventory().clone();
    drop(store);
    let again = Store::read(&place).expect("what was written can be read");
    assert_eq!((&*again.inventory, again.warning), (&expected, None));
}

/// Does one injury; a line that is none does nothing.
fn injure(files: &mut BTreeMap<String, Vec<u8>>, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    let words: Vec<&str> = text.splitn(4, ' ').collect();
    let number = |index: usize| words.get(index).and_then(|word| word.parse::<usize>().ok());
    let Some(name) = words.first().map(|word| name_of(word)) else {
        return;
    };
    let Some(bytes) = files.get(name) else {
        return;
    };
    let mut bytes = bytes.clone();
    let at = number(2).unwrap_or_default().min(bytes.len());
    let count = number(3).unwrap_or(1).min(bytes.len() - at);
    match words.get(1).copied() {
        Some("cut") => bytes.truncate(at),
        Some("set") => match (bytes.get_mut(at), number(3)) {
            (Some(byte), Some(value)) => {
                *byte = u8::try_from(value % 256).expect("it is below 256")
            }
            (Some(_) | None, _) => return,
        },
        Some("drop") => drop(bytes.drain(at..at + count)),
        Some("repeat") => {
            let piece = bytes[at..at + count].to_vec();
            bytes.splice(at..at, piece);
        }
        Some("add") => bytes.extend_from_slice(&line[line.len().min(name_end(line))..]),
        Some("gone") => {
            files.remove(name);
            return;
        }
        Some("copy") => match files.get(name_of(words.get(2).copied().unwrap_or_default())) {
            Some(other) => bytes.clone_from(other),
            None => return,
        },
        Some(_) | None => return,
    }
    files.insert(name.to_owned(), bytes);
}

/// Where the third word of an injury begins.
fn name_end(line: &[u8]) -> usize {
    let blanks = line.iter().enumerate().filter(|(_, byte)| **byte == b' ');
    blanks.map(|(index, _)| index + 1).nth(1).unwrap_or(line.len())
}

/// The files in short: `0` to `3`.
fn name_of(word: &str) -> &'static str {
    match word {
        "0" => "inventory-0.json",
        "1" => "journal-0.ndjson",
        "2" => "inventory-1.json",
        "3" => "journal-1.ndjson",
        _ => "",
    }
}

/// Makes a state of two generations, with an intent that is open at the end of each.
fn good_state() -> Good {
    let directory = directory();
    let place = directory.path().join("state");
    let mut moments = vec![Inventory::default()];
    let mut run = || -> Result<(), StoreError> {
        let mut store = Store::open(&place, "a fuzzer")?;
        for name in ["service/api", "database/main", "service/web"] {
            store.begin_intent(key(name), intent())?;
            moments.push(store.inventory().clone());
        }
        store.abandon_intent(key("service/web"))?;
        moments.push(store.inventory().clone());
        // A journal that is worth a new generation.
        let long = Intent { applied: long_value(), ..intent() };
        store.begin_intent(key("service/long"), long)?;
        moments.push(store.inventory().clone());
        store.abandon_intent(key("service/long"))?;
        moments.push(store.inventory().clone());
        store.compact()?;
        for name in ["envgroup/shared", "service/worker"] {
            store.begin_intent(key(name), intent())?;
            moments.push(store.inventory().clone());
        }
        Ok(())
    };
    run().expect("a good disk takes everything");
    let mut files = Vec::new();
    for entry in fs::read_dir(&place).expect("it is there") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.expect("a file has a name");
        if name != "lock" {
            files.push((name, fs::read(path).expect("it can be read")));
        }
    }
    assert!(files.len() >= 3, "two generations stand there");
    Good { files, moments }
}

fn write(place: &Path, files: &BTreeMap<String, Vec<u8>>) {
    fs::create_dir_all(place).expect("memory takes a directory");
    for (name, bytes) in files {
        fs::write(place.join(name), bytes).expect("memory takes a file");
    }
}

/// In memory where the system has that: a disk is not what is under test.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    directory.expect("a directory can be made")
}

fn long_value() -> BTreeMap<FieldPath, Applied> {
    let path = "startCommand".parse().expect("it is a path");
    BTreeMap::from([(path, Applied::Text("x".repeat(70_000)))])
}

fn key(text: &str) -> Key {
    text.parse().expect("it is a key")
}

fn intent() -> Intent {
    Intent {
        started_at: START.parse().expect("it is a time"),
        attempt: 1,
        applied: BTreeMap::new(),
        remembered: Remembered::default(),
        depends_on: Default::default(),
        bystanders: Default::default(),
    }
}
