//! What people have becomes documents that are valid, and what cannot be carried over is named: nothing of a file
//! is dropped without a word.

use proptest::prelude::*;
use stoker::import::{ForeignFile, ForeignFolder, Imported, import};
use stoker::manifest;
use stoker::model::Diagnostic;
use stoker::source::Tree;

use crate::commands::Machine;

const COMPOSE: &str = "\
services:
  web:
    build: .
    ports: ['8080:3000']
    environment: { DATABASE_URL: 'postgres://shop:hush@db/shop', NODE_ENV: production }
    depends_on: [db]
  db:
    image: postgres:16
    environment: { POSTGRES_USER: shop, POSTGRES_PASSWORD: hush, POSTGRES_DB: shop }
";

#[test]
fn a_folder_is_imported_and_what_comes_of_it_is_valid() {
    let machine = Machine::new();
    machine.write("compose.yaml", COMPOSE);
    machine.write("docker-compose.yml", "services: {}\n");
    let ran = machine.run("import");
    let ran = ran.says(0, &["docker-compose.yml is ignored", "kind: Database", "not-carried"]);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hush"), "{}", ran.stderr);
    assert!(ran.stdout.contains("property: connectionString"), "{}", ran.stdout);
    machine.write("out.yaml", &ran.stdout);
    machine.run("validate out.yaml --strict").says(0, &["Valid: 2 resources."]);
    machine.write("compose.override.yaml", "services: { web: { environment: { ADDED: x } } }\n");
    machine.run("import .").says(0, &["key: ADDED"]);
    let listed = machine.run("import compose.yaml -o json").says(0, &[]).json();
    assert_eq!(listed[0]["kind"], "Database");
}

#[test]
fn the_first_override_of_compose_is_read_whatever_the_first_file_is_called() {
    let machine = Machine::new();
    machine.write("compose.yaml", "services: { a: { image: a } }\n");
    machine.write("docker-compose.override.yml", "services: { a: { ports: ['82:82'] } }\n");
    machine.write("docker-compose.override.yaml", "services: { a: { ports: ['81:81'] } }\n");
    let aside = "docker-compose.override.yaml is ignored, because docker-compose.override.yml";
    machine.run("import").says(0, &["port: 82", aside]);
}

#[test]
fn a_named_pipe_is_no_file_and_nothing_waits_for_it() {
    let machine = Machine::new();
    let made = std::process::Command::new("mkfifo").arg(machine.path("compose.yaml")).status();
    assert!(made.unwrap().success());
    machine.run("import compose.yaml").says(65, &["it is not a file"]);
}

#[test]
fn what_is_built_lies_where_its_repository_has_it() {
    let machine = Machine::new();
    std::fs::create_dir_all(machine.path("repository/.git")).unwrap();
    std::fs::create_dir_all(machine.path("repository/sub")).unwrap();
    let text = "services: { a: { build: ./x }, b: { build: ../y }, c: { build: ../../z } }\n";
    machine.write("repository/sub/compose.yaml", text);
    let outside = "`../../z` is outside the repository";
    machine.run("import repository/sub").says(0, &["rootDir: sub/x", "rootDir: \"y\"", outside]);
}

#[test]
fn documents_are_written_beneath_a_folder_and_none_is_overwritten() {
    let machine = Machine::new();
    machine.write("compose.yaml", COMPOSE);
    machine.run("import --to manifests").says(0, &["2 files written below manifests."]);
    assert!(machine.read("manifests/services/web.yaml").contains("# `repo` is to be given"));
    machine.run("validate").says(0, &["Valid: 2 resources"]);
    machine.run("import --to manifests").says(1, &["it already exists; nothing was written"]);
}

#[test]
fn what_cannot_be_imported_is_refused_with_its_place() {
    let machine = Machine::new();
    machine.run("import").says(65, &["there is nothing to import", "looked for"]);
    machine.run("import gone.yaml").says(65, &["failed to read gone.yaml"]);
    machine.write("nomad.hcl", "job \"a\" {}\n");
    machine
        .run("import nomad.hcl")
        .says(65, &["`nomad.hcl` is not in a format that can be imported"]);
    machine.write("compose.yaml", "services:\n  web:\n    image: a\n    command: a && b\n");
    machine
        .run("import")
        .says(65, &["error[command]", "compose.yaml:4:14", "failed to import: 1 error"]);
    let refused = machine.run("import -o json").says(65, &[]).json();
    assert_eq!(refused["error"]["code"], "manifests");
    machine.run("import -o markdown").says(65, &[]);
}

