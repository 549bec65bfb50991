//! The real program at rest: `stoker run` with many projects, before an emulator in another process
//! (performance, B14 and B22).
//!
//! Every project has a hundred resources, which live already and are known to be its own; all of
//! them are the same hundred, so that the platform is small and the agent is not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stoker::api::{Endpoint, Token};
use stoker::emulator::{Access, Emulator, EmulatorConfig, serve};
use stoker::plan::Policy;
use stoker::project::{BudgetPlace, ProjectParts};
use stoker::sandbox::emulator_clock;
use tokio::net::TcpListener;

use crate::project::{platform, stage, tree};
use crate::saves::write_all;
use crate::stage::Stage;
use crate::usage::{Meter, Used, resident_mib, thread_count};

pub const HEAD: &str = "`stoker run` at rest, a look a minute.\n\n\
     | projects | resources each | resident | threads | share of a core | CPU a look | wake-ups a second |";

/// How long it rests while it is measured; longer where there is more to settle.
const REST: Duration = Duration::from_secs(60);

/// How often the threads are read meanwhile.
const READ_EVERY: Duration = Duration::from_secs(1);

/// How long all projects may take to make their first pass.
const PATIENCE: Duration = Duration::from_secs(300);

/// How many projects and resources a row has; the first is one large project.
const fn scale(row: usize) -> (usize, usize) {
    match row {
        0 => (1, 1_000),
        200 => (200, 50),
        projects => (projects, 100),
    }
}

pub fn row(row: usize) {
    let (projects, resources) = scale(row);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async move {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        let platform = settled(directory.path(), &address, projects, resources).await;
        write_settings(directory.path(), &address, projects);
        tokio::spawn(serve(platform.clone(), listener, std::future::pending()));
        let agent = Agent::start(directory.path());
        let process = agent.0.id();
        wait_for_looks(&platform, projects).await;
        // What the first passes needed for a moment goes back, and threads without work end.
        tokio::time::sleep(Duration::from_secs(15)).await;
        let before = looks(&platform);
        let used = rest(process).await;
        let looked = looks(&platform) - before;
        let wake_ups = used.wake_ups as f64 / REST.as_secs_f64();
        let share = 100.0 * used.cpu.as_secs_f64() / REST.as_secs_f64();
        println!(
            "| {projects} | {resources} | {:.1} MiB | {} | {share:.3} % | {:.2} ms | {wake_ups:.1} |",
            resident_mib(process),
            thread_count(process),
            1_000.0 * used.cpu.as_secs_f64() / looked.max(1) as f64,
        );
    });
}

/// Counts what a process uses while nothing happens.
async fn rest(process: u32) -> Used {
    let (mut meter, start) = (Meter::of(process), Instant::now());
    while start.elapsed() < REST {
        tokio::time::sleep(READ_EVERY).await;
        meter.read();
    }
    meter.read()
}

/// The program, ended when it is dropped.
struct Agent(Child);

impl Agent {
    fn start(directory: &Path) -> Self {
        let log = fs::File::create(directory.join("log")).unwrap();
        let child = Command::new(program())
            .args(["run", "--config", "stoker.yaml", "--state", "state"])
            .current_dir(directory)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself; then its log says why.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the program that is measured: this build's, or the one of `--program=PATH`, to compare.
fn program() -> String {
    let mut words = std::env::args();
    let given = words.find_map(|word| word.strip_prefix("--program=").map(str::to_owned));
    given.unwrap_or_else(|| env!("CARGO_BIN_EXE_stoker").to_owned())
}

fn name(project: usize) -> String {
    format!("p{project:04}")
}

fn token(project: usize) -> String {
    format!("sb_live_{}", name(project))
}

/// Makes a platform on which everything is as declared, and for each project a state directory
/// that knows it.
async fn settled(directory: &Path, address: &str, projects: usize, resources: usize) -> Emulator {
    let tokens = (0..projects).map(|project| {
        let access = Access { holder: name(project), ..Access::default() };
        (token(project), access)
    });
    let tokens: BTreeMap<String, Access> = tokens.collect();
    let clock = stoker::clock::Clock::system();
    let config = EmulatorConfig { tokens, limit: 300, ..platform() };
    let emulator = Emulator::new(config, emulator_clock(&clock));
    emulator.reconfigure(|config| config.limit = 1_000_000);
    let mut stage = Stage { emulator: emulator.clone(), clock, ..stage() };
    stage.transport = Arc::new(stoker::sandbox::SandboxTransport::new(emulator.clone()));
    let parts = ProjectParts::new(
        Endpoint::parse(address).unwrap(),
        Token::parse(&token(0)).unwrap(),
        Arc::clone(&stage.transport),
        stage.directory.path().into(),
    );
    let budget = BudgetPlace::Opened(Arc::clone(&stage.ledger));
    let project = ProjectParts { budget, clock: stage.clock.clone(), ..parts }.open().unwrap();
    let desired = stage.desired(&tree(resources));
    let planned = project.plan(desired, &Policy::default()).await.unwrap();
    stage.carry_out(&project, &planned).await;
    emulator.reconfigure(|config| config.limit = 300);
    for project in 0..projects {
        let state = directory.join("state/projects").join(name(project));
        fs::create_dir_all(&state).unwrap();
        for file in fs::read_dir(stage.directory.path()).unwrap().flatten() {
            fs::copy(file.path(), state.join(file.file_name())).unwrap();
        }
    }
    write_all(&directory.join("manifests"), resources);
    emulator
}

fn write_settings(directory: &Path, address: &str, projects: usize) {
    let mut text = format!("apiUrl: {address}\nlisten: 127.0.0.1:0\ninterval: 60s\nprojects:\n");
    for project in 0..projects {
        let file: PathBuf = directory.join(format!("{}.token", name(project)));
        fs::write(&file, token(project)).unwrap();
        let paths = directory.join("manifests");
        text += &format!(
            "  - {{ name: {}, tokenFile: {}, paths: [{}] }}\n",
            name(project),
            file.display(),
            paths.display()
        );
    }
    fs::write(directory.join("stoker.yaml"), text).unwrap();
}

/// Returns how many looks there were at the platform: each asks for the project once.
fn looks(platform: &Emulator) -> usize {
    let record = platform.record();
    record.requests().filter(|(_, asked)| asked.path == "/project").count()
}

async fn wait_for_looks(platform: &Emulator, projects: usize) {
    let start = Instant::now();
    while looks(platform) < projects {
        assert!(start.elapsed() < PATIENCE, "not every project has looked");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
