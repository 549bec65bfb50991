//! Others at work: people, a second agent, the autoscaler, a token that lost rights, states that
//! were lost or restored. Whatever they do, nothing is deleted or made twice because of it.

use std::sync::Arc;

use stoker::emulator::{self, Access, Act, Emulator, EmulatorConfig, Kind, Permission};
use stoker::plan::{Conclusion, Outcome, Plan, Policy, Reason, Report};
use stoker::sandbox::{SandboxTransport, emulator_clock};
use stoker::source::Tree;

use crate::faults::{first, second};
use crate::laws::{self, set};
use crate::stage::{Stage, brief, edited, manifests, pruning};

/// Plans, lets somebody act, and only then carries out.
async fn meanwhile(
    stage: &Stage,
    tree: &Tree,
    policy: &Policy,
    act: impl FnOnce(&Stage),
) -> (Plan, Report) {
    let project = stage.open();
    let planned = project.plan(stage.desired(tree), policy).await.unwrap();
    act(stage);
    let report = stage.carry_out(&project, &planned).await;
    (planned.plan, report)
}

fn outcome<'a>(report: &'a Report, key: &str) -> &'a Outcome {
    let mut results = report.results.iter();
    &results.find(|result| result.key.to_string() == key).unwrap().outcome
}

fn id(stage: &Stage, kind: Kind, name: &str) -> String {
    stage.emulator.ids(kind, name).remove(0)
}

fn creates(stage: &Stage, name: &str) {
    let body = serde_json::json!({"name": name, "type": "background_worker"});
    stage.emulator.act(&Act::Create { kind: Kind::Service, body }).unwrap();
}

async fn applied() -> Stage {
    let stage = Stage::new();
    let (_, report) = stage.apply(&first(), &Policy::default()).await;
    assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
    stage.wait(600).await;
    stage
}

