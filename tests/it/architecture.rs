//! The house keeps its shape: who may import whom, and which words may not stand where.
//!
//! When one of these fails, the design is asking a question. Answer it before editing the table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the order data flows, each with the rooms it may import. A row names only rows
/// above it, so there is no cycle.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("clock", &[]),
    ("owner", &[]),
    ("emulator", &[]),
    ("budget", &[]),
    ("ledger", &["clock", "owner", "budget"]),
    ("source", &["model"]),
    ("manifest", &["model", "source"]),
    ("import", &["model", "source", "manifest"]),
    ("secret", &["model", "owner", "source"]),
    ("plan", &["model"]),
    ("render", &["model", "plan"]),
    ("status", &["model", "plan", "render"]),
    ("rules", &["model", "plan", "render"]),
    ("api", &["model", "clock", "budget", "ledger"]),
    ("remote", &["model", "status", "api"]),
    ("sandbox", &["clock", "api", "emulator"]),
    ("shared", &[]),
    ("etcd", &["model", "api", "shared"]),
    ("store", &["model", "owner", "shared"]),
    ("follow", &["model", "clock", "plan", "api"]),
    ("apply", &["model", "clock", "plan", "api", "store", "follow"]),
    ("reconcile", &["model", "clock", "plan", "api"]),
    (
        "project",
        &[
            "model",
            "clock",
            "budget",
            "ledger",
            "plan",
            "api",
            "store",
            "follow",
            "apply",
            "reconcile",
        ],
    ),
    ("telemetry", &["model", "clock", "render"]),
    (
        "daemon",
        &[
            "model",
            "clock",
            "budget",
            "source",
            "manifest",
            "secret",
            "plan",
            "render",
            "status",
            "rules",
            "api",
            "store",
            "follow",
            "apply",
            "reconcile",
            "project",
        ],
    ),
    (
        "simulation",
        &[
            "model", "clock", "emulator", "budget", "ledger", "source", "manifest", "secret",
            "plan", "render", "status", "rules", "api", "sandbox", "store", "apply", "project",
            "daemon",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "clock",
            "owner",
            "emulator",
            "budget",
            "ledger",
            "source",
            "manifest",
            "import",
            "secret",
            "plan",
            "render",
            "status",
            "rules",
            "api",
            "remote",
            "sandbox",
            "shared",
            "etcd",
            "store",
            "follow",
            "apply",
            "reconcile",
            "project",
            "telemetry",
            "daemon",
            "simulation",
        ],
    ),
];

/// Rooms that decide: told everything, touching nothing.
const PURE: &[&str] = &["model", "budget", "import", "plan", "render", "status"];

/// Words of a world that pure rooms do not have.
const IMPURE_WORDS: &[&str] = &[
    "async ",
    ".await",
    "std::fs",
    "std::net",
    "std::env",
    "std::time::Instant",
    "SystemTime",
    "Timestamp::now",
    "tokio::",
    "tracing::",
    "println!",
    "eprintln!",
    "getrandom",
    "HashMap",
    "HashSet",
];

/// The files that may name the right to write.
const WRITERS: &[&str] = &["src/api/", "src/apply", "src/cli/", "src/lib.rs"];

/// Files past 400 lines, each with its reason.
const LONG_FILES: &[(&str, &str)] =
    &[("src/manifest/schema.rs", "one declaration for each field with its documentation")];

/// Past this a file owes a reason.
const LINES_MAX: usize = 400;

struct File {
    path: String,
    room: String,
    text: String,
    /// The text without comments and without its test module.
    code: String,
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    walk(&root.join("src"), &mut paths);
    paths.sort();
    let file = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let room = path["src/".len()..].split(['/', '.']).next().unwrap().to_owned();
        let is_test = path.contains("/tests") || path.ends_with("_tests.rs");
        let code = if is_test { String::new() } else { code_of(&text) };
        File { path, room, text, code }
    };
    paths.into_iter().map(file).collect()
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn code_of(text: &str) -> String {
    let body = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text);
    let lines = body.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The rooms a text names as `crate::room`.