#[test]
fn files_outside_of_the_folder_are_not_read() {
    let machine = Machine::new();
    std::fs::create_dir(machine.path("app")).unwrap();
    machine.write("secret.env", "A=stolen\n");
    let text =
        "services:\n  web:\n    image: a\n    env_file: [../secret.env, /etc/hostname, in.env]\n";
    machine.write("app/compose.yaml", text);
    machine.write("app/in.env", "B=read\n");
    let ran = machine.run("import app").says(0, &["value: read", "`../secret.env` is outside"]);
    assert!(!ran.stdout.contains("stolen"), "{}", ran.stdout);
}

#[test]
fn a_blueprint_is_imported_as_it_is_converted() {
    let machine = Machine::new();
    machine.write("render.yaml", "services:\n  - { type: web, name: api, runtime: node }\n");
    let converted = machine.run("convert render.yaml").says(0, &[]).stdout;
    assert_eq!(machine.run("import render.yaml").says(0, &[]).stdout, converted);
}

#[test]
fn a_field_is_explained_from_the_schema() {
    let machine = Machine::new();
    machine.run("explain service.spec.port").says(0, &["Service.spec.port", "a whole number"]);
    machine.run("explain svc.spec.port").says(0, &["Service.spec.port"]);
    machine.run("explain Service.spec.prot").says(64, &["did you mean `port`?"]);
    machine.run("explain service.port").says(64, &["did you mean `Service.spec.port`?"]);
    let schema = machine.run("explain EnvGroup -o json").says(0, &[]).json();
    assert_eq!(schema["properties"]["kind"]["const"], "EnvGroup");
}

