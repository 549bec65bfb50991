//! An agent that says what a test wants it to say.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stoker::status::{FORMAT_VERSION, ProjectStatus};

/// What was asked of the agent.
pub struct Asked {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub accept: String,
    pub bearer: Option<String>,
    pub body: String,
}

/// What it answers: status, form, body.
pub type Answer = (u16, &'static str, String);

type Script = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;

/// A machine with a state directory, and an agent beside it.
pub struct Fixture {
    pub directory: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    /// One line for each order: its path and its body.
    pub orders: Arc<Mutex<Vec<String>>>,
}

/// What a run left behind.
pub struct Ran {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Fixture {
    /// A machine on which no agent runs.
    pub fn without_agent() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("state")).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(1).enable_all().build().unwrap();
        Self { directory, runtime, orders: Arc::default() }
    }

    /// A machine whose agent answers by a script.
    pub fn answering(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let fixture = Self::without_agent();
        let listener = {
            let _inside = fixture.runtime.enter();
            tokio::net::UnixListener::bind(fixture.socket()).unwrap()
        };
        let router = fixture.router(script);
        fixture.runtime.spawn(async move { axum::serve(listener, router).await });
        fixture
    }

    /// A machine whose agent keeps these projects and remembers these events.
    pub fn keeping(projects: Vec<ProjectStatus>, events: Value) -> Self {
        Self::answering(move |asked| ordinary(asked, &projects, &events))
    }

    /// Serves the script on a port, too, and returns its address.
    pub fn on_a_port(&self, script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> String {
        let bind = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = self.runtime.block_on(bind).unwrap();
        let address = listener.local_addr().unwrap();
        let router = self.router(script);
        self.runtime.spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn router(&self, script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Router {
        let state: (Script, _) = (Arc::new(script), Arc::clone(&self.orders));
        Router::new().fallback(answer).with_state(state)
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("state/agent.sock")
    }

    /// Serves the script beside the state of the sandbox.
    pub fn beside_the_sandbox(&self, script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) {
        let sandbox = self.directory.path().join("state/sandbox");
        std::fs::create_dir_all(&sandbox).unwrap();
        let listener = {
            let _inside = self.runtime.enter();
            tokio::net::UnixListener::bind(sandbox.join("agent.sock")).unwrap()
        };
        let router = self.router(script);
        self.runtime.spawn(async move { axum::serve(listener, router).await });
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stoker"));
        command.env_clear().env("TZ", "UTC").stdin(Stdio::null());
        command.current_dir(self.directory.path());
        command.args(arguments).args(["--state", "state"]);
        command
    }

    /// Runs a command; its words are divided by blanks.
    pub fn run(&self, arguments: &str) -> Ran {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        Ran::of(self.command(&words))
    }

    pub fn orders(&self) -> Vec<String> {
        self.orders.lock().unwrap().clone()
    }
}

async fn answer(
    State((script, orders)): State<(Script, Arc<Mutex<Vec<String>>>)>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let header = |name: &str| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let body = axum::body::to_bytes(body, 1024 * 1024).await.unwrap();
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.to_string(),
        accept: header("accept").unwrap_or_default(),
        bearer: header("authorization"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    if asked.method == "POST" {
        orders.lock().unwrap().push(format!("{} {}", asked.path, asked.body));
    }
    let (status, form, body) = script(&asked);
    let response = Response::builder().status(status).header("content-type", form);
    // Where a redirect would lead; only a client that follows one ever asks for it.
    response.header("location", "/api/elsewhere").body(Body::from(body)).unwrap()
}

/// Answers as an agent does that keeps these projects.
pub fn ordinary(asked: &Asked, projects: &[ProjectStatus], events: &Value) -> Answer {
    let json = |status: u16, value: Value| (status, "application/json", value.to_string());
    if asked.path == "/api/events" && asked.accept == "text/event-stream" {
        let lines = events
            .as_array()
            .unwrap()
            .iter()
            .map(|event| format!("event: event\ndata: {event}\n\n"));
        return (200, "text/event-stream", lines.collect());
    }
    if asked.path == "/api/events" {
        return json(200, events.clone());
    }
    if asked.path.starts_with("/api/orders/") {
        return json(200, json!({ "message": "done as told" }));
    }
    match asked.path.strip_prefix("/api/status") {
        Some("") => json(200, document(projects)),
        Some(query) => {
            let name = query.strip_prefix("?project=").unwrap();
            let named: Vec<_> = projects.iter().filter(|it| it.name == name).cloned().collect();
            json(200, document(&named))
        }
        None => json(404, json!({ "error": { "code": "not_found", "message": "nothing" } })),
    }
}

/// The answer to `GET /api/status`.
pub fn document(projects: &[ProjectStatus]) -> Value {
    json!({ "formatVersion": FORMAT_VERSION, "projects": projects })
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

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// All of it, as a snapshot wants it.
    pub fn whole(&self) -> String {
        let Self { exit, stdout, stderr } = self;
        format!("exit {exit}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

/// A time so long ago.
#[expect(clippy::disallowed_methods, reason = "the binary under test has the machine's clock")]
pub fn ago(seconds: i64) -> Timestamp {
    Timestamp::now().checked_sub(SignedDuration::from_secs(seconds)).unwrap()
}

/// A condition of five hours' standing.
pub fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({ "type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": ago(5 * 3600 + 60) })
}

/// A project in which a service is as declared and another one failed to deploy.
pub fn project(name: &str) -> ProjectStatus {
    let revision = json!({
        "commit": "3f2a1bc9d07755aa", "subject": "Raise the port", "digest": "d1d1d1d1d1d1d1d1",
        "at": ago(3700),
    });
    serde_json::from_value(json!({
        "name": name, "origin": "https://api.stackblaze.cloud/v1", "platformName": name,
        "syncStatus": "OutOfSync", "healthStatus": "Degraded",
        "mode": "repair", "startedAt": ago(90_000), "updatedAt": ago(1),
        "conditions": [condition("Ready", "False", "DeployFailed", "1 of 2 resources is not ready")],
        "source": { "location": "manifests/", "revision": revision }, "steering": {},
        "resources": [
            { "key": "service/api", "id": "svc_1", "owned": "created", "health": "running",
              "syncStatus": "Synced", "healthStatus": "Healthy",
              "url": "https://api.shop.dev", "replicas": 2, "dependsOn": [], "failures": 0,
              "observedRevision": "d1d1d1d1d1d1d1d1",
              "declaredAt": { "file": "manifests/api.yaml", "line": 3, "column": 1 },
              "conditions": [condition("Ready", "True", "Synced", "as declared")] },
            { "key": "service/web", "id": "svc_2", "owned": "created", "health": "failed",
              "syncStatus": "OutOfSync", "healthStatus": "Degraded",
              "dependsOn": ["service/api"], "failures": 3,
              "deployment": { "id": "dep_9", "status": "failed", "since": ago(700),
                              "log": ["npm ERR! missing script: start"] },
              "conditions": [
                  condition("Ready", "False", "DeployFailed", "the deployment failed"),
                  condition("Stalled", "True", "DeployFailed", "it failed 3 times") ] },
        ],
        "pending": [{
            "key": "service/web", "action": "update", "reason": "drift", "origin": null,
            "effect": "restart", "requests": 1, "fields": [
                { "path": "scaling.maxInstances", "action": "change", "before": 6, "after": 10,
                  "reason": "drift", "sensitive": false } ],
            "blocked": null,
        }],
        "unmanaged": 1,
        "history": [{
            "pass": 12, "triggers": ["git"], "startedAt": ago(130), "durationMs": 800,
            "digest": "d1d1d1d1d1d1d1d1", "outcome": "Applied", "message": "1 change written",
            "requests": 5, "written": 1, "failed": 0,
        }],
        "budget": { "limit": 300, "remaining": 290, "rate": 285, "samples": [] },
        "intervalSeconds": 300,
    }))
    .unwrap()
}

/// Two events: an old one of one service, a new one of the other.
pub fn events(project: &str) -> Value {
    json!([
        { "project": project, "sequence": 1, "at": ago(7200), "severity": "Normal",
          "key": "service/api", "reason": "Created", "message": "it was created" },
        { "project": project, "sequence": 2, "at": ago(130), "severity": "Warning", "pass": 12,
          "key": "service/web", "reason": "DeployFailed", "message": "the deployment failed" },
    ])
}
