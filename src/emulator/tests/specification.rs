//! The OpenAPI document describes what is answered.

use serde_json::{Value, json};

use super::{Stage, web};
use crate::emulator::openapi;
use crate::emulator::routes::ENDPOINTS;

/// Checks a body against a schema of the document.
fn check(document: &Value, schema: &Value, body: &Value) {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&whole).unwrap();
    let errors: Vec<String> = validator.iter_errors(body).map(|one| one.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}: {body}");
}

#[test]
fn the_document_holds_every_endpoint_and_nothing_else() {
    let document = openapi();
    let paths = document["paths"].as_object().unwrap();
    let operations: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(operations, ENDPOINTS.len());
    for endpoint in &ENDPOINTS {
        let operation = &paths[endpoint.path][endpoint.method.to_lowercase()];
        let named = endpoint.path.matches('{').count();
        let parameters = operation["parameters"].as_array().unwrap();
        assert_eq!(parameters.iter().filter(|one| one["in"] == "path").count(), named);
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = openapi();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn every_endpoint_answers_as_the_document_says() {
    let document = openapi();
    let stage = Stage::new();
    let service = stage.service("web");
    let database = stage.create("/databases", json!({"name": "main", "type": "redis"}));
    stage.create("/envgroups", json!({"name": "shared"}));
    stage.wait(60_000);
    stage.check(&format!("POST /services/{service}/deploy"), json!({}), "202");
    stage.wait(60_000);
    let listed = stage.get(&format!("/services/{service}/deployments"));
    let deployment = listed["deployments"][0]["id"].as_str().unwrap();
    // Deletes last, or nothing is left to answer.
    let (deletes, others): (Vec<_>, Vec<_>) =
        ENDPOINTS.iter().partition(|endpoint| endpoint.method == "DELETE");
    for endpoint in others.into_iter().chain(deletes) {
        let id = if endpoint.path.starts_with("/databases") { &database } else { &service };
        let path = endpoint.path.replace("{id}", id).replace("{did}", deployment);
        let body = match (endpoint.method, endpoint.path) {
            ("POST", "/services") => web("other"),
            ("POST", "/databases" | "/envgroups") => json!({"name": "other", "type": "redis"}),
            ("PATCH" | "POST", _) => json!({}),
            _ => Value::Null,
        };
        let (status, answer) = stage.ask(&format!("{} {path}", endpoint.method), body);
        let operation = &document["paths"][endpoint.path][endpoint.method.to_lowercase()];
        let response = &operation["responses"][status.to_string()];
        assert!(status < 300 && response.is_object(), "{path} answered {status}: {answer}");
        let schema = &response["content"]["application/json"]["schema"];
        if schema.is_object() {
            check(&document, schema, &answer);
        }
        stage.wait(60_000);
    }
}

#[test]
fn every_refusal_has_the_schema_of_an_error() {
    let document = openapi();
    let stage = Stage::new();
    let (_, answer) = stage.ask("GET /services/svc_0", Value::Null);
    check(&document, &document["components"]["schemas"]["Error"], &answer);
}
