//! The command line before servers that answer as ordinary frameworks do, over a socket.

use stoker::clock::Clock;
use stoker::emulator::{Act, Emulator, EmulatorConfig, Faults, Forms, Kind, TOKEN, serve};
use stoker::sandbox::emulator_clock;

use super::machine::{Machine, Ran};

/// An emulator on a port of this machine.
struct Platform {
    machine: Machine,
    emulator: Emulator,
    url: String,
}

impl Platform {
    fn on(config: EmulatorConfig) -> Self {
        let machine = Machine::with(&[("stack.yaml", &stack(&["a", "b"]))]);
        let emulator = Emulator::new(config, emulator_clock(&Clock::system()));
        let bind = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = machine.runtime().block_on(bind).unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        machine.runtime().spawn(serve(emulator.clone(), listener, std::future::pending()));
        Self { machine, emulator, url }
    }

    fn run(&self, arguments: &str) -> Ran {
        let mut command = self.machine.command(arguments);
        command.env("STACKBLAZE_TOKEN", TOKEN).env("STACKBLAZE_API_URL", &self.url);
        Ran::of(command)
    }

    fn plays(&self, faults: &str) {
        self.emulator.play(Faults::parse(faults).unwrap());
    }
}

fn stack(names: &[&str]) -> String {
    let one = |name: &&str| {
        format!(
            "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: {name} }}\n\
             spec: {{ type: web, image: nginx, port: 8080 }}\n"
        )
    };
    names.iter().map(one).collect()
}

#[test]
fn a_platform_built_with_a_framework_is_kept_as_declared() {
    let platform = Platform::on(EmulatorConfig { bare: true, ..EmulatorConfig::default() });
    platform.plays("fail:500@GET /project#1");
    platform.run("apply manifests -y").says(0, &["2 done"]);
    platform.machine.write("manifests/stack.yaml", &stack(&["a"]).replace("8080", "9090"));
    platform.run("apply manifests -y --prune").says(0, &["2 done"]);
    assert_eq!(platform.emulator.record().deletes(Kind::Service, "b"), 1);
    platform.run("plan manifests --prune").says(0, &["No changes."]);
}

#[test]
fn a_write_that_a_page_answers_is_settled_by_reading() {
    let platform = Platform::on(EmulatorConfig::default());
    platform.run("apply manifests -y").says(0, &["2 done"]);
    platform.plays("html-after@PATCH /**; html-after@DELETE /**");
    platform.machine.write("manifests/stack.yaml", &stack(&["a"]).replace("8080", "9090"));
    platform.run("apply manifests -y --prune").says(0, &["2 done"]);
    assert_eq!(platform.emulator.record().deletes(Kind::Service, "b"), 1);
    // What was not done is not taken for done either: the page came before it.
    platform.plays("html@DELETE /**");
    platform.machine.write("manifests/stack.yaml", &stack(&["c"]));
    let ran = platform.run("apply manifests -y --prune --max-deletes 2");
    assert_ne!(ran.exit, 0, "{}", ran.stdout);
    assert_eq!(platform.emulator.ids(Kind::Service, "a").len(), 1);
    platform.plays("");
    platform.run("apply manifests -y --prune --max-deletes 2").says(0, &["1 done"]);
    assert_eq!(platform.emulator.ids(Kind::Service, "a").len(), 0);
}

/// The settings that a probe names, as flags.
fn named_by_a_probe(platform: &Platform, flags: &str) -> (Vec<String>, Ran) {
    let ran = platform.run(&format!("doctor --probe --auto-approve {flags}"));
    let settings = ran.stdout.lines().filter_map(|line| line.strip_prefix("set --dialect "));
    (settings.map(str::to_owned).collect(), ran)
}

#[test]
fn each_form_of_the_platform_is_found_by_a_probe_and_then_kept_as_declared() {
    for (forms, expected) in [
        (Forms::Meta, vec!["total_field=meta.total"]),
        (Forms::Data, vec!["envelope=data", "total_field=meta.total"]),
        (Forms::Bare, vec!["list_form=array"]),
        (Forms::FromZero, vec!["page_first=0"]),
        (
            Forms::Cursors,
            vec!["total_required=false", "cursor_field=next_cursor", "cursor_param=cursor"],
        ),
    ] {
        let platform = Platform::on(EmulatorConfig { forms, ..EmulatorConfig::default() });
        for name in ["x", "y"] {
            let body = serde_json::json!({"name": name, "type": "background_worker"});
            platform.emulator.act(&Act::Create { kind: Kind::Service, body }).unwrap();
        }
        let (settings, ran) = named_by_a_probe(&platform, "");
        assert!(
            expected.iter().all(|setting| settings.iter().any(|it| it == setting)),
            "{forms:?}: {settings:?}\n{}{}",
            ran.stdout,
            ran.stderr
        );
        // What is not understood is unknown, and nothing is made from it.
        platform.run("apply manifests -y");
        assert!(platform.emulator.ids(Kind::Service, "a").is_empty(), "{forms:?}");
        let flags = expected.iter().map(|setting| format!("--dialect {setting} "));
        let flags: String = flags.collect();
        platform.run(&format!("apply manifests -y {flags}")).says(0, &["2 done"]);
        platform.run(&format!("plan manifests {flags}")).says(0, &["No changes."]);
    }
}

#[test]
fn a_probe_leaves_nothing_behind_where_a_404_has_no_code_and_says_what_to_set() {
    let platform =
        Platform::on(EmulatorConfig { plain_absence: true, ..EmulatorConfig::default() });
    let (settings, ran) = named_by_a_probe(&platform, "");
    let ran = ran.says(0, &["404 without a code"]);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("left behind"));
    assert!(settings.contains(&"not_found=status".to_owned()), "{settings:?}");
    assert!(platform.emulator.truth(Kind::Service).is_empty());
    let (settings, _) = named_by_a_probe(&platform, "--dialect not_found=status");
    assert!(!settings.contains(&"not_found=status".to_owned()), "{settings:?}");
}
