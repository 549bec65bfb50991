//! What several files and services are together.

use super::*;

/// Imports files that are named; the first lies in `x`, where everything else is looked for.
#[track_caller]
fn named(files: &[(&str, &str)], beside: &[(&str, &str)]) -> (String, String) {
    let file =
        |(path, text): &(&str, &str)| ForeignFile { path: (*path).into(), text: (*text).into() };
    let read = |file: &str, path: &str| {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let whole = format!("{folder}/{path}");
        let found = beside.iter().find(|(known, _)| *known == whole)?;
        Some(ForeignFile { path: whole, text: found.1.to_owned() })
    };
    let within = |file: &str| file.rsplit_once('/').map(|(folder, _)| format!("top/{folder}"));
    let folder = ForeignFolder { beside: &read, within: &within, home: None };
    let files: Vec<ForeignFile> = files.iter().map(file).collect();
    let imported = import(&files, &folder);
    (said(&imported), imported.map(|imported| imported.print()).unwrap_or_default())
}

#[test]
fn the_short_form_of_one_file_and_the_long_one_of_another_are_joined() {
    let (said, documents) = named(
        &[
            ("x/a.yaml", "services: { a: { build: ./app, env_file: e1 } }\n"),
            ("x/compose.b.yaml", "services: { a: { build: { dockerfile: D }, env_file: [e2] } }\n"),
        ],
        &[("x/e1", "E1=1\n"), ("x/e2", "E2=2\n")],
    );
    has(&documents, &["rootDir: top/x/app", "dockerfilePath: D", "key: E1", "key: E2"]);
    assert_eq!(said, "");
    let extended =
        "services:\n  b: { extends: a, build: { dockerfile: D } }\n  a: { build: ./app }\n";
    assert_eq!(self::documents(extended).matches("rootDir: app").count(), 2);
}

#[test]
fn paths_of_every_file_are_relative_to_the_first() {
    let (_, documents) = named(
        &[
            ("x/compose.yaml", "services: { a: { image: a, env_file: e } }\n"),
            ("y/compose.prod.yaml", "services: { a: { env_file: [f], build: ../bb } }\n"),
        ],
        &[("x/e", "E=x\n"), ("x/f", "F=right\n"), ("y/f", "F=wrong\n")],
    );
    has(&documents, &["key: E", "value: right", "rootDir: top/bb"]);
}

#[test]
fn a_host_with_a_port_is_a_reference_where_that_port_is_served() {
    let text = "\
services:
  be: { build: . }
  mi: { image: minio, ports: ['9001:9001'] }
  a: { image: a, environment: { BE: 'be:9091', SAME: 'mi:9001', OTHER: 'mi:9000' } }
";
    let (documents, said) = (documents(text), said(&compose(text)));
    has(
        &documents,
        &[
            "key: BE\n      fromService:\n        name: be\n        property: hostport",
            "key: SAME\n      fromService",
            "key: OTHER\n      value: mi:9000",
            "runtime: docker\n  port: 9091",
        ],
    );
    has(&said, &["service/be is assumed to serve port 9091", "`OTHER` names service/mi"]);
}

#[test]
fn a_shared_volume_and_a_service_that_ends_are_named() {
    let text = "\
services:
  migrate: { image: app, entrypoint: [migrate] }
  web:
    image: app
    volumes: ['media:/m']
    depends_on: { migrate: { condition: service_completed_successfully } }
  jobs: { image: app, volumes: [{ type: volume, source: media, target: /m }] }
";
    let said = said(&compose(text));
    has(&said, &["`media` is shared by several services", "`migrate` exits by itself"]);
    assert_eq!(said.matches("warning[shared-volume]").count(), 2, "{said}");
    has(&documents(text), &["# it exits by itself"]);
}

#[test]
fn a_command_without_an_entrypoint_is_arguments_of_an_image() {
    let told = |service: &str| {
        let text = format!("services:\n  a: {{ {service} }}\n");
        said(&compose(&text)).contains("warning[entrypoint]")
    };
    assert!(told("image: a, command: serve"));
    assert!(told("build: ., command: [--serve]"));
    assert!(!told("build: ., command: serve"));
    assert!(!told("image: a, entrypoint: [tini], command: serve"));
}
