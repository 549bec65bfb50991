//! The program on a state that many machines reach: what one does the others know, and who lost the
//! seat writes nothing more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use stoker::apply::{Execution, Patience};
use stoker::emulator::Kind;
use stoker::model::Claim;
use stoker::plan::Policy;
use stoker::shared::{BootClock, Bridge, RequestFate, SealKey, SharedLog, SimulatedMedium};
use stoker::source::Tree;
use stoker::store::{Medium, SharedState};

use crate::stage::{Stage, edited, manifests};

/// A machine's way to a store. `clock` tells how long the machine has run.
fn way(medium: &SimulatedMedium, clock: BootClock) -> Medium {
    let (bridge, key) = (Bridge::start().unwrap(), SealKey::from_bytes([7; 32]));
    let log = SharedLog::new(Arc::new(medium.clone()), bridge, key, "state", clock);
    Medium::Shared(SharedState::new(log, "etcd://one/shop"))
}

fn still() -> BootClock {
    Arc::new(|| Some(Duration::from_secs(1_000)))
}

fn shop() -> Tree {
    manifests(
        "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: api }\n\
         spec:\n  type: web\n  image: nginx\n  port: 80\n\
         ---\napiVersion: stackblaze.cloud/v1\nkind: Database\nmetadata: { name: main }\n\
         spec: { type: postgres, version: '16' }\n",
    )
}

/// How many writes the platform was asked for.
fn writes(stage: &Stage) -> usize {
    let record = stage.emulator.record();
    record.requests().filter(|(_, asked)| asked.method != "GET").count()
}

#[tokio::test(start_paused = true)]
async fn what_one_machine_applies_another_knows_as_ours() {
    let medium = SimulatedMedium::default();
    let stage = Stage { state: way(&medium, still()), ..Stage::new() };
    stage.apply(&shop(), &Policy::default()).await;
    // Another machine has nothing but the way to the store.
    let stage = Stage { state: way(&medium, still()), ..stage };
    assert!(stage.plan(&shop(), &Policy::default()).await.is_idle());
    let claims: Vec<Claim> = stage.inventory().entries.values().map(|it| it.claim).collect();
    assert_eq!(claims, [Claim::Created, Claim::Created]);
}

#[tokio::test(start_paused = true)]
async fn who_may_have_lost_the_seat_writes_nothing_to_the_platform() {
    let medium = SimulatedMedium::default();
    let stage = Stage { state: way(&medium, still()), ..Stage::new() };
    stage.apply(&shop(), &Policy::default()).await;
    let before = writes(&stage);
    // It sleeps right after it has sat down: its clock is asked once for that.
    let asked = AtomicU64::new(0);
    let sleeper: BootClock = Arc::new(move || {
        let times = asked.fetch_add(1, Ordering::SeqCst);
        Some(Duration::from_secs(if times == 0 { 1_000 } else { 1_016 }))
    });
    let stage = Stage { state: way(&medium, sleeper), ..stage };
    let changed = edited(&edited(&shop(), "port: 80", "port: 81"), "name: main", "name: other");
    let (plan, report) = stage.apply(&changed, &Policy::default()).await;
    assert_eq!(plan.changes.iter().filter(|it| !it.steps.is_empty()).count(), 2);
    assert_eq!(writes(&stage), before, "{report:#?}");
    assert!(stage.inventory().intents.is_empty(), "what was not sent is not open");
    // Once it is awake again it takes the seat anew.
    let stage = Stage { state: way(&medium, still()), ..stage };
    stage.apply(&changed, &Policy::default()).await;
    assert!(stage.plan(&changed, &Policy::default()).await.is_idle());
}

/// Carries a plan out that may end with its first record, and lets the machine die after it.
async fn carry_out(stage: &Stage, tree: &Tree) {
    let project = stage.open();
    let planned = project.plan(stage.desired(tree), &Policy::default()).await.unwrap();
    let (patience, stop) = (Patience::Leave, stage.stop.subscribe());
    let execution = Execution { patience, stop, ..Execution::default() };
    let _whatever_became_of_it = project.apply(&planned, execution).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_becomes_of_a_record_another_machine_ends_with_one_of_each() {
    for fate in [RequestFate::AnswerLost, RequestFate::Late(3), RequestFate::Lost] {
        for at in (0..90).step_by(6) {
            let medium = SimulatedMedium::default();
            let fates = std::iter::repeat_n(RequestFate::Plain, at);
            medium.draw(fates.chain(std::iter::repeat_n(fate, 21)));
            let stage = Stage { state: way(&medium, still()), ..Stage::new() };
            carry_out(&stage, &shop()).await;
            medium.rest();
            medium.unseat();
            stage.wait(300).await;
            let stage = Stage { state: way(&medium, still()), ..stage };
            stage.apply(&shop(), &Policy::default()).await;
            assert_eq!(stage.emulator.ids(Kind::Service, "api").len(), 1, "{fate:?} at {at}");
            assert_eq!(stage.emulator.ids(Kind::Database, "main").len(), 1, "{fate:?} at {at}");
            let plan = stage.plan(&shop(), &Policy::default()).await;
            assert!(plan.is_idle() && stage.inventory().intents.is_empty(), "{fate:?} at {at}");
        }
    }
}
