//! What will not settle (L1): servers whose answers and reads differ, values that swing, variables
//! that others put on. Whatever the answers say, a value is repaired twice, a state is deployed three
//! times, and then it is left alone and told.

use serde_json::json;
use stoker::emulator::{Act, EmulatorConfig, Kind, Quirk, ValueForm, Verb};
use stoker::source::Tree;
use stoker::status::Order;

use crate::kept::{Kept, keep_for, settings};
use crate::laws;
use crate::stage::{Stage, edited, manifests};

const HOUR: u64 = 3_600;

/// A service that declares something of everything a platform could hold in another form.
const SERVICE: &str = "apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api }
spec:
  type: web
  runtime: node
  repo: github.com/acme/shop
  branch: main
  rootDir: apps/api
  dockerfilePath: Dockerfile
  buildCommand: npm ci
  startCommand: node  server.js
  preDeployCommand: npm run migrate
  port: 8080
  plan: standard
  healthCheckPath: /health/
  scaling: { minInstances: 2, maxInstances: 20, targetCPUPercent: 64 }
  disk: { name: data, mountPath: /data, sizeGB: 10 }
  autoDeploy: true
  domains: [shop.example.com]
  envVars:
    - { key: log_level, value: info }
    - { key: GREETING, value: 'hello ' }
";

fn service() -> Tree {
    manifests(SERVICE)
}

/// Every kind of disagreement, and the field that is told.
fn kinds() -> Vec<(&'static str, Quirk)> {
    let text = |text: &str| text.to_owned();
    let setting = |field: &str, form| Quirk::Setting { field: text(field), form };
    let swings = |field: &str, value| {
        let every_ms = 240_000;
        Quirk::Swings { field: text(field), value, every_ms }
    };
    vec![
        ("rootDir", setting("root_dir", ValueForm::Begins(text("./")))),
        ("rootDir", setting("root_dir", ValueForm::Ends(text("/")))),
        ("dockerfilePath", setting("dockerfile_path", ValueForm::Begins(text("./")))),
        ("branch", setting("branch", ValueForm::Begins(text("refs/heads/")))),
        ("runtime", setting("runtime", ValueForm::Ends(text("-22")))),
        ("startCommand", setting("start_command", ValueForm::Trimmed)),
        ("buildCommand", setting("build_command", ValueForm::Begins(text("sh -c ")))),
        ("preDeployCommand", setting("pre_deploy_command", ValueForm::Ends(text(" || true")))),
        ("port", setting("port", ValueForm::Is(json!(10_000)))),
        ("plan", setting("plan", ValueForm::Ends(text("-v2")))),
        ("scaling.maxInstances", setting("scaling.max_instances", ValueForm::AtMost(3))),
        ("scaling.minInstances", setting("scaling.min_instances", ValueForm::AtLeast(3))),
        (
            "scaling.targetCPUPercent",
            setting("scaling.target_cpu_percent", ValueForm::Is(json!(60))),
        ),
        ("disk.mountPath", setting("disk.mount_path", ValueForm::Ends(text("/")))),
        ("disk.name", setting("disk.name", ValueForm::Begins(text("vol-")))),
        ("autoDeploy", setting("auto_deploy", ValueForm::Is(json!(false)))),
        ("domains", setting("domains", ValueForm::With(text("api.stackblaze.app")))),
        ("name", setting("name", ValueForm::Ends(text("-x7")))),
        ("envVars.GREETING", Quirk::Value { key: text("GREETING"), form: ValueForm::Trimmed }),
        ("envVars.LOG_LEVEL", Quirk::KeysInCapitals),
        ("envVars.ADDON_URL", Quirk::Adds { key: text("ADDON_URL"), anew: false }),
        ("envVars.RELEASE", Quirk::Adds { key: text("RELEASE"), anew: true }),
        ("plan", swings("plan", json!("pro"))),
        ("scaling.maxInstances", swings("scaling.max_instances", json!(9))),
    ]
}

/// Returns how often the API was asked to change something and did, and how many deployments that
/// and the creation began.
fn written(stage: &Stage) -> (usize, usize) {
    let record = stage.emulator.record();
    let patches = record.requests().filter(|(_, it)| it.method == "PATCH" && it.applied).count();
    let effects = laws::effects(&stage.emulator);
    let deploys = effects.iter().filter(|it| matches!(it.verb, Verb::Created | Verb::Deployed));
    (patches, deploys.filter(|it| it.kind == Kind::Service).count())
}

