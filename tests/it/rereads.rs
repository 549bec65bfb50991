//! Manifests that could not be read are read again by themselves, ever less often.

use stoker::emulator::{EmulatorConfig, Kind};
use stoker::status::{ConditionReason, Problem, Trigger};

use crate::faults::first;
use crate::kept::{Kept, settings};
use crate::stage::Stage;

/// Makes a problem as a repository that is down gives it.
fn unreachable() -> Problem {
    stoker::daemon::source::problem(
        ConditionReason::SourceUnreachable,
        "failed to reach it".to_owned(),
    )
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_read_is_read_again_though_nothing_rings() {
    let stage = Stage::on(EmulatorConfig::default());
    let kept = Kept::failing(stage, settings(), unreachable());
    kept.stage.wait(1).await;
    assert_eq!(kept.reads(), 1);
    kept.write_silently(Ok(first()));
    // Far less than the interval, with which everything is read again.
    kept.stage.wait(60).await;
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.told());
    assert_eq!(kept.stage.emulator.truth(Kind::Service).len(), 2);
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn asking_for_news_every_second_does_not_hurry_what_fails() {
    let stage = Stage::on(EmulatorConfig::default());
    let kept = Kept::failing(stage, settings(), unreachable());
    for _ in 0..3_600 {
        kept.stage.wait(1).await;
        kept.handle.trigger(Trigger::Git);
    }
    // Two seconds, four, … five minutes: eight, and then twelve an hour.
    let reads = kept.reads();
    assert!((12..=25).contains(&reads), "{reads} in an hour");
    // Whoever has news is heard at once.
    kept.handle.trigger(Trigger::Webhook);
    kept.stage.wait(1).await;
    assert_eq!(kept.reads(), reads + 1);
    kept.write_silently(Ok(first()));
    kept.stage.wait(400).await;
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.told());
    let reads = kept.reads();
    for _ in 0..10 {
        kept.handle.trigger(Trigger::Git);
        kept.stage.wait(1).await;
    }
    assert_eq!(kept.reads(), reads + 10, "news is not asked for as before");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_takes_long_to_fail_is_not_begun_again_by_who_asked_meanwhile() {
    let stage = Stage::on(EmulatorConfig::default());
    let kept = Kept::failing_slowly(stage, settings(), unreachable(), 90);
    for _ in 0..3_600 {
        kept.stage.wait(1).await;
        kept.handle.trigger(Trigger::Git);
    }
    // Half of the time at most: it waits as long as it took, five minutes at last.
    let reads = kept.reads();
    assert!((8..=20).contains(&reads), "{reads} in an hour");
    kept.end().await;
}
