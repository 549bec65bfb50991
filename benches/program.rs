//! The program as it is shipped, before an emulator on a socket: `cargo bench --bench program`.
//!
//! CPU and peak of `stoker plan` (B17) and how they grow (B18), the start (B20), the size (B21).
//! GNU time measures (`/usr/bin/time`). `-- --size=100000` takes one size, some minutes for that
//! one; `-- --instructions` counts instructions with valgrind instead, which no load disturbs;
//! `-- --layers` compares three environments of overlays with three that say the same without.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]
#![expect(clippy::unwrap_used, reason = "a benchmark that fails says where")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time and runs programs")]

#[path = "../tests/it/stage.rs"]
#[expect(dead_code, reason = "shared with the tests, which use more of it")]
mod stage;
#[path = "support/workload.rs"]
mod workload;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use stage::Stage;
use stoker::clock::Clock;
use stoker::emulator::{self, Emulator, EmulatorConfig, Fields, Paging, Shapes, serve};
use stoker::manifest;
use stoker::plan::Policy;
use stoker::sandbox::emulator_clock;
use stoker::source::Tree;
use workload::Workload;

const PROGRAM: &str = env!("CARGO_BIN_EXE_stoker");

/// How many documents a stack has, unless a size is asked for.
const SIZES: [usize; 2] = [1_000, 10_000];

/// How often each run is measured; the middle one counts.
const ROUNDS: usize = 7;

/// Beyond this size whole documents would pass the limit of 10 MB.
const WHOLE_SIZE_MAX: usize = 20_000;

/// Beyond this size the budget lets a plan take minutes, so it is measured once.
const ROUNDS_SIZE_MAX: usize = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let size = arguments.iter().find_map(|word| word.strip_prefix("--size=")?.parse().ok());
    let sizes = size.map_or_else(|| SIZES.to_vec(), |size: usize| vec![size]);
    let counts_instructions = arguments.iter().any(|word| word == "--instructions");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if arguments.iter().any(|word| word == "--layers") {
        layers(&runtime);
        return;
    }
    if size.is_none() && !counts_instructions {
        start(&runtime);
    }
    let unit = if counts_instructions { "instructions" } else { "CPU | peak" };
    println!("| documents | requests | {unit} |");
    println!("|---:|---:|---:|{}", if counts_instructions { "" } else { "---:|" });
    for size in sizes {
        let bench = Bench::new(&runtime, size);
        let requests = bench.adopt();
        let measured =
            if counts_instructions { bench.instructions() } else { bench.cpu_and_peak() };
        println!("| {size} | {requests} | {measured} |");
    }
}

/// What three environments of 1,000 documents cost with overlays, and written out without.
fn layers(runtime: &tokio::runtime::Runtime) {
    let named = "metadata: { name: service-";
    let labelled = "metadata: { labels: { part: shop }, name: service-";
    let below = Workload::of(1_000).text().replace(named, labelled);
    println!("| environment | with overlays | without |");
    println!("|---|---:|---:|");
    let mut totals = [Duration::ZERO; 2];
    for environment in ["dev", "staging", "prod"] {
        let over = overlay(environment);
        let layer = Tree::from_texts([("over.yaml", over.as_str())]);
        let tree = Tree::from_texts([("base.yaml", below.as_str())]);
        let tree = tree.with_overlays(vec![("over.yaml".to_owned(), layer)]).unwrap();
        let whole = manifest::print(&manifest::load(&tree).desired.unwrap());
        let files = [("base.yaml", below.as_str()), ("over.yaml", over.as_str())];
        let sources = "base.yaml --overlay over.yaml";
        let benches = [
            Bench::of(runtime, 1_000, &whole, &files, sources),
            Bench::of(runtime, 1_000, &whole, &[("all.yaml", whole.as_str())], "all.yaml"),
        ];
        let times = benches.map(|bench| {
            bench.adopt();
            bench.measured().0
        });
        println!("| {environment} | {:.0} ms | {:.0} ms |", millis(times[0]), millis(times[1]));
        totals.iter_mut().zip(times).for_each(|(total, time)| *total += time);
    }
    let ratio = totals[0].as_secs_f64() / totals[1].as_secs_f64();
    println!(
        "| all, {ratio:.2} times | {:.0} ms | {:.0} ms |",
        millis(totals[0]),
        millis(totals[1])
    );
}

/// Returns an overlay that gives each service a variable, and one in four another size.
fn overlay(environment: &str) -> String {
    let head = "apiVersion: stackblaze.cloud/v1\nkind: Service\n";
    let mut text = format!(
        "{head}select: {{ part: shop }}\nspec: {{ envVars: [{{ key: STAGE, value: {environment} }}] }}\n"
    );
    for index in (0..Workload::of(1_000).services).step_by(4) {
        text.push_str(&format!(
            "---\n{head}metadata: {{ name: service-{index} }}\nspec:\n  plan: {environment}\n  \
             scaling: {{ maxInstances: 8 }}\n"
        ));
    }
    text
}

/// B20 and B21: what it takes to begin.
fn start(runtime: &tokio::runtime::Runtime) {
    let size = std::fs::metadata(PROGRAM).unwrap().len();
    println!("| size of the program | {:.1} MB |", size as f64 / 1e6);
    println!("|---|---:|");
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..3 * ROUNDS {
        let began = Instant::now();
        assert!(Command::new(PROGRAM).arg("version").output().unwrap().status.success());
        times.push(began.elapsed());
    }
    println!("| `stoker version` | {:.1} ms |", millis(median(times)));
    let bench = Bench::new(runtime, 10);
    let mut times = Vec::new();
    for _ in 0..3 * ROUNDS {
        let seen = bench.emulator.record().requests().count();
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        bench.run(&mut bench.command("plan"));
        let record = bench.emulator.record();
        let (at, _) = record.requests().nth(seen).unwrap();
        times.push(Duration::from_millis(at).saturating_sub(began));
    }
    println!("| start to first request, 10 documents | {:.0} ms |\n", millis(median(times)));
}

