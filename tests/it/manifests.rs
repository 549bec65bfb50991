//! Manifests as users write them: each directory of `tests/fixtures/manifests` is a case, its
//! `expected.txt` what is said of `input/` and, when it is valid, what it is understood as.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use snapbox::Data;
use stoker::model::{
    Desired, Diagnostic, Entry, FieldPath, FieldValue, Inventory, Key, Kind, LiveObject, LiveValue,
    Name, Origin, RemoteId, Setting, Severity, ValueSource,
};
use stoker::secret::{self, Finders, FingerprintKey, FoundValues};
use stoker::source::Tree;
use stoker::{manifest, source};

fn directories(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

/// A finding as text: the line that logs show, then the piece of the file that is pointed at.
fn show(diagnostic: &Diagnostic) -> String {
    let mut text = format!("{diagnostic}\n");
    if let Some(snippet) = &diagnostic.snippet {
        let before = snippet.text[..snippet.span.start].chars().count();
        let width = snippet.text[snippet.span.clone()].chars().count().max(1);
        let marks = "^".repeat(width);
        text += &format!("    | {}\n    | {}{marks}\n", snippet.text, " ".repeat(before));
    }
    text
}

/// Reads a directory; returns the findings and the canonical form, free of the directory's name.
fn check(directory: &Path) -> String {
    let tree = source::load(&[directory.to_owned()], None).unwrap();
    let loaded = manifest::load(&tree);
    let mut text: String = loaded.diagnostics.iter().map(show).collect();
    let has_error = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
    assert_eq!(has_error, loaded.desired.is_none(), "{}", directory.display());
    if let Some(desired) = &loaded.desired {
        let printed = manifest::print(desired);
        text += "\n";
        text += printed.strip_prefix(manifest::SCHEMA_LINE).unwrap().trim_start();
    }
    text.replace(&format!("{}/", directory.display()), "")
}

#[test]
fn every_case_is_understood_or_refused_as_expected() {
    let cases = directories(Path::new("tests/fixtures/manifests"));
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    for case in cases {
        let expected = Data::read_from(&case.join("expected.txt"), None);
        snapbox::Assert::new()
            .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
            .eq(check(&case.join("input")), expected.raw());
    }
}

/// Every stack that a user is shown, with the number of services, databases and env groups.
const STACKS: [(&str, [usize; 3]); 4] = [
    ("manifests", [3, 1, 1]),
    ("examples/stacks/web-application", [1, 1, 0]),
    ("examples/stacks/shop", [12, 3, 2]),
    ("examples/stacks/blueprint-only", [2, 2, 1]),
];

#[test]
fn every_stack_shown_is_valid_without_a_warning_and_needs_no_environment() {
    let key = FingerprintKey::from_bytes([1; 32]);
    for (path, counts) in STACKS {
        let tree = source::load(&[PathBuf::from(path)], None).unwrap();
        let loaded = manifest::load(&tree);
        assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
        let declared = loaded.desired.unwrap();
        let found = FoundValues::of(&declared, &tree, &Finders::of_environment(&|_| None));
        let desired = secret::resolve(declared, &tree, &found, &key).unwrap();
        let count = |kind| desired.resources.keys().filter(|key| key.kind == kind).count();
        let found = [count(Kind::Service), count(Kind::Database), count(Kind::EnvGroup)];
        assert_eq!(found, counts, "{path}");
    }
    let directories = directories(Path::new("examples/stacks"));
    assert_eq!(directories.len() + 1, STACKS.len(), "a stack is not tested");
}

/// Each document of a text as JSON, by another reader than ours.
fn as_json(text: &str) -> Vec<serde_json::Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| serde::Deserialize::deserialize(document).unwrap())
        .filter(|value: &serde_json::Value| !value.is_null())
        .collect()
}

