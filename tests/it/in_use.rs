//! A database whose address something outside the manifests takes: the emulator's record says what
//! became of it, and what was asked for to find out.

use serde_json::json;
use stoker::emulator::{Act, EmulatorConfig, Kind};
use stoker::plan::Policy;
use stoker::source::Tree;

use crate::stage::{Stage, brief, manifests, pruning};

fn databases(names: &[&str]) -> Tree {
    let one = |name: &&str| {
        format!(
            "---\napiVersion: stackblaze.cloud/v1\nkind: Database\nmetadata: {{ name: {name} }}\n\
             spec: {{ type: postgres }}\nlifecycle: {{ prune: true }}\n"
        )
    };
    manifests(&names.iter().map(one).collect::<String>())
}

/// Two databases of ours, and a service of somebody else's with a variable.
async fn stage(variable: serde_json::Value) -> Stage {
    let stage = Stage::on(EmulatorConfig::default());
    stage.apply(&databases(&["main", "other"]), &Policy::default()).await;
    let body = json!({ "name": "legacy", "type": "web_service", "image": "nginx", "port": 8080,
        "env_vars": [variable] });
    stage.emulator.act(&Act::Create { kind: Kind::Service, body }).unwrap();
    stage.wait(600).await;
    stage
}

/// How often the details of a service were asked for.
fn details_read(stage: &Stage) -> usize {
    let record = stage.emulator.record();
    let is_detail = |path: &str| path.contains("/services/");
    record.requests().filter(|(_, it)| it.method == "GET" && is_detail(&it.path)).count()
}

#[tokio::test(start_paused = true)]
async fn it_stays_until_a_person_approves_that_very_one() {
    let source = json!({ "name": "main", "property": "connectionString" });
    let stage = stage(json!({ "key": "URL", "from_database": source })).await;
    stage.apply(&databases(&["main", "other"]), &pruning()).await;
    assert_eq!(details_read(&stage), 0, "nothing would go, so nobody else is looked at");
    let (plan, _) = stage.apply(&databases(&["other"]), &pruning()).await;
    assert_eq!(brief(&plan), ["blocked database/main: approval_missing"]);
    assert_eq!(details_read(&stage), 1);
    let blocked = plan.changes[0].blocked.as_ref().unwrap();
    assert!(blocked.message.starts_with("service/legacy ("), "{}", blocked.message);
    assert_eq!(stage.emulator.ids(Kind::Database, "main").len(), 1);
    let line = blocked.hint.clone().unwrap();
    let tombstone = format!(
        "---\napiVersion: stackblaze.cloud/v1\nkind: Database\nmetadata: {{ name: main }}\n\
         spec: {{ state: Absent, approval: \"{line}\" }}\n"
    );
    let other = String::from_utf8(databases(&["other"]).files()[0].bytes.clone()).unwrap();
    stage.apply(&manifests(&(other + &tombstone)), &pruning()).await;
    assert_eq!(stage.emulator.ids(Kind::Database, "main").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_that_nobody_takes_goes_and_costs_what_the_plan_said() {
    let stage = stage(json!({ "key": "URL", "value": "https://elsewhere" })).await;
    let plan = stage.plan(&databases(&["other"]), &pruning()).await;
    let before = stage.emulator.record().requests().count();
    let (_, report) = stage.apply(&databases(&["other"]), &pruning()).await;
    assert_eq!(report.counts().written, 1, "{report:?}");
    assert_eq!(stage.emulator.ids(Kind::Database, "main").len(), 0);
    let sent = stage.emulator.record().requests().count() - before;
    assert_eq!(u32::try_from(sent).unwrap(), plan.cost.reads + plan.cost.writes);
}