#[tokio::test(start_paused = true)]
async fn a_namesake_that_appears_meanwhile_is_left_to_its_maker() {
    for names_unique in [true, false] {
        let stage = Stage::on(EmulatorConfig { names_unique, ..EmulatorConfig::default() });
        let (_, report) =
            meanwhile(&stage, &first(), &pruning(), |stage| creates(stage, "jobs")).await;
        assert!(matches!(outcome(&report, "service/jobs"), Outcome::Stale { .. }), "{report:#?}");
        assert_eq!(report.conclusion(), Conclusion::Partial);
        assert_eq!(stage.emulator.ids(Kind::Service, "jobs").len(), 1);
        // By its name it may be changed, never deleted (S1).
        laws::it_settles(&stage, &first(), &pruning(), "namesake").await;
        let (plan, _) = stage.apply(&manifests(&second()), &pruning()).await;
        assert!(brief(&plan).contains(&"blocked service/jobs: not_owned".to_owned()), "{plan:#?}");
        assert_eq!(stage.emulator.record().deletes(Kind::Service, "jobs"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_renamed_meanwhile_is_neither_changed_nor_deleted() {
    let stage = applied().await;
    let rename = |stage: &Stage| {
        for name in ["api", "jobs"] {
            let (kind, id) = (Kind::Service, id(stage, Kind::Service, name));
            stage.emulator.act(&Act::Rename { kind, id, name: format!("{name}-old") }).unwrap();
        }
    };
    let writes = stage.emulator.record().writes();
    let (_, report) = meanwhile(&stage, &manifests(&second()), &pruning(), rename).await;
    assert!(matches!(outcome(&report, "service/api"), Outcome::Stale { .. }), "{report:#?}");
    assert!(matches!(outcome(&report, "service/jobs"), Outcome::Stale { .. }), "{report:#?}");
    assert_eq!(report.conclusion(), Conclusion::Stale);
    assert_eq!(stage.emulator.record().writes(), writes);
    let (plan, _) = stage.apply(&manifests(&second()), &pruning()).await;
    assert!(brief(&plan).contains(&"blocked service/jobs: not_owned".to_owned()), "{plan:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_went_meanwhile_is_not_written_to_and_comes_back_once() {
    let stage = applied().await;
    let tree = edited(&first(), "production", "staging");
    let remove = |stage: &Stage| {
        let id = id(stage, Kind::Service, "api");
        stage.emulator.act(&Act::Delete { kind: Kind::Service, id }).unwrap();
    };
    let (_, report) = meanwhile(&stage, &tree, &Policy::default(), remove).await;
    assert!(matches!(outcome(&report, "service/api"), Outcome::Stale { .. }), "{report:#?}");
    laws::it_settles(&stage, &tree, &pruning(), "gone").await;
    assert_eq!(stage.emulator.record().creates(Kind::Service, "api"), 2);
    laws::nothing_is_there_twice(&stage, "gone");
}

#[tokio::test(start_paused = true)]
async fn a_field_that_moved_meanwhile_is_looked_at_again_before_it_is_written() {
    let stage = applied().await;
    let tree = edited(&first(), "plan: standard\n", "plan: starter\n");
    let edit = |stage: &Stage| set(stage, "api", "plan", "\"premium\"");
    let writes = stage.emulator.record().writes();
    let (_, report) = meanwhile(&stage, &tree, &Policy::default(), edit).await;
    assert!(matches!(outcome(&report, "service/api"), Outcome::Stale { .. }), "{report:#?}");
    assert_eq!(stage.emulator.record().writes(), writes);
    laws::it_settles(&stage, &tree, &Policy::default(), "moved").await;
}

#[tokio::test(start_paused = true)]
async fn an_env_group_that_was_taken_off_meanwhile_is_seen_before_it_is_written() {
    let stage = applied().await;
    let tree = edited(&first(), "envGroups: [shared]", "envGroups: [shared, more]");
    let more = "---\napiVersion: stackblaze.cloud/v1\nkind: EnvGroup\nmetadata: { name: more }\n\
                spec: { envVars: [ { key: MORE, value: more } ] }\n";
    let text = String::from_utf8(tree.files()[0].bytes.to_vec()).unwrap() + more;
    let tree = manifests(&text);
    let edit = |stage: &Stage| set(stage, "api", "env_groups", "[]");
    let (_, report) = meanwhile(&stage, &tree, &Policy::default(), edit).await;
    assert!(matches!(outcome(&report, "service/api"), Outcome::Stale { .. }), "{report:#?}");
    laws::it_settles(&stage, &tree, &Policy::default(), "taken off").await;
}

#[tokio::test(start_paused = true)]
async fn the_autoscaler_moves_replicas_and_nobody_calls_it_drift() {
    let stage = applied().await;
    for replicas in [2, 5, 1] {
        let id = id(&stage, Kind::Service, "api");
        stage.emulator.act(&Act::Autoscale { id, replicas }).unwrap();
        assert_eq!(brief(&stage.plan(&first(), &pruning()).await), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_agent_takes_over_by_name_and_makes_nothing_twice() {
    let stage = Stage::on(EmulatorConfig { names_unique: false, ..EmulatorConfig::default() });
    let mut other = Stage::new();
    other.emulator = stage.emulator.clone();
    other.transport = stage.transport.clone();
    // Both plan on an empty project; the other is the faster one.
    let project = stage.open();
    let planned = project.plan(stage.desired(&first()), &pruning()).await.unwrap();
    other.apply(&first(), &pruning()).await;
    let report = stage.carry_out(&project, &planned).await;
    assert_eq!(report.counts().written, 0, "{report:#?}");
    laws::it_settles(&stage, &first(), &pruning(), "second").await;
    laws::it_settles(&other, &first(), &pruning(), "other").await;
    laws::nothing_is_there_twice(&stage, "second");
    let (plan, _) = stage.apply(&manifests(&second()), &pruning()).await;
    assert!(brief(&plan).contains(&"blocked service/jobs: not_owned".to_owned()), "{plan:#?}");
}

fn limit(stage: &Stage, access: Access) {
    let token = emulator::TOKEN.to_owned();
    stage.emulator.act(&Act::Limit { token, access: Some(access) }).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_may_not_be_listed_is_unknown_and_the_others_go_on() {
    let stage = applied().await;
    limit(&stage, Access { databases: Permission::None, ..Access::default() });
    let (plan, report) = stage.apply(&manifests(&second()), &pruning()).await;
    let deletes = stage.emulator.record().deletes(Kind::Service, "jobs");
    assert_eq!(deletes, 1, "{report:#?}");
    assert!(
        brief(&plan).contains(&"blocked database/main: incomplete_view".to_owned()),
        "{plan:#?}"
    );
    assert_eq!(stage.emulator.record().creates(Kind::Database, "main"), 1);
    laws::the_report_is_honest(&plan, &report, "403");
    limit(&stage, Access::default());
    laws::it_settles(&stage, &manifests(&second()), &pruning(), "403").await;
    assert_eq!(stage.emulator.record().creates(Kind::Database, "main"), 1);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_delete_or_write_is_told_so_and_nothing_is_forgotten() {
    let stage = applied().await;
    limit(&stage, Access { may_delete: false, ..Access::default() });
    let (_, report) = stage.apply(&manifests(&second()), &pruning()).await;
    assert_eq!(report.counts().denied, 1, "{report:#?}");
    assert_eq!(report.conclusion(), Conclusion::Partial);
    limit(&stage, Access { services: Permission::Read, ..Access::default() });
    let (_, report) = stage.apply(&manifests(&second()), &pruning()).await;
    assert_eq!(report.conclusion(), Conclusion::Denied, "{report:#?}");
    limit(&stage, Access::default());
    laws::it_settles(&stage, &manifests(&second()), &pruning(), "denied").await;
    assert_eq!(stage.emulator.record().deletes(Kind::Service, "jobs"), 1);
}

#[tokio::test(start_paused = true)]
async fn another_project_or_another_guard_is_not_written_to() {
    let stage = applied().await;
    let writes = stage.emulator.record().writes();
    let guarded = |name: &str| {
        let first = String::from_utf8(first().files()[0].bytes.clone()).unwrap();
        let guard = format!(
            "apiVersion: stackblaze.cloud/v1\nkind: Project\nmetadata: {{ name: {name} }}\n---"
        );
        manifests(&(guard + &first))
    };
    assert!(stage.try_apply(&guarded("other"), &pruning()).await.is_err());
    assert!(stage.try_apply(&guarded("emulator"), &pruning()).await.is_ok());
    stage.emulator.reconfigure(|config| config.project.id = Some("prj_other".to_owned()));
    assert!(stage.try_apply(&manifests(&second()), &pruning()).await.is_err());
    stage.emulator.reconfigure(|config| config.project.id = None);
    assert!(stage.try_apply(&manifests(&second()), &pruning()).await.is_err());
    assert_eq!(stage.emulator.record().writes(), writes);
}

#[tokio::test(start_paused = true)]
async fn a_lost_state_adopts_by_name_and_deletes_nothing() {
    let stage = applied().await;
    let mut amnesiac = Stage::new();
    amnesiac.emulator = stage.emulator.clone();
    amnesiac.transport = stage.transport.clone();
    amnesiac.ledger = stage.ledger.clone();
    let before = laws::creates_and_deletes(&stage.emulator);
    laws::it_settles(&amnesiac, &first(), &pruning(), "lost").await;
    let (plan, _) = amnesiac.apply(&manifests(&second()), &pruning()).await;
    assert!(brief(&plan).contains(&"blocked service/jobs: not_owned".to_owned()), "{plan:#?}");
    assert_eq!(laws::creates_and_deletes(&stage.emulator), before);
}

#[tokio::test(start_paused = true)]
async fn an_empty_project_while_we_own_things_is_filled_again_only_when_proven_empty() {
    let stage = applied().await;
    let faults = "total:missing@GET /services; rename-key@GET /databases; fail:500@GET /envgroups";
    stage.emulator.play(emulator::Faults::parse(faults).unwrap());
    let writes = stage.emulator.record().writes();
    let (plan, report) = stage.apply(&first(), &pruning()).await;
    assert_eq!(stage.emulator.record().writes(), writes, "{plan:#?}");
    laws::the_report_is_honest(&plan, &report, "unknown");
    stage.emulator.play(emulator::Faults::default());
    laws::it_settles(&stage, &first(), &pruning(), "known").await;
    assert_eq!(stage.emulator.record().writes(), writes);
}

#[tokio::test(start_paused = true)]
async fn what_a_stale_replica_does_not_show_is_not_made_again() {
    for platform_behind_by in [0, 300_000] {
        a_stale_replica_is_not_believed(platform_behind_by).await;
    }
}

async fn a_stale_replica_is_not_believed(platform_behind_by: u64) {
    let mut stage = Stage::new();
    let ours = emulator_clock(&stage.clock);
    let clock = Arc::new(move || ours() - platform_behind_by);
    let config = EmulatorConfig { names_unique: false, ..EmulatorConfig::default() };
    stage.emulator = Emulator::new(config, clock);
    stage.transport = Arc::new(SandboxTransport::new(stage.emulator.clone()));
    stage.apply(&first(), &pruning()).await;
    // Replicas may be behind by a minute (S3), and both looks may meet the same one.
    let faults = "hide-new:60000@GET /**";
    stage.emulator.play(emulator::Faults::parse(faults).unwrap());
    for _ in 0..3 {
        stage.wait(15).await;
        stage.apply(&first(), &pruning()).await;
    }
    stage.emulator.play(emulator::Faults::default());
    laws::it_settles(&stage, &first(), &pruning(), "stale").await;
    for (thing, count) in laws::creates_and_deletes(&stage.emulator) {
        assert_eq!(count, (1, 0), "{thing:?} {platform_behind_by}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deploy_that_fails_after_its_patch_is_told_and_made_up_for_once() {
    let mut stage =
        Stage::on(EmulatorConfig { deploy_after_patch: true, ..EmulatorConfig::default() });
    stage.dialect.deploy_after_patch = true;
    stage.apply(&first(), &Policy::default()).await;
    stage.wait(600).await;
    let faults = emulator::Faults::parse("fail:422@POST /services/*/deploy").unwrap();
    stage.emulator.play(faults);
    let tree = edited(&first(), "production", "staging");
    let (_, report) = stage.apply(&tree, &Policy::default()).await;
    assert_ne!(report.conclusion(), Conclusion::Done, "{report:#?}");
    stage.emulator.play(emulator::Faults::default());
    // Nothing differs any more, and what runs is still the old state.
    let patched = stage.emulator.record().writes();
    let before = stage.emulator.record().requests().count();
    let (plan, report) = stage.apply(&tree, &Policy::default()).await;
    assert_eq!(brief(&plan), ["update service/api"]);
    assert_eq!(plan.changes[0].reason, Reason::DeployOwed);
    assert_eq!(plan.changes[0].effect, stoker::model::Effect::Restart);
    assert_eq!((plan.cost.writes, plan.is_pending()), (1, true));
    let spent = stage.emulator.record().requests().count() - before;
    assert_eq!(spent, usize::try_from(plan.cost.reads + plan.cost.writes).unwrap());
    assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
    assert_eq!(stage.emulator.record().writes(), patched + 1);
    laws::what_is_written_runs(&stage, "deploy");
    assert_eq!(brief(&stage.plan(&tree, &Policy::default()).await), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_patch_owes_no_deploy() {
    let mut stage =
        Stage::on(EmulatorConfig { deploy_after_patch: true, ..EmulatorConfig::default() });
    stage.dialect.deploy_after_patch = true;
    stage.apply(&first(), &Policy::default()).await;
    stage.wait(600).await;
    stage.emulator.play(emulator::Faults::parse("fail:422@PATCH /**").unwrap());
    let tree = edited(&first(), "production", "staging");
    let (_, report) = stage.apply(&tree, &Policy::default()).await;
    assert_ne!(report.conclusion(), Conclusion::Done, "{report:#?}");
    stage.emulator.play(emulator::Faults::default());
    // The wish is taken back: what runs never stopped being what is declared.
    assert_eq!(brief(&stage.plan(&first(), &Policy::default()).await), [""; 0]);
}
