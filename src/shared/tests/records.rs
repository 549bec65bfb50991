//! Who may write to the store can destroy what is there, and forge nothing.

use std::collections::BTreeMap;

use super::super::record::{LogRecord, RecordKind, Sealing};
use super::*;

type Records = BTreeMap<u64, Vec<u8>>;

/// A log of two writers with a snapshot in it.
fn written() -> (Records, History) {
    let medium = SimulatedMedium::default();
    run(async {
        let (mut one, _) = writer(&medium, "one").await;
        one.append("first").await.unwrap();
        one.compact("all").await.unwrap();
        one.append("second").await.unwrap();
        medium.unseat();
        let (mut two, _) = writer(&medium, "two").await;
        two.append("third").await.unwrap();
    });
    (medium.records(LOG), history(&medium).unwrap())
}

fn told(records: Records) -> Result<History, LogError> {
    let medium = SimulatedMedium::default();
    medium.forge(LOG, records);
    history(&medium)
}

#[test]
fn a_flipped_byte_a_missing_or_a_moved_record_is_found() {
    let (records, whole) = written();
    assert_eq!(told(records.clone()).unwrap(), whole);
    let last = *records.keys().next_back().unwrap();
    for number in records.keys().copied() {
        for position in [10, 40, 90, 130, 160] {
            let mut records = records.clone();
            records.get_mut(&number).unwrap()[position] ^= 1;
            told(records).unwrap_err();
        }
        let mut missing = records.clone();
        missing.remove(&number);
        let mut moved = records.clone();
        let bytes = moved[&number].clone();
        moved.insert(last + 1, bytes);
        assert!(matches!(told(moved), Err(LogError::Damaged(_))), "{number}");
        // That the end of it is missing no store can show.
        if number != last {
            assert!(matches!(told(missing), Err(LogError::Damaged(_))), "{number}");
        }
    }
}

#[test]
fn without_the_key_nothing_can_be_forged() {
    let (records, _) = written();
    let medium = SimulatedMedium::default();
    let forged = run(async {
        let other = SealKey::from_bytes([8; 32]);
        let seat = sit(&medium, "one").await.unwrap();
        let taken = Log::take_over(Arc::new(medium.clone()), other, LOG, seat, "one").await;
        taken.unwrap().0.append("Recorded, created").await.unwrap();
        medium.records(LOG)
    });
    assert!(matches!(told(forged.clone()), Err(LogError::Damaged(_))));
    let last = *records.keys().next_back().unwrap();
    let mut added = records;
    added.insert(last + 1, forged[&2].clone());
    assert!(matches!(told(added), Err(LogError::Damaged(_))));
    assert_eq!(format!("{:?}", key()), "SealKey");
}

#[test]
fn a_record_of_a_writer_that_was_deposed_is_found() {
    let (records, _) = written();
    let sealing = Sealing { key: &key(), log: LOG };
    let last = *records.keys().next_back().unwrap();
    let before = String::from_utf8(records[&last].clone()).unwrap();
    let seal = before.split('"').nth(5).unwrap();
    for (token, is_fine) in [("two", true), ("one", false)] {
        let record = LogRecord {
            number: last + 1,
            writer: token.to_owned(),
            word: RecordKind::Event,
            part: 0,
            parts: 1,
            follows: None,
            text: "fourth".to_owned(),
        };
        let mut records = records.clone();
        records.insert(last + 1, sealing.write(seal, &record).0);
        assert_eq!(told(records).is_ok(), is_fine, "{token}");
    }
}

#[test]
fn a_record_of_another_log_is_none_of_this() {
    let (records, _) = written();
    let medium = SimulatedMedium::default();
    medium.forge("other", records);
    let read = run(Log::read(&medium, &key(), "other"));
    assert!(matches!(read, Err(LogError::Damaged(_))), "{read:?}");
}

#[test]
fn a_newer_record_is_refused_as_newer() {
    let (mut records, _) = written();
    let last = *records.keys().next_back().unwrap();
    let text = String::from_utf8(records[&last].clone()).unwrap();
    records.insert(last, text.replacen("\"format\":1", "\"format\":2", 1).into_bytes());
    assert!(matches!(told(records), Err(LogError::Newer(_))));
}

#[test]
fn what_is_left_of_records_that_are_being_removed_is_passed_over() {
    let (records, whole) = written();
    let medium = SimulatedMedium::default();
    let all = run(async {
        let (mut one, _) = writer(&medium, "one").await;
        one.append("first").await.unwrap();
        one.append("zeroth").await.unwrap();
        let before = medium.records(LOG);
        one.compact("all").await.unwrap();
        one.append("second").await.unwrap();
        let mut all = before;
        all.extend(medium.records(LOG));
        all
    });
    let expected = told(all.clone()).unwrap();
    for removed in 1..=3 {
        let left = all.clone().split_off(&(removed + 1));
        assert_eq!(told(left).unwrap(), expected, "{removed}");
    }
    assert_eq!(told(records).unwrap(), whole);
}
