//! What Compose files become, rule by rule.

mod joined;
mod meant;
mod secrets;

use std::collections::BTreeMap;

use crate::import::{ForeignFile, ForeignFolder, Imported, import};
use crate::model::Diagnostic;

/// Imports files of which the first is a Compose file, and the others lie beside it.
fn of(files: &[(&str, &str)]) -> Result<Imported, Vec<Diagnostic>> {
    let beside: BTreeMap<&str, &str> = files[1..].iter().copied().collect();
    let read = |_: &str, path: &str| {
        let path = path.strip_prefix("./").unwrap_or(path);
        let text = (*beside.get(path)?).to_owned();
        Some(ForeignFile { path: path.to_owned(), text })
    };
    let folder = ForeignFolder { beside: &read, within: &|_| None, home: None };
    let (path, text) = files[0];
    import(&[ForeignFile { path: path.to_owned(), text: text.to_owned() }], &folder)
}

fn compose(text: &str) -> Result<Imported, Vec<Diagnostic>> {
    of(&[("compose.yaml", text)])
}

/// The documents of one service whose image is `a`, and of what else the file has.
#[track_caller]
fn documents(text: &str) -> String {
    match compose(text) {
        Ok(imported) => imported.print(),
        Err(findings) => panic!("{findings:#?}"),
    }
}

/// What is said, a line for each finding.
fn said(imported: &Result<Imported, Vec<Diagnostic>>) -> String {
    let findings = match imported {
        Ok(imported) => &imported.diagnostics,
        Err(findings) => findings,
    };
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

#[track_caller]
fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word}\n---\n{text}");
    }
}

fn variables(body: &str) -> String {
    format!("services:\n  web:\n    image: a\n    environment:\n{body}")
}

#[test]
fn a_web_service_with_its_databases() {
    let text = "\
services:
  web:
    build: ./app
    ports: ['8080:3000']
    environment:
      DATABASE_URL: postgres://shop:hush@db:5432/shop
      REDIS_HOST: cache
      REDIS_PORT: 6379
    depends_on: [db, cache]
    healthcheck: { test: 'curl -f http://localhost:3000/up', interval: 10s }
    volumes: ['files:/data', './src:/app']
    restart: always
  jobs:
    build: ./app
    command: [node, jobs.js, 'a b']
  db:
    image: postgres:16-alpine
    environment: { POSTGRES_USER: shop, POSTGRES_PASSWORD: hush, POSTGRES_DB: shop }
    volumes: ['db:/var/lib/postgresql/data']
  cache:
    image: redis:7
volumes: { db: , files: }
";
    let imported = compose(text).unwrap();
    insta::assert_snapshot!(imported.print());
    insta::assert_snapshot!("a_web_service_with_its_databases_says", said(&Ok(imported)));
}

#[test]
fn variables_are_replaced_in_values_after_yaml_and_the_result_is_text() {
    let text = variables("      A: ${N:-0123}\n      ${B}: x\n      C: $$5 and $$$${D}\n");
    has(&documents(&text), &["value: \"0123\"", "key: $${B}", "value: $5 and $$${D}"]);
}

#[test]
fn a_scalar_of_a_mapping_has_the_meaning_of_its_type_and_that_is_told() {
    let text =
        variables("      A: 0123\n      B: 1.10\n      C: yes\n      D: 12:30\n      E: '0123'\n");
    let imported = compose(&text);
    has(
        &documents(&text),
        &["value: \"83\"", "value: \"1.1\"", "value: \"yes\"", "\"12:30\"", "\"0123\""],
    );
    has(&said(&imported), &["compose.yaml:5:10: warning[changed-text]: `0123` is `83` to Compose"]);
    assert_eq!(said(&imported).matches("changed-text").count(), 2, "{}", said(&imported));
    let list = variables("      - A=0123\n      - B=1.10\n");
    has(&documents(&list), &["value: \"0123\"", "value: \"1.10\""]);
    assert_eq!(said(&compose(&list)), "");
}

#[test]
fn a_bare_date_is_refused_with_both_readings() {
    let refused = compose(&variables("      DAY: 2024-01-02\n"));
    assert!(refused.is_err());
    has(
        &said(&refused),
        &["error[date]", "in quotes for `2024-01-02`", "2024-01-02 00:00:00 +0000 UTC"],
    );
    has(&documents(&variables("      DAY: '2024-01-02'\n")), &["value: \"2024-01-02\""]);
}

