//! The laws of the state: what is acknowledged is kept, at whatever step it fails or dies.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

mod copies;
mod damage;
mod shared;

use super::load;
use super::simulated::{Blow, Simulated};
use super::verify::verify;
use super::{JournalEvent, Store, StoreError};
use crate::model::{
    Applied, Claim, Entry, Fingerprint, Intent, Inventory, Key, Kind, Pin, Project, Remembered,
    RemoteId, SentDelete,
};

type Files = BTreeMap<String, Vec<u8>>;

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

fn entry(id: &str) -> Entry {
    Entry {
        id: RemoteId::new(id).unwrap(),
        created_at: Some("2026-01-15T10:00:00Z".to_owned()),
        made_at: None,
        given_name: None,
        interim_name: None,
        previous_names: BTreeSet::new(),
        claim: Claim::Created,
        remembered: Remembered::default(),
        labels: BTreeMap::new(),
        applied: BTreeMap::from([
            ("runtime".parse().unwrap(), Applied::Text("nö\u{202e}de\n".to_owned())),
            (
                "envVars.TOKEN".parse().unwrap(),
                Applied::Secret(Fingerprint::new("ab12".to_owned())),
            ),
        ]),
        changed_at: [("envVars.TOKEN".parse().unwrap(), Timestamp::UNIX_EPOCH)].into(),
        generated: BTreeMap::new(),
        tolerated_env: std::collections::BTreeSet::new(),
        env_managed: false,
        env_additive: false,
        rewrites: BTreeMap::new(),
        deployed: None,
        depends_on: [key("database/main")].into(),
    }
}

fn intent() -> Intent {
    Intent {
        started_at: "2026-11-24T03:04:05Z".parse().unwrap(),
        attempt: 1,
        applied: entry("x").applied,
        remembered: Remembered::default(),
        depends_on: std::collections::BTreeSet::new(),
        bystanders: std::collections::BTreeSet::new(),
    }
}

fn began(name: &str) -> JournalEvent {
    JournalEvent::Began { key: key(name), intent: intent() }
}

fn recorded(name: &str, id: &str) -> JournalEvent {
    JournalEvent::Recorded { key: key(name), entry: Box::new(entry(id)) }
}

/// What a test does to a state: an event, or a new generation.
fn sent_delete(id: &str, seconds: i64) -> SentDelete {
    let at = Timestamp::from_second(1_800_000_000 + seconds).unwrap();
    SentDelete { kind: Kind::Service, id: RemoteId::new(id).unwrap(), at, commit: None }
}

#[derive(Clone, Debug)]
enum Deed {
    Commit(JournalEvent),
    Generation,
}

fn deeds() -> Vec<Deed> {
    let pin = Pin {
        origin: "https://api.stackblaze.cloud/v1".to_owned(),
        project: Project {
            id: Some(RemoteId::new("prj_1").unwrap()),
            name: "acme".to_owned(),
            region: None,
            plan: None,
        },
    };
    vec![
        Deed::Commit(JournalEvent::Pinned(pin)),
        Deed::Commit(began("service/api")),
        Deed::Commit(recorded("service/api", "svc_1")),
        Deed::Generation,
        Deed::Commit(began("service/web")),
        Deed::Generation,
        Deed::Commit(JournalEvent::Abandoned { key: key("service/web") }),
        Deed::Commit(JournalEvent::DeployOwed { id: RemoteId::new("svc_1").unwrap() }),
        Deed::Commit(JournalEvent::Renamed {
            from: key("service/api"),
            to: key("service/shop"),
            entry: Box::new(entry("svc_1")),
        }),
        Deed::Commit(JournalEvent::Exchanged {
            entries: [
                (key("service/shop"), entry("svc_2")),
                (
                    key("service/site"),
                    Entry { interim_name: Some("shop".into()), ..entry("svc_1") },
                ),
            ]
            .into(),
        }),
        Deed::Commit(JournalEvent::Deleting(sent_delete("svc_1", 0))),
        Deed::Generation,
        Deed::Generation,
        Deed::Commit(began("database/main")),
        Deed::Commit(JournalEvent::DeployPaid { id: RemoteId::new("svc_1").unwrap() }),
        Deed::Commit(JournalEvent::DeployOwed { id: RemoteId::new("svc_1").unwrap() }),
        Deed::Commit(JournalEvent::Deleting(sent_delete("svc_2", 1))),
        Deed::Commit(JournalEvent::Deleting(sent_delete("svc_2", 2))),
        Deed::Commit(JournalEvent::Forgotten { key: key("service/shop") }),
    ]
}