#[test]
fn the_schema_takes_every_stack_shown_and_refuses_what_is_wrong() {
    let schema = jsonschema::validator_for(&manifest::schema()).unwrap();
    for (path, _) in &STACKS[..3] {
        for file in source::load(&[PathBuf::from(path)], None).unwrap().files() {
            for document in as_json(std::str::from_utf8(&file.bytes).unwrap()) {
                let errors: Vec<String> =
                    schema.iter_errors(&document).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{}: {errors:?}", file.path);
            }
        }
    }
    for case in [
        "unknown-field",
        "missing-type",
        "port-out-of-range",
        "service-type",
        "unknown-version",
        "lifecycle-words",
        "missing-metadata",
        "name-with-capitals",
    ] {
        let path = format!("tests/fixtures/manifests/{case}/input/app.yaml");
        let documents = as_json(&std::fs::read_to_string(path).unwrap());
        assert!(documents.iter().any(|document| !schema.is_valid(document)), "{case}");
    }
}

/// What `validate` refuses, and a schema of one document cannot express, each with the reason.
const BEYOND_THE_SCHEMA: [(&str, &str); 16] = [
    ("cron", "the grammar of schedules, with the length of each month"),
    ("schedule", "which type has a schedule"),
    ("unknown-reference", "what other documents declare"),
    ("domain", "the grammar of names of hosts"),
    ("name", "what a name that is not the document's own may be"),
    ("duplicate-item", "a list as a set of texts"),
    ("duplicate-key", "a schema sees a mapping after it was read"),
    ("duplicate-variable", "a list as a mapping by its keys"),
    ("ignore-changes", "which fields a kind has"),
    ("previous-name", "a name that differs from another one"),
    ("reference-in-group", "a group is made of the same variables"),
    ("rotate-in-group", "the same"),
    ("two-values", "a variable has exactly one of its values"),
    ("malformed", "a reference with its `path` or `ref`"),
    ("missing-field", "the same"),
    ("unresolved-variable", "what stands for `${NAME}`"),
];

#[test]
fn the_schema_and_validate_agree_on_every_native_document_of_the_fixtures() {
    let schema = jsonschema::validator_for(&manifest::schema()).unwrap();
    let mut compared = 0;
    for case in directories(Path::new("tests/fixtures/manifests")) {
        for file in source::load(&[case.join("input")], None).unwrap().files() {
            let Ok(text) = std::str::from_utf8(&file.bytes) else { continue };
            // What is no YAML is no document, either.
            let documents = serde_yaml::Deserializer::from_str(text)
                .map_while(|it| <serde_json::Value as serde::Deserialize>::deserialize(it).ok());
            for document in documents.filter(|it| it.get("kind").is_some()) {
                let alone = document.to_string();
                let tree = Tree::from_texts([("alone.yaml", alone.as_str())]);
                let errors: Vec<_> = manifest::load(&tree)
                    .diagnostics
                    .into_iter()
                    .filter(|it| it.severity == Severity::Error)
                    .collect();
                let is_beyond =
                    |it: &Diagnostic| BEYOND_THE_SCHEMA.iter().any(|(code, _)| it.code == *code);
                let is_valid = schema.is_valid(&document);
                let agrees =
                    is_valid == errors.is_empty() || is_valid && errors.iter().any(is_beyond);
                assert!(agrees, "{}: {is_valid}, {errors:#?}", file.path);
                compared += 1;
            }
        }
    }
    assert!(compared > 90, "{compared}");
}

#[test]
fn the_schema_of_blueprints_and_validate_agree() {
    let schema = jsonschema::validator_for(&manifest::blueprint_schema()).unwrap();
    let (mut valid, mut unknown) = (0, 0);
    for case in directories(Path::new("tests/fixtures/manifests")) {
        for file in source::load(&[case.join("input")], None).unwrap().files() {
            let Ok(text) = std::str::from_utf8(&file.bytes) else { continue };
            let documents: Result<Vec<serde_json::Value>, _> =
                serde_yaml::Deserializer::from_str(text)
                    .map(<serde_json::Value as serde::Deserialize>::deserialize)
                    .collect();
            let is_blueprint = |it: &serde_json::Value| it.get("kind").is_none() && it.is_object();
            for document in documents.iter().flatten().filter(|it| is_blueprint(it)) {
                let alone = document.to_string();
                let tree = Tree::from_texts([("stackblaze.yaml", alone.as_str())]);
                let findings = manifest::load(&tree).diagnostics;
                let is_valid = schema.is_valid(document);
                let is_unknown = findings.iter().any(|it| it.code == "unknown-field");
                assert!(is_valid || !findings.is_empty(), "{}: {document}", file.path);
                assert!(!(is_valid && is_unknown), "{}: {findings:#?}", file.path);
                valid += usize::from(findings.is_empty());
                unknown += usize::from(is_unknown);
            }
        }
    }
    assert!(valid > 0 && unknown > 3, "{valid} {unknown}");
}

