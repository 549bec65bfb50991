//! The budget with more to do than a minute allows (S4), however the platform counts.

use stoker::emulator::{Config, Faults, Kind, LimiterModel, ResetForm, RetryAfterForm};
use stoker::plan::{Conclusion, Policy};

use crate::laws;
use crate::stage::{Stage, brief, manifests};

const SERVICES: usize = 150;

fn many() -> String {
    let one = |number: usize| {
        format!(
            "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: s{number} }}\n\
             spec: {{ type: web, runtime: node, repo: github.com/acme/shop }}\n"
        )
    };
    (0..SERVICES).map(one).collect()
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_kept_in_any_minute_over_several_runs() {
    let models = [
        LimiterModel::FixedWindow,
        LimiterModel::FixedMinute,
        LimiterModel::SlidingLog,
        LimiterModel::Bucket,
        LimiterModel::SmallBucket,
        LimiterModel::Penalty,
        LimiterModel::SlidingCountsRefused,
        LimiterModel::SlidingUnderWindow,
    ];
    let resets = [
        ResetForm::Delta,
        ResetForm::EpochSeconds,
        ResetForm::EpochMilliseconds,
        ResetForm::HttpDate,
        ResetForm::Absent,
    ];
    let retries = [RetryAfterForm::Seconds, RetryAfterForm::HttpDate, RetryAfterForm::Absent];
    for (number, limiter) in models.into_iter().enumerate() {
        let (reset, retry_after) = (resets[number % 5], retries[number % 3]);
        let config = Config { limiter, reset, retry_after, ..Config::default() };
        let context = format!("{limiter:?} {reset:?} {retry_after:?}");
        let stage = Stage::on(config);
        let tree = manifests(&many());
        let (_, report) = stage.apply(&tree, &Policy::default()).await;
        assert_eq!(report.conclusion(), Conclusion::Done, "{context}: {:?}", report.counts());
        // A run after a run, without a pause: the budget outlives the run.
        let (plan, _) = stage.apply(&tree, &Policy::default()).await;
        assert_eq!(brief(&plan), [""; 0], "{context}");
        laws::the_rate_is_kept(&stage, &context);
        let record = stage.emulator.record();
        assert_eq!(record.writes(), SERVICES, "{context}");
        if limiter != LimiterModel::SmallBucket {
            assert_eq!(record.refused_for_rate(), 0, "{context}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_service_that_always_fails_delays_no_other() {
    let stage = Stage::new();
    stage.emulator.play(Faults::parse("fail:422@POST /services#7").unwrap());
    let (_, report) = stage.apply(&manifests(&many()), &Policy::default()).await;
    assert_eq!(report.conclusion(), Conclusion::Partial);
    assert_eq!(report.counts().written, SERVICES - 1);
    assert_eq!(stage.emulator.truth(Kind::Service).len(), SERVICES - 1);
}
