//! A machine of its own for one test, and agents on it.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use stoker::clock::Clock;
use stoker::emulator::{Act, Durations, Emulator, EmulatorConfig, Kind, TOKEN};
use stoker::sandbox::emulator_clock;
use stoker::status::{ConditionType, ProjectStatus};

pub use crate::remote::Ran;

/// How long anything may take: the machine may be busy with other tests, and much slower than ours.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The time between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(30);

/// Where git and ssh-keygen are looked for: nothing else of the environment reaches a process here.
pub const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A directory that is a machine: manifests, settings and state, and no environment.
pub struct Machine {
    directory: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Machine {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(1).enable_all().build().unwrap();
        // The library installs it when the program starts; a test has no such moment.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { directory: tempfile::tempdir().unwrap(), runtime, client }
    }

    /// A machine with these manifests in `manifests/`, and a sandbox that is prepared.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let machine = Self::new();
        machine.prepare("state");
        for (name, text) in files {
            machine.write(&format!("manifests/{name}"), text);
        }
        machine
    }

    /// Prepares the sandbox of a state directory: deployments take no time worth waiting for, and a
    /// test that looks at the platform again and again is not refused. The agent keeps within its
    /// own budget all the same.
    pub fn prepare(&self, state: &str) {
        self.prepare_with(state, &[]);
    }

    /// The same with these services, by hand, an hour ago: what the agent made itself a moment ago
    /// may be unknown to a replica, so that it waits before it calls it gone.
    pub fn prepare_with(&self, state: &str, services: &[&str]) {
        let durations = Durations {
            queued_ms: 50,
            building_ms: 200,
            deploying_ms: 50,
            database_ms: 200,
            ..Durations::default()
        };
        let config = EmulatorConfig { durations, limit: 1_000_000, ..EmulatorConfig::default() };
        let an_hour_ago = now().checked_sub(SignedDuration::from_hours(1)).unwrap();
        let world = Emulator::new(config, emulator_clock(&Clock::starting_at(an_hour_ago)));
        for name in services {
            let body =
                json!({ "name": name, "type": "web_service", "image": "nginx", "port": 8080 });
            world.act(&Act::Create { kind: Kind::Service, body }).unwrap();
        }
        self.write(&format!("{state}/sandbox/world.json"), &world.save().to_string());
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes a file as editors do: beside it, then over it.
    pub fn replace(&self, name: &str, text: &str) {
        let draft = self.path(format!("{name}.swp"));
        std::fs::write(&draft, text).unwrap();
        std::fs::rename(draft, self.path(name)).unwrap();
    }

    pub fn runtime(&self) -> &tokio::runtime::Runtime {
        &self.runtime
    }

    /// A command on this machine; its words are divided by blanks.
    pub fn command(&self, arguments: &str) -> Command {
        self.command_at("state", arguments)
    }

    /// A command with this state directory.
    pub fn command_at(&self, state: &str, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stoker"));
        command.env_clear().env("PATH", SEARCH_PATH).env("TZ", "UTC").stdin(Stdio::null());
        command.current_dir(self.directory.path());
        command.args(arguments.split_whitespace()).args(["--state", state]);
        command
    }

    pub fn run(&self, arguments: &str) -> Ran {
        Ran::of(self.command(arguments))
    }

    /// Starts an agent and waits until it says where it is.
    #[track_caller]
    pub fn agent(&self, arguments: &str) -> Agent<'_> {
        self.agent_with(arguments, &[])
    }

    /// The same with variables in its environment.
    #[track_caller]
    pub fn agent_with(&self, arguments: &str, variables: &[(&str, &str)]) -> Agent<'_> {
        let mut command = self.command(&format!("run --listen 127.0.0.1:0 {arguments}"));
        command.envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = Arc::default();
        listen(child.stderr.take().unwrap(), &lines);
        let mut agent = Agent { machine: self, child, lines, page: String::new() };
        agent.page = agent.until("it says where it is", |agent| agent.said("The status is at "));
        agent
    }

    /// Sends a request and returns its status and its body.
    pub fn ask(&self, request: Request<'_>) -> (u16, String) {
        let Request { method, url, headers, body } = request;
        self.runtime.block_on(async {
            let mut request = self.client.request(method, url).body(body.to_vec());
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        })
    }

    pub fn get(&self, url: &str) -> (u16, String) {
        self.ask(Request { method: Method::GET, url, headers: &[], body: b"" })
    }
}

/// A request as a test wants it.
pub struct Request<'a> {
    pub method: Method,
    pub url: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

/// An agent that runs; killed when a test is done with it.
pub struct Agent<'a> {
    machine: &'a Machine,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    page: String,
}

/// How an agent ended.
pub struct Ended {
    pub exit: i32,
    pub log: String,
}

