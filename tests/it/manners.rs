//! How commands speak with people and programs: questions on a terminal, records that are closed,
//! errors in the form that was asked for, and paper that is narrow.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use stoker::clock::Clock;

use crate::commands::{Machine, Ran, served};

/// A command that asks on a terminal of its own.
struct Asked {
    child: Child,
    terminal: File,
    said: String,
}

impl Asked {
    /// Begins, and waits until it has asked.
    fn by(machine: &Machine, arguments: &str, question: &str) -> Self {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let place = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
        let open = || File::options().read(true).write(true).open(&place).unwrap();
        let mut command = machine.command(arguments);
        command.env("TERM", "xterm");
        command.stdin(open()).stderr(open()).stdout(Stdio::null());
        let child = command.spawn().unwrap();
        drop(command);
        let mut asked = Self { child, terminal: terminal.into(), said: String::new() };
        while !asked.said.contains(question) {
            asked.read();
        }
        asked
    }

    fn read(&mut self) {
        let mut bytes = [0; 1024];
        let count = self.terminal.read(&mut bytes).unwrap();
        self.said.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }

    fn answer(mut self, text: &str) -> i32 {
        self.terminal.write_all(text.as_bytes()).unwrap();
        self.child.wait().unwrap().code().unwrap()
    }

    /// Sends a signal, and returns how it ended and after which time.
    fn interrupt(mut self, signal: &str) -> (i32, Duration) {
        let clock = Clock::system();
        let begun = clock.now();
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        let ended = self.child.wait().unwrap().code().unwrap();
        (ended, clock.now().duration_since(begun).unsigned_abs())
    }
}

const ASKED: [(&str, &str); 4] = [
    ("apply api.yaml --sandbox", "Apply these changes?"),
    ("destroy --sandbox", "Type the project's name"),
    ("rollback service/api --sandbox", "Go back?"),
    ("doctor --probe --sandbox", "Probe?"),
];

/// A machine on which each of these commands has something to ask for.
fn machine_to_ask_on() -> Machine {
    let machine = Machine::with_api();
    machine.write("api.yaml", &machine.read("api.yaml").replace("nginx", "nginx:2"));
    machine
}

#[test]
fn a_no_ends_each_question_with_one_and_nothing_is_written() {
    let machine = machine_to_ask_on();
    for (command, question) in ASKED {
        assert_eq!(Asked::by(&machine, command, question).answer("no\n"), 1, "{command}");
        assert_eq!(Asked::by(&machine, command, question).answer("\u{4}"), 1, "{command}");
    }
    machine.run("plan api.yaml --sandbox").says(0, &["1 to change"]);
}

#[test]
fn a_signal_ends_a_question_at_once() {
    let machine = machine_to_ask_on();
    // Half of the time after which an orderly end is cut short.
    let at_once = Duration::from_secs(5);
    for (command, question) in ASKED {
        let (exit, time) = Asked::by(&machine, command, question).interrupt("INT");
        assert_eq!(exit, 130, "{command}");
        assert!(time < at_once, "{command}: {time:?}");
    }
    let (exit, _) = Asked::by(&machine, ASKED[0].0, ASKED[0].1).interrupt("TERM");
    assert_eq!(exit, 143);
    for command in ["validate -", "apply - --sandbox"] {
        let (exit, time) = Asked::by(&machine, command, "end with Ctrl-D").interrupt("INT");
        assert_eq!(exit, 130, "{command}");
        assert!(time < at_once, "{command}: {time:?}");
    }
}

/// Returns the last two records: the summary, and the cost.
#[track_caller]
fn closing(ran: &Ran) -> (Value, Value) {
    let records: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [.., summary, cost] = records.as_slice() else { panic!("{}", ran.stdout) };
    assert_eq!(summary["summary"]["exitCode"], ran.exit, "{}", ran.stdout);
    (summary["summary"].clone(), cost["cost"].clone())
}