#[test]
fn the_schema_of_overlays_and_validate_agree() {
    let schema = jsonschema::validator_for(&manifest::overlay_schema()).unwrap();
    for overlay in ["small", "dev", "prod"] {
        let path = PathBuf::from(format!("examples/environments/overlays/{overlay}"));
        for file in source::load(&[path], None).unwrap().files() {
            for document in as_json(std::str::from_utf8(&file.bytes).unwrap()) {
                assert!(schema.is_valid(&document), "{}: {document}", file.path);
            }
        }
    }
    for (head, rest, is_taken) in [
        ("metadata: { name: a }", "spec: { port: 80, plan: null }", true),
        ("metadata: { name: a }", "lifecycle: { protect: true }", true),
        ("select: { tier: web }", "spec: { envVars: [{ key: A, value: null }] }", true),
        ("metadata: { name: a }", "omit: true", true),
        ("metadata: { name: a }", "omit: false", false),
        ("metadata: { name: a }", "omit: true\nspec: { plan: pro }", false),
        ("metadata: { name: a }", "omit: true\nlifecycle: { prune: true }", false),
        ("metadata: { name: a }\nselect: { tier: web }", "spec: { plan: pro }", false),
        ("select: web", "spec: { plan: pro }", false),
        ("select: {}", "spec: { plan: pro }", false),
        ("metadata: { labels: { a: b } }", "spec: { plan: pro }", false),
        ("metadata: { name: a }", "spec: { plam: pro }", false),
        ("metadata: { name: a }", "spec: { envVars: [{ value: a }] }", false),
    ] {
        let text = format!("kind: Service\n{head}\n{rest}\n");
        let document: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(schema.is_valid(&document), is_taken, "{text}");
        let base = "apiVersion: stackblaze.cloud/v1\nkind: Service\n\
            metadata: { name: a, labels: { tier: web } }\n\
            spec: { type: web, plan: x, envVars: [{ key: A, value: a }] }\n";
        let over = vec![("over".to_owned(), Tree::from_texts([("over.yaml", text.as_str())]))];
        let tree = Tree::from_texts([("base.yaml", base)]).with_overlays(over).unwrap();
        let loaded = manifest::load(&tree);
        assert_eq!(loaded.desired.is_some(), is_taken, "{text}{:#?}", loaded.diagnostics);
    }
}

/// Reads hostile text; returns the first finding, and makes sure that it is only one.
fn refuse(text: &str) -> String {
    let tree = Tree::from_texts([("bad.yaml", text)]);
    let loaded = manifest::load(&tree);
    assert!(loaded.desired.is_none());
    assert!(loaded.diagnostics.len() <= 201);
    loaded.diagnostics[0].to_string()
}

#[test]
fn a_bomb_of_aliases_is_refused_by_its_weight() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{inner}]\n");
    }
    assert!(refuse(&bomb).contains("more than 100000 nodes once its aliases are followed"));
    let merges = "a: &a { k: v }\nb: &b { <<: [".to_owned() + &"*a, ".repeat(60_000) + "*a] }\n";
    assert!(refuse(&merges).contains("more than 100000 nodes"));
}

#[test]
fn deep_nesting_is_refused_at_its_limit() {
    for open in ["[", "{a: ", "- ", "? "] {
        let finding = refuse(&open.repeat(100_000));
        let is_refused =
            finding.contains("nesting is deeper than 64") || finding.contains("yaml-syntax");
        assert!(is_refused, "{open}: {finding}");
    }
    let mut stairs = String::new();
    for depth in 0..1_000 {
        stairs += &format!("{}a:\n", " ".repeat(depth));
    }
    assert!(refuse(&stairs).contains("nesting is deeper than 64"));
    let chain = (1..100).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
        text + &format!("a{level}: &a{level} [*a{}]\n", level - 1)
    });
    assert!(refuse(&chain).contains("nesting is deeper than 64"));
}

