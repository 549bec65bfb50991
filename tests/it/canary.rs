//! A secret's value stands in the body of a request and nowhere else (S9).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use proptest::prelude::*;
use stoker::api::{BodyStream, Transport, TransportError};
use stoker::emulator::{Act, EmulatorConfig, Kind, Secrets};
use stoker::model::EnvKey;
use stoker::plan::{Plan, Policy, Report};
use stoker::render::json::{self, Basis, Preamble, SavedPlan};
use stoker::render::{self, Estimate};
use stoker::secret::{self, AllowedSources, Finders, FingerprintKey, FoundValues, SecretProgram};
use stoker::source::{self, Tree};

use crate::stage::Stage;

/// What every secret of these tests begins with: as many characters as make a piece of it.
/// What follows is hard to strike out.
const CANARY: &str = "CANARIES";

const STACK: &str = r#"
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api }
spec:
  type: web
  runtime: node
  repo: github.com/acme/shop
  envGroups: [shared]
  envVars:
    - { key: MODE, value: one }
    - { key: FROM_ENV, valueFrom: { env: CANARY_VARIABLE } }
    - { key: FROM_FILE, valueFrom: { file: secret.txt } }
    - { key: API_PASSWORD, value: 'CANARIES-plain-"quoted"-\back' }
    - { key: DATABASE_URL, value: 'postgres://user:CANARIESinurl@host/db' }
    - { key: SALT, generateValue: { rotate: 90d } }
    - { key: FROM_OUTSIDE, valueFrom: { file: OUTSIDE/outer } }
    - { key: FROM_PROVIDER, valueFrom: { provider: vault, ref: a/b } }
    - { key: FROM_SOPS, valueFrom: { sops: locked.enc.yaml, path: jwt.key } }
---
apiVersion: stackblaze.cloud/v1
kind: EnvGroup
metadata: { name: shared }
spec:
  envVars:
    - { key: GROUP_TOKEN, value: 'CANARIES-in-a-group' }
"#;

/// What is laid over every stack of these tests.
const OVERLAY: &str = "
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api }
spec: { envVars: [{ key: LAYER_TOKEN, value: CANARIES-xq-layer }] }
";

/// How many characters of a secret are a piece of it, and how many of its base64.
const PIECE: usize = 8;
const BASE64_PIECE: usize = 11;

/// Returns a number of eighteen bits made of the first three characters.
fn beginning(piece: &[char]) -> usize {
    piece[..3].iter().fold(0, |number, c| number << 6 | (u32::from(*c) & 63) as usize)
}

/// Reads what percent signs stand for, and leaves the rest.
fn percent_decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(char::from(byte));
                decoded.push_str(&part[2..]);
            }
            None => decoded.push_str(part),
        }
    }
    decoded
}

