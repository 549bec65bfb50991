//! What is no value of its place.

use super::*;

#[test]
fn a_value_of_another_form_is_an_error_and_never_dropped() {
    for service in [
        "environment: A=b",
        "environment: { A: { b: c } }",
        "environment: [[A]]",
        "environment: [{ A: b }]",
        "ports: '80:80'",
        "ports: { a: b }",
        "volumes: 'x:/y'",
        "volumes: { x: y }",
        "healthcheck: curl",
        "healthcheck: [curl]",
        "deploy: 3",
        "expose: 80",
        "build: [x]",
        "profiles: dev",
        "command: { a: b }",
        "depends_on: web",
        "restart: [always]",
        "env_file: { path: x }",
    ] {
        let text = format!("services:\n  a: {{ image: a, {service} }}\n");
        let refused = compose(&text);
        assert!(refused.is_err(), "{service}");
        has(&said(&refused), &["compose.yaml:2:", "error[wrong-type]"]);
    }
}

#[test]
fn a_service_of_nothing_has_no_source() {
    for service in ["{}", "", "{ image: '' }"] {
        let refused = compose(&format!("services:\n  a: {service}\n  b: {{ image: b }}\n"));
        has(&said(&refused), &["compose.yaml:2:", "error[no-source]"]);
    }
}

#[test]
fn what_cannot_be_read_as_it_is_meant_is_named() {
    let env = "COMPOSE_FILE=other.yaml\n";
    let text = "services:\n  a: { image: a, environment: { TOOLS_HOST: tools } }\n  tools: { image: b, profiles: [dev] }\n";
    let told = said(&of(&[("compose.yaml", text), (".env", env)]));
    has(&told, &["`COMPOSE_FILE` names the files", "`TOOLS_HOST` names service/tools"]);
    for (text, words) in [
        ("services: { a: { image: a, ports: !reset [] } }\n", "the import does not"),
        ("services: { a: { image: a, profiles: [b] } }\n", "error[empty-import]"),
        ("apiVersion: v1\nkind: Pod\n", "a file of Kubernetes or Helm"),
        (
            "services: { a: { image: a, environment: { T: 2024-01-02 10:00:00 } } }\n",
            "different forms",
        ),
        ("services: { a: { build: { dockerfile: ../D } } }\n", "outside the directory"),
        ("services: { a: { image: a, volumes: ['v:/v:ro'] } }\n", "is read-only here"),
        (
            "services: { a: { image: a, deploy: { replicas: two } } }\n",
            "`services.a.deploy.replicas`",
        ),
    ] {
        has(&said(&compose(text)), &[words]);
    }
}