#[test]
fn records_of_a_plan_are_closed_by_a_summary_and_the_cost_also_after_an_error() {
    let machine = Machine::new();
    machine.write_api();
    let (summary, cost) = closing(&machine.run("plan api.yaml --sandbox -o ndjson").says(0, &[]));
    assert_eq!((&summary["add"], &summary["destroy"]), (&1.into(), &0.into()));
    let sent = cost["sent"].as_u64().unwrap();
    assert!(sent > 0 && cost["writes"] == 1 && cost["reads"].as_u64().unwrap() > sent, "{cost}");
    let (summary, cost) =
        closing(&machine.run("apply api.yaml -y --sandbox -o ndjson").says(0, &[]));
    assert_eq!(summary["applied"], 1);
    let promised = cost["reads"].as_u64().unwrap() + cost["writes"].as_u64().unwrap();
    assert_eq!(cost["sent"], promised, "apply keeps to its cost");
    closing(&machine.run("drift api.yaml --sandbox -o ndjson").says(0, &[]));
    closing(&machine.run("destroy --confirm emulator --sandbox -o ndjson").says(0, &[]));
    // What failed has no counts, and says what it sent.
    let (summary, cost) =
        closing(&machine.run("plan api.yaml --sandbox --max-calls 2 -o ndjson").says(6, &[]));
    assert_eq!(summary.as_object().unwrap().len(), 1, "{summary}");
    assert_eq!((&cost["sent"], cost.get("reads")), (&2.into(), None));
    for wrong in ["plan nope", "plan --nope", "apply nope -y", "drift nope"] {
        let ran = machine.run(&format!("{wrong} -o ndjson"));
        let first: Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
        assert!(first["error"]["code"].is_string(), "{}", ran.stdout);
        assert_eq!(closing(&ran).1["sent"], 0);
    }
}

#[test]
fn an_error_asked_for_in_yaml_is_yaml() {
    let machine = Machine::new();
    machine.write("stoker.yaml", "intervall: 1m\n");
    let settings = machine.run("validate -o yaml");
    std::fs::remove_file(machine.path("stoker.yaml")).unwrap();
    let others = ["describe service/nope --sandbox", "plan nope", "plan --nope"];
    let others = others.map(|wrong| machine.run(&format!("{wrong} -o yaml")));
    for ran in std::iter::once(settings).chain(others) {
        assert!(
            ran.stdout.starts_with("formatVersion: '1.0'\nerror:\n  code: "),
            "{}{}",
            ran.stdout,
            ran.stderr
        );
        assert!(!ran.stdout.contains('{'), "{}", ran.stdout);
    }
}