impl Agent<'_> {
    /// Returns an address of its server.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.page)
    }

    pub fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Returns the address that stands behind these words in what it says.
    fn said(&self, words: &str) -> Option<String> {
        let log = self.log();
        let (_, rest) = log.split_once(words)?;
        let is_end = |letter: char| letter.is_whitespace() || ";\"".contains(letter);
        rest.split(is_end).next().map(|address| address.trim_end_matches('/').to_owned())
    }

    /// Waits until something is so.
    #[track_caller]
    pub fn until<T>(&self, what: &str, mut is_so: impl FnMut(&Self) -> Option<T>) -> T {
        let begun = now();
        loop {
            if let Some(found) = is_so(self) {
                return found;
            }
            assert!(since(begun) < PATIENCE, "{what}, in vain:\n{}", self.log());
            pause();
        }
    }

    /// Returns the status of one project.
    pub fn status_of(&self, project: &str) -> ProjectStatus {
        let (status, body) = self.machine.get(&self.url(&format!("/api/status?project={project}")));
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        serde_json::from_value(body["projects"][0].clone()).unwrap()
    }

    pub fn status(&self) -> ProjectStatus {
        self.status_of("default")
    }

    /// Waits until the reason of the project's `Ready` is this one.
    #[track_caller]
    pub fn until_ready_says(&self, reason: &str) -> ProjectStatus {
        self.until(&format!("Ready should say {reason}"), |agent| {
            let status = agent.status();
            (ready(&status).0 == reason).then_some(status)
        })
    }

    /// Waits until everything is as declared.
    #[track_caller]
    pub fn until_synced(&self) -> ProjectStatus {
        self.until_ready_says("Synced")
    }

    /// Waits for an event and returns its message.
    #[track_caller]
    pub fn until_event(&self, reason: &str) -> String {
        self.until(&format!("there should be an event {reason}"), |agent| {
            let events = agent.events();
            let found = events.iter().find(|event| event["reason"] == reason)?;
            Some(found["message"].as_str().unwrap().to_owned())
        })
    }

    pub fn events(&self) -> Vec<Value> {
        let (status, body) = self.machine.get(&self.url("/api/events?format=json"));
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Asks the platform of a project itself, behind the agent's back.
    pub fn platform_of(&self, project: &str, method: Method, path: &str, body: &Value) -> Value {
        let base = self.until("the sandbox is somewhere", |agent| {
            agent.said(&format!("The sandbox of {project} is at "))
        });
        let url = format!("{base}{path}");
        let token = format!("Bearer {TOKEN}");
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request { method, url: &url, headers: &headers, body: body.as_bytes() };
        let (status, answer) = self.machine.ask(request);
        assert!((200..300).contains(&status), "{path}: {answer}");
        if answer.is_empty() { Value::Null } else { serde_json::from_str(&answer).unwrap() }
    }

    /// Returns the services that live, each whole.
    pub fn services(&self) -> Vec<Value> {
        self.services_of("default")
    }

    pub fn services_of(&self, project: &str) -> Vec<Value> {
        let get = |path: &str| self.platform_of(project, Method::GET, path, &Value::Null);
        let list = get("/services?per_page=100");
        let ids = list["services"].as_array().unwrap().iter();
        ids.map(|it| get(&format!("/services/{}", it["id"].as_str().unwrap()))).collect()
    }

    /// Returns the names of the services that live, in order.
    pub fn service_names(&self) -> Vec<String> {
        let list = self.platform_of("default", Method::GET, "/services?per_page=100", &Value::Null);
        let services = list["services"].as_array().unwrap().iter();
        let mut names: Vec<_> =
            services.map(|it| it["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// Returns the one service of this name.
    #[track_caller]
    pub fn service(&self, name: &str) -> Option<Value> {
        let mut found = self.services();
        found.retain(|service| service["name"] == name);
        assert!(found.len() < 2, "{found:#?}");
        found.pop()
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(mut self) -> Ended {
        let begun = now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Ended { exit: status.code().unwrap(), log: self.log() };
            }
            assert!(since(begun) < PATIENCE, "it does not end:\n{}", self.log());
            pause();
        }
    }

    /// Ends it in an orderly way.
    #[track_caller]
    pub fn end(self) -> Ended {
        self.signal("TERM");
        let ended = self.ended();
        assert_eq!(ended.exit, 143, "{}", ended.log);
        ended
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Gathers what a process says.
fn listen(stderr: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
        }
    });
}

/// Returns reason and message of the project's `Ready`.
pub fn ready(status: &ProjectStatus) -> (String, String) {
    let ready = status.conditions.get(ConditionType::Ready).unwrap();
    (ready.reason.to_string(), ready.message.clone())
}

/// Returns the reason of a resource's `Ready`.
pub fn ready_of(status: &ProjectStatus, key: &str) -> String {
    let resource = status.resources.iter().find(|it| it.key.to_string() == key);
    let ready = resource.and_then(|it| it.conditions.get(ConditionType::Ready));
    ready.map(|ready| ready.reason.to_string()).unwrap_or_default()
}

/// A web service.
pub fn service(name: &str, more: &str) -> String {
    format!(
        "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: {name} }}\n\
         spec:\n  type: web\n  image: nginx\n  port: 8080\n{more}"
    )
}

/// An env group: as declared as soon as it was created, because nothing is deployed.
pub fn group(name: &str) -> String {
    format!(
        "apiVersion: stackblaze.cloud/v1\nkind: EnvGroup\nmetadata: {{ name: {name} }}\n\
         spec:\n  envVars: [{{ key: LEVEL, value: info }}]\n"
    )
}

#[expect(clippy::disallowed_methods, reason = "the process under test has the machine's clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// How long ago something was.
pub fn since(time: Timestamp) -> Duration {
    now().duration_since(time).try_into().unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "another process can only be looked at again")]
pub fn pause() {
    std::thread::sleep(LOOK_PAUSE);
}
