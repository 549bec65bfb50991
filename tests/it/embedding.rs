//! The library without the command line: a project opened from its parts, planned, applied, followed.

use std::sync::Arc;
use std::time::Duration;

use stoker::api::{Endpoint, Token};
use stoker::apply::Execution;
use stoker::budget::Millis;
use stoker::emulator;
use stoker::follow::Ending;
use stoker::plan::{Conclusion, Policy};
use stoker::project::{CarryError, OpenProject, PassError, ProjectParts};
use stoker::sandbox::SANDBOX_ENDPOINT;
use stoker::store::{Medium, Simulated, StoreError};

use crate::faults::{first, second};
use crate::stage::{Stage, brief, edited, manifests};

#[tokio::test(start_paused = true)]
async fn a_project_is_planned_applied_and_followed() {
    let stage = Stage::new();
    let project = stage.open();
    let planned = project.plan(stage.desired(&first()), &Policy::default()).await.unwrap();
    let since = stage.clock.now();
    let report = project.apply(&planned, Execution::default()).await.unwrap();
    assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
    let deadline = since + Duration::from_secs(900);
    let endings = project.follow(&planned.plan, &report, since, deadline, &|_, _| {}).await;
    let endings = endings.unwrap();
    let have_succeeded = endings.values().all(|ending| *ending == Ending::Succeeded);
    assert!(!endings.is_empty() && have_succeeded, "{endings:#?}");
    let again = project.plan(stage.desired(&first()), &Policy::default()).await.unwrap();
    assert_eq!(brief(&again.plan), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_applied_where_the_state_moved_since_the_plan_or_somebody_holds_it() {
    let (stage, policy) = (Stage::new(), Policy::default());
    let project = stage.open();
    let early = project.plan(stage.desired(&first()), &policy).await.unwrap();
    stage.apply(&first(), &policy).await;
    let writes = stage.emulator.record().writes();
    let applied = project.apply(&early, Execution::default()).await;
    assert!(matches!(applied, Err(PassError::Moved)), "{applied:?}");
    let planned = project.plan(stage.desired(&manifests(&second())), &policy).await.unwrap();
    let held = stage.state.open("somebody").unwrap();
    let applied = project.apply(&planned, Execution::default()).await;
    let is_locked =
        matches!(applied, Err(PassError::Carry(CarryError::Store(StoreError::Locked { .. }))));
    assert!(is_locked, "{applied:?}");
    drop(held);
    assert_eq!(stage.emulator.record().writes(), writes);
}

#[tokio::test(start_paused = true)]
async fn whoever_plans_plans_with_what_the_dialect_says() {
    let writes = async |dialect: &str| {
        let mut stage = Stage::new();
        stage.apply(&first(), &Policy::default()).await;
        stage.dialect.set(dialect).unwrap();
        let changed = edited(&first(), "production", "staging");
        stage.plan(&changed, &Policy::default()).await.cost.writes
    };
    let (patches, with_deploys) =
        (writes("deploy_after_patch=false").await, writes("deploy_after_patch=true").await);
    assert!(patches > 0 && with_deploys > patches, "{patches} {with_deploys}");
}

#[tokio::test(start_paused = true)]
async fn projects_on_one_directory_spend_from_one_budget_wherever_the_state_is() {
    let stage = Stage::new();
    let open = |state: &Medium| -> OpenProject {
        let parts = ProjectParts::new(
            Endpoint::parse(SANDBOX_ENDPOINT).unwrap(),
            Token::parse(emulator::TOKEN).unwrap(),
            Arc::clone(&stage.transport),
            stage.directory.path().into(),
        );
        let (clock, state) = (stage.clock.clone(), state.clone());
        ProjectParts { clock, state, ..parts }.open().unwrap()
    };
    for state in [stage.state.clone(), Medium::Memory(Simulated::default())] {
        let (one, other) = (open(&state), open(&state));
        let left = || other.ledger.view(Millis::from(stage.clock.now())).unwrap().remaining;
        let before = left();
        one.plan(stage.desired(&first()), &Policy::default()).await.unwrap();
        assert!(left() < before, "{before} {}", left());
    }
}
