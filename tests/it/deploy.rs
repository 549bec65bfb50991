//! What is to be deployed, as far as it can be checked without deploying it: every file says how
//! it is used, all of them agree, and none gives the agent more than it needs.
//!
//! `deploy/check` goes on with the tools of those who run it; a test here calls it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

pub const USER: u64 = 65532;
const PORT: &str = "8400";
pub const STATE: &str = "/var/lib/stoker";

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn yaml(path: &str) -> Value {
    documents(&read(path)).into_iter().next().unwrap_or_else(|| panic!("{path} is empty"))
}

pub fn documents(text: &str) -> Vec<Value> {
    let all = serde_yaml::Deserializer::from_str(text);
    let value = |document| serde::Deserialize::deserialize(document).unwrap();
    all.map(value).filter(|value: &Value| !value.is_null()).collect()
}

/// Every file of `deploy/` and of the workflows, relative to the root.
fn files() -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![root().join("deploy"), root().join(".github")];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            // Tokens of whoever tries compose here.
            if path.ends_with("deploy/secrets") {
                continue;
            }
            if path.is_dir() {
                left.push(path);
            } else {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    assert!(found.len() > 30, "{found:?}");
    found
}

fn is_template(file: &str) -> bool {
    file.contains("/templates/")
}

#[test]
fn every_file_begins_with_the_command_that_uses_it() {
    // JSON has no comments; the others are parts of a file that has them, or forms that people fill
    // in.
    let is_part = |file: &String| {
        is_template(file) || [".json", "ignore", ".md"].iter().any(|end| file.ends_with(end))
    };
    for file in files().into_iter().filter(|file| !is_part(file)) {
        let text = read(&file);
        let first = text.lines().find(|line| !line.starts_with("#!"));
        assert!(first.is_some_and(|line| line.starts_with("# Use:  ")), "{file}: {first:?}");
    }
}

#[test]
fn every_yaml_parses_and_none_holds_a_token() {
    for file in files() {
        let text = read(&file);
        assert!(!text.contains("sb_live_") && !text.contains("PRIVATE KEY"), "{file}");
        let is_yaml = file.ends_with(".yaml") || file.ends_with(".yml");
        if is_yaml && !is_template(&file) {
            assert!(!documents(&text).is_empty(), "{file} says nothing");
        }
    }
}

/// The keys and flags of the tables in `docs/settings.md`.
fn known() -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut keys, mut flags) = (BTreeSet::new(), BTreeSet::new());
    for row in read("docs/settings.md").lines().filter(|line| line.starts_with("| ")) {
        let words = |column: usize| {
            let column = row.split('|').nth(column).unwrap_or_default();
            column.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
        };
        keys.extend(words(3));
        flags.extend(words(1).iter().map(|flag| flag.split([' ', '[']).next().unwrap().to_owned()));
    }
    (keys, flags)
}

#[test]
fn the_settings_are_those_that_stoker_has() {
    let (keys, _) = known();
    let check = |file: &str, settings: &Value| {
        for key in settings.as_object().unwrap().keys() {
            assert!(keys.contains(key), "{file}: {key} is no setting of docs/settings.md");
        }
    };
    for file in files().iter().filter(|file| file.ends_with("/config.yaml")) {
        check(file, &yaml(file));
    }
    for file in ["values.yaml", "full-values.yaml"] {
        check(file, &yaml(&format!("deploy/helm/stoker/{file}"))["config"]);
    }
}

/// The words of the agent's command line in a list of arguments, a unit or an image.
fn command_lines() -> BTreeMap<&'static str, Vec<String>> {
    let list = |value: &Value| -> Vec<String> { serde_json::from_value(value.clone()).unwrap() };
    let unit = read("deploy/systemd/stoker.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let service = yaml("deploy/compose.yaml")["services"]["stoker"]["command"].clone();
    let pod = yaml("deploy/kubernetes/base/statefulset.yaml")["spec"]["template"]["spec"].clone();
    BTreeMap::from([
        ("systemd", start.split_whitespace().skip(1).map(str::to_owned).collect()),
        ("compose", list(&service)),
        ("kubernetes", list(&pod["containers"][0]["args"])),
    ])
}

#[test]
fn the_agent_is_started_with_flags_that_it_has() {
    let (_, flags) = known();
    for (place, words) in command_lines() {
        assert_eq!(words.first().map(String::as_str), Some("run"), "{place}");
        for flag in words.iter().filter(|word| word.starts_with('-')) {
            assert!(flags.contains(flag), "{place}: {flag}");
        }
    }
}