fn imports(code: &str) -> BTreeSet<String> {
    let after = code.split("crate::").skip(1);
    let name = |rest: &str| {
        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    after.map(name).collect()
}

#[test]
fn a_room_imports_only_rooms_above_it() {
    let mut above = BTreeSet::new();
    for (room, allowed) in ROOMS {
        for other in *allowed {
            assert!(above.contains(other), "{room} may import {other}, which stands below it");
        }
        above.insert(*room);
    }
    let table: BTreeMap<_, _> = ROOMS.iter().copied().collect();
    for file in files() {
        if matches!(file.room.as_str(), "lib" | "main") {
            continue;
        }
        let allowed = table.get(file.room.as_str());
        let allowed = allowed.unwrap_or_else(|| panic!("{} is in no room of the table", file.path));
        for other in imports(&file.code) {
            let is_allowed = other == file.room || allowed.contains(&other.as_str());
            assert!(is_allowed, "{} imports {other}, which {} may not", file.path, file.room);
        }
    }
}

/// Reads the last column of a row of the map: rooms, `all above`, or all but those named.
fn drawn<'a>(cell: &'a str, above: &[&'a str]) -> BTreeSet<&'a str> {
    let Some(exceptions) = cell.strip_prefix("all above") else {
        return cell.split_whitespace().filter(|word| *word != "–").collect();
    };
    let left_out: Vec<&str> = exceptions.split_whitespace().collect();
    above.iter().copied().filter(|room| !left_out.contains(room)).collect()
}

#[test]
fn the_map_draws_the_house_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let map = fs::read_to_string(path).unwrap();
    let mut above: Vec<&str> = Vec::new();
    for row in map.lines().filter_map(|line| line.strip_prefix("| [`")) {
        let (room, rest) = row.split_once("`]").unwrap();
        let cell = rest.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap();
        let (expected, allowed) = ROOMS[above.len()];
        assert_eq!(room, expected, "the map has other rooms, or another order");
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert_eq!(drawn(cell, &above), allowed, "what {room} may import");
        above.push(room);
    }
    assert_eq!(above.len(), ROOMS.len(), "the map lacks a room");
}

#[test]
fn pure_rooms_name_nothing_of_the_world() {
    for file in files().iter().filter(|file| PURE.contains(&file.room.as_str())) {
        for word in IMPURE_WORDS {
            assert!(!file.code.contains(word), "{} is pure and names `{word}`", file.path);
        }
    }
}

#[test]
fn only_who_may_write_names_the_writer() {
    for file in files() {
        let may = WRITERS.iter().any(|place| file.path.starts_with(place));
        let names = file.code.split(|c: char| !c.is_alphanumeric() && c != '_');
        let is_named = names.into_iter().any(|word| word == "Writer");
        assert!(may || !is_named, "{} names `Writer`", file.path);
    }
    let plan = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/plan.rs"));
    assert!(!plan.unwrap().contains("Writer"), "`stoker plan` was handed the right to write");
}

#[test]
fn every_file_opens_by_saying_what_it_is_for() {
    for file in files() {
        assert!(file.text.starts_with("//! "), "{} lacks its head", file.path);
    }
}

#[test]
fn files_stay_short() {
    let reasons: BTreeMap<_, _> = LONG_FILES.iter().copied().collect();
    for file in files() {
        let lines = file.text.lines().count();
        let is_short = lines <= LINES_MAX || reasons.contains_key(file.path.as_str());
        assert!(is_short, "{} has {lines} lines; past 400 it owes a reason", file.path);
    }
}

#[test]
fn one_place_names_each_guarded_library() {
    let guarded = [
        ("serde_yaml::", "src/manifest/yaml"),
        ("saphyr_parser::", "src/manifest/yaml"),
        ("backoff::", "src/budget/backoff.rs"),
        ("reqwest::", "src/api/"),
        ("cel::", "src/rules/"),
        ("annotate_snippets::", "src/render/diagnostic.rs"),
        ("notify::", "src/daemon/trigger/watches.rs"),
        ("lettre::", "src/daemon/notify/mail.rs"),
        ("minijinja::", "src/daemon/notify/template.rs"),
        ("println!", "src/cli/output.rs"),
    ];
    for file in files() {
        for (name, place) in guarded {
            let words = file.code.match_indices(name).any(|(at, _)| {
                !file.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
            });
            assert!(!words || file.path.starts_with(place), "{} names `{name}`", file.path);
        }
    }
}

#[test]
fn the_environment_is_read_in_one_place() {
    for file in files() {
        let reads = ["env::var", "env::vars", "env::args"].iter().any(|w| file.code.contains(w));
        let is_place = file.path == "src/cli/environment.rs";
        assert!(!reads || is_place, "{} reads the environment", file.path);
    }
}

/// Reads the page.
fn map() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap()
}

