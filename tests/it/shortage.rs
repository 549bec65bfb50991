//! An API that says for ever that nothing is left, and an agent that says so; and the end of one
//! that waits. On a paused clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use stoker::api::{BodyStream, Transport, TransportError};
use stoker::emulator::{EmulatorConfig, Faults};

use crate::faults::first;
use crate::kept::{Kept, settings};
use crate::stage::Stage;

/// Says that nothing is left, whatever the platform says, as long as it is dry.
struct Dry {
    inner: Arc<dyn Transport>,
    is_dry: Arc<AtomicBool>,
}

impl Transport for Dry {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        Box::pin(async move {
            let mut response = self.inner.send(request).await?;
            if self.is_dry.load(Ordering::Relaxed) {
                let nothing = http::HeaderValue::from_static("0");
                response.headers_mut().insert("x-ratelimit-remaining", nothing);
            }
            Ok(response)
        })
    }
}

fn dry_stage() -> (Stage, Arc<AtomicBool>) {
    let (mut stage, is_dry) = (Stage::new(), Arc::new(AtomicBool::new(true)));
    let inner = Arc::clone(&stage.transport);
    stage.transport = Arc::new(Dry { inner, is_dry: Arc::clone(&is_dry) });
    (stage, is_dry)
}

#[tokio::test(start_paused = true)]
async fn an_api_that_has_nothing_left_for_minutes_is_told_of_and_so_is_the_end_of_it() {
    let (stage, is_dry) = dry_stage();
    let kept = Kept::begin(stage, settings(), first());
    let mut shown = Vec::new();
    for _ in 0..40 {
        kept.stage.wait(30).await;
        shown.push(kept.ready());
    }
    assert!(shown.contains(&"Unknown RequestLimit".to_owned()), "{shown:?}");
    let before = shown.iter().take_while(|ready| *ready != "Unknown RequestLimit").count();
    assert!(before <= 16, "eight minutes are enough to say it: {shown:?}");
    assert_eq!(kept.told().iter().filter(|reason| *reason == "RequestLimit").count(), 1);
    let since = kept.status().budget.short_since.unwrap();
    assert!(kept.stage.clock.now().duration_since(since).as_secs() > 300);
    is_dry.store(false, Ordering::Relaxed);
    kept.stage.wait(1_200).await;
    assert_eq!(kept.ready(), "True Synced");
    assert!(kept.told().contains(&"RequestLimitOver".to_owned()), "{:?}", kept.told());
    assert_eq!(kept.status().budget.short_since, None);
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn refusals_for_minutes_are_told_of_as_well() {
    let stage = Stage::new();
    stage.emulator.play(Faults::parse("429@* /**").unwrap());
    let kept = Kept::begin(stage, settings(), first());
    kept.stage.wait(900).await;
    assert!(kept.told().contains(&"RequestLimit".to_owned()), "{:?}", kept.told());
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_ordinary_day_at_the_limit_is_no_shortage() {
    let kept =
        Kept::on(EmulatorConfig { limit: 20, ..EmulatorConfig::default() }, settings()).await;
    kept.stage.wait(3_600).await;
    assert!(!kept.told().contains(&"RequestLimit".to_owned()), "{:?}", kept.told());
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_is_ended_while_it_waits_for_the_budget_says_that_it_was_stopped() {
    let (stage, _) = dry_stage();
    let kept = Kept::begin(stage, settings(), first());
    kept.stage.wait(90).await;
    let handle = kept.handle.clone();
    kept.end().await;
    let status = handle.status();
    let last = status.history.first().unwrap();
    assert_eq!((last.outcome.as_str(), last.failed), ("Stopped", 0), "{last:?}");
    assert_eq!(last.message, "it was stopped while it waited for the request limit");
    let told: Vec<String> =
        handle.recent_events().into_iter().map(|it| it.reason.to_string()).collect();
    assert!(!told.iter().any(|reason| reason == "OverBudget"), "{told:?}");
}