fn perform(store: &mut Store, deed: &Deed) -> Result<(), StoreError> {
    match deed {
        Deed::Commit(event) => store.commit(event.clone()),
        Deed::Generation => store.begin_generation(),
    }
}

fn after(inventory: &Inventory, deed: &Deed) -> Inventory {
    let mut inventory = inventory.clone();
    if let Deed::Commit(event) = deed {
        event.apply(&mut inventory);
    }
    inventory
}

fn open(disk: &Simulated) -> Result<Store, StoreError> {
    Store::on(Box::new(disk.clone()), None)
}

fn all_steps() -> usize {
    let disk = Simulated::default();
    let mut store = open(&disk).unwrap();
    for deed in deeds() {
        perform(&mut store, &deed).unwrap();
    }
    disk.steps()
}

fn all_done() -> (Files, Inventory) {
    let disk = Simulated::default();
    let mut store = open(&disk).unwrap();
    for deed in deeds() {
        perform(&mut store, &deed).unwrap();
    }
    (disk.files(), store.inventory().clone())
}

/// Reopens what a crash left: it is one of these, without a warning, and can be written.
fn check_reopened(files: &Files, expected: &[Inventory], context: &str) {
    let disk = Simulated::with(files);
    let reading = load::read(&disk).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(reading.warning, None, "{context}");
    assert!(expected.contains(&reading.inventory), "{context}: {:?}", reading.inventory);
    // What a crash leaves is no damage.
    assert_eq!(verify(&disk).unwrap().faults, [] as [String; 0], "{context}");

    let mut store = open(&disk).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(*store.inventory(), *reading.inventory, "{context}");
    store.commit(began("service/late")).unwrap();
    store.begin_generation().unwrap();
    store.commit(recorded("service/late", "svc_9")).unwrap();
    let written = store.inventory().clone();
    let reading = load::read(&disk).unwrap();
    assert_eq!((&*reading.inventory, reading.warning), (&written, None), "{context}");
}

#[test]
fn whoever_dies_at_any_step_leaves_the_state_before_or_after_and_all_that_was_acknowledged() {
    for step in 0..=all_steps() {
        let disk = Simulated::default();
        disk.strike(step, Blow::Die);
        let mut store = open(&disk).unwrap();
        let mut before = Inventory::default();
        let mut expected = vec![before.clone()];
        for deed in deeds() {
            let next = after(&before, &deed);
            if perform(&mut store, &deed).is_err() {
                expected.push(next);
                break;
            }
            before = next;
            expected = vec![before.clone()];
        }
        let context = format!("killed at step {step}");
        check_reopened(&disk.files(), &expected, &context);
        for (number, files) in disk.after_power_loss().iter().enumerate() {
            check_reopened(files, &expected, &format!("{context}, power loss {number}"));
        }
    }
}

#[test]
fn whoever_dies_again_while_mending_loses_nothing_either() {
    // Every other step: whoever died within an append left the same file in both of its steps.
    for first in (0..all_steps()).step_by(2) {
        let disk = Simulated::default();
        disk.strike(first, Blow::Die);
        let mut store = open(&disk).unwrap();
        for deed in deeds() {
            if perform(&mut store, &deed).is_err() {
                break;
            }
        }
        let left = disk.files();
        let found = load::read(&disk).unwrap().inventory;
        for second in 0.. {
            let disk = Simulated::with(&left);
            disk.strike(second, Blow::Die);
            let mut store = open(&disk).unwrap();
            let late = Deed::Commit(began("service/late"));
            let mut expected = vec![after(&found, &late)];
            if perform(&mut store, &late).is_err() {
                expected.push((*found).clone());
            } else {
                let _killed_or_done = store.begin_generation();
            }
            let context = format!("killed at step {first}, then at {second}");
            for files in disk.after_power_loss() {
                check_reopened(&files, &expected, &context);
            }
            if !disk.was_struck() {
                break;
            }
        }
    }
}