#[test]
fn a_mapping_without_end_is_refused_at_its_limit() {
    let keys: String = (0..200_000).map(|index| format!("k{index}: v\n")).collect();
    assert!(refuse(&keys).contains("more than 100000 nodes"));
    let unknown: String = (0..40_000).map(|index| format!("k{index}: v\n")).collect();
    let text = format!("apiVersion: stackblaze.cloud/v1\nkind: Service\n{unknown}");
    assert!(refuse(&text).contains("unknown field"));
}

#[test]
fn a_long_chain_of_services_does_not_exhaust_the_stack() {
    let service = |index: usize| {
        format!(
            "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: s{index} }}\n\
             spec: {{ type: worker, envVars: [{{ key: P, fromService: {{ name: s{}, property: host }} }}] }}\n",
            index + 1
        )
    };
    let mut text: String = (0..5_000).map(service).collect();
    text += "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: s5000 }\nspec: { type: web }\n";
    let tree = Tree::from_texts([("chain.yaml", text.as_str())]);
    assert!(manifest::load(&tree).desired.is_some());
}

#[test]
fn an_empty_tree_declares_nothing_and_says_so() {
    let loaded = manifest::load(&Tree::from_texts([]));
    assert!(loaded.desired.unwrap().resources.is_empty());
    assert_eq!(loaded.diagnostics[0].code, "no-manifests");
}

#[test]
fn the_value_of_a_secret_stands_in_no_finding() {
    let variable = |entry: &str| {
        format!(
            "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: a }}\nspec:\n  type: web\n  envVars:\n    - {entry}\n"
        )
    };
    for entry in [
        "{ key: API_TOKEN, value: canary }",
        "{ key: API_TOKEN, value: canary, sync: false }",
        "{ key: API_TOKEN, value: 'canary ${X}' }",
        "{ key: API_TOKEN, value: [canary] }",
        "{ key: API_TOKEN, value: canary, value: canary }",
        "{ key: API_TOKEN, value: canary",
        "{ key: API_TOKEN, value: \"canary }",
        "{ value: canary }",
        "{ API_TOKEN: canary }",
        "{ key: API_TOKEN, valeu: x, value: canary }",
        "key: PEM\n      value: |\n        canary\n       canary\n      ]",
        "key: PEM\n      value:\n        canary: canary\n",
        "key: URL\n      value: postgres://me:canary@host/db\n",
    ] {
        let text = variable(entry);
        let tree = Tree::from_texts([("a.yaml", text.as_str())]);
        let loaded = manifest::load(&tree);
        assert!(!loaded.diagnostics.is_empty(), "{entry}");
        let shown = format!("{:?}", loaded.diagnostics);
        let told: String = loaded.diagnostics.iter().map(show).collect();
        assert!(!shown.contains("canary") && !told.contains("canary"), "{entry}: {told}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_a_panic(text in "[a-z:\\-\\[\\]{}&*!|>'\"%@`#?, \n\t<0-9~$\\\\]{0,200}") {
        let tree = Tree::from_texts([("a.yaml", text.as_str())]);
        let _findings = manifest::load(&tree).diagnostics;
    }

    #[test]
    fn any_change_of_one_byte_is_read_without_a_panic(at in 0usize..1200, with in any::<char>()) {
        let mut text: Vec<char> = FULL.chars().collect();
        let at = at % text.len();
        text[at] = with;
        let text: String = text.into_iter().collect();
        let tree = Tree::from_texts([("a.yaml", text.as_str())]);
        let loaded = manifest::load(&tree);
        if let Some(desired) = loaded.desired {
            assert_reads_back(&desired);
        }
    }

    #[test]
    fn any_text_as_a_value_reads_back_as_itself(value in value(), command in "[^\\x00-\\x1f\\x7f-\\u{9f}]{1,40}") {
        let mut desired = manifest::load(&Tree::from_texts([("a.yaml", FULL)])).desired.unwrap();
        for resource in desired.resources.values_mut() {
            for (path, field) in &mut resource.fields {
                let replacement = match path {
                    FieldPath::Env(key) if key.as_str() == "NODE_ENV" => value.clone(),
                    FieldPath::Setting(Setting::StartCommand) => command.clone(),
                    FieldPath::Env(_) | FieldPath::Setting(_) => continue,
                };
                field.value = ValueSource::Value(FieldValue::Text(replacement));
            }
        }
        assert_reads_back(&desired);
    }
}

const FULL: &str = include_str!("../fixtures/manifests/good-full/input/app.yaml");

/// Texts that YAML readers like to change, and any others.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[^\\x00]{0,60}",
        "[ \\n\\ta-z:#|>'\"$\\{\\}\\-]{0,40}",
        "(yes|NO|on|~|null|012|0o17|1e3|1_000|12:30:00|2026-01-15|\\.inf|<<|=|- a|\\? b|@x|`x|%x|!x|&a|\\*a)",
        // The edges of what YAML calls printable.
        "[\\x7f\\x85\\u{a0}\\u{d7ff}\\u{e000}\\u{feff}\\u{fffd}\\u{fffe}\\u{ffff}\\u{10000}\\u{1ffff}\\u{2028}]{1,3}",
        "([a-z ]{0,8}\\n){1,4}[a-z]{0,3}",
    ]
}