fn platform(quirk: &Quirk, echoes: bool) -> EmulatorConfig {
    EmulatorConfig { quirks: vec![quirk.clone()], echoes, ..EmulatorConfig::default() }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_stay_is_written_twice_more_and_then_told_whatever_the_answers_show() {
    for (field, quirk) in kinds() {
        for echoes in [false, true] {
            let context = format!("{quirk:?}, echoes: {echoes}");
            let kept = Kept::begin(Stage::on(platform(&quirk, echoes)), settings(), service());
            kept.stage.wait(2 * HOUR).await;
            let (patches, deploys) = written(&kept.stage);
            assert!(patches <= 2 && deploys <= 3, "{context}: {patches} and {deploys}");
            // What the answer to the creation shows beside what was sent is not ours to remove.
            let is_tolerated = matches!(quirk, Quirk::Adds { .. }) && !echoes;
            // A name that the answer to the creation shows is the one the platform gave (A22).
            let is_given = field == "name" && !echoes;
            let is_tolerated = is_tolerated || is_given;
            let swings = matches!(quirk, Quirk::Swings { .. });
            if !is_tolerated && !swings {
                assert_eq!(kept.ready_of("service/api"), "False FieldFlapping", "{context}");
            }
            let events = kept.handle.recent_events();
            let mut told = events.iter().filter(|event| {
                event.reason == stoker::status::ConditionReason::FieldFlapping.into()
            });
            // Of a key in two spellings either is told.
            let names_it = |text: &str| text.to_lowercase().contains(&field.to_lowercase());
            let is_told = told.any(|event| names_it(&event.message));
            assert_eq!(is_told, !is_tolerated, "{context}: {events:#?}");
            kept.stage.wait(8 * HOUR).await;
            assert_eq!(written(&kept.stage), (patches, deploys), "{context}");
            kept.end().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_attached_again_and_again_is_detached_twice() {
    for echoes in [false, true] {
        let stage = Stage::on(EmulatorConfig { echoes, ..EmulatorConfig::default() });
        let body = json!({ "name": "defaults", "env_vars": [] });
        let act = Act::Create { kind: Kind::EnvGroup, body };
        let id = stage.emulator.act(&act).unwrap().unwrap();
        let quirk = Quirk::Setting { field: "env_groups".to_owned(), form: ValueForm::With(id) };
        stage.emulator.reconfigure(|config| config.quirks = vec![quirk]);
        let group = "---\napiVersion: stackblaze.cloud/v1\nkind: EnvGroup\n\
                     metadata: { name: shared }\nspec: { envVars: [{ key: A, value: '1' }] }\n";
        let tree = manifests(&format!("{SERVICE}  envGroups: [shared]\n{group}"));
        let kept = Kept::begin(stage, settings(), tree);
        kept.stage.wait(6 * HOUR).await;
        assert_eq!(kept.ready_of("service/api"), "False FieldFlapping", "{:#?}", kept.status());
        assert_eq!(written(&kept.stage), (2, 3), "{echoes}");
        kept.end().await;
    }
}

/// A new commit is a wish of its own: it is written, and what was left alone stays so.
#[tokio::test(start_paused = true)]
async fn what_is_left_alone_stays_so_when_something_else_is_asked_for() {
    let quirk = Quirk::Setting {
        field: "branch".to_owned(),
        form: ValueForm::Begins("refs/heads/".to_owned()),
    };
    let kept = Kept::begin(Stage::on(platform(&quirk, true)), settings(), service());
    kept.stage.wait(HOUR).await;
    assert_eq!(written(&kept.stage), (2, 3));
    for (number, plan) in ["pro", "team", "enterprise"].into_iter().enumerate() {
        kept.write(Ok(edited(&service(), "standard", plan)));
        kept.stage.wait(HOUR).await;
        assert_eq!(written(&kept.stage), (3 + number, 4 + number), "{plan}");
    }
    // Another value has its own two repairs.
    kept.write(Ok(edited(&service(), "branch: main", "branch: next")));
    kept.stage.wait(HOUR).await;
    assert_eq!(written(&kept.stage), (8, 9));
    // The line of the message is one that mends it.
    let line = "ignoreChanges: [spec.branch]";
    let message = format!("{:?}", kept.status());
    assert!(message.contains(line), "{message}");
    assert!(message.contains("written as `next`, it is read as `refs/heads/next`"), "{message}");
    let mended = SERVICE.replace("branch: main", "branch: next");
    kept.write(Ok(manifests(&format!("{mended}lifecycle: {{ {line} }}\n"))));
    kept.stage.wait(HOUR).await;
    assert_eq!(kept.ready_of("service/api"), "True InSync");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_begins_no_count_anew() {
    for (_, quirk) in kinds() {
        let stage = Stage::on(platform(&quirk, true));
        for _ in 0..12 {
            keep_for(&stage, settings(), &service(), 400).await;
        }
        let (patches, deploys) = written(&stage);
        assert!(patches <= 2 && deploys <= 3, "{quirk:?}: {patches} and {deploys}");
    }
}

/// Repairs count for as long as it takes to tell a slip from a fight, and no longer.
#[tokio::test(start_paused = true)]
async fn an_honest_repair_is_never_the_last() {
    let kept = Kept::begin(Stage::new(), settings(), service());
    kept.stage.wait(HOUR).await;
    for number in 1..=12 {
        laws::set(&kept.stage, "api", "plan", "\"pro\"");
        kept.stage.wait(2 * HOUR).await;
        assert_eq!(written(&kept.stage).0, number);
        assert_eq!(kept.ready(), "True Synced");
    }
    // Nothing is remembered of any of them.
    let entries = kept.stage.inventory().entries.clone();
    assert!(entries.values().all(|entry| entry.rewrites.is_empty()), "{entries:#?}");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn who_fights_is_told_and_what_agrees_again_for_an_hour_is_repaired_again() {
    let kept = Kept::begin(Stage::new(), settings(), service());
    kept.stage.wait(HOUR).await;
    for _ in 0..4 {
        laws::set(&kept.stage, "api", "plan", "\"pro\"");
        kept.stage.wait(900).await;
    }
    assert_eq!(written(&kept.stage).0, 2);
    assert_eq!(kept.ready_of("service/api"), "False FieldFlapping");
    laws::set(&kept.stage, "api", "plan", "\"standard\"");
    kept.stage.wait(900).await;
    assert_eq!(kept.ready(), "True Synced");
    laws::set(&kept.stage, "api", "plan", "\"pro\"");
    kept.stage.wait(900).await;
    assert_eq!(written(&kept.stage).0, 2, "it agreed for minutes only");
    laws::set(&kept.stage, "api", "plan", "\"standard\"");
    kept.stage.wait(2 * HOUR).await;
    laws::set(&kept.stage, "api", "plan", "\"pro\"");
    kept.stage.wait(900).await;
    assert_eq!(written(&kept.stage).0, 3);
    assert_eq!(kept.ready(), "True Synced");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_persons_order_for_one_resource_is_two_more_repairs_and_a_look_at_all_is_none() {
    let quirk =
        Quirk::Setting { field: "plan".to_owned(), form: ValueForm::Ends("-v2".to_owned()) };
    let kept = Kept::begin(Stage::on(platform(&quirk, true)), settings(), service());
    kept.stage.wait(HOUR).await;
    assert_eq!(written(&kept.stage).0, 2);
    kept.handle.order(Order::Reconcile { key: None }).await.unwrap();
    kept.stage.wait(HOUR).await;
    assert_eq!(written(&kept.stage).0, 2);
    let key = Some("service/api".parse().unwrap());
    kept.handle.order(Order::Reconcile { key }).await.unwrap();
    kept.stage.wait(HOUR).await;
    assert_eq!(written(&kept.stage).0, 4);
    kept.stage.wait(HOUR).await;
    assert_eq!(written(&kept.stage).0, 4);
    kept.end().await;
}

/// What the platform puts on under its own names, and what others add where they may, is no drift.
#[tokio::test(start_paused = true)]
async fn what_the_platform_and_others_may_put_on_costs_no_write_and_no_deployment() {
    let additive = manifests(&format!("{SERVICE}lifecycle: {{ envVars: additive }}\n"));
    let cases = [
        ("STACKBLAZE_RELEASE", true, service()),
        ("PORT", false, service()),
        ("ADDON_URL", true, additive),
    ];
    for (key, anew, tree) in cases {
        for echoes in [false, true] {
            let quirk = Quirk::Adds { key: key.to_owned(), anew };
            let kept = Kept::begin(Stage::on(platform(&quirk, echoes)), settings(), tree.clone());
            kept.stage.wait(HOUR).await;
            assert_eq!(written(&kept.stage), (0, 1), "{key}, echoes: {echoes}");
        }
    }
}
