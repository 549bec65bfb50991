//! A rollback by people is told, and what runs of a service is known as far as it was seen.

use stoker::emulator::{Act, Durations, EmulatorConfig, Kind};
use stoker::status::Order;
use stoker::status::{Event, Runs};

use crate::faults::first;
use crate::kept::{Kept, settings};
use crate::stage::edited;

/// A platform on which a deployment takes longer than the time between two looks.
fn slow() -> EmulatorConfig {
    let durations = Durations { building_ms: 400_000, ..Durations::default() };
    EmulatorConfig { durations, ..EmulatorConfig::default() }
}

fn runs(kept: &Kept) -> Option<Runs> {
    let status = kept.status();
    let api = status.resources.iter().find(|it| it.key.to_string() == "service/api");
    api.unwrap().runs.clone()
}

fn commit(kept: &Kept) -> String {
    runs(kept).unwrap_or_else(|| panic!("nothing runs: {:#?}", kept.status())).commit
}

/// What was told of rollbacks.
fn told(kept: &Kept) -> Vec<Event> {
    let events = kept.handle.recent_events().into_iter();
    events.filter(|event| event.reason.as_str() == "RolledBack").collect()
}

/// Lets somebody go back, after a second deployment.
async fn rolled_back(kept: &Kept, seconds: u64) -> (String, String) {
    kept.stage.wait(seconds).await;
    let first_commit = commit(kept);
    kept.write(Ok(edited(&first(), "production", "staging")));
    kept.stage.wait(seconds).await;
    let second = commit(kept);
    assert_ne!(first_commit, second);
    let id = kept.stage.emulator.ids(Kind::Service, "api").remove(0);
    kept.stage.emulator.act(&Act::Rollback { id }).unwrap();
    (first_commit, second)
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_is_met_under_way_leaves_one_event_and_changes_what_runs() {
    let kept = Kept::on(slow(), settings()).await;
    let (old, new) = rolled_back(&kept, 900).await;
    let writes = kept.writes();
    kept.stage.wait(7_200).await;
    let events = told(&kept);
    let [event] = &events[..] else { panic!("told once: {events:#?}") };
    assert_eq!(event.key.as_ref().unwrap().to_string(), "service/api");
    for part in ["it was rolled back by someone else", &old[..8], &new[..8]] {
        assert!(event.message.contains(part), "{part}: {}", event.message);
    }
    assert_eq!(commit(&kept), old);
    // What runs is no drift, and the rollback stands.
    assert_eq!((kept.ready_of("service/api"), kept.writes()), ("True InSync".to_owned(), writes));
    // Another agent on the same state knows it, and does not tell it again.
    let seen = runs(&kept);
    let stage = kept.end().await;
    let kept = Kept::begin(stage, settings(), edited(&first(), "production", "staging"));
    kept.stage.wait(3_600).await;
    assert_eq!((runs(&kept), told(&kept)), (seen, Vec::new()));
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn who_says_that_he_deployed_is_looked_after_at_once() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    let (old, _) = rolled_back(&kept, 240).await;
    let key = "service/api".parse().unwrap();
    kept.handle.order(Order::Look { key }).await.unwrap();
    kept.stage.wait(120).await;
    assert_eq!((told(&kept).len(), commit(&kept)), (1, old));
    let unknown = Order::Look { key: "service/none".parse().unwrap() };
    assert!(kept.handle.order(unknown).await.unwrap_err().to_string().contains("service/none"));
    kept.end().await;
}