/// Prints, reads again, and compares everything but places.
pub fn assert_reads_back(desired: &Desired<ValueSource>) {
    let text = manifest::print(desired);
    let loaded = manifest::load(&Tree::from_texts([("a.yaml", text.as_str())]));
    let Some(again) = loaded.desired else {
        panic!("{text}\n{:#?}", loaded.diagnostics);
    };
    assert_eq!(without_places(&again), without_places(desired), "{text}");
    // Another reader understands the same variables.
    for document in as_json(&text) {
        let Some(variables) = document["spec"]["envVars"].as_array() else {
            continue;
        };
        let name = document["metadata"]["name"].as_str().unwrap();
        for variable in variables.iter().filter(|variable| !variable["value"].is_null()) {
            let key = variable["key"].as_str().unwrap();
            let path: FieldPath = format!("envVars.{key}").parse().unwrap();
            let resource = desired
                .resources
                .values()
                .find(|r| r.key.name.as_str() == name && r.fields.contains_key(&path));
            let ours = match &resource.unwrap().fields[&path].value {
                ValueSource::Value(FieldValue::Text(text)) => text.replace("${", "$${"),
                other => panic!("{other:?}"),
            };
            assert_eq!(variable["value"].as_str(), Some(ours.as_str()), "{text}");
        }
    }
}

fn without_places(desired: &Desired<ValueSource>) -> Desired<ValueSource> {
    let nowhere = || Origin { file: String::new(), line: 0, column: 0 };
    let mut desired = desired.clone();
    desired.digest = String::new();
    for resource in desired.resources.values_mut() {
        resource.origin = nowhere();
        resource.fields.values_mut().for_each(|field| field.origin = nowhere());
        resource.set_by_hand.values_mut().for_each(|origin| *origin = nowhere());
    }
    desired.tombstones.values_mut().for_each(|tombstone| tombstone.origin = nowhere());
    if let Some(guard) = &mut desired.guard {
        guard.origin = nowhere();
    }
    desired
}

#[test]
fn whatever_is_valid_among_the_cases_and_stacks_reads_back_as_itself() {
    let cases = directories(Path::new("tests/fixtures/manifests"));
    let inputs = cases.iter().map(|case| case.join("input"));
    let stacks = STACKS.iter().map(|(path, _)| PathBuf::from(path));
    for path in inputs.chain(stacks) {
        let tree = source::load(std::slice::from_ref(&path), None).unwrap();
        if let Some(desired) = manifest::load(&tree).desired {
            assert_reads_back(&desired);
        }
    }
}

