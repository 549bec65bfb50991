//! `stoker state` and the lock of a state directory, as a person meets them.

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::commands::{Machine, Ran};

/// Holds the lock of a machine's sandbox, as another command would.
fn held(machine: &Machine) -> File {
    let mut file = File::create(machine.path("state/sandbox/lock")).unwrap();
    file.lock().unwrap();
    file.write_all(b"stoker apply (pid 4711 on web-1, since 2026-11-24T03:04:05Z)").unwrap();
    file
}

#[test]
fn what_is_remembered_is_shown_without_asking_the_platform() {
    let machine = Machine::with_api();
    std::fs::remove_file(machine.path("state/sandbox/world.json")).unwrap();
    machine.run("state show --sandbox").says(0, &["project", "owned", "free"]);
    machine.run("state list --sandbox").says(0, &["service/api", "created"]);
    let listed = machine.run("state list --sandbox -o json").says(0, &[]).json();
    assert_eq!(listed["records"][0]["claim"], "created");
    assert!(!machine.path("state/sandbox/world.json").exists());
}

#[test]
fn who_is_refused_learns_who_holds_the_state() {
    let machine = Machine::with_api();
    let _lock = held(&machine);
    let holder = "stoker apply (pid 4711 on web-1, since 2026-11-24T03:04:05Z)";
    machine.run("state show --sandbox").says(0, &[holder]);
    machine.run("release service/api --sandbox").says(1, &[holder, "--lock-timeout 10m"]);
    machine.run("state backup copy --sandbox").says(1, &[holder]);
}

#[test]
fn a_command_writes_down_its_process_its_machine_and_since_when() {
    let machine = Machine::with_api();
    let text = machine.read("state/sandbox/lock");
    assert!(text.starts_with("stoker apply (pid "), "{text}");
    assert!(text.contains(" on ") && text.contains(", since 2"), "{text}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "another command holds the state for so long")]
fn who_has_patience_waits_for_the_state_and_then_writes() {
    let machine = Machine::with_api();
    let lock = held(&machine);
    let release = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1_500));
        lock.unlock().unwrap();
    });
    let since = Instant::now();
    let ran = machine.run("release service/api --sandbox --lock-timeout 1m");
    ran.says(0, &["Waiting for the state: stoker apply (pid 4711", "not ours any more"]);
    assert!(since.elapsed() >= Duration::from_secs(1));
    release.join().unwrap();
    let _lock = held(&machine);
    let mut hurried = machine.command("release service/api --sandbox");
    hurried.env("STOKER_LOCK_TIMEOUT", "300ms");
    Ran::of(hurried).says(1, &["Waiting for the state", "failed to lock the state"]);
}

#[test]
fn a_copy_is_verified_and_does_what_the_state_does() {
    let machine = Machine::with_api();
    let copied = machine.run("state backup kept/copy --sandbox");
    copied.says(1, &["failed to make the copy", "No such file or directory"]);
    std::fs::create_dir(machine.path("kept")).unwrap();
    let copied = machine.run("state backup kept/copy --sandbox -o json").says(0, &[]).json();
    let verified = machine.run("state verify --sandbox -o json").says(0, &[]).json();
    assert_eq!(
        (&copied["records"], &copied["faults"]),
        (&verified["records"], &verified["faults"])
    );
    for name in ["journal-0.ndjson", "fingerprint.key"] {
        let kept = std::fs::read(machine.path("kept/copy").join(name)).unwrap();
        assert_eq!(kept, std::fs::read(machine.path("state/sandbox").join(name)).unwrap());
    }
    let again = machine.run("state backup kept/copy --sandbox");
    again
        .says(1, &["failed to make the copy", "give a directory that does not exist, or is empty"]);
    // Restored, it owns what it owned.
    std::fs::copy(machine.path("state/sandbox/world.json"), machine.path("kept/world.json"))
        .unwrap();
    std::fs::remove_dir_all(machine.path("state/sandbox")).unwrap();
    std::fs::rename(machine.path("kept/copy"), machine.path("state/sandbox")).unwrap();
    std::fs::copy(machine.path("kept/world.json"), machine.path("state/sandbox/world.json"))
        .unwrap();
    machine.run("plan api.yaml --sandbox").says(0, &["No changes. 1 unchanged."]);
    machine.run("get --sandbox").says(0, &["created"]);
}

#[test]
fn a_record_that_is_not_what_was_written_is_named_and_is_exit_code_1() {
    let machine = Machine::with_api();
    let path = machine.path("state/sandbox/journal-0.ndjson");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("nginx", "nginy", 1)).unwrap();
    machine.run("state verify --sandbox").says(1, &["journal-0.ndjson is damaged"]);
    machine.run("state show --sandbox").says(0, &["journal-0.ndjson is damaged"]);
    machine.run("state backup copy --sandbox").says(1, &["failed to trust the state"]);
    assert!(!machine.path("copy").exists());
}

#[test]
fn without_a_state_nothing_is_verified_or_copied_and_nothing_is_made() {
    let machine = Machine::new();
    machine.run("state show").says(0, &["none yet"]);
    machine.run("state list").says(0, &["The state records no resources."]);
    machine.run("state verify").says(64, &["there is no state in"]);
    machine.run("state backup copy").says(64, &["there is no state in"]);
    assert!(!machine.path("state").exists());
}

#[test]
fn the_state_of_another_project_is_not_taken_for_that_of_one_that_is_not_listed() {
    let machine = Machine::with_api();
    machine.write(
        "stoker.yaml",
        "projects:\n  - { name: dev, sandbox: true }\n  - { name: prod, sandbox: true }\n",
    );
    for command in ["state show", "state list", "state verify", "state backup copy"] {
        machine
            .run(&format!("{command} --project prd"))
            .says(64, &["list no project `prd`", "prod"]);
        machine.run(command).says(64, &["several projects, and none is named"]);
    }
    assert!(!machine.path("copy").exists());
}

#[test]
fn a_state_whose_key_is_gone_is_not_whole() {
    let machine = Machine::with_api();
    let key = machine.path("state/sandbox/fingerprint.key");
    std::fs::remove_file(&key).unwrap();
    machine.run("state verify --sandbox").says(1, &["fingerprint.key is missing"]);
    machine.run("state backup copy --sandbox").says(1, &["fingerprint.key is missing"]);
    std::fs::write(&key, "zz\n").unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    machine.run("state verify --sandbox").says(1, &["does not contain 64 hexadecimal digits"]);
}

#[test]
fn a_wait_for_the_state_ends_with_the_time_of_the_run() {
    let machine = Machine::with_api();
    let _lock = held(&machine);
    let waited = machine.run("release service/api --sandbox --lock-timeout 10m --timeout 300ms");
    waited.says(6, &["the time ran out", "--timeout"]);
}
