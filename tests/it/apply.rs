//! Plan and apply, end to end, before the emulator.

use stoker::api::Recollection;
use stoker::emulator::{Act, Kind};
use stoker::plan::{Conclusion, Policy};

use crate::laws;
use crate::stage::{Stage, brief, manifests, pruning, shipped};

const SMALL: &str = "
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api }
spec:
  type: web
  runtime: node
  repo: github.com/acme/shop
  plan: standard
  scaling: { minInstances: 1, maxInstances: 3 }
  envGroups: [shared]
  envVars:
    - { key: NODE_ENV, value: production }
    - { key: DATABASE_URL, fromDatabase: { name: main, property: connectionString } }
    - { key: SALT, generateValue: true }
---
apiVersion: stackblaze.cloud/v1
kind: Database
metadata: { name: main }
spec: { type: postgres, version: '16', plan: standard, storageGB: 10 }
---
apiVersion: stackblaze.cloud/v1
kind: EnvGroup
metadata: { name: shared }
spec: { envVars: [ { key: LOG_LEVEL, value: info } ] }
";

#[tokio::test(start_paused = true)]
async fn what_was_applied_has_no_changes() {
    let stage = Stage::new();
    let tree = manifests(SMALL);
    let (plan, report) = stage.apply(&tree, &Policy::default()).await;
    assert_eq!(
        brief(&plan),
        ["create envgroup/shared", "create database/main", "create service/api"]
    );
    assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
    let again = stage.plan(&tree, &Policy::default()).await;
    assert_eq!(brief(&again), [""; 0], "{again:#?}");
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_before_it_began_it_writes_nothing() {
    let stage = Stage::new();
    stage.stop.send_replace(true);
    let (plan, report) = stage.apply(&manifests(SMALL), &Policy::default()).await;
    assert_eq!(plan.changes.len(), 3);
    assert_eq!(report.conclusion(), Conclusion::Stopped, "{report:#?}");
    assert_eq!(stage.emulator.record().writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_shop_costs_exactly_what_its_plan_foretold() {
    let stage = Stage::new();
    let tree = shipped("examples/stacks/shop");
    let plan = stage.plan(&tree, &Policy::default()).await;
    assert_eq!((plan.cost.reads, plan.cost.writes), (1 + 3 + 3, 17));
    let before = stage.emulator.record().requests().count();
    let (_, report) = stage.apply(&tree, &Policy::default()).await;
    assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
    let record = stage.emulator.record();
    let spent = record.requests().count() - before;
    assert_eq!(spent, (plan.cost.reads + plan.cost.writes) as usize);
    assert_eq!(record.writes(), 17);
    assert_eq!(record.refused_for_rate(), 0);
}

#[tokio::test(start_paused = true)]
async fn drift_is_repaired_and_nothing_else_is_touched() {
    let stage = Stage::new();
    let tree = manifests(SMALL);
    stage.apply(&tree, &Policy::default()).await;
    let id = stage.emulator.ids(Kind::Service, "api").remove(0);
    let field = "plan".to_owned();
    let act = Act::SetField { id, field, value: Some("starter".into()) };
    stage.emulator.act(&act).unwrap();
    let (plan, report) = stage.apply(&tree, &Policy::default()).await;
    assert_eq!(brief(&plan), ["update service/api"]);
    let fields: Vec<String> = plan.changes[0].fields.iter().map(|f| f.path.to_string()).collect();
    assert_eq!(fields, ["plan"]);
    assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
    assert_eq!(brief(&stage.plan(&tree, &Policy::default()).await), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_longer_declared_goes_only_when_asked() {
    let stage = Stage::new();
    let document = |name: &str| {
        format!(
            "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: {name} }}\n\
             spec: {{ type: web, runtime: node, repo: github.com/acme/shop }}\n---\n"
        )
    };
    let all: String = ["a", "b", "c", "d"].map(document).concat();
    let fewer: String = ["a", "b", "c"].map(document).concat();
    stage.apply(&manifests(&all), &Policy::default()).await;
    let (plan, report) = stage.apply(&manifests(&fewer), &Policy::default()).await;
    assert_eq!(brief(&plan), ["blocked service/d: prune_off"]);
    assert_eq!(report.conclusion(), Conclusion::Done);
    let (plan, report) = stage.apply(&manifests(&fewer), &pruning()).await;
    assert_eq!(brief(&plan), ["delete service/d"]);
    assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
    assert_eq!(stage.emulator.record().deletes(Kind::Service, "d"), 1);
    assert_eq!(brief(&stage.plan(&manifests(&fewer), &pruning()).await), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_saw_when_it_was_planned_and_is_as_declared_is_not_written() {
    let tree = |command: &str| {
        manifests(&SMALL.replace("plan: standard\n  scaling", &format!("{command}\n  scaling")))
    };
    let (run, other) = ("startCommand: run", "startCommand: other");
    for by_hand in ["run", "something"] {
        let stage = Stage::new();
        stage.apply(&tree(other), &Policy::default()).await;
        laws::set(&stage, "api", "start_command", &format!("\"{by_hand}\""));
        let writes = stage.emulator.record().writes();
        // The platform says nothing of it while it is planned, and does before it is written.
        let project = stage.open();
        let (desired, anew) = (stage.desired(&tree(run)).into(), Recollection::default());
        let read = project.refresh(desired, stage.inventory(), &Policy::default(), anew).await;
        let (mut snapshot, _) = read.unwrap();
        let listing = snapshot.live.listings.get_mut(&stoker::model::Kind::Service).unwrap();
        listing.objects[0].fields.remove(&"startCommand".parse().unwrap());
        let planned = project.decide(snapshot, &Policy::default()).await.unwrap();
        let report = stage.carry_out(&project, &planned).await;
        assert_eq!(brief(&planned.plan), ["update service/api"], "{:#?}", planned.plan);
        assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
        let written = stage.emulator.record().writes() - writes;
        assert_eq!(written, usize::from(by_hand != "run"));
        assert_eq!(brief(&stage.plan(&tree(run), &Policy::default()).await), [""; 0]);
    }
}
