//! The agent before the emulator: what it does at its looks, and what it leaves alone.

use std::time::Duration;

use stoker::daemon::settings::Settings;
use stoker::daemon::source::problem;
use stoker::emulator::{Act, EmulatorConfig, Faults, Fields, Kind, Normalises, Shapes};
use stoker::plan::Policy;
use stoker::source::Tree;
use stoker::status::Order;
use stoker::status::{ConditionReason, ConditionType, Mode, Truth};

use crate::faults::{first, second};
use crate::kept::{Kept, settings};
use crate::laws;
use crate::stage::{Stage, edited, manifests};

#[tokio::test(start_paused = true)]
async fn what_is_committed_is_applied_and_then_nothing_is_written() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.status());
    assert_eq!(kept.writes(), 4);
    assert!(kept.status().synced.is_some());
    kept.stage.wait(3_600 * 24).await;
    assert_eq!(kept.writes(), 4);
    let tree = edited(&first(), "production", "staging");
    kept.write(Ok(tree));
    kept.stage.wait(2).await;
    assert_eq!(kept.writes(), 5, "{:#?}", kept.told());
    kept.stage.wait(120).await;
    assert_eq!(kept.ready(), "True Synced");
    laws::the_rate_is_kept(&kept.stage, "a day");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_look_at_rest_costs_its_share_and_still_sees_all_of_a_large_project_in_turn() {
    let service = |number: usize| {
        format!(
            "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: s{number} }}\n\
             spec: {{ type: web, runtime: node, repo: github.com/acme/shop, plan: standard }}\n"
        )
    };
    let tree = manifests(&(0..120).map(service).collect::<String>());
    let config =
        EmulatorConfig { list_fields: Shapes::every(Fields::Summary), ..EmulatorConfig::default() };
    let kept = Kept::begin(Stage::on(config), settings(), tree);
    kept.stage.wait(3 * 3_600).await;
    assert_eq!(kept.ready(), "True Synced");
    let before = kept.stage.emulator.record().requests().count();
    let writes = kept.writes();
    kept.stage.wait(6 * 3_600).await;
    let sent = kept.stage.emulator.record().requests().count() - before;
    assert_eq!(kept.writes(), writes);
    // One request in twenty of 285 a minute, and looking as often as a small project is looked at.
    assert!(sent <= 6 * 60 * 285 / 20, "{sent}");
    assert_eq!(kept.status().interval_seconds, 300);
    for service in ["s3", "s77", "s119"] {
        laws::set(&kept.stage, service, "plan", "\"enterprise\"");
    }
    kept.stage.wait(1_200).await;
    let truth = kept.stage.emulator.truth(Kind::Service);
    assert!(!truth.iter().any(|service| service["plan"] == "enterprise"), "{:?}", kept.told());
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn drift_is_repaired_within_one_interval() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    let id = kept.stage.emulator.ids(Kind::Service, "jobs").remove(0);
    kept.stage.emulator.act(&Act::Delete { kind: Kind::Service, id }).unwrap();
    laws::set(&kept.stage, "api", "plan", "\"enterprise\"");
    kept.stage.wait(400).await;
    assert_eq!(kept.stage.emulator.ids(Kind::Service, "jobs").len(), 1);
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.told());
    let told = kept.told();
    assert_eq!(told.iter().filter(|reason| *reason == "DriftRepaired").count(), 2, "{told:?}");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn drift_is_only_reported_where_it_only_looks() {
    let mut kept = Kept::on(EmulatorConfig::default(), settings()).await;
    let stage = kept.end().await;
    kept = Kept::begin(stage, Settings { mode: Mode::Observe, ..settings() }, first());
    kept.stage.wait(60).await;
    let writes = kept.writes();
    laws::set(&kept.stage, "api", "plan", "\"enterprise\"");
    kept.stage.wait(400).await;
    assert_eq!(kept.writes(), writes);
    // It runs as ever: what is held back is out of sync, and not ill.
    assert_eq!(kept.ready_of("service/api"), "True Observed");
    assert_eq!(kept.standing_of("service/api"), "OutOfSync Healthy");
    assert_eq!(
        (kept.ready(), kept.standing()),
        ("True Observed".into(), "OutOfSync Healthy".into())
    );
    assert!(kept.status().conditions.is_true(ConditionType::Drifted));
    assert!(kept.told().contains(&"DriftDetected".to_owned()), "{:?}", kept.told());
    assert_eq!(kept.status().pending.len(), 1);
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn manifests_that_cannot_be_used_delete_nothing_and_drift_is_still_repaired() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    for broken in [
        Ok(manifests("kind: [")),
        Ok(manifests("")),
        Ok(Tree::from_texts([])),
        Err(problem(ConditionReason::SourceUnreadable, "failed to read `x`".to_owned())),
    ] {
        let is_tree = broken.is_ok();
        kept.write(broken);
        laws::set(&kept.stage, "api", "plan", "\"enterprise\"");
        kept.stage.wait(400).await;
        let status = kept.status();
        assert!(status.source.problem.is_some(), "{is_tree}");
        assert!(kept.ready().starts_with("False "), "{}", kept.ready());
        assert!(status.conditions.is_true(ConditionType::Stalled));
        let truth = kept.stage.emulator.truth(Kind::Service);
        assert_eq!(truth.len(), 2);
        assert!(!truth.iter().any(|service| service["plan"] == "enterprise"));
        // An hour of agreement, and then some: sooner it would be a fight (L1).
        kept.stage.wait(4_500).await;
    }
    kept.write(Ok(first()));
    kept.stage.wait(30).await;
    assert_eq!(kept.ready(), "True Synced");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_longer_declared_goes_and_a_pinned_project_is_not_another() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    kept.write(Ok(manifests(&second())));
    kept.stage.wait(120).await;
    assert_eq!(kept.stage.emulator.ids(Kind::Service, "jobs").len(), 0, "{:#?}", kept.told());
    assert_eq!(kept.ready(), "True Synced");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_suspended_agent_looks_and_does_not_write_until_the_time_is_over() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    let writes = kept.writes();
    let until = kept.stage.clock.now() + Duration::from_secs(3_600);
    let order = Order::Suspend { reason: "a migration".to_owned(), until };
    kept.handle.order(order).await.unwrap();
    kept.write(Ok(edited(&first(), "production", "staging")));
    kept.stage.wait(1_800).await;
    assert_eq!(kept.writes(), writes);
    // Suspended alone is not ill: it runs as it did, and the reason stands beside.
    assert_eq!(kept.ready_of("service/api"), "True Suspended");
    assert_eq!(
        (kept.ready(), kept.standing()),
        ("True Suspended".into(), "OutOfSync Healthy".into())
    );
    let seen = kept.status().seen_synced_at.unwrap();
    assert!(kept.stage.clock.now().duration_since(seen).as_secs() >= 1_800);
    kept.stage.wait(1_900).await;
    assert_eq!(kept.writes(), writes + 1, "{:#?}", kept.told());
    let nothing = Order::Suspend { reason: " ".to_owned(), until };
    kept.handle.order(nothing).await.unwrap_err();
    let past = Order::Suspend { reason: "x".to_owned(), until };
    kept.handle.order(past).await.unwrap_err();
    kept.handle.order(Order::Pin { commit: "abcdef0".to_owned() }).await.unwrap_err();
    kept.handle.order(Order::Resume).await.unwrap_err();
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_suspension_outlives_a_restart() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    let until = kept.stage.clock.now() + Duration::from_secs(3_600);
    kept.handle.order(Order::Suspend { reason: "night".to_owned(), until }).await.unwrap();
    let stage = kept.end().await;
    let writes = stage.emulator.record().writes();
    let kept = Kept::begin(stage, settings(), edited(&first(), "production", "staging"));
    kept.stage.wait(600).await;
    assert_eq!(kept.writes(), writes);
    assert_eq!(kept.status().steering.suspension.as_ref().unwrap().reason, "night");
    kept.handle.order(Order::Resume).await.unwrap();
    kept.stage.wait(10).await;
    assert_eq!(kept.writes(), writes + 1);
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_failing_resource_backs_off_and_delays_no_other() {
    let kept = Kept::begin(Stage::new(), settings(), first());
    kept.stage.emulator.play(Faults::parse("fail:422@PATCH /**").unwrap());
    kept.stage.wait(120).await;
    let id = kept.stage.emulator.ids(Kind::Service, "api").remove(0);
    let before = kept.stage.emulator.record().requests().count();
    kept.write(Ok(edited(&first(), "production", "staging")));
    kept.stage.wait(600).await;
    assert!(kept.ready_of("service/api").starts_with("False "), "{}", kept.ready_of("service/api"));
    assert_eq!(kept.ready_of("service/jobs"), "True InSync");
    let status = kept.status();
    let api = status.resources.iter().find(|it| it.key.name.as_str() == "api").unwrap();
    assert!(api.failures > 2, "{api:#?}");
    // Ten minutes of failing cost a small share of the budget.
    let spent = kept.stage.emulator.record().requests().count() - before;
    assert!(spent < 200, "{spent}");
    // Another change is not delayed by it.
    let deletes = kept.stage.emulator.record().deletes(Kind::Service, "jobs");
    assert_eq!(deletes, 0);
    kept.write(Ok(manifests(&second())));
    // A minute is how long a directory must have lost nothing (S7).
    kept.stage.wait(65).await;
    assert_eq!(kept.stage.emulator.record().deletes(Kind::Service, "jobs"), 1);
    kept.stage.emulator.play(Faults::default());
    kept.stage.wait(310).await;
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.told());
    assert_eq!(kept.stage.emulator.ids(Kind::Service, "api"), [id]);
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_fails_stalls_its_service_and_is_not_made_again_and_again() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    fail_next(&kept, "api");
    kept.write(Ok(edited(&first(), "production", "staging")));
    kept.stage.wait(300).await;
    assert_eq!(kept.ready_of("service/api"), "False DeployFailed", "{:#?}", kept.told());
    let status = kept.status();
    let api = status.resources.iter().find(|it| it.key.name.as_str() == "api").unwrap();
    assert!(!api.deployment.as_ref().unwrap().log.is_empty());
    assert!(api.conditions.is_true(ConditionType::Stalled));
    let writes = kept.writes();
    // Somebody moves it again and again: it is repaired, and fails, three times at most.
    for plan in ["a", "b", "c", "d", "e", "f"] {
        laws::set(&kept.stage, "api", "plan", &format!("{plan:?}"));
        // The deployment of the change by hand has begun; the next one is the repair's.
        fail_next(&kept, "api");
        kept.stage.wait(700).await;
    }
    assert_eq!(kept.writes(), writes + 2, "{:#?}", kept.told());
    // The last failure that was prepared is used up by a change by hand, which ends the fight.
    laws::set(&kept.stage, "api", "plan", "\"standard\"");
    kept.stage.wait(30).await;
    // A new state is a new chance.
    kept.write(Ok(edited(&first(), "production", "canary")));
    kept.stage.wait(300).await;
    assert_eq!(kept.ready_of("service/api"), "True InSync", "{:#?}", kept.told());
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_goes_while_its_deployment_is_followed_delays_no_other() {
    let kept = Kept::begin(Stage::new(), settings(), first());
    kept.stage.wait(3).await;
    let id = kept.stage.emulator.ids(Kind::Service, "jobs").remove(0);
    kept.stage.emulator.act(&Act::Delete { kind: Kind::Service, id }).unwrap();
    kept.stage.wait(120).await;
    assert_eq!(kept.ready_of("service/api"), "True InSync", "{:#?}", kept.told());
    assert!(kept.told().contains(&"Gone".to_owned()), "{:#?}", kept.told());
    kept.stage.wait(400).await;
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.told());
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_deployment_is_rolled_back_once_where_that_is_wished() {
    let wish = Settings { rollback_on_failure: true, ..settings() };
    let kept = Kept::on(EmulatorConfig::default(), wish).await;
    kept.write(Ok(edited(&first(), "production", "staging")));
    kept.stage.wait(120).await;
    fail_next(&kept, "api");
    kept.write(Ok(edited(&first(), "production", "broken")));
    kept.stage.wait(1_200).await;
    let told = kept.told();
    assert_eq!(told.iter().filter(|reason| *reason == "RolledBack").count(), 1, "{told:#?}");
    assert_eq!(kept.ready_of("service/api"), "False DeployFailed");
    let writes = kept.writes();
    kept.stage.wait(3_600).await;
    assert_eq!(kept.writes(), writes);
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_deployment_of_a_value_that_gave_way_is_not_forgotten() {
    let stack = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: api }\nspec: { \
        type: worker, runtime: node, repo: github.com/acme/shop, \
        envVars: [{ key: SALT, generateValue: { rotate: 1d } }] }\n";
    let kept = Kept::begin(Stage::new(), settings(), manifests(stack));
    kept.stage.wait(86_000).await;
    assert_eq!(kept.ready_of("service/api"), "True InSync", "{:#?}", kept.told());
    let writes = kept.writes();
    fail_next(&kept, "api");
    kept.stage.wait(3_600).await;
    assert_eq!(kept.writes(), writes + 1, "{:#?}", kept.told());
    assert_eq!(kept.ready_of("service/api"), "False DeployFailed", "{:#?}", kept.told());
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_rollback_by_people_is_not_undone_by_a_repair() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    kept.write(Ok(edited(&first(), "production", "staging")));
    kept.stage.wait(120).await;
    let id = kept.stage.emulator.ids(Kind::Service, "api").remove(0);
    // The change by hand deploys; the rollback comes after it.
    laws::set(&kept.stage, "api", "plan", "\"enterprise\"");
    kept.stage.wait(90).await;
    kept.stage.emulator.act(&Act::Rollback { id }).unwrap();
    let writes = kept.writes();
    kept.stage.wait(1_200).await;
    assert_eq!(kept.writes(), writes, "{:#?}", kept.told());
    assert_eq!(kept.ready_of("service/api"), "False RolledBack");
    // What somebody commits is a later decision.
    kept.write(Ok(edited(&first(), "production", "canary")));
    kept.stage.wait(60).await;
    assert_eq!(kept.writes(), writes + 1);
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_create_is_settled_by_later_passes_and_delays_nobody() {
    let stage = Stage::new();
    stage
        .emulator
        .play(Faults::parse("lose-answer@POST /services#1; hide-new:90000@GET /**").unwrap());
    let kept = Kept::begin(stage, settings(), first());
    kept.stage.wait(5).await;
    assert_eq!(kept.writes(), 4, "the other creates did not wait");
    kept.stage.wait(900).await;
    kept.stage.emulator.play(Faults::default());
    kept.stage.wait(900).await;
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.told());
    laws::nothing_is_there_twice(&kept.stage, "lost");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_cannot_be_read_is_unknown_and_asked_ever_less_often() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    let before = kept.stage.emulator.record().requests().count();
    kept.stage.emulator.play(Faults::parse("fail:503@GET /**").unwrap());
    kept.stage.wait(3_600).await;
    assert_eq!(kept.ready(), "Unknown PlatformUnavailable");
    let spent = kept.stage.emulator.record().requests().count() - before;
    assert!(spent < 1_000, "{spent}");
    let ready = kept.status().conditions.get(ConditionType::Ready).unwrap().status;
    assert_eq!(ready, Truth::Unknown);
    kept.stage.emulator.play(Faults::default());
    kept.stage.wait(400).await;
    assert_eq!(kept.ready(), "True Synced");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_field_that_will_not_settle_is_left_alone_and_said() {
    let config = EmulatorConfig { normalises: Normalises::Everything, ..EmulatorConfig::default() };
    let tree = edited(&first(), "plan: standard\n", "plan: standard\n  branch: Main\n");
    let kept = Kept::begin(Stage::on(config), settings(), tree);
    kept.stage.wait(3_600).await;
    let writes = kept.writes();
    kept.stage.wait(3_600 * 24).await;
    assert_eq!(kept.writes(), writes, "{:#?}", kept.told());
    assert!(kept.ready_of("service/api").ends_with("FieldFlapping"), "{:#?}", kept.status());
    kept.end().await;
}

/// Lets the next deployment of a service fail.
fn fail_next(kept: &Kept, service: &str) {
    let id = kept.stage.emulator.ids(Kind::Service, service).remove(0);
    kept.stage.emulator.act(&Act::FailNext { id, log: vec!["boom".to_owned()] }).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deployment_is_remembered_with_its_end_and_counted() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    fail_next(&kept, "api");
    kept.write(Ok(edited(&first(), "production", "staging")));
    kept.stage.wait(400).await;
    let status = kept.status();
    let failed = status.deployments.iter().find(|one| one.status == "failed").unwrap();
    assert_eq!(failed.key.to_string(), "service/api");
    assert_eq!(failed.log.last().unwrap(), "boom");
    assert_eq!(failed.digest, status.source.revision.as_ref().unwrap().digest);
    assert!(failed.ended_at.is_some_and(|at| at > failed.started_at));
    assert_eq!(status.counts.deployments["failed"], 1, "{:#?}", status.counts);
    assert!(status.counts.deployments["succeeded"] >= 1, "{:#?}", status.counts);
    assert_eq!(kept.standing_of("service/api"), "Synced Degraded");
    assert!(kept.standing().ends_with("Degraded"));
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn pruning_is_off_unless_it_is_asked_for() {
    let kept =
        Kept::on(EmulatorConfig::default(), Settings { policy: Policy::default(), ..settings() })
            .await;
    kept.write(Ok(manifests(&second())));
    kept.stage.wait(400).await;
    assert_eq!(kept.stage.emulator.ids(Kind::Service, "jobs").len(), 1);
    assert_eq!(kept.ready_of("service/jobs"), "True PruneOff");
    assert_eq!(kept.standing_of("service/jobs"), "OutOfSync Healthy");
    assert_eq!(kept.ready(), "True Synced");
    assert_eq!(kept.standing(), "Synced Healthy");
    kept.end().await;
}