/// Everything that was said, wherever.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Heard {
    fn hear(&self, what: &str, text: &str) {
        writeln!(self.clone(), "{what}: {text}").unwrap();
    }

    fn is_free_of(&self, secrets: &[String], context: &str) {
        let heard = String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned();
        assert!(!heard.is_empty());
        for secret in secrets {
            if let Some(place) = heard.find(secret.as_str()) {
                let line = heard[..place].rfind('\n').map_or(0, |line| line + 1);
                let end = heard[place..].find('\n').map_or(heard.len(), |end| place + end);
                panic!("{context}: `{secret}` was heard in: {}", &heard[line..end]);
            }
        }
        self.has_no_piece_of(secrets, context);
    }

    /// No eight characters of a secret stand anywhere, in no case, not between percent signs,
    /// escapes or backslashes, and not in base64.
    fn has_no_piece_of(&self, secrets: &[String], context: &str) {
        let heard = String::from_utf8_lossy(&self.0.lock().unwrap()).to_lowercase();
        let mut pieces = BTreeSet::new();
        for secret in secrets.iter().filter(|secret| secret.len() >= PIECE) {
            let whole: Vec<char> = secret.to_lowercase().chars().collect();
            pieces.extend(whole.windows(PIECE).map(<[char]>::to_vec));
            for before in 0..3 {
                let encoded = written(&format!("{}{secret}", "x".repeat(before)), "base64");
                let inner: Vec<char> = encoded.to_lowercase().chars().collect();
                let inner = &inner[4.min(inner.len())..inner.len().saturating_sub(4)];
                pieces.extend(inner.windows(BASE64_PIECE).map(<[char]>::to_vec));
            }
        }
        // Most of what was said begins like none of them, and costs one look.
        let mut begins = vec![false; 1 << 18];
        pieces.iter().for_each(|piece| begins[beginning(piece)] = true);
        let decoded = percent_decoded(&heard);
        let bare = heard.replace('\\', "");
        for text in [&heard, &decoded, &bare] {
            let text: Vec<char> = text.chars().collect();
            for length in [PIECE, BASE64_PIECE] {
                for (place, piece) in text.windows(length).enumerate() {
                    if begins[beginning(piece)] && pieces.contains(piece) {
                        let from = place.saturating_sub(80);
                        let around: String = text.iter().skip(from).take(200).collect();
                        let piece: String = piece.iter().collect();
                        panic!("{context}: `{piece}` of a secret was heard in: {around}");
                    }
                }
            }
        }
    }
}

/// How writes are answered with their own body.
#[derive(Clone, Copy, Debug)]
struct Echo {
    status: u16,
    /// How much stands before the body.
    padding: usize,
    /// How it is written.
    form: &'static str,
    /// Where what is repeated begins.
    begin: usize,
    /// How much of it is repeated.
    length: usize,
}

/// As it is, all of it.
const WHOLE: Echo = Echo { status: 422, padding: 0, form: "plain", begin: 0, length: usize::MAX };

/// How software writes what it quotes.
const FORMS: [&str; 9] =
    ["plain", "upper", "percent", "partly", "json", "doubled", "debug", "html", "base64"];

fn written(text: &str, form: &str) -> String {
    match form {
        "plain" => text.to_owned(),
        "upper" => text.to_uppercase(),
        "percent" => text.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        "partly" => text
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect(),
        "json" => serde_json::Value::from(text).to_string(),
        "doubled" => text.replace('\\', "\\\\"),
        "debug" => format!("{text:?}"),
        "html" => text.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#x27;"),
        "base64" => base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text),
        other => panic!("no form {other}"),
    }
}

/// Listens to addresses and headers; answers writes with their own body when it is told to.
struct Parrot {
    inner: Arc<dyn Transport>,
    heard: Heard,
    echo: Option<Echo>,
}

impl Transport for Parrot {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        self.heard.hear("request", &format!("{} {}", request.method(), request.uri()));
        let Some(Echo { status, padding, form, begin, length }) =
            self.echo.filter(|_| request.method() != http::Method::GET)
        else {
            return self.inner.send(request);
        };
        let body = written(&String::from_utf8_lossy(request.body()), form);
        let body: String = body.chars().skip(begin).take(length).collect();
        let message = format!("{}{body}", "-".repeat(padding));
        let error = serde_json::json!({"error": {
            "code": body, "message": message, "status": status, "request_id": body,
            "details": [message, {"field": "env_vars", "message": [message]}],
        }, "detail": message, "errors": {"env_vars": message}});
        let answer = if status == 200 { message } else { error.to_string() };
        let body = futures_util::stream::once(async move { Ok(Bytes::from(answer)) }).boxed();
        let response = http::Response::builder().status(status).header("x-request-id", "req");
        Box::pin(async move { Ok(response.body(body).unwrap()) })
    }
}

