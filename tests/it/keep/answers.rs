//! The command line before servers that answer as ordinary frameworks do, over a socket.

use stoker::clock::Clock;
use stoker::emulator::{Config, Emulator, Faults, Kind, TOKEN, serve};
use stoker::sandbox::emulator_clock;

use super::machine::{Machine, Ran};

/// An emulator on a port of this machine.
struct Platform {
    machine: Machine,
    emulator: Emulator,
    url: String,
}

impl Platform {
    fn on(config: Config) -> Self {
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
    let platform = Platform::on(Config { bare: true, ..Config::default() });
    platform.plays("fail:500@GET /project#1");
    platform.run("apply manifests -y").says(0, &["2 done"]);
    platform.machine.write("manifests/stack.yaml", &stack(&["a"]).replace("8080", "9090"));
    platform.run("apply manifests -y --prune").says(0, &["2 done"]);
    assert_eq!(platform.emulator.record().deletes(Kind::Service, "b"), 1);
    platform.run("plan manifests --prune").says(0, &["No changes."]);
}

#[test]
fn a_write_that_a_page_answers_is_settled_by_reading() {
    let platform = Platform::on(Config::default());
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