/// A database, a service with a disk, and one without.
const WITH_AND_WITHOUT_DATA: &str = "apiVersion: stackblaze.cloud/v1
kind: Service
metadata: {name: api}
spec: {type: web, image: nginx}
---
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: {name: files}
spec: {type: web, image: nginx, disk: {name: data, mountPath: /data, sizeGB: 1}}
---
apiVersion: stackblaze.cloud/v1
kind: Database
metadata: {name: main}
spec: {type: postgres, version: \"16\", plan: standard, storageGB: 10}
";

#[test]
fn destroy_speaks_of_data_only_where_there_is_some() {
    let machine = Machine::new();
    machine.write("all.yaml", WITH_AND_WITHOUT_DATA);
    machine.run("apply all.yaml -y --sandbox").says(0, &["3 done"]);
    let mut asked = Command::new(env!("CARGO_BIN_EXE_stoker"));
    asked.env_clear().args(["destroy", "--sandbox", "--state"]).arg(machine.path("state"));
    let shown = Ran::of(asked).says(64, &["--confirm"]).stdout;
    let of = |key: &str| shown.lines().find(|line| line.contains(&format!("# {key} "))).unwrap();
    assert!(of("service/api").ends_with("destroys it"), "{shown}");
    assert!(of("service/files").ends_with("destroys it with the data on its disk"), "{shown}");
    let database = shown.lines().find(|line| line.contains("database/main")).unwrap();
    assert!(database.contains("blocked") || database.ends_with("with its data"), "{shown}");
}

#[test]
fn what_is_changed_on_a_served_sandbox_is_seen_by_the_next_command() {
    let (machine, mut sandbox, url) = served("");
    machine.write_api();
    for round in 0..3 {
        let mut command = machine.command("apply api.yaml -y");
        command.env("STACKBLAZE_API_URL", &url).env("STACKBLAZE_TOKEN", "sb_live_emulator");
        Ran::of(command).says(0, &[]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_stoker"));
        command.env_clear().args(["get", "--sandbox", "--state"]).arg(machine.path("server"));
        Ran::of(command).says(0, &[&format!("service/api{}", "x".repeat(round))]);
        let text = machine.read("api.yaml").replace("}\nspec", "x}\nspec");
        machine.write("api.yaml", &text);
    }
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
}

#[test]
fn sixty_columns_are_enough() {
    let machine = Machine::new();
    machine.write("all.yaml", WITH_AND_WITHOUT_DATA);
    let narrow = |arguments: &str| {
        let mut command = machine.command(arguments);
        command.env("COLUMNS", "60");
        let shown = Ran::of(command).says(0, &[]).stdout;
        for line in shown.lines().filter(|line| line.trim().contains(' ')) {
            assert!(line.chars().count() <= 60, "{arguments}: {line}\n{shown}");
        }
        shown
    };
    narrow("plan all.yaml --sandbox");
    narrow("apply all.yaml -y --sandbox");
    let listed = narrow("get --sandbox");
    for word in ["KIND/NAME", "service/files", "URL", "https://files.stackblaze.app"] {
        assert!(listed.contains(word), "{word}: {listed}");
    }
    narrow("describe service/api --sandbox");
    narrow("deployments service/api --sandbox");
    narrow("doctor --sandbox");
    narrow("config view --sandbox");
    narrow("why service/api all.yaml --sandbox");
}

#[test]
fn a_difference_that_is_not_seen_is_spelled_out_and_named() {
    let machine = Machine::new();
    let manifest = |value: &str| {
        format!(
            "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{name: api}}\nspec:\n  \
             type: web\n  image: nginx\n  envVars: [{{key: GREETING, value: {value}}}]\n"
        )
    };
    machine.write("api.yaml", &manifest("hello you"));
    machine.run("apply api.yaml -y --sandbox").says(0, &[]);
    for (value, spelled, what) in [
        ("\"hello you\\n\"", r#""hello you\n""#, "line breaks at the end"),
        ("\"hello you \"", r#""hello you ""#, "blanks at the ends"),
        ("\"hello\\tyou\"", r#""hello\tyou""#, "the form of blanks"),
        ("\"hello\\u00a0you\"", r#""hello\u{a0}you""#, "the form of blanks"),
        ("\"hell\\u043e you\"", r#""hell\u{43e} you""#, "letters that look alike"),
    ] {
        machine.write("api.yaml", &manifest(value));
        let change = format!("\"hello you\" -> {spelled} (they differ in {what})");
        machine.run("plan api.yaml --sandbox").says(0, &[&change]);
        let ran = machine.run("plan api.yaml --sandbox -o markdown");
        ran.says(0, &[&format!("they differ in {what}")]);
    }
    machine.write("api.yaml", &manifest("\"one\\ntwo\""));
    machine.run("apply api.yaml -y --sandbox").says(0, &[]);
    machine.write("api.yaml", &manifest("\"one\\ntwo \\n\""));
    machine.run("plan api.yaml --sandbox").says(0, &["+ two \\n", "(differs in"]);
}

#[test]
fn a_wait_for_the_request_limit_counts_down_on_a_terminal() {
    let machine = Machine::new();
    machine.write_api();
    let command = "plan api.yaml --sandbox --rate 3/m --reserve 0/m";
    let mut asked = Asked::by(&machine, command, "waiting ");
    let numbers = |said: &str| -> std::collections::BTreeSet<u32> {
        let after = said.split("waiting ").skip(1);
        after.filter_map(|rest| rest.split(' ').next()?.parse().ok()).collect()
    };
    while numbers(&asked.said).len() < 3 {
        asked.read();
    }
    let (exit, _) = asked.interrupt("INT");
    assert_eq!(exit, 130);
}