#[test]
fn each_question_is_asked_once() {
    let map = map();
    let (_, section) = map.split_once("## Where what is decided").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")).skip(1);
    let (mut questions, mut answers) = (BTreeSet::new(), BTreeSet::new());
    for row in rows {
        let (question, answer) = row.split_once(" | ").unwrap();
        assert!(questions.insert(question), "asked twice: {question}");
        assert!(answers.insert(answer), "answered twice alike: {answer}");
    }
    assert!(questions.len() > 25, "{questions:?}");
}

#[test]
fn the_map_says_of_libraries_what_holds() {
    let map = map();
    for place in [
        "YAML in `manifest/yaml*`",
        "`reqwest` in `api`",
        "`cel` in `rules`",
        "`backoff` in `budget/backoff.rs`",
        "`notify` in `daemon/trigger/watches.rs`",
        "snippets in `render/diagnostic.rs`",
        "`lettre` in `daemon/notify/mail.rs`",
        "`minijinja` in `daemon/notify/template.rs`",
        "printing in `cli/output.rs`",
    ] {
        assert!(map.contains(place), "the map lacks: {place}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(map.contains("| `tower-http`, `anstream`, `yaml-edit` | None of them |"));
    for name in ["tower-http", "anstream", "yaml-edit"] {
        let declared = manifest.lines().any(|line| line.starts_with(&format!("{name} =")));
        assert!(!declared, "{name} was decided against, and is a dependency");
    }
    let waits = fs::read_to_string(root.join("src/budget/backoff.rs")).unwrap();
    assert!(map.contains("| The `backoff` package gives the waits | Only its trait is used |"));
    let used = waits.lines().filter(|line| line.starts_with("use backoff::"));
    assert_eq!(used.collect::<Vec<_>>(), ["use backoff::backoff::Backoff;"]);
}

#[test]
fn the_map_says_of_numbers_what_holds() {
    let map = map();
    for (said, holds) in [
        (
            "leaves within two seconds of the look's answer or not at all",
            stoker::api::LOOK_AGE_MAX.as_secs_f64() < 2.0,
        ),
        ("A third such round is the last.", stoker::api::ROUNDS_MAX == 3),
        ("lists are read again every ten seconds", stoker::plan::LIST_SECONDS_MAX == 10),
        ("the exit code is 7", stoker::cli::Exit::Stale.code() == 7),
        ("was edited, and is refused with 5", stoker::cli::Exit::Refused.code() == 5),
    ] {
        assert!(map.contains(said), "the map lacks: {said}");
        assert!(holds, "the map says: {said}");
    }
}

#[test]
fn what_is_yet_to_come_is_not_half_there() {
    let map = map();
    assert!(map.contains("`fmt`"));
    let commands = files();
    let commands = commands.iter().find(|file| file.path == "src/cli/arguments.rs").unwrap();
    let is_declared = commands.code.lines().any(|line| line.trim_start().starts_with("Fmt"));
    assert!(!is_declared, "`fmt` is a command, and the map says that it is yet to come");
}