#[test]
fn what_comes_from_outside_is_given_by_hand_and_never_empty() {
    let text = variables(
        "      A:\n      B: ${X}\n      C: ${Y:?the key of the shop}\n      D: ''\n      E: ${Z:-}\n",
    );
    let documents = documents(&text);
    has(
        &documents,
        &[
            "# to be set by hand: A, B, C",
            "- key: A\n      sync: false",
            "- key: D\n      value: \"\"",
        ],
    );
    has(
        &said(&compose(&text)),
        &["`A` comes from outside", "`B` needs a value for `X`", "`Y` (the key of the shop)"],
    );
    has(
        &self::documents(&variables("      - A\n      - B=\n")),
        &["- key: A\n      sync: false", "- key: B\n      value: \"\""],
    );
}

#[test]
fn a_key_alone_hides_the_value_of_a_file_and_a_missing_file_is_told() {
    let text =
        "services:\n  web:\n    image: a\n    env_file: [a.env, gone.env]\n    environment: [A]\n";
    let imported = of(&[("compose.yaml", text), ("a.env", "A=1\nB=2\nC\n")]);
    has(
        &said(&imported),
        &["`gone.env` does not exist here", "`A` comes from outside", "`C` comes from"],
    );
    has(
        &imported.unwrap().print(),
        &[
            "- key: A\n      sync: false",
            "- key: B\n      value: \"2\"",
            "- key: C\n      sync: false",
        ],
    );
}

#[test]
fn env_files_are_read_in_the_dialect_of_compose() {
    let text = "services:\n  web:\n    image: a:${TAG}\n    env_file: [{ path: a.env, required: false }]\n";
    let imported = of(&[
        ("compose.yaml", text),
        (".env", "TAG=1.2\n"),
        ("a.env", "A=pa$word1\nB=a#b\nC=$(id)\n"),
    ]);
    has(
        &said(&imported),
        &[
            "a.env:1:1: warning[env-file-dialect]: a `$`",
            "a.env:2:1: warning[env-file-dialect]: a `#`",
            "`A` needs a value for `word1`",
        ],
    );
    has(&imported.unwrap().print(), &["image: a:1.2", "value: a#b", "value: $(id)"]);
}

#[test]
fn a_text_command_is_cut_at_an_operator_and_so_refused_with_both_readings() {
    let service =
        |command: &str| format!("services:\n  web:\n    image: a\n    command: {command}\n");
    let refused = compose(&service("npm ci && npm start"));
    assert!(refused.is_err());
    has(
        &said(&refused),
        &[
            "compose.yaml:4:14: error[command]",
            "`npm ci` for what Compose runs",
            "for all of it in a shell",
        ],
    );
    for (command, expected) in [
        ("npm run 'a b'", "startCommand: npm run 'a b'"),
        ("[sh, -c, 'npm ci && npm start']", "startCommand: sh -c 'npm ci && npm start'"),
        ("sh -c 'echo $$HOME'", "startCommand: sh -c 'echo $HOME'"),
        ("~", "image: a"),
    ] {
        has(&documents(&service(command)), &[expected]);
    }
    assert!(!documents(&service("~")).contains("startCommand"));
    for cleared in ["''", "[]"] {
        has(&said(&compose(&service(cleared))), &["warning[cleared]"]);
    }
    let both = "services:\n  web:\n    image: a\n    entrypoint: [tini, --]\n    command: app -v\n";
    has(&documents(both), &["startCommand: tini -- app -v"]);
}

#[test]
fn services_of_inactive_profiles_are_listed_and_left_out() {
    let text = "services:\n  web: { image: a }\n  tools: { image: b, profiles: [dev] }\n";
    let imported = compose(text);
    has(
        &said(&imported),
        &["compose.yaml:3:3: warning[inactive-profile]: the service `tools`", "profile dev"],
    );
    assert!(!imported.unwrap().print().contains("tools"));
    let active = of(&[("compose.yaml", text), (".env", "COMPOSE_PROFILES=dev\n")]);
    has(&active.unwrap().print(), &["name: tools"]);
}

#[test]
fn extends_and_merges_are_followed() {
    let text = "\
x-base: &base { image: a, environment: { A: x, B: x } }
services:
  web: { <<: *base, ports: ['80'] }
  jobs: { extends: web, environment: { B: y }, command: jobs }
  far: { extends: { file: other.yaml, service: one } }
";
    let other = "services:\n  one: { image: far, profiles: [p] }\n";
    let imported = of(&[("compose.yaml", text), ("other.yaml", other)]);
    has(&said(&imported), &["the service `far` is left out"]);
    let documents = imported.unwrap().print();
    has(
        &documents,
        &["startCommand: jobs", "- key: A\n      value: x\n    - key: B\n      value: \"y\""],
    );
    let circle = compose("services:\n  a: { extends: b }\n  b: { extends: a }\n");
    has(&said(&circle), &["error[extends]", "in a circle"]);
}