/// A value of a drawn file. Each leaf holds a word that stands nowhere else.
#[derive(Clone, Debug)]
enum Drawn {
    Leaf(&'static str),
    List(Vec<Drawn>),
    Map(Vec<(&'static str, Drawn)>),
}

use Drawn::{Leaf, List, Map};

/// Words of a service, with values of the forms that they have. `@` is replaced by a word of its own.
fn words() -> Vec<(&'static str, Drawn)> {
    vec![
        ("image", Leaf("@")),
        ("image", Leaf("postgres:16")),
        ("build", Leaf("./@")),
        (
            "build",
            Map(vec![("context", Leaf("@")), ("dockerfile", Leaf("@")), ("target", Leaf("@"))]),
        ),
        (
            "build",
            Map(vec![("args", List(vec![Leaf("A=@")])), ("cache_from", List(vec![Leaf("@")]))]),
        ),
        ("command", Leaf("run @ --with '@'")),
        ("command", List(vec![Leaf("@"), Leaf("@")])),
        ("entrypoint", List(vec![Leaf("@")])),
        (
            "environment",
            Map(vec![("A", Leaf("@")), ("POSTGRES_DB", Leaf("@")), ("B", Leaf("${X}@"))]),
        ),
        (
            "environment",
            List(vec![Leaf("A=@"), Leaf("POSTGRES_USER=@"), Leaf("POSTGRES_PASSWORD=@")]),
        ),
        ("env_file", List(vec![Leaf("@"), Map(vec![("path", Leaf("@")), ("format", Leaf("@"))])])),
        (
            "ports",
            List(vec![Leaf("'80:80'"), Map(vec![("target", Leaf("81")), ("name", Leaf("@"))])]),
        ),
        ("expose", List(vec![Leaf("'90'")])),
        ("volumes", List(vec![Leaf("@:/@"), Leaf("./@:/@:ro"), Leaf("/@")])),
        (
            "volumes",
            List(vec![Map(vec![
                ("type", Leaf("volume")),
                ("source", Leaf("@")),
                ("target", Leaf("/@")),
                ("volume", Map(vec![("subpath", Leaf("@"))])),
            ])]),
        ),
        ("healthcheck", Map(vec![("test", Leaf("@")), ("interval", Leaf("@"))])),
        (
            "healthcheck",
            Map(vec![("test", List(vec![Leaf("CMD"), Leaf("http://localhost:80/@")]))]),
        ),
        (
            "deploy",
            Map(vec![
                ("replicas", Leaf("2")),
                ("resources", Map(vec![("limits", Map(vec![("cpus", Leaf("@"))]))])),
            ]),
        ),
        ("depends_on", Map(vec![("other", Map(vec![("condition", Leaf("@"))]))])),
        ("labels", List(vec![Leaf("a=@")])),
        ("logging", Map(vec![("driver", Leaf("@")), ("options", Map(vec![("a", Leaf("@"))]))])),
        ("networks", Map(vec![("inner", Map(vec![("aliases", List(vec![Leaf("@")]))]))])),
        ("restart", Leaf("on-failure:@")),
        ("user", Leaf("@")),
        ("thing", Map(vec![("of", List(vec![Leaf("@"), Map(vec![("nobody", Leaf("@"))])]))])),
    ]
}

/// A file as text, and where each of its words may be told of: its line, and those it lies below.
#[derive(Default)]
struct Written {
    text: String,
    line: usize,
    words: Vec<(String, Vec<usize>)>,
}

impl Written {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
        self.line += 1;
    }

    /// Writes a value behind what begins its line.
    fn value(&mut self, begin: &str, value: &Drawn, indent: usize, above: &[usize]) {
        let mut lines = above.to_vec();
        lines.push(self.line + 1);
        let blank = " ".repeat(indent);
        match value {
            Leaf(pattern) => {
                let mut text = String::new();
                for (number, part) in pattern.split('@').enumerate() {
                    if number > 0 {
                        let word = format!("word{}x", self.words.len());
                        text.push_str(&word);
                        self.words.push((word, lines.clone()));
                    }
                    text.push_str(part);
                }
                self.put(&format!("{begin} {text}"));
            }
            List(items) => {
                self.put(begin);
                items
                    .iter()
                    .for_each(|item| self.value(&format!("{blank}  -"), item, indent + 4, &lines));
            }
            Map(entries) => {
                self.put(begin);
                // A mapping in a list stands where its first key does.
                lines.push(self.line + 1);
                for (key, value) in entries {
                    self.value(&format!("{blank}  {key}:"), value, indent + 2, &lines);
                }
            }
        }
    }
}

fn of(text: &str) -> Result<Imported, Vec<Diagnostic>> {
    let file = ForeignFile { path: "compose.yaml".to_owned(), text: text.to_owned() };
    import(&[file], &ForeignFolder { beside: &|_, _| None, within: &|_| None, home: None })
}

proptest! {
    #[test]
    fn every_leaf_of_a_compose_file_is_carried_or_named(
        chosen in proptest::collection::vec(proptest::sample::subsequence(words(), 0..=12), 1..4),
    ) {
        let mut written = Written::default();
        written.put("services:");
        for (number, words) in chosen.iter().enumerate() {
            written.put(&format!("  s{number}:"));
            let mut seen = Vec::new();
            for (key, value) in words {
                if !seen.contains(key) {
                    seen.push(*key);
                    written.value(&format!("    {key}:"), value, 4, &[]);
                }
            }
            if !seen.contains(&"image") && !seen.contains(&"build") {
                written.put("    image: plain");
            }
        }
        written.value("volumes:", &Map(vec![("v", Map(vec![("driver", Leaf("@"))]))]), 0, &[]);
        let imported = match of(&written.text) {
            Ok(imported) => imported,
            Err(findings) => return Err(TestCaseError::fail(format!("{}\n{findings:#?}", written.text))),
        };
        let documents = imported.print();
        for (word, lines) in &written.words {
            let is_named = || imported.diagnostics.iter().any(|finding| {
                finding.origin.as_ref().is_some_and(|origin| lines.contains(&origin.line))
            });
            prop_assert!(documents.contains(word) || is_named(), "{word}\n{}\n{documents}", written.text);
        }
        let tree = Tree::from_texts([("a.yaml", documents.as_str())]);
        prop_assert!(manifest::load(&tree).desired.is_some(), "{documents}");
    }

    #[test]
    fn whatever_stands_in_a_file_ends_in_documents_or_in_findings(text in "[ -~\n]{0,200}") {
        for path in ["compose.yaml", "Procfile", "app.json", "a.yaml"] {
            let file = ForeignFile { path: path.to_owned(), text: text.clone() };
            let env = ForeignFile { path: ".env".to_owned(), text: text.clone() };
            let folder = ForeignFolder { beside: &|_, _| Some(env.clone()), within: &|_| None, home: None };
            let _ = import(&[file], &folder);
            let service = format!("services:\n  a: {{ image: b, env_file: x, command: {text:?} }}\n");
            let file = ForeignFile { path: "compose.yaml".to_owned(), text: service };
            let _ = import(&[file], &folder);
        }
    }
}
