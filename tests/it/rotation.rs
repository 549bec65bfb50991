//! Generated values that give way to the next one: after their time, or because a person ordered it.
//! What the platform holds is read from its own record.

use std::collections::BTreeSet;

use stoker::emulator::{Act, EmulatorConfig, Kind, Secrets};
use stoker::model::{FieldPath, Key};
use stoker::plan::{FieldReason, Plan, Policy};
use stoker::render::{self, Estimate};

use crate::commands::Machine;
use crate::stage::{Stage, brief, edited, manifests};

const STACK: &str = "\
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api }
spec:
  type: web
  runtime: node
  repo: github.com/acme/shop
  envVars:
    - { key: SALT, generateValue: { rotate: 90d } }
    - { key: KEPT, generateValue: true }
";

const DAY: u64 = 86_400;

/// The value of a variable of the service, as the platform has it.
fn value(stage: &Stage, key: &str) -> String {
    let services = stage.emulator.truth(Kind::Service);
    let variables = services[0]["env_vars"].as_array().unwrap();
    let variable = variables.iter().find(|variable| variable["key"] == key).unwrap();
    variable["value"].as_str().unwrap().to_owned()
}

fn text(plan: &Plan) -> String {
    render::plan_as_text(plan, &Estimate { seconds: 1, left: None }).to_plain()
}

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

