//! A month of an agent's life on a virtual clock, with faults all the way.

use std::time::Duration;

use stoker::daemon::settings::Settings;
use stoker::emulator::{Act, EmulatorConfig, Faults, Kind};

use crate::faults::first;
use crate::kept::{Kept, settings};
use crate::laws;
use crate::stage::Stage;

const DAY: u64 = 24 * 3_600;

/// A look each quarter of an hour: 2,880 of them.
const INTERVAL: Duration = Duration::from_secs(900);

#[tokio::test(start_paused = true)]
async fn in_a_month_of_faults_the_budget_holds_nothing_is_written_at_rest_and_memory_stays_flat() {
    let stage = Stage::on(EmulatorConfig::default());
    let kept = Kept::begin(stage, Settings { interval: INTERVAL, ..settings() }, first());
    kept.stage.wait(DAY).await;
    assert_eq!(kept.ready(), "True Synced");
    // One request in fifty goes wrong, in one of all the ways there are.
    kept.stage.emulator.play(Faults::parse("seed=30,rate=0.02").unwrap());
    let mut sizes = Vec::new();
    for day in 1..30 {
        if day % 3 == 0 {
            // Somebody moves something, and it is set back within the day.
            laws::set(&kept.stage, "api", "plan", &format!("\"by-hand-{day}\""));
        }
        let writes = kept.writes();
        kept.stage.wait(DAY).await;
        // A repair is a write; whatever a fault makes of it, a day at rest has none.
        let most = if day % 3 == 0 { 3 } else { 0 };
        let written = kept.writes() - writes;
        assert!(written <= most, "day {day}: {written} writes\n{:#?}", kept.told());
        let status = serde_json::to_vec(&*kept.status()).unwrap();
        let events = serde_json::to_vec(&kept.handle.recent_events()).unwrap();
        sizes.push((status.len(), events.len()));
    }
    kept.stage.emulator.play(Faults::default());
    kept.stage.wait(2 * 3_600).await;
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.told());
    laws::the_rate_is_kept(&kept.stage, "a month");
    laws::nothing_is_there_twice(&kept.stage, "a month");
    for ((_, _), count) in laws::creates_and_deletes(&kept.stage.emulator) {
        assert_eq!(count, (1, 0));
    }
    // What is kept of the past is bounded: after the first days it grows no more.
    let most = |days: &[(usize, usize)]| days.iter().map(|(status, _)| *status).max().unwrap();
    assert!(most(&sizes[20..]) <= most(&sizes[..10]) * 11 / 10, "{sizes:?}");
    assert!(sizes.iter().all(|(_, events)| *events < 1_000 * 1_024), "{sizes:?}");
    assert_eq!(kept.stage.emulator.truth(Kind::Service).len(), 2);
    kept.end().await;
}

/// The platform's own autoscaler moves replicas all day; that is no drift.
#[tokio::test(start_paused = true)]
async fn an_autoscaler_is_never_fought() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    let writes = kept.writes();
    for replicas in (1..=9).cycle().take(48) {
        let id = kept.stage.emulator.ids(Kind::Service, "api").remove(0);
        kept.stage.emulator.act(&Act::Autoscale { id, replicas }).unwrap();
        kept.stage.wait(1_800).await;
    }
    assert_eq!(kept.writes(), writes, "{:#?}", kept.told());
    kept.end().await;
}
