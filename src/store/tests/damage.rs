//! Files that are not what was written: nothing is lost silently, and nothing is written on them.

use super::super::simulated::Simulated;
use super::super::text::{GENESIS, sealed_line};
use super::super::{StoreError, Warning, load};
use super::{Files, all_done, began, key, open};

#[test]
fn a_byte_changed_anywhere_loses_nothing_or_refuses_every_write() {
    let (files, inventory) = all_done();
    for (name, bytes) in &files {
        for position in 0..bytes.len() {
            for mask in [0x01, 0x20, 0x77, 0xff] {
                let mut files = files.clone();
                files.get_mut(name).unwrap()[position] ^= mask;
                let disk = Simulated::with(&files);
                match open(&disk) {
                    Ok(store) => assert_eq!(*store.inventory(), inventory, "{name}:{position}"),
                    Err(StoreError::Damaged { .. } | StoreError::Newer { .. }) => {
                        assert_eq!(disk.files(), files, "{name}:{position}");
                    }
                    Err(error) => panic!("{name}:{position}: {error}"),
                }
            }
        }
    }
}

#[test]
fn a_file_cut_short_or_gone_loses_nothing_or_refuses_every_write() {
    let (files, inventory) = all_done();
    let newest_journal = files.keys().rfind(|name| name.starts_with("journal")).unwrap();
    for (name, bytes) in &files {
        // The newest journal is the one file whose end nothing else knows.
        let is_open_ended = name == newest_journal;
        for length in 0..bytes.len() {
            let mut files = files.clone();
            files.get_mut(name).unwrap().truncate(length);
            match open(&Simulated::with(&files)) {
                Ok(store) if is_open_ended => assert!(store.warning().is_none()),
                Ok(store) => assert_eq!(*store.inventory(), inventory, "{name}:{length}"),
                Err(StoreError::Damaged { .. }) => assert!(!is_open_ended, "{name}:{length}"),
                Err(error) => panic!("{name}:{length}: {error}"),
            }
        }
        let mut files = files.clone();
        files.remove(name);
        match open(&Simulated::with(&files)) {
            Ok(store) => assert_eq!(*store.inventory(), inventory, "without {name}"),
            Err(StoreError::Damaged { .. }) => {}
            Err(error) => panic!("without {name}: {error}"),
        }
    }
}

fn damage(files: &mut Files, prefix: &str, position: usize) {
    let (_, bytes) = files.iter_mut().rfind(|(name, _)| name.starts_with(prefix)).unwrap();
    bytes[position] ^= 0x01;
}

#[test]
fn a_damaged_snapshot_is_rebuilt_exactly_and_mended_by_the_next_writer() {
    let (mut files, inventory) = all_done();
    damage(&mut files, "inventory", 200);
    let disk = Simulated::with(&files);
    let reading = load::read(&disk).unwrap();
    assert_eq!(*reading.inventory, inventory);
    let Some(Warning::Rebuilt { what }) = reading.warning else {
        panic!("no warning");
    };
    assert_eq!(what, "inventory-4.json is damaged: its checksum does not match");

    open(&disk).unwrap().commit(began("service/late")).unwrap();
    assert_eq!(load::read(&disk).unwrap().warning, None);
}

#[test]
fn a_damaged_snapshot_with_nothing_before_it_is_never_an_empty_inventory() {
    let (mut files, _) = all_done();
    damage(&mut files, "inventory", 200);
    files.retain(|name, _| name.contains("-4."));
    let error = load::read(&Simulated::with(&files)).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");

    let files = Files::from([("inventory-1.json".to_owned(), b"{}".to_vec())]);
    let error = load::read(&Simulated::with(&files)).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn a_damaged_journal_can_be_looked_at_but_not_written() {
    let (mut files, _) = all_done();
    damage(&mut files, "journal", 200);
    let disk = Simulated::with(&files);
    let reading = load::read(&disk).unwrap();
    assert!(reading.inventory.entries.contains_key(&key("service/shop")));
    assert!(matches!(reading.warning, Some(Warning::Incomplete { .. })));
    let error = open(&disk).unwrap_err();
    assert_eq!(
        error.to_string(),
        "trust the state in state: journal-4.ndjson is damaged: a line's seal does not match"
    );
    assert!(error.hints().join("\n").contains("stoker adopt"));
    assert_eq!(disk.files(), files);
}

#[test]
fn a_newer_state_is_refused_and_left_as_it_is() {
    let (files, _) = all_done();
    let newer = |name: &str, from: &str, to: &str| {
        let mut files = files.clone();
        let text = String::from_utf8(files[name].clone()).unwrap();
        files.insert(name.to_owned(), text.replacen(from, to, 1).into_bytes());
        let disk = Simulated::with(&files);
        let error = open(&disk).unwrap_err();
        assert!(matches!(error, StoreError::Newer { .. }), "{error}");
        assert!(load::read(&disk).is_err());
        assert_eq!(disk.files(), files);
    };
    newer("inventory-4.json", "\"format\":1", "\"format\":2");
    newer("journal-4.ndjson", "\"format\":1", "\"format\":2");
}

#[test]
fn a_state_from_before_deploys_were_owed_is_read() {
    let before = "{\"pin\":null,\"entries\":{},\"intents\":{}}";
    let inventory: crate::model::Inventory = serde_json::from_str(before).unwrap();
    assert_eq!(inventory, crate::model::Inventory::default());
    assert_eq!(serde_json::to_string(&inventory).unwrap(), before);
}

#[test]
fn an_intact_word_we_do_not_know_is_a_newer_state() {
    let event = "{\"forgiven\":{\"key\":\"service/api\"}}";
    let line = sealed_line(GENESIS, event);
    let files = Files::from([("journal-0.ndjson".to_owned(), line.into_bytes())]);
    let error = open(&Simulated::with(&files)).unwrap_err();
    assert!(matches!(error, StoreError::Newer { .. }), "{error}");
}