fn tree(directory: &Path, text: &str) -> Tree {
    let outside = outside(directory).display().to_string();
    std::fs::write(directory.join("stack.yaml"), text.replace("OUTSIDE", &outside)).unwrap();
    std::fs::write(directory.join("locked.enc.yaml"), "jwt: { key: ENC }\nsops: { mac: ENC }\n")
        .unwrap();
    std::fs::write(directory.join("secret.txt"), "CANARIES-in-a-file\nof two lines").unwrap();
    let overlay = Tree::from_texts([("over.yaml", OVERLAY)]);
    let tree = source::load(&[directory.to_owned()], None).unwrap();
    tree.with_overlays(vec![("over.yaml".to_owned(), overlay)]).unwrap()
}

/// Where the stack's files outside of it are.
fn outside(directory: &Path) -> PathBuf {
    directory.parent().unwrap().join("outside")
}

/// Gives the sources outside the stack their values, and returns what the settings say of them.
fn sources(directory: &Path, provided: &str) -> AllowedSources {
    let outside = outside(directory);
    std::fs::create_dir_all(&outside).unwrap();
    let answer = serde_json::json!({ "values": { "a/b": provided } }).to_string();
    std::fs::write(outside.join("answer.json"), answer).unwrap();
    std::fs::write(outside.join("outer"), "CANARIES-xq-outer-\"\\\n").unwrap();
    let decrypted = serde_json::json!({ "jwt": { "key": "CANARIES-xq-cipher-\"\\" } }).to_string();
    std::fs::write(outside.join("decrypted.json"), decrypted).unwrap();
    let program = |words: &[&str]| SecretProgram {
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        timeout: Duration::from_secs(60),
        environment: Vec::new(),
    };
    let place = outside.display();
    let vault = program(&["/bin/cat", &format!("{place}/answer.json")]);
    let sops = program(&["/bin/sh", "-c", &format!("cat {place}/decrypted.json")]);
    AllowedSources {
        directories: vec![outside.clone()],
        providers: BTreeMap::from([("vault".to_owned(), vault)]),
        sops: Some(sops),
    }
}

/// The secrets of the stack and of the hands, as far as they are nobody else's words.
const ALL_CANARIES: [&str; 14] = [
    "CANARIES-plain-\"quoted\"-\\back",
    "CANARIES-other-\"quoted\"-\\back",
    "user:CANARIESinurl@host/db",
    "user:CANARIESinotherurl@host/db",
    "CANARIES-in-a-group",
    "CANARIES-in-a-file\nof two lines",
    "CANARIES-first-\"\\\n\u{e9}",
    "CANARIES-second-\"\\\n\u{e9}",
    "CANARIES-by-hand",
    "CANARIES-xq-outer-\"\\",
    "CANARIES-xq-vendor-\"\\\n\u{e9}",
    "CANARIES-xq-changed-\"\\\n\u{e9}",
    "CANARIES-xq-cipher-\"\\",
    "CANARIES-xq-layer",
];

/// Says a plan and a report in every form there is.
fn say(heard: &Heard, plan: &Plan, report: &Report) {
    let estimate = Estimate { seconds: 1, left: None };
    let paper = render::plan_as_text(plan, &estimate);
    heard.hear("text", &paper.to_plain());
    heard.hear("ansi", &paper.to_ansi());
    heard.hear("drift", &render::drift_as_text(plan).to_plain());
    heard.hear("markdown", &render::plan_as_markdown(plan, &estimate));
    let basis = Basis { desired: "d".into(), state: None };
    let preamble = Preamble {
        basis,
        paths: Vec::new(),
        options: serde_json::Map::new(),
        estimate,
        diagnostics: Vec::new(),
        shows_unmanaged: false,
        policies: Vec::new(),
    };
    let saved = SavedPlan::new(plan, preamble);
    heard.hear("json", &saved.to_json());
    heard.hear("ndjson", &saved.to_ndjson());
    heard.hear("report", &render::report_as_text(report).to_ansi());
    heard.hear("report as markdown", &render::report_as_markdown(report));
    heard.hear("report as json", &json::document(&json::SavedReport::from(report)));
    heard.hear("debug", &format!("{plan:?} {plan:#?} {report:?} {report:#?}"));
    for change in &plan.changes {
        heard.hear("signature", &change.signature());
    }
}