#[test]
fn an_event_that_could_not_be_written_did_not_happen_and_the_next_one_can() {
    for step in 0.. {
        let disk = Simulated::default();
        disk.strike(step, Blow::Fail);
        let mut store = open(&disk).unwrap();
        for deed in deeds() {
            let before = store.inventory().clone();
            if perform(&mut store, &deed).is_err() {
                assert_eq!(*store.inventory(), before, "failed at step {step}");
                perform(&mut store, &deed).unwrap();
            }
        }
        let context = format!("failed at step {step}");
        assert_eq!(*store.inventory(), all_done().1, "{context}");
        check_reopened(&disk.files(), &[all_done().1], &context);
        if !disk.was_struck() {
            break;
        }
    }
}

#[test]
fn on_a_full_disk_every_event_is_refused_and_what_was_acknowledged_stays() {
    for step in 0.. {
        let disk = Simulated::default();
        disk.strike(step, Blow::Full);
        let mut store = open(&disk).unwrap();
        let mut is_full = false;
        for deed in deeds() {
            let outcome = perform(&mut store, &deed);
            assert!(!is_full || outcome.is_err(), "full at step {step}");
            is_full |= outcome.is_err();
        }
        let kept = store.inventory().clone();
        let files = disk.files();
        drop(store);
        // The line that failed may stand there whole: then its event happened.
        let reading = load::read(&Simulated::with(&files)).unwrap();
        assert_eq!(reading.warning, None, "full at step {step}");
        let deeds = deeds();
        let next = deeds.iter().map(|deed| after(&kept, deed));
        let mut possible = next.chain([kept.clone()]);
        assert!(possible.any(|one| one == *reading.inventory), "full at step {step}");
        if !disk.was_struck() {
            break;
        }
    }
}

#[test]
fn one_event_costs_one_line_and_a_generation_only_begins_when_the_journal_is_long() {
    let disk = Simulated::default();
    let mut store = open(&disk).unwrap();
    for number in 0..20 {
        store.commit(began(&format!("service/s{number}"))).unwrap();
        store.compact().unwrap();
    }
    assert_eq!(disk.files().len(), 1);
    assert!(disk.files()["journal-0.ndjson"].len() < 20 * 600);
    for number in 0..400 {
        store.commit(recorded(&format!("service/s{number}"), "svc_1")).unwrap();
    }
    store.compact().unwrap();
    let names: Vec<_> = disk.files().into_keys().collect();
    assert_eq!(names, ["inventory-1.json", "journal-0.ndjson", "journal-1.ndjson"]);
    store.compact().unwrap();
    assert_eq!(disk.files().len(), 3);
}

mod on_a_real_directory {
    use super::*;

    #[test]
    fn one_writer_at_a_time_and_whoever_is_refused_learns_who_holds_it() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("state/acme");
        assert_eq!(Store::read(&directory).unwrap(), super::super::StoredState::default());
        assert!(!directory.exists());

        let mut store = Store::open(&directory, "stoker run (pid 4711 on web-1)").unwrap();
        let error = Store::open(&directory, "stoker apply (pid 4712)").unwrap_err();
        assert!(error.to_string().ends_with("stoker run (pid 4711 on web-1) holds it"), "{error}");
        store.commit(began("service/api")).unwrap();
        store.begin_generation().unwrap();
        let inventory = store.inventory().clone();
        assert_eq!(*Store::read(&directory).unwrap().inventory, inventory);
        drop(store);
        let store = Store::open(&directory, "stoker apply (pid 4712)").unwrap();
        assert_eq!(*store.inventory(), inventory);
    }

    /// A device takes every line and syncs none: only whoever asks for the sync is told so.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_line_that_was_written_and_cannot_be_synced_is_not_acknowledged() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/null", root.path().join("journal-0.ndjson")).unwrap();
        let mut store = Store::open(root.path(), "test").unwrap();
        let error = store.commit(began("service/api")).unwrap_err();
        assert!(matches!(error, StoreError::Disk { .. }), "{error}");
        assert!(store.inventory().intents.is_empty());
    }

    #[test]
    fn only_its_owner_can_read_the_state() {
        use std::os::unix::fs::PermissionsExt;

        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("state");
        let mut store = Store::open(&directory, "test").unwrap();
        store.commit(began("service/api")).unwrap();
        store.begin_generation().unwrap();
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        for file in std::fs::read_dir(&directory).unwrap() {
            assert_eq!(mode(&file.unwrap().path()), 0o600);
        }
    }
}