fn api() -> Key {
    "service/api".parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_value_gives_way_when_its_time_is_over_however_the_platform_shows_it() {
    for secrets in [Secrets::Masked, Secrets::Omitted, Secrets::Echoed, Secrets::Hidden] {
        let stage = Stage::on(EmulatorConfig { secrets, ..EmulatorConfig::default() });
        let (stack, policy) = (manifests(STACK), Policy::default());
        stage.apply(&stack, &policy).await;
        let kept = value(&stage, "KEPT");
        let mut values = BTreeSet::from([value(&stage, "SALT")]);
        for round in 1..=3 {
            stage.wait(89 * DAY).await;
            assert!(brief(&stage.plan(&stack, &policy).await).is_empty(), "{secrets:?} {round}");
            stage.wait(DAY).await;
            let (plan, _) = stage.apply(&stack, &policy).await;
            assert_eq!(brief(&plan), ["update service/api"], "{secrets:?} {round}");
            let told = text(&plan);
            assert!(told.contains("rotated after 90 days") && told.contains("restarts"), "{told}");
            assert_eq!(plan.changes[0].fields.len(), 1, "{told}");
            assert!(values.insert(value(&stage, "SALT")), "{secrets:?} {round}: it was in use");
            assert_eq!(value(&stage, "KEPT"), kept);
            // It is done once.
            stage.wait(200).await;
            let calm = stage.plan(&stack, &policy).await;
            assert!(calm.is_idle(), "{secrets:?} {round}: {:?}", brief(&calm));
        }
    }
}

/// A state of an earlier version knows no age: it counts from the first run that sees the value.
#[tokio::test(start_paused = true)]
async fn a_value_of_unknown_age_is_as_old_as_it_is_known() {
    let stage = Stage::new();
    let (stack, policy) = (manifests(STACK), Policy::default());
    stage.apply(&stack, &policy).await;
    let mut store = stage.state.open("a test").unwrap();
    let mut entry = store.inventory().entries[&api()].clone();
    entry.changed_at.clear();
    entry.generated.clear();
    store.record(api(), entry).unwrap();
    drop(store);
    stage.wait(365 * DAY).await;
    let (plan, _) = stage.apply(&stack, &policy).await;
    assert!(plan.changes.is_empty(), "{:?}", brief(&plan));
    let memory = &stage.inventory().entries[&api()];
    assert!(memory.changed_at.contains_key(&path("envVars.SALT")));
    assert!(!memory.changed_at.contains_key(&path("envVars.KEPT")), "nobody saw it change");
    assert_eq!(memory.generated.len(), 2);
    stage.wait(90 * DAY).await;
    assert_eq!(brief(&stage.plan(&stack, &policy).await), ["update service/api"]);
}

#[tokio::test(start_paused = true)]
async fn an_order_is_carried_out_once_and_needs_no_period() {
    let stage = Stage::new();
    let (stack, policy) = (manifests(STACK), Policy::default());
    stage.apply(&stack, &policy).await;
    let before = (value(&stage, "SALT"), value(&stage, "KEPT"));
    order(&stage, "KEPT");
    let (plan, _) = stage.apply(&stack, &policy).await;
    assert!(text(&plan).contains("rotated: `stoker rotate` asked for it"), "{}", text(&plan));
    let after = (value(&stage, "SALT"), value(&stage, "KEPT"));
    assert!(before.0 == after.0 && before.1 != after.1);
    stage.wait(200).await;
    assert!(stage.plan(&stack, &policy).await.is_idle());
    assert_eq!(value(&stage, "KEPT"), after.1);
}

/// Writes an order down, as `stoker rotate` does.
fn order(stage: &Stage, key: &str) {
    let mut store = stage.state.open("a test").unwrap();
    let mut entry = store.inventory().entries[&api()].clone();
    let key = stoker::model::EnvKey::new(key).unwrap();
    entry.generated.get_mut(&key).unwrap().is_ordered = true;
    store.record(api(), entry).unwrap();
}

/// Whatever was the reason to replace it holds for the next service of that name, too.
#[tokio::test(start_paused = true)]
async fn a_value_that_gave_way_does_not_come_back_with_another_service_of_the_name() {
    let stage = Stage::new();
    let (stack, policy) = (manifests(STACK), Policy::default());
    stage.apply(&stack, &policy).await;
    let first = value(&stage, "SALT");
    order(&stage, "SALT");
    stage.apply(&stack, &policy).await;
    let second = value(&stage, "SALT");
    let id = stage.emulator.ids(Kind::Service, "api").remove(0);
    stage.emulator.act(&Act::Delete { kind: Kind::Service, id }).unwrap();
    stage.wait(600).await;
    // Forgotten by one run, with nothing declared, and made by another.
    stage.apply(&manifests(""), &policy).await;
    assert!(stage.inventory().entries.is_empty());
    stage.apply(&stack, &policy).await;
    assert_ne!(value(&stage, "SALT"), first);
    assert_eq!(value(&stage, "SALT"), second);
}

/// What another machine wrote is none of ours, however old it is.
#[tokio::test(start_paused = true)]
async fn a_value_that_we_never_wrote_is_never_replaced() {
    let maker = Stage::new();
    let (stack, policy) = (manifests(STACK), Policy::default());
    maker.apply(&edited(&stack, "generateValue: true", "value: other"), &policy).await;
    let id = maker.emulator.ids(Kind::Service, "api").remove(0);
    let (kind, key) = (Kind::Service, "SALT".to_owned());
    let value_of = Some("of-another-machine".to_owned());
    maker.emulator.act(&Act::SetVariable { kind, id, key, value: value_of }).unwrap();
    let stage = Stage::new();
    let stage = Stage { emulator: maker.emulator, transport: maker.transport, ..stage };
    for _ in 0..3 {
        let (plan, _) = stage.apply(&stack, &policy).await;
        let rotated = |it: &stoker::plan::FieldChange| matches!(it.reason, FieldReason::Rotated(_));
        assert!(!plan.changes.iter().flat_map(|it| &it.fields).any(rotated), "{plan:#?}");
        assert_eq!(value(&stage, "SALT"), "of-another-machine");
        stage.wait(100 * DAY).await;
    }
}

#[test]
fn a_person_orders_a_new_value_and_is_told_what_comes_of_it() {
    let machine = Machine::new();
    machine.write("api.yaml", STACK);
    machine.run("apply api.yaml --sandbox -y").says(0, &[]);
    machine
        .run("rotate service/api KEPT --sandbox")
        .says(0, &["KEPT of service/api gets a new value with the next `stoker apply`"]);
    machine.run("plan api.yaml --sandbox").says(
        0,
        &["envVars.KEPT", "(secret changed)", "rotated: `stoker rotate` asked for it", "restarts"],
    );
    let plan = machine.run("plan api.yaml --sandbox -o json").says(0, &[]).json();
    assert_eq!(plan["changes"][0]["fields"][0]["reason"], "rotated");
    machine.run("apply api.yaml --sandbox -y").says(0, &["Applied: 1 done"]);
    machine.run("plan api.yaml --sandbox").says(0, &["No changes"]);
    machine
        .run("rotate service/api KEEPT --sandbox")
        .says(1, &["never wrote a generated value to `KEEPT`", "did you mean KEPT?"]);
    machine.run("rotate service/apii KEPT --sandbox").says(1, &["service/apii is not ours"]);
    machine.run("rotate envgroup/shared KEPT --sandbox").says(64, &["cannot be rotated"]);
}