/// A platform on which a stack lives, and a state directory that owns it.
struct Bench {
    emulator: Emulator,
    address: String,
    directory: tempfile::TempDir,
    size: usize,
    /// What a command is told of the manifests.
    sources: &'static str,
}

impl Bench {
    fn new(runtime: &tokio::runtime::Runtime, size: usize) -> Self {
        let text = if size > WHOLE_SIZE_MAX { short(size) } else { Workload::of(size).text() };
        Self::of(runtime, size, &text, &[("all.yaml", text.as_str())], "all.yaml")
    }

    /// Makes one on which `whole` lives, planned from files that say the same.
    fn of(
        runtime: &tokio::runtime::Runtime,
        size: usize,
        whole: &str,
        files: &[(&str, &str)],
        sources: &'static str,
    ) -> Self {
        let emulator =
            Emulator::restore(&applied(whole), emulator_clock(&Clock::system())).unwrap();
        emulator.reconfigure(|config| config.limit = u32::MAX);
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        runtime.spawn(serve(emulator.clone(), listener, std::future::pending()));
        let shared = Path::new("/dev/shm");
        let directory =
            if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() };
        let directory = directory.unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        Self { emulator, address, directory, size, sources }
    }

    fn command(&self, command: &str) -> Command {
        self.wrapped(Command::new(PROGRAM), command)
    }

    fn wrapped(&self, mut program: Command, command: &str) -> Command {
        let directory = self.directory.path();
        program.env_clear().current_dir(directory).stdin(Stdio::null());
        program.env("STACKBLAZE_API_URL", format!("http://{}/v1", self.address));
        program.env("STACKBLAZE_TOKEN", emulator::TOKEN);
        program.args(command.split(' ')).args(self.sources.split(' '));
        program.args(["--rate", "300/m", "--state"]);
        program.arg(directory.join("state"));
        program
    }

    /// Runs with a budget that nobody has used yet.
    fn run(&self, command: &mut Command) -> Output {
        for file in std::fs::read_dir(self.directory.path().join("state")).into_iter().flatten() {
            let file = file.unwrap();
            if file.file_name().to_string_lossy().starts_with("budget-") {
                std::fs::remove_file(file.path()).unwrap();
            }
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Makes the stack ours, so that a plan compares it; returns the requests a plan takes.
    fn adopt(&self) -> usize {
        self.run(&mut self.command("apply -y"));
        let before = self.emulator.record().requests().count();
        let plan = self.run(&mut self.command("plan"));
        assert!(plan.stdout.starts_with(b"No changes."), "the stack was adopted");
        self.emulator.record().requests().count() - before
    }

    fn cpu_and_peak(&self) -> String {
        let (time, peak) = self.measured();
        format!("{:.2} s | {peak:.0} MiB", time.as_secs_f64())
    }

    /// Returns the CPU of a plan and its peak in MiB, each the median.
    fn measured(&self) -> (Duration, f64) {
        let rounds = if self.size > ROUNDS_SIZE_MAX { 1 } else { ROUNDS };
        let (mut times, mut peaks) = (Vec::new(), Vec::new());
        let report = self.directory.path().join("time");
        for _ in 0..rounds {
            let mut time = Command::new("/usr/bin/time");
            time.args(["-f", "%U %S %M", "-o"]).arg(&report).arg(PROGRAM);
            self.run(&mut self.wrapped(time, "plan"));
            let text = std::fs::read_to_string(&report).unwrap();
            let numbers: Vec<f64> = text.split_whitespace().map(|it| it.parse().unwrap()).collect();
            times.push(Duration::from_secs_f64(numbers[0] + numbers[1]));
            peaks.push(numbers[2] / 1024.0);
        }
        peaks.sort_by(f64::total_cmp);
        (median(times), peaks[peaks.len() / 2])
    }

    fn instructions(&self) -> String {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", PROGRAM]);
        // It finds its own parts by the path it was called with.
        let mut command = self.wrapped(valgrind, "plan");
        command.env("PATH", std::env::var_os("PATH").unwrap());
        let output = self.run(&mut command);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let count =
            told.split("Collected : ").nth(1).and_then(|rest| rest.split_whitespace().next());
        count.unwrap_or("not counted").to_owned()
    }
}

/// Returns services as short as a Blueprint allows, in documents of 10,000.
fn short(services: usize) -> String {
    let mut text = String::new();
    for index in 0..services {
        if index % 10_000 == 0 {
            text.push_str("---\nservices:\n");
        }
        text.push_str(&format!("- {{ name: service-{index}, image: nginx }}\n"));
    }
    text
}

/// Returns the world in which a stack was applied, on a clock on which nothing takes time.
fn applied(text: &str) -> serde_json::Value {
    let tree = Tree::from_texts([("all.yaml", text)]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let stage = Stage::on(EmulatorConfig {
            list_fields: Shapes::every(Fields::All),
            paging: Paging { size: 100, size_max: 100, per_page: true },
            ..EmulatorConfig::default()
        });
        stage.apply(&tree, &Policy::default()).await;
        stage.emulator.save()
    })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