#[test]
fn port_user_state_and_version_are_the_same_everywhere() {
    let listen = format!("0.0.0.0:{PORT}");
    let lines = command_lines();
    for place in ["compose", "kubernetes"] {
        let words = lines[place].join(" ");
        assert!(words.contains(&format!("--listen {listen} --state {STATE}")), "{place}: {words}");
    }
    let image = read("deploy/container/Dockerfile");
    let compose = read("deploy/compose.yaml");
    let chart = read("deploy/helm/stoker/templates/statefulset.yaml");
    let base = read("deploy/kubernetes/base/statefulset.yaml");
    for (file, text) in
        [("image", &image), ("compose", &compose), ("chart", &chart), ("base", &base)]
    {
        for fact in [PORT, STATE, &USER.to_string()] {
            assert!(text.contains(fact), "{file}: {fact}");
        }
    }
    // systemd names the directory below /var/lib, and gives it to the agent by itself.
    assert!(read("deploy/systemd/stoker.service").contains("\nStateDirectory=stoker\n"));
    let version = env!("CARGO_PKG_VERSION");
    let tag = format!("stoker:{version}");
    assert!(compose.contains(&tag) && base.contains(&tag));
    let facts = yaml("deploy/helm/stoker/Chart.yaml");
    assert_eq!([&facts["version"], &facts["appVersion"]], [version, version]);
    assert_eq!(
        yaml("deploy/kubernetes/example/kustomization.yaml")["images"][0]["newTag"],
        version
    );
}

/// The instructions of the image, with continued lines joined.
fn instructions() -> Vec<(String, String)> {
    let text = read("deploy/container/Dockerfile").replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let split = |line: &str| line.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()));
    lines.map(|line| split(line).unwrap()).collect()
}

#[test]
fn the_image_runs_as_nobody_from_a_pinned_base_and_holds_no_secret() {
    let mut stages: Vec<String> = Vec::new();
    let mut users: BTreeMap<usize, String> = BTreeMap::new();
    let allowed = read("deploy/container/Dockerfile.dockerignore");
    for (instruction, rest) in instructions() {
        match instruction.as_str() {
            "FROM" => {
                let mut words = rest.split_whitespace();
                let base = words.next().unwrap();
                let is_pinned = base.rsplit('/').next().is_some_and(|name| name.contains(':'));
                let is_stage = stages.iter().any(|stage| stage == base);
                let is_pinned = base == "scratch" || is_pinned && !base.contains("latest");
                assert!(is_stage || is_pinned, "{base}");
                stages.push(words.nth(1).unwrap_or_default().to_owned());
                // A stage begins as the user of the one it rests on.
                let below = stages.iter().position(|stage| stage == base);
                let user = below.and_then(|below| users.get(&below)).cloned();
                users.insert(stages.len() - 1, user.unwrap_or_else(|| "0:0".to_owned()));
            }
            "USER" => drop(users.insert(stages.len() - 1, rest)),
            "COPY" if !rest.starts_with("--from=") => {
                let words: Vec<&str> = rest.split_whitespace().collect();
                for source in &words[..words.len() - 1] {
                    assert!(root().join(source).exists(), "{source} is not there");
                    assert!(allowed.contains(&format!("\n!{source}\n")), "{source} is left out");
                }
            }
            "ENV" | "ARG" => {
                let words = ["TOKEN", "SECRET", "PASSWORD", "KEY"];
                assert!(!words.iter().any(|word| rest.contains(word)), "{instruction} {rest}");
            }
            "ENTRYPOINT" | "CMD" => {
                assert!(rest.starts_with('['), "a shell gets no signal: {rest}")
            }
            "LABEL" => {
                let version = format!("image.version=\"{}\"", env!("CARGO_PKG_VERSION"));
                assert!(rest.contains(&version), "{rest}");
            }
            "RUN" | "COPY" | "WORKDIR" | "VOLUME" | "EXPOSE" => {}
            other => panic!("{other} is not expected: ADD fetches, HEALTHCHECK needs a program"),
        }
    }
    assert_eq!(stages, ["build", "root", "agent", "ci", ""], "the last is what no target means");
    for stage in 2..stages.len() {
        assert_eq!(users[&stage], format!("{USER}:{USER}"), "{}", stages[stage]);
    }
    let rust = format!("rust:{}-", env!("CARGO_PKG_RUST_VERSION"));
    assert!(read("deploy/container/Dockerfile").contains(&rust), "the toolchain of Cargo.toml");
}

#[test]
fn the_unit_gives_the_agent_a_token_a_state_and_nothing_else() {
    let unit = read("deploy/systemd/stoker.service");
    let lines: BTreeSet<&str> = unit.lines().collect();
    for line in [
        "Type=notify",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "LoadCredential=token:/etc/stoker/token",
        "Environment=STACKBLAZE_TOKEN_FILE=%d/token",
        "StateDirectory=stoker",
        "DynamicUser=yes",
        "CapabilityBoundingSet=",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "SystemCallFilter=@system-service",
    ] {
        assert!(lines.contains(line), "{line}");
    }
    assert!(lines.iter().any(|line| line.starts_with("WatchdogSec=")));
    assert!(!unit.contains("ReadWritePaths="), "the state is all it writes");
}

