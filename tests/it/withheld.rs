//! What an agent must not write: while its source is broken, outside its windows, and on a state
//! that another command changed under it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use stoker::api::{BodyStream, Transport, TransportError};
use stoker::daemon::window::{Window, WindowKind, Windows};
use stoker::emulator::{Act, EmulatorConfig, Faults, Kind};
use stoker::model::{Pin, Project};
use stoker::plan::Policy;
use stoker::project::{Licence, Look, PassError, Wish};
use stoker::status::Order;
use stoker::status::Trigger;
use stoker::store::Store;

use crate::faults::{first, second};
use crate::kept::{Kept, settings};
use crate::stage::{Stage, edited, manifests};

#[tokio::test(start_paused = true)]
async fn what_the_last_good_manifests_dropped_stays_while_the_newest_cannot_be_used() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    let until = kept.stage.clock.now() + Duration::from_secs(3_600);
    kept.handle.order(Order::Suspend { reason: "a migration".to_owned(), until }).await.unwrap();
    kept.write(Ok(manifests(&second())));
    kept.stage.wait(30).await;
    kept.write(Ok(manifests("kind: [")));
    kept.stage.wait(30).await;
    kept.handle.order(Order::Resume).await.unwrap();
    kept.stage.wait(900).await;
    assert_eq!(kept.stage.emulator.ids(Kind::Service, "jobs").len(), 1, "{:#?}", kept.told());
    // It goes once they can be used again.
    kept.write(Ok(manifests(&second())));
    kept.stage.wait(120).await;
    assert_eq!(kept.stage.emulator.ids(Kind::Service, "jobs").len(), 0, "{:#?}", kept.told());
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_and_not_yet_forgotten_is_not_said_to_be_as_declared() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    let until = kept.stage.clock.now() + Duration::from_secs(3_600);
    kept.handle.order(Order::Suspend { reason: "a migration".to_owned(), until }).await.unwrap();
    kept.write(Ok(manifests(&second())));
    kept.stage.wait(30).await;
    let id = kept.stage.emulator.ids(Kind::Service, "jobs").remove(0);
    kept.stage.emulator.act(&Act::Delete { kind: Kind::Service, id }).unwrap();
    kept.stage.wait(900).await;
    assert_eq!(kept.ready_of("service/jobs"), "False Suspended", "{:#?}", kept.told());
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_protected_while_it_only_looked_stays_protected() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    let until = kept.stage.clock.now() + Duration::from_secs(3_600);
    kept.handle.order(Order::Suspend { reason: "a migration".to_owned(), until }).await.unwrap();
    let jobs = "metadata: { name: jobs }\n";
    kept.write(Ok(edited(&first(), jobs, &format!("{jobs}lifecycle: {{ protect: true }}\n"))));
    kept.stage.wait(30).await;
    kept.write(Ok(manifests(&second())));
    kept.stage.wait(30).await;
    // It outlives a restart, as the suspension does.
    let kept = Kept::begin(kept.end().await, settings(), manifests(&second()));
    kept.stage.wait(30).await;
    kept.handle.order(Order::Resume).await.unwrap();
    kept.stage.wait(900).await;
    assert_eq!(kept.stage.emulator.ids(Kind::Service, "jobs").len(), 1, "{:#?}", kept.told());
    let pending = &kept.status().pending;
    assert!(pending.iter().any(|it| it.action == "delete"), "{pending:#?}");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn outside_its_windows_an_agent_only_looks() {
    let hour = Duration::from_secs(3_600);
    let window = Window::new(WindowKind::Allow, "0 6 * * *", hour, "UTC").unwrap();
    let settings =
        stoker::daemon::settings::Settings { windows: Windows::from(vec![window]), ..settings() };
    // The stage begins at midnight.
    let kept = Kept::on(EmulatorConfig::default(), settings).await;
    kept.stage.wait(5 * 3_600).await;
    assert_eq!(kept.writes(), 0);
    // It is not there: that it is held back is no excuse.
    assert_eq!(kept.ready_of("service/api"), "False WindowClosed");
    assert_eq!(kept.standing_of("service/api"), "OutOfSync Missing");
    kept.stage.wait(3_600).await;
    assert_eq!(kept.ready(), "True Synced");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_not_tried_again_in_every_pass() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    kept.stage.emulator.play(Faults::parse("fail:422@PATCH /**").unwrap());
    kept.write(Ok(edited(&first(), "production", "staging")));
    kept.stage.wait(600).await;
    let tries = || {
        let record = kept.stage.emulator.record();
        record.requests().filter(|(_, asked)| asked.method == "PATCH").count()
    };
    let before = tries();
    for _ in 0..30 {
        kept.handle.trigger(Trigger::Signal);
        kept.stage.wait(1).await;
    }
    let more = tries() - before;
    assert!(more <= 3, "{more} tries in half a minute");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_pass_ends_though_a_create_has_not_settled() {
    let stage = Stage::new();
    let faults = "lose-answer@POST /services#1; hide-new:90000@GET /**";
    stage.emulator.play(Faults::parse(faults).unwrap());
    let kept = Kept::begin(stage, settings(), first());
    kept.stage.wait(10).await;
    assert!(!kept.status().history.is_empty(), "{:#?}", kept.told());
    kept.end().await;
}

/// Another command that writes to the state as soon as a pass has begun to read the platform.
struct Meddler {
    inner: Arc<dyn Transport>,
    state: PathBuf,
}

impl Transport for Meddler {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        let mut store = Store::open(&self.state, "another command").unwrap();
        if store.inventory().pin.is_none() {
            let project = Project { id: None, name: "shop".to_owned(), region: None, plan: None };
            store.set_pin(Pin { origin: "https://api.test/v1".to_owned(), project }).unwrap();
        }
        self.inner.send(request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_not_carried_out_on_a_state_that_moved_under_it() {
    let mut stage = Stage::new();
    let state = stage.directory.path().to_owned();
    let inner = Arc::clone(&stage.transport);
    stage.transport = Arc::new(Meddler { inner, state });
    let policy = Policy::default();
    let wish = Wish {
        desired: stage.desired(&first()).into(),
        policy: &policy,
        licence: Licence::Write,
        look: Look::Whole,
        judge: &|_| Vec::new(),
    };
    let passed = stage.open().pass(wish, stage.stop.subscribe(), &|_| {}).await;
    assert!(matches!(passed, Err(PassError::Moved)), "{:?}", passed.err());
    assert_eq!(stage.emulator.record().writes(), 0);
}
