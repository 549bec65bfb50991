//! Files of Railway as people have them, and what is said of them.

use crate::import::Imported;
use crate::import::tests::{self, said};
use crate::model::Diagnostic;

/// As Railway's documentation writes it.
const SHOP: &str = r#"{
  "$schema": "https://railway.com/railway.schema.json",
  "build": {
    "builder": "DOCKERFILE",
    "dockerfilePath": "deploy/Dockerfile",
    "buildCommand": "npm run build",
    "watchPatterns": ["src/**"]
  },
  "deploy": {
    "startCommand": "node server.js",
    "preDeployCommand": ["npm run migrate", "npm run seed"],
    "healthcheckPath": "/health",
    "healthcheckTimeout": 300,
    "numReplicas": 2,
    "requiredMountPath": "/data",
    "restartPolicyType": "ON_FAILURE",
    "restartPolicyMaxRetries": 10,
    "multiRegionConfig": { "us-west2": { "numReplicas": 2 } }
  },
  "environments": { "staging": { "deploy": { "startCommand": "node staging.js" } } },
  "odd": 1
}"#;

fn of(name: &str, text: &str) -> Result<Imported, Vec<Diagnostic>> {
    tests::of(&[(name, text)])
}

#[test]
fn a_railway_json_becomes_one_service_and_what_is_left_is_named() {
    let imported = of("railway.json", SHOP);
    let documents = imported.as_ref().unwrap().print();
    for words in [
        "name: app\nspec:\n  type: web\n  runtime: docker",
        "dockerfilePath: deploy/Dockerfile",
        "buildCommand: npm run build",
        "startCommand: node server.js",
        "preDeployCommand: npm run migrate && npm run seed",
        "healthCheckPath: /health",
        "minInstances: 2",
        "maxInstances: 2",
        "mountPath: /data",
        "# `repo` is to be given",
    ] {
        assert!(documents.contains(words), "{words}\n{documents}");
    }
    let told = said(imported);
    for words in [
        "`$schema` cannot",
        "railway.json:7:5: warning[not-carried]: `build.watchPatterns` cannot",
        "`deploy.healthcheckTimeout` cannot",
        "`deploy.restartPolicyType` cannot",
        "`deploy.restartPolicyMaxRetries` cannot",
        "`deploy.multiRegionConfig` cannot",
        "`environments` cannot",
        "`odd` is unknown",
        "variables, domains and volumes are kept by Railway",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
}

#[test]
fn a_railway_toml_says_the_same_and_a_schedule_makes_a_cron_service() {
    let text = "[build]\nbuilder = \"RAILPACK\"\n[deploy]\nstartCommand = \"node report.js\"\n\
        cronSchedule = \"0 3 * * *\"\n";
    let imported = of("railway.toml", text);
    let documents = imported.as_ref().unwrap().print();
    assert!(said(imported).contains("railway.toml:2:11: warning[not-carried]: `build.builder"));
    for words in ["type: cron", "schedule: 0 3 * * *", "# `runtime` is to be given"] {
        assert!(documents.contains(words), "{words}\n{documents}");
    }
    let assumed = said(of("railway.toml", "[deploy]\nstartCommand = 'a'\n"));
    assert!(assumed.contains("`web` is assumed"), "{assumed}");
}

#[test]
fn a_railway_file_that_is_none_is_refused_at_its_place() {
    for (name, text, words) in [
        ("railway.json", "{\"build\": {},}", "railway.json:1:14: error[railway-json]"),
        ("railway.json", "{}", "railway.json:1:1: error[railway-json]"),
        ("railway.json", "{\"build\": \"x\"}", "error[wrong-type]: `build` must be a mapping"),
        ("railway.toml", "[deploy]\nstartCommand = 1 2\n", "railway.toml:2:18: error[toml]"),
        (
            "railway.json",
            "{\"deploy\": {\"startCommand\": [1]}}",
            "`deploy.startCommand` must be text",
        ),
    ] {
        let refused = said(of(name, text));
        assert!(refused.contains(words), "{text}: {refused}");
    }
}