#[test]
fn workflows_have_few_rights_and_run_nobody_elses_code() {
    for file in files().iter().filter(|file| file.contains("/workflows/")) {
        let (text, workflow) = (read(file), yaml(file));
        assert!(workflow["permissions"].is_object(), "{file}: all rights unless some are named");
        assert!(!text.contains("pull_request_target"), "{file}: secrets for everybody's code");
        assert!(!text.contains("write-all"), "{file}");
        for line in text.lines().filter_map(|line| line.split_once("uses: ").map(|(_, it)| it)) {
            let (action, version) = line.split_once('@').unwrap();
            let known = ["actions/checkout", "actions/cache", "OWNER/stoker/deploy/github"];
            // What a release hands from job to job, and the proof of where it was made.
            let of_release = ["upload-artifact", "download-artifact", "attest-build-provenance"];
            let is_known = known.contains(&action)
                || file.ends_with("/release.yml")
                    && of_release.iter().any(|name| action == format!("actions/{name}"));
            assert!(is_known && version.starts_with('v'), "{file}: {line}");
        }
    }
    let plan = &yaml("deploy/github/workflows/plan.yml")["permissions"];
    assert_eq!(*plan, serde_json::json!({"contents": "read", "pull-requests": "write"}));
    // Only the job that publishes may write, and it compiles nothing.
    let release = yaml(".github/workflows/release.yml");
    assert_eq!(release["permissions"], serde_json::json!({"contents": "read"}));
    assert!(release["jobs"]["build"]["permissions"].is_null());
    assert!(!release["jobs"]["publish"]["steps"].to_string().contains("cargo"));
    let apply = yaml("deploy/github/workflows/apply.yml");
    assert_eq!(apply["concurrency"]["cancel-in-progress"], false);
    let gitlab = yaml("deploy/gitlab/stoker.gitlab-ci.yml");
    assert!(gitlab["stoker:apply"]["resource_group"].is_string());
    // What a stranger can write, such as the title of a pull request, is never part of a script.
    for step in yaml("deploy/github/action.yml")["runs"]["steps"].as_array().unwrap() {
        assert!(!step["run"].as_str().unwrap_or_default().contains("${{"), "{step}");
    }
}

#[test]
fn a_release_is_named_as_it_is_looked_for_and_only_of_the_version_that_is_here() {
    assert!(read("deploy/release/build").contains("\nname=\"stoker-$version-$target\"\n"));
    let manifest = read("Cargo.toml");
    assert!(manifest.contains("v{ version }/stoker-{ version }-{ target }.tar.gz"));
    let notes = root().join("deploy/release/notes");
    let ran = Command::new(notes).arg("v0.0.0").output().unwrap();
    let told = String::from_utf8(ran.stderr).unwrap();
    let version = format!("Cargo.toml says {}", env!("CARGO_PKG_VERSION"));
    assert!(!ran.status.success() && told.contains(&version), "{told}");
}

/// Says why a test, or a part of one, had nothing to look at.
#[expect(clippy::print_stderr, reason = "whoever runs the tests must see what was not tested")]
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// Runs a program, where it is installed; says where it is not.
pub fn output(program: &Path, arguments: &[&str]) -> Option<String> {
    match Command::new(program).args(arguments).current_dir(root()).output() {
        Ok(ran) => {
            let (out, err) =
                (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
            assert!(ran.status.success(), "{}: {out}{err}", program.display());
            Some(out.into_owned())
        }
        Err(_) => {
            skipped(&format!("{} is not installed", program.display()));
            None
        }
    }
}

/// The metrics that a text names.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c == '_';
    let words = text.split(|c| !is_part(c)).filter(|word| word.starts_with("stoker_"));
    words.map(|word| word.strip_suffix("_bucket").unwrap_or(word).to_owned()).collect()
}

#[test]
fn the_rules_and_the_dashboard_ask_for_metrics_that_there_are() {
    let rows = read("docs/server.md");
    let rows = rows.lines().filter(|line| line.starts_with("| `stoker_"));
    let known: BTreeSet<String> = rows.flat_map(metrics_in).collect();
    for file in ["alerts.yaml", "alerts.test.yaml", "dashboard.json"] {
        let asked = metrics_in(&read(&format!("deploy/monitoring/{file}")));
        let unknown: Vec<_> = asked.difference(&known).collect();
        assert!(asked.len() > 5 && unknown.is_empty(), "{file}: {unknown:?}");
    }
}

#[test]
fn every_alert_says_what_to_look_at_and_is_tried() {
    let rules = &yaml("deploy/monitoring/alerts.yaml")["groups"][0]["rules"];
    let tried = read("deploy/monitoring/alerts.test.yaml");
    for rule in rules.as_array().unwrap() {
        let name = rule["alert"].as_str().unwrap();
        assert!(rule["annotations"]["description"].is_string(), "{name}");
        assert!(["warning", "critical"].contains(&rule["labels"]["severity"].as_str().unwrap()));
        let is_raised = tried.contains(&format!("alertname: {name}\n        exp_alerts:"));
        assert!(is_raised && tried.contains(&format!("alertname: {name} }}")), "{name}");
    }
}

#[test]
fn the_tools_that_are_here_find_nothing_wrong() {
    let Some(told) = output(&root().join("deploy/check"), &[]) else { return };
    told.lines().filter_map(|line| line.strip_prefix("skipped: ")).for_each(skipped);
    assert!(told.trim_end().ends_with("skipped"), "{told}");
}
