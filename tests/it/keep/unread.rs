//! A log that nobody reads, over a real pipe that is full.

use std::io::{PipeReader, Read as _, Write as _};
use std::process::{Child, Stdio};

use super::machine::{Machine, PATIENCE, group, now, pause, since};

/// What a pipe holds on Linux.
const PIPE_BYTES: usize = 65_536;

/// Starts an agent whose log goes into a pipe that is full.
fn unread(machine: &Machine) -> (Child, PipeReader) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&[b'.'; PIPE_BYTES]).unwrap();
    let mut command =
        machine.command("run --sandbox manifests/ --listen 127.0.0.1:0 --interval 1h");
    let child = command.stdout(Stdio::null()).stderr(writer).spawn().unwrap();
    (child, reader)
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = now();
    while !is_so() {
        assert!(since(begun) < PATIENCE, "{what} does not come to be");
        pause();
    }
}

/// Waits until an env group is there, and ends the agent in an orderly way.
fn works_and_ends(machine: &Machine, child: &mut Child, read: impl FnOnce()) {
    let has = |name: &str| machine.run("get --sandbox").stdout.contains(name);
    until("the first look", || has("envgroup/one"));
    machine.write("manifests/b.yaml", &group("two"));
    until("a change of the manifests", || has("envgroup/two"));
    read();
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").arg(&pid).status().unwrap().success());
    let mut exit = None;
    until("its end", || {
        exit = child.try_wait().unwrap();
        exit.is_some()
    });
    assert_eq!(exit.unwrap().code(), Some(143));
}

#[test]
fn a_log_that_nobody_reads_stops_neither_the_work_nor_the_end() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    let (mut child, reader) = unread(&machine);
    works_and_ends(&machine, &mut child, || {});
    drop(reader);
}

#[test]
fn who_reads_the_log_again_is_told_what_happened_meanwhile() {
    let machine = Machine::with(&[("a.yaml", &group("one"))]);
    let (mut child, mut reader) = unread(&machine);
    let mut reading = None;
    works_and_ends(&machine, &mut child, || {
        reading = Some(std::thread::spawn(move || {
            let mut log = String::new();
            reader.read_to_string(&mut log).unwrap();
            log
        }));
    });
    let log = reading.unwrap().join().unwrap();
    let said = ["The status is at", "envgroup/one", "envgroup/two", "nothing new begins"];
    let mut rest = &log[PIPE_BYTES..];
    for words in said {
        let (_, after) = rest.split_once(words).unwrap_or_else(|| panic!("{words}:\n{rest}"));
        rest = after;
    }
}