#[test]
fn what_is_exported_hides_secrets_and_reads_back() {
    let shown = |text: &str| LiveValue::Shown(FieldValue::Text(text.to_owned()));
    let fields = [
        ("type", shown("web")),
        ("plan", LiveValue::Hidden),
        ("port", LiveValue::Shown(FieldValue::Integer(3000))),
        ("branch", LiveValue::Absent),
        ("envVars.LEVEL", shown("no")),
        ("envVars.API_TOKEN", shown("canary")),
        ("envVars.MASKED", LiveValue::Hidden),
        ("envGroups", LiveValue::Shown(FieldValue::Set(BTreeSet::from(["shared".to_owned()])))),
    ];
    let object = |name: &str, id: &str| LiveObject {
        kind: Kind::Service,
        id: RemoteId::new(id).unwrap(),
        name: name.to_owned(),
        created_at: None,
        status: None,
        url: None,
        replicas: None,
        fields: fields.iter().map(|(path, value)| (path.parse().unwrap(), value.clone())).collect(),
        shows_env: true,
    };
    let objects =
        [object("api", "1"), object("Bad Name", "2"), object("two", "3"), object("two", "4")];
    let (desired, diagnostics) = manifest::export(&objects, &Inventory::default());
    assert_eq!(diagnostics.len(), 2, "{diagnostics:?}");
    let text = manifest::print(&desired);
    assert!(!text.contains("canary"), "{text}");
    let expected = "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata:\n  name: api\nspec:\n  \
        type: web\n  port: 3000\n  envGroups:\n    - { name: shared, external: true }\n  envVars:\n    \
        - key: API_TOKEN\n      sync: false\n    - key: LEVEL\n      value: \"no\"\n    \
        - key: MASKED\n      sync: false\n";
    assert_eq!(text, format!("{}\n{expected}", manifest::SCHEMA_LINE));
    assert_reads_back(&desired);
}

#[test]
fn a_name_that_lives_twice_is_left_out_also_when_one_of_the_two_cannot_be_declared() {
    let object = |id: &str, kind: &str| LiveObject {
        kind: Kind::Service,
        id: RemoteId::new(id).unwrap(),
        name: "tidy".to_owned(),
        created_at: None,
        status: None,
        url: None,
        replicas: None,
        fields: [("type", kind)]
            .map(|(path, text)| {
                (path.parse().unwrap(), LiveValue::Shown(FieldValue::Text(text.to_owned())))
            })
            .into(),
        shows_env: false,
    };
    // A cron job whose schedule is not shown is no manifest.
    let (cron, web) = (object("1", "cron"), object("2", "web"));
    let (alone, _) = manifest::export(std::slice::from_ref(&cron), &Inventory::default());
    assert!(alone.resources.is_empty(), "{}", manifest::print(&alone));
    for objects in [[cron.clone(), web.clone()], [web, cron]] {
        let (desired, diagnostics) = manifest::export(&objects, &Inventory::default());
        assert!(desired.resources.is_empty(), "{}", manifest::print(&desired));
        let codes: Vec<&str> = diagnostics.iter().map(|it| it.code).collect();
        assert_eq!(codes, ["export-ambiguous"], "{diagnostics:?}");
    }
}

#[test]
fn a_setting_that_is_not_shown_is_exported_as_it_was_last_written() {
    let object = |name: &str, id: &str| LiveObject {
        kind: Kind::Service,
        id: RemoteId::new(id).unwrap(),
        name: name.to_owned(),
        created_at: None,
        status: None,
        url: None,
        replicas: None,
        fields: [("type", "cron"), ("plan", "pro")]
            .map(|(path, text)| {
                (path.parse().unwrap(), LiveValue::Shown(FieldValue::Text(text.to_owned())))
            })
            .into(),
        shows_env: false,
    };
    let entry = serde_json::json!({"id": "1", "createdAt": null, "claim": "created",
        "remembered": {}, "toleratedEnv": [], "dependsOn": [], "applied": {
            "type": {"text": "cron"}, "plan": {"text": "starter"}, "schedule": {"text": "0 2 * * *"},
            "port": {"integer": 80}, "envVars.KEY": {"secret": "mark"}, "envVars.A": {"text": "1"}}});
    let entry: Entry = serde_json::from_value(entry).unwrap();
    let key = Key::new(Kind::Service, Name::new("tidy").unwrap());
    let inventory = Inventory { entries: [(key, entry)].into(), ..Inventory::default() };
    let (desired, _) = manifest::export(&[object("tidy", "1")], &inventory);
    let text = manifest::print(&desired);
    assert!(text.contains("schedule: 0 2 * * *") && text.contains("port: 80"), "{text}");
    assert!(text.contains("plan: pro") && !text.contains("starter"), "{text}");
    assert!(!text.contains("KEY") && !text.contains("envVars"), "{text}");
    assert_reads_back(&desired);
    // Another object under the same name is not the one we wrote to.
    let (desired, _) = manifest::export(&[object("tidy", "2")], &inventory);
    assert!(!manifest::print(&desired).contains("schedule"));
}
