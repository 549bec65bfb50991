//! A `fly.toml` as people have it, and what is said of it.

use crate::import::Imported;
use crate::import::tests::{self, said};
use crate::model::Diagnostic;
use crate::source::Home;

/// As `fly launch` writes it for an application with workers, a volume and a release command.
const SHOP: &str = r#"# fly.toml app configuration file
app = "shop"
primary_region = "fra"
kill_signal = "SIGINT"
kill_timeout = "5s"

[build]
  dockerfile = "deploy/Dockerfile"
  [build.args]
    NODE_VERSION = "22"

[deploy]
  release_command = "npm run migrate"
  strategy = "rolling"

[env]
  PORT = "8080"
  LOG_LEVEL = 'info'
  API_TOKEN = "hush-hush-hush"
  WORKERS = 4

[processes]
  jobs = "node jobs.js"
  app = "node server.js"

[http_service]
  internal_port = 8080
  force_https = true
  auto_stop_machines = "stop"
  min_machines_running = 0
  processes = ["app"]
  [http_service.concurrency]
    type = "connections"
    hard_limit = 25

  [[http_service.checks]]
    grace_period = "10s"
    method = "GET"
    path = "/healthz"

[[mounts]]
  source = "data"
  destination = "/data"
  initial_size = "10gb"
  processes = ["app"]
  snapshot_retention = 5

[[vm]]
  size = "shared-cpu-1x"
  memory = "1gb"

[[statics]]
  guest_path = "/app/public"
  url_prefix = "/static/"
"#;

fn of(text: &str) -> Result<Imported, Vec<Diagnostic>> {
    let home = Home { repo: "github.com/acme/shop".to_owned(), branch: None };
    tests::at_home(&[("fly.toml", text)], Some(&home))
}

#[test]
fn a_fly_toml_becomes_a_service_for_each_process_group() {
    let imported = of(SHOP).unwrap();
    let documents = imported.print();
    for words in [
        "name: shop\nspec:\n  type: web\n  runtime: docker\n  repo: github.com/acme/shop",
        "dockerfilePath: deploy/Dockerfile",
        "startCommand: node server.js",
        "port: 8080",
        "healthCheckPath: /healthz",
        "name: data\n    mountPath: /data\n    sizeGB: 10",
        "name: shop-jobs\nspec:\n  type: worker",
        "startCommand: node jobs.js",
        "key: LOG_LEVEL\n      value: info",
        "key: WORKERS\n      value: \"4\"",
        "key: API_TOKEN\n      sync: false",
    ] {
        assert!(documents.contains(words), "{words}\n{documents}");
    }
    assert_eq!(documents.matches("preDeployCommand: npm run migrate").count(), 1, "{documents}");
    assert!(!documents.contains("hush"), "{documents}");
}

#[test]
fn what_a_fly_toml_has_and_the_platform_has_not_is_named_with_its_place() {
    let told = said(of(SHOP));
    for words in [
        "fly.toml:3:18: warning[not-carried]: `primary_region` cannot be carried over",
        "`kill_signal` cannot",
        "`kill_timeout` cannot",
        "`build.args` cannot",
        "`deploy.strategy` cannot",
        "`http_service.force_https` cannot",
        "`http_service.auto_stop_machines` cannot",
        "`http_service.min_machines_running` cannot",
        "`http_service.concurrency` cannot",
        "`http_service.checks.grace_period` cannot",
        "`mounts.snapshot_retention` cannot",
        "`vm` cannot",
        "`statics` cannot",
        "the data in `/data` is not moved",
        "`fly secrets`",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
    assert!(!told.contains("hush") && !told.contains("is unknown"), "{told}");
    let told = said(of("app = 'a'\nstrange = 1\n[build]\nimage = 'nginx'\nodd = 2\n"));
    assert!(
        told.contains("`strange` is unknown") && told.contains("`build.odd` is unknown"),
        "{told}"
    );
}

#[test]
fn older_forms_are_read_and_what_serves_no_http_is_named() {
    let text = "app = 'old'\n[[services]]\ninternal_port = 5432\nprotocol = 'tcp'\n[[services.ports]]\n\
        port = 5432\n[[services]]\ninternal_port = 3000\n[[services.ports]]\nhandlers = ['http']\n\
        port = 80\n[[services.http_checks]]\npath = '/up'\n[mounts]\nsource = 'd'\ndestination = '/d'\n";
    let imported = of(text);
    let documents = imported.as_ref().unwrap().print();
    for words in ["type: web", "port: 3000", "healthCheckPath: /up", "mountPath: /d"] {
        assert!(documents.contains(words), "{words}\n{documents}");
    }
    assert!(said(imported).contains("serves only HTTP"));
    let alone = of("app = 'a'\n").unwrap().print();
    assert!(alone.contains("type: worker") && alone.contains("runtime: docker"), "{alone}");
}

#[test]
fn a_fly_toml_that_is_none_is_refused_at_its_place() {
    for (text, words) in [
        ("app = shop\n", "fly.toml:1:7: error[toml]"),
        ("[env]\nA = 'b'\n", "fly.toml:1:1: error[fly-toml]: `app` is missing"),
        ("app = ['a']\n", "fly.toml:1:7: error[wrong-type]: `app` must be text"),
        ("app = 'a'\n[env]\nA = [1]\n", "fly.toml:3:5: error[wrong-type]: `env.A`"),
        ("app = 'a'\n[http_service]\ninternal_port = 'x'\n", "fly.toml:3:17: error[wrong-type]"),
    ] {
        let refused = said(of(text));
        assert!(refused.contains(words), "{text}: {refused}");
    }
}