#[test]
fn a_later_file_is_read_over_an_earlier_one() {
    let file =
        |path: &str, text: &str| ForeignFile { path: path.to_owned(), text: text.to_owned() };
    let files = [
        file(
            "compose.yaml",
            "services:\n  web:\n    image: a\n    command: [one, two]\n    environment: [A=1, B=2]\n    ports: ['80:80']\n",
        ),
        file(
            "compose.override.yaml",
            "services:\n  web:\n    command: [three]\n    environment: { B: 3, C: x }\n",
        ),
    ];
    let folder = ForeignFolder { beside: &|_, _| None, within: &|_| None, home: None };
    let documents = import(&files, &folder).unwrap().print();
    has(
        &documents,
        &[
            "startCommand: three",
            "key: A\n      value: \"1\"",
            "key: B\n      value: \"3\"",
            "key: C",
            "port: 80",
        ],
    );
}

#[test]
fn keys_given_twice_are_refused_and_what_is_not_known_is_listed() {
    let twice = compose("services:\n  web: { image: a }\n  web: { image: b }\n");
    has(&said(&twice), &["compose.yaml:3:3: error[duplicate-key]", "is in line 2"]);
    let unknown = compose(
        "version: '3'\nx-a: { b: c }\nservices:\n  web: { image: a, imagee: b, x-c: d, user: me }\nthing: { a: 1 }\n",
    );
    has(
        &said(&unknown),
        &[
            "`services.web.imagee` is unknown",
            "did you mean `image`?",
            "`services.web.user` cannot be carried over",
            "`thing.a` is unknown",
        ],
    );
    assert_eq!(said(&unknown).lines().count(), 3, "{}", said(&unknown));
}

#[test]
fn ports_say_which_is_served_and_to_whom() {
    let service = |ports: &str| format!("services:\n  web:\n    image: a\n    ports: {ports}\n");
    for (ports, expected) in [
        ("['8080:80']", "type: web\n  runtime: image\n  image: a\n  port: 80"),
        ("[3000]", "type: web\n  runtime: image\n  image: a\n  port: 3000"),
        ("[22:22]", "port: 22"),
        ("['127.0.0.1:5000:5001']", "type: worker\n  runtime: image\n  image: a\n  port: 5001"),
        ("['${P}:80/tcp']", "port: 80"),
        ("[':81']", "type: worker\n  runtime: image\n  image: a\n  port: 81"),
        ("['53:53/udp', '8000-8001:9000-9001']", "port: 9000"),
        ("[{ target: 82, published: 8080, mode: host }]", "port: 82"),
        ("['[::1]:90:91', '92']", "type: web\n  runtime: image\n  image: a\n  port: 92"),
    ] {
        has(&documents(&service(ports)), &[expected]);
    }
    has(
        &said(&compose(&service("['80:80', '443:443', '0:x']"))),
        &["port 443 cannot be carried over", "`x` is not a port"],
    );
}

#[test]
fn a_name_is_made_one_of_the_platform_and_references_follow() {
    let text = "\
services:
  Shop_Web: { image: a, environment: { DB_HOST: shop_db, DB_PORT: 5432, OTHER: x } }
  shop_db: { image: 'postgres:15', container_name: pg }
";
    let documents = documents(text);
    has(
        &documents,
        &[
            "name: shop-web",
            "fromDatabase:\n        name: shop-db\n        property: host",
            "property: port",
        ],
    );
    has(&said(&compose(text)), &["warning[name]: `Shop_Web` is not a name"]);
}

#[test]
fn the_text_none_is_a_command_and_the_list_turns_the_check_off() {
    let service = |test: &str| {
        format!(
            "services:\n  web: {{ image: a, ports: ['80'], healthcheck: {{ test: {test} }} }}\n"
        )
    };
    has(&said(&compose(&service("NONE"))), &["`NONE` is not a request to the service"]);
    has(&said(&compose(&service("[NONE]"))), &["decides whether a service is checked"]);
    has(&documents(&service("[CMD, wget, -q, 'http://localhost/up']")), &["healthCheckPath: /up"]);
}

#[test]
fn a_built_service_lies_in_the_repository_of_its_file() {
    let text = "services:\n  web: { build: { context: ../api, dockerfile: prod.Dockerfile, args: { A: b } } }\n  far: { build: 'https://github.com/a/b.git#main:dir' }\n  out: { build: ../../x }\n";
    let imported = of(&[("deploy/compose.yaml", text)]);
    has(
        &said(&imported),
        &["`services.web.build.args` cannot be carried over", "`../../x` is outside"],
    );
    let documents = imported.unwrap().print();
    has(
        &documents,
        &[
            "rootDir: api",
            "dockerfilePath: prod.Dockerfile",
            "repo: https://github.com/a/b.git\n  branch: main\n  rootDir: dir",
            "# `repo` is to be given",
        ],
    );
}
