//! What is verified, and what is copied.

use std::fs;

use super::*;
use crate::store::FilesBeside;

/// Changes one byte in the middle of a file.
fn flip(files: &mut Files, name: &str) {
    let bytes = files.get_mut(name).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
}

#[test]
fn a_flipped_byte_in_any_file_that_is_kept_is_found() {
    let (files, _) = all_done();
    let whole = verify(&Simulated::with(&files)).unwrap();
    assert_eq!((whole.generations, whole.faults.len()), (2, 0));
    assert!(whole.records >= 6, "{}", whole.records);
    for name in files.keys() {
        let mut files = files.clone();
        flip(&mut files, name);
        let verified = verify(&Simulated::with(&files)).unwrap();
        assert!(!verified.faults.is_empty(), "{name}");
    }
}

#[test]
fn a_generation_that_does_not_continue_the_one_before_is_found() {
    let (mut files, _) = all_done();
    let other = Simulated::default();
    let mut store = open(&other).unwrap();
    for _ in 0..3 {
        store.begin_generation().unwrap();
    }
    for name in ["inventory-3.json", "journal-3.ndjson"] {
        files.insert(name.to_owned(), other.files()[name].clone());
    }
    // Each of the two is whole by itself.
    assert_eq!(load::read(&Simulated::with(&files)).unwrap().warning, None);
    let verified = verify(&Simulated::with(&files)).unwrap();
    assert_eq!(verified.faults, ["inventory-4.json does not continue the one before it"]);
}

/// A state in a directory of the machine, with a file of another room beside it.
fn machine() -> (tempfile::TempDir, Store) {
    let place = tempfile::tempdir().unwrap();
    let mut store = Store::open(&place.path().join("state"), "one").unwrap();
    for deed in deeds() {
        perform(&mut store, &deed).unwrap();
    }
    fs::write(place.path().join("state/agent.json"), "{}").unwrap();
    (place, store)
}

#[test]
fn a_copy_says_what_was_copied_and_can_be_written_on() {
    let (place, store) = machine();
    let target = place.path().join("copy");
    let beside = FilesBeside::from([("agent.json".to_owned(), b"{}".to_vec())]);
    let verified = store.back_up(&target, &beside).unwrap();
    assert_eq!(verified, Store::verify(&place.path().join("state")).unwrap());
    assert_eq!(fs::read(target.join("agent.json")).unwrap(), b"{}");
    assert!(!target.join("notified.json").exists());
    assert!(!target.join("lock").exists());
    let mut restored = Store::open(&target, "two").unwrap();
    assert_eq!(restored.inventory(), store.inventory());
    restored.commit(began("service/late")).unwrap();
}

#[test]
fn a_copy_is_never_made_over_something_and_a_failed_one_leaves_nothing() {
    let (place, store) = machine();
    let taken = place.path().join("taken");
    fs::create_dir(&taken).unwrap();
    store.back_up(&taken, &FilesBeside::new()).unwrap();
    let error = store.back_up(&taken, &FilesBeside::new()).unwrap_err();
    assert!(error.to_string().starts_with("make the copy in "), "{error}");
    // A file cannot be where there is no directory for it.
    let beside = FilesBeside::from([("none/agent.json".to_owned(), b"{}".to_vec())]);
    store.back_up(&place.path().join("none"), &beside).unwrap_err();
    let left = fs::read_dir(place.path()).unwrap().count();
    assert_eq!(left, 2, "the state and the one copy");
}

#[test]
fn a_state_that_was_damaged_behind_its_writer_is_not_copied() {
    let (place, store) = machine();
    let path = place.path().join("state/journal-4.ndjson");
    let mut bytes = fs::read(&path).unwrap();
    bytes[20] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = store.back_up(&place.path().join("copy"), &FilesBeside::new()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(!place.path().join("copy").exists());
}
