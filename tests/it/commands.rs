//! Whole commands, as a person runs them: the real binary against the sandbox, with a cleared
//! environment. What is printed is judged by what it says, not byte by byte.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A machine of its own: one state directory, no environment.
pub struct Machine(tempfile::TempDir);

/// What a run left behind.
pub struct Ran {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Machine {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stoker"));
        command.env_clear().stdin(Stdio::null()).current_dir(self.0.path());
        command.args(arguments.split_whitespace()).arg("--state").arg(self.0.path().join("state"));
        command
    }

    /// Where a file of its stands.
    pub fn place(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file where the commands are run.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    /// Returns where a file is.
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Reads a file a command has written.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    pub fn run(&self, arguments: &str) -> Ran {
        Ran::of(self.command(arguments))
    }

    /// Applies one service with a secret.
    pub fn with_api() -> Self {
        let machine = Self::new();
        machine.write_api();
        let ran = machine.run("apply api.yaml --sandbox -y");
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
        machine
    }

    pub fn write_api(&self) {
        let manifest = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {name: api}\n\
            spec:\n  type: web\n  image: nginx\n  envVars: [{key: STRIPE_KEY, value: canary}]\n";
        std::fs::write(self.0.path().join("api.yaml"), manifest).unwrap();
    }
}

impl Ran {
    pub fn of(mut command: Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        Self {
            exit: status.code().unwrap(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    #[track_caller]
    pub fn says(self, exit: i32, words: &[&str]) -> Self {
        let Self { exit: code, stdout, stderr } = &self;
        assert_eq!(*code, exit, "{stdout}{stderr}");
        for word in words {
            assert!(stdout.contains(word) || stderr.contains(word), "{word}:\n{stdout}{stderr}");
        }
        self
    }

    /// It ended with some other code than "all is well".
    #[track_caller]
    pub fn fails(self) {
        let Self { exit, stdout, stderr } = &self;
        assert_ne!(*exit, 0, "{stdout}{stderr}");
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

#[test]
fn get_and_describe_show_what_lives_and_what_is_ours_and_no_secret() {
    let machine = Machine::with_api();
    machine.run("get --sandbox").says(0, &["service/api", "created", "web"]);
    let listed = machine.run("get services --sandbox -o json").says(0, &[]).json();
    assert_eq!(listed["resources"][0]["owned"], "created");
    let shown =
        machine.run("describe service/api --sandbox").says(0, &["last applied", "(hidden)"]);
    assert!(!format!("{}{}", shown.stdout, shown.stderr).contains("canary"));
}

#[test]
fn a_name_that_is_not_there_is_met_with_the_nearest_one_that_is() {
    let machine = Machine::with_api();
    for command in ["get service/apii", "describe service/apii", "deployments service/apii"] {
        let ran = machine.run(&format!("{command} --sandbox"));
        ran.says(1, &["there is no service/apii", "did you mean service/api?"]);
    }
    let failed = machine.run("metrics service/apii --sandbox -o json").says(1, &[]).json();
    assert_eq!(failed["error"]["code"], "not_found");
}

#[test]
fn only_a_service_is_deployed() {
    let machine = Machine::new();
    machine.run("deploy database/main --sandbox").says(64, &["takes a service"]);
    machine.run("logs envgroup/main --sandbox").says(64, &["takes a service"]);
}

#[test]
fn a_deploy_in_progress_refuses_another_and_says_what_to_do() {
    let machine = Machine::with_api();
    machine.run("deploy service/api --sandbox").says(1, &["deploy_in_progress", "hint: wait"]);
}

#[test]
fn a_question_nobody_can_answer_ends_with_the_flag_that_does() {
    let machine = Machine::with_api();
    for command in ["rollback service/api", "doctor --probe"] {
        machine.run(&format!("{command} --sandbox")).says(64, &["--auto-approve"]);
    }
}

#[test]
fn waiting_ends_at_once_for_what_is_gone_and_with_six_when_the_time_is_up() {
    let machine = Machine::with_api();
    machine.run("wait service/web --for=delete --sandbox").says(0, &["service/web is gone"]);
    machine.run("wait service/api --timeout 1s --sandbox").says(6, &["--timeout"]);
}

#[test]
fn the_log_and_the_metrics_of_a_service_are_shown() {
    let machine = Machine::with_api();
    machine.run("logs service/api --sandbox").says(0, &["queued"]);
    let ran = machine.run("logs service/api --sandbox -o ndjson").says(0, &[]);
    let first: Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["message"], "queued");
    machine.run("metrics service/api --sandbox").says(0, &["cpu_percent", "MIN", "▁"]);
}

#[test]
fn doctor_finds_the_sandbox_well_and_a_missing_token_a_matter_of_permission() {
    let machine = Machine::new();
    let checks = machine.run("doctor --sandbox -o json").says(0, &[]).json();
    let is_failed = |check: &Value| check["outcome"] == "fail";
    assert!(!checks["checks"].as_array().unwrap().iter().any(is_failed));
    machine.run("doctor").says(3, &["there is none", "STACKBLAZE_TOKEN"]);
}

#[test]
fn a_probe_confirms_the_default_dialect_and_leaves_nothing_behind() {
    let machine = Machine::with_api();
    let found = machine.run("doctor --probe -y --sandbox -o json").says(0, &[]).json();
    for finding in found["probe"].as_array().unwrap() {
        assert_eq!(finding["verdict"], "confirmed", "{finding}");
    }
    let left = machine.run("get services --sandbox -o json").json();
    assert_eq!(left["resources"].as_array().unwrap().len(), 1);
    let after = machine.run("doctor --sandbox");
    assert!(!after.stdout.contains("pending create"), "{}", after.stdout);
}

#[test]
fn a_probe_whose_create_is_not_answered_is_neither_sent_again_nor_forgotten() {
    let (machine, mut sandbox, url) = served("lose-answer@POST /services");
    let ask = |arguments: &str| {
        let mut command = machine.command(arguments);
        command.env("STACKBLAZE_API_URL", &url).env("STACKBLAZE_TOKEN", "sb_live_emulator");
        let Output { status, stdout, .. } = command.output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap())
    };
    let (exit, stdout) = ask("doctor --probe -y -o json");
    let (_, live) = ask("get services -o json");
    let (_, checks) = ask("doctor");
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
    assert_eq!(exit, Some(4), "{stdout}");
    assert!(stdout.contains("left behind"), "{stdout}");
    assert_eq!(live.matches("stoker-probe-").count(), 2, "its name and its url: {live}");
    assert!(checks.contains("pending create"), "{checks}");
}

/// Serves a sandbox with faults on a free port, its state apart from the one that is tested.
pub fn served(faults: &str) -> (Machine, std::process::Child, String) {
    let machine = Machine::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_stoker"));
    command.env_clear().args(["sandbox", "--listen", "127.0.0.1:0", "--faults", faults]);
    command.arg("--state").arg(machine.0.path().join("server"));
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut sandbox = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(sandbox.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("export STACKBLAZE_API_URL=").unwrap().to_owned();
    (machine, sandbox, url)
}

#[test]
fn the_sandbox_is_served_to_this_machine_only_and_wrong_faults_are_explained() {
    let machine = Machine::new();
    machine.run("sandbox --listen 0.0.0.0:0").says(64, &["127.0.0.1"]);
    machine.run("sandbox --faults nonsense").says(64, &["docs/sandbox.md"]);
}

#[test]
fn the_program_tells_its_version_its_manual_and_its_completions() {
    let machine = Machine::new();
    machine.run("version").says(0, &["stoker 0."]);
    machine.run("man").says(0, &[".SH \"EXIT STATUS\"", "STACKBLAZE_TOKEN"]);
    machine.run("completions bash").says(0, &["_stoker"]);
}

#[test]
fn config_view_says_where_each_setting_comes_from() {
    let machine = Machine::new();
    std::fs::write(machine.0.path().join("stoker.yaml"), "rate: 100\ninterval: 1m\n").unwrap();
    let view = |arguments: &str| {
        let mut command = machine.command(arguments);
        command.env("STACKBLAZE_TOKEN", "sb_live_canary").env("STOKER_DEBOUNCE", "1s");
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { exit: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
    };
    let ran = view("config view --interval 2m");
    let line = |key: &str| ran.stdout.lines().find(|line| line.contains(key)).unwrap();
    assert!(line("interval").contains("2m") && line("interval").ends_with("--interval"));
    assert!(line("debounce").contains("STOKER_DEBOUNCE"));
    assert!(line(": rate ").contains("stoker.yaml:1"));
    assert!(line("deploysMax").contains("default"));
    assert!(line("token ").contains("the variable STACKBLAZE_TOKEN"));
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("canary"));
    let json = view("config view -o json").says(0, &[]).json();
    let settings = json["projects"][0]["settings"].as_array().unwrap();
    let rate = settings.iter().find(|row| row["key"] == "rate").unwrap();
    assert_eq!(rate["value"], "100/m");
    assert_eq!(rate["source"]["file"], "stoker.yaml");
    assert_eq!(rate["source"]["line"], 1);
    let value = |key: &str| settings.iter().find(|row| row["key"] == key).unwrap()["value"].clone();
    assert_eq!((value("observe"), value("deploysMax")), (false.into(), 3.into()));
}

#[test]
fn a_wrong_settings_file_ends_every_command_that_could_heed_it_with_its_line() {
    let machine = Machine::new();
    std::fs::write(machine.0.path().join("stoker.yaml"), "intervall: 1m\n").unwrap();
    let ran = machine.run("validate");
    ran.says(64, &["stoker.yaml:1:1", "did you mean `interval`?", "docs/settings.md"]);
    let failed = machine.run("validate -o json").says(64, &[]).json();
    assert_eq!(failed["error"]["code"], "usage");
    assert_eq!(failed["diagnostics"][0]["code"], "unknown-key");
    std::fs::remove_file(machine.0.path().join("stoker.yaml")).unwrap();
    let schema = machine.run("config schema").says(0, &["Stoker settings"]).json();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
}

#[test]
fn a_change_whose_deploy_did_not_leave_is_shown_until_it_is_deployed() {
    let machine = Machine::with_api();
    let file = machine.0.path().join("api.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("nginx", "nginx:2")).unwrap();
    let asked = "--sandbox --dialect deploy_after_patch=true";
    let plan = machine.run(&format!("plan api.yaml {asked} -o json")).says(0, &[]).json();
    let requests = ["reads", "writes"].map(|part| plan["cost"][part].as_u64().unwrap());
    let but_one = requests.iter().sum::<u64>() - 1;
    // The budget is gone when the deploy would leave.
    machine.run(&format!("apply api.yaml -y {asked} --max-calls {but_one}")).says(6, &[]);
    let owed = "service/api will be updated (its last change was never deployed)";
    machine.run(&format!("plan api.yaml {asked}")).says(0, &[owed, "restarts", "1 write"]);
    let plan = machine.run(&format!("plan api.yaml {asked} -o json")).json();
    assert_eq!(plan["changes"][0]["reason"], "deploy_owed");
    assert_eq!(plan["changes"][0]["fields"], serde_json::json!([]));
    machine.run(&format!("drift api.yaml {asked}")).says(0, &["No drift."]);
}

#[test]
fn what_cannot_work_says_in_a_whole_sentence_what_failed() {
    let machine = Machine::new();
    machine.run("plan --sandbox --rate 0/m").says(64, &["error: a rate of 0/m", "--rate"]);
    machine.run("plan --sandbox --rate 1/m").says(64, &["error: a rate of 1/m", "2/m"]);
    let asked = |url: &str, token: &str| {
        let mut command = machine.command("get");
        command.env("STACKBLAZE_API_URL", url).env("STACKBLAZE_TOKEN", token);
        Ran::of(command)
    };
    let local = "http://127.0.0.1:1/v1";
    asked("http://example.com/v1", "t").says(64, &["error: failed to use the API URL: http"]);
    asked(local, "a b").says(3, &["error: failed to use the API token: it", "STACKBLAZE_TOKEN"]);
    let ran = asked(local, "sb_live_a").says(1, &["the listing of services is incomplete"]);
    assert!(
        !ran.stderr.contains("There are no resources"),
        "not seen is not absent: {}",
        ran.stderr
    );
    machine
        .run("plan --sandbox --dialect env_patch=some")
        .says(64, &["error: failed to set the dialect: env_patch", "--dialect env_patch=some"]);
}

#[test]
fn what_was_not_seen_is_neither_drift_nor_no_changes() {
    for (fault, exit, why) in [
        ("rename-key@GET /services#3+", 1, "the listing of services is incomplete"),
        ("fail:403@GET /services#3+", 3, "this token may not list services"),
    ] {
        let (machine, mut sandbox, url) = served(fault);
        machine.write_api();
        let ask = |arguments: &str| {
            let mut command = machine.command(arguments);
            command.env("STACKBLAZE_API_URL", &url).env("STACKBLAZE_TOKEN", "sb_live_emulator");
            Ran::of(command)
        };
        ask("apply api.yaml -y").says(0, &["1 done"]);
        for command in ["drift", "drift --detailed-exitcode", "plan", "plan --detailed-exitcode"] {
            let ran = ask(&format!("{command} api.yaml")).says(exit, &["warning: ", why]);
            assert!(!ran.stdout.contains("gone from the platform"), "{command}: {}", ran.stdout);
            assert!(!ran.stdout.contains("No drift"), "{command}: {}", ran.stdout);
        }
        let drift = ask("drift api.yaml -o json").says(exit, &[]).json();
        assert_eq!(drift["changes"], serde_json::json!([]));
        ask("apply api.yaml -y").says(5, &["warning: ", why]);
        sandbox.kill().unwrap();
        sandbox.wait().unwrap();
    }
}

#[test]
fn an_error_asked_for_line_by_line_is_one_line() {
    let machine = Machine::new();
    for wrong in ["describe service/nope --sandbox", "plan nope", "plan --nope"] {
        let ran = machine.run(&format!("{wrong} -o ndjson"));
        let first = ran.stdout.lines().next().unwrap();
        assert!(
            serde_json::from_str::<Value>(first).unwrap()["error"]["code"].is_string(),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn output_that_a_full_disk_takes_no_more_of_is_a_failure_and_a_closed_pipe_is_none() {
    let machine = Machine::new();
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    for (command, exit) in [("schema", 1), ("version", 1), ("get service/nope -o json", 3)] {
        let ran = Ran::of({
            let mut command = machine.command(command);
            command.stdout(full());
            command
        });
        ran.says(exit, &["error: failed to write the output: "]);
    }
    let mut child = machine.command("schema").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_simulation_needs_no_secret_and_says_what_it_is_and_which_laws_held() {
    let machine = Machine::new();
    let manifest = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {name: api}\n\
        spec:\n  type: web\n  image: nginx\n  envVars:\n\
        \x20   - {key: A_KEY, valueFrom: {env: NOWHERE}}\n\
        \x20   - {key: A_FILE, valueFrom: {file: nowhere.pem}}\n\
        \x20   - {key: A_VALUE, valueFrom: {provider: nobody, ref: a/b}}\n\
        \x20   - {key: ANOTHER, valueFrom: {sops: nowhere.enc.yaml, path: a.b}}\n";
    std::fs::write(machine.0.path().join("api.yaml"), manifest).unwrap();
    let ran = machine.run("simulate api.yaml --days 1 --seed 3 --faults api,crashes");
    let ran = ran.says(0, &["hold for Stoker's model", "Every law that was at risk held"]);
    assert!(ran.stdout.starts_with("This is a simulation"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "1 of 1 seeds\n", "nothing of what the simulated agents log");
    let same = machine.run("simulate api.yaml --days 1 --seed 3 --faults api,crashes -o json");
    let report = same.says(0, &[]).json();
    assert_eq!(report["laws"].as_array().unwrap().len(), 16);
    assert_eq!(report["broken"], serde_json::json!([]));
    assert!(report["laws"][11]["atRisk"].as_u64().unwrap() > 0, "{report:#}");
    machine.run("simulate api.yaml --faults weather").says(64, &["not one of api, crashes"]);
    machine.run("simulate nowhere.yaml").says(65, &[]);
}

/// Secrets that nobody called so: in a repository's URL, in a command, of a known form.
const UNSAID: &str = "apiVersion: stackblaze.cloud/v1
kind: Service
metadata: {name: api}
spec:
  type: web
  runtime: node
  repo: https://oauth2:CANARYrepo@git.dev/acme/shop
  startCommand: ./run --password=CANARYcommand --port=80
  envVars:
  - {key: OPTIONS, value: ghp_CANARYtokenCANARYtokenCANARYtoken}
  - {key: API_PASSWORD, value: CANARYplain}
  - {key: LICENCE, sync: false}
  - {key: LOG_LEVEL, value: info}
";

#[test]
fn no_command_shows_what_looks_like_a_secret() {
    let machine = Machine::new();
    machine.write("api.yaml", UNSAID);
    let mut said = String::new();
    let mut hear = |arguments: &str, exit: i32| {
        let Ran { exit: ended, stdout, stderr } = machine.run(arguments);
        assert_eq!(ended, exit, "{arguments}: {stdout} {stderr}");
        assert!(!stdout.contains("CANARY"), "{arguments}: {stdout}");
        assert!(!stderr.contains("CANARY"), "{arguments}: {stderr}");
        said = stdout;
    };
    for form in ["text", "json", "ndjson", "markdown"] {
        hear(&format!("plan api.yaml --sandbox -o {form}"), 0);
    }
    hear("plan api.yaml --sandbox --out plan.json", 0);
    assert!(!machine.read("plan.json").contains("CANARY"));
    hear("apply api.yaml --sandbox -y", 0);
    set_by_hand(&machine, "LICENCE", "CANARYbyhand");
    for command in
        ["describe service/api --sandbox --live", "export --sandbox", "why service/api api.yaml"]
    {
        for form in ["text", "json"] {
            hear(&format!("{command} -o {form}"), 0);
        }
    }
    for file in std::fs::read_dir(machine.0.path().join("state")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read(&path).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&text).contains("CANARY"), "{}", path.display());
    }
    hear("plan api.yaml --sandbox --detailed-exitcode", 0);
    for command in ["render api.yaml", "convert api.yaml"] {
        for form in ["text", "json"] {
            hear(&format!("{command} -o {form}"), 0);
        }
    }
    assert!(said.contains("LOG_LEVEL") && said.contains("API_PASSWORD"), "{said}");
}

/// A person sets a variable at the console of the sandbox.
pub fn set_by_hand(machine: &Machine, key: &str, value: &str) {
    let world = "state/sandbox/world.json";
    let saved: serde_json::Value = serde_json::from_str(&machine.read(world)).unwrap();
    let clock = stoker::sandbox::emulator_clock(&stoker::clock::Clock::system());
    let emulator = stoker::emulator::Emulator::restore(&saved, clock).unwrap();
    let kind = stoker::emulator::Kind::Service;
    let id = emulator.ids(kind, "api").remove(0);
    let (key, value) = (key.to_owned(), Some(value.to_owned()));
    emulator.act(&stoker::emulator::Act::SetVariable { kind, id, key, value }).unwrap();
    machine.write(world, &emulator.save().to_string());
}

#[test]
fn what_is_said_of_the_program_alone_needs_no_usable_settings() {
    let machine = Machine::new();
    machine.write("stoker.yaml", "projects: [\n");
    machine.run("validate").says(64, &["stoker.yaml:2:1", "the settings cannot be used"]);
    for call in [
        "version",
        "man",
        "completions bash",
        "schema",
        "explain service.spec.plan",
        "config schema",
    ] {
        assert_eq!(machine.run(call).exit, 0, "{call}");
    }
}