/// Applies a stack, changes every secret, lets a person change them too; says all there is to say.
async fn live(platform: EmulatorConfig, echo: Option<Echo>) {
    let context = format!("{:?} {echo:?}", platform.secrets);
    let is_masked = matches!(platform.secrets, Secrets::Masked);
    let heard = Heard::default();
    let writer = heard.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _listening = tracing::subscriber::set_default(subscriber);
    let mut stage = Stage::on(platform);
    let inner = Arc::clone(&stage.transport);
    let parrot = |echo| {
        let (inner, heard) = (Arc::clone(&inner), heard.clone());
        Arc::new(Parrot { inner, heard, echo })
    };
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("manifests");
    std::fs::create_dir(&directory).unwrap();
    let variable = |value: &str| {
        vec![("CANARY_VARIABLE".to_owned(), format!("CANARIES-{value}-\"\\\n\u{e9}"))]
    };
    stage.variables = variable("first");
    stage.allowed = sources(&directory, "CANARIES-xq-vendor-\"\\\n\u{e9}");
    let first = tree(&directory, STACK);
    for echo in [echo, None] {
        stage.transport = parrot(echo);
        for _ in 0..2 {
            let (plan, report) = stage.apply(&first, &Policy::default()).await;
            say(&heard, &plan, &report);
            stage.wait(200).await;
        }
    }
    // The generated value is old by then, and gives way.
    stage.wait(90 * 86_400).await;
    // A person replaces a secret by a plain one; the manifests replace all of them.
    let id = stage.emulator.ids(Kind::Service, "api").remove(0);
    let (kind, value) = (Kind::Service, Some("CANARIES-by-hand".to_owned()));
    let key = "FROM_FILE".to_owned();
    stage.emulator.act(&Act::SetVariable { kind, id, key, value }).unwrap();
    stage.variables = variable("second");
    stage.allowed = sources(&directory, "CANARIES-xq-changed-\"\\\n\u{e9}");
    let text =
        STACK.replace("CANARIES-plain", "CANARIES-other").replace("value: one", "value: two");
    let second = tree(&directory, &text.replace("CANARIESinurl", "CANARIESinotherurl"));
    let (head, rest) = STACK.split_once("    - { key: FROM_FILE").unwrap();
    let group = &rest[rest.find("---").unwrap()..];
    let fewer = tree(&directory, &(head.to_owned() + group));
    let (key, salt) = (FingerprintKey::from_bytes([7; 32]), EnvKey::new("SALT").unwrap());
    let generate = |number| key.generate(&"service/api".parse().unwrap(), &salt, number);
    let generated = [generate(0).to_string(), generate(1).to_string()];
    let mut has_given_way = false;
    for echo in [echo, None] {
        stage.transport = parrot(echo);
        for tree in [&second, &fewer] {
            let (plan, report) = stage.apply(tree, &Policy::default()).await;
            say(&heard, &plan, &report);
            let services = format!("{:?}", stage.emulator.truth(Kind::Service));
            has_given_way |= services.contains(&generated[1]);
        }
    }
    // Whoever is told that it is written, and is shown nothing, cannot know better.
    let is_deceived = echo.is_some_and(|echo| echo.status == 200) && is_masked;
    assert!(has_given_way || is_deceived, "{context}");
    heard.hear("inventory", &format!("{:#?}", stage.inventory()));
    heard.hear("desired", &format!("{:#?}", stage.desired(&first)));
    for file in std::fs::read_dir(stage.directory.path()).unwrap() {
        let path = file.unwrap().path();
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        heard.hear(&path.display().to_string(), &text.replace('\n', " "));
    }
    let mut secrets = generated.to_vec();
    secrets.push(CANARY.to_owned() + "-");
    secrets.push(CANARY.to_owned() + "in");
    // What makes these known is theirs alone; "postgres" is not.
    secrets.extend(ALL_CANARIES.map(str::to_owned));
    heard.is_free_of(&secrets, &context);
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_heard_however_the_platform_shows_it() {
    for secrets in [Secrets::Masked, Secrets::Omitted, Secrets::Echoed, Secrets::Hidden] {
        let mut platform = EmulatorConfig { secrets, ..EmulatorConfig::default() };
        live(platform.clone(), None).await;
        platform.list_fields.services = stoker::emulator::Fields::All;
        live(platform, None).await;
    }
}

#[test]
fn no_secret_is_heard_of_a_source_that_fails() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("manifests");
    std::fs::create_dir(&directory).unwrap();
    let mut stage = Stage::new();
    stage.variables = vec![("CANARY_VARIABLE".to_owned(), "CANARIES-first-1".to_owned())];
    stage.allowed = sources(&directory, "CANARIES-xq-vendor-\"\\\n\u{e9}");
    let stack = tree(&directory, STACK);
    let before = stage.desired(&stack);
    let declared = stoker::manifest::load(&stack).desired.unwrap();
    let heard = Heard::default();
    // Each of them says what it knows, in each way a program can, and fails.
    for script in
        ["cat FILES; cat FILES >&2; exit 1", "cat FILES >&2; exit 1", "cat FILES | tr : x"]
    {
        let files = outside(&directory).display().to_string();
        let script =
            script.replace("FILES", &format!("{files}/answer.json {files}/decrypted.json"));
        let mut allowed = stage.allowed.clone();
        let shell = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
        for program in allowed.providers.values_mut().chain(allowed.sops.as_mut()) {
            program.command.clone_from(&shell);
        }
        std::fs::write(outside(&directory).join("outer"), "CANARIES-xq-outer\0").unwrap();
        let finders = Finders { environment: &|_| None, allowed: &allowed, known: Some(&before) };
        let found = FoundValues::of(&declared, &stack, &finders);
        let key = FingerprintKey::from_bytes([7; 32]);
        let findings = secret::resolve(declared.clone(), &stack, &found, &key).unwrap_err();
        assert!(findings.len() >= 4, "{findings:#?}");
        heard.hear("findings", &format!("{findings:#?} {found:#?}"));
        findings.iter().for_each(|finding| heard.hear("finding", &finding.to_string()));
    }
    heard.is_free_of(&ALL_CANARIES.map(str::to_owned), "sources that fail");
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_heard_when_the_api_repeats_what_it_was_sent() {
    for status in [400, 401, 403, 409, 413, 422, 429, 500, 200] {
        // Wherever a message is cut off, no piece of a secret is left.
        for padding in [0, 100, 180, 450, 490, 900, 990, 1_000, 1_010, 2_000, 4_000] {
            if padding == 0 || status == 422 {
                live(EmulatorConfig::default(), Some(Echo { status, padding, ..WHOLE })).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_piece_of_a_secret_is_heard_when_the_api_cuts_off_what_it_repeats() {
    for length in (0..640).step_by(19) {
        live(EmulatorConfig::default(), Some(Echo { length, ..WHOLE })).await;
    }
}

/// Little more than a piece is repeated, from within an escape, too.
#[tokio::test(start_paused = true)]
async fn no_piece_of_a_secret_is_heard_when_the_api_repeats_little_else() {
    for form in ["plain", "html"] {
        for begin in 340..380 {
            live(EmulatorConfig::default(), Some(Echo { form, begin, length: 11, ..WHOLE })).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_piece_of_a_secret_is_heard_however_the_api_writes_what_it_repeats() {
    for form in FORMS {
        for begin in [0, 217] {
            live(EmulatorConfig::default(), Some(Echo { form, begin, ..WHOLE })).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_eight_characters_of_a_secret_are_heard_wherever_the_api_cuts(
        form in prop::sample::select(&FORMS[..]),
        begin in 0_usize..900,
        length in 8_usize..400,
    ) {
        let echo = Echo { form, begin, length, ..WHOLE };
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(live(EmulatorConfig::default(), Some(echo)));
    }
}
