//! `--timeout` over real sockets: whatever hangs or drips, every command ends in time and says why.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use stoker::emulator::{EmulatorConfig, Faults};

use crate::commands::{Machine, served};
use crate::faults::{Scene, is_as};
use crate::laws;
use crate::stage::pruning;

/// The time every run is given, in seconds.
const TIMEOUT: u64 = 1;

/// How much later a run may end: a process has to begin and to end, beside a score of others.
const LATE_MAX: Duration = Duration::from_secs(5);

/// Every command that takes `--timeout` and asks the platform first.
const COMMANDS: [&str; 22] = [
    "plan api.yaml",
    "plan api.yaml --detailed-exitcode",
    "plan api.yaml -o json",
    "apply api.yaml -y",
    "apply api.yaml -y --no-wait",
    "drift api.yaml",
    "drift api.yaml --detailed-exitcode",
    "destroy --confirm acme",
    "export",
    "adopt service/api",
    "get --live",
    "describe service/api --live",
    "wait service/api --live",
    "wait service/api --for=delete",
    "deploy service/api",
    "rollback service/api -y",
    "deployments service/api",
    "logs service/api",
    "logs -f service/api",
    "metrics service/api",
    "doctor",
    "run api.yaml --once",
];

/// Commands that ask a running agent.
const ASK_THE_AGENT: [&str; 4] =
    ["get", "describe service/api", "wait service/api", "reconcile --wait"];

/// Accepts every connection, reads what comes and answers as a thread each.
fn listen(answer: impl Fn(&mut std::net::TcpStream) + Send + Clone + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    thread::spawn(move || {
        for peer in listener.incoming() {
            let (mut peer, answer) = (peer.unwrap(), answer.clone());
            thread::spawn(move || {
                let _ = peer.read(&mut [0; 4096]);
                answer(&mut peer);
            });
        }
    });
    url
}

/// A server that accepts and never answers.
#[expect(clippy::disallowed_methods, reason = "the server of a test has no clock to wait with")]
fn silent() -> String {
    listen(|_| thread::sleep(Duration::from_secs(600)))
}

/// A server that answers at once, and then sends a byte a second.
#[expect(clippy::disallowed_methods, reason = "the server of a test has no clock to wait with")]
fn dripping() -> String {
    listen(|peer| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n";
        let mut sent = peer.write_all(format!("{head}\r\n{{").as_bytes());
        while sent.is_ok() {
            thread::sleep(Duration::from_secs(1));
            sent = peer.write_all(b" ");
        }
    })
}

fn asking(machine: &Machine, arguments: &str, url: &str) -> Command {
    let mut command = machine.command(arguments);
    command.args(["--timeout", &format!("{TIMEOUT}s")]);
    command.env("STACKBLAZE_API_URL", url).env("STACKBLAZE_TOKEN", "sb_live_emulator");
    command
}

/// Runs a command and checks that it ends in time, with the deadline's exit code and word.
#[track_caller]
fn ends_in_time(machine: &Machine, arguments: &str, url: &str) -> String {
    let began = tokio::time::Instant::now();
    let Output { status, stdout, stderr } = asking(machine, arguments, url).output().unwrap();
    let took = began.elapsed();
    let said = String::from_utf8([stdout, stderr].concat()).unwrap();
    assert_eq!(status.code(), Some(6), "`{arguments}`: {said}");
    let most = Duration::from_secs(TIMEOUT) + LATE_MAX;
    assert!(took < most, "`{arguments}` took {took:?}: {said}");
    said
}

fn all_end_in_time(url: &str) {
    thread::scope(|scope| {
        for arguments in COMMANDS {
            scope.spawn(move || {
                let machine = Machine::new();
                machine.write_api();
                let said = ends_in_time(&machine, arguments, url);
                assert!(said.contains("deadline"), "`{arguments}`: {said}");
            });
        }
    });
}

#[test]
fn a_server_that_never_answers_ends_no_command_later_than_its_deadline() {
    all_end_in_time(&silent());
}

#[test]
fn a_server_that_drips_a_byte_a_second_ends_no_command_later_than_its_deadline() {
    all_end_in_time(&dripping());
}

#[test]
fn an_agent_that_never_answers_ends_no_command_later_than_its_deadline() {
    let machine = Machine::new();
    let state = machine.path("state");
    std::fs::create_dir(&state).unwrap();
    let socket = UnixListener::bind(state.join("agent.sock")).unwrap();
    // The system accepts for it; nobody ever reads.
    for arguments in ASK_THE_AGENT {
        ends_in_time(&machine, arguments, "http://127.0.0.1:9/v1");
    }
    drop(socket);
}

/// How long a run in memory may take, in seconds.
const SECONDS: u64 = 20;

/// Every request of a run hangs once, is answered to nobody, or happens after the deadline.
async fn a_deadline_at_every_request_is_like_a_death(scene: &Scene) {
    let reference = scene.reference().await;
    for fault in ["hang", "lose-answer", "apply-late:30000"] {
        for number in 1..=reference.requests {
            let context = format!("{fault} at request {number}");
            let mut stage = scene.stage().await;
            stage.emulator.play(Faults::parse(&format!("{fault}@* /**#{number}")).unwrap());
            let began = stage.clock.now();
            stage.deadline = Some(began + Duration::from_secs(SECONDS));
            if let Ok((plan, report)) = stage.try_apply(&scene.tree, &pruning()).await {
                laws::the_report_is_honest(&plan, &report, &context);
            }
            let took = stage.clock.now().duration_since(began);
            assert!(took.as_secs() <= SECONDS as i64, "{context}: {took}");
            (stage.deadline, _) = (None, stage.emulator.play(Faults::default()));
            laws::it_settles(&stage, &scene.tree, &pruning(), &context).await;
            is_as(&stage, &reference, &context);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_at_every_request_of_a_creation_is_kept_and_makes_nothing_twice() {
    a_deadline_at_every_request_is_like_a_death(&Scene::creating(EmulatorConfig::default())).await;
}

#[tokio::test(start_paused = true)]
async fn a_deadline_at_every_request_of_a_change_is_kept_and_does_nothing_twice() {
    a_deadline_at_every_request_is_like_a_death(&Scene::changing(EmulatorConfig::default())).await;
}

/// What hangs only once the plan is being carried out, and what the report says of it.
#[test]
fn whatever_hangs_under_an_apply_it_ends_at_the_deadline_and_says_what_is_open() {
    for (fault, opens) in [
        ("hang@GET /services#2+", "failed"),
        ("drip@GET /services#2+", "failed"),
        ("hang@POST /services", "unresolved"),
        ("lose-answer@POST /services", "unresolved"),
        ("drip@POST /services", "unresolved"),
    ] {
        let (machine, mut sandbox, url) = served(fault);
        machine.write_api();
        // What was planned once is known; the deadline is long enough to get to the fault.
        let said = ends_in_time(&machine, "apply api.yaml -y --no-wait", &url);
        assert!(said.contains(opens), "{fault}: {said}");
        assert!(said.contains("deadline"), "{fault}: {said}");
        let mut doctor = machine.command("doctor --timeout 1s");
        doctor.env("STACKBLAZE_API_URL", &url).env("STACKBLAZE_TOKEN", "sb_live_emulator");
        let checks = String::from_utf8(doctor.output().unwrap().stdout).unwrap();
        sandbox.kill().unwrap();
        sandbox.wait().unwrap();
        let is_open = checks.contains("pending create");
        assert_eq!(is_open, opens == "unresolved", "{fault}: the intent stays (S3): {checks}");
    }
}
