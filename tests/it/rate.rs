//! The budget with more to do than a minute allows (S4), however the platform counts.

use stoker::emulator::{
    EmulatorConfig, Faults, Ingress, Kind, LimiterModel, ResetForm, RetryAfterForm,
};
use stoker::plan::{Conclusion, Policy};

use crate::laws;
use crate::stage::{Stage, brief, manifests};

const SERVICES: usize = 150;

fn many() -> String {
    services(SERVICES)
}

fn services(count: usize) -> String {
    let one = |number: usize| {
        format!(
            "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: s{number} }}\n\
             spec: {{ type: web, runtime: node, repo: github.com/acme/shop }}\n"
        )
    };
    (0..count).map(one).collect()
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
        let config = EmulatorConfig { limiter, reset, retry_after, ..EmulatorConfig::default() };
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

/// What stands in front of the API counts otherwise than the API does, and tells nothing of it (nginx
/// with `limit_req`, which refuses with 503 unless told otherwise).
#[tokio::test(start_paused = true)]
async fn behind_an_ingress_with_even_steps_commands_in_a_row_take_little_longer_than_it_asks() {
    const EVERY_MS: u64 = 200;
    for (status, most) in [(429, 2), (503, 3)] {
        let ingress = Some(Ingress { every_ms: EVERY_MS, status });
        let stage = Stage::on(EmulatorConfig { ingress, ..EmulatorConfig::default() });
        let tree = manifests(&services(17));
        for run in 0..4 {
            let context = format!("{status}, run {run}");
            let (began, sent) = (stage.clock.now(), stage.emulator.record().requests().count());
            let (_, report) = stage.apply(&tree, &Policy::default()).await;
            assert_eq!(report.conclusion(), Conclusion::Done, "{context}: {:?}", report.counts());
            let took = stage.clock.now().duration_since(began).as_millis();
            let record = stage.emulator.record();
            let passed = record.requests().skip(sent).filter(|(_, asked)| asked.status < 400);
            let ideal = i128::from(EVERY_MS) * i128::try_from(passed.count()).unwrap();
            assert!(took <= most * ideal, "{context}: {took} ms of {ideal}");
        }
        assert_eq!(stage.emulator.truth(Kind::Service).len(), 17, "{status}");
        laws::the_rate_is_kept(&stage, &status.to_string());
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
